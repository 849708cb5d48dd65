//! The pieces of a text within which byte pairs are merged.
//!
//! They are those of GPT-2: the matches, one after the other, of
//! `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`. Bytes that are no
//! UTF-8 are pieces of their own, one for each sequence that `U+FFFD` would stand for, and the text
//! before them is cut as if it ended there.

use std::str::Utf8Chunks;

use crate::characters::{Kind, kind};

/// The pieces of `text`; joined, they are the text.
pub(crate) fn pieces(text: &[u8]) -> Pieces<'_> {
    Pieces { valid: "", invalid: &[], chunks: text.utf8_chunks() }
}

/// Iterator over pieces.
pub(crate) struct Pieces<'a> {
    /// What is left of the valid part of the current chunk.
    valid: &'a str,
    /// The invalid bytes behind it.
    invalid: &'a [u8],
    chunks: Utf8Chunks<'a>,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            if !self.valid.is_empty() {
                let (piece, rest) = self.valid.split_at(first_len(self.valid));
                self.valid = rest;
                return Some(piece.as_bytes());
            }
            if !self.invalid.is_empty() {
                return Some(std::mem::take(&mut self.invalid));
            }
            let chunk = self.chunks.next()?;
            (self.valid, self.invalid) = (chunk.valid(), chunk.invalid());
        }
    }
}

/// Bytes of the first piece of a text that is not empty.
fn first_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    // Nearly all pieces of most texts are these, and they are told without decoding a character.
    let start = usize::from(bytes[0] == b' ');
    if bytes.get(start).is_some_and(u8::is_ascii_alphabetic) {
        return start + run_len(&text[start..], Kind::Letter);
    }
    if let Some(len) = contraction_len(text.as_bytes()) {
        return len;
    }
    let rest = text.strip_prefix(' ').unwrap_or(text);
    match rest.chars().next().map(kind) {
        Some(Kind::Space) | None => space_len(text),
        Some(first) => text.len() - rest.len() + run_len(rest, first),
    }
}

fn contraction_len(text: &[u8]) -> Option<usize> {
    match text {
        [b'\'', b's' | b't' | b'm' | b'd', ..] => Some(2),
        [b'\'', b'r' | b'v', b'e', ..] | [b'\'', b'l', b'l', ..] => Some(3),
        _ => None,
    }
}

/// White space up to the end of the text; before anything else, all but its last character, which
/// goes with what follows or stands alone.
fn space_len(text: &str) -> usize {
    let len = run_len(text, Kind::Space);
    let last = text[..len].chars().next_back().map_or(0, char::len_utf8);
    if len == text.len() || len == last { len } else { len - last }
}

/// Bytes of the characters of this kind at the beginning.
fn run_len(text: &str, of: Kind) -> usize {
    let end = match of {
        Kind::Letter => text.bytes().position(|byte| !byte.is_ascii_alphabetic()),
        _ => text.bytes().position(|byte| !byte.is_ascii() || kind(char::from(byte)) != of),
    };
    match end {
        // The slow way only from the first character on that is no ASCII.
        Some(end) if !text.as_bytes()[end].is_ascii() => {
            let rest = text[end..].char_indices();
            let mut others = rest.skip_while(|&(_, character)| kind(character) == of);
            others.next().map_or(text.len(), |(position, _)| end + position)
        }
        Some(end) => end,
        None => text.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &[u8]) -> Vec<String> {
        pieces(text).map(|piece| piece.escape_ascii().to_string().replace("\\'", "'")).collect()
    }

    #[test]
    fn pieces_of_gpt_2() {
        for (text, expected) in [
            ("Hello world", &["Hello", " world"][..]),
            ("it's we'll 'tis 'sure", &["it", "'s", " we", "'ll", " '", "tis", " '", "sure"]),
            ("I'M you'Re", &["I", "'", "M", " you", "'", "Re"]),
            ("a  b   c", &["a", " ", " b", "  ", " c"]),
            ("a \n\n b\n", &["a", " \\n\\n", " b", "\\n"]),
            ("a\nb\r\n\r\nc", &["a", "\\n", "b", "\\r\\n\\r", "\\n", "c"]),
            ("x12 34.5%", &["x", "12", " 34", ".", "5", "%"]),
            ("tail  ", &["tail", "  "]),
            ("  ", &["  "]),
            (" ", &[" "]),
            ("", &[]),
        ] {
            assert_eq!(cut(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn numbers_letters_and_spaces_of_unicode() {
        let text = "x²Ⅷ \u{a0}é e\u{301}漢字\u{3000}!";
        let found: Vec<&str> = pieces(text.as_bytes()).map(|piece| str::from_utf8(piece).unwrap()).collect();
        assert_eq!(found, ["x", "²Ⅷ", " ", "\u{a0}", "é", " e", "\u{301}", "漢字", "\u{3000}", "!"]);
    }

    #[test]
    fn bytes_that_are_no_utf8_stand_alone() {
        assert_eq!(cut(b"ab \xff\xe2\x82cd\xc3"), ["ab", " ", "\\xff", "\\xe2\\x82", "cd", "\\xc3"]);
    }
}
