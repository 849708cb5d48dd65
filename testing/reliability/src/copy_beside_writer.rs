//! A run is copied while a writer saves, prunes and compacts it.
//!
//! Each case is a run in memory, and a copy of it, object by object, whose progress lets the writer act:
//! at random calls, up to a random number of them, it does one or several of saving, saving a state
//! that was there before, pruning, pruning between saves, collecting garbage, tagging, discarding,
//! mostly without any grace. Then the copy opens; every checkpoint of it is whole, holds what was saved
//! at its step; every one that was there all the time is in it; its tags point to what it has. When nothing could be copied, that is an error; the run that was
//! copied has lost nothing either way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;
use rekindle::storage::{MemoryStorage, Storage};
use rekindle::upkeep::{CopyError, Depth, copy_objects};
use rekindle::{Access, DataKey, EntryPath, Retention, Store, Tree, Writer};

use crate::outcome::{Outcome, Scale, guarded};
use crate::random::Random;
use crate::sample::{save, state};

/// Runs the proof.
pub fn copy_beside_writer(scale: &Scale, seed: u64) -> Outcome {
    let mut outcome = Outcome::default();
    for name in ["copies", "acts of the writer beside them", "refused, as nothing was left or settled"] {
        outcome.count(name, 0);
    }
    let numbers: Vec<u64> = (0..scale.copies).collect();
    for part in numbers.chunks(64) {
        (scale.progress)("copy_beside_writer", part[0], scale.copies);
        let found: Vec<_> = part.par_iter().map(|&number| copy_one(seed, number)).collect();
        for (number, (seen, result)) in part.iter().zip(found) {
            outcome.count("copies", 1);
            outcome.count("acts of the writer beside them", seen.acts);
            outcome.count("refused, as nothing was left or settled", u64::from(seen.refused));
            outcome.check(result, || format!("seed {seed}, case {number}"));
        }
    }
    outcome
}

#[derive(Debug, Default)]
struct Seen {
    acts: u64,
    refused: bool,
}

fn copy_one(seed: u64, number: u64) -> (Seen, Result<(), String>) {
    let mut seen = Seen::default();
    let result = guarded(|| {
        let mut random = Random::new(seed, &[number]);
        let key = random.one_in(3).then(|| DataKey::from_bytes([3; 32]));
        let storage = with_key(Arc::new(MemoryStorage::new()), key.as_ref());
        let mut writer = RandomWriter::new(storage.clone(), random)?;
        writer.begin()?;
        writer.stayed = writer.saved.keys().copied().collect();
        let target: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
        let mut failure = None;
        let copied = copy_objects(storage.clone(), &target, |_, _| {
            failure = failure.take().or(writer.act_or_not().err());
        });
        if let Some(failure) = failure {
            return Err(format!("the writer: {failure}"));
        }
        seen.acts = writer.acts;
        let all_went = writer.stayed.is_empty();
        seen.refused = match copied {
            Ok(_) => false,
            Err(CopyError::NothingLeft { .. }) if all_went => true,
            Err(CopyError::Unsettled { .. }) if writer.acts > 0 => true,
            Err(error) => return Err(format!("the copy: {error}")),
        };
        is_whole(&Store::open(storage).map_err(text)?, &writer.saved).map_err(in_the("run"))?;
        if seen.refused {
            return Ok(());
        }
        let copy = Store::open(with_key(target, key.as_ref())).map_err(text)?;
        is_whole(&copy, &writer.ever).map_err(in_the("copy"))?;
        match writer.stayed.iter().find(|step| !copy.steps().contains(step)) {
            Some(step) => Err(format!("the copy lacks step {step}, which was there all the time")),
            None => Ok(()),
        }
    });
    (seen, result)
}

fn with_key(storage: Arc<dyn Storage>, key: Option<&DataKey>) -> Access {
    Access::new(storage, key.cloned())
}

/// Every checkpoint is whole and is one of these, and every tag points to one.
fn is_whole(store: &Store, saved: &BTreeMap<u64, Tree>) -> Result<(), String> {
    let report = store.verify(Depth::Full).map_err(text)?;
    if let Some(damage) = report.damage.first() {
        return Err(format!("damage: {damage}"));
    }
    for step in store.steps() {
        let loaded = store.checkpoint(step).and_then(|checkpoint| checkpoint.load(&EntryPath::root()));
        if saved.get(&step) != Some(&loaded.map_err(text)?) {
            return Err(format!("step {step} holds what was not saved"));
        }
    }
    for (name, step) in store.tags().map_err(text)? {
        let step = step.map_err(text)?;
        if !store.steps().contains(&step) {
            return Err(format!("tag `{name}` points to step {step}, which is not there"));
        }
    }
    Ok(())
}

/// Whoever writes the run that is copied.
struct RandomWriter {
    store: Writer,
    random: Random,
    /// What is there, by step.
    saved: BTreeMap<u64, Tree>,
    /// What was there at any time.
    ever: BTreeMap<u64, Tree>,
    tagged: BTreeMap<String, u64>,
    /// What was there when the copy began, and still is.
    stayed: BTreeSet<u64>,
    next: u64,
    acts: u64,
    /// So many acts are left.
    patience: u64,
    /// It acts at one of so many calls.
    seldom: u64,
}

impl RandomWriter {
    fn new(storage: Access, mut random: Random) -> Result<Self, String> {
        let store = Writer::create(storage, "", None, "writer").map_err(text)?;
        let patience = *random.choose(&[1, 5, 30, 200]);
        let seldom = *random.choose(&[1, 1, 2, 5]);
        let (saved, ever, tagged, stayed) = Default::default();
        Ok(Self { store, random, saved, ever, tagged, stayed, next: 0, acts: 0, patience, seldom })
    }

    fn begin(&mut self) -> Result<(), String> {
        for _ in 0..4 + self.random.below(8) {
            self.save()?;
        }
        self.act().and_then(|()| self.act())
    }

    fn act_or_not(&mut self) -> Result<(), String> {
        if self.patience == 0 || !self.random.one_in(self.seldom) {
            return Ok(());
        }
        self.patience -= 1;
        for _ in 0..1 + self.random.below(4) {
            self.acts += 1;
            self.act()?;
        }
        Ok(())
    }

    fn act(&mut self) -> Result<(), String> {
        let keep_last = 1 + self.random.below(4);
        let retention = Retention { keep_last: Some(keep_last), ..Retention::default() };
        let grace = *self.random.choose(&[0, 0, 0, 3600]);
        match self.random.below(9) {
            0..=3 => self.save(),
            4 => {
                self.store.prune(&retention, None, grace).map_err(text)?;
                self.settle()
            }
            5 => {
                self.store.prune_between_saves(&retention, None, grace).map_err(text)?;
                self.settle()
            }
            6 => self.store.gc(grace).map(drop).map_err(text),
            7 => self.tag(),
            _ => self.discard(),
        }
    }

    fn save(&mut self) -> Result<(), String> {
        let step = self.next;
        self.next += 1;
        let tree = state(step);
        save(&mut self.store, step, &tree).map_err(text)?;
        self.ever.insert(step, tree.clone());
        self.saved.insert(step, tree);
        Ok(())
    }

    fn tag(&mut self) -> Result<(), String> {
        let steps: Vec<u64> = self.saved.keys().copied().collect();
        let name = *self.random.choose(&["good", "paper"]);
        if steps.is_empty() || self.random.one_in(3) {
            return match self.tagged.remove(name) {
                Some(_) => self.store.delete_tag(name).map_err(text),
                None => Ok(()),
            };
        }
        let step = *self.random.choose(&steps);
        self.store.set_tag(name, step, true).map_err(text)?;
        self.tagged.insert(name.to_owned(), step);
        Ok(())
    }

    fn discard(&mut self) -> Result<(), String> {
        let Some((&newest, _)) = self.saved.last_key_value() else { return Ok(()) };
        if newest == 0 || self.tagged.values().any(|step| *step == newest) {
            return Ok(());
        }
        self.store.discard_after(newest - 1).map_err(text)?;
        self.settle()
    }

    /// Takes note of what is gone.
    fn settle(&mut self) -> Result<(), String> {
        let there = self.store.steps();
        self.saved.retain(|step, _| there.contains(step));
        self.stayed.retain(|step| there.contains(step));
        Ok(())
    }
}

fn in_the(place: &'static str) -> impl Fn(String) -> String {
    move |what| format!("in the {place}, {what}")
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
