//! The key that encrypts a run: a new one, and one as text.

use rekindle_store::DataKey;

use crate::error::KeyError;

/// A new data key from the operating system's random bytes.
pub fn generate_data_key() -> Result<DataKey, KeyError> {
    DataKey::filled(|bytes| getrandom::fill(bytes).map_err(KeyError::Random))
}

/// The key that `text` holds as lower-case hex digits.
pub(crate) fn from_hex(text: &[u8]) -> Option<DataKey> {
    DataKey::filled(|bytes| crate::hex::decode_exact(text, bytes).then_some(()).ok_or(())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ() {
        assert_ne!(generate_data_key().unwrap(), generate_data_key().unwrap());
    }
}
