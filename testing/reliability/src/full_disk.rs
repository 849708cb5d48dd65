//! The disk is full when a run is opened.
//!
//! For each workload, as it stands at its end: nothing more fits on the disk, or next to nothing. The run
//! must open, for writing too; checkpoints can be pruned, and garbage be collected, so that there is
//! room again; then saving works. Deeds may fail for want of room only when they say so, and whatever
//! happens, what was saved and not pruned is there.

use std::io::ErrorKind;

use rayon::prelude::*;

use crate::outcome::{Outcome, Scale, guarded};
use crate::survival::{says, survives};
use crate::workload::{Prepared, Story, WORKLOADS, Workload};

/// Bytes that are left on the disk.
const ROOMS: [u64; 6] = [0, 1, 100, 600, 3000, 20_000];
/// Grace periods: seconds. What waits for the end of one cannot be freed.
const GRACES: [u64; 2] = [0, 3600];

/// Runs the proof.
pub fn full_disk(scale: &Scale, _seed: u64) -> Outcome {
    let mut outcome = Outcome::default();
    for name in ["full disks", "that had room after pruning"] {
        outcome.count(name, 0);
    }
    let cases: Vec<_> = WORKLOADS
        .iter()
        .flat_map(|workload| ROOMS.iter().flat_map(move |&room| GRACES.map(|grace| (workload, room, grace))))
        .collect();
    (scale.progress)("full_disk", 0, 1);
    let found: Vec<_> = cases
        .par_iter()
        .map(|&(workload, room, grace)| {
            let mut freed = false;
            let result = guarded(|| {
                freed = prune_with(workload, room, grace)?;
                Ok(())
            });
            (freed, result)
        })
        .collect();
    for ((workload, room, grace), (freed, result)) in cases.into_iter().zip(found) {
        outcome.count("full disks", 1);
        outcome.count("that had room after pruning", u64::from(freed));
        outcome
            .check(result, || format!("workload `{}`, room for {room} bytes, grace {grace}", workload.name));
    }
    outcome
}

/// True when there was more room after the pruning.
fn prune_with(workload: &Workload, room: u64, grace: u64) -> Result<bool, String> {
    let mut story = ended(workload).map_err(|error| format!("it does not run: {error}"))?;
    let used = story.disk.used();
    story.disk.set_capacity(Some(used + room));
    story.reopen().map_err(|error| format!("it does not open: {error}"))?;
    deed(&mut story, grace, |story| story.prune(1, grace)).map_err(|what| format!("pruning: {what}"))?;
    deed(&mut story, grace, |story| story.gc(grace)).map_err(|what| format!("collecting: {what}"))?;
    let freed = story.disk.used() < used;
    if let Err(error) = story.save(1000) {
        says_full(&*error)?;
    }
    story.writer = None;
    story.disk.set_capacity(None);
    let expected = story.expected();
    survives(&story.access(), &expected)?;
    Ok(freed)
}

fn ended(workload: &Workload) -> Result<Story, crate::sample::Failure> {
    let mut story = Prepared::of(workload)?.story();
    (workload.begin)(&mut story)?;
    (workload.act)(&mut story)?;
    story.writer = None;
    Ok(story)
}

/// Without grace it works; otherwise it may say that there is no room.
fn deed(
    story: &mut Story,
    grace: u64,
    act: impl FnOnce(&mut Story) -> Result<(), crate::sample::Failure>,
) -> Result<(), String> {
    match act(story) {
        Ok(()) => Ok(()),
        Err(error) if grace > 0 => says_full(&*error),
        Err(error) => Err(error.to_string()),
    }
}

fn says_full(error: &dyn std::error::Error) -> Result<(), String> {
    let text = error.to_string();
    if text.contains("bytes free") { Ok(()) } else { says(error, ErrorKind::StorageFull) }
}
