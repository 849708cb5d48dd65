//! What helps after an error: for a front end, which knows how to say it to its users.

use crate::error::OpenError;

/// What helps after an error, where the error itself cannot know how that is done: on a command line by a
/// flag, in a program by an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hint {
    /// The run that is there can be resumed, or another place be chosen for the new one.
    ResumeOrChooseAnotherPlace,
    /// Another place can be chosen.
    ChooseAnotherPlace,
    /// The key of the run is needed; see [`Access`](crate::Access).
    GiveKey,
    /// The tag can be deleted first, or be moved on purpose.
    DeleteOrMoveTag,
}

impl OpenError {
    /// What helps, if something does.
    pub fn hint(&self) -> Option<Hint> {
        match self {
            Self::RunExists { .. } => Some(Hint::ResumeOrChooseAnotherPlace),
            Self::NotEmpty { .. } => Some(Hint::ChooseAnotherPlace),
            Self::Encrypted { .. } => Some(Hint::GiveKey),
            _ => None,
        }
    }
}
