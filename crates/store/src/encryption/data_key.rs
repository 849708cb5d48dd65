//! The key of an encrypted run.

use std::fmt;

use zeroize::Zeroize;

/// The secret key of an encrypted run: 32 bytes, overwritten when dropped. It is never stored but
/// wrapped; see [`wrapped_key`](crate::wrapped_key).
///
/// The bytes are kept on the heap, so that moving the key leaves no copy behind.
#[derive(Clone, PartialEq, Eq)]
pub struct DataKey(Box<[u8; Self::LEN]>);

impl DataKey {
    /// Length in bytes.
    pub const LEN: usize = 32;

    /// The key with these bytes, which must come from a cryptographic random source.
    pub fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(Box::new(bytes))
    }

    /// The bytes, to be wrapped.
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// The key whose bytes `fill` writes, without a copy of them elsewhere.
    ///
    /// # Errors
    /// Those of `fill`.
    pub fn filled<E>(fill: impl FnOnce(&mut [u8; Self::LEN]) -> Result<(), E>) -> Result<Self, E> {
        let mut key = Self::from_bytes([0; Self::LEN]);
        fill(&mut key.0)?;
        Ok(key)
    }
}

/// Shows nothing of the key.
impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(..)")
    }
}

impl Drop for DataKey {
    fn drop(&mut self) {
        self.0.as_mut_slice().zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_not_shown() {
        let key = DataKey::from_bytes([7; 32]);
        assert_eq!(format!("{key:?}"), "DataKey(..)");
        assert_eq!(key, key.clone());
    }
}
