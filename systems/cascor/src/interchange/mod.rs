//! Snapshots of the original program as a file format of the command line.
//!
//! A snapshot holds a network and its settings, neither the examples nor the state of an
//! optimiser: what is imported can be asked, drawn, exported, and taken over into a new run
//! (`train CONFIG --from RUN --only state.network`), where training begins with its output layer.

mod activations;
mod export;
mod import;
mod plain;
mod settings;

use std::path::Path;

use rekindle_formats::{Format, FormatError, Reading};
use rekindle_train::TrainingState;

use crate::config::{Model, Training};
use crate::snapshot::{self, SnapshotError};
use crate::state::State;

/// The format.
pub(crate) const FORMAT: Format = Format {
    name: "Juniper HDF5",
    endings: &[".h5", ".hdf5"],
    reading: Some(Reading { matches: snapshot::matches, read: import::read, stream: None }),
    write: Some(export::write),
};

/// Names of what a snapshot says about itself, among the notes of a commit record.
const UUID: &str = "juniper_uuid";
const CREATED: &str = "juniper_created";
const COUNTER: &str = "juniper_snapshot_counter";
const CONFIG: &str = "juniper_config";

type SavedState = TrainingState<Model, Training, State>;

/// The error of the snapshot as one of the command line's formats.
fn refused(path: &Path, error: SnapshotError) -> FormatError {
    match error {
        SnapshotError::Read { source, .. } => FormatError::read(path, source),
        SnapshotError::Write { source, .. } => FormatError::write(path, source),
        error => FormatError::Refused(error.to_string()),
    }
}
