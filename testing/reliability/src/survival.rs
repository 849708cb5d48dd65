//! What must be true of a run after anything: it opens; what was acknowledged loads; what is
//! visible is right; and a new writer can go on.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::sync::Arc;

use rekindle::tree::state_hash;
use rekindle::upkeep::{Depth, Unreadable, copy_objects};
use rekindle::{Access, EntryPath, OpenError, ReadError, SaveError, Store, Tree, Writer};

use crate::sample::{save, state};
use crate::workload::Expected;

/// Checks that the text of an error, or of one that it came from, has what the system said.
///
/// # Errors
/// When it has not.
pub fn says(error: &dyn Error, kind: ErrorKind) -> Result<(), String> {
    let system = io::Error::from(kind).to_string();
    let text = error.to_string();
    if text == SaveError::Poisoned.to_string() || text.contains(&system) {
        return Ok(());
    }
    Err(format!("the error does not say `{system}`: {text}"))
}

/// Checks a run that a reader opens, and then a writer, who saves once more.
///
/// # Errors
/// What is not as it must be.
pub fn survives(access: &Access, expected: &Expected) -> Result<(), String> {
    let reader = match Store::open(access.clone()) {
        Ok(store) => store,
        Err(OpenError::NoRun { .. }) if !expected.created && expected.must.is_empty() => {
            return can_begin(access, expected);
        }
        Err(error) => return Err(format!("it does not open for reading: {error}")),
    };
    holds(&reader, expected).map_err(|what| format!("to a reader, {what}"))?;
    let mut writer = open_for_writing(access)?;
    holds(&writer, expected).map_err(|what| format!("to a writer, {what}"))?;
    // A copy that was cut short says so: its tags are there before its checkpoints.
    let is_part_of_a_copy = expected.copied_from.is_some() && !expected.created;
    if expected.damaged.is_empty() && !is_part_of_a_copy {
        is_whole(&writer)?;
    }
    let next = writer.steps().last().map_or(0, |step| step + 1);
    save(&mut writer, next, &state(next)).map_err(|error| format!("a new save fails: {error}"))?;
    drop(writer);
    let mut after = expected.clone();
    after.must.insert(next, Arc::new(state(next)));
    after.may.entry(next).or_default().push(Arc::new(state(next)));
    let mut writer = open_for_writing(access)?;
    holds(&writer, &after).map_err(|what| format!("after a new save, {what}"))?;
    if expected.damaged.is_empty() { Ok(()) } else { can_be_repaired(&mut writer, after) }
}

fn is_whole(store: &Store) -> Result<(), String> {
    let report = store.verify(Depth::Full).map_err(|error| format!("verify: {error}"))?;
    report.damage.first().map_or(Ok(()), |damage| Err(format!("verify finds damage: {damage}")))
}

/// A repair that was cut short, or not begun, can be done.
fn can_be_repaired(store: &mut Writer, mut expected: Expected) -> Result<(), String> {
    let repaired =
        store.repair(Unreadable::Refuse).map_err(|error| format!("it cannot be repaired: {error}"))?;
    let there = store.steps();
    let kept = std::mem::take(&mut expected.damaged).into_iter().filter(|step| there.contains(step));
    for step in kept.collect::<Vec<_>>() {
        let tree = Arc::clone(&expected.may[&step][0]);
        expected.must.insert(step, tree);
    }
    if let Some(skipped) = repaired.set_aside.iter().find(|skipped| expected.must.contains_key(&skipped.step))
    {
        return Err(format!("repair sets step {} aside, which is whole", skipped.step));
    }
    holds(store, &expected).map_err(|what| format!("after a repair, {what}"))?;
    is_whole(store).map_err(|what| format!("after a repair, {what}"))
}

fn open_for_writing(access: &Access) -> Result<Writer, String> {
    let opened = Writer::open(access.clone(), "after");
    opened.map_err(|error| format!("it does not open for writing: {error}"))
}

/// Nothing was promised yet: a run can be made there, or the copy of one be made again.
fn can_begin(access: &Access, expected: &Expected) -> Result<(), String> {
    if let Some(from) = &expected.copied_from {
        copy_objects(Arc::clone(from), access.storage(), |_, _| {})
            .map_err(|error| format!("copying again: {error}"))?;
        let store = open_for_writing(access)?;
        is_whole(&store)?;
        let steps = store.steps();
        return steps.into_iter().try_for_each(|step| loads(&store, step, &[Arc::new(state(step))]));
    }
    let created = Writer::create(access.clone(), "", None, "after");
    let mut store = created.map_err(|error| format!("no run can be made: {error}"))?;
    save(&mut store, 0, &state(0)).map_err(|error| format!("a first save fails: {error}"))?;
    loads(&store, 0, &[Arc::new(state(0))])
}

/// What was acknowledged loads, and all that is visible is what was saved.
///
/// # Errors
/// What is not as it must be.
pub fn holds(store: &Store, expected: &Expected) -> Result<(), String> {
    for (step, tree) in &expected.must {
        loads(store, *step, std::slice::from_ref(tree))?;
    }
    let steps = store.steps();
    for &step in &expected.damaged {
        is_damaged_or_loads(store, step, &expected.may[&step])?;
    }
    let others = |step: &u64| !expected.must.contains_key(step) && !expected.damaged.contains(step);
    for step in steps.into_iter().filter(others) {
        let allowed = expected.may.get(&step).ok_or_else(|| format!("step {step} was never saved"))?;
        loads(store, step, allowed)?;
    }
    let tags = store.tags().map_err(|error| error.to_string())?;
    for (name, allowed) in &expected.tags {
        let found = match tags.get(name) {
            Some(Err(damage)) => return Err(format!("tag `{name}`: {damage}")),
            Some(Ok(step)) => Some(*step),
            None => None,
        };
        is_allowed(&format!("tag `{name}`"), &found, allowed)?;
    }
    for (step, allowed) in &expected.notes {
        let found = store.note(*step).map_err(|error| format!("the note on {step:?}: {error}"))?;
        is_allowed(&format!("the note on {step:?}"), &found, allowed)?;
    }
    for (step, allowed) in &expected.signatures {
        let found = store.signatures(*step).map_err(|error| format!("signatures of {step}: {error}"))?;
        let found = found.into_iter().next().map(|signature| signature.signature);
        is_allowed(&format!("the signature of {step}"), &found, allowed)?;
    }
    Ok(())
}

fn is_allowed<V: PartialEq + std::fmt::Debug>(what: &str, found: &V, allowed: &[V]) -> Result<(), String> {
    if allowed.contains(found) {
        return Ok(());
    }
    Err(format!("{what} is {found:?}, expected one of {allowed:?}"))
}

/// A checkpoint that was damaged is what was saved, or is known to be damaged, or was set aside as
/// a whole.
fn is_damaged_or_loads(store: &Store, step: u64, allowed: &[Arc<Tree>]) -> Result<(), String> {
    let checkpoint = match store.checkpoint(step) {
        Ok(checkpoint) => checkpoint,
        Err(ReadError::NoCheckpoint { .. }) => {
            let kept = store.storage().len(&format!("damaged/commits/{step:012}.json"));
            return kept.map(drop).map_err(|_| format!("step {step} is gone, and its record too"));
        }
        Err(error) => return Err(format!("step {step}: {error}")),
    };
    match checkpoint.load(&EntryPath::root()) {
        Ok(tree) if allowed.iter().any(|allowed| **allowed == tree) => Ok(()),
        Ok(_) => Err(format!("step {step}, which was damaged, holds what was not saved")),
        Err(ReadError::Damaged(_)) => Ok(()),
        Err(error) => Err(format!("step {step}: {error}")),
    }
}

/// The checkpoint at `step` loads, with its state hash, and is one of `allowed`.
fn loads(store: &Store, step: u64, allowed: &[Arc<Tree>]) -> Result<(), String> {
    let checkpoint = store.checkpoint(step).map_err(|error| format!("step {step}: {error}"))?;
    let tree = checkpoint.load(&EntryPath::root()).map_err(|error| format!("step {step}: {error}"))?;
    if !allowed.iter().any(|allowed| **allowed == tree) {
        return Err(format!("step {step} holds what was not saved"));
    }
    if state_hash(&tree) != checkpoint.record().state_hash {
        return Err(format!("step {step} has another state hash than its record says"));
    }
    Ok(())
}
