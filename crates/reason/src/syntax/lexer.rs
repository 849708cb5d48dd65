//! A text in tokens.

use std::fmt;
use std::ops::Range;

use super::error::{Problem, SyntaxError};
use crate::symbols::{RESERVED, Symbol};

/// Texts of more bytes are not read.
pub const MOST_BYTES: usize = 64 << 20;

/// A word of the syntax.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// One with a meaning of its own.
    Symbol(Symbol),
    /// `true` or `false`.
    Truth(bool),
    /// A comma.
    Comma,
    /// A name or number, with what a quoted one stands for.
    Name(String),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Symbol(symbol) => write!(f, "`{}`", symbol.ascii()),
            Self::Truth(value) => write!(f, "`{value}`"),
            Self::Comma => f.write_str("`,`"),
            Self::Name(name) => write!(f, "`{name}`"),
        }
    }
}

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned {
    /// The token.
    pub token: Token,
    /// Its bytes.
    pub span: Range<usize>,
}

/// The tokens of a text. Spaces, ends of lines and comments are none.
///
/// # Errors
/// A character that begins no token, a quote that is not closed, or a text that is too long.
pub fn tokens(text: &str) -> Result<Vec<Spanned>, SyntaxError> {
    if text.len() > MOST_BYTES {
        let problem = Problem::TooMany { what: "bytes", found: text.len(), most: MOST_BYTES };
        return Err(SyntaxError::new(text, 0..0, problem));
    }
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(letter) = text[at..].chars().next() {
        let begin = at;
        if letter.is_whitespace() {
            at += letter.len_utf8();
            continue;
        }
        if letter == '#' {
            at += text[at..].find('\n').unwrap_or(text.len() - at);
            continue;
        }
        let token = token(text, &mut at)?;
        tokens.push(Spanned { token, span: begin..at });
    }
    Ok(tokens)
}

/// The token at a byte, which is moved behind it.
fn token(text: &str, at: &mut usize) -> Result<Token, SyntaxError> {
    let rest = &text[*at..];
    let letter = rest.chars().next().unwrap_or_default();
    if letter == '\'' {
        return quoted(text, at);
    }
    if letter == ',' {
        *at += 1;
        return Ok(Token::Comma);
    }
    if is_name_letter(letter) {
        let length = rest.find(|letter| !is_name_letter(letter) && letter != '\'').unwrap_or(rest.len());
        let word = &rest[..length];
        *at += length;
        return Ok(word_token(word));
    }
    let spellings =
        RESERVED.iter().flat_map(|entry| entry.spellings().map(|spelling| (spelling, entry.symbol)));
    let longest = spellings
        .filter(|(spelling, _)| rest.starts_with(spelling))
        .max_by_key(|(spelling, _)| spelling.len());
    match longest {
        Some((spelling, symbol)) => {
            *at += spelling.len();
            Ok(Token::Symbol(symbol))
        }
        None => Err(SyntaxError::new(text, *at..*at + letter.len_utf8(), Problem::Character(letter))),
    }
}

fn word_token(word: &str) -> Token {
    match word {
        "true" => Token::Truth(true),
        "false" => Token::Truth(false),
        _ => match Symbol::of_word(word) {
            Some(symbol) => Token::Symbol(symbol),
            None => Token::Name(word.to_owned()),
        },
    }
}

fn quoted(text: &str, at: &mut usize) -> Result<Token, SyntaxError> {
    let begin = *at;
    let mut name = String::new();
    let mut letters = text[begin + 1..].char_indices();
    while let Some((offset, letter)) = letters.next() {
        match letter {
            '\'' => {
                *at = begin + 1 + offset + 1;
                return Ok(Token::Name(name));
            }
            '\n' => break,
            '\\' => match letters.next() {
                Some((_, escaped @ ('\'' | '\\'))) => name.push(escaped),
                Some((_, 'n')) => name.push('\n'),
                _ => break,
            },
            _ => name.push(letter),
        }
    }
    Err(SyntaxError::new(text, begin..begin + 1, Problem::Unclosed))
}

pub(super) fn is_name_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_the_same_tokens() {
        let of = |text| tokens(text).unwrap().into_iter().map(|spanned| spanned.token).collect::<Vec<_>>();
        assert_eq!(of("forall x. p(x) and ~q => r <=> 1 > 0"), of("∀x. p(x) ∧ ¬ q → r ↔ 1 > 0"));
        assert_eq!(of("exists y. a subset y | b -> c <-> d"), of("∃y. a ⊆ y ∨ b → c ↔ d"));
        assert_eq!(of("(lambda x. p(x))(a) # not read"), of("(λx.p(x))(a)"));
        assert_eq!(of(r"'it\'s \\ me'"), [Token::Name(r"it's \ me".to_owned())]);
    }

    #[test]
    fn what_is_no_token_is_told_with_its_place() {
        let error = tokens("p and\n q ? r").unwrap_err();
        assert_eq!(error.to_string(), "line 2, column 4: the character '?' begins nothing that is known");
        let error = tokens("¬'open").unwrap_err();
        assert_eq!(error.to_string(), "line 1, column 2: the quote is not closed in its line");
    }
}
