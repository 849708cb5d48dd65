//! Text of a file.

use rekindle_formats::files::{self, Mapped};

use crate::origin::Origin;

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
    /// The file holds something else.
    #[error("{origin}: byte {offset} is 0, which no text has; it is not a text file")]
    Binary {
        /// The file.
        origin: Origin,
        /// Where the first such byte is.
        offset: usize,
    },
}

/// The bytes of a text file of at most `limit` bytes, read as they are used; see [`files::map`].
///
/// # Errors
/// When the file cannot be read, is longer, is empty, or has a byte that no text has.
pub fn read_text(file: &str, limit: u64) -> Result<Mapped, TextError> {
    let origin = || Origin::File(file.to_owned());
    let bytes = files::map(file.as_ref(), limit)
        .map_err(|source| TextError::Unreadable { origin: origin(), source })?;
    check_text(&bytes, origin)?;
    Ok(bytes)
}

/// Refuses what cannot be learnt as a text. Its encoding does not matter; a byte of 0 tells programs, pictures
/// and other files that are no text.
///
/// # Errors
/// When there are no bytes, or one is 0.
pub fn check_text(bytes: &[u8], origin: impl Fn() -> Origin) -> Result<(), TextError> {
    if bytes.is_empty() {
        return Err(TextError::Empty { origin: origin() });
    }
    match bytes.iter().position(|&byte| byte == 0) {
        Some(offset) => Err(TextError::Binary { origin: origin(), offset }),
        None => Ok(()),
    }
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
        assert!(refused("binary", 9).contains("binary`: byte 2 is 0"), "{}", refused("binary", 9));
        assert!(refused("missing", 2).contains("missing`: "), "{}", refused("missing", 2));
    }
}
