//! X25519 keys as text: section "The X25519 recipient type" of the specification, which is Bech32 (BIP 173).

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Hrp};
use zeroize::Zeroizing;

/// What a recipient begins with, before `1`.
pub(crate) const RECIPIENT: &str = "age";
/// What an identity begins with, before `1`; it is written in capitals.
pub(crate) const IDENTITY: &str = "age-secret-key-";

/// The longest text, of an identity: prefix, separator, 52 characters of the key and 6 of the checksum.
const MAX_LEN: usize = IDENTITY.len() + 1 + 52 + 6;

/// `key` as lower-case text. The buffer never grows, which would leave a copy.
pub(crate) fn encode(prefix: &str, key: &[u8; 32]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(MAX_LEN));
    let written = bech32::encode_lower_to_fmt::<Bech32, _>(&mut *text, Hrp::parse_unchecked(prefix), key);
    written.expect("32 bytes are not too long for Bech32");
    text
}

/// The key that `text` encodes canonically, all in capitals or all in lower case.
pub(crate) fn decode(prefix: &str, text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let checked = CheckedHrpstring::new::<Bech32>(text).ok()?;
    let mut key = Zeroizing::new([0; 32]);
    key.iter_mut().zip(checked.byte_iter()).for_each(|(to, from)| *to = from);
    encode(prefix, &key).eq_ignore_ascii_case(text).then_some(key)
}

#[cfg(test)]
mod tests {
    use bech32::Fe32;
    use bech32::primitives::iter::{ByteIterExt, Fe32IterExt};

    use super::*;

    #[test]
    fn keys_are_those_of_the_specification() {
        let identity = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
        let recipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
        assert_eq!(*decode(IDENTITY, identity).unwrap(), [0x42; 32]);
        let public = x25519_dalek::x25519([0x42; 32], x25519_dalek::X25519_BASEPOINT_BYTES);
        assert_eq!(*encode(RECIPIENT, &public), recipient);
        assert_eq!(encode(IDENTITY, &[0x42; 32]).to_uppercase(), identity);
    }

    #[test]
    fn other_lengths_kinds_and_spare_bits_are_refused() {
        let hrp = Hrp::parse_unchecked(RECIPIENT);
        for len in (0..80).filter(|len| *len != 32) {
            let text = bech32::encode_lower::<Bech32>(hrp, &vec![1; len]).unwrap();
            assert!(decode(RECIPIENT, &text).is_none(), "{len}");
        }
        let newer = bech32::encode_lower::<bech32::Bech32m>(hrp, &[1; 32]).unwrap();
        assert!(decode(RECIPIENT, &newer).is_none());
        let good = encode(RECIPIENT, &[1; 32]);
        assert!(decode(RECIPIENT, &good).is_some());
        assert!(decode(IDENTITY, &good).is_none());
        assert!(decode(RECIPIENT, &good.replacen('a', "A", 1)).is_none());

        let mut digits: Vec<Fe32> = [1; 32].into_iter().bytes_to_fes().collect();
        let with_checksum = |digits: &[Fe32]| -> String {
            digits.iter().copied().with_checksum::<Bech32>(&hrp).chars().collect()
        };
        assert_eq!(with_checksum(&digits), *good);
        digits[51] = Fe32::try_from(digits[51].to_u8() | 1).unwrap();
        assert!(decode(RECIPIENT, &with_checksum(&digits)).is_none());
    }
}
