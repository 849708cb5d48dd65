//! Kinds of characters, as the pre-tokenizers of the Hugging Face library tell them apart.
//!
//! The tables are those of one version of one crate, never those of the compiler, so that a text
//! has the same tokens whatever built the program.

use std::ops::RangeInclusive;

use unicode_general_category::{GeneralCategory, get_general_category};

/// What a pattern of byte-level tokenizers asks of a character.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// `\p{L}`
    Letter,
    /// `\p{N}`
    Number,
    /// `\s`
    Space,
    /// None of them.
    Other,
}

/// Tells letters, numbers and white space from all else.
pub(crate) fn kind(character: char) -> Kind {
    match character {
        'a'..='z' | 'A'..='Z' => Kind::Letter,
        '0'..='9' => Kind::Number,
        ' ' | '\t'..='\r' => Kind::Space,
        '\0'..='\x7f' => Kind::Other,
        // `White_Space` has not changed since Unicode 6.3, and will not.
        _ if character.is_whitespace() => Kind::Space,
        _ => kind_of_category(get_general_category(character)),
    }
}

fn kind_of_category(category: GeneralCategory) -> Kind {
    use GeneralCategory as G;
    match category {
        G::UppercaseLetter | G::LowercaseLetter | G::TitlecaseLetter | G::ModifierLetter | G::OtherLetter => {
            Kind::Letter
        }
        G::DecimalNumber | G::LetterNumber | G::OtherNumber => Kind::Number,
        _ => Kind::Other,
    }
}

/// `\w` of Unicode Technical Standard 18, annex C: alphabetic, mark, decimal number, connector or
/// join control.
pub(crate) fn is_word(character: char) -> bool {
    use GeneralCategory as G;
    if character.is_ascii() {
        return character.is_ascii_alphanumeric() || character == '_';
    }
    let category = get_general_category(character);
    match category {
        G::NonspacingMark | G::SpacingMark | G::EnclosingMark => true,
        G::DecimalNumber | G::LetterNumber | G::ConnectorPunctuation => true,
        // The only symbols that are alphabetic: letters in circles and squares.
        G::OtherSymbol => matches!(character,
            '\u{24b6}'..='\u{24e9}' | '\u{1f130}'..='\u{1f149}'
            | '\u{1f150}'..='\u{1f169}' | '\u{1f170}'..='\u{1f189}'),
        G::Format => matches!(character, '\u{200c}' | '\u{200d}'),
        _ => kind_of_category(category) == Kind::Letter,
    }
}

/// A punctuation mark of the BERT pre-tokenizer: visible ASCII that is no letter or number, and what
/// was punctuation in Unicode 8, of which the library has its table.
pub(crate) fn is_punctuation(character: char) -> bool {
    use GeneralCategory as G;
    if character.is_ascii() {
        return character.is_ascii_punctuation();
    }
    match get_general_category(character) {
        G::ConnectorPunctuation
        | G::DashPunctuation
        | G::OpenPunctuation
        | G::ClosePunctuation
        | G::InitialPunctuation
        | G::FinalPunctuation
        | G::OtherPunctuation => !LATER_PUNCTUATION.iter().any(|range| range.contains(&character)),
        // Two that have been moved to other categories since.
        _ => matches!(character, '\u{166d}' | '\u{111c9}'),
    }
}

/// A character that the BERT normalizer leaves out with `clean_text`: control, format and private
/// ones of Unicode 8, and the replacement character.
pub(crate) fn is_cleaned_away(character: char) -> bool {
    use GeneralCategory as G;
    match character {
        '\t' | '\n' | '\r' => false,
        ' '..='~' => false,
        '\u{fffd}' => true,
        // Format characters that came later.
        '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' => false,
        _ => matches!(get_general_category(character), G::Control | G::Format | G::PrivateUse),
    }
}

/// A Chinese character of the BERT normalizer.
pub(crate) fn is_ideograph(character: char) -> bool {
    matches!(character,
        '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{2a6df}' | '\u{2a700}'..='\u{2b81f}' | '\u{2b920}'..='\u{2ceaf}'
        | '\u{2f800}'..='\u{2fa1f}')
}

/// What became punctuation after Unicode 8.
const LATER_PUNCTUATION: &[RangeInclusive<char>] = &[
    '\u{61d}'..='\u{61d}',
    '\u{9fd}'..='\u{9fd}',
    '\u{a76}'..='\u{a76}',
    '\u{c77}'..='\u{c77}',
    '\u{c84}'..='\u{c84}',
    '\u{1b4e}'..='\u{1b4f}',
    '\u{1b7d}'..='\u{1b7f}',
    '\u{2e43}'..='\u{2e4f}',
    '\u{2e52}'..='\u{2e5d}',
    '\u{10d6e}'..='\u{10d6e}',
    '\u{10ead}'..='\u{10ead}',
    '\u{10f55}'..='\u{10f59}',
    '\u{10f86}'..='\u{10f89}',
    '\u{113d4}'..='\u{113d5}',
    '\u{113d7}'..='\u{113d8}',
    '\u{1144b}'..='\u{1144f}',
    '\u{1145a}'..='\u{1145b}',
    '\u{1145d}'..='\u{1145d}',
    '\u{11660}'..='\u{1166c}',
    '\u{116b9}'..='\u{116b9}',
    '\u{1183b}'..='\u{1183b}',
    '\u{11944}'..='\u{11946}',
    '\u{119e2}'..='\u{119e2}',
    '\u{11a3f}'..='\u{11a46}',
    '\u{11a9a}'..='\u{11a9c}',
    '\u{11a9e}'..='\u{11aa2}',
    '\u{11b00}'..='\u{11b09}',
    '\u{11be1}'..='\u{11be1}',
    '\u{11c41}'..='\u{11c45}',
    '\u{11c70}'..='\u{11c71}',
    '\u{11ef7}'..='\u{11ef8}',
    '\u{11f43}'..='\u{11f4f}',
    '\u{11fff}'..='\u{11fff}',
    '\u{12ff1}'..='\u{12ff2}',
    '\u{16d6d}'..='\u{16d6f}',
    '\u{16e97}'..='\u{16e9a}',
    '\u{16fe2}'..='\u{16fe2}',
    '\u{1e5ff}'..='\u{1e5ff}',
    '\u{1e95e}'..='\u{1e95f}',
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts of the characters beyond ASCII for which the library, in its version 0.23.3, says the
    /// same: another table would change the tokens of texts.
    #[test]
    fn the_tables_are_those_of_the_library() {
        let count = |holds: fn(char) -> bool| ('\u{80}'..=char::MAX).filter(|&c| holds(c)).count();
        assert_eq!(count(|c| kind(c) == Kind::Letter), 140_976);
        assert_eq!(count(|c| kind(c) == Kind::Number), 1_901);
        assert_eq!(count(|c| kind(c) == Kind::Space), 19);
        assert_eq!(count(is_word), 144_604);
        assert_eq!(count(is_punctuation), 694);
        assert_eq!(count(is_cleaned_away), 137_651);
        assert_eq!(count(is_ideograph), 81_264);
    }
}
