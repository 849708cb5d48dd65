//! What a token opens, closes and ends.

/// The brackets of a token that have no partner in it, those that close before those that open, and whether it
/// ends a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Brackets {
    /// Brackets that it closes, at most seven.
    pub closes: u8,
    /// Brackets that it opens, at most seven.
    pub opens: u8,
    /// It ends a sentence, where no bracket is open.
    pub ends: bool,
}

/// The most brackets of a kind that are counted.
const MOST: u8 = 7;

impl Brackets {
    /// A token that only ends a sentence.
    pub const END: Self = Self { closes: 0, opens: 0, ends: true };

    /// Those of a token with these bytes. Sentences end with `.`, `!`, `?`, `;` or a line break.
    pub fn of(bytes: &[u8]) -> Self {
        let mut brackets = Self::default();
        for byte in bytes {
            match byte {
                b'(' | b'[' | b'{' => brackets.opens = (brackets.opens + 1).min(MOST),
                b')' | b']' | b'}' if brackets.opens > 0 => brackets.opens -= 1,
                b')' | b']' | b'}' => brackets.closes = (brackets.closes + 1).min(MOST),
                _ => {}
            }
        }
        let last = bytes.iter().rfind(|byte| !matches!(byte, b' ' | b'\t'));
        brackets.ends = matches!(last, Some(b'.' | b'!' | b'?' | b';' | b'\n' | b'\r'));
        brackets
    }

    /// As a state holds them: three bits for each number of brackets, then one for the end.
    pub(super) fn to_bits(self) -> u8 {
        self.closes | self.opens << 3 | u8::from(self.ends) << 6
    }

    pub(super) fn from_bits(bits: u8) -> Self {
        Self { closes: bits & MOST, opens: bits >> 3 & MOST, ends: bits >> 6 & 1 == 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_with_a_partner_do_not_count() {
        let of = |text: &str| {
            let Brackets { closes, opens, ends } = Brackets::of(text.as_bytes());
            (closes, opens, ends)
        };
        assert_eq!(of(" word"), (0, 0, false));
        assert_eq!(of(" ("), (0, 1, false));
        assert_eq!(of("()"), (0, 0, false));
        assert_eq!(of(")) ["), (2, 1, false));
        assert_eq!(of("))."), (2, 0, true));
        assert_eq!(of(".\n "), (0, 0, true));
        assert_eq!(of(&"(".repeat(9)), (0, 7, false));
    }

    #[test]
    fn bits_hold_them() {
        for brackets in [Brackets::default(), Brackets::END, Brackets { closes: 7, opens: 5, ends: true }] {
            assert_eq!(Brackets::from_bits(brackets.to_bits()), brackets);
        }
    }
}
