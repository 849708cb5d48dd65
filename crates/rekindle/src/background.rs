//! Saving in the background: one thread that writes while training goes on.
//!
//! At most one checkpoint is on its way. The store travels with it: whoever needs the store waits
//! until it is back. What a save failed with is told at the next call.

use std::panic::AssertUnwindSafe;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rekindle_store::{Saved, Store};

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
    pub store: Box<Store>,
    pub written: Written,
}

type Work = Box<dyn FnOnce(&mut Store) -> Written + Send>;

/// The thread that writes.
pub(crate) struct Writer {
    work: Option<SyncSender<(Box<Store>, Work)>>,
    done: Receiver<Done>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub fn spawn() -> Self {
        let (work, incoming) = sync_channel::<(Box<Store>, Work)>(1);
        let (outgoing, done) = sync_channel(1);
        let thread = std::thread::spawn(move || {
            // Threads of its own: those of the program may all be waiting for this one. Where the system
            // gives none, the program's serve as long as they do not.
            let pool = rayon::ThreadPoolBuilder::new().build().ok();
            for (mut store, work) in incoming {
                let written = match &pool {
                    Some(pool) => pool.install(|| guarded(&mut store, work)),
                    None => guarded(&mut store, work),
                };
                // A run that was dropped meanwhile no longer waits for the answer.
                let _ = outgoing.send(Done { store, written });
            }
        });
        Self { work: Some(work), done, thread: Some(thread) }
    }

    /// Hands the store to the thread, with what is to be done.
    pub fn start(&self, store: Box<Store>, work: impl FnOnce(&mut Store) -> Written + Send + 'static) {
        let sent = self.work.as_ref().map(|channel| channel.send((store, Box::new(work))));
        assert!(matches!(sent, Some(Ok(()))), "the writer takes work until it is dropped");
    }

    /// What the thread has done, once it is done.
    pub fn wait(&mut self) -> Done {
        self.done.recv().expect("the writer answers until it is dropped, as panics are caught")
    }

    /// What the thread has done, if it is done already.
    pub fn try_wait(&mut self) -> Option<Done> {
        self.done.try_recv().ok()
    }
}

/// Does the work. A panic, such as one of the state's own code, becomes an error: the right to write stays
/// with this process, and the store writes nothing more.
fn guarded(store: &mut Store, work: Work) -> Written {
    match std::panic::catch_unwind(AssertUnwindSafe(|| work(store))) {
        Ok(written) => written,
        Err(panic) => {
            store.stop_writing();
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let message = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            Written { saved: Err(CaptureError::Panicked { message }), pruned: Ok(()), spare: Vec::new() }
        }
    }
}

impl Drop for Writer {
    /// Waits until what was handed over is written.
    fn drop(&mut self) {
        self.work = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Writer(..)")
    }
}
