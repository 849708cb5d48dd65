//! Kinds of characters, as the pre-tokenizers of the Hugging Face library tell them apart.
//!
//! The tables are those of one version of one crate, never those of the compiler, so that a text
//! has the same tokens whatever built the program.

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

/// A punctuation mark of the BERT pre-tokenizer: ASCII that is no letter, number or space, and the
/// punctuation of Unicode.
pub(crate) fn is_punctuation(character: char) -> bool {
    use GeneralCategory as G;
    if character.is_ascii() {
        return character.is_ascii_punctuation();
    }
    matches!(
        get_general_category(character),
        G::ConnectorPunctuation
            | G::DashPunctuation
            | G::OpenPunctuation
            | G::ClosePunctuation
            | G::InitialPunctuation
            | G::FinalPunctuation
            | G::OtherPunctuation
    )
}
