//! When to checkpoint, and what to keep.

use std::time::{Duration, Instant};

use rekindle_store::{Best, Retention};

/// The checkpoint policy of a run. It never enters the state: equal training means equal state
/// hashes, however often it is saved.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Save at every step that is a multiple of this.
    pub every_steps: Option<u64>,
    /// Save when this much time has passed since the last save.
    pub every: Option<Duration>,
    /// What is kept when a new checkpoint has been saved; the newest and the best always are.
    pub retention: Retention,
    /// Which checkpoint `best` means.
    pub best: Option<Best>,
    /// How long packs that no checkpoint needs any more are kept for readers: seconds.
    pub grace_seconds: u64,
}

impl Default for Policy {
    /// Every 30 seconds; the last 3 checkpoints are kept.
    fn default() -> Self {
        Self {
            every_steps: None,
            every: Some(Duration::from_secs(30)),
            retention: Retention { keep_last: Some(3), ..Retention::default() },
            best: None,
            grace_seconds: 30,
        }
    }
}

impl Policy {
    /// Is a checkpoint due at `step`, the last one having been saved at that time?
    pub(crate) fn is_due(&self, step: u64, last_save: Option<Instant>) -> bool {
        let Some(last_save) = last_save else { return true };
        let by_step = self.every_steps.is_some_and(|every| every > 0 && step.is_multiple_of(every));
        by_step || self.every.is_some_and(|every| last_save.elapsed() >= every)
    }
}
