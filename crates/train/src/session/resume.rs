//! How a run goes on: from one of its checkpoints, in the run itself, in a fork of it, or nowhere.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rekindle::storage::MemoryStorage;
use rekindle::{Access, ResumeError, Run, RunOptions, Store};
use rekindle_formats::files;

use super::begin::{lineage, place_of_new};
use super::training::Configs;
use super::{Begun, Onto, Origin, ResumedFrom, TrainError, require_memory};
use crate::events::Notice;
use crate::history::{self, Window};
use crate::means::{self, Means};
use crate::system::Resources;

/// Goes on with a run.
pub(super) fn resume(
    configs: &dyn Configs,
    directory: PathBuf,
    access: Access,
    step: Option<u64>,
    settings: &[String],
    onto: Onto,
    resources: &Resources,
) -> Result<Begun, TrainError> {
    let new = match &onto {
        Onto::Fork(path) if !files::exists(path) => Some(path.clone()),
        _ => None,
    };
    let run = match &onto {
        Onto::Same | Onto::DiscardLater => options(configs).open_in(access)?,
        Onto::Fork(path) => fork(configs, &directory, access, step, path)?,
        Onto::Nothing => copy_in_memory(configs, access, step)?,
    };
    go_on(configs, run, directory, step, settings, onto, resources).inspect_err(|_| {
        // What cannot go on leaves no fork behind. That it cannot is told; that a directory is
        // left over is not worth another word.
        let _ = new.map(|path| files::remove_directory(&path));
    })
}

pub(super) fn options(configs: &dyn Configs) -> RunOptions {
    RunOptions::new().system(configs.system()).versions(configs.versions())
}

fn go_on(
    configs: &dyn Configs,
    mut run: Run,
    directory: PathBuf,
    step: Option<u64>,
    settings: &[String],
    onto: Onto,
    resources: &Resources,
) -> Result<Begun, TrainError> {
    let location = run.store().location();
    let newest = newest_config(&mut run, configs.system())?;
    let config = configs.recorded(&newest, settings)?;
    require_memory(config.memory(), &config.loop_config(), false)?;
    // What is loaded has the form of the config that it was saved with.
    let saved_with = match step {
        Some(step) => run.store().checkpoint(step)?.record().about.config.clone(),
        None => newest,
    };
    let mut state = configs.recorded(&saved_with, &[])?.blank()?;
    let resumed = state.resume(&mut run, step)?;
    let from = resumed.step.unwrap_or(0);
    let checkpoint = run.store().checkpoint(from)?;
    let about = checkpoint.record().about.clone();
    let history_damage = checkpoint.history().1;
    if resumed.migrated_from.is_none()
        && let Some(section) = state.contradiction(&about.config)
    {
        return Err(TrainError::Contradiction { location, section });
    }
    let changes = state.change(&about.config, settings)?;
    let loop_config = state.loop_config();
    let low_memory = require_memory(state.memory(), &loop_config, true)?;
    let mut training = state.attach(&Resources { step: from, ..resources.clone() })?;
    training.make_files_absolute();
    clear_the_way(&mut run, from, &onto)?;
    run.set_saving(loop_config.saving());
    run.writer().set_compression(loop_config.checkpoint.compression);
    run.about_mut().changes.extend(changes.iter().map(|change| format!("step {from}: {change}")));
    let mut notices: Vec<Notice> = resumed.skipped.into_iter().map(Notice::PassedOver).collect();
    let system = configs.system();
    notices.extend(resumed.migrated_from.map(|from| Notice::Migrated { system, from }));
    notices.extend(history_damage.map(Notice::IncompleteHistory));
    notices.extend(low_memory.map(Notice::LowMemory));
    notices.extend((!changes.is_empty()).then_some(Notice::Changed(changes)));
    let mut means = Means::of(configs.averaged());
    means.resume(&about.metrics, about.environment.get(means::NOTE));
    let window = Window::resume(about.environment.get(history::NOTE));
    let known = run.store().records().flat_map(|record| record.about.metrics.keys().cloned()).collect();
    let directory = match onto {
        Onto::Nothing => None,
        Onto::Fork(path) => Some(path),
        Onto::Same | Onto::DiscardLater => Some(directory),
    };
    Ok(Begun {
        training,
        run: directory.is_some().then_some(run),
        directory,
        notices,
        resumed: Some(ResumedFrom { step: from, metrics: about.metrics, means, window, known }),
    })
}

/// The config that the newest checkpoint records, which must be of the system.
pub(super) fn newest_config(run: &mut Run, system: &'static str) -> Result<serde_json::Value, TrainError> {
    let store = run.store();
    let location = store.location();
    let Some(record) = store.records().next_back() else {
        return Err(match store.damaged_records().next() {
            Some(skipped) => ResumeError::NothingValid { location, skipped: vec![skipped] }.into(),
            None => TrainError::NothingSaved { location },
        });
    };
    if record.about.system != system {
        return Err(TrainError::OtherSystem {
            location,
            found: record.about.system.clone(),
            expected: system,
        });
    }
    Ok(record.about.config.clone())
}

/// Later checkpoints than the one to go on from are in the way of new ones.
fn clear_the_way(run: &mut Run, from: u64, onto: &Onto) -> Result<(), TrainError> {
    let newest = run.store().steps().last().copied().unwrap_or(from);
    if newest <= from {
        return Ok(());
    }
    match onto {
        Onto::DiscardLater => drop(run.writer().discard_after(from)?),
        _ => {
            let location = run.store().location();
            return Err(TrainError::LaterCheckpoints { location, step: from, newest });
        }
    }
    Ok(())
}

/// A new run in `path` that holds one checkpoint of the run in `directory`.
fn fork(
    configs: &dyn Configs,
    directory: &Path,
    access: Access,
    step: Option<u64>,
    path: &Path,
) -> Result<Run, TrainError> {
    let new = place_of_new(path, Some(&access))?;
    let (store, step) = open_valid(access, step)?;
    let source = format!("{}@{step}", directory.display());
    let origin = Origin { source, store, step, only: None };
    let mut run = options(configs).lineage(lineage(&origin)?).create_in(new)?;
    run.writer().copy_checkpoint(&origin.store.checkpoint(step)?)?;
    Ok(run)
}

fn copy_in_memory(configs: &dyn Configs, access: Access, step: Option<u64>) -> Result<Run, TrainError> {
    let (store, step) = open_valid(access, step)?;
    let mut run = options(configs).create_in(Arc::new(MemoryStorage::new()))?;
    run.writer().copy_checkpoint(&store.checkpoint(step)?)?;
    Ok(run)
}

/// A run, opened for reading, and the step that was asked for or its newest valid one.
fn open_valid(access: Access, step: Option<u64>) -> Result<(Store, u64), TrainError> {
    let store = Store::open(access)?;
    let step = match step {
        Some(step) => step,
        None => match store.newest_whole()? {
            (Some(step), _) => step,
            (None, skipped) if skipped.is_empty() => {
                return Err(TrainError::NothingSaved { location: store.location() });
            }
            (None, skipped) => {
                return Err(ResumeError::NothingValid { location: store.location(), skipped }.into());
            }
        },
    };
    Ok((store, step))
}
