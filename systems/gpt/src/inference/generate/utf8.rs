//! Text of bytes that come in pieces.

/// Holds the beginning of a character back until it is whole.
#[derive(Debug, Default)]
pub(super) struct Utf8 {
    held: Vec<u8>,
}

impl Utf8 {
    /// The characters that more bytes make whole. Bytes that cannot become UTF-8 are U+FFFD.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.held.extend_from_slice(bytes);
        let mut text = String::new();
        let mut read = 0;
        for chunk in self.held.utf8_chunks() {
            text.push_str(chunk.valid());
            read += chunk.valid().len();
            let invalid = chunk.invalid();
            let is_last = read + invalid.len() == self.held.len();
            if is_last && is_beginning(invalid) {
                break;
            }
            if !invalid.is_empty() {
                text.push(char::REPLACEMENT_CHARACTER);
            }
            read += invalid.len();
        }
        self.held.drain(..read);
        text
    }

    /// What was held back: the beginning of a character that did not come, which is U+FFFD.
    pub fn finish(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.held)).into_owned()
    }
}

/// Whether more bytes may make a character of these.
fn is_beginning(bytes: &[u8]) -> bool {
    str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn characters_come_whole() {
        let mut utf8 = Utf8::default();
        let pieces: Vec<String> = "a\u{20ac}b\u{1f600}".bytes().map(|byte| utf8.push(&[byte])).collect();
        assert_eq!(pieces, ["a", "", "", "\u{20ac}", "b", "", "", "", "\u{1f600}"]);
        assert_eq!(utf8.push(b"\xe2\x82"), "");
        assert_eq!(utf8.push(b"x\xff"), "\u{fffd}x\u{fffd}");
        assert_eq!(utf8.push(b"\xf0\x9f"), "");
        assert_eq!(utf8.finish(), "\u{fffd}");
        assert_eq!(utf8.finish(), "");
    }

    proptest! {
        #[test]
        fn all_pieces_are_the_whole(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0xc0..=0xf7_u8, 0x80..=0xbf_u8], 0..40),
            length in 1..5_usize,
        ) {
            let mut utf8 = Utf8::default();
            let text: String = bytes.chunks(length).map(|bytes| utf8.push(bytes)).collect();
            prop_assert_eq!(text + &utf8.finish(), String::from_utf8_lossy(&bytes));
        }
    }
}
