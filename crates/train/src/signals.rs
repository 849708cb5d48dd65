//! Signals that ask training to stop, and the end of a process that is to look like a power cut.

pub use rekindle::signals::{Interrupt, LEFT_UNSAVED, Signal, Signals};

/// Ends this process at once, as a power cut would: nothing is flushed or dropped.
pub(crate) fn die() -> ! {
    #[cfg(unix)]
    let _ = signal_hook::low_level::raise(9);
    std::process::abort()
}
