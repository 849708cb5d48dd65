//! Long random sequences of operations, against a plain map.
//!
//! Each episode is a run in memory or on a simulated disk, encrypted or not, and some two hundred
//! random operations: saving, saving the same or another state at a step that is taken, loading
//! whole, in part and by rows, tags, notes, pruning by random rules and between saves as a training
//! does it, collecting garbage, repairing what is whole, discarding, copying to another run, opening
//! anew, readers that opened before and load within the grace period, and the end of that period. States
//! share chunks, return to what they were, and have an array that drifts, so that it is stored as
//! differences and, every so often, in full. Every fourth episode is mostly a training, so that
//! packs are compacted between its saves; in some, packs are too long to be joined. Beside it a
//! [`BTreeMap`] says what must be there; it knows nothing of chunks, packs or grace periods, and
//! works out by itself which checkpoints a retention keeps. After every operation the steps and
//! tags are compared, and a random checkpoint is loaded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;
use rekindle::storage::MemoryStorage;
use rekindle::storage::sim::SimDisk;
use rekindle::tree::{Array, DType, Scalar};
use rekindle::upkeep::{Depth, PruneError, Repaired, Unreadable};
use rekindle::{
    Access, Best, DataKey, EntryPath, Goal, Node, ReadError, Retention, SaveError, Store, Tree, Writer,
};

use crate::outcome::{Outcome, Scale, guarded};
use crate::packs;
use crate::random::Random;
use crate::sample::{self, drifting, loss, noise, row};
use crate::workload::access_on;

/// Operations of an episode.
const EPISODE: u64 = 200;
/// What the report calls prunings between saves that wrote packs anew.
const COMPACTIONS: &str = "compactions between saves";
const TAGS: [&str; 3] = ["good", "paper", "v1.0"];

/// Runs the proof.
pub fn model(scale: &Scale, seed: u64) -> Outcome {
    let episodes = scale.operations.div_ceil(EPISODE);
    let mut outcome = Outcome::default();
    for name in ["operations", "chunks that are differences", COMPACTIONS] {
        outcome.count(name, 0);
    }
    // In parts, so that progress can be told.
    let parts: Vec<u64> = (0..episodes).collect();
    for part in parts.chunks(20) {
        (scale.progress)("model", part[0], episodes);
        let found: Vec<_> = part.par_iter().map(|&number| (number, episode(seed, number))).collect();
        for (number, (done, found, result)) in found {
            outcome.count("chunks that are differences", found.differences);
            outcome.count(COMPACTIONS, found.compactions);
            outcome.count("operations", done.len() as u64);
            done.into_iter().for_each(|name| outcome.count(name, 1));
            outcome.count("episodes", 1);
            outcome.check(result, || format!("seed {seed}, episode {number}"));
        }
    }
    if outcome.counts[1].1 == 0 {
        outcome.fail("no chunk was stored as a difference".to_owned());
    }
    if outcome.counts[2].1 == 0 {
        outcome.fail("no pack was compacted between saves".to_owned());
    }
    outcome
}

/// What an episode came upon.
#[derive(Debug, Default)]
struct Found {
    /// Chunks that were differences at the end.
    differences: u64,
    /// Prunings between saves that wrote packs anew.
    compactions: u64,
}

/// The operations that were done, what they came upon, and what went wrong.
fn episode(seed: u64, number: u64) -> (Vec<&'static str>, Found, Result<(), String>) {
    let (mut done, mut found) = (Vec::new(), Found::default());
    let result = guarded(|| {
        let kind = Kind { trains: number % 4 == 3, is_large: number % 16 == 5 };
        let mut pair = Pair::new(Random::new(seed, &[number]), access_of(number), kind)?;
        for position in 0..EPISODE {
            let name = pair.operate().map_err(|what| format!("operation {position}: {what}"))?;
            done.push(name);
            pair.agree().map_err(|what| format!("after operation {position} ({name}): {what}"))?;
        }
        let codecs = packs::codecs(&**pair.access.storage()).map_err(text)?;
        found.differences = packs::differences(&codecs);
        found.compactions = pair.compactions;
        Ok(())
    });
    (done, found, result)
}

/// In memory or on a disk, encrypted or not: each in every fourth episode.
fn access_of(number: u64) -> Access {
    let key = number.is_multiple_of(2).then(|| DataKey::from_bytes([number as u8; 32]));
    match (number / 2).is_multiple_of(2) {
        true => Access::new(Arc::new(MemoryStorage::new()), key),
        false => access_on(&SimDisk::new(), key.as_ref()),
    }
}

/// The run, and what it should be.
struct Pair {
    random: Random,
    access: Access,
    store: Writer,
    checkpoints: BTreeMap<u64, Known>,
    tags: BTreeMap<String, u64>,
    notes: BTreeMap<Option<u64>, String>,
    /// States so far: what drifts follows it.
    moment: u64,
    kind: Kind,
    compactions: u64,
    reader: Option<Reader>,
}

/// What an episode is about.
#[derive(Debug, Clone, Copy)]
struct Kind {
    /// Mostly saving, and pruning between saves.
    trains: bool,
    /// Every state has an array that makes its pack a long one.
    is_large: bool,
}

/// Somebody who opened the run before, and may read what was there as long as nothing was freed.
struct Reader {
    store: Store,
    checkpoints: BTreeMap<u64, Known>,
}

/// A checkpoint as the model knows it.
#[derive(Debug, Clone)]
struct Known {
    tree: Tree,
    /// The steps whose rows its history has.
    history: Vec<u64>,
}

impl Pair {
    fn new(random: Random, access: Access, kind: Kind) -> Result<Self, String> {
        let store = Writer::create(access.clone(), "", None, "model").map_err(text)?;
        let (checkpoints, tags, notes) = Default::default();
        let (moment, compactions, reader) = Default::default();
        Ok(Self { random, access, store, checkpoints, tags, notes, moment, kind, compactions, reader })
    }

    /// One random operation; gives its name.
    fn operate(&mut self) -> Result<&'static str, String> {
        if self.kind.trains && !self.random.one_in(8) {
            return self.train();
        }
        match self.random.below(32) {
            0..=6 => self.save(),
            7 => self.save_again(),
            8 => self.save_otherwise(),
            9..=10 => self.load_part(),
            11..=12 => self.tag(),
            13 => self.untag(),
            14..=15 => self.prune(),
            16 => self.discard(),
            17 => self.copy(),
            18 => self.reopen(),
            19..=20 => self.gc(),
            21 => self.repair(),
            22 => self.note(),
            23..=24 => self.load_rows(),
            25..=27 => self.train(),
            28..=29 => self.open_reader(),
            30 => self.let_time_pass(),
            _ => self.verify(),
        }
    }

    fn newest(&self) -> Option<u64> {
        self.checkpoints.last_key_value().map(|last| *last.0)
    }

    fn any_step(&mut self) -> Option<u64> {
        let steps: Vec<u64> = self.checkpoints.keys().copied().collect();
        (!steps.is_empty()).then(|| *self.random.choose(&steps))
    }

    /// A state of a few arrays out of a small set, so that chunks are shared and come back.
    fn random_state(&mut self) -> Tree {
        let arrays = 1 + self.random.below(4);
        let mut fields: Vec<(String, Tree)> = (0..arrays)
            .map(|i| {
                let len = *self.random.choose(&[1, 100, 256, 300, 700]);
                (format!("array{i}"), noise(len, self.random.below(6)))
            })
            .collect();
        self.moment += 1;
        // It may be what it was at any time before.
        let moment = if self.random.one_in(3) { 1 + self.random.below(self.moment) } else { self.moment };
        fields.push(("drifting".to_owned(), drifting(300, 1, moment)));
        if self.kind.is_large {
            fields.push(("large".to_owned(), large(0)));
        } else if self.random.one_in(100) {
            fields.push(("large".to_owned(), large(self.random.below(2))));
        }
        let count = self.random.below(300) as usize;
        fields.push(("list".to_owned(), Node::List(vec![Node::Scalar(Scalar::U8(7)); count])));
        fields.push(("text".to_owned(), Node::Scalar(Scalar::Str("long ".repeat(count * 2)))));
        Node::Struct(fields)
    }

    fn save(&mut self) -> Result<&'static str, String> {
        let step = self.newest().map_or(0, |newest| newest + 1 + self.random.below(5));
        let tree = self.random_state();
        let saved = sample::save(&mut self.store, step, &tree).map_err(text)?;
        let mut history =
            self.newest().map_or(Vec::new(), |newest| self.checkpoints[&newest].history.clone());
        history.push(step);
        self.checkpoints.insert(step, Known { tree, history });
        require(saved.written, "a new checkpoint was not written")?;
        Ok("saves")
    }

    fn save_again(&mut self) -> Result<&'static str, String> {
        if let Some(step) = self.any_step() {
            let saved = sample::save(&mut self.store, step, &self.checkpoints[&step].tree).map_err(text)?;
            require(!saved.written, "the same state was written twice")?;
        }
        Ok("repeated saves")
    }

    fn save_otherwise(&mut self) -> Result<&'static str, String> {
        let Some(newest) = self.newest() else { return Ok("refused saves") };
        let step = self.random.below(newest + 1);
        let tree = Node::List(vec![noise(300, 77), Node::Null]);
        match (sample::save(&mut self.store, step, &tree), self.checkpoints.contains_key(&step)) {
            (Err(SaveError::StepTaken { .. }), true) | (Err(SaveError::StepBehind { .. }), false) => {}
            (result, _) => return Err(format!("saving another state at step {step}: {result:?}")),
        }
        Ok("refused saves")
    }

    fn load_part(&mut self) -> Result<&'static str, String> {
        let Some(step) = self.any_step() else { return Ok("partial loads") };
        let Node::Struct(fields) = &self.checkpoints[&step].tree else { unreachable!("states are structs") };
        let (name, wanted) = self.random.choose(fields);
        let found = self.store.checkpoint(step).map_err(text)?.load(&EntryPath::root().child(name));
        require(found.map_err(text)? == *wanted, "a part of the state is wrong")?;
        Ok("partial loads")
    }

    fn load_rows(&mut self) -> Result<&'static str, String> {
        let Some(step) = self.any_step() else { return Ok("loads of rows") };
        let Node::Struct(fields) = &self.checkpoints[&step].tree else { unreachable!("states are structs") };
        let arrays: Vec<(&String, &Array)> = fields
            .iter()
            .filter_map(|(name, node)| match node {
                Node::Array(array) => Some((name, array)),
                _ => None,
            })
            .collect();
        let (name, wanted) = *self.random.choose(&arrays);
        let count = wanted.kind().shape[0];
        let start = self.random.below(count + 1);
        let end = start + self.random.below(count + 2 - start);
        let checkpoint = self.store.checkpoint(step).map_err(text)?;
        let (tree, path) = (checkpoint.tree().map_err(text)?, EntryPath::root().child(name));
        let Some(Node::Array(array)) = tree.at(&path) else { return Err("an array is gone".to_owned()) };
        let row_len = wanted.data().len() / count as usize;
        match checkpoint.read_rows(&path, array, start..end) {
            Err(ReadError::NoRows { .. }) if end > count => {}
            Ok(rows) if end <= count => {
                let slice = &wanted.data()[start as usize * row_len..end as usize * row_len];
                require(rows == slice, "rows are wrong")?;
            }
            result => return Err(format!("rows {start}..{end} of {count}: {result:?}")),
        }
        Ok("loads of rows")
    }

    fn tag(&mut self) -> Result<&'static str, String> {
        let Some(step) = self.any_step() else { return Ok("tags") };
        let name = *self.random.choose(&TAGS);
        let force = self.random.one_in(2);
        let free = self.tags.get(name).is_none_or(|there| *there == step);
        let result = self.store.set_tag(name, step, force);
        require(result.is_ok() == (free || force), "a tag was moved without force, or not with it")?;
        if result.is_ok() {
            self.tags.insert(name.to_owned(), step);
        }
        Ok("tags")
    }

    fn untag(&mut self) -> Result<&'static str, String> {
        let name = *self.random.choose(&TAGS);
        let there = self.tags.remove(name).is_some();
        require(self.store.delete_tag(name).is_ok() == there, "a tag was not deleted, or deleted twice")?;
        Ok("tags")
    }

    fn prune(&mut self) -> Result<&'static str, String> {
        let rule = |random: &mut Random, most| random.one_in(2).then(|| 1 + random.below(most));
        let by_loss = |goal| Best { metric: "loss".to_owned(), goal };
        let retention = Retention {
            keep_last: rule(&mut self.random, 8),
            keep_every: rule(&mut self.random, 6),
            keep_best: if self.random.one_in(3) { vec![by_loss(Goal::Max)] } else { vec![] },
        };
        let best = self.random.one_in(2).then(|| by_loss(Goal::Min));
        let grace = *self.random.choose(&[0, 0, 3600]);
        let kept = self.kept_by(&retention, best.as_ref());
        let pruned = self.store.prune(&retention, best.as_ref(), grace).map_err(text)?;
        require(pruned.kept_because.is_none(), "a whole run is taken for damaged")?;
        self.keep(|step| kept.contains(&step));
        self.is_freed_after(grace);
        Ok("prunes")
    }

    /// A save, and the pruning after it that a training does.
    fn train(&mut self) -> Result<&'static str, String> {
        self.save()?;
        let keep_last = Some(1 + self.random.below(3));
        let retention = Retention { keep_last, ..Retention::default() };
        let grace = if self.random.one_in(2) { 3600 } else { 0 };
        let kept = self.kept_by(&retention, None);
        let pruned = self.store.prune_between_saves(&retention, None, grace).map_err(text)?;
        require(pruned.kept_because.is_none(), "a whole run is taken for damaged")?;
        self.compactions += u64::from(pruned.rewritten_bytes > 0);
        self.keep(|step| kept.contains(&step));
        self.is_freed_after(grace);
        Ok("saves with prunes between")
    }

    /// From now on only those can count on packs that nothing needs who came later.
    fn is_freed_after(&mut self, grace: u64) {
        if grace == 0 {
            self.reader = None;
        }
    }

    fn open_reader(&mut self) -> Result<&'static str, String> {
        let store = Store::open(self.access.clone()).map_err(text)?;
        self.reader = Some(Reader { store, checkpoints: self.checkpoints.clone() });
        Ok("readers")
    }

    /// Every grace period that has begun is over.
    fn let_time_pass(&mut self) -> Result<&'static str, String> {
        for mark in self.access.storage().list("trash/").map_err(text)? {
            self.access.storage().put(&mark.name, b"1000\n").map_err(text)?;
        }
        self.reader = None;
        self.reopen()?;
        Ok("ends of grace periods")
    }

    fn gc(&mut self) -> Result<&'static str, String> {
        let grace = *self.random.choose(&[0, 0, 3600]);
        let collected = self.store.gc(grace).map_err(text)?;
        require(collected.kept_because.is_none(), "a whole run is taken for damaged")?;
        require(collected.plan.delete.is_empty(), "a checkpoint is taken for garbage")?;
        self.is_freed_after(grace);
        Ok("garbage collections")
    }

    /// Of a run that is whole, a repair changes nothing.
    fn repair(&mut self) -> Result<&'static str, String> {
        let before = self.objects()?;
        let repaired = self.store.repair(Unreadable::Refuse).map_err(text)?;
        require(repaired == Repaired::default(), "a whole run is repaired")?;
        require(self.objects()? == before, "a repair changes a whole run")?;
        Ok("repairs of nothing")
    }

    fn objects(&self) -> Result<BTreeMap<String, Vec<u8>>, String> {
        let read =
            |name: String| Ok((name.clone(), self.access.storage().read(&name, u64::MAX).map_err(text)?));
        self.access.storage().list("").map_err(text)?.into_iter().map(|object| read(object.name)).collect()
    }

    fn note(&mut self) -> Result<&'static str, String> {
        let step = if self.random.one_in(3) { None } else { self.any_step() };
        let note = *self.random.choose(&["", "a note", "another"]);
        self.store.set_note(step, note).map_err(text)?;
        match note {
            "" => self.notes.remove(&step),
            note => self.notes.insert(step, note.to_owned()),
        };
        Ok("notes")
    }

    /// Checkpoints go, and what was said of them.
    fn keep(&mut self, keeps: impl Fn(u64) -> bool) {
        self.checkpoints.retain(|&step, _| keeps(step));
        self.notes.retain(|&step, _| step.is_none_or(&keeps));
    }

    /// What a retention keeps, worked out from its description.
    fn kept_by(&self, retention: &Retention, best: Option<&Best>) -> BTreeSet<u64> {
        let steps: Vec<u64> = self.checkpoints.keys().copied().collect();
        if *retention == Retention::default() {
            return steps.into_iter().collect();
        }
        let mut kept: BTreeSet<u64> = self.tags.values().copied().collect();
        kept.extend(steps.last());
        for best in best.into_iter().chain(&retention.keep_best) {
            let sign = if best.goal == Goal::Min { 1.0 } else { -1.0 };
            let value = |step: &&u64| sign * loss(**step);
            kept.extend(steps.iter().min_by(|a, b| value(a).total_cmp(&value(b))));
        }
        let last = retention.keep_last.unwrap_or(0) as usize;
        kept.extend(steps.iter().rev().take(last));
        if let Some(every) = retention.keep_every {
            kept.extend(steps.iter().filter(|step| **step % every == 0));
        }
        kept
    }

    fn discard(&mut self) -> Result<&'static str, String> {
        let Some(step) = self.any_step() else { return Ok("discards") };
        let tagged = self.tags.values().any(|tagged| *tagged > step);
        match self.store.discard_after(step) {
            Err(PruneError::Tagged { .. }) if tagged => return Ok("discards"),
            Err(error) => return Err(text(error)),
            Ok(_) => {}
        }
        require(!tagged, "a tagged checkpoint was discarded")?;
        self.keep(|kept| kept <= step);
        Ok("discards")
    }

    fn copy(&mut self) -> Result<&'static str, String> {
        let Some(step) = self.any_step() else { return Ok("copies") };
        let mut other = Writer::create(Arc::new(MemoryStorage::new()), "", None, "copy").map_err(text)?;
        let from = self.store.checkpoint(step).map_err(text)?;
        other.copy_checkpoint(&from).map_err(text)?;
        let copied = other.checkpoint(step).and_then(|checkpoint| checkpoint.load(&EntryPath::root()));
        require(copied.map_err(text)? == self.checkpoints[&step].tree, "a copy is not what was copied")?;
        Ok("copies")
    }

    fn reopen(&mut self) -> Result<&'static str, String> {
        // The old writer must have let go of the run before the new one takes it.
        let elsewhere = Writer::create(Arc::new(MemoryStorage::new()), "", None, "model").map_err(text)?;
        drop(std::mem::replace(&mut self.store, elsewhere));
        self.store = Writer::open(self.access.clone(), "model").map_err(text)?;
        Ok("openings")
    }

    fn verify(&mut self) -> Result<&'static str, String> {
        let report = self.store.verify(Depth::Full).map_err(text)?;
        match report.damage.first() {
            Some(damage) => return Err(format!("damage in a whole run: {damage}")),
            None => require(report.valid.len() == self.checkpoints.len(), "not all are valid")?,
        }
        Ok("verifications")
    }

    /// The run is what the model says.
    fn agree(&mut self) -> Result<(), String> {
        let steps: Vec<u64> = self.checkpoints.keys().copied().collect();
        require(self.store.steps() == steps, "the steps are not those that they should be")?;
        let tags = self.store.tags().map_err(text)?;
        let tags: BTreeMap<String, u64> =
            tags.into_iter().filter_map(|(name, step)| Some((name, step.ok()?))).collect();
        require(tags == self.tags, "the tags are not those that they should be")?;
        self.note_agrees(None)?;
        self.reader_agrees()?;
        let Some(step) = self.any_step() else { return Ok(()) };
        self.note_agrees(Some(step))?;
        let checkpoint = self.store.checkpoint(step).map_err(text)?;
        let known = &self.checkpoints[&step];
        require(checkpoint.load(&EntryPath::root()).map_err(text)? == known.tree, "a state is wrong")?;
        let (rows, damage) = checkpoint.history();
        let expected: Vec<_> = known.history.iter().map(|&step| row(step)).collect();
        require(rows == expected && damage.is_none(), "the history is wrong")
    }

    /// Whoever opened the run before reads what there was then.
    fn reader_agrees(&mut self) -> Result<(), String> {
        let Some(Reader { store, checkpoints }) = &self.reader else { return Ok(()) };
        let steps: Vec<u64> = checkpoints.keys().copied().collect();
        if steps.is_empty() {
            return Ok(());
        }
        let step = *self.random.choose(&steps);
        let loaded = store.checkpoint(step).and_then(|checkpoint| checkpoint.load(&EntryPath::root()));
        let loaded = loaded.map_err(|error| format!("to a reader who came before: {error}"))?;
        require(loaded == checkpoints[&step].tree, "a state is wrong to a reader who came before")
    }

    fn note_agrees(&self, step: Option<u64>) -> Result<(), String> {
        let note = self.store.note(step).map_err(text)?;
        require(note.as_ref() == self.notes.get(&step), "a note is not what it should be")
    }
}

/// An array of several chunks.
fn large(seed: u64) -> Tree {
    let bytes = Random::new(seed, &[]).bytes(600 * 512 * 4);
    Node::Array(Array::new(DType::F32, vec![600, 512], bytes).expect("four bytes each"))
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn require(holds: bool, what: &str) -> Result<(), String> {
    holds.then_some(()).ok_or_else(|| what.to_owned())
}
