//! A value of a config that a system cannot use.

use std::borrow::Cow;

/// A value of a config is out of its range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` is {value}: {reason}")]
pub struct SettingError {
    /// The path in the config, such as `model.layers`.
    pub path: Cow<'static, str>,
    /// The value.
    pub value: String,
    /// What it must be.
    pub reason: Cow<'static, str>,
}

impl SettingError {
    /// The error about a value.
    pub fn new(
        path: impl Into<Cow<'static, str>>,
        value: impl ToString,
        reason: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { path: path.into(), value: value.to_string(), reason: reason.into() }
    }

    /// Nothing if the condition holds, the error about the value otherwise.
    ///
    /// # Errors
    /// When it does not hold.
    pub fn require(
        holds: bool,
        path: impl Into<Cow<'static, str>>,
        value: impl ToString,
        reason: impl Into<Cow<'static, str>>,
    ) -> Result<(), Self> {
        if holds { Ok(()) } else { Err(Self::new(path, value, reason)) }
    }
}
