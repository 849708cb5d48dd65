//! How a new run begins: from a config, and perhaps with the state of another run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rekindle::records::Lineage;
use rekindle::storage::FileStorage;
use rekindle::tree::no_entry;
use rekindle::{Access, EntryPath, OpenError, ReadError, RunOptions};

use super::training::{AnyState, Configs};
use super::{Begun, Origin, TrainError, require_memory};
use crate::config::{ConfigText, LoopConfig};
use crate::events::Notice;
use crate::system::Resources;

/// Begins a training; with a directory, it is a new run.
pub(super) fn begin(
    configs: &dyn Configs,
    text: &ConfigText,
    settings: &[String],
    directory: Option<PathBuf>,
    from: Option<Box<Origin>>,
    resources: &Resources,
) -> Result<Begun, TrainError> {
    let config = configs.parse(text, settings)?;
    require_memory(config.memory(), &config.loop_config(), false)?;
    let mut state = config.build()?;
    let lineage = from.as_ref().map(|origin| lineage(origin)).transpose()?;
    let like = from.as_ref().map(|origin| origin.store.access().clone());
    if let Some(origin) = from {
        require_same_system(&origin, configs.system())?;
        take_over(&mut *state, &origin, configs)?;
    }
    // What cannot be trained leaves no run behind.
    let loop_config = state.loop_config();
    let low_memory = require_memory(state.memory(), &loop_config, true)?;
    let mut training = state.attach(resources)?;
    training.name_files_by_content()?;
    training.make_files_absolute();
    let teachers = training.teachers()?;
    let run = match &directory {
        Some(path) => {
            let mut options = options(configs, &loop_config).teachers(teachers);
            if let Some(lineage) = lineage {
                options = options.lineage(lineage);
            }
            Some(options.create_in(place_of_new(path, like.as_ref())?)?)
        }
        None => None,
    };
    Ok(Begun {
        training,
        run,
        directory,
        notices: low_memory.map(Notice::LowMemory).into_iter().collect(),
        resumed: None,
    })
}

fn options(configs: &dyn Configs, config: &LoopConfig) -> RunOptions {
    RunOptions::new()
        .system(configs.system())
        .versions(configs.versions())
        .policy(config.policy())
        .saving(config.saving())
        .compression(config.checkpoint.compression)
}

/// Where a state comes from.
pub(super) fn lineage(origin: &Origin) -> Result<Lineage, ReadError> {
    let record = origin.store.checkpoint(origin.step)?.record();
    Ok(Lineage {
        source: origin.source.clone(),
        run: Some(record.run.clone()),
        step: Some(record.step),
        state_hash: Some(record.state_hash),
        only: origin.only.as_ref().map(EntryPath::to_string),
    })
}

/// A whole state can only be taken over from a run of the same system; a part from any.
fn require_same_system(origin: &Origin, expected: &'static str) -> Result<(), TrainError> {
    let found = &origin.store.checkpoint(origin.step)?.record().about.system;
    if origin.only.is_some() || found == expected {
        return Ok(());
    }
    Err(TrainError::OtherSystem { location: origin.store.location(), found: found.clone(), expected })
}

/// Puts the origin's state, or the part of it that was asked for, in the place of the fresh one.
fn take_over(state: &mut dyn AnyState, origin: &Origin, configs: &dyn Configs) -> Result<(), TrainError> {
    // Without a path, the system's whole state is taken; the config stays that of the new run.
    let path = match &origin.only {
        Some(path) if path.segments().first().is_some_and(|first| first == "state") => path.clone(),
        // What is only named by its place in the system's state is looked for there.
        only => {
            let segments = only.iter().flat_map(EntryPath::segments);
            segments.fold(EntryPath::root().child("state"), |path, segment| path.child(segment))
        }
    };
    let versions = configs.versions();
    let checkpoint = origin.store.checkpoint(origin.step)?;
    let part = match &checkpoint.record().about.schema {
        // Of an older version of the same system, what is taken may have another form.
        Some(schema) if schema.name == versions.schema().name && schema != versions.schema() => {
            let tree = versions.migrated(checkpoint.load(&EntryPath::root())?, Some(schema))?;
            tree.at(&path).cloned().ok_or_else(|| no_entry(&tree, &path))?
        }
        _ => checkpoint.load(&path)?,
    };
    let failed = |error| TrainError::Graft { source_address: origin.source.clone(), error };
    state.graft(&path, part).map_err(failed)?;
    Ok(state.adopt()?)
}

/// The place of a new run. One that begins with the state of an encrypted run has the same key.
pub(super) fn place_of_new(path: &Path, like: Option<&Access>) -> Result<Access, OpenError> {
    let storage = Arc::new(FileStorage::new(path));
    Ok(like.map_or(Ok(storage.clone().into()), |like| like.beside(storage))?)
}
