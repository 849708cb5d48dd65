//! An encrypted run: whoever has its files learns nothing of the state, whoever has the key loses
//! nothing that a plain run can do.

use std::sync::Arc;

use crate::common::{save, state};
use rekindle_store::storage::{MemoryStorage, Storage};
use rekindle_store::{
    Access, Array, DType, DataKey, Depth, EntryPath, Node, OpenError, Retention, Store, Tree, Writer,
    is_encrypted, put_wrapped_key, verify_without_key, wrapped_key,
};

const KEY: [u8; 32] = [42; 32];

fn keyed(memory: &MemoryStorage, key: [u8; 32]) -> Access {
    Access::new(Arc::new(memory.clone()), Some(DataKey::from_bytes(key)))
}

/// Three checkpoints of a state, with tags and a metrics history.
fn encrypted_run() -> MemoryStorage {
    let memory = MemoryStorage::new();
    put_wrapped_key(&memory, b"wrapped").unwrap();
    let mut store = Writer::create(keyed(&memory, KEY), "secret-system", None, "story").unwrap();
    for step in 1..=3 {
        save(&mut store, step, &state(step)).unwrap();
    }
    store.set_tag("secret-tag", 2, false).unwrap();
    memory
}

#[test]
fn everything_works_as_in_a_plain_run() {
    let memory = encrypted_run();
    let plain = MemoryStorage::new();
    let mut store = Writer::create(Arc::new(plain), "", None, "story").unwrap();
    let plain_hash = save(&mut store, 3, &state(3)).unwrap().record.state_hash;

    let mut store = Writer::open(keyed(&memory, KEY), "story").unwrap();
    assert!(store.identity().encrypted);
    assert_eq!(store.identity().system, "secret-system");
    assert_eq!(store.tagged_step("secret-tag").unwrap(), 2);
    let newest = store.checkpoint(3).unwrap();
    assert_eq!(newest.record().state_hash, plain_hash, "equal states are equal, encrypted or not");
    assert_eq!(newest.load(&EntryPath::root()).unwrap(), state(3));
    assert_eq!(newest.history().0.len(), 3);
    let weights: EntryPath = "weights".parse().unwrap();
    let tree = newest.tree().unwrap();
    let Some(Node::Array(array)) = tree.at(&weights) else { panic!("there are weights") };
    let rows = newest.read_rows(&weights, array, 10..20).unwrap();
    let Node::Array(whole) = newest.load(&weights).unwrap() else { panic!("an array") };
    assert_eq!(rows, whole.data()[40..80]);

    let again = save(&mut store, 4, &state(3)).unwrap().record.new_bytes;
    assert_eq!(again, 0, "what is unchanged is not written again");
    store.prune(&Retention { keep_last: Some(1), ..Retention::default() }, None, 0).unwrap();
    assert_eq!(store.steps(), [2, 4]);
    store.gc(0).unwrap();
    assert!(store.verify(Depth::Full).unwrap().damage.is_empty());
    for step in [2, 4] {
        let expected = state(step.min(3));
        assert_eq!(store.checkpoint(step).unwrap().load(&EntryPath::root()).unwrap(), expected);
    }
}

#[test]
fn the_files_tell_nothing_of_the_state() {
    let memory = encrypted_run();
    let secrets = ["weights", "constant", "secret", "loss", "text text"];
    for (name, bytes) in memory.to_objects() {
        let text = String::from_utf8_lossy(&bytes);
        for secret in secrets {
            assert!(!name.contains(secret) && !text.contains(secret), "`{name}` tells `{secret}`");
        }
    }
    // Nor can a guess be tested: the chunk of a known array has another name in each run.
    let store = Store::open(keyed(&memory, KEY)).unwrap();
    let tree = store.checkpoint(1).unwrap().tree().unwrap();
    let Some(Node::Array(constant)) = tree.at(&"constant".parse().unwrap()) else { panic!("an array") };
    let hash = constant.chunks()[0];
    let stored = memory.to_objects().into_values().any(|bytes| bytes.windows(32).any(|w| w == hash.0));
    assert!(!stored, "the hash of a chunk can be found in the files");
}

#[test]
fn without_the_key_or_with_another_it_does_not_open_but_can_be_verified() {
    let memory = encrypted_run();
    assert!(is_encrypted(&memory).unwrap());
    assert_eq!(wrapped_key(&memory).unwrap().unwrap(), b"wrapped");
    let storage: Arc<dyn Storage> = Arc::new(memory.clone());
    assert!(matches!(Store::open(Arc::clone(&storage)), Err(OpenError::Encrypted { .. })));
    assert!(matches!(Store::open(keyed(&memory, [1; 32])), Err(OpenError::WrongKey { .. })));
    assert!(verify_without_key(&storage).unwrap().damage.is_empty());
    // Any changed byte is found without the key.
    for (name, bytes) in memory.to_objects() {
        if ["key.age", "lease.holder.json"].contains(&name.as_str()) {
            continue;
        }
        for position in (0..bytes.len()).step_by(61) {
            let mut objects = memory.to_objects();
            objects.get_mut(&name).unwrap()[position] ^= 2;
            let damaged: Arc<dyn Storage> = Arc::new(MemoryStorage::from_objects(objects));
            let report = verify_without_key(&damaged).unwrap();
            assert!(!report.damage.is_empty(), "byte {position} of {name}");
        }
    }
}

/// Objects are bound to their places: a record cannot be put in place of another, nor a chunk.
#[test]
fn objects_cannot_be_exchanged() {
    let memory = encrypted_run();
    let mut objects = memory.to_objects();
    let old = objects["commits/000000000002.json"].clone();
    objects.insert("commits/000000000003.json".to_owned(), old);
    let store = Store::open(keyed(&MemoryStorage::from_objects(objects), KEY)).unwrap();
    assert_eq!(store.damaged_records().map(|skipped| skipped.step).collect::<Vec<_>>(), [3]);
}

#[test]
fn a_plain_run_is_encrypted_into_a_new_one() {
    let plain = MemoryStorage::new();
    let mut store = Writer::create(Arc::new(plain), "toy", None, "story").unwrap();
    let big = |step: u64| -> Tree {
        let bytes = (0..300_000u64).flat_map(|i| ((i * 31 + step) as f32).sin().to_le_bytes()).collect();
        Node::Struct(vec![(
            "big".to_owned(),
            Node::Array(Array::new(DType::F32, vec![300, 1000], bytes).unwrap()),
        )])
    };
    for step in 1..=2 {
        save(&mut store, step, &big(step)).unwrap();
    }
    store.set_tag("first", 1, false).unwrap();
    let memory = MemoryStorage::new();
    let mut encrypted = Writer::create(keyed(&memory, KEY), "toy", None, "story").unwrap();
    let copied = encrypted.copy_run(&store, |_| {}).unwrap();
    assert_eq!((copied.steps.as_slice(), copied.tags.as_slice()), (&[1, 2][..], &["first".to_owned()][..]));
    assert!(copied.skipped.is_empty());
    for step in 1..=2 {
        let (a, b) = (store.checkpoint(step).unwrap(), encrypted.checkpoint(step).unwrap());
        assert_eq!(a.record().state_hash, b.record().state_hash);
        assert_eq!(a.history().0, b.history().0);
        assert_eq!(b.load(&EntryPath::root()).unwrap(), big(step));
    }
}

#[test]
fn a_run_that_is_made_beside_an_encrypted_one_opens_with_the_same_keys() {
    let old = Store::open(keyed(&encrypted_run(), KEY)).unwrap();
    let memory = MemoryStorage::new();
    let place = old.access().beside(Arc::new(memory.clone())).unwrap();
    assert!(memory.to_objects().is_empty(), "nothing is written before the run is made");
    let mut new = Writer::create(place.clone(), "", None, "story").unwrap();
    new.copy_checkpoint(&old.checkpoint(3).unwrap()).unwrap();
    drop(new);
    assert_eq!(wrapped_key(&memory).unwrap().unwrap(), b"wrapped");
    assert_eq!(Store::open(keyed(&memory, KEY)).unwrap().steps(), [3]);
    // A place that is taken keeps its key.
    put_wrapped_key(&memory, b"wrapped anew").unwrap();
    assert!(matches!(Writer::create(place, "", None, "story"), Err(OpenError::RunExists { .. })));
    assert_eq!(wrapped_key(&memory).unwrap().unwrap(), b"wrapped anew");

    let plain = Arc::new(MemoryStorage::new());
    drop(Writer::create(plain.clone(), "", None, "story").unwrap());
    let beside = Store::open(plain).unwrap().access().beside(Arc::new(MemoryStorage::new())).unwrap();
    assert!(beside.key().is_none());
}
