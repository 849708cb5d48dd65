//! What the network computes with: plain Rust loops, compiled for every instruction set, that give
//! the same bits on each.

pub mod matmul;
