//! Logic-gate networks: what is learnt and answered, exact resume, and what is refused.

#![allow(clippy::disallowed_methods, reason = "a test makes its files")]

mod learning;
mod pictures;
mod support;
mod tables;
