//! A place where hostile bytes may be parsed.
//!
//! Types nest in HDF5, and the parser recurses into them as deep as the bytes of a message allow,
//! some thousands of levels: more than the stack of an ordinary thread holds, and a stack that runs
//! over ends the process. So parsing runs on a thread of its own with a stack that holds them all.
//! A panic of the parser ends that thread and becomes an error here. None is known; it would be
//! told by the panic hook of the process, which is not this library's to change.

use std::io;
use std::thread;

/// Address space only: pages that are never touched cost nothing.
const STACK_BYTES: usize = 256 << 20;

/// What `task` returns, or `None` when it panicked.
///
/// # Errors
/// When the system cannot start a thread.
pub(super) fn run<T: Send>(task: impl FnOnce() -> T + Send) -> io::Result<Option<T>> {
    thread::scope(|scope| {
        let builder = thread::Builder::new().name("snapshot".to_owned()).stack_size(STACK_BYTES);
        Ok(builder.spawn_scoped(scope, task)?.join().ok())
    })
}
