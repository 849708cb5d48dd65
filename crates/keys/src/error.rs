//! What can go wrong with keys. No error contains a secret, or input that may be one.

use std::path::{Path, PathBuf};

/// A key cannot be made, read or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The system refused to read or write a file.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file that a secret should be written to exists.
    #[error("`{}` exists, and a file with a secret is never overwritten", .0.display())]
    Exists(PathBuf),
    /// The content of a file cannot be used.
    #[error("`{}` cannot be used: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with its content.
        reason: Box<KeyError>,
    },
    /// A line of a list cannot be used.
    #[error("line {number}: {reason}")]
    Line {
        /// The line, counted from 1.
        number: usize,
        /// What is wrong with it.
        reason: Box<KeyError>,
    },
    /// A file is longer than any that is meant to be read.
    #[error("it is longer than {} KiB", .0 / 1024)]
    TooLong(usize),
    /// A file is not UTF-8 text.
    #[error("it is not UTF-8 text")]
    NotText,
    /// The system has no random bytes to give.
    #[error("the system gave no random bytes: {0}")]
    Random(#[source] getrandom::Error),

    /// A text is no recipient that is supported.
    #[error("this is not an age recipient: {0}")]
    Recipient(&'static str),
    /// A text is no identity that is supported.
    #[error("this is not an age identity: {0}")]
    Identity(&'static str),
    /// A key was to be wrapped to nobody.
    #[error("there is no recipient to encrypt to")]
    NoRecipient,
    /// A list of identities is empty.
    #[error("there is no age identity in it")]
    NoIdentity,

    /// A passphrase is needed and an identity was given.
    #[error("the key is wrapped with a passphrase, so an identity cannot unlock it")]
    NeedsPassphrase,
    /// An identity is needed and a passphrase was given.
    #[error("the key is wrapped to recipients, so only an identity can unlock it, not a passphrase")]
    NeedsIdentity,
    /// The passphrase unlocks nothing. A damaged file can look the same.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// No identity unlocks the key. A damaged file can look the same.
    #[error("the key is not wrapped to any of the identities given")]
    NoMatchingIdentity,
    /// Trying the passphrase would cost more than is ever asked for in good faith.
    #[error("the work factor is 2^{found}, and more than 2^{max} is refused")]
    ExcessiveWork {
        /// The binary logarithm of the work factor.
        found: u8,
        /// The binary logarithm of the largest that is accepted.
        max: u8,
    },
    /// The wrapped key is not what was written.
    #[error("the wrapped key is damaged: {0}")]
    Damaged(&'static str),

    /// The passphrase is empty.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// The passphrase has a line break inside.
    #[error("the passphrase has more than one line")]
    LongPassphrase,
    /// The two passphrases typed are not the same.
    #[error("the two passphrases differ")]
    PassphrasesDiffer,
    /// There is nobody to ask.
    #[error("there is no terminal to ask for the passphrase on")]
    NoTerminal,
    /// The terminal failed.
    #[error("cannot ask for the passphrase: {0}")]
    Terminal(#[source] std::io::Error),
    /// The environment variable is not set, or is not text.
    #[error("the environment variable `{name}` is {problem}")]
    Environment {
        /// The variable.
        name: String,
        /// `not set` or `not UTF-8 text`.
        problem: &'static str,
    },

    /// A text is no private key that is supported.
    #[error("this is not an unencrypted ed25519 private key in PEM (PKCS#8)")]
    SigningKey,
    /// A text is no public key that is supported.
    #[error("this is not an ed25519 public key: {0}")]
    PublicKey(&'static str),
    /// A text is no signature.
    #[error("this is not a signature, which has 128 hex digits")]
    Signature,
    /// The signature is not one of this message by this key.
    #[error("the signature does not match")]
    BadSignature,
}

impl KeyError {
    pub(crate) fn read(path: &Path, source: std::io::Error) -> Self {
        Self::Io { action: "read", path: path.to_owned(), source }
    }

    pub(crate) fn write(path: &Path, source: std::io::Error) -> Self {
        Self::Io { action: "write", path: path.to_owned(), source }
    }

    pub(crate) fn in_file(self, path: &Path) -> Self {
        Self::File { path: path.to_owned(), reason: Box::new(self) }
    }
}
