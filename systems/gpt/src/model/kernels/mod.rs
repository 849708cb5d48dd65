//! What the network computes with: plain Rust loops, compiled for every instruction set, that give
//! the same bits on each.

pub mod activation;
pub mod attention;
pub mod distillation;
pub mod loss;
pub mod matmul;
pub mod norm;
pub mod rows;
