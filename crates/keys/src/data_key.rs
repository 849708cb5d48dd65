//! The key that encrypts a run.

use std::fmt;

use zeroize::Zeroize;

use crate::error::KeyError;

/// The secret key that encrypts a run: 32 bytes, overwritten when dropped.
///
/// They are kept on the heap, so that moving the key leaves no copy behind.
pub struct DataKey(Box<[u8; Self::LEN]>);

impl DataKey {
    /// Length in bytes.
    pub const LEN: usize = 32;

    /// A new key from the operating system's random bytes.
    pub fn generate() -> Result<Self, KeyError> {
        let mut key = Self::zero();
        getrandom::fill(key.0.as_mut_slice()).map_err(KeyError::Random)?;
        Ok(key)
    }

    /// The key with these bytes.
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Self {
        Self(Box::new(*bytes))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// The key that `text` holds as lower-case hex digits.
    pub(crate) fn from_hex(text: &[u8]) -> Option<Self> {
        let mut key = Self::zero();
        crate::hex::decode_exact(text, key.0.as_mut_slice()).then_some(key)
    }

    fn zero() -> Self {
        Self(Box::new([0; Self::LEN]))
    }
}

impl Drop for DataKey {
    fn drop(&mut self) {
        self.0.as_mut_slice().zeroize();
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DataKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_and_are_not_shown() {
        let first = DataKey::generate().unwrap();
        assert_ne!(first.as_bytes(), DataKey::generate().unwrap().as_bytes());
        assert_eq!(format!("{first:?}"), "DataKey(..)");
        assert_eq!(DataKey::from_bytes(first.as_bytes()).as_bytes(), first.as_bytes());
    }
}
