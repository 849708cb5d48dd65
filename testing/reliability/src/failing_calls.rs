//! Every call to the disk fails, in every way.
//!
//! For each workload and each call n to the disk: the n-th call fails, once or from then on: no
//! space, an input/output error, no permission, interrupted; a write that fails has written half of
//! its bytes; a sync that fails has lost what it should have made durable, although the next sync
//! succeeds. Then:
//!
//! - the error, if the caller got one, says what the system said;
//! - the same process, once the trouble is over, either refuses to write more or writes right;
//! - whether it is reopened now or after a power cut, all that was acknowledged loads, nothing
//!   wrong is visible, and saving works.
//!
//! Calls that only look fail too, for a writer in the same way, and for a reader at every call of
//! opening and loading everything: what loads is right.

use std::io::ErrorKind;

use rayon::prelude::*;
use rekindle::storage::sim::{Calls, Fault, SimDisk};
use rekindle::upkeep::Depth;
use rekindle::{EntryPath, SaveError, Store};

use crate::outcome::{Outcome, Scale, guarded};
use crate::power_cut::Journal;
use crate::sample::Failure;
use crate::survival::{says, survives};
use crate::workload::{Prepared, Story, WORKLOADS, Workload};

/// A way to fail.
#[derive(Debug, Clone, Copy)]
struct Trouble {
    name: &'static str,
    among: Calls,
    kind: ErrorKind,
    lasting: bool,
}

const TROUBLES: &[Trouble] = &[
    Trouble { name: "ENOSPC", among: Calls::Changes, kind: ErrorKind::StorageFull, lasting: false },
    Trouble { name: "EIO", among: Calls::Changes, kind: ErrorKind::Other, lasting: false },
    Trouble { name: "EACCES", among: Calls::Changes, kind: ErrorKind::PermissionDenied, lasting: false },
    Trouble { name: "EINTR", among: Calls::Changes, kind: ErrorKind::Interrupted, lasting: false },
    Trouble {
        name: "short write, disk full",
        among: Calls::Growth,
        kind: ErrorKind::StorageFull,
        lasting: true,
    },
    Trouble { name: "failed sync", among: Calls::Syncs, kind: ErrorKind::Other, lasting: false },
    Trouble {
        name: "read-only from then on",
        among: Calls::Changes,
        kind: ErrorKind::ReadOnlyFilesystem,
        lasting: true,
    },
    Trouble { name: "EIO of a read", among: Calls::Reads, kind: ErrorKind::Other, lasting: false },
    Trouble {
        name: "EACCES of a read",
        among: Calls::Reads,
        kind: ErrorKind::PermissionDenied,
        lasting: false,
    },
    Trouble {
        name: "EIO of every read from then on",
        among: Calls::Reads,
        kind: ErrorKind::Other,
        lasting: true,
    },
    Trouble {
        name: "no memory for any read from then on",
        among: Calls::Reads,
        kind: ErrorKind::OutOfMemory,
        lasting: true,
    },
    Trouble { name: "EINTR of a read", among: Calls::Reads, kind: ErrorKind::Interrupted, lasting: false },
];

/// Runs the proof.
pub fn failing_calls(scale: &Scale, seed: u64) -> Outcome {
    let mut outcome = Outcome::default();
    outcome.count("failed calls", 0);
    for (number, workload) in WORKLOADS.iter().enumerate() {
        (scale.progress)("failing_calls", number as u64, WORKLOADS.len() as u64);
        let prepared = match runs(workload) {
            Ok(prepared) => prepared,
            Err(error) => {
                outcome.fail(format!("workload `{}` does not run: {error}", workload.name));
                continue;
            }
        };
        let made = (workload, &prepared);
        let first = |trouble: usize| (seed as usize + number + trouble) % scale.call_stride;
        let writer = TROUBLES.par_iter().enumerate().map(|(position, trouble)| {
            fail_each(made, trouble, first(position), scale.call_stride, writer_survives)
        });
        let reading = TROUBLES.par_iter().enumerate().filter(|(_, trouble)| trouble.among == Calls::Reads);
        let reader = reading.map(|(position, trouble)| {
            fail_each(made, trouble, first(position), scale.call_stride, reader_is_not_deceived)
        });
        for part in writer.chain(reader).collect::<Vec<_>>() {
            outcome.add(part);
        }
    }
    outcome.count("workloads", WORKLOADS.len() as u64);
    outcome.count("kinds of failure", TROUBLES.len() as u64);
    outcome
}

/// A workload, and what is there when it begins.
type Made<'a> = (&'a Workload, &'a Prepared);

/// A case: `None` when there are not so many calls.
type Case = fn(Made<'_>, &Trouble, usize) -> Result<Option<()>, String>;

fn fail_each(made: Made<'_>, trouble: &Trouble, first: usize, stride: usize, case: Case) -> Outcome {
    let mut outcome = Outcome::default();
    for skip in (first..).step_by(stride) {
        let mut came_up = true;
        let result = guarded(|| {
            came_up = case(made, trouble, skip)?.is_some();
            Ok(())
        });
        if !came_up {
            break;
        }
        outcome.count("failed calls", 1);
        outcome.check(result, || format!("workload `{}`, {} at call {skip}", made.0.name, trouble.name));
    }
    outcome
}

fn writer_survives(
    (workload, prepared): Made<'_>,
    trouble: &Trouble,
    skip: usize,
) -> Result<Option<()>, String> {
    let mut story = begun(workload, prepared)?;
    let (begin, settled) = (story.disk.log().len(), story.disk.entries());
    story.disk.fail(trouble.at(skip));
    let result = (workload.act)(&mut story);
    if story.disk.failure_pending() {
        return Ok(None);
    }
    if let Err(error) = result {
        says(&*error, trouble.kind)?;
    }
    if trouble.lasting {
        save_or_refuse(&mut story, trouble)?;
        story.disk.heal();
    }
    save_or_refuse(&mut story, trouble)?;
    let expected = story.expected();
    let log = story.disk.log();
    let mut journal = Journal::settled(&settled);
    log[begin..].iter().for_each(|operation| journal.record(operation));
    let after_power_cut = expected.access_on(&SimDisk::from_entries(journal.durable()));
    survives(&after_power_cut, &expected).map_err(|what| format!("after a power cut, {what}"))?;
    story.writer = None;
    survives(&story.access(), &expected)?;
    Ok(Some(()))
}

/// What is there when a workload begins that runs without a failure.
fn runs(workload: &Workload) -> Result<Prepared, Failure> {
    let prepared = Prepared::of(workload)?;
    let mut story = prepared.story();
    (workload.begin)(&mut story)?;
    (workload.act)(&mut story)?;
    Ok(prepared)
}

fn begun(workload: &Workload, prepared: &Prepared) -> Result<Story, String> {
    let mut story = prepared.story();
    (workload.begin)(&mut story).map_err(|error| format!("it does not begin: {error}"))?;
    Ok(story)
}

/// The writer that met the failure goes on: its save is right, or it refuses and says why.
fn save_or_refuse(story: &mut Story, trouble: &Trouble) -> Result<(), String> {
    let Some(store) = story.store() else { return Ok(()) };
    let next = store.steps().last().map_or(0, |step| step + 1);
    match story.save(next) {
        Ok(()) => Ok(()),
        Err(error) if matches!(error.downcast_ref(), Some(SaveError::Poisoned)) => Ok(()),
        Err(error) if trouble.lasting => says(&*error, trouble.kind),
        Err(error) => Err(format!("the writer neither refuses nor saves: {error}")),
    }
}

fn reader_is_not_deceived(
    (workload, prepared): Made<'_>,
    trouble: &Trouble,
    skip: usize,
) -> Result<Option<()>, String> {
    let mut story = begun(workload, prepared)?;
    (workload.act)(&mut story).map_err(|error| format!("it does not run: {error}"))?;
    story.writer = None;
    let expected = story.expected();
    story.disk.fail(trouble.at(skip));
    let opened = Store::open(story.access());
    let loaded = opened.map(|store| {
        for (step, allowed) in &expected.may {
            let loaded = store.checkpoint(*step).and_then(|checkpoint| checkpoint.load(&EntryPath::root()));
            if loaded.is_ok_and(|tree| allowed.iter().all(|allowed| **allowed != tree)) {
                return Err(format!("step {step} holds what was not saved"));
            }
        }
        store.verify(Depth::Full).map(drop).or_else(|error| says(&error, trouble.kind))
    });
    if story.disk.failure_pending() {
        return Ok(None);
    }
    match loaded {
        Ok(result) => result?,
        Err(error) => says(&error, trouble.kind)?,
    }
    story.disk.heal();
    survives(&story.access(), &expected)?;
    Ok(Some(()))
}

impl Trouble {
    fn at(&self, skip: usize) -> Fault {
        let Self { among, kind, lasting, .. } = *self;
        Fault { among, skip, kind, lasting }
    }
}
