//! Old checkpoints are deleted and their space is freed; what others need stays, and readers that
//! have begun can end.

use std::sync::Arc;

use crate::common::{save, state};
use rekindle_store::storage::{FileStorage, MemoryStorage};
use rekindle_store::{
    Array, Best, DType, Depth, EntryPath, Goal, Node, Reason, Retention, Store, TagError, Tree, Writer,
};

fn keep_last(count: u64) -> Retention {
    Retention { keep_last: Some(count), ..Retention::default() }
}

fn run(steps: u64) -> (MemoryStorage, Writer) {
    let memory = MemoryStorage::new();
    let mut store = Writer::create(Arc::new(memory.clone()), "", None, "story").unwrap();
    for step in 0..steps {
        save(&mut store, step, &state(step)).unwrap();
    }
    (memory, store)
}

fn packs(memory: &MemoryStorage) -> usize {
    memory.to_objects().keys().filter(|name| name.starts_with("packs/")).count()
}

fn loads(store: &Store, step: u64) {
    store.checkpoint(step).unwrap().load(&EntryPath::root()).unwrap();
}

#[test]
fn space_is_freed_and_shared_chunks_stay() {
    let (memory, mut store) = run(6);
    let pruned = store.prune(&keep_last(2), None, 0).unwrap();
    assert_eq!(pruned.plan.delete.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert!(pruned.freed_bytes > 0);
    // The first pack holds the array that never changes.
    assert_eq!(packs(&memory), 3);
    [4, 5].into_iter().for_each(|step| loads(&store, step));
    let store = Store::open(Arc::new(memory)).unwrap();
    assert!(store.verify(Depth::Full).unwrap().damage.is_empty());
    let (rows, damage) = store.history(store.checkpoint(5).unwrap().record());
    assert_eq!((rows.len(), damage), (6, None), "the history is that of the whole run");
}

#[test]
fn the_tagged_and_the_best_stay() {
    let (_, mut store) = run(6);
    store.set_tag("paper", 1, false).unwrap();
    let best = Best { metric: "loss".to_owned(), goal: Goal::Max };
    let plan = store.prune(&keep_last(1), Some(&best), 0).unwrap().plan;
    let reasons: Vec<_> = plan.keep.into_iter().collect();
    assert_eq!(reasons[0], (0, vec![Reason::Best("loss".to_owned())]));
    assert_eq!(reasons[1], (1, vec![Reason::Tag("paper".to_owned())]));
    assert_eq!(reasons[2], (5, vec![Reason::LatestValid, Reason::KeepLast]));
    assert!(matches!(store.set_tag("paper", 5, false), Err(TagError::Taken { step: 1, .. })));
}

#[test]
fn a_plan_changes_nothing() {
    let (memory, store) = run(4);
    let before = memory.to_objects();
    assert_eq!(store.prune_plan(&keep_last(1), None).unwrap().delete.len(), 3);
    assert_eq!(memory.to_objects(), before);
}

#[test]
fn packs_wait_for_readers() {
    let (memory, mut store) = run(4);
    let reader = Store::open(Arc::new(memory.clone())).unwrap();
    let pruned = store.prune(&keep_last(1), None, 3600).unwrap();
    assert!(pruned.freed_bytes == 0 && pruned.condemned_bytes > 0);
    loads(&reader, 0);
    let freed = store.prune(&keep_last(1), None, 0).unwrap().freed_bytes;
    assert_eq!(freed, pruned.condemned_bytes);
}

#[test]
fn a_pack_that_is_written_again_is_not_condemned_any_more() {
    let (memory, mut store) = run(3);
    store.prune(&keep_last(1), None, 3600).unwrap();
    store.discard_checkpoint(2).unwrap();
    store.prune(&keep_last(1), None, 3600).unwrap();
    drop(store);
    let mut store = Writer::open(Arc::new(memory), "story").unwrap();
    // The same states again make packs of the same names as those that wait for their end.
    for step in 3..6 {
        save(&mut store, step, &state(step - 3)).unwrap();
    }
    store.prune(&Retention::default(), None, 0).unwrap();
    [3, 4, 5].into_iter().for_each(|step| loads(&store, step));
}

#[test]
fn a_damaged_checkpoint_keeps_all_packs() {
    let (memory, store) = run(3);
    drop(store);
    let mut objects = memory.to_objects();
    let record = objects.get_mut("commits/000000000001.json").unwrap();
    record[40] ^= 1;
    let damaged = MemoryStorage::from_objects(objects);
    let mut store = Writer::open(Arc::new(damaged.clone()), "story").unwrap();
    let pruned = store.prune(&keep_last(1), None, 0).unwrap();
    assert!(pruned.kept_because.is_some());
    assert_eq!(pruned.plan.keep[&1], [Reason::Damaged]);
    assert_eq!(packs(&damaged), 3);
}

#[test]
fn on_a_file_system_a_reader_keeps_what_it_has_opened() {
    let dir = tempfile::tempdir().unwrap();
    let place = || Arc::new(FileStorage::new(dir.path().join("run")));
    let mut store = Writer::create(place(), "", None, "story").unwrap();
    for step in 0..4 {
        save(&mut store, step, &state(step)).unwrap();
    }
    let reader = Store::open(place()).unwrap();
    store.prune(&keep_last(1), None, 0).unwrap();
    if cfg!(unix) {
        loads(&reader, 0);
    }
    loads(&reader, 3);
}

/// Random bytes beside others that never change; of the bytes some are taken out.
fn random(taken_out: bool) -> Tree {
    let mut word = 1_u64;
    let mut byte = || {
        word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (word >> 56) as u8
    };
    let constant: Vec<u8> = (0..50_000).map(|_| byte()).collect();
    let mut secret: Vec<u8> = (0..4000).map(|_| byte()).collect();
    if taken_out {
        secret[SECRET].fill(0);
    }
    let array = |bytes: Vec<u8>| Node::Array(Array::new(DType::U8, vec![bytes.len() as u64], bytes).unwrap());
    Node::Struct(vec![("constant".to_owned(), array(constant)), ("secret".to_owned(), array(secret))])
}

const SECRET: std::ops::Range<usize> = 1000..1032;

#[test]
fn what_is_erased_is_nowhere() {
    let memory = MemoryStorage::new();
    let mut store = Writer::create(Arc::new(memory.clone()), "", None, "story").unwrap();
    save(&mut store, 0, &random(false)).unwrap();
    store.store_next_in_full();
    save(&mut store, 1, &random(true)).unwrap();
    let Node::Struct(fields) = random(false) else { panic!("it is a structure") };
    let Node::Array(secret) = &fields[1].1 else { panic!("it is an array") };
    let secret = &secret.data()[SECRET];
    let is_there = || {
        let objects = memory.to_objects();
        objects.values().any(|bytes| bytes.windows(secret.len()).any(|window| window == secret))
    };
    store.discard_checkpoint(0).unwrap();
    let pruned = store.prune(&keep_last(1), None, 0).unwrap();
    assert!(pruned.rewritten_bytes == 0 && is_there(), "most of its pack is needed");
    store.erase_unneeded().unwrap();
    assert!(!is_there());
    loads(&store, 1);
    assert!(Store::open(Arc::new(memory.clone())).unwrap().verify(Depth::Full).unwrap().damage.is_empty());
}
