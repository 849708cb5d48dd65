//! Checksums: SHA-256 of the bytes of an array as they lie in memory, in hexadecimal.
//!
//! They are stored beside what they vouch for, in a scalar dataset `checksums` that holds a JSON
//! object of name and digest.

use rekindle_formats::hex::hex;
use sha2::{Digest, Sha256};

/// The digest of these bytes.
pub(super) fn of(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Numbers as the original hashes and stores them: little-endian.
pub(super) fn bytes_of(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Taken from a file that the original wrote.
    #[test]
    fn the_digest_is_that_of_the_original() {
        let digest = of(&bytes_of(&[0.4965026, 0.503_497_54]));
        assert!(digest.starts_with("f1a8e9e2") && digest.ends_with("461f6"), "{digest}");
    }
}
