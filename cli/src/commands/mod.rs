//! One file per command, or per family of commands.

pub mod chat;
pub mod convert;
pub mod describe;
pub mod diff;
pub mod doctor;
pub mod encrypt;
pub mod evaluate;
pub mod explain;
pub mod generate;
pub mod inspect;
pub mod ls;
pub mod man;
pub mod plot;
pub mod predict;
pub mod presets;
pub mod prove;
pub mod prune;
pub mod repair;
pub mod runs;
pub mod sign;
pub mod status;
pub mod tag;
pub mod tokenizer;
pub mod train;
pub mod validate;
pub mod verify;
