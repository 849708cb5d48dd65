//! Saving in the background: one thread that writes while training goes on.
//!
//! At most one checkpoint is on its way. The store travels with it: whoever needs the store waits
//! until it is back. What a save failed with is told at the next call.

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

/// What the writer gives back.
pub(crate) struct Done {
    pub store: Box<Store>,
    pub outcome: Result<Saved, CaptureError>,
    /// Buffers of the captured state, to be filled again.
    pub spare: Vec<Vec<u8>>,
}

type Work = Box<dyn FnOnce(Box<Store>) -> Done + Send>;

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
            for (store, work) in incoming {
                // A run that was dropped meanwhile no longer waits for the answer.
                let _ = outgoing.send(work(store));
            }
        });
        Self { work: Some(work), done, thread: Some(thread) }
    }

    /// Hands the store to the thread, with what is to be done.
    pub fn start(&self, store: Box<Store>, work: impl FnOnce(Box<Store>) -> Done + Send + 'static) {
        let sent = self.work.as_ref().map(|channel| channel.send((store, Box::new(work))));
        assert!(matches!(sent, Some(Ok(()))), "the writer takes work until it is dropped");
    }

    /// What the thread has done, once it is done.
    pub fn wait(&mut self) -> Done {
        match self.done.recv() {
            Ok(done) => done,
            Err(_) => self.panic_of_the_thread(),
        }
    }

    /// What the thread has done, if it is done already.
    pub fn try_wait(&mut self) -> Option<Done> {
        self.done.try_recv().ok()
    }

    fn panic_of_the_thread(&mut self) -> ! {
        match self.thread.take().map(JoinHandle::join) {
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            _ => unreachable!("the writer ends only when it is dropped, or panics"),
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
