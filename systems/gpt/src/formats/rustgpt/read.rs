//! Reading the files of RustGPT, of whatever kind.

use std::collections::HashSet;
use std::path::Path;

use rekindle_formats::files;

use super::super::error::ModelFileError;
use super::super::{Imported, LENGTH_LIMIT};
use super::record::Model;
use super::{bincode, container, import, json};

/// So many words of a vocabulary must be there to tell a bincode file.
const WORDS_TO_TELL: usize = 3;

/// Reads a file: JSON, bincode, or either of them in a container. Which it is, its content says.
///
/// # Errors
/// When it cannot be read, contradicts itself, has a layer that is not known here (it is named) or
/// a number that is not finite (its array is named), or does not have the checksum that it says.
pub fn read(path: &Path) -> Result<Imported, ModelFileError> {
    let bytes = files::read(path, LENGTH_LIMIT).map_err(|error| ModelFileError::read(path, error))?;
    let mut warnings = Vec::new();
    let model = if is_container(&bytes) {
        let content = container::open(path, &bytes)?;
        drop(bytes);
        parse(path, &content.model, content.is_json)
            .map_err(|error| in_container(error, &content.architecture))?
    } else {
        warnings
            .push("the file carries no checksum: that it is as it was written cannot be checked".to_owned());
        parse(path, &bytes, is_json(&bytes))?
    };
    import::into_network(path, model, warnings)
}

fn parse(path: &Path, bytes: &[u8], is_json: bool) -> Result<Model, ModelFileError> {
    if is_json { json::read(path, bytes) } else { bincode::read(path, bytes) }
}

/// Later versions have other layers under the same numbers, so that bincode may be read wrongly.
fn in_container(error: ModelFileError, architecture: &str) -> ModelFileError {
    match error {
        ModelFileError::Malformed { path, location, found, expected } => {
            let expected = format!(
                "{expected}; the container is of a later version, and says that its architecture is `{architecture}`"
            );
            ModelFileError::Malformed { path, location, found, expected }
        }
        ModelFileError::Unsupported { path, found, supported } => {
            let found = format!("{found}, of the architecture `{architecture}`");
            ModelFileError::Unsupported { path, found, supported }
        }
        other => other,
    }
}

/// Checks that the maps between words and tokens say what the list of words does.
pub(super) fn check_vocabulary<'a>(
    path: &Path,
    words: &[String],
    encode: impl ExactSizeIterator<Item = (&'a str, u64)>,
    decode: impl ExactSizeIterator<Item = (&'a str, u64)>,
) -> Result<(), ModelFileError> {
    check_pairs(path, "vocab.encode", words, encode)?;
    check_pairs(path, "vocab.decode", words, decode)
}

fn check_pairs<'a>(
    path: &Path,
    name: &str,
    words: &[String],
    mut pairs: impl ExactSizeIterator<Item = (&'a str, u64)>,
) -> Result<(), ModelFileError> {
    let expected = "`vocab.words` says otherwise; the file was changed";
    if pairs.len() != words.len() {
        let found = format!("{} words for {}", pairs.len(), words.len());
        return Err(ModelFileError::malformed(path, name, found, expected));
    }
    let is_other = |&(word, token): &(&str, u64)| {
        usize::try_from(token).ok().and_then(|token| words.get(token)).is_none_or(|known| known != word)
    };
    match pairs.find(is_other) {
        None => Ok(()),
        Some((word, token)) => {
            Err(ModelFileError::malformed(path, name, format!("`{word}` for token {token}"), expected))
        }
    }
}

/// True for the first bytes of a model as JSON.
pub(in super::super) fn is_json(head: &[u8]) -> bool {
    begins_with_member(head, "\"vocab\"")
}

/// True for the first bytes of a container.
pub(in super::super) fn is_container(head: &[u8]) -> bool {
    let is_whole = |text: &[u8]| text.trim_ascii_start().starts_with(b":");
    let inside = inside(head);
    inside.and_then(|inside| inside.strip_prefix(b"\"version\"")).is_some_and(is_whole)
}

fn begins_with_member(head: &[u8], member: &str) -> bool {
    inside(head).is_some_and(|inside| inside.starts_with(member.as_bytes()))
}

fn inside(head: &[u8]) -> Option<&[u8]> {
    head.trim_ascii_start().strip_prefix(b"{").map(<[u8]>::trim_ascii_start)
}

/// True when the first bytes can be a vocabulary in bincode, which has no mark of its own: as far
/// as they go, words without white space, each with a token of its own below their number.
pub(in super::super) fn is_binary(head: &[u8]) -> bool {
    let mut head = head;
    let Some(count) = whole(&mut head).filter(|&count| count > 0) else { return false };
    let mut tokens = HashSet::new();
    while tokens.len() < count {
        let word = whole(&mut head).and_then(|len| head.split_at_checked(len));
        let Some((word, rest)) = word else { break };
        head = rest;
        let text = str::from_utf8(word).ok();
        if text.is_none_or(|text| {
            text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control())
        }) {
            return false;
        }
        match whole(&mut head) {
            Some(token) if token < count && tokens.insert(token) => {}
            Some(_) => return false,
            None => break,
        }
    }
    tokens.len() >= count.min(WORDS_TO_TELL)
}

/// A whole number at the front, as bincode has it.
fn whole(head: &mut &[u8]) -> Option<usize> {
    let (&first, rest) = head.split_first()?;
    let (number, rest) = match first {
        0..251 => (first.into(), rest),
        251 => rest.split_first_chunk().map(|(bytes, rest)| (u16::from_le_bytes(*bytes).into(), rest))?,
        252 => rest.split_first_chunk().map(|(bytes, rest)| (u32::from_le_bytes(*bytes) as usize, rest))?,
        _ => return None,
    };
    *head = rest;
    Some(number)
}
