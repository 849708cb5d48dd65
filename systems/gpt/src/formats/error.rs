//! What can go wrong with model files.

use std::io;
use std::path::{Path, PathBuf};

use rekindle_tokenizer::TokenizerError;

use crate::model::network::NetworkError;

/// A model file cannot be read or written; the message is for people.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelFileError {
    /// The system refused.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is of no known kind.
    #[error("`{}` is not a model file that can be read: {known}", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// What can be read.
        known: &'static str,
    },
    /// The file is not what it claims to be.
    #[error("`{}` cannot be read: {location} is {found}, but {expected}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The entry or offset.
        location: String,
        /// What is there.
        found: String,
        /// What should be there.
        expected: String,
    },
    /// The file ends too early.
    #[error(
        "`{}` is torn: {location} needs {needed} bytes, but {left} are left; copy the file again from where it is whole",
        path.display()
    )]
    Torn {
        /// The file.
        path: PathBuf,
        /// The entry or offset.
        location: String,
        /// Bytes needed.
        needed: u64,
        /// Bytes left.
        left: u64,
    },
    /// The file is not as it was written.
    #[error(
        "`{}` is damaged: it says that its {kind} is {stated}, but it is {computed}; copy it again from where it is whole",
        path.display()
    )]
    Checksum {
        /// The file.
        path: PathBuf,
        /// The kind of checksum.
        kind: &'static str,
        /// What the file says.
        stated: String,
        /// What its content gives.
        computed: String,
    },
    /// A program newer than this wrote the file.
    #[error("`{}` is of version {found} of its format; the versions 1 to {newest} can be read", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// The newest that can be read.
        newest: u64,
    },
    /// The file asks for what this program does not do.
    #[error("`{}` has {found}, which is not supported: {supported}", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What it has.
        found: String,
        /// What it may have.
        supported: String,
    },
    /// Something that every such file has is not there.
    #[error("`{}` has no `{entry}`: {hint}", path.display())]
    Missing {
        /// The file or directory.
        path: PathBuf,
        /// What is missing.
        entry: String,
        /// What to do.
        hint: String,
    },
    /// The network in the file does not fit together.
    #[error("`{}` cannot be read: {source}", path.display())]
    Network {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        source: NetworkError,
    },
    /// The tokenizer in the file cannot be used.
    #[error("`{}` cannot be read: {source}", path.display())]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: TokenizerError,
    },
    /// The model has something that the format cannot hold.
    #[error("{format} cannot hold this model: {entry} {reason}")]
    Inexpressible {
        /// The format.
        format: &'static str,
        /// The array or setting.
        entry: String,
        /// What the format cannot hold, and what to do.
        reason: String,
    },
    /// The network does not fit together.
    #[error("the model cannot be written: {0}")]
    Invalid(#[from] NetworkError),
}

impl ModelFileError {
    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        Self::Io { action: "read", path: path.to_owned(), source }
    }

    pub(super) fn write(path: &Path, source: io::Error) -> Self {
        Self::Io { action: "write", path: path.to_owned(), source }
    }

    pub(crate) fn malformed(
        path: &Path,
        location: impl Into<String>,
        found: impl ToString,
        expected: impl Into<String>,
    ) -> Self {
        let (location, found, expected) = (location.into(), found.to_string(), expected.into());
        Self::Malformed { path: path.to_owned(), location, found, expected }
    }

    pub(super) fn unsupported(path: &Path, found: impl Into<String>, supported: impl Into<String>) -> Self {
        Self::Unsupported { path: path.to_owned(), found: found.into(), supported: supported.into() }
    }

    pub(super) fn missing(path: &Path, entry: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Missing { path: path.to_owned(), entry: entry.into(), hint: hint.into() }
    }

    pub(super) fn network(path: &Path, source: NetworkError) -> Self {
        Self::Network { path: path.to_owned(), source }
    }

    pub(super) fn inexpressible(
        format: &'static str,
        entry: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        Self::Inexpressible { format, entry: entry.into(), reason: reason.into() }
    }
}
