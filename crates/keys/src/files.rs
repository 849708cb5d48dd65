//! Small files of the user's that hold keys: the only place here where the file system is touched.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "this is where the user's key files are"
)]

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use zeroize::Zeroizing;

use crate::error::KeyError;

/// The longest file, or wrapped key, that is read.
pub const MAX_FILE_LEN: usize = 64 * 1024;

/// What `parse` makes of the text in the file at `path`, which is overwritten in memory afterwards.
///
/// ```no_run
/// use std::path::Path;
/// use rekindle_keys::{Identities, PublicKey, Recipient, SigningKey, read_file};
///
/// # fn main() -> Result<(), rekindle_keys::KeyError> {
/// let identities = read_file(Path::new("identity.txt"), Identities::parse)?;
/// let recipients = read_file(Path::new("recipients.txt"), Recipient::parse_list)?;
/// let signer = read_file(Path::new("signing.pem"), SigningKey::from_pem)?;
/// let signed_by = read_file(Path::new("signing.pub"), str::parse::<PublicKey>)?;
/// # Ok(())
/// # }
/// ```
pub fn read_file<T>(path: &Path, parse: impl FnOnce(&str) -> Result<T, KeyError>) -> Result<T, KeyError> {
    let bytes = read_bounded(path).map_err(|source| KeyError::read(path, source))?;
    parse_bytes(&bytes, parse).map_err(|error| error.in_file(path))
}

fn parse_bytes<T>(bytes: &[u8], parse: impl FnOnce(&str) -> Result<T, KeyError>) -> Result<T, KeyError> {
    if bytes.len() > MAX_FILE_LEN {
        return Err(KeyError::TooLong(MAX_FILE_LEN));
    }
    parse(std::str::from_utf8(bytes).map_err(|_| KeyError::NotText)?)
}

/// The file, or its first `MAX_FILE_LEN + 1` bytes. The buffer never grows, which would leave a copy.
fn read_bounded(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let limit = MAX_FILE_LEN + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit));
    File::open(path)?.take(limit as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes `secret` durably to a new file at `path` that, on Unix, only its owner can read and write.
///
/// A file that exists is never replaced, as the secret in it may have no other copy. One that cannot
/// be written in full is removed.
pub fn write_secret(path: &Path, secret: &str) -> Result<(), KeyError> {
    let file = create_private(path).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => KeyError::Exists(path.to_owned()),
        _ => KeyError::write(path, source),
    })?;
    write_durably(file, secret, path).map_err(|source| {
        // The first error is the one to tell; what is left behind then holds no whole secret.
        let _ = std::fs::remove_file(path);
        KeyError::write(path, source)
    })
}

fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn write_durably(mut file: File, secret: &str, path: &Path) -> io::Result<()> {
    file.write_all(secret.as_bytes())?;
    file.sync_all()?;
    sync_directory_of(path)
}

/// On Windows a directory cannot be synced; NTFS journals the creation by itself.
fn sync_directory_of(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_is_private_and_never_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        write_secret(&path, "first\n").unwrap();
        assert!(matches!(write_secret(&path, "second\n"), Err(KeyError::Exists(_))));
        assert_eq!(read_file(&path, |text| Ok(text.to_owned())).unwrap(), "first\n");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn long_and_binary_files_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let reason = |content: &[u8]| {
            std::fs::write(&path, content).unwrap();
            match read_file(&path, |text| Ok(text.len())) {
                Err(KeyError::File { reason, .. }) => Err(*reason),
                Err(other) => panic!("{other}"),
                Ok(len) => Ok(len),
            }
        };
        assert_eq!(reason(&[b'a'; MAX_FILE_LEN]).unwrap(), MAX_FILE_LEN);
        assert!(matches!(reason(&[b'a'; MAX_FILE_LEN + 1]), Err(KeyError::TooLong(_))));
        assert!(matches!(reason(b"\xff"), Err(KeyError::NotText)));
        let missing = read_file(&directory.path().join("none"), |_| Ok(()));
        assert!(matches!(missing, Err(KeyError::Io { action: "read", .. })));
    }
}
