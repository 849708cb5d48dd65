//! A bit of a file changes.
//!
//! Two runs of 128 KiB each, one of them encrypted: two checkpoints with chunks of every codec, some
//! of them shared, a history, a tag, notes and a signature. Every bit of every file of them is flipped
//! in turn; then the run is opened and verified, and every checkpoint, tag, note, signature and history
//! is read. Nothing may panic, nothing may be read that was not saved, and the damage must be found
//! and the damaged file named.
//!
//! With a stride, the same is done to copies that writers go on with: one sets the damaged checkpoints
//! aside and saves their states anew, which must then load; another repairs the run, which must cost
//! no checkpoint that loaded, and leave no damage that it does not name.
//!
//! Files for people, which no hash covers (`config.yaml`, `lease.holder.json`, artifacts), and the
//! marks in `trash/`, which only hold a time, are no part of the run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use rekindle::records::{Row, StoredSignature};
use rekindle::storage::{Holder, Lease, MemoryStorage, Object, Storage, StorageError, Upload};
use rekindle::tree::{Array, DType, Scalar};
use rekindle::upkeep::{Depth, Unreadable};
use rekindle::{Access, Compression, DataKey, EntryPath, Node, Store, Tree, Writer};

use crate::outcome::{Outcome, Scale, guarded};
use crate::packs::{self, CODECS, END};
use crate::random::Random;
use crate::sample::{Failure, drifting, noise, save};

const STEPS: [u64; 2] = [10, 20];
const TAG: &str = "good";
/// After every so many flips, a writer goes on with the damaged run.
const GO_ON_STRIDE: usize = 2003;
/// Floats of the array that makes up most of a state.
const NOISE: u64 = 14_700;
const NOTE: &str = "a note on a checkpoint";
const SIGNATURE: &str = "5e55";

type Objects = BTreeMap<String, Vec<u8>>;

/// Runs the proof.
pub fn bit_flips(scale: &Scale, seed: u64) -> Outcome {
    let mut outcome = Outcome::default();
    for name in ["flips", "named the file", "found without the file", "no effect", "went on after the damage"]
    {
        outcome.count(name, 0);
    }
    let runs: Result<Vec<Whole>, Failure> =
        [None, Some(DataKey::from_bytes([7; 32]))].into_iter().map(Whole::new).collect();
    match runs {
        Ok(runs) => {
            let all = runs.iter().map(Whole::bytes).sum();
            runs.iter().for_each(|whole| flip_each(whole, all, scale, seed, &mut outcome));
            outcome.count("bytes of the runs", all as u64);
        }
        Err(error) => outcome.fail(format!("the run cannot be made: {error}")),
    }
    let (flips, named) = (outcome.counts[0].1, outcome.counts[1].1);
    if named * 100 < flips * 99 {
        outcome.fail(format!("the file is named in {named} of {flips} cases, less than 99 %"));
    }
    outcome
}

/// The run as it was, and what it holds.
struct Whole {
    objects: Arc<Objects>,
    key: Option<DataKey>,
    rows: Vec<Vec<Row>>,
}

impl Whole {
    fn new(key: Option<DataKey>) -> Result<Self, Failure> {
        let memory = MemoryStorage::new();
        let storage = with_key(Arc::new(memory.clone()), key.as_ref());
        let mut store = Writer::create(storage, "", None, "flips")?;
        store.set_compression(Compression::Small);
        for step in STEPS {
            save(&mut store, step, &state(step))?;
        }
        store.set_tag(TAG, STEPS[0], false)?;
        store.set_note(Some(STEPS[0]), NOTE)?;
        store.set_note(None, NOTE)?;
        let (public_key, signature) = ("a public key".to_owned(), SIGNATURE.to_owned());
        store.put_signature(STEPS[1], &StoredSignature { public_key, signature })?;
        let codecs = packs::codecs(&memory)?;
        if let Some(missing) = CODECS.iter().find(|codec| !codecs.contains_key(*codec)) {
            return Err(format!("no chunk of it is stored as {missing}: {codecs:?}").into());
        }
        let rows = store.records().map(|record| store.history(record).0).collect();
        Ok(Self { objects: Arc::new(memory.to_objects()), key, rows })
    }

    fn bytes(&self) -> usize {
        self.objects.values().map(Vec::len).sum()
    }

    fn is_encrypted(&self) -> &'static str {
        if self.key.is_some() { " of the encrypted run" } else { "" }
    }
}

fn with_key(storage: Arc<dyn Storage>, key: Option<&DataKey>) -> Access {
    Access::new(storage, key.cloned())
}

/// Nearly all of it is one array of noise, so that little else than hashing takes time.
fn state(step: u64) -> Tree {
    let field = |name: &str, node| (name.to_owned(), node);
    let second = usize::from(step == STEPS[1]);
    let letters: Vec<u8> = bytes(4000, 1).iter().map(|byte| byte % 64).collect();
    let moved = [&[7; 3][..], &letters].concat()[3 * (1 - second)..][..4000].to_vec();
    Node::Struct(vec![
        field("step", Node::Scalar(Scalar::U64(step))),
        field("noise", noise(NOISE, step)),
        field("shared", noise(300, 1)),
        field("drifting", drifting(500, 1, step)),
        field(
            "range",
            array_of(DType::U32, words(500, 2).iter().flat_map(|n| (n % 5).to_le_bytes()).collect()),
        ),
        // Far apart from each other, and little from those of the other step.
        field(
            "counts",
            array_of(
                DType::U32,
                words(300, 5).iter().flat_map(|n| n.wrapping_add(step as u32).to_le_bytes()).collect(),
            ),
        ),
        field("weights", bell_shaped(1500)),
        field("repeating", array_of(DType::U8, bytes(512, 3).repeat(4))),
        field("letters", array_of(DType::U8, moved)),
        field("bias", noise(17, step)),
        field("text", Node::Scalar(Scalar::Str("a long text ".repeat(200)))),
    ])
}

/// Floats around zero, as weights are.
fn bell_shaped(count: usize) -> Tree {
    let words = words(4 * count, 6);
    let float =
        |four: &[u32]| four.iter().map(|&word| (word >> 8) as f32 / (1 << 24) as f32 - 0.5).sum::<f32>();
    array_of(DType::F32, words.chunks_exact(4).flat_map(|four| float(four).to_le_bytes()).collect())
}

fn bytes(count: usize, seed: u64) -> Vec<u8> {
    Random::new(seed, &[count as u64]).bytes(count)
}

fn words(count: usize, seed: u64) -> Vec<u32> {
    let mut random = Random::new(seed, &[count as u64]);
    (0..count).map(|_| random.below(1 << 32) as u32).collect()
}

fn array_of(dtype: DType, bytes: Vec<u8>) -> Tree {
    let count = (bytes.len() / dtype.size()) as u64;
    Node::Array(Array::new(dtype, vec![count], bytes).expect("so many whole elements"))
}

/// Flips the bits of a run; both together have `all` bytes.
fn flip_each(whole: &Whole, all: usize, scale: &Scale, seed: u64, outcome: &mut Outcome) {
    let sizes: Vec<(&String, usize)> =
        whole.objects.iter().map(|(name, bytes)| (name, bytes.len())).collect();
    for (name, len) in sizes {
        let first = seed as usize % scale.bit_stride;
        // The end of a pack tells how long its index is: without that the whole pack is lost.
        let end = 8 * len.saturating_sub(END);
        let mut bits: Vec<usize> = (first..8 * len).step_by(scale.bit_stride).collect();
        if scale.bit_stride > 1 {
            bits.push(end);
        }
        let tried = AtomicU64::new(outcome.counts[0].1);
        let all = (all * 8 / scale.bit_stride) as u64;
        let found: Vec<_> = bits
            .par_iter()
            .enumerate()
            .map(|(position, &bit)| {
                (scale.progress)("bit_flips", tried.fetch_add(1, Ordering::Relaxed), all);
                let flipped = Flipped { objects: Arc::clone(&whole.objects), name: name.clone(), bit };
                let mut seen = Seen::NoEffect;
                let result = guarded(|| {
                    seen = look(whole, &flipped)?;
                    Ok(())
                });
                let stride = GO_ON_STRIDE.max(10 * scale.bit_stride) / scale.bit_stride;
                let goes_on = position.is_multiple_of(stride) || (end..end + 64).contains(&bit);
                let result = result.and_then(|()| {
                    if goes_on {
                        guarded(|| go_on(whole, &flipped)).and_then(|()| guarded(|| repair(whole, &flipped)))
                    } else {
                        Ok(())
                    }
                });
                (bit, seen, goes_on, result)
            })
            .collect();
        for (bit, seen, goes_on, result) in found {
            outcome.count("flips", 1);
            outcome.count(seen.name(), 1);
            outcome.count("went on after the damage", u64::from(goes_on));
            outcome.check(result, || format!("bit {bit} of {name}{}", whole.is_encrypted()));
        }
    }
}

/// How a flip showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Named,
    Found,
    NoEffect,
}

impl Seen {
    fn name(self) -> &'static str {
        match self {
            Self::Named => "named the file",
            Self::Found => "found without the file",
            Self::NoEffect => "no effect",
        }
    }
}

/// Opens, verifies and reads everything.
fn look(whole: &Whole, flipped: &Flipped) -> Result<Seen, String> {
    let storage = with_key(Arc::new(flipped.clone()), whole.key.as_ref());
    let store = Store::open(storage).map_err(|error| format!("it does not open: {error}"))?;
    let report = store.verify(Depth::Full).map_err(|error| format!("it cannot be verified: {error}"))?;
    let mut complete = true;
    for (step, rows) in STEPS.into_iter().zip(&whole.rows) {
        let loaded = store.checkpoint(step).and_then(|checkpoint| {
            let (found, damage) = checkpoint.history();
            complete &= damage.is_none();
            Ok((checkpoint.load(&EntryPath::root())?, found, damage))
        });
        match loaded {
            Ok((tree, _, _)) if tree != *state_at(step) => return Err(format!("step {step} loads wrong")),
            Ok((_, found, None)) if found != *rows => {
                return Err(format!("the history of step {step} is wrong"));
            }
            Ok(_) => {}
            Err(_) => complete = false,
        }
    }
    complete &= says(store.note(None), |note| note.as_deref() == Some(NOTE))?;
    complete &= says(store.note(Some(STEPS[0])), |note| note.as_deref() == Some(NOTE))?;
    // One that is damaged is none.
    let signatures = store.signatures(STEPS[1]).map_err(|error| format!("signatures: {error}"))?;
    complete &= !signatures.is_empty();
    if signatures.iter().any(|signature| signature.signature != SIGNATURE) {
        return Err("a signature is not what was made".to_owned());
    }
    match store.tagged_step(TAG) {
        Ok(step) if step != STEPS[0] => return Err(format!("the tag points to {step}")),
        Ok(_) => {}
        Err(_) => complete = false,
    }
    match report.damage.iter().any(|damage| damage.object == flipped.name) {
        true => Ok(Seen::Named),
        false if !report.damage.is_empty() => Ok(Seen::Found),
        false if complete => Ok(Seen::NoEffect),
        false => Err("verify finds nothing, but not everything can be read".to_owned()),
    }
}

/// True when what is said of a checkpoint is what was said; false when it cannot be read.
fn says<T, E>(found: Result<T, E>, is_right: impl Fn(&T) -> bool) -> Result<bool, String> {
    match found {
        Ok(found) if is_right(&found) => Ok(true),
        Ok(_) => Err("a note is not what was said".to_owned()),
        Err(_) => Ok(false),
    }
}

/// The states, made once.
fn state_at(step: u64) -> &'static Tree {
    use std::sync::OnceLock;
    static STATES: OnceLock<[Tree; 2]> = OnceLock::new();
    &STATES.get_or_init(|| STEPS.map(state))[usize::from(step == STEPS[1])]
}

/// A writer sets aside what is damaged, saves the states anew, and they load.
fn go_on(whole: &Whole, flipped: &Flipped) -> Result<(), String> {
    let storage = whole.storage(flipped);
    let text = |error: &dyn std::fmt::Display| format!("going on: {error}");
    let mut store = Writer::open(storage.clone(), "flips").map_err(|error| text(&error))?;
    let (_, skipped) = store.newest_whole().map_err(|error| text(&error))?;
    for skipped in skipped {
        store.set_aside(skipped.step).map_err(|error| text(&error))?;
    }
    let again = STEPS.map(|step| (step + 15, state(step)));
    for (step, tree) in &again {
        save(&mut store, *step, tree).map_err(|error| text(&error))?;
    }
    drop(store);
    let store = Store::open(storage).map_err(|error| text(&error))?;
    for (step, tree) in &again {
        let loaded = store.checkpoint(*step).and_then(|checkpoint| checkpoint.load(&EntryPath::root()));
        if loaded.map_err(|error| format!("step {step}, saved after the damage: {error}"))? != *tree {
            return Err(format!("step {step}, saved after the damage, loads wrong"));
        }
    }
    Ok(())
}

/// A repair costs no checkpoint that loaded, and names what damage it leaves.
fn repair(whole: &Whole, flipped: &Flipped) -> Result<(), String> {
    let storage = whole.storage(flipped);
    let text = |error: &dyn std::fmt::Display| format!("the repair: {error}");
    let mut store = Writer::open(storage.clone(), "flips").map_err(|error| text(&error))?;
    let loads = |store: &Store, step| {
        store.checkpoint(step).is_ok_and(|checkpoint| checkpoint.load(&EntryPath::root()).is_ok())
    };
    let before: Vec<u64> = STEPS.into_iter().filter(|&step| loads(&store, step)).collect();
    let repaired = store.repair(Unreadable::Refuse).map_err(|error| text(&error))?;
    drop(store);
    let store = Store::open(storage).map_err(|error| text(&error))?;
    if let Some(step) = before.into_iter().find(|&step| !loads(&store, step)) {
        return Err(format!("the repair costs step {step}"));
    }
    let left = store.verify(Depth::Full).map_err(|error| text(&error))?.damage;
    match left.iter().find(|damage| !repaired.remaining.iter().any(|known| known.object == damage.object)) {
        Some(damage) => Err(format!("the repair leaves damage that it does not name: {damage}")),
        None => Ok(()),
    }
}

impl Whole {
    /// A copy of the run with the flipped bit, to be written.
    fn storage(&self, flipped: &Flipped) -> Access {
        with_key(Arc::new(MemoryStorage::from_objects(flipped.to_objects())), self.key.as_ref())
    }
}

/// The run with one bit flipped, without a copy of it.
#[derive(Debug, Clone)]
struct Flipped {
    objects: Arc<Objects>,
    name: String,
    bit: usize,
}

impl Flipped {
    fn to_objects(&self) -> Objects {
        let mut objects = (*self.objects).clone();
        if let Some(bytes) = objects.get_mut(&self.name) {
            bytes[self.bit / 8] ^= 1 << (self.bit % 8);
        }
        objects
    }

    fn object(&self, name: &str) -> Result<&[u8], StorageError> {
        let missing = || StorageError::Missing { name: name.to_owned(), location: self.location() };
        self.objects.get(name).map(Vec::as_slice).ok_or_else(missing)
    }

    fn read_only<T>(&self, name: &str) -> Result<T, StorageError> {
        Err(StorageError::BadName { name: name.to_owned() })
    }
}

impl Storage for Flipped {
    fn read_range(&self, name: &str, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError> {
        let start = offset as usize;
        let end = start.saturating_add(buffer.len());
        let Some(bytes) = self.object(name)?.get(start..end) else {
            let end = end as u64;
            return Err(StorageError::Truncated { name: name.to_owned(), location: self.location(), end });
        };
        buffer.copy_from_slice(bytes);
        if name == self.name && (start..end).contains(&(self.bit / 8)) {
            buffer[self.bit / 8 - start] ^= 1 << (self.bit % 8);
        }
        Ok(())
    }

    fn len(&self, name: &str) -> Result<u64, StorageError> {
        Ok(self.object(name)?.len() as u64)
    }

    fn list(&self, prefix: &str) -> Result<Vec<Object>, StorageError> {
        let named = self.objects.iter().filter(|(name, _)| name.starts_with(prefix));
        Ok(named.map(|(name, bytes)| Object { name: name.clone(), len: bytes.len() as u64 }).collect())
    }

    fn put_new(&self, name: &str, _: &[u8]) -> Result<(), StorageError> {
        self.read_only(name)
    }

    fn put(&self, name: &str, _: &[u8]) -> Result<(), StorageError> {
        self.read_only(name)
    }

    fn upload(self: Arc<Self>) -> Result<Box<dyn Upload>, StorageError> {
        self.read_only("a pack")
    }

    fn delete(&self, name: &str) -> Result<(), StorageError> {
        self.read_only(name)
    }

    fn rename(&self, from: &str, _: &str) -> Result<(), StorageError> {
        self.read_only(from)
    }

    fn lease(&self, _: &Holder) -> Result<Box<dyn Lease>, StorageError> {
        self.read_only("lease")
    }

    fn holder(&self) -> Result<Option<Holder>, StorageError> {
        Ok(None)
    }

    fn location(&self) -> String {
        "a run with a flipped bit".to_owned()
    }
}
