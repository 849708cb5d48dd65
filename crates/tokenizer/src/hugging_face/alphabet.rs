//! The characters by which `tokenizer.json` writes bytes: those of GPT-2.
//!
//! A byte that is a visible character of Latin-1 stands for itself; the others follow from `U+0100`
//! on, in their order.

/// The text that stands for bytes.
pub(super) fn encode(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| character(byte)).collect()
}

/// The bytes that a text stands for; none when it has other characters.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    text.chars().map(byte).collect()
}

fn is_visible(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff)
}

fn hidden() -> impl Iterator<Item = u8> {
    (0..=u8::MAX).filter(|&byte| !is_visible(byte))
}

fn character(byte: u8) -> char {
    if is_visible(byte) {
        return char::from(byte);
    }
    let position = hidden().take_while(|&other| other < byte).count() as u32;
    char::from_u32(0x100 + position).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn byte(character: char) -> Option<u8> {
    match u8::try_from(u32::from(character)) {
        Ok(byte) => is_visible(byte).then_some(byte),
        Err(_) => hidden().nth((u32::from(character) - 0x100) as usize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_its_character() {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        assert_eq!(decode(&encode(&all)), Some(all));
        assert_eq!(encode(b" a\n\xff\xad"), "ĠaĊÿŃ");
        for other in [" ", "\u{a0}", "\u{144}", "▁", "😀"] {
            assert_eq!(decode(other), None, "{other:?}");
        }
    }
}
