//! Weightless (RAM) networks: a language model whose architecture is searched, and a classifier.

pub mod wisard;
