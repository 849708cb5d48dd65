//! How a run whose training has ended learns more, or forgets.

use std::marker::PhantomData;
use std::path::PathBuf;

use rekindle::records::CommitRecord;
use rekindle::upkeep::PruneError;
use rekindle::{Access, Hash, Run, hash_of};
use serde::Serialize;

use super::resume::{newest_config, options};
use super::training::{AnyState, State};
use super::{ConfigsOf, TrainError, copy_metrics, environment, require_memory};
use crate::capabilities::{AskError, Trained};
use crate::config::change_config;
use crate::family::{Capabilities, Family, Forgetting, Knows, Learn, Learnt};
use crate::system::{Metrics, Resources};

/// What is to become of a run.
#[derive(Debug)]
pub struct Revision {
    /// The directory of the run.
    pub run: PathBuf,
    /// The run itself; of an encrypted one, with its key.
    pub access: Access,
    /// The files that hold what is learnt or forgotten.
    pub files: Vec<String>,
    /// What is done with it.
    pub change: Change,
    /// Number of threads.
    pub threads: usize,
}

/// What is done with data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is learnt.
    Learn,
    /// It is forgotten. Earlier checkpoints that know it stay, unless they are to be erased.
    Forget {
        /// Deletes the earlier checkpoints that know it, and every byte that none of the others needs.
        erase: bool,
    },
}

/// What became of a run.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Revised {
    /// The directory of the run.
    pub run: String,
    /// The model family.
    pub system: &'static str,
    /// How much was learnt or forgotten.
    pub count: u64,
    /// What is counted, such as `rows`.
    pub unit: &'static str,
    /// The step of the checkpoint before.
    pub step_before: u64,
    /// Identity of its state.
    pub state_hash_before: Hash,
    /// The step of the new checkpoint.
    pub step: u64,
    /// Identity of its state.
    pub state_hash: Hash,
    /// Metrics of the new state.
    pub metrics: Metrics,
    /// Steps of earlier checkpoints that know what was forgotten, or a part of it, and are there.
    pub known_at: Vec<u64>,
    /// Steps of earlier checkpoints that knew it, and are erased.
    pub erased: Vec<u64>,
    /// What whoever asked should know.
    pub notes: Vec<String>,
    /// The files for people that were made anew.
    pub artifacts: Vec<String>,
}

/// Learns or forgets, and saves what comes of it as a new checkpoint. When that is refused, nothing changes.
pub(crate) fn revise<S: Family + 'static>(revision: Revision) -> Result<Revised, TrainError> {
    let Revision { run: directory, access, files, change, threads } = revision;
    let (apply, forgetting) = capability::<S>(change)?;
    let configs = ConfigsOf::<S>(PhantomData);
    let mut run = options(&configs).open_in(access)?;
    let (config, _) = change_config(&newest_config(&mut run, S::NAME)?, &[], S::changeable())?;
    let mut state = State::<S>::new(config.clone(), S::blank(&config)?);
    let from = state.resume(&mut run, None)?.step.unwrap_or(0);
    let recorded = run.store().checkpoint(from)?.record().about.config.clone();
    if let Some(section) = state.contradiction(&recorded) {
        return Err(TrainError::Contradiction { location: run.store().location(), section });
    }
    let loop_config = state.loop_config();
    require_memory(state.memory(), &loop_config, true)?;
    let state_hash_before = hash_of(&state.state)?;
    let resources = Resources { step: from, ..Resources::new(threads) };
    let learnt = apply(&config, &mut state.state.state, &files, &resources)?;
    state.drop_origin();
    let mut knowing = match &forgetting {
        Some(Forgetting { knows, .. }) => knowing::<S>(&mut run, *knows, &state.state.state, &files),
        None => Vec::new(),
    };
    let erased = change == Change::Forget { erase: true };
    if erased {
        refuse_tagged(&mut run, &knowing)?;
    }
    run.set_policy(loop_config.policy());
    run.set_saving(loop_config.saving());
    run.writer().set_compression(loop_config.checkpoint.compression);
    if forgetting.is_some() {
        // A difference from what knows more would keep that.
        run.writer().store_next_in_full();
    }
    let about = run.about_mut();
    about.config = recorded;
    let verb = if forgetting.is_some() { "forgot" } else { "learnt" };
    about.changes.push(format!("step {from}: {verb} {} {}", learnt.count, learnt.unit));
    let record = save(&mut run, &state, &learnt, threads)?;
    // The policy of the run may have let some go.
    let there = run.store().steps();
    knowing.retain(|step| there.contains(step));
    if erased {
        erase(&mut run, &knowing)?;
    }
    let (known_at, erased) = if erased { (Vec::new(), knowing) } else { (knowing, Vec::new()) };
    let artifacts = put_artifacts(&mut run, record.step, &learnt)?;
    Ok(Revised {
        run: directory.display().to_string(),
        system: S::NAME,
        count: learnt.count,
        unit: learnt.unit,
        step_before: from,
        state_hash_before,
        step: record.step,
        state_hash: record.state_hash,
        metrics: learnt.metrics,
        known_at,
        erased,
        notes: learnt.notes,
        artifacts,
    })
}

/// What does it.
fn capability<S: Family>(change: Change) -> Result<(Learn<S>, Option<Forgetting<S>>), TrainError> {
    let Capabilities { learn, forget, .. } = S::capabilities();
    let unsupported = |what| TrainError::Unsupported { system: S::NAME, what };
    match change {
        Change::Learn => learn
            .map(|learn| (learn, None))
            .ok_or_else(|| unsupported("cannot learn more after their training")),
        Change::Forget { .. } => forget
            .map(|forgetting| (forgetting.forget, Some(forgetting)))
            .ok_or_else(|| unsupported("cannot forget")),
    }
}

/// Saves the state as one step more than all that are saved; its training has ended.
fn save<S: Family + 'static>(
    run: &mut Run,
    state: &State<S>,
    learnt: &Learnt,
    threads: usize,
) -> Result<CommitRecord, TrainError> {
    let step = run.store().steps().last().map_or(0, |step| step + 1);
    let about = run.about_mut();
    about.environment = environment(threads);
    about.environment.insert("total_steps".to_owned(), step.to_string());
    run.log(step, &learnt.metrics);
    Ok(run.save(step, &state.state)?.record)
}

/// The steps of the checkpoints that know any of what was forgotten. One that cannot be read may.
fn knowing<S: Family>(run: &mut Run, knows: Knows<S>, now: &S::State, files: &[String]) -> Vec<u64> {
    let store = run.store();
    let is_known = |step: &u64| {
        let trained = store.checkpoint(*step).map_err(AskError::from);
        match trained.and_then(|checkpoint| Trained::<S>::load(&checkpoint)) {
            Ok(Trained { config, state }) => knows(&config, &state, now, files).unwrap_or(true),
            Err(_) => true,
        }
    };
    store.steps().into_iter().filter(is_known).collect()
}

fn refuse_tagged(run: &mut Run, steps: &[u64]) -> Result<(), TrainError> {
    for (name, tagged) in run.writer().tags().map_err(PruneError::from)? {
        let tagged = tagged.map_err(|damage| PruneError::TagUnknown { damage: Box::new(damage) })?;
        if steps.contains(&tagged) {
            return Err(PruneError::Tagged { name }.into());
        }
    }
    Ok(())
}

/// Deletes these checkpoints and all that only they need.
fn erase(run: &mut Run, steps: &[u64]) -> Result<(), TrainError> {
    let writer = run.writer();
    for &step in steps.iter().rev() {
        writer.discard_checkpoint(step)?;
    }
    writer.erase_unneeded()?;
    Ok(())
}

/// Files for people that tell of the state.
fn put_artifacts(run: &mut Run, step: u64, learnt: &Learnt) -> Result<Vec<String>, TrainError> {
    copy_metrics(run, step)?;
    // A file for people would tell what the run keeps secret.
    if run.store().identity().encrypted {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for (name, bytes) in &learnt.artifacts {
        let name = format!("artifacts/{name}");
        run.writer().put_note(&name, bytes)?;
        names.push(name);
    }
    Ok(names)
}
