//! What a checkpoint can be asked once it is trained: answers, pictures, words.

use rekindle::{Checkpoint, ReadError, RestoreError, from_tree};
use rekindle_formats::table::Table;

use crate::config::{ConfigError, change_config};
use crate::system::{ConfigOf, System, SystemError};
use crate::training::TrainingState;

/// A checkpoint cannot answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// The checkpoint cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Its state is not one of this system.
    #[error("the state is not one of a `{system}` run: {source}")]
    Restore {
        /// The system.
        system: &'static str,
        /// What does not fit.
        source: RestoreError,
    },
    /// Its state is of an older version.
    #[error(
        "the state is of version {found} of `{system}`, this program has {expected}; `rekindle resume` migrates it"
    )]
    Version {
        /// The system.
        system: &'static str,
        /// The version of the state.
        found: u32,
        /// The version of this program.
        expected: u32,
    },
    /// Its config cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The system refused or failed.
    #[error(transparent)]
    System(#[from] SystemError),
}

/// A state and the config that it was trained with.
pub(crate) struct Trained<S: System> {
    config: ConfigOf<S>,
    state: S::State,
}

impl<S: System> Trained<S> {
    /// Loads a checkpoint.
    pub fn load(checkpoint: &Checkpoint<'_>) -> Result<Self, AskError> {
        let record = checkpoint.record();
        let expected = S::versions().schema().version;
        let found = record.about.schema.as_ref().map_or(expected, |schema| schema.version);
        if found != expected {
            return Err(AskError::Version { system: S::NAME, found, expected });
        }
        let tree = checkpoint.load(&rekindle::EntryPath::root())?;
        let state: TrainingState<S::Model, S::Training, S::State> =
            from_tree(&tree).map_err(|source| AskError::Restore { system: S::NAME, source })?;
        let (config, _) = change_config(&record.about.config, &[], &[])?;
        Ok(Self { config, state: state.state })
    }

    pub fn predict(&self, table: &Table) -> Result<Table, AskError> {
        Ok(S::predict(&self.config, &self.state, table)?)
    }

    pub fn picture(&self, name: &str) -> Result<Vec<u8>, AskError> {
        Ok(S::picture(&self.config, &self.state, name)?)
    }

    pub fn describe(&self) -> Result<String, AskError> {
        Ok(S::describe(&self.config, &self.state)?)
    }
}
