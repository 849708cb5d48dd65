//! The encryption of a run: the key, and what is done with it.

#[cfg(feature = "encryption")]
pub(crate) mod cipher;
#[cfg(not(feature = "encryption"))]
#[path = "no_cipher.rs"]
pub(crate) mod cipher;
#[cfg(feature = "encryption")]
pub(crate) mod data_key;
#[cfg(not(feature = "encryption"))]
#[path = "no_data_key.rs"]
pub(crate) mod data_key;
pub(crate) mod sealer;
