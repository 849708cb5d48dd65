//! Text of a file.

use rekindle_formats::files::{self, Mapped};

use crate::origin::Origin;

/// So much of a file is looked at: bytes.
const HEAD: usize = 64 << 10;

/// A text cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// The file cannot be read, or is too long.
    #[error("{origin}: {source}")]
    Unreadable {
        /// The file.
        origin: Origin,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file has no bytes.
    #[error("{origin}: the file is empty; there is nothing to learn")]
    Empty {
        /// The file.
        origin: Origin,
    },
}

/// The bytes of a text file of at most `limit` bytes, read as they are used; see [`files::map`].
///
/// # Errors
/// When the file cannot be read, is longer, or is empty.
pub fn read_text(file: &str, limit: u64) -> Result<Mapped, TextError> {
    let origin = || Origin::File(file.to_owned());
    let bytes = files::map(file.as_ref(), limit)
        .map_err(|source| TextError::Unreadable { origin: origin(), source })?;
    if bytes.is_empty() { Err(TextError::Empty { origin: origin() }) } else { Ok(bytes) }
}

/// What is to be told of a file that is learnt as a text, though near its beginning it has a byte of 0, which
/// no text has: programs and pictures have such.
pub fn binary_notice(file: &str) -> Option<String> {
    let head = files::head(file.as_ref(), HEAD).ok()?;
    let offset = head.iter().position(|&byte| byte == 0)?;
    Some(format!(
        "{}: byte {offset} is 0, which no text has; the file is learnt byte by byte",
        Origin::File(file.to_owned())
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        files::write(file("text").as_ref(), b"abc").unwrap();
        files::write(file("empty").as_ref(), b"").unwrap();
        files::write(file("binary").as_ref(), b"ab\0c").unwrap();
        assert_eq!(&*read_text(&file("text"), 3).unwrap(), b"abc");
        let refused = |name: &str, limit| read_text(&file(name), limit).unwrap_err().to_string();
        assert!(refused("text", 2).contains("at most 2"), "{}", refused("text", 2));
        assert!(refused("empty", 2).ends_with("empty`: the file is empty; there is nothing to learn"));
        assert!(binary_notice(&file("binary")).unwrap().contains("binary`: byte 2 is 0"));
        assert_eq!(binary_notice(&file("text")), None);
        assert!(refused("missing", 2).contains("missing`: "), "{}", refused("missing", 2));
    }
}
