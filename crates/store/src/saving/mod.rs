//! Writing checkpoints.

pub(crate) mod amend;
pub(crate) mod save;
