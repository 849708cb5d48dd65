//! What a trained model is asked: answers, pictures, words.

use std::path::Path;

use rekindle::{Checkpoint, EntryPath, ReadError, RestoreError, from_tree};
use rekindle_data::Answers;
use rekindle_formats::table::{Table, TableError};
use rekindle_gates::Circuit;
use rekindle_pictures::Picture as Drawn;

use crate::config::{ConfigError, change_config};
use crate::family::Family;
use crate::session::TrainingState;
use crate::simulation::{Experiment, Simulation};
use crate::system::{ConfigOf, SystemError};

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
    /// Its state is of an older version, which a resume migrates.
    #[error("the state is of version {found} of `{system}`, this program has {expected}")]
    Version {
        /// The system.
        system: &'static str,
        /// The version of the state.
        found: u32,
        /// The version of this program.
        expected: u32,
    },
    /// Models of this system cannot be asked that.
    #[error("`{system}` models {what}")]
    Unsupported {
        /// The system.
        system: &'static str,
        /// What they cannot.
        what: &'static str,
    },
    /// Its config cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The table cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The system refused or failed.
    #[error(transparent)]
    System(#[from] SystemError),
}

/// A state and the config that it was trained with.
pub(crate) struct Trained<S: Family> {
    pub config: ConfigOf<S>,
    pub state: S::State,
}

impl<S: Family> Trained<S> {
    /// Loads a checkpoint.
    pub fn load(checkpoint: &Checkpoint<'_>) -> Result<Self, AskError> {
        let record = checkpoint.record();
        let expected = S::versions().schema().version;
        let found = record.about.schema.as_ref().map_or(expected, |schema| schema.version);
        if found != expected {
            return Err(AskError::Version { system: S::NAME, found, expected });
        }
        let tree = checkpoint.load(&EntryPath::root())?;
        let state: TrainingState<S::Model, S::Training, S::State> =
            from_tree(&tree).map_err(|source| AskError::Restore { system: S::NAME, source })?;
        let (config, _) = change_config(&record.about.config, &[], &[])?;
        Ok(Self { config, state: state.state })
    }
}

fn unsupported<S: Family>(what: &'static str) -> AskError {
    AskError::Unsupported { system: S::NAME, what }
}

/// Reads a table of which a model is asked: as the config of its training says, where the file does not tell.
pub(crate) fn read_table<S: Family>(checkpoint: &Checkpoint<'_>, file: &Path) -> Result<Table, AskError> {
    match (Table::read(file), S::capabilities().table_format) {
        (Err(TableError::Ambiguous { .. }), Some(format)) => {
            let (config, _) = change_config(&checkpoint.record().about.config, &[], &[])?;
            Ok(Table::read_as(file, format(&config))?)
        }
        (table, _) => Ok(table?),
    }
}

/// Answers to the rows of a table.
pub(crate) fn predict<S: Family>(checkpoint: &Checkpoint<'_>, table: &Table) -> Result<Answers, AskError> {
    let predict =
        S::capabilities().predict.ok_or_else(|| unsupported::<S>("cannot be asked with a table"))?;
    let Trained { config, state } = Trained::<S>::load(checkpoint)?;
    Ok(predict(&config, &state, table)?)
}

/// A picture.
pub(crate) fn draw<S: Family>(checkpoint: &Checkpoint<'_>, name: &str) -> Result<Drawn, AskError> {
    let picture = S::capabilities().pictures.into_iter().find(|picture| picture.name == name);
    let picture = picture.ok_or_else(|| unsupported::<S>("have no such picture"))?;
    let Trained { config, state } = Trained::<S>::load(checkpoint)?;
    Ok((picture.draw)(&config, &state)?)
}

/// The model in words.
pub(crate) fn describe<S: Family>(checkpoint: &Checkpoint<'_>) -> Result<String, AskError> {
    let describe = S::capabilities().describe.ok_or_else(|| unsupported::<S>("have no summary"))?;
    let Trained { config, state } = Trained::<S>::load(checkpoint)?;
    Ok(describe(&config, &state)?)
}

/// What the model does on a board.
pub(crate) fn simulate<S: Family>(
    checkpoint: &Checkpoint<'_>,
    experiment: &Experiment,
) -> Result<Simulation, AskError> {
    let simulate = S::capabilities().simulate.ok_or_else(|| unsupported::<S>("are no automata"))?;
    let Trained { config, state } = Trained::<S>::load(checkpoint)?;
    Ok(simulate(&config, &state, experiment)?)
}

/// The model as a logic circuit.
pub(crate) fn circuit<S: Family>(checkpoint: &Checkpoint<'_>) -> Result<Circuit, AskError> {
    let circuit = S::capabilities().circuit.ok_or_else(|| unsupported::<S>("are no logic circuits"))?;
    let Trained { config, state } = Trained::<S>::load(checkpoint)?;
    Ok(circuit(&config, &state)?)
}
