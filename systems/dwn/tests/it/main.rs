//! Networks of learnt lookup tables: what is learnt and answered, exact resume, and what is refused.

#![allow(clippy::disallowed_methods, reason = "a test makes its files")]

mod data;
mod learning;
mod support;
