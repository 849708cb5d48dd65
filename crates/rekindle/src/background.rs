//! Saving in the background: one thread that writes while training goes on.
//!
//! At most one checkpoint is on its way. The right to write travels with it: whoever needs the run waits
//! until it is back. What a save failed with is told at the next call.

use std::panic::AssertUnwindSafe;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rekindle_store::{Saved, Writer};

use crate::capture::CaptureError;

/// When a checkpoint is due while the one before is still being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenBusy {
    /// Training waits for the writer: no checkpoint is left out.
    #[default]
    Wait,
    /// The checkpoint is left out: training never waits.
    Skip,
}

/// Where checkpoints are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Saving {
    /// By the caller: the checkpoint is durable when the call returns. It takes no memory but a few
    /// buffers.
    #[default]
    Blocking,
    /// By a thread: the call copies the state into buffers that are used again and again, and
    /// returns. It takes as much memory as the state.
    Background(WhenBusy),
}

/// What came of the work on a checkpoint.
pub(crate) struct Written {
    /// The checkpoint; its rows of the history are sealed when it is there.
    pub saved: Result<Saved, CaptureError>,
    /// The pruning after it.
    pub pruned: Result<(), CaptureError>,
    /// Buffers of the captured state, to be filled again.
    pub spare: Vec<Vec<u8>>,
}

/// What the writer gives back.
pub(crate) struct Done {
    pub run: Box<Writer>,
    pub written: Written,
}

type Work = Box<dyn FnOnce(&mut Writer) -> Written + Send>;

/// The thread that writes.
pub(crate) struct SaveThread {
    work: Option<SyncSender<(Box<Writer>, Work)>>,
    done: Receiver<Done>,
    thread: Option<JoinHandle<()>>,
}

impl SaveThread {
    pub fn spawn() -> Self {
        let (work, incoming) = sync_channel::<(Box<Writer>, Work)>(1);
        let (outgoing, done) = sync_channel(1);
        let thread = std::thread::spawn(move || {
            let pool = Pool::new();
            for (mut run, work) in incoming {
                let written = pool.install(|| guarded(&mut run, work));
                // A run that was dropped meanwhile no longer waits for the answer.
                let _ = outgoing.send(Done { run, written });
            }
        });
        Self { work: Some(work), done, thread: Some(thread) }
    }

    /// Hands the run to the thread, with what is to be done.
    pub fn start(&self, run: Box<Writer>, work: impl FnOnce(&mut Writer) -> Written + Send + 'static) {
        let sent = self.work.as_ref().map(|channel| channel.send((run, Box::new(work))));
        assert!(matches!(sent, Some(Ok(()))), "the thread takes work until it is dropped");
    }

    /// What the thread has done, once it is done.
    pub fn wait(&mut self) -> Done {
        self.done.recv().expect("the thread answers until it is dropped, as panics are caught")
    }

    /// What the thread has done, if it is done already.
    pub fn try_wait(&mut self) -> Option<Done> {
        self.done.try_recv().ok()
    }
}

/// Threads of its own: those of the program may all be waiting for the one that saves. Where the system gives
/// none, the program's serve as long as they do not.
#[cfg(feature = "parallel")]
struct Pool(Option<rayon::ThreadPool>);

#[cfg(feature = "parallel")]
impl Pool {
    fn new() -> Self {
        Self(rayon::ThreadPoolBuilder::new().build().ok())
    }

    fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match &self.0 {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }
}

/// The thread that saves does all by itself.
#[cfg(not(feature = "parallel"))]
struct Pool;

#[cfg(not(feature = "parallel"))]
impl Pool {
    fn new() -> Self {
        Self
    }

    fn install<R>(&self, work: impl FnOnce() -> R) -> R {
        work()
    }
}

/// Does the work. A panic, such as one of the state's own code, becomes an error: the right to write stays
/// with this process, and the run writes nothing more.
fn guarded(run: &mut Writer, work: Work) -> Written {
    match std::panic::catch_unwind(AssertUnwindSafe(|| work(run))) {
        Ok(written) => written,
        Err(panic) => {
            run.stop_writing();
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let message = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            Written { saved: Err(CaptureError::Panicked { message }), pruned: Ok(()), spare: Vec::new() }
        }
    }
}

impl Drop for SaveThread {
    /// Waits until what was handed over is written.
    fn drop(&mut self) {
        self.work = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl std::fmt::Debug for SaveThread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SaveThread(..)")
    }
}
