//! Two-input logic gates.
//!
//! - [`gate`]: the sixteen functions, by number, name and coefficients;
//! - [`soft`]: mixtures of them, which gradients can train.

pub mod gate;
pub mod soft;
