//! Why a snapshot cannot be read or written.

use std::io;
use std::path::PathBuf;

/// A failure to read or to write a snapshot. Neither leaves anything behind: reading imports all or
/// nothing, and a file that cannot be written whole does not appear.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The file cannot be read at all.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file can be read but not trusted or not understood.
    #[error("{}: {}: {}; nothing was imported", path.display(), legible(object), legible(&problem.to_string()))]
    Refused {
        /// The file.
        path: PathBuf,
        /// Path of the object within the file: `/` is its root, `config/@patience` an attribute.
        object: String,
        /// What is wrong with it.
        problem: Problem,
    },
    /// The snapshot to be written contradicts itself or holds what a file cannot.
    #[error("the snapshot for {} cannot be written: {object}: {problem}", path.display())]
    Inconsistent {
        /// The file that was to be written.
        path: PathBuf,
        /// Path of the object within that file.
        object: String,
        /// What is wrong with it.
        problem: Problem,
    },
    /// The file cannot be written. What was there before still is.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// What is wrong with an object of a snapshot.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The file does not begin as HDF5 files do.
    #[error("this is not an HDF5 file")]
    NotHdf5,
    /// The file ends before it says that it does.
    #[error("the file was cut off: it has {found} bytes, and {expected} were written")]
    CutOff {
        /// Bytes that its superblock tells of.
        expected: u64,
        /// Bytes that it has.
        found: u64,
    },
    /// The file is well formed, and there is nothing in it.
    #[error("the file is empty: whoever wrote it stopped before it held any network")]
    Empty,
    /// The file is HDF5, but of another program.
    #[error("the format is `{0}`, and only `juniper.cascor` and `cascor_hdf5_v1` are read")]
    Format(String),
    /// The file is of a newer version than is known, or of one that cannot be told.
    #[error("the format version is `{0}`, and only versions 1 and 2 are read")]
    Version(String),
    /// Groups that hold the network are not there.
    #[error("the file holds no network: without {}", list(.0))]
    MissingGroups(Vec<&'static str>),
    /// An object or an attribute is not there.
    #[error("it is missing")]
    Missing,
    /// An object or an attribute is of another type.
    #[error("it should be {expected}, and is {found}")]
    Type {
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// An array has another shape.
    #[error("its shape should be {expected:?}, and is {found:?}")]
    Shape {
        /// What the network asks for.
        expected: Vec<u64>,
        /// What it is.
        found: Vec<u64>,
    },
    /// A number contradicts another one.
    #[error("it should be {expected}, as {with} says, and is {found}")]
    Disagrees {
        /// What the rest says.
        expected: u64,
        /// What it is.
        found: u64,
        /// Who says otherwise.
        with: &'static str,
    },
    /// Units are numbered from 0 without a gap, and these are not.
    #[error("`{0}` does not belong among units that are numbered from 0 without a gap")]
    Numbering(String),
    /// More than is allowed, see the limits of this module.
    #[error("{found} {what} are too many: at most {limit} are read")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// So many there are.
        found: u64,
        /// So many are allowed.
        limit: u64,
    },
    /// Not a number, or infinite.
    #[error("value {index} is {value}, and every value must be finite")]
    NotFinite {
        /// Its index in the array, row by row.
        index: usize,
        /// The value.
        value: f64,
    },
    /// A number is out of the range that makes sense for it.
    #[error("{0} is out of range")]
    Range(String),
    /// The content is not what was saved.
    #[error("its checksum should be {expected}, and is {found}: it was changed or damaged")]
    Checksum {
        /// The digest that the file tells.
        expected: String,
        /// The digest of what it holds.
        found: String,
    },
    /// A text that should be JSON is not.
    #[error("it is not the JSON that it should be: {0}")]
    Json(String),
    /// A text that no snapshot has there.
    #[error("it should be printable ASCII of at most {limit} characters")]
    Text {
        /// The longest text.
        limit: usize,
    },
    /// The bytes do not follow the rules of HDF5.
    #[error("the file is damaged: {0}")]
    Damaged(String),
    /// The bytes make the parser of HDF5 panic.
    #[error("the file is damaged in a way that the parser of HDF5 fails on")]
    Parser,
}

/// The longest part of a message, in characters.
const MAX_SHOWN: usize = 400;

/// A text from a file as it may be shown: it may be long, or hold what a terminal takes as a command.
pub(super) fn legible(text: &str) -> String {
    let mut shown: String =
        text.chars().take(MAX_SHOWN).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(MAX_SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

fn list(groups: &[&str]) -> String {
    let quoted: Vec<String> = groups.iter().map(|group| format!("`{group}`")).collect();
    quoted.join(", ")
}

/// A problem and where it lies, before the file is known.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) object: String,
    pub(super) problem: Problem,
}

impl Fault {
    pub(super) fn at(object: impl Into<String>, problem: Problem) -> Self {
        Self { object: object.into(), problem }
    }
}
