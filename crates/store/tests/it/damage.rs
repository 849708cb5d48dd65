//! A disk goes bad: any single byte of any file changes, or any file is cut at any length. Each is
//! detected and named, or has no effect; nothing panics; and the checkpoints that it does not
//! touch still load.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::common::{save, state};
use rekindle_store::storage::MemoryStorage;
use rekindle_store::{Depth, EntryPath, ReadError, Store, Tree, Writer, state_hash};

/// A run of two checkpoints; and the packs of the first, some of whose chunks the second shares.
fn small_run() -> (BTreeMap<String, Vec<u8>>, BTreeSet<String>) {
    let memory = MemoryStorage::new();
    let mut store = Writer::create(Arc::new(memory.clone()), "", None, "story").unwrap();
    save(&mut store, 10, &state(10)).unwrap();
    let shared = memory.to_objects().into_keys().filter(|name| name.starts_with("packs/")).collect();
    save(&mut store, 20, &state(20)).unwrap();
    store.set_tag("good", 10, false).unwrap();
    store.put_note("config.yaml", b"system: none\n").unwrap();
    (memory.to_objects(), shared)
}

fn newest_state(store: &Store) -> Result<(Option<(u64, Tree)>, usize), ReadError> {
    let damage = |error: &ReadError| match error {
        ReadError::Damaged(damage) => Some((**damage).clone()),
        _ => None,
    };
    let newest = store.newest_valid(|checkpoint| checkpoint.load(&EntryPath::root()), damage)?;
    Ok((newest.valid, newest.skipped.len()))
}

/// Opens a run with one object replaced and checks that nothing wrong comes out of it.
fn check(
    objects: &BTreeMap<String, Vec<u8>>,
    shared: &BTreeSet<String>,
    name: &String,
    bad: Vec<u8>,
    what: &str,
) {
    let mut objects = objects.clone();
    objects.insert(name.to_owned(), bad);
    let store = match Store::open(Arc::new(MemoryStorage::from_objects(objects))) {
        Ok(store) => store,
        Err(error) => panic!("{what}: the run does not open: {error}"),
    };
    let report = store.verify(Depth::Full).unwrap();
    let (found, skipped) = newest_state(&store).unwrap_or_else(|error| panic!("{what}: {error}"));
    let Some((step, tree)) = found else {
        // Only a pack that both checkpoints lean on can take both away.
        assert!(shared.contains(name), "{what}: no checkpoint is left");
        assert_eq!(report.invalid.len(), 2, "{what}");
        assert!(report.damage.iter().any(|damage| damage.object == *name), "{what}: {:?}", report.damage);
        return;
    };
    assert_eq!(state_hash(&tree), state_hash(&state(step)), "{what}: a wrong state was loaded");
    if report.damage.is_empty() {
        assert_eq!((step, skipped), (20, 0), "{what}: not detected by verify");
    }
    if step != 20 {
        let named = report.damage.iter().any(|damage| damage.object == *name);
        assert!(named, "{what}: {:?} does not name the file", report.damage);
    }
    for skipped in report.invalid.iter().filter(|skipped| store.checkpoint(skipped.step).is_ok()) {
        assert!(!skipped.damage.entries.is_empty(), "{what}: no entry is named: {}", skipped.damage);
    }
}

#[test]
fn every_single_byte_of_every_file() {
    let (objects, shared) = small_run();
    for (name, good) in &objects {
        for position in 0..good.len() {
            let mut bad = good.clone();
            bad[position] ^= 1 << (position % 8);
            check(&objects, &shared, name, bad, &format!("byte {position} of {name}"));
        }
    }
}

#[test]
fn every_length_of_every_file() {
    let (objects, shared) = small_run();
    for (name, good) in &objects {
        for len in 0..good.len() {
            check(&objects, &shared, name, good[..len].to_vec(), &format!("{name} cut to {len} bytes"));
        }
    }
}

#[test]
fn a_missing_file_is_named() {
    let (objects, _) = small_run();
    for name in objects.keys().filter(|name| name.starts_with("packs/")) {
        let mut objects = objects.clone();
        objects.remove(name);
        let store = Store::open(Arc::new(MemoryStorage::from_objects(objects))).unwrap();
        let report = store.verify(Depth::Full).unwrap();
        assert!(!report.invalid.is_empty(), "{name}");
        assert!(!report.damage.is_empty(), "{name}");
    }
}

#[test]
fn the_damaged_array_is_named() {
    let (objects, _) = small_run();
    let (name, good) =
        objects.iter().filter(|(name, _)| name.starts_with("packs/")).max_by_key(|p| p.1.len()).unwrap();
    let mut bad = good.clone();
    bad[20] ^= 1;
    let mut damaged = objects.clone();
    damaged.insert(name.clone(), bad);
    let store = Store::open(Arc::new(MemoryStorage::from_objects(damaged))).unwrap();
    let report = store.verify(Depth::Full).unwrap();
    let message = report.damage[0].to_string();
    assert!(message.contains(name) && message.contains("`weights`"), "{message}");
}
