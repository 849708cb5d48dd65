//! The encryption of a run: the key, and what is done with it.

pub(crate) mod cipher;
pub(crate) mod data_key;
