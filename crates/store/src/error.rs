//! What can go wrong with a run, one enum per operation family.

use std::fmt;

use crate::hash::Hash;
use crate::state::path::EntryPath;
use crate::storage::StorageError;

/// A place in a run whose bytes are not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The object: a file of the run, or the hash of a chunk that is in no file.
    pub object: String,
    /// Byte offset within the object, where it is known.
    pub offset: Option<u64>,
    /// Entries of the state that cannot be read because of it, as far as they are known.
    pub entries: Vec<EntryPath>,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with an object.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// It is not there.
    Missing,
    /// It cannot be read; what the system said.
    Unreadable(String),
    /// The bytes do not have the hash that is recorded for them.
    HashMismatch,
    /// The bytes are not of the form that they must have.
    Malformed(&'static str),
}

impl Damage {
    pub(crate) fn new(object: impl Into<String>, problem: Problem) -> Self {
        Self { object: object.into(), offset: None, entries: Vec::new(), problem }
    }

    pub(crate) fn malformed(object: impl Into<String>, what: &'static str) -> Self {
        Self::new(object, Problem::Malformed(what))
    }

    pub(crate) fn at(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }

    pub(crate) fn in_entry(mut self, entry: &EntryPath) -> Self {
        self.entries.push(entry.clone());
        self
    }

    /// True when the system refused to read the object: its bytes may be as they were written, and
    /// nothing that leans on them may be given up for that.
    pub fn is_unreadable(&self) -> bool {
        matches!(self.problem, Problem::Unreadable(_))
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ", self.object)?;
        match &self.problem {
            Problem::Missing => f.write_str("is missing")?,
            Problem::Unreadable(reason) => write!(f, "cannot be read ({reason})")?,
            Problem::HashMismatch => f.write_str("is damaged: its bytes do not match their hash")?,
            Problem::Malformed(what) => write!(f, "is damaged: {what}")?,
        }
        if let Some(offset) = self.offset {
            write!(f, ", at byte {offset}")?;
        }
        match self.entries.as_slice() {
            [] => Ok(()),
            [entry] => write!(f, "; it holds `{entry}`"),
            [first, others @ ..] => write!(f, "; it holds `{first}` and {} more entries", others.len()),
        }
    }
}

/// Opening a run failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no run at that place.
    #[error("there is no run in {location}")]
    NoRun {
        /// Where it was looked for.
        location: String,
    },
    /// A new run was to be made where one is.
    #[error("{location} holds a run already")]
    RunExists {
        /// The place.
        location: String,
    },
    /// The place holds files that are not a run's.
    #[error("{location} is not empty and holds no run")]
    NotEmpty {
        /// The place.
        location: String,
    },
    /// A later version wrote the run.
    #[error(
        "{location} has format {found}, this version reads up to {supported}; nothing was changed: use a newer version"
    )]
    NewerFormat {
        /// The place.
        location: String,
        /// Its format.
        found: u32,
        /// The newest format that this version knows.
        supported: u32,
    },
    /// The run is encrypted, and no key was given.
    #[error("{location} is encrypted, and its key was not given")]
    Encrypted {
        /// The place.
        location: String,
    },
    /// The run is not encrypted, and a key was given: somebody may have put it in the place of one
    /// that is.
    #[error("{location} is not encrypted, although a key was given for it; nothing was read or written")]
    NotEncrypted {
        /// The place.
        location: String,
    },
    /// The run is encrypted with another key.
    #[error("{location} does not open with this key")]
    WrongKey {
        /// The place.
        location: String,
    },
    /// An environment variable says something that cannot be done.
    #[error("the environment variable {name} is `{value}`, but must be a number")]
    Variable {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
    },
    /// The storage failed, or somebody else writes.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Reading a checkpoint failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Bytes are missing or are not what was written.
    #[error("{0}")]
    Damaged(Box<Damage>),
    /// The system refused to read bytes that may be as they were written.
    #[error("{0}; nothing was given up: try again when it can be read")]
    Unreadable(Box<Damage>),
    /// There is not as much memory as an array takes.
    #[error("`{path}` takes {bytes} bytes, and there is not as much memory")]
    OutOfMemory {
        /// The array.
        path: EntryPath,
        /// Its length.
        bytes: u64,
    },
    /// There is no checkpoint at that step.
    #[error("there is no checkpoint at step {step} in {location}; there are: {}", steps(available))]
    NoCheckpoint {
        /// The step.
        step: u64,
        /// The run.
        location: String,
        /// The steps that have one.
        available: Vec<u64>,
    },
    /// The state has no such entry.
    #[error("the state has no entry `{path}`{}", suggestion(nearest))]
    NoEntry {
        /// The path.
        path: EntryPath,
        /// The most similar path there is.
        nearest: Option<EntryPath>,
    },
    /// The array has fewer rows.
    #[error("`{path}` has {count} rows; {rows:?} are not among them")]
    NoRows {
        /// The array.
        path: EntryPath,
        /// The rows that were asked for.
        rows: std::ops::Range<u64>,
        /// Number of its rows.
        count: u64,
    },
    /// A later version wrote the checkpoint.
    #[error(
        "the checkpoint has format {found}, this version reads up to {supported}; nothing was changed: use a newer version"
    )]
    NewerFormat {
        /// Its format.
        found: u32,
        /// The newest format that this version knows.
        supported: u32,
    },
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<Damage> for ReadError {
    fn from(damage: Damage) -> Self {
        match damage.is_unreadable() {
            true => Self::Unreadable(Box::new(damage)),
            false => Self::Damaged(Box::new(damage)),
        }
    }
}

impl ReadError {
    /// The bytes that are not as they were written; nothing for those that cannot be read.
    pub fn damage(&self) -> Option<&Damage> {
        match self {
            Self::Damaged(damage) => Some(damage),
            _ => None,
        }
    }

    /// What is wrong with which object, be it damaged or unreadable.
    pub(crate) fn into_problem(self) -> Result<Damage, Self> {
        match self {
            Self::Damaged(damage) | Self::Unreadable(damage) => Ok(*damage),
            other => Err(other),
        }
    }
}

impl SaveError {
    /// True when there was not enough space.
    pub fn is_no_space(&self) -> bool {
        match self {
            Self::NoSpace { .. } => true,
            Self::Storage(error) => error.is_no_space(),
            _ => false,
        }
    }
}

fn steps(steps: &[u64]) -> String {
    match steps {
        [] => "none".to_owned(),
        [first, .., last] if steps.len() > 8 => format!("{} between {first} and {last}", steps.len()),
        few => few.iter().map(u64::to_string).collect::<Vec<_>>().join(", "),
    }
}

fn suggestion(nearest: &Option<EntryPath>) -> String {
    nearest.as_ref().map_or(String::new(), |path| format!("; did you mean `{path}`?"))
}

/// Saving a checkpoint failed. The checkpoints before it are intact.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SaveError {
    /// Another state was saved at that step before.
    #[error("step {step} is saved already with another state ({saved}, now {new}); the saved one was kept")]
    StepTaken {
        /// The step.
        step: u64,
        /// Hash of the saved state.
        saved: Hash,
        /// Hash of the state that was to be saved.
        new: Hash,
    },
    /// There are checkpoints at later steps.
    #[error("step {step} lies before the newest checkpoint (step {newest}); nothing was saved")]
    StepBehind {
        /// The step.
        step: u64,
        /// The newest checkpoint.
        newest: u64,
    },
    /// The commit record is too long.
    #[error(
        "the commit record would take {len} bytes, at most {limit} are allowed: the config or the metrics are too large"
    )]
    RecordTooLarge {
        /// Its length in bytes.
        len: usize,
        /// The limit.
        limit: usize,
    },
    /// A metric is not a finite number.
    #[error("the metric `{name}` is {value}; a checkpoint keeps finite numbers only, so nothing was saved")]
    MetricNotFinite {
        /// The metric.
        name: String,
        /// Its value.
        value: f64,
    },
    /// What was said of the state could not be read back.
    #[error(
        "the commit record could not be read back, so nothing was saved: the config is nested too deep, or holds a \
         number that JSON cannot"
    )]
    RecordDoesNotComeBack,
    /// An index node is too large.
    #[error("`{path}` takes {len} bytes in one node of the index, at most {limit} are allowed")]
    NodeTooLarge {
        /// The entry, as far as it is known.
        path: EntryPath,
        /// Its length in bytes.
        len: usize,
        /// The limit.
        limit: usize,
    },
    /// The elements of an array cannot be read from where they come from.
    #[error("the elements of `{path}` cannot be read: {source}; nothing was saved")]
    Unreadable {
        /// The array.
        path: EntryPath,
        /// What the system said.
        source: std::io::Error,
    },
    /// Somebody deleted or replaced the file whose lock is the right to write.
    #[error(
        "the right to write {location} was taken away: its file `lease` was deleted or replaced, and another process \
         may write; nothing was saved, the checkpoints before are intact"
    )]
    LeaseLost {
        /// The run.
        location: String,
    },
    /// A note is too long.
    #[error("the note has {len} bytes; at most {limit} are kept")]
    NoteTooLong {
        /// Its length in bytes.
        len: usize,
        /// The limit.
        limit: usize,
    },
    /// The state is nested deeper than a checkpoint may be.
    #[error("the state is nested deeper than {limit} levels at `{path}`")]
    TooDeep {
        /// Where.
        path: EntryPath,
        /// The limit.
        limit: usize,
    },
    /// An array's bytes do not match its type and shape.
    #[error(transparent)]
    ArrayLength(#[from] crate::state::tree::ArrayLengthError),
    /// There is less space than the save may take.
    #[error(
        "{location} has {available} bytes free, and the checkpoint may take {needed}; nothing was saved, the \
         checkpoints before are intact: free some space and resume"
    )]
    NoSpace {
        /// The place.
        location: String,
        /// Bytes that the save may take.
        needed: u64,
        /// Bytes that are free.
        available: u64,
    },
    /// An earlier write of this run failed; what it left is uncertain until the run is reopened.
    #[error(
        "an earlier write failed, so nothing more is written; the checkpoints up to then are intact: resume the run"
    )]
    Poisoned,
    /// What was saved before could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}
