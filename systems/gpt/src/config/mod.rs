//! What a user chooses.

mod model;
mod training;

pub use model::{Block, Model};
pub use training::{
    Adapt, Data, NewRows, OptimizerSettings, Order, Phase, Source, TokenKind, Tokens, Training,
};
