//! A state that does not belong to a config or its data.

use std::borrow::Cow;

/// A state does not fit what a system is to train it with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateMismatch {
    /// The state was trained on other data.
    #[error("{origin}: {reason}; the run was trained on other data, whose file can be named as {setting}")]
    OtherData {
        /// Where the data is from that was found.
        origin: String,
        /// In what it differs.
        reason: String,
        /// The setting that names the file.
        setting: Cow<'static, str>,
    },
    /// The state contradicts itself or the config.
    #[error("the state does not fit: {0}")]
    Contradiction(String),
}

impl StateMismatch {
    /// Nothing if the condition holds, a contradiction otherwise.
    ///
    /// # Errors
    /// When it does not hold; `reason` is asked for only then.
    pub fn require(holds: bool, reason: impl FnOnce() -> String) -> Result<(), Self> {
        if holds { Ok(()) } else { Err(Self::Contradiction(reason())) }
    }
}
