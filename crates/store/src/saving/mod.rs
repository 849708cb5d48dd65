//! Writing checkpoints.

pub(crate) mod amend;
pub(crate) mod part;
pub(crate) mod save;
