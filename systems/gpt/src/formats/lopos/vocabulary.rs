//! The words of LoopOS: a text file of its own.
//!
//! Some lines of comments and counts, a line `---`, then a line for each word: its token, a tab, and
//! the word. Tokens 0 to 5 are `<pad>`, `<unk>`, `<bos>`, `<eos>`, `<|user|>`, `<|assistant|>`.

use std::fmt::Write;
use std::path::Path;

use rekindle_formats::files;
use rekindle_tokenizer::VOCABULARY_LIMIT;

use super::super::error::ModelFileError;
use super::FORMAT;

/// A file is never longer: bytes.
const LENGTH_LIMIT: u64 = 1 << 30;

/// Reads the words, by the number of their token.
///
/// # Errors
/// When the file cannot be read, or a token is missing, twice there, or beyond the limit.
pub fn read_vocabulary(path: &Path) -> Result<Vec<String>, ModelFileError> {
    let text = files::read_text(path, LENGTH_LIMIT).map_err(|error| ModelFileError::read(path, error))?;
    let mut lines = text.lines().enumerate();
    let stated = stated_size(path, &mut lines)?;
    // Tokens may come in any order, but there is a line for each.
    let most = VOCABULARY_LIMIT.min(text.lines().count());
    let words = listed_words(path, lines, most)?;
    match stated {
        Some(stated) if stated != words.len() => {
            let expected = format!("`vocab_size` says {stated}; the file is torn or was changed");
            Err(ModelFileError::malformed(path, "the list", format!("{} words", words.len()), expected))
        }
        _ => Ok(words),
    }
}

fn malformed_line(path: &Path, line: usize, found: String, expected: &str) -> ModelFileError {
    ModelFileError::malformed(path, format!("line {}", line + 1), found, expected)
}

/// The number of words that the lines up to `---` state, if they do.
fn stated_size<'a>(
    path: &Path,
    lines: &mut impl Iterator<Item = (usize, &'a str)>,
) -> Result<Option<usize>, ModelFileError> {
    let mut stated = None;
    for (number, line) in lines {
        if line == "---" {
            return Ok(stated);
        }
        if let Some(size) = line.strip_prefix("vocab_size=") {
            let size = size.trim().parse::<usize>();
            let wrong = |_| malformed_line(path, number, format!("`{line}`"), "a number must follow");
            stated = Some(size.map_err(wrong)?);
        }
    }
    let found = "without a line `---` behind it".to_owned();
    Err(malformed_line(path, 0, found, "words stand behind one"))
}

/// The words of the lines, by the number of their token, which is below `most`.
fn listed_words<'a>(
    path: &Path,
    lines: impl Iterator<Item = (usize, &'a str)>,
    most: usize,
) -> Result<Vec<String>, ModelFileError> {
    let malformed =
        |line: usize, found: String, expected: &str| Err(malformed_line(path, line, found, expected));
    let mut words: Vec<Option<String>> = Vec::new();
    for (number, line) in lines.filter(|(_, line)| !line.is_empty()) {
        let pair = line.split_once('\t').map(|(token, word)| (token.parse::<usize>(), word));
        let Some((Ok(token), word)) = pair else {
            return malformed(number, format!("`{line}`"), "a number, a tab and a word are needed");
        };
        if token >= most {
            return malformed(number, format!("token {token}"), "there are not so many");
        }
        if words.len() <= token {
            words.resize(token + 1, None);
        }
        if words[token].replace(word.to_owned()).is_some() {
            return malformed(number, format!("token {token}"), "that one was there before");
        }
    }
    if let Some(token) = words.iter().position(Option::is_none) {
        let expected = "all tokens below the largest must be there";
        return Err(ModelFileError::malformed(path, format!("token {token}"), "missing", expected));
    }
    Ok(words.into_iter().flatten().collect())
}

/// Writes words, by the number of their token.
///
/// # Errors
/// When a word has a character that ends lines or words, or the file cannot be written.
pub fn write_vocabulary(path: &Path, words: &[String]) -> Result<(), ModelFileError> {
    if let Some(token) = words.iter().position(|word| word.is_empty() || word.contains(['\t', '\n', '\r'])) {
        let reason = "is empty or has a tab or a line break";
        return Err(ModelFileError::inexpressible(FORMAT, format!("the word of token {token}"), reason));
    }
    let count = words.len();
    let mut text = format!(
        "# Tokenizer Vocabulary\n# Format: token_id word frequency\nvocab_size={count}\nnext_id={count}\ntotal_tokens=0\n---\n"
    );
    for (token, word) in words.iter().enumerate() {
        // Cannot fail: the text takes everything.
        let _ = writeln!(text, "{token}\t{word}");
    }
    files::write(path, text.as_bytes()).map_err(|error| ModelFileError::write(path, error))
}
