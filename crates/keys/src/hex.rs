//! Bytes as lower-case hex digits, in time that does not depend on them.

/// The digits of `bytes`.
pub(crate) fn encode(bytes: &[u8]) -> String {
    base16ct::lower::encode_string(bytes)
}

/// Fills `bytes` from `digits`; whether these were as many as needed, and all of them digits.
#[must_use]
pub(crate) fn decode_exact(digits: &[u8], bytes: &mut [u8]) -> bool {
    digits.len() == 2 * bytes.len() && base16ct::lower::decode(digits, bytes).is_ok()
}
