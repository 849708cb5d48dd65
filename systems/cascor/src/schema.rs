//! The name and the schema under which states are saved.

use rekindle::Versions;

/// The name of the system.
pub(crate) const SYSTEM: &str = "cascor";

/// Schema and migrations of its states.
pub(crate) fn versions() -> Versions {
    Versions::new(SYSTEM, 1)
}
