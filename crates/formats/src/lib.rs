//! Foreign formats: files that hold a training state, read and written.
//!
//! Every format has a folder of the same shape and is described by one [`Format`]: how its files
//! are told by their first bytes, how they are read into a [`Document`], and how a checkpoint is
//! written. A model system adds its own formats beside these.
//!
//! | format | ending | read | written | holds |
//! |---|---|---|---|---|
//! | checkpoint file | `.rekindle` | yes | yes | everything |
//! | safetensors | `.safetensors` | yes | yes | arrays as tensors, the rest in the metadata |
//! | JSON | `.json`, `.json.gz` | yes | yes | everything, readable |
//!
//! What was measured in a training is written for programs that draw by [`metrics`].
//!
//! ```
//! # let dir = tempfile::tempdir()?;
//! use rekindle::{EntryPath, RunOptions, Store, storage::MemoryStorage};
//! use rekindle_formats::{FORMATS, detect, for_writing};
//!
//! let storage = std::sync::Arc::new(MemoryStorage::new());
//! let mut run = RunOptions::new().create_in(storage.clone())?;
//! run.save(5, &vec![1.0f32, 2.0])?;
//! let store = Store::open(storage)?;
//!
//! let path = dir.path().join("state.safetensors");
//! for_writing(FORMATS, &path)?.write(&store.checkpoint(5)?, &path)?;
//! let document = detect(FORMATS, &path)?.read(&path)?;
//! assert_eq!(document.step, 5);
//! assert_eq!(document.tree, store.checkpoint(5)?.load(&EntryPath::root())?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod archive;
mod document;
pub mod files;
pub mod gzip;
pub mod hex;
mod json;
pub mod metrics;
pub mod pictures;
mod safetensors;
pub mod table;

use std::path::Path;

use rekindle::records::{About, Saved};
use rekindle::tree::Array;
use rekindle::{Checkpoint, OpenError, Writer};

pub use archive::{is_checkpoint_file, open as open_archive};
pub use document::{Document, FormatError};

/// Reads a file.
pub type Read = fn(&Path) -> Result<Document, FormatError>;
/// Makes the run for a file's checkpoint, once it is known what the file says of it.
pub type MakeRun<'a> = dyn FnMut(&About) -> Result<Writer, OpenError> + 'a;
/// Saves what a file holds array by array; nothing where the file has to be read as a whole.
pub type Stream = fn(&Path, &mut MakeRun<'_>) -> Result<Option<Imported>, FormatError>;
/// Writes a checkpoint to a file. Gives warnings: what of the checkpoint the format cannot hold.
pub type Write = fn(&Checkpoint<'_>, &Path) -> Result<Vec<String>, FormatError>;

/// A file format.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// Its name, for people.
    pub name: &'static str,
    /// The endings of its files.
    pub endings: &'static [&'static str],
    /// How its files are told and read; absent for formats that are only written.
    pub reading: Option<Reading>,
    /// Writes a checkpoint; absent for formats that are only read.
    pub write: Option<Write>,
}

/// A file that was saved as a checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The checkpoint.
    pub saved: Saved,
    /// What could not be carried over, in words.
    pub warnings: Vec<String>,
}

/// How the files of a format are told and read.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// Tells its files by their first bytes, at most [`HEAD`].
    pub matches: fn(&[u8]) -> bool,
    /// Reads a file.
    pub read: Read,
    /// Reads a file into a save, with less memory; absent for formats that are always read as a whole.
    pub stream: Option<Stream>,
}

/// So many first bytes tell the format of a file.
pub const HEAD: usize = 512;

/// The formats that hold any state.
pub const FORMATS: &[Format] = &[archive::FORMAT, safetensors::FORMAT, json::FORMAT, json::GZIP_FORMAT];

/// The format of the file at `path`, by its content; of a directory by its `config.json`.
///
/// # Errors
/// When the file cannot be read or is of no known format.
pub fn detect<'a>(
    formats: impl IntoIterator<Item = &'a Format>,
    path: &Path,
) -> Result<&'a Format, FormatError> {
    let told_by = if path.is_dir() { path.join("config.json") } else { path.to_owned() };
    if path.is_dir() && !files::exists(&told_by) {
        let reason = "it is a directory without a `config.json`, as the models of other programs have";
        return Err(FormatError::malformed(path, reason));
    }
    let head = files::head(&told_by, HEAD).map_err(|error| FormatError::read(path, error))?;
    let mut known = Vec::new();
    for format in formats {
        let Some(reading) = format.reading else { continue };
        if (reading.matches)(&head) {
            return Ok(format);
        }
        known.push(format.name);
    }
    Err(FormatError::Unknown { path: path.to_owned(), known })
}

/// The format to write the file at `path` in, by its ending.
///
/// # Errors
/// When no format that can be written has that ending.
pub fn for_writing<'a>(
    formats: impl IntoIterator<Item = &'a Format>,
    path: &Path,
) -> Result<&'a Format, FormatError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let mut known = Vec::new();
    for format in formats.into_iter().filter(|format| format.write.is_some()) {
        if format.endings.iter().any(|ending| name.ends_with(ending)) {
            return Ok(format);
        }
        known.extend(format.endings);
    }
    Err(FormatError::UnknownExtension { path: path.to_owned(), known })
}

impl Format {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// When it cannot be read or is not well formed, or the format is only written.
    pub fn read(&self, path: &Path) -> Result<Document, FormatError> {
        let unsupported = || FormatError::Unsupported {
            path: path.to_owned(),
            reason: format!("{} files can only be written", self.name),
        };
        (self.reading.ok_or_else(unsupported)?.read)(path)
    }

    /// Saves what the file at `path` holds as a checkpoint of the run that `make` makes.
    ///
    /// # Errors
    /// When the file cannot be read or is not well formed, the format is only written, or the run cannot be
    /// made or written.
    pub fn import(&self, path: &Path, make: &mut MakeRun<'_>) -> Result<Imported, FormatError> {
        if let Some(stream) = self.reading.and_then(|reading| reading.stream)
            && let Some(imported) = stream(path, make)?
        {
            return Ok(imported);
        }
        let Document { tree, step, about, history, warnings } = self.read(path)?;
        let mut writer = make(&about)?;
        let mut save = writer.save()?;
        let stored = tree.try_map_arrays(&mut |path, array: &Array| {
            save.array(path, array.kind().clone(), array.data())
        })?;
        Ok(Imported { saved: save.commit(step, &stored, about, &history)?, warnings })
    }

    /// Writes a checkpoint to the file at `path`, which appears as a whole or not at all. Gives warnings:
    /// what of the checkpoint the format cannot hold.
    ///
    /// # Errors
    /// When the checkpoint cannot be read, the format cannot hold it, or the file cannot be
    /// written.
    pub fn write(&self, checkpoint: &Checkpoint<'_>, path: &Path) -> Result<Vec<String>, FormatError> {
        let unsupported = || FormatError::Unsupported {
            path: path.to_owned(),
            reason: format!("{} files can only be read", self.name),
        };
        self.write.ok_or_else(unsupported)?(checkpoint, path)
    }
}
