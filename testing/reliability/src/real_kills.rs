//! A real process on a real file system is killed.
//!
//! A child process saves one step after the other and tells each acknowledged one, with its state
//! hash, on its standard output; at a random moment it gets SIGKILL. The parent then opens the run
//! and loads all that was acknowledged; the next child goes on with the same run. What the children
//! of a run do beside saving is one of the [`Way`]s: nothing; pruning to the last three checkpoints
//! after each save, so that the kill may come while packs are deleted; collecting garbage, so that
//! it may come while packs are written anew; pruning between saves as a training does it, which compacts
//! packs every so often; saving in the background, where a step is acknowledged
//! once the run says that it is durable. Where checkpoints are deleted, the last three that were
//! acknowledged must load.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use rayon::prelude::*;
use rekindle::storage::FileStorage;
use rekindle::upkeep::Depth;
use rekindle::{
    CaptureError, EntryPath, OpenError, Policy, Retention, RunOptions, Saving, Store, Tree, WhenBusy, Writer,
    hash_of, to_tree,
};

use crate::outcome::{Outcome, Scale, guarded};
use crate::random::Random;
use crate::sample::{Failure, Training, rotating_state, save, state};

/// Children that write the same run, one after the other, at most.
const LIVES: u64 = 8;
/// Checkpoints that a pruned run keeps.
const KEPT: u64 = 3;
/// Microseconds.
const LONGEST_LIFE: u64 = 40_000;

/// What the children of a run do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Way {
    /// They save.
    Save,
    /// They prune after each save.
    Prune,
    /// They prune with grace, and collect garbage after some saves.
    Collect,
    /// They prune between saves.
    Train,
    /// They save in the background.
    Background,
}

const WAYS: [(Way, &str); 5] = [
    (Way::Save, "save"),
    (Way::Prune, "prune"),
    (Way::Collect, "collect"),
    (Way::Train, "train"),
    (Way::Background, "background"),
];

impl Way {
    fn deletes(self) -> bool {
        matches!(self, Self::Prune | Self::Collect | Self::Train)
    }

    fn state(self, step: u64) -> Result<Tree, CaptureError> {
        match self {
            Self::Background => to_tree(&Training::at(step)),
            Self::Train => Ok(rotating_state(step)),
            _ => Ok(state(step)),
        }
    }

    /// A child is killed after at most this time, from its start or its first save on: microseconds. A
    /// training has to come to its compactions.
    fn longest_life(self) -> u64 {
        if self == Self::Train { 4 * LONGEST_LIFE } else { LONGEST_LIFE }
    }
}

/// Runs the proof.
pub fn real_kills(scale: &Scale, seed: u64) -> Outcome {
    let mut outcome = Outcome::default();
    for name in ["kills", "acknowledged saves", "killed before the first save"] {
        outcome.count(name, 0);
    }
    // Of few, each way has its share.
    let each = LIVES.min(scale.kills.div_ceil(WAYS.len() as u64));
    let runs: Vec<u64> = (0..scale.kills.div_ceil(each)).collect();
    let done = AtomicU64::new(0);
    let found: Vec<Outcome> = runs
        .par_iter()
        .map(|&run| {
            let mut outcome = Outcome::default();
            let lives = each.min(scale.kills - run * each);
            if let Err(error) = kill_repeatedly(scale, seed, run, lives, &mut outcome) {
                outcome.fail(format!("run {run}: {error}"));
            }
            let done = done.fetch_add(lives, Ordering::Relaxed);
            (scale.progress)("real_kills", done, scale.kills);
            outcome
        })
        .collect();
    found.into_iter().for_each(|found| outcome.add(found));
    outcome
}

fn kill_repeatedly(
    scale: &Scale,
    seed: u64,
    run: u64,
    lives: u64,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let dir = place.path().join("run");
    let (way, name) = WAYS[run as usize % WAYS.len()];
    let mut acknowledged: Vec<(u64, String)> = Vec::new();
    for life in 0..lives {
        let mut random = Random::new(seed, &[run, life]);
        let moment = Moment {
            after_a_save: !random.one_in(4),
            delay: Duration::from_micros(random.below(way.longest_life())),
        };
        let told = live_and_die(&scale.program, &dir, name, moment)?;
        outcome.count("kills", 1);
        outcome.count("acknowledged saves", told.len() as u64);
        outcome.count("killed before the first save", u64::from(told.is_empty()));
        acknowledged.extend(told);
        // Steps follow each other, and a save that nobody was told of counts for the retention too.
        let newest = acknowledged.last().map_or(0, |last| last.0);
        acknowledged.retain(|(step, _)| !way.deletes() || step + KEPT > newest);
        let result = guarded(|| all_load(&dir, way, &acknowledged));
        outcome.check(result, || format!("seed {seed}, run {run} ({name}), life {life}"));
    }
    Ok(())
}

/// When a child is killed.
struct Moment {
    /// The time counts from its first save on, and not from its start.
    after_a_save: bool,
    delay: Duration,
}

/// Starts a child and kills it; gives the steps and state hashes that it told.
fn live_and_die(
    program: &Path,
    dir: &Path,
    way: &str,
    moment: Moment,
) -> Result<Vec<(u64, String)>, Failure> {
    let mut command = Command::new(program);
    command.arg("save-until-killed").arg(dir).arg(way).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let mut stdout = child.stdout.take().ok_or("the child has no output")?;
    let mut told = Vec::new();
    if moment.after_a_save {
        stdout.by_ref().take(1).read_to_end(&mut told)?;
    }
    thread::sleep(moment.delay);
    if child.try_wait()?.is_some() {
        let mut said = String::new();
        child.stderr.take().map(|mut stderr| stderr.read_to_string(&mut said)).transpose()?;
        return Err(format!("the child ended by itself: {said}").into());
    }
    child.kill()?;
    child.wait()?;
    stdout.read_to_end(&mut told)?;
    let told = String::from_utf8(told)?;
    // A line without an end was not yet told.
    let lines = told.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    lines
        .map(|line| {
            let (step, hash) = line.split_once(' ').ok_or("the child told nonsense")?;
            Ok((step.parse()?, hash.to_owned()))
        })
        .collect()
}

fn all_load(dir: &Path, way: Way, acknowledged: &[(u64, String)]) -> Result<(), String> {
    let store = match Store::open(Arc::new(FileStorage::new(dir))) {
        Ok(store) => store,
        Err(OpenError::NoRun { .. }) if acknowledged.is_empty() => return Ok(()),
        Err(error) => return Err(format!("it does not open: {error}")),
    };
    for (step, hash) in acknowledged {
        let checkpoint = store.checkpoint(*step).map_err(|error| format!("step {step} is lost: {error}"))?;
        let tree = checkpoint.load(&EntryPath::root()).map_err(|error| format!("step {step}: {error}"))?;
        let saved = way.state(*step).map_err(|error| error.to_string())?;
        if tree != saved || checkpoint.record().state_hash.to_string() != *hash {
            return Err(format!("step {step} holds what was not saved"));
        }
    }
    let report = store.verify(Depth::Full).map_err(|error| error.to_string())?;
    report.damage.first().map_or(Ok(()), |damage| Err(format!("damage: {damage}")))
}

/// The child: saves until it is killed.
///
/// # Errors
/// Whatever keeps it from saving.
pub fn save_until_killed(dir: &Path, way: Way) -> Result<(), Failure> {
    if way == Way::Background {
        return train_until_killed(dir);
    }
    let storage = Arc::new(FileStorage::new(dir));
    let mut store = match Writer::open(storage.clone(), "child") {
        Err(OpenError::NoRun { .. }) => Writer::create(storage, "", None, "child")?,
        result => result?,
    };
    let mut step = store.steps().last().map_or(0, |newest| newest + 1);
    let retention = Retention { keep_last: Some(KEPT), ..Retention::default() };
    loop {
        let saved = save(&mut store, step, &way.state(step)?)?;
        tell(step, &saved.record.state_hash.to_string())?;
        match way {
            Way::Prune => drop(store.prune(&retention, None, step % 2)?),
            Way::Collect => {
                store.prune(&retention, None, 3600)?;
                if step % 3 == 0 {
                    store.gc(0)?;
                }
            }
            Way::Train => drop(store.prune_between_saves(&retention, None, step / 40 % 2)?),
            Way::Save | Way::Background => {}
        }
        step += 1;
    }
}

/// The child that saves in the background.
fn train_until_killed(dir: &Path) -> Result<(), Failure> {
    let policy = Policy { retention: Retention::default(), ..Policy::default() };
    let saving = Saving::Background(WhenBusy::Wait);
    let mut run = RunOptions::new().policy(policy).saving(saving).open_or_create(dir)?;
    let mut told = run.durable_step();
    let first = told.map_or(0, |newest| newest + 1);
    for step in first.. {
        run.checkpoint_now(step, &Training::at(step))?;
        let durable = run.durable_step();
        let new = told.map_or(first, |told| told + 1)..durable.map_or(0, |durable| durable + 1);
        for durable in new {
            tell(durable, &hash_of(&Training::at(durable))?.to_string())?;
        }
        told = durable;
    }
    Ok(())
}

/// Tells that a step is acknowledged.
fn tell(step: u64, hash: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{step} {hash}\n").as_bytes())?;
    out.flush()
}
