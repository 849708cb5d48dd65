//! Expressions in brackets.

use std::ops::Range;

use crate::syntax::{MOST_BYTES, MOST_DEPTH, Problem, SyntaxError};

/// A symbol or a list, and where it stands.
pub(super) struct Sexpr {
    pub shape: Shape,
    pub span: Range<usize>,
}

pub(super) enum Shape {
    /// A symbol, number, keyword or string; a symbol without its bars.
    Symbol(String),
    List(Vec<Sexpr>),
}

/// Lists are so many levels deep at most: `let` and its bindings take three for a formula of one.
const MOST_LEVELS: usize = 4 * MOST_DEPTH;

/// The expressions of a text.
pub(super) fn expressions(text: &str) -> Result<Vec<Sexpr>, SyntaxError> {
    if text.len() > MOST_BYTES {
        let problem = Problem::TooMany { what: "bytes", found: text.len(), most: MOST_BYTES };
        return Err(SyntaxError::new(text, 0..0, problem));
    }
    // The outermost level holds the commands.
    let mut open: Vec<(usize, Vec<Sexpr>)> = vec![(0, Vec::new())];
    let mut at = 0;
    while let Some(letter) = text[at..].chars().next() {
        let begin = at;
        at += letter.len_utf8();
        match letter {
            '(' if open.len() > MOST_LEVELS => {
                return Err(SyntaxError::new(text, begin..at, Problem::TooDeep { most: MOST_DEPTH }));
            }
            '(' => open.push((begin, Vec::new())),
            ')' => match (open.pop(), open.last_mut()) {
                (Some((first, parts)), Some((_, around))) => {
                    around.push(Sexpr { shape: Shape::List(parts), span: first..at });
                }
                _ => {
                    let problem =
                        Problem::Unexpected { expected: "a command".to_owned(), found: "`)`".to_owned() };
                    return Err(SyntaxError::new(text, begin..at, problem));
                }
            },
            ';' => at = text[begin..].find('\n').map_or(text.len(), |end| begin + end),
            letter if letter.is_whitespace() => {}
            letter => {
                let name = symbol(text, letter, begin, &mut at)?;
                if let Some((_, around)) = open.last_mut() {
                    around.push(Sexpr { shape: Shape::Symbol(name), span: begin..at });
                }
            }
        }
    }
    match (open.pop(), open.is_empty()) {
        (Some((_, commands)), true) => Ok(commands),
        (unclosed, _) => {
            let begin = unclosed.map_or(0, |(begin, _)| begin);
            Err(SyntaxError::new(text, begin..begin + 1, Problem::OpenBracket))
        }
    }
}

fn symbol(text: &str, letter: char, begin: usize, at: &mut usize) -> Result<String, SyntaxError> {
    if letter == '|' || letter == '"' {
        let length =
            text[*at..].find(letter).ok_or_else(|| SyntaxError::new(text, begin..*at, Problem::Unclosed))?;
        let name = text[*at..*at + length].to_owned();
        *at += length + 1;
        return Ok(name);
    }
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || "~!@$%^&*_-+=<>.?/:#".contains(letter);
    if !is_part(letter) {
        return Err(SyntaxError::new(text, begin..*at, Problem::Character(letter)));
    }
    *at += text[*at..].find(|letter| !is_part(letter)).unwrap_or(text.len() - *at);
    Ok(text[begin..*at].to_owned())
}
