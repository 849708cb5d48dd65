//! TPTP in words.

use std::ops::Range;

use crate::syntax::{MOST_BYTES, Problem, SyntaxError};

/// A word of TPTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lexeme {
    /// A name of a predicate or function, without its quotes; numbers and distinct objects too.
    Name(String),
    /// A word that begins with a capital letter.
    Variable(String),
    /// A word that begins with `$`.
    Defined(String),
    /// Any other sign.
    Sign(&'static str),
}

/// A word and where it stands.
pub(super) struct Word {
    pub lexeme: Lexeme,
    pub span: Range<usize>,
}

/// Signs, longer ones before those that they begin with.
const SIGNS: [&str; 20] = [
    "<=>", "<~>", "=>", "<=", "~|", "~&", "!=", "(", ")", "[", "]", ",", ".", ":", "~", "&", "|", "!", "?",
    "=",
];

pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub fn words(mut self) -> Result<Vec<Word>, SyntaxError> {
        if self.text.len() > MOST_BYTES {
            let problem = Problem::TooMany { what: "bytes", found: self.text.len(), most: MOST_BYTES };
            return Err(SyntaxError::new(self.text, 0..0, problem));
        }
        let mut words = Vec::new();
        loop {
            self.skip()?;
            let begin = self.at;
            let Some(letter) = self.rest().chars().next() else { return Ok(words) };
            let lexeme = self.lexeme(letter)?;
            words.push(Word { lexeme, span: begin..self.at });
        }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Goes over spaces and comments.
    fn skip(&mut self) -> Result<(), SyntaxError> {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start().len();
            let rest = self.rest();
            if rest.starts_with('%') {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                let end = rest.find("*/").ok_or_else(|| self.error(2, Problem::Unclosed))?;
                self.at += end + 2;
            } else {
                return Ok(());
            }
        }
    }

    fn lexeme(&mut self, letter: char) -> Result<Lexeme, SyntaxError> {
        if letter == '\'' || letter == '"' {
            return self.quoted(letter);
        }
        if letter.is_ascii_alphanumeric() || letter == '$' {
            let rest = self.rest();
            let begin = rest.find(|letter| letter != '$').unwrap_or(rest.len());
            let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
            let length = rest[begin..].find(|letter| !is_part(letter)).unwrap_or(rest.len() - begin);
            let word = &rest[..begin + length];
            self.at += word.len();
            return Ok(match letter {
                '$' => Lexeme::Defined(word.to_owned()),
                letter if letter.is_ascii_uppercase() => Lexeme::Variable(word.to_owned()),
                _ => Lexeme::Name(word.to_owned()),
            });
        }
        match SIGNS.into_iter().find(|sign| self.rest().starts_with(sign)) {
            Some(sign) => {
                self.at += sign.len();
                Ok(Lexeme::Sign(sign))
            }
            None => Err(self.error(letter.len_utf8(), Problem::Character(letter))),
        }
    }

    /// A name in quotes. A distinct object keeps its own, so that it is no name that stands without.
    fn quoted(&mut self, quote: char) -> Result<Lexeme, SyntaxError> {
        let mut name = String::new();
        let mut letters = self.rest().char_indices().skip(1);
        while let Some((offset, letter)) = letters.next() {
            match letter {
                '\n' => break,
                '\\' => name.extend(letters.next().map(|(_, escaped)| escaped)),
                letter if letter == quote => {
                    self.at += offset + 1;
                    return Ok(Lexeme::Name(if quote == '"' { format!("\"{name}\"") } else { name }));
                }
                letter => name.push(letter),
            }
        }
        Err(self.error(1, Problem::Unclosed))
    }

    fn error(&self, bytes: usize, problem: Problem) -> SyntaxError {
        SyntaxError::new(self.text, self.at..self.at + bytes, problem)
    }
}
