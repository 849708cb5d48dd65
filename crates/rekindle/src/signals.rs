//! Signals that ask training to stop: the first is told at once and heeded between two steps, a
//! Ctrl-C after that ends the process at once. Needs the feature `signals`.
//!
//! ```no_run
//! use rekindle::signals::Signals;
//!
//! let signals = Signals::listen(|_| eprintln!("stopping after this step"));
//! while signals.received().is_none() {
//!     // one step, and a call of `Run::checkpoint`
//! }
//! ```

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

#[cfg(unix)]
use signal_hook::consts::SIGHUP;

/// Exit code of a process that a second Ctrl-C ended before its state was saved.
pub const LEFT_UNSAVED: u8 = 4;

/// A signal that comes so soon after the first is the same wish: `timeout` tells a process and its
/// group, a terminal that closes tells more than once.
const SAME_WISH: Duration = Duration::from_secs(1);

/// A signal that asks training to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// A scheduler or `kill`.
    Terminate,
    /// The terminal is gone.
    HangUp,
}

impl Signal {
    /// The exit code of a process that was stopped by it: 128 and its number.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::HangUp => 129,
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }

    fn from_number(number: i32) -> Option<Self> {
        match number {
            SIGINT => Some(Self::Interrupt),
            SIGTERM => Some(Self::Terminate),
            #[cfg(unix)]
            SIGHUP => Some(Self::HangUp),
            _ => None,
        }
    }
}

/// Tells whether a signal has come. While none of these is there, signals end the process as they
/// always do.
#[derive(Debug)]
#[must_use = "it listens until it is dropped"]
pub struct Signals {
    listener: Arc<Listener>,
}

struct Listener {
    first: OnceLock<(Signal, Instant)>,
    tell: Box<dyn Fn(Signal) + Send + Sync>,
    /// The first signal was told.
    told: AtomicBool,
}

/// Telling takes longer only where a terminal or a pipe takes nothing.
const TELLING: Duration = Duration::from_millis(500);

/// Those who listen. One thread serves them all: a process has its signals only once.
static LISTENERS: Mutex<Vec<Weak<Listener>>> = Mutex::new(Vec::new());

impl Signals {
    /// Begins to listen. `tell` is called with the first signal as soon as it comes, on a thread of
    /// its own, which may wait for a terminal without holding up anything else. Where listening is not
    /// possible, signals end the process as they always do: the last checkpoint is there.
    pub fn listen(tell: impl Fn(Signal) + Send + Sync + 'static) -> Self {
        let listener =
            Arc::new(Listener { first: OnceLock::new(), tell: Box::new(tell), told: AtomicBool::new(false) });
        let mut listeners = LISTENERS.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| listener.strong_count() > 0);
        listeners.push(Arc::downgrade(&listener));
        drop(listeners);
        watch();
        Self { listener }
    }

    /// The first signal that has come, if any.
    pub fn received(&self) -> Option<Signal> {
        self.listener.first.get().map(|(signal, _)| *signal)
    }
}

impl Drop for Signals {
    /// What is being told is told to its end, so that a process that ends does not cut it off.
    fn drop(&mut self) {
        let Some((_, at)) = self.listener.first.get() else { return };
        while !self.listener.told.load(Ordering::Acquire) && at.elapsed() < TELLING {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Listener {
    fn hear(self: &Arc<Self>, signal: Signal) {
        match self.first.get() {
            None => {
                // Nobody else sets it: there is one thread for signals.
                let _ = self.first.set((signal, Instant::now()));
                let listener = Arc::clone(self);
                let _ = std::thread::Builder::new().spawn(move || {
                    (listener.tell)(signal);
                    listener.told.store(true, Ordering::Release);
                });
            }
            // Only a person can be told to press again, so only Ctrl-C is taken for it. It is done
            // without a word: whoever holds the standard error may be waiting for a terminal.
            Some((_, at)) if signal == Signal::Interrupt && at.elapsed() >= SAME_WISH => {
                low_level::exit(LEFT_UNSAVED.into());
            }
            Some(_) => {}
        }
    }
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener").field("first", &self.first).finish_non_exhaustive()
    }
}

/// Gives a signal to all who listen; when nobody does, it does what it always does.
fn heed(number: i32) {
    let listeners: Vec<Arc<Listener>> = {
        let listeners = LISTENERS.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.iter().filter_map(Weak::upgrade).collect()
    };
    if listeners.is_empty() {
        let _ = low_level::emulate_default_handler(number);
    }
    if let Some(signal) = Signal::from_number(number) {
        listeners.iter().for_each(|listener| listener.hear(signal));
    }
}

/// Starts the thread that waits for signals, once for the process.
#[cfg(unix)]
fn watch() {
    use signal_hook::iterator::Signals;
    use std::sync::Once;

    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let mut numbers = vec![SIGINT, SIGTERM];
        // `nohup` asks for exactly that: to outlive the terminal.
        if !is_ignored(SIGHUP) {
            numbers.push(SIGHUP);
        }
        let Ok(mut signals) = Signals::new(&numbers) else { return };
        let thread = std::thread::Builder::new().name("signals".to_owned());
        let _ = thread.spawn(move || signals.forever().for_each(heed));
    });
}

/// Without a thread to wait for them, signals are only noticed when they are asked for.
#[cfg(not(unix))]
fn watch() {
    use std::sync::Once;
    use std::sync::atomic::AtomicUsize;

    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let came = Arc::new(AtomicUsize::new(0));
        for signal in [SIGINT, SIGTERM] {
            let _ = flag::register_usize(signal, Arc::clone(&came), signal as usize);
        }
        let thread = std::thread::Builder::new().name("signals".to_owned());
        let _ = thread.spawn(move || {
            loop {
                std::thread::sleep(Duration::from_millis(20));
                let signal = came.swap(0, Ordering::Relaxed);
                if signal != 0 {
                    heed(signal as i32);
                }
            }
        });
    });
}

/// True when this process was started with the signal ignored. Where that cannot be known, it was not.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    #[allow(clippy::disallowed_methods, reason = "the system tells about this process in a file")]
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}

/// Ctrl-C that ends what a program is doing at the moment, or, when it only waits, the program.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    waits: Arc<AtomicBool>,
    came: Arc<AtomicBool>,
}

impl Interrupt {
    /// Begins to listen; the program waits. Where listening is not possible, Ctrl-C ends the program as
    /// it always does.
    pub fn listen() -> Self {
        let interrupt = Self { waits: Arc::new(AtomicBool::new(true)), came: Arc::default() };
        let _ = flag::register_conditional_shutdown(SIGINT, 130, Arc::clone(&interrupt.waits));
        let _ = flag::register(SIGINT, Arc::clone(&interrupt.came));
        interrupt
    }

    /// Does something that Ctrl-C ends: `work` is to look now and then whether it came.
    pub fn during<R>(&self, work: impl FnOnce(&AtomicBool) -> R) -> R {
        self.came.store(false, Ordering::Relaxed);
        self.waits.store(false, Ordering::Relaxed);
        let result = work(&self.came);
        self.waits.store(true, Ordering::Relaxed);
        result
    }
}
