//! What must be true of a run after anything: it opens; what was acknowledged loads; what is
//! visible is right; and a new writer can go on.

use std::sync::Arc;

use rekindle::storage::Storage;
use rekindle::{Depth, EntryPath, OpenError, Store, Tree, state_hash};

use crate::sample::{save, state};
use crate::workload::Expected;

/// Checks a run that a reader opens, and then a writer, who saves once more.
///
/// # Errors
/// What is not as it must be.
pub fn survives(storage: &Arc<dyn Storage>, expected: &Expected) -> Result<(), String> {
    let reader = match Store::open(Arc::clone(storage)) {
        Ok(store) => store,
        Err(OpenError::NoRun { .. }) if !expected.created && expected.must.is_empty() => {
            return can_begin(storage);
        }
        Err(error) => return Err(format!("it does not open for reading: {error}")),
    };
    holds(&reader, expected).map_err(|what| format!("to a reader, {what}"))?;
    let mut writer = open_for_writing(storage)?;
    holds(&writer, expected).map_err(|what| format!("to a writer, {what}"))?;
    let report = writer.verify(Depth::Full).map_err(|error| format!("verify: {error}"))?;
    if let Some(damage) = report.damage.first() {
        return Err(format!("verify finds damage: {damage}"));
    }
    let next = writer.steps().last().map_or(0, |step| step + 1);
    save(&mut writer, next, &state(next)).map_err(|error| format!("a new save fails: {error}"))?;
    drop(writer);
    let mut after = expected.clone();
    after.must.insert(next, Arc::new(state(next)));
    after.may.entry(next).or_default().push(Arc::new(state(next)));
    holds(&open_for_writing(storage)?, &after).map_err(|what| format!("after a new save, {what}"))
}

fn open_for_writing(storage: &Arc<dyn Storage>) -> Result<Store, String> {
    let opened = Store::open_for_writing(Arc::clone(storage), "after");
    opened.map_err(|error| format!("it does not open for writing: {error}"))
}

/// Nothing was promised yet: a run can be made there.
fn can_begin(storage: &Arc<dyn Storage>) -> Result<(), String> {
    let created = Store::create(Arc::clone(storage), "", None, "after");
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
    for step in store.steps().into_iter().filter(|step| !expected.must.contains_key(step)) {
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
        if !allowed.contains(&found) {
            return Err(format!("tag `{name}` points to {found:?}, expected one of {allowed:?}"));
        }
    }
    Ok(())
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
