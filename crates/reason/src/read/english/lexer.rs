//! Sentences in words.

use std::ops::Range;

use crate::syntax::{MOST_BYTES, Problem, SyntaxError};

/// Words and commas up to a full stop or question mark, and where each stands.
pub(super) struct Sentence<'a> {
    pub words: Vec<(&'a str, Range<usize>)>,
    /// Where the stop stands.
    stop: usize,
}

/// Sentences have so many words at most.
const MOST_WORDS: usize = 1000;

impl Sentence<'_> {
    /// All of it.
    pub fn span(&self) -> Range<usize> {
        self.words.first().map_or(self.stop, |(_, span)| span.start)..self.stop
    }

    /// The stop.
    pub fn end(&self) -> Range<usize> {
        self.stop..self.stop + 1
    }
}

/// The sentences of a text.
pub(super) fn sentences(text: &str) -> Result<Vec<Sentence<'_>>, SyntaxError> {
    if text.len() > MOST_BYTES {
        let problem = Problem::TooMany { what: "bytes", found: text.len(), most: MOST_BYTES };
        return Err(SyntaxError::new(text, 0..0, problem));
    }
    let mut sentences = Vec::new();
    let mut words: Vec<(&str, Range<usize>)> = Vec::new();
    let mut at = 0;
    while let Some(letter) = text[at..].chars().next() {
        let begin = at;
        at += letter.len_utf8();
        match letter {
            '.' | '?' if !words.is_empty() => {
                sentences.push(Sentence { words: std::mem::take(&mut words), stop: begin });
            }
            '#' if text[..begin].trim_end_matches([' ', '\t']).is_empty()
                || text[..begin].trim_end_matches([' ', '\t']).ends_with('\n') =>
            {
                at = text[begin..].find('\n').map_or(text.len(), |end| begin + end);
            }
            ',' => words.push((",", begin..at)),
            letter if letter.is_whitespace() => {}
            letter if is_word(letter) => {
                at += text[at..].find(|letter| !is_word(letter)).unwrap_or(text.len() - at);
                words.push((&text[begin..at], begin..at));
            }
            letter => return Err(SyntaxError::new(text, begin..at, Problem::Character(letter))),
        }
        if words.len() > MOST_WORDS {
            let problem =
                Problem::TooMany { what: "words in a sentence", found: words.len(), most: MOST_WORDS };
            return Err(SyntaxError::new(text, begin..at, problem));
        }
    }
    if words.is_empty() {
        return Ok(sentences);
    }
    let problem = Problem::Unexpected { expected: "`.` or `?`".to_owned(), found: "the end".to_owned() };
    let end = text.trim_end().len();
    Err(SyntaxError::new(text, end..end, problem))
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}
