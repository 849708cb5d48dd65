//! What a foreign file holds, and what can go wrong with it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use rekindle::records::{About, Row};
use rekindle::{Checkpoint, ReadError, Tree};

/// The content of a file, as far as it can be carried over.
#[derive(Debug, Clone)]
pub struct Document<T = Tree> {
    /// The state.
    pub tree: T,
    /// Its step; 0 where the file does not say.
    pub step: u64,
    /// Everything about the state that the file says.
    pub about: About,
    /// The metrics history.
    pub history: Vec<Row>,
    /// What could not be carried over, in words.
    pub warnings: Vec<String>,
}

/// What a file of ours says about its state, beside the state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Header {
    pub step: u64,
    pub state_hash: rekindle::Hash,
    #[serde(flatten)]
    pub about: About,
    pub history: Vec<Row>,
}

impl Header {
    pub fn of(checkpoint: &Checkpoint<'_>) -> Self {
        let record = checkpoint.record();
        Self {
            step: record.step,
            state_hash: record.state_hash,
            about: record.about.clone(),
            history: checkpoint.history().0,
        }
    }

    /// The document of this header and the state that came with it, whose hash is checked.
    pub fn into_document(self, path: &Path, tree: Tree) -> Result<Document, FormatError> {
        if rekindle::tree::state_hash(&tree) != self.state_hash {
            return Err(FormatError::malformed(path, "the state does not have the hash that the file says"));
        }
        let Self { step, about, history, .. } = self;
        Ok(Document { tree, step, about, history, warnings: Vec::new() })
    }
}

/// A file cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The system refused.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not what it claims to be.
    #[error("`{}` cannot be read: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// No format is known whose files begin like this.
    #[error("`{}` is of no known format; known are: {}", path.display(), known.join(", "))]
    Unknown {
        /// The file.
        path: PathBuf,
        /// The names of all formats that can be read.
        known: Vec<&'static str>,
    },
    /// The name of the file does not say which format to write.
    #[error("cannot tell the format of `{}` from its name; it can end in: {}", path.display(), known.join(", "))]
    UnknownExtension {
        /// The file.
        path: PathBuf,
        /// The endings of all formats that can be written.
        known: Vec<&'static str>,
    },
    /// The state has something that the format cannot hold.
    #[error("`{}` cannot be written: {reason}", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What the format cannot hold.
        reason: String,
    },
    /// A format's own refusal, which names the file.
    #[error("{0}")]
    Refused(String),
    /// The checkpoint cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The checkpoint cannot be copied.
    #[error(transparent)]
    Save(#[from] rekindle::SaveError),
    /// The file cannot be opened as a run.
    #[error(transparent)]
    Open(#[from] rekindle::OpenError),
}

impl FormatError {
    /// A failed read.
    pub fn read(path: &Path, source: std::io::Error) -> Self {
        Self::Io { action: "read", path: path.to_owned(), source }
    }

    /// A failed write.
    pub fn write(path: &Path, source: std::io::Error) -> Self {
        Self::Io { action: "write", path: path.to_owned(), source }
    }

    /// A file that is not what it claims to be.
    pub fn malformed(path: &Path, reason: impl ToString) -> Self {
        Self::Malformed { path: path.to_owned(), reason: reason.to_string() }
    }
}
