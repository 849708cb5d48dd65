//! Ctrl-C and SIGTERM: the first asks training to save and stop, the second Ctrl-C ends it at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// A signal that asks training to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// A scheduler or `kill`.
    Terminate,
}

impl Signal {
    /// The exit code of a process that was stopped by it: 128 and its number.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// Tells whether a signal has come.
#[derive(Debug, Clone, Default)]
pub struct Signals {
    received: Arc<AtomicUsize>,
}

impl Signals {
    /// Begins to listen. Where that is not possible, signals end the process as they always do:
    /// the last checkpoint is there.
    pub fn listen() -> Self {
        let signals = Self::default();
        let again = Arc::new(AtomicBool::new(false));
        // In this order: the first Ctrl-C finds `again` unset, and sets it.
        let _ = flag::register_conditional_shutdown(SIGINT, 130, Arc::clone(&again));
        let _ = flag::register(SIGINT, again);
        for signal in [SIGINT, SIGTERM] {
            let _ = flag::register_usize(signal, Arc::clone(&signals.received), signal as usize);
        }
        signals
    }

    /// The signal that has come, if any.
    pub fn received(&self) -> Option<Signal> {
        match self.received.load(Ordering::Relaxed) as i32 {
            SIGINT => Some(Signal::Interrupt),
            SIGTERM => Some(Signal::Terminate),
            _ => None,
        }
    }
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

/// Ends this process at once, as a power cut would: nothing is flushed or dropped.
pub(crate) fn die() -> ! {
    #[cfg(unix)]
    let _ = signal_hook::low_level::raise(9);
    std::process::abort()
}
