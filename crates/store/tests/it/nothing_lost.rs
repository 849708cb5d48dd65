//! What must not cost a good checkpoint: bytes that cannot be read, states that return to earlier values,
//! a backup beside a writer, a full disk, a tag that is damaged, a process that stops with space to free.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use crate::common::faulty::{EACCES, EIO, EMFILE, FaultyStorage};
use crate::common::{save, state};
use rekindle_store::storage::sim::{Calls, Fault, SimDisk};
use rekindle_store::storage::{FileStorage, MemoryStorage, Storage};
use rekindle_store::{
    About, Access, Array, CopyError, DType, DataKey, Depth, EntryPath, Node, OpenError, PruneError,
    ReadError, Retention, Row, SaveError, Skipped, Store, StoredSignature, Tree, Unreadable, Writer,
    copy_objects,
};

fn keep_last(count: u64) -> Retention {
    Retention { keep_last: Some(count), ..Retention::default() }
}

fn noise(seed: u64, len: u64) -> Tree {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    let bytes = (0..len).map(|_| next()).collect();
    Node::Array(Array::new(DType::U8, vec![len], bytes).unwrap())
}

/// Floats of which a sixteenth changes from one to the next, so that they are stored as differences.
fn drifting(step: u64) -> Tree {
    let Node::Array(bits) = noise(99, 800_000) else { unreachable!() };
    let words = bits.data().chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().unwrap()));
    let floats = words.enumerate().map(|(i, word)| {
        let mut bits = 0x3f00_0000 | (word & 0x7f_ffff);
        for change in (1..=step).filter(|change| i as u64 % 16 == change % 16) {
            bits ^= change as u32 & 7;
        }
        f32::from_bits(bits)
    });
    let bytes = floats.flat_map(f32::to_le_bytes).collect();
    Node::Array(Array::new(DType::F32, vec![200_000], bytes).unwrap())
}

fn fields(fields: Vec<(&str, Tree)>) -> Tree {
    Node::Struct(fields.into_iter().map(|(name, node)| (name.to_owned(), node)).collect())
}

fn run(storage: &Arc<dyn Storage>, steps: u64) -> Writer {
    let mut store = Writer::create(Arc::clone(storage), "", None, "story").unwrap();
    for step in 0..steps {
        save(&mut store, step, &state(step)).unwrap();
    }
    store
}

fn writer(storage: &Arc<dyn Storage>) -> Writer {
    Writer::open(Arc::clone(storage), "story").unwrap()
}

fn loads(store: &Store, step: u64) -> Tree {
    store.checkpoint(step).unwrap().load(&EntryPath::root()).unwrap()
}

fn faulty() -> (FaultyStorage, Arc<dyn Storage>) {
    let faulty = FaultyStorage::new(MemoryStorage::new());
    let storage = Arc::new(faulty.clone());
    (faulty, storage)
}

/// Three checkpoints that share `a`, whose pack also holds what the first alone needs: `b`.
fn sharing_run(storage: &Arc<dyn Storage>) {
    let mut store = Writer::create(Arc::clone(storage), "", None, "story").unwrap();
    for step in 1..=3 {
        let b = if step == 1 { noise(2, 50_000) } else { noise(step + 10, 3000) };
        save(&mut store, step, &fields(vec![("b", b), ("a", noise(1, 40_000))])).unwrap();
    }
}

#[test]
fn a_sector_that_cannot_be_read_stops_a_repair_and_costs_only_what_lies_there() {
    let (faults, storage) = faulty();
    sharing_run(&storage);
    let before = faults.memory.to_objects();
    let (largest, _) = before.iter().max_by_key(|(_, bytes)| bytes.len()).unwrap();
    faults.fail_in(largest, 1000..1010, EIO);
    let refused = writer(&storage).repair(Unreadable::Refuse).unwrap_err();
    assert!(matches!(refused, SaveError::Read(ReadError::Unreadable(_))), "{refused}");
    assert!(before.iter().all(|(name, bytes)| faults.memory.to_objects().get(name) == Some(bytes)));

    let repaired = writer(&storage).repair(Unreadable::GiveUp).unwrap();
    assert_eq!(repaired.set_aside.iter().map(|skipped| skipped.step).collect::<Vec<_>>(), [1]);
    let store = Store::open(Arc::clone(&storage)).unwrap();
    assert_eq!(store.verify(Depth::Full).unwrap().valid, [2, 3]);
    assert_eq!(faults.memory.to_objects()[&format!("damaged/{largest}")], before[largest]);
}

#[test]
fn an_index_that_cannot_be_read_costs_nothing_once_it_can() {
    let (faults, storage) = faulty();
    sharing_run(&storage);
    let objects = faults.memory.to_objects();
    let (largest, bytes) = objects.iter().max_by_key(|(_, bytes)| bytes.len()).unwrap();
    faults.fail_in(largest, bytes.len() as u64 - 40..u64::MAX, EIO);
    writer(&storage).repair(Unreadable::Refuse).unwrap_err();
    assert!(writer(&storage).prune(&keep_last(1), None, 0).is_err());
    faults.heal();
    assert_eq!(Store::open(storage).unwrap().verify(Depth::Full).unwrap().valid, [1, 2, 3]);
}

#[test]
fn what_the_system_refuses_to_read_is_not_passed_over_as_damaged() {
    for errno in [EMFILE, EACCES, EIO] {
        for prefix in ["packs/", "commits/000000000002"] {
            let (faults, storage) = faulty();
            drop(run(&storage, 3));
            faults.fail(prefix, errno);
            let store = writer(&storage);
            let found = store.newest_whole().unwrap_err();
            assert!(matches!(found, ReadError::Unreadable(_)), "{prefix} {errno}: {found}");
            faults.heal();
            assert_eq!(writer_after(store, &storage).newest_whole().unwrap(), (Some(2), vec![]));
        }
    }
}

fn writer_after(store: Writer, storage: &Arc<dyn Storage>) -> Writer {
    drop(store);
    writer(storage)
}

#[test]
fn a_state_that_returns_to_an_earlier_value_survives_pruning_and_compaction() {
    for last in 3..24 {
        let memory = MemoryStorage::new();
        let storage: Arc<dyn Storage> = Arc::new(memory);
        let mut store = Writer::create(Arc::clone(&storage), "", None, "story").unwrap();
        save(&mut store, 1, &fields(vec![("w", drifting(1))])).unwrap();
        for step in 2..=last {
            save(&mut store, step, &fields(vec![("w", drifting(step)), ("v", noise(5, 100_000))])).unwrap();
        }
        store.prune(&keep_last(1), None, 0).unwrap();
        let returned = fields(vec![("w", drifting(2)), ("v", noise(5, 100_000))]);
        save(&mut store, last + 1, &returned).unwrap();
        store.gc(0).unwrap();
        assert_eq!(loads(&store, last + 1), returned, "after {last} saves");
        let mut store = writer_after(store, &storage);
        store.gc(0).unwrap();
        assert_eq!(loads(&store, last + 1), returned, "after {last} saves and reopening");
    }
}

#[test]
fn a_copy_beside_a_writer_that_prunes_holds_whole_checkpoints() {
    let memory = MemoryStorage::new();
    let storage: Arc<dyn Storage> = Arc::new(memory.clone());
    let store = RefCell::new(run(&storage, 4));
    let rounds = RefCell::new(0);
    let to = MemoryStorage::new();
    let target: Arc<dyn Storage> = Arc::new(to.clone());
    let copied = copy_objects(Arc::new(memory.clone()), &target, |_, _| {
        if *rounds.borrow() < 20 {
            *rounds.borrow_mut() += 1;
            let mut store = store.borrow_mut();
            let step = store.steps().last().unwrap() + 1;
            save(&mut store, step, &state(step)).unwrap();
            store.prune(&keep_last(3), None, 0).unwrap();
            store.gc(0).unwrap();
        }
    })
    .unwrap();
    assert!(!copied.steps.is_empty() && copied.damaged.is_empty(), "{copied:?}");
    let copy = Store::open(target).unwrap();
    assert_eq!(copy.verify(Depth::Full).unwrap().valid, copied.steps);
    for step in copied.steps {
        assert_eq!(loads(&copy, step), state(step));
    }
}

#[test]
fn a_copy_of_a_run_that_loses_its_packs_faster_than_they_are_read_is_an_error() {
    let memory = MemoryStorage::new();
    let storage: Arc<dyn Storage> = Arc::new(memory.clone());
    let store = RefCell::new(run(&storage, 1));
    let target: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let copied = copy_objects(Arc::new(memory.clone()), &target, |_, _| {
        let mut store = store.borrow_mut();
        let step = store.steps().last().unwrap() + 1;
        save(&mut store, step, &fields(vec![("only", noise(step, 2000))])).unwrap();
        store.prune(&keep_last(1), None, 0).unwrap();
    });
    assert!(matches!(copied, Err(CopyError::Unsettled { .. })), "{copied:?}");
    assert!(matches!(Store::open(target), Err(OpenError::NoRun { .. })));
}

#[test]
fn files_that_are_not_a_runs_stay_out_of_a_copy() {
    let memory = MemoryStorage::new();
    let storage: Arc<dyn Storage> = Arc::new(memory.clone());
    drop(run(&storage, 2));
    let mut objects = memory.to_objects();
    objects.insert("config.yaml~".to_owned(), b"of an editor".to_vec());
    let from = MemoryStorage::from_objects(objects);
    let target: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let copied = copy_objects(Arc::new(from), &target, |_, _| {}).unwrap();
    assert_eq!((copied.steps, copied.left_out), (vec![0, 1], vec!["config.yaml~".to_owned()]));
}

/// A process that ends, and one that begins when the grace period is over.
#[test]
fn what_one_process_condemns_another_frees() {
    let memory = MemoryStorage::new();
    let storage: Arc<dyn Storage> = Arc::new(memory.clone());
    drop(run(&storage, 8));
    let packs = || memory.to_objects().keys().filter(|name| name.starts_with("packs/")).count();
    let first = writer(&storage).gc(1).unwrap();
    assert!(first.rewritten_bytes > 0 && first.freed_bytes == 0 && packs() > 1, "{first:?}");
    std::thread::sleep(Duration::from_millis(2100));
    let second = writer(&storage).gc(1).unwrap();
    assert!(second.freed_bytes > 0 && second.rewritten_bytes == 0, "{second:?}");
    assert_eq!(packs(), 1);
    assert_eq!(Store::open(storage).unwrap().verify(Depth::Full).unwrap().valid.len(), 8);
}

#[test]
fn what_is_measured_of_a_checkpoint_later_changes_neither_its_state_nor_what_was_signed() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let mut store = run(&storage, 2);
    let before = store.checkpoint(1).unwrap().record().clone();
    let row = |loss: f64| Row::from_iter([("loss".to_owned(), loss.into())]);
    let measured = |loss: f64| [("loss".to_owned(), loss)].into();
    store.amend(1, &measured(0.5), &[row(0.5)]).unwrap();
    drop(store);
    let mut store = writer(&storage);
    let (record, (rows, damage)) = {
        let checkpoint = store.checkpoint(1).unwrap();
        (checkpoint.record().clone(), checkpoint.history())
    };
    assert_eq!(
        (record.state_hash, record.root, record.created),
        (before.state_hash, before.root, before.created)
    );
    assert_eq!((record.about.metrics["loss"], rows.last(), damage), (0.5, Some(&row(0.5)), None));
    assert_eq!(store.verify(Depth::Full).unwrap().valid, [0, 1]);

    // Not what has a successor, nor what is none, nor a number that no record can hold.
    assert!(matches!(store.amend(0, &measured(0.1), &[]), Err(SaveError::StepBehind { step: 0, newest: 1 })));
    assert!(store.amend(7, &measured(0.1), &[]).is_err());
    assert!(matches!(store.amend(1, &measured(f64::NAN), &[]), Err(SaveError::MetricNotFinite { .. })));

    let signature = StoredSignature { public_key: "key".to_owned(), signature: "signature".to_owned() };
    store.put_signature(1, &signature).unwrap();
    let signed = store.signed_message(1).unwrap();
    store.amend(1, &measured(0.25), &[row(0.25)]).unwrap();
    assert_eq!(store.signed_message(1).unwrap(), signed);
}

/// Whoever began to read before a pack was condemned can end, whichever process comes next.
#[test]
fn what_one_process_condemns_another_leaves_until_its_time() {
    let memory = MemoryStorage::new();
    let storage: Arc<dyn Storage> = Arc::new(memory.clone());
    drop(run(&storage, 8));
    let packs = || memory.to_objects().keys().filter(|name| name.starts_with("packs/")).count();
    writer(&storage).gc(3600).unwrap();
    let condemned = packs();
    let next = writer(&storage).gc(3600).unwrap();
    assert!(next.freed_bytes == 0 && packs() == condemned, "{next:?}");
    assert!(writer(&storage).gc(0).unwrap().freed_bytes > 0 && packs() < condemned);
}

/// A training frees between its saves what it condemned itself, not before the grace period.
#[test]
fn between_saves_nothing_goes_before_its_time() {
    let memory = MemoryStorage::new();
    let storage: Arc<dyn Storage> = Arc::new(memory.clone());
    let mut store = run(&storage, 1);
    for step in 1..40 {
        save(&mut store, step, &state(step)).unwrap();
        let pruned = store.prune_between_saves(&keep_last(2), None, 3600).unwrap();
        assert_eq!(pruned.freed_bytes, 0);
    }
    let reader = Store::open(Arc::clone(&storage)).unwrap();
    assert_eq!(reader.verify(Depth::Full).unwrap().valid, [38, 39]);
    let pruned = store.prune_between_saves(&keep_last(2), None, 0).unwrap();
    assert!(pruned.freed_bytes > 0);
    assert_eq!(Store::open(storage).unwrap().verify(Depth::Full).unwrap().valid, [38, 39]);
}

#[test]
fn a_full_disk_can_be_opened_pruned_and_collected() {
    let disk = SimDisk::new();
    let storage: Arc<dyn Storage> = Arc::new(FileStorage::on(disk.clone(), "run"));
    drop(run(&storage, 6));
    disk.fail(Fault { among: Calls::Growth, skip: 0, kind: ErrorKind::StorageFull, lasting: true });
    let used = || disk.entries().values().flatten().map(|bytes| bytes.len()).sum::<usize>();
    let before = used();
    let mut store = writer(&storage);
    let pruned = store.prune(&keep_last(1), None, 0).unwrap();
    assert!(pruned.freed_bytes > 0 && used() < before);
    let collected = store.gc(0).unwrap();
    assert!(collected.not_rewritten.is_some(), "{collected:?}");
    // With a grace period there is no space for a mark, and nothing is lost for that.
    store.gc(30).unwrap();
    disk.heal();
    save(&mut store, 9, &state(9)).unwrap();
    assert_eq!(Store::open(storage).unwrap().verify(Depth::Full).unwrap().valid, [5, 9]);
}

#[test]
fn a_plain_run_in_the_place_of_an_encrypted_one_is_refused() {
    let plain = MemoryStorage::new();
    let storage: Arc<dyn Storage> = Arc::new(plain.clone());
    drop(run(&storage, 2));
    let keyed = Access::new(storage, Some(DataKey::from_bytes([1; 32])));
    let opened = Writer::open(keyed.clone(), "story");
    assert!(matches!(opened, Err(OpenError::NotEncrypted { .. })));
    assert!(matches!(Store::open(keyed), Err(OpenError::NotEncrypted { .. })));
}

#[test]
fn a_tag_that_cannot_be_understood_protects_every_checkpoint() {
    let (faults, storage) = faulty();
    let store = run(&storage, 4);
    store.set_tag("good", 1, false).unwrap();
    drop(store);
    faults.fail("refs/tags/", EACCES);
    let mut store = writer(&storage);
    assert!(matches!(store.prune(&keep_last(1), None, 0), Err(PruneError::TagUnknown { .. })));
    assert!(matches!(store.discard_after(0), Err(PruneError::TagUnknown { .. })));
    let pruned = store.prune_between_saves(&keep_last(1), None, 0).unwrap();
    assert!(pruned.plan.delete.is_empty() && pruned.kept_because.is_some());
    faults.heal();
    let pruned = store.prune(&keep_last(1), None, 0).unwrap();
    assert_eq!(pruned.plan.keep.into_keys().collect::<Vec<_>>(), [1, 3]);
}

#[test]
fn the_newest_that_is_kept_is_read_before_others_go() {
    let memory = MemoryStorage::new();
    let storage: Arc<dyn Storage> = Arc::new(memory.clone());
    drop(run(&storage, 1));
    let old = memory.to_objects();
    let mut store = writer(&storage);
    save(&mut store, 1, &state(1)).unwrap();
    drop(store);
    let mut objects = memory.to_objects();
    let newest = objects.keys().find(|name| name.starts_with("packs/") && !old.contains_key(*name)).cloned();
    objects.get_mut(&newest.unwrap()).unwrap()[9..60].iter_mut().for_each(|byte| *byte ^= 0xff);
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::from_objects(objects));
    let mut store = writer(&storage);
    let pruned = store.prune(&keep_last(1), None, 0).unwrap();
    assert!(pruned.plan.delete.is_empty(), "{pruned:?}");
    assert_eq!(loads(&store, 0), state(0));
}

#[test]
fn an_encrypted_run_does_not_tell_who_writes_it_and_what_for() {
    let dir = tempfile::tempdir().unwrap();
    let files: Arc<dyn Storage> = Arc::new(FileStorage::new(dir.path().join("run")));
    let keyed = Access::new(Arc::clone(&files), Some(DataKey::from_bytes([1; 32])));
    let store = Writer::create(keyed, "secret", None, "train --identity secret.key").unwrap();
    let holder = files.holder().unwrap().unwrap();
    assert_eq!((holder.purpose.as_str(), holder.host.as_str()), ("", ""));
    drop(store);
    assert!(files.list("lease.holder").unwrap().is_empty(), "it stays behind");
}

#[test]
fn the_record_of_a_fork_does_not_open_in_its_sibling() {
    let key = || DataKey::from_bytes([1; 32]);
    let make = |value: u64| {
        let memory = MemoryStorage::new();
        let keyed = Access::new(Arc::new(memory.clone()), Some(key()));
        let mut store = Writer::create(keyed, "", None, "story").unwrap();
        save(&mut store, 1, &state(value)).unwrap();
        store.set_tag("best-so-far", 1, false).unwrap();
        store.set_note(Some(1), "of this run").unwrap();
        memory
    };
    let (ours, theirs) = (make(1), make(2));
    let mut objects = ours.to_objects();
    objects.extend(theirs.to_objects().into_iter().filter(|(name, _)| name != "rekindle.json"));
    let mixed = Access::new(Arc::new(MemoryStorage::from_objects(objects)), Some(key()));
    let store = Store::open(mixed).unwrap();
    let error = store.checkpoint(1).unwrap_err();
    assert!(error.damage().is_some(), "{error}");
    assert!(store.note(Some(1)).is_err());
    assert!(store.tags().unwrap().values().any(Result::is_err));
}

#[test]
fn what_would_not_be_read_back_is_refused_before_it_is_published() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let mut store = run(&storage, 1);
    let mut commit = |about: About, tree: &Tree| {
        let mut save = store.save()?;
        let stored = tree.try_map_arrays(&mut |path, array: &Array| {
            save.array(path, array.kind().clone(), array.data())
        })?;
        save.commit(5, &stored, about, &[]).map(drop)
    };
    for value in [f64::NAN, f64::INFINITY] {
        let about = About { metrics: [("loss".to_owned(), value)].into(), ..About::default() };
        assert!(matches!(commit(about, &state(5)), Err(SaveError::MetricNotFinite { .. })));
    }
    let nested = (0..130).fold(serde_json::Value::Null, |inner, _| serde_json::json!([inner]));
    let about = About { config: nested, ..About::default() };
    assert!(matches!(commit(about, &state(5)), Err(SaveError::RecordDoesNotComeBack)));

    let wrapped = |levels: usize| {
        (0..levels).fold(Node::Some(Box::new(Node::Null)), |inner, _| Node::Some(Box::new(inner)))
    };
    let deep = |levels: usize| fields(vec![("options", wrapped(levels)), ("large", noise(1, 9000))]);
    assert!(matches!(commit(About::default(), &deep(200)), Err(SaveError::TooDeep { .. })));
    commit(About::default(), &deep(120)).unwrap();
    let store = writer_after(store, &storage);
    assert_eq!(loads(&store, 5), deep(120));
}

/// Values that are nodes of their own at every level are as deep as others for the reader.
#[test]
fn what_the_writer_takes_for_deep_the_reader_does_too() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let mut store = Writer::create(Arc::clone(&storage), "", None, "story").unwrap();
    let filler = || Node::Scalar(rekindle_store::Scalar::Str("x".repeat(1000)));
    let level = |inner: Tree| Node::List((0..9).map(|_| filler()).chain([inner]).collect());
    let nested = |levels: usize| (0..levels).fold(Node::Null, |inner, _| level(inner));
    for levels in [126, 127, 128, 129] {
        let saved = save(&mut store, levels as u64, &nested(levels));
        assert_eq!(saved.is_ok(), levels <= 128, "{levels}");
    }
    assert_eq!(loads(&writer_after(store, &storage), 128), nested(128));
}

#[cfg(unix)]
#[test]
fn whose_lease_was_deleted_saves_nothing_more() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("run");
    let storage: Arc<dyn Storage> = Arc::new(FileStorage::new(&place));
    let mut store = run(&storage, 2);
    storage.delete("lease").unwrap();
    let mut second = writer(&storage);
    save(&mut second, 2, &state(2)).unwrap();
    let refused = save(&mut store, 2, &state(7)).unwrap_err();
    assert!(matches!(refused, SaveError::LeaseLost { .. }), "{refused}");
    assert_eq!(loads(&second, 2), state(2));
}

#[test]
fn looking_whether_a_run_is_written_makes_no_writer_fail() {
    let dir = tempfile::tempdir().unwrap();
    let storage: Arc<dyn Storage> = Arc::new(FileStorage::new(dir.path().join("run")));
    drop(run(&storage, 1));
    std::thread::scope(|scope| {
        let looking = scope.spawn(|| {
            for _ in 0..3000 {
                storage.holder().unwrap();
            }
        });
        while !looking.is_finished() {
            drop(Writer::open(Arc::clone(&storage), "story").unwrap());
        }
    });
}

#[test]
fn a_run_that_was_moved_away_is_not_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("nowhere");
    let storage: Arc<dyn Storage> = Arc::new(FileStorage::new(&place));
    assert!(matches!(Writer::open(storage, "story"), Err(OpenError::NoRun { .. })));
    assert!(!place.exists());
}

#[test]
fn a_save_that_is_given_up_leaves_no_packs() {
    let memory = MemoryStorage::new();
    let storage: Arc<dyn Storage> = Arc::new(memory.clone());
    let mut store = run(&storage, 1);
    let before: Vec<String> = memory.to_objects().into_keys().collect();
    let mut save = store.save().unwrap();
    for part in 0..70 {
        let Node::Array(array) = noise(part, 4 << 20) else { unreachable!() };
        let path = EntryPath::root().child(part.to_string());
        save.array(&path, array.kind().clone(), array.data()).unwrap();
    }
    drop(save);
    assert_eq!(memory.to_objects().into_keys().collect::<Vec<_>>(), before);
}

#[test]
fn only_files_for_people_are_written_beside_the_checkpoints() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let store = run(&storage, 2);
    for name in ["commits/000000000000.json", "rekindle.json", "packs/x", "lease", "artifacts/../x"] {
        assert!(store.put_note(name, b"x").is_err(), "{name}");
    }
    store.put_note("artifacts/picture.png", b"x").unwrap();
    drop(store);
    assert_eq!(Store::open(storage).unwrap().steps(), [0, 1]);
}

/// A chunk that is in full in one damaged pack and a difference in another is kept in full, whatever the
/// order of the packs: others may be told by it.
#[test]
fn two_damaged_packs_keep_the_full_chunk() {
    for twist in 0..6u64 {
        let memory = MemoryStorage::new();
        let storage: Arc<dyn Storage> = Arc::new(memory.clone());
        let mut store = Writer::create(Arc::clone(&storage), "", None, "story").unwrap();
        let tree =
            |w: u64, extra: u64| fields(vec![("w", drifting(w)), ("x", noise(1000 * twist + extra, 3000))]);
        // In full at 1, a difference at 2; then pruned away and written again from another base.
        for (step, w) in [(1, 1), (2, 2), (3, 3)] {
            save(&mut store, step, &tree(w, step)).unwrap();
        }
        drop(store);
        let mut objects = memory.to_objects();
        for (_, bytes) in objects.iter_mut().filter(|(name, _)| name.starts_with("packs/")) {
            // Outside of the chunks: the pack is damaged, and everything in it is good.
            bytes[0] ^= 1;
        }
        let damaged: Arc<dyn Storage> = Arc::new(MemoryStorage::from_objects(objects));
        let repaired = writer(&damaged).repair(Unreadable::Refuse).unwrap();
        assert_eq!((repaired.packs.len(), repaired.set_aside.len()), (3, 0));
        let store = Store::open(damaged).unwrap();
        for step in 1..=3 {
            assert_eq!(loads(&store, step), tree(step, step));
        }
    }
}

#[test]
fn what_is_set_aside_keeps_its_record_its_note_and_what_was_there_before() {
    let memory = MemoryStorage::new();
    let storage: Arc<dyn Storage> = Arc::new(memory.clone());
    let mut store = run(&storage, 2);
    for round in 0..2 {
        store.set_note(Some(1), "mine").unwrap();
        store.set_aside(1).unwrap();
        if round == 0 {
            save(&mut store, 1, &state(8)).unwrap();
        }
    }
    let names: Vec<String> =
        memory.to_objects().into_keys().filter(|name| name.starts_with("damaged/")).collect();
    let expected = ["commits", "notes"].map(|kind| format!("damaged/{kind}/000000000001.json"));
    assert!(
        expected.iter().all(|name| names.contains(name) && names.contains(&format!("{name}.1"))),
        "{names:?}"
    );
    let none: Vec<Skipped> = store.damaged_records().collect();
    assert!(none.is_empty());
}
