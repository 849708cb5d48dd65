//! What stands for the key of an encrypted run where the feature `encryption` is off.

/// The key of an encrypted run. Without the feature `encryption` there is none: runs that are encrypted are
/// refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataKey {}
