//! States that are trees, and checkpoints whose arrays several processes store.

#![allow(clippy::disallowed_methods, reason = "a test looks at its files")]

use std::sync::Arc;

use rekindle::parts::{Part, PartRecord};
use rekindle::storage::{FileStorage, MemoryStorage};
use rekindle::tree::{Array, ArrayType, DType, Mismatch, MismatchKind, Scalar, hash_of_tree};
use rekindle::{
    EntryPath, Node, Outcome, Policy, ResumeError, Retention, Run, RunOptions, Saving, Store, Tree, WhenBusy,
};

fn tree(step: u64) -> Tree {
    let weights: Vec<u8> = (0..300_000u32).flat_map(|i| ((i as f32) * step as f32).to_le_bytes()).collect();
    Node::Struct(vec![
        ("step".to_owned(), Node::Scalar(Scalar::U64(step))),
        ("weights".to_owned(), Node::Array(Array::new(DType::F32, vec![300, 1000], weights).unwrap())),
        ("kind".to_owned(), Node::Variant("any".to_owned(), Box::new(Node::List(vec![Node::Null])))),
    ])
}

fn options(saving: Saving) -> RunOptions {
    let policy = Policy { every_steps: Some(1), retention: Retention::default(), ..Policy::default() };
    RunOptions::new().policy(policy).saving(saving)
}

#[test]
fn trees_are_saved_and_resumed_by_the_caller_and_by_a_thread() {
    for saving in [Saving::Blocking, Saving::Background(WhenBusy::Wait)] {
        let storage = Arc::new(MemoryStorage::new());
        let mut run = options(saving).create_in(storage.clone()).unwrap();
        let nothing = |_: &_| Vec::new();
        let (none, _) = run.resume_tree(nothing, |_, _| Ok(())).unwrap();
        assert!(none.is_none());
        for step in 1..=3 {
            let outcome = run.checkpoint_tree(step, &tree(step)).unwrap();
            assert_eq!(matches!(outcome, Outcome::InBackground), saving != Saving::Blocking);
        }
        run.finish_tree(&tree(3)).unwrap();

        let mut run = options(saving).open_in(storage).unwrap();
        let load = |checkpoint: &rekindle::Checkpoint<'_>, _: &_| Ok(checkpoint.load(&EntryPath::root())?);
        let (loaded, resumed) = run.resume_tree(nothing, load).unwrap();
        assert_eq!((loaded, resumed.step), (Some(tree(3)), Some(3)));
        let hashes: Vec<_> = run.store().records().map(|record| record.state_hash).collect();
        assert_eq!(hashes, [1, 2, 3].map(|step| hash_of_tree(&tree(step))));

        let differs = |_: &_| vec![Mismatch { path: EntryPath::root(), kind: MismatchKind::Unexpected }];
        let refused = run.resume_tree(differs, |_, _| Ok(())).unwrap_err();
        assert!(matches!(refused, ResumeError::DoesNotFit { step: 3, .. }), "{refused}");
    }
}

fn kind(rows: u64) -> ArrayType {
    ArrayType { dtype: DType::F32, shape: vec![rows, 1000] }
}

fn part(dir: &std::path::Path, seed: u8) -> PartRecord {
    let mut part = Part::open(Arc::new(FileStorage::new(dir))).unwrap();
    part.array(&kind(700), &vec![seed; 2_800_000]).unwrap();
    part.array(&kind(0), &[]).unwrap();
    part.array(&ArrayType { dtype: DType::U8, shape: vec![3] }, &[seed, 1, 2]).unwrap();
    // As it comes from another process.
    serde_json::from_str(&serde_json::to_string(&part.finish().unwrap()).unwrap()).unwrap()
}

fn save(run: &mut Run, step: u64, parts: &[PartRecord]) -> Result<(), rekindle::CaptureError> {
    let saved = run.save_parts(step, parts, |_, arrays| {
        let arrays = arrays.iter().flatten().cloned().map(Node::Array).collect();
        Ok(Node::List(arrays))
    });
    saved.map(|_| ())
}

#[test]
fn parts_of_several_processes_become_one_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = options(Saving::Blocking).create(dir.path()).unwrap();
    let parts = [part(dir.path(), 7), part(dir.path(), 9)];
    assert!(Store::open(Arc::new(FileStorage::new(dir.path()))).unwrap().steps().is_empty());
    save(&mut run, 1, &parts).unwrap();
    // What is there is not written again.
    let again = part(dir.path(), 7);
    save(&mut run, 2, &[again]).unwrap();
    drop(run);

    let store = Store::open(Arc::new(FileStorage::new(dir.path()))).unwrap();
    assert!(store.verify(Default::default()).unwrap().damage.is_empty());
    let Node::List(items) = store.checkpoint(1).unwrap().load(&EntryPath::root()).unwrap() else { panic!() };
    let Node::Array(array) = &items[3] else { panic!() };
    assert_eq!((array.kind(), array.data()), (&kind(700), &vec![9; 2_800_000][..]));
    assert!(store.checkpoint(2).unwrap().record().new_bytes < 10_000);
}

#[test]
fn a_part_that_is_not_whole_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = options(Saving::Blocking).create(dir.path()).unwrap();
    let good = serde_json::to_string(&part(dir.path(), 7)).unwrap();
    for (from, to) in [
        ("f32", "f99"),
        ("[700,1000]", "[701,1000]"),
        ("[700,1000]", "[18446744073709551615,1000]"),
        ("[3]", "[4]"),
        ("\"pack\":\"", "\"pack\":null,\"was\":\""),
    ] {
        let bad = good.replace(from, to);
        assert_ne!(bad, good);
        let bad: PartRecord = serde_json::from_str(&bad).unwrap();
        save(&mut run, 1, &[bad]).unwrap_err();
        assert!(run.store().steps().is_empty(), "{to}");
        // A save that is given up takes its packs with it.
        part(dir.path(), 7);
    }
    save(&mut run, 1, &[serde_json::from_str(&good).unwrap()]).unwrap();
}
