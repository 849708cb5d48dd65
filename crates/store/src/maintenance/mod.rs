//! What is done to whole runs: verifying, repairing, pruning, compacting, copying.

pub(crate) mod aside;
pub(crate) mod compact;
pub(crate) mod copy;
pub(crate) mod discard;
pub(crate) mod live;
pub(crate) mod prune;
pub(crate) mod repair;
pub(crate) mod retention;
pub(crate) mod transfer;
pub(crate) mod verify;
