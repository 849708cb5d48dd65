//! What a user chooses.

mod model;

pub use model::{Block, Model};
