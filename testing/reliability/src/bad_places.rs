//! Something of a run cannot be read, for as long as it lasts.
//!
//! A sector that is gone, a file without permission, a process with too many open files: the call
//! fails however often it is tried, and the bytes are still there. For several whole runs, each file of
//! them, and each of several places in it (the name, and ranges of its bytes), reads of that place
//! fail, while one deed is done: resuming, training on, saving, repairing, pruning, collecting
//! garbage, discarding, verifying, copying. A place that gives wrong bytes instead of an error is met
//! by the deeds that must not act on damage. Then the place is as before, and:
//!
//! - the deed has done what it was asked for, or its error says what the system said;
//! - every checkpoint that was whole and was not to be deleted is whole;
//! - a copy that was reported as made holds all checkpoints.

use std::io::ErrorKind;
use std::sync::Arc;

use rayon::prelude::*;
use rekindle::storage::sim::{BadPlace, Entries, Symptom};
use rekindle::storage::{MemoryStorage, Storage};
use rekindle::upkeep::{Depth, copy_objects};
use rekindle::{Access, DataKey, EntryPath, RunOptions, Store, Writer};

use crate::outcome::{Outcome, Scale, guarded};
use crate::sample::{Failure, Training};
use crate::survival::{says, survives};
use crate::workload::{Opened, Prepared, Story, Workload, keep_all, keep_last};

/// The runs to which it happens.
const RUNS: &[Workload] = &[
    Workload { name: "plain", prepare: |story| several(story, None), begin: nothing, act: nothing },
    Workload {
        name: "encrypted",
        prepare: |story| several(story, Some(DataKey::from_bytes([9; 32]))),
        begin: nothing,
        act: nothing,
    },
    Workload {
        name: "that returned to an earlier state",
        prepare: Story::returned,
        begin: nothing,
        act: nothing,
    },
    Workload { name: "of a training", prepare: training, begin: nothing, act: nothing },
];

fn nothing(_: &mut Story) -> Result<(), Failure> {
    Ok(())
}

/// What is done while the place is bad.
#[derive(Debug, Clone, Copy)]
struct Deed {
    name: &'static str,
    act: fn(&mut Story) -> Result<(), Failure>,
    /// It has to take wrong bytes for damage.
    judges: bool,
    /// It is for runs of a training only.
    trains: bool,
}

const DEEDS: &[Deed] = &[
    Deed { name: "save", act: |story| story.write(|story| story.save(100)), judges: false, trains: false },
    Deed { name: "repair", act: |story| story.write(Story::repair), judges: true, trains: false },
    Deed { name: "prune", act: |story| story.write(|story| story.prune(2, 0)), judges: false, trains: false },
    Deed {
        name: "prune between saves",
        act: |story| story.write(|story| (0..17).try_for_each(|_| story.prune_between_saves(2, 0).map(drop))),
        judges: false,
        trains: false,
    },
    Deed { name: "gc", act: |story| story.write(|story| story.gc(0)), judges: false, trains: false },
    Deed {
        name: "discard",
        act: |story| story.write(|story| story.discard_after(2)),
        judges: false,
        trains: false,
    },
    Deed { name: "verify", act: verify, judges: false, trains: false },
    Deed { name: "copy objects", act: copy_to_another_place, judges: true, trains: false },
    Deed { name: "copy checkpoints", act: copy_to_another_run, judges: false, trains: false },
    Deed { name: "resume", act: |story| resume(story, false), judges: true, trains: true },
    Deed { name: "resume and train on", act: |story| resume(story, true), judges: true, trains: true },
];

/// Ways in which a file cannot be opened.
const REFUSALS: [ErrorKind; 4] = [
    ErrorKind::PermissionDenied,
    ErrorKind::Other,
    ErrorKind::OutOfMemory,
    ErrorKind::StaleNetworkFileHandle,
];

/// Runs the proof.
pub fn bad_places(scale: &Scale, seed: u64) -> Outcome {
    let mut outcome = Outcome::default();
    for name in ["cases", "cases in which the place was met", "deeds that failed"] {
        outcome.count(name, 0);
    }
    for (number, run) in RUNS.iter().enumerate() {
        (scale.progress)("bad_places", number as u64, RUNS.len() as u64);
        match Prepared::of(run) {
            Ok(prepared) => outcome.add(meet_each(run.name, &prepared, scale, seed as usize + number)),
            Err(error) => outcome.fail(format!("the run `{}` cannot be made: {error}", run.name)),
        }
    }
    outcome
}

fn meet_each(run: &str, prepared: &Prepared, scale: &Scale, first: usize) -> Outcome {
    let trains = run == "of a training";
    let deeds = || DEEDS.iter().filter(|deed| trains || !deed.trains);
    let cases = places(&prepared.disk.entries(), scale.places).into_iter().flat_map(|place| {
        let lies = place.symptom == Symptom::Lies;
        deeds().filter(move |deed| !(lies && deed.judges)).map(move |deed| (place.clone(), deed))
    });
    let cases: Vec<_> = cases.skip(first % scale.place_stride).step_by(scale.place_stride).collect();
    let found: Vec<_> = cases
        .par_iter()
        .map(|(place, deed)| {
            let mut seen = Seen::default();
            let result = guarded(|| {
                seen = meet(prepared.story(), place, deed)?;
                Ok(())
            });
            (seen, result)
        })
        .collect();
    let mut outcome = Outcome::default();
    for ((place, deed), (seen, result)) in cases.iter().zip(found) {
        outcome.count("cases", 1);
        outcome.count("cases in which the place was met", u64::from(seen.met));
        outcome.count("deeds that failed", u64::from(seen.failed));
        outcome.check(result, || format!("the run `{run}`, {} beside {place:?}", deed.name));
    }
    outcome
}

#[derive(Debug, Default)]
struct Seen {
    met: bool,
    failed: bool,
}

fn meet(mut story: Story, place: &BadPlace, deed: &Deed) -> Result<Seen, String> {
    story.disk.spoil(place.clone());
    let result = (deed.act)(&mut story);
    let mut seen = Seen { met: false, failed: result.is_err() };
    if let Err(error) = result {
        match place.symptom {
            Symptom::Fails(kind) => says(&*error, kind)?,
            Symptom::Lies => {}
        }
    }
    save_or_refuse(&mut story);
    seen.met = story.disk.times_met() > 0;
    story.disk.heal();
    save_or_refuse(&mut story);
    let expected = story.expected();
    story.writer = None;
    survives(&story.access(), &expected)?;
    Ok(seen)
}

/// The writer goes on, if there is one: what it acknowledges must be there.
fn save_or_refuse(story: &mut Story) {
    let Some(store) = story.store() else { return };
    let next = store.steps().last().map_or(0, |step| step + 1);
    // Whatever it says: what it does not acknowledge need not be there.
    let _ = story.save(next);
}

/// Each file that cannot be opened, each directory that cannot be listed, and so many ranges of each file.
fn places(entries: &Entries, ranges: u64) -> Vec<BadPlace> {
    let mut places = Vec::new();
    for (number, (path, content)) in entries.iter().enumerate() {
        let refusal = Symptom::Fails(REFUSALS[number % REFUSALS.len()]);
        places.push(BadPlace { path: path.clone(), range: None, symptom: refusal });
        let Some(content) = content else { continue };
        let len = content.len() as u64;
        let mut bounds: Vec<u64> = (0..=ranges).map(|part| len * part / ranges).collect();
        bounds.dedup();
        for bound in bounds.windows(2) {
            // A sector is long, a byte is enough.
            for range in [bound[0]..bound[1], bound[0]..bound[0] + 1] {
                for symptom in [Symptom::Fails(ErrorKind::Other), Symptom::Lies] {
                    places.push(BadPlace { path: path.clone(), range: Some(range.clone()), symptom });
                }
            }
        }
        places.push(BadPlace {
            path: path.clone(),
            range: Some(0..len),
            symptom: Symptom::Fails(ErrorKind::Other),
        });
    }
    places
}

/// Checkpoints of which some share chunks, with all that is said of them; a pack that is condemned.
fn several(story: &mut Story, key: Option<DataKey>) -> Result<(), Failure> {
    story.encrypt_with(key);
    story.run_of(4)?;
    story.tag("good", Some(1))?;
    story.note(Some(2), "a note")?;
    story.sign(3)?;
    story.prune(3, 3600)?;
    story.save(5)?;
    story.save(6)
}

fn training(story: &mut Story) -> Result<(), Failure> {
    let mut run = RunOptions::new().policy(keep_all()).create_in(story.access())?;
    story.created();
    (0..4).try_for_each(|step| story.save_in_run(&mut run, step, &Training::at(step)))
}

fn verify(story: &mut Story) -> Result<(), Failure> {
    let before = story.disk.operations();
    let result = Store::open(story.access()).map(|store| store.verify(Depth::Full));
    if story.disk.operations() > before {
        return Err("a verification writes".into());
    }
    result??;
    Ok(())
}

fn copy_to_another_place(story: &mut Story) -> Result<(), Failure> {
    let to: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    copy_objects(story.access(), &to, |_, _| {})?;
    let to = Access::new(to, story.key().cloned());
    holds_all(&Store::open(to)?, story)
}

fn copy_to_another_run(story: &mut Story) -> Result<(), Failure> {
    let from = Store::open(story.access())?;
    let mut to = Writer::create(Arc::new(MemoryStorage::new()), "", None, "copy")?;
    let copied = to.copy_run(&from, |_| {})?;
    // Those that were left out are named.
    match copied.skipped.is_empty() {
        true => holds_all(&to, story),
        false => Ok(()),
    }
}

fn holds_all(copy: &Store, story: &Story) -> Result<(), Failure> {
    for (step, tree) in &story.expected().must {
        let loaded = copy.checkpoint(*step).and_then(|checkpoint| checkpoint.load(&EntryPath::root()));
        if loaded.map_err(|error| format!("the copy lacks step {step}: {error}"))? != **tree {
            return Err(format!("step {step} of the copy holds what was not saved").into());
        }
    }
    Ok(())
}

/// Resumes as a training does; goes on for two checkpoints, with the retention of a training.
fn resume(story: &mut Story, goes_on: bool) -> Result<(), Failure> {
    let policy = if goes_on { keep_last(2) } else { keep_all() };
    let mut run = RunOptions::new().policy(policy).open_in(story.access())?;
    let mut state = Training::at(0);
    let resumed = run.resume(&mut state);
    let result = resumed.map_err(Failure::from).and_then(|resumed| {
        if !goes_on {
            return Ok(());
        }
        let next = resumed.step.map_or(0, |step| step + 1);
        (next..next + 2).try_for_each(|step| story.train_in_run(&mut run, step, 2))
    });
    story.writer = Some(Opened::Run(Box::new(run)));
    result
}
