//! Two packs are damaged at once.
//!
//! Each case is a run of a random story in memory: states that return to what they were, prunings and
//! compactions with and without grace, now and then a flipped bit with which a writer goes on, so that
//! chunks stand in several packs, in full in one and as a difference in another. Then a bit is flipped in
//! each of two packs, of those that share a chunk where there are such. What loads before must load after
//! a deed: a repair, collecting garbage, pruning, saving on, and these after each other. Packs that are
//! condemned are garbage to whoever collects it; a repair has to look into them for what is damaged
//! elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;
use rekindle::storage::{MemoryStorage, Storage};
use rekindle::upkeep::Unreadable;
use rekindle::{Access, DataKey, EntryPath, Node, Retention, Store, Tree, Writer};

use crate::outcome::{Outcome, Scale, guarded};
use crate::packs::{self, Entry};
use crate::random::Random;
use crate::sample::{drifting, noise, save};

type Objects = BTreeMap<String, Vec<u8>>;

/// Operations of a story.
const STORY: u64 = 60;

/// What is done with the damaged run.
struct Deed {
    name: &'static str,
    act: fn(&mut Writer) -> Result<(), String>,
    /// It begins with a repair.
    repairs: bool,
}

const DEEDS: &[Deed] = &[
    Deed { name: "repair", act: repair, repairs: true },
    Deed { name: "gc", act: collect, repairs: false },
    Deed {
        name: "prune",
        act: |store| store.prune(&Retention::default(), None, 0).map(drop).map_err(text),
        repairs: false,
    },
    Deed {
        name: "repair and gc",
        act: |store| {
            repair(store)?;
            collect(store)
        },
        repairs: true,
    },
    Deed {
        name: "save and gc",
        act: |store| {
            save_on(store)?;
            collect(store)
        },
        repairs: false,
    },
    Deed {
        name: "gc and repair",
        act: |store| {
            collect(store)?;
            repair(store)
        },
        repairs: false,
    },
];

/// Runs the proof.
pub fn two_damaged_packs(scale: &Scale, seed: u64) -> Outcome {
    let mut outcome = Outcome::default();
    for name in ["cases", "in packs that share a chunk", "of which one has it in full, one as a difference"] {
        outcome.count(name, 0);
    }
    let numbers: Vec<u64> = (0..scale.damaged_pairs).collect();
    for part in numbers.chunks(64) {
        (scale.progress)("two_damaged_packs", part[0], scale.damaged_pairs);
        let found: Vec<Outcome> = part.par_iter().map(|&number| case(seed, number)).collect();
        found.into_iter().for_each(|found| outcome.add(found));
    }
    outcome
}

fn case(seed: u64, number: u64) -> Outcome {
    let mut outcome = Outcome::default();
    let mut random = Random::new(seed, &[number]);
    let key = random.one_in(3).then(|| DataKey::from_bytes([5; 32]));
    let mut objects = Objects::new();
    let told = guarded(|| {
        objects = story(&mut random, key.as_ref())?;
        Ok(())
    });
    if told.is_err() {
        outcome.check(told, || format!("seed {seed}, case {number}: the story"));
        return outcome;
    }
    let Some(pair) = Pair::choose(&objects, &mut random) else { return outcome };
    for pack in &pair.packs {
        flip(&mut objects, pack, &mut random);
    }
    outcome.count("in packs that share a chunk", u64::from(pair.shares));
    outcome.count("of which one has it in full, one as a difference", u64::from(pair.differs));
    for deed in DEEDS {
        outcome.count("cases", 1);
        let result = guarded(|| costs_nothing(&objects, key.as_ref(), deed));
        outcome.check(result, || format!("seed {seed}, case {number}: {}, {:?}", deed.name, pair.packs));
    }
    outcome
}

fn storage_of(objects: Objects, key: Option<&DataKey>) -> (MemoryStorage, Access) {
    let memory = MemoryStorage::from_objects(objects);
    let access = Access::new(Arc::new(memory.clone()), key.cloned());
    (memory, access)
}

/// What loads before the deed loads after it.
fn costs_nothing(objects: &Objects, key: Option<&DataKey>, deed: &Deed) -> Result<(), String> {
    let (memory, storage) = storage_of(objects.clone(), key);
    let writer = || Writer::open(storage.clone(), "damaged").map_err(text);
    let reader = || Store::open(storage.clone()).map_err(text);
    let before = if deed.repairs { loaded(&reader()?) } else { loaded(&*writer()?) };
    // A deed that is refused must cost nothing too.
    let _ = (deed.act)(&mut writer()?);
    let (_, storage) = storage_of(memory.to_objects(), key);
    let after = loaded(&Store::open(storage).map_err(text)?);
    match before.iter().find(|(step, tree)| after.get(step) != Some(tree)) {
        None => Ok(()),
        Some((step, _)) => Err(format!("step {step} loads before, but not after")),
    }
}

fn loaded(store: &Store) -> BTreeMap<u64, Tree> {
    let load =
        |step: &u64| store.checkpoint(*step).and_then(|checkpoint| checkpoint.load(&EntryPath::root()));
    store.steps().into_iter().filter_map(|step| Some((step, load(&step).ok()?))).collect()
}

/// A run of random operations.
fn story(random: &mut Random, key: Option<&DataKey>) -> Result<Objects, String> {
    let (memory, storage) = storage_of(Objects::new(), key);
    let mut store = Writer::create(storage.clone(), "", None, "story").map_err(text)?;
    let is_large = random.one_in(8);
    for moment in 1..=STORY {
        match random.below(12) {
            0..=6 => {
                let next = store.steps().last().map_or(0, |newest| newest + 1);
                save(&mut store, next, &any_state(random, moment, is_large)).map_err(text)?;
            }
            7 => {
                let retention = Retention { keep_last: Some(1 + random.below(3)), ..Retention::default() };
                store.prune(&retention, None, *random.choose(&[0, 3600])).map_err(text)?;
            }
            8 => drop(store.gc(*random.choose(&[0, 3600])).map_err(text)?),
            9 => {
                let retention = Retention { keep_last: Some(2), ..Retention::default() };
                store.prune_between_saves(&retention, None, 0).map_err(text)?;
            }
            10 => {
                drop(store);
                store = Writer::open(storage.clone(), "story").map_err(text)?;
            }
            _ => {
                drop(store);
                flip_one(&memory, random);
                store = Writer::open(storage.clone(), "story").map_err(text)?;
                for skipped in store.newest_whole().map_err(text)?.1 {
                    store.set_aside(skipped.step).map_err(text)?;
                }
            }
        }
    }
    save_on(&mut store)?;
    drop(store);
    Ok(memory.to_objects())
}

/// A few arrays that each return to what they were, and one that makes some packs long.
fn any_state(random: &mut Random, moment: u64, is_large: bool) -> Tree {
    let field = |name: String, node| (name, node);
    let mut fields: Vec<_> = (0..2)
        .map(|array| field(format!("drifting{array}"), drifting(300, array, 1 + random.below(moment.min(5)))))
        .collect();
    fields.push(field("noise".to_owned(), noise(270, random.below(4))));
    if is_large && random.one_in(2) {
        fields.push(field("large".to_owned(), noise(270_000, random.below(2))));
    }
    Node::Struct(fields)
}

fn save_on(store: &mut Writer) -> Result<(), String> {
    let next = store.steps().last().map_or(0, |newest| newest + 1);
    save(store, next, &Node::Struct(vec![("drifting0".to_owned(), drifting(300, 0, 2))])).map_err(text)?;
    Ok(())
}

fn collect(store: &mut Writer) -> Result<(), String> {
    store.gc(0).map(drop).map_err(text)
}

fn repair(store: &mut Writer) -> Result<(), String> {
    store.repair(Unreadable::Refuse).map(drop).map_err(text)
}

fn flip_one(memory: &MemoryStorage, random: &mut Random) {
    let mut objects = memory.to_objects();
    let packs: Vec<String> = objects.keys().filter(|name| name.starts_with("packs/")).cloned().collect();
    if packs.is_empty() {
        return;
    }
    let pack = random.choose(&packs).clone();
    flip(&mut objects, &pack, random);
    let _ = memory.put(&pack, &objects[&pack]);
}

fn flip(objects: &mut Objects, name: &str, random: &mut Random) {
    if let Some(bytes) = objects.get_mut(name) {
        let bit = random.below(8 * bytes.len() as u64) as usize;
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
}

/// The packs that are damaged.
struct Pair {
    packs: [String; 2],
    /// Both have a chunk.
    shares: bool,
    /// One has it in full, the other one as a difference.
    differs: bool,
}

impl Pair {
    /// Two packs, of those that share a chunk in most cases; `None` when there are not two.
    fn choose(objects: &Objects, random: &mut Random) -> Option<Self> {
        let packs: BTreeMap<&String, Vec<Entry>> = objects
            .iter()
            .filter(|(name, _)| name.starts_with("packs/"))
            .map(|(name, bytes)| (name, packs::entries(bytes).unwrap_or_default()))
            .collect();
        let mut places: BTreeMap<[u8; 32], Vec<(&String, bool)>> = BTreeMap::new();
        for (name, entries) in &packs {
            for entry in entries {
                places.entry(entry.id).or_default().push((name, entry.base.is_some()));
            }
        }
        let sharing: Vec<_> = places.values().filter(|places| places.len() > 1).collect();
        let differing: Vec<_> = sharing
            .iter()
            .copied()
            .filter(|places| places.iter().any(|place| place.1) && places.iter().any(|place| !place.1))
            .collect();
        let differs = !differing.is_empty() && !random.one_in(4);
        let shares = differs || (!sharing.is_empty() && !random.one_in(4));
        let among: BTreeSet<&String> = match (differs, shares) {
            (true, _) => random.choose(&differing).iter().map(|place| place.0).collect(),
            (_, true) => random.choose(&sharing).iter().map(|place| place.0).collect(),
            _ => packs.keys().copied().collect(),
        };
        let among: Vec<&String> = among.into_iter().collect();
        let first = *random.choose(&among);
        let others: Vec<&String> = among.into_iter().filter(|name| *name != first).collect();
        let second = if others.is_empty() { return None } else { *random.choose(&others) };
        Some(Self { packs: [first.clone(), second.clone()], shares, differs })
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
