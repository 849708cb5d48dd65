//! What an address costs: the bytes that are read of a run until a checkpoint, or a part of one, is there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rekindle::storage::{Holder, Lease, MemoryStorage, Object, Storage, StorageError, Upload};
use rekindle::{Best, EntryPath, Goal, Policy, Retention, RunOptions, Store, Which};

#[derive(serde::Serialize, serde::Deserialize)]
struct State {
    #[serde(with = "rekindle::array")]
    large: Vec<u64>,
    #[serde(with = "rekindle::array")]
    small: Vec<u64>,
}

/// Bytes of the large array.
const LARGE: u64 = 16 << 20;

impl State {
    fn at(step: u64) -> Self {
        let mix = |i: u64| (i ^ step << 40).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
        Self { large: (0..LARGE / 8).map(|i| mix(mix(i))).collect(), small: vec![step; 4096] }
    }
}

/// A storage that counts what is read of it.
#[derive(Debug)]
struct Counting {
    memory: MemoryStorage,
    read: AtomicU64,
}

impl Counting {
    fn new(memory: MemoryStorage) -> Arc<Self> {
        Arc::new(Self { memory, read: AtomicU64::new(0) })
    }

    /// Bytes that were read since this was asked last.
    fn take(&self) -> u64 {
        self.read.swap(0, Ordering::Relaxed)
    }
}

impl Storage for Counting {
    fn put_new(&self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        self.memory.put_new(name, bytes)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        self.memory.put(name, bytes)
    }

    fn upload(self: Arc<Self>) -> Result<Box<dyn Upload>, StorageError> {
        Arc::new(self.memory.clone()).upload()
    }

    fn read_range(&self, name: &str, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError> {
        self.read.fetch_add(buffer.len() as u64, Ordering::Relaxed);
        self.memory.read_range(name, offset, buffer)
    }

    fn len(&self, name: &str) -> Result<u64, StorageError> {
        self.memory.len(name)
    }

    fn list(&self, prefix: &str) -> Result<Vec<Object>, StorageError> {
        self.memory.list(prefix)
    }

    fn delete(&self, name: &str) -> Result<(), StorageError> {
        self.memory.delete(name)
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), StorageError> {
        self.memory.rename(from, to)
    }

    fn lease(&self, holder: &Holder) -> Result<Box<dyn Lease>, StorageError> {
        self.memory.lease(holder)
    }

    fn holder(&self) -> Result<Option<Holder>, StorageError> {
        self.memory.holder()
    }

    fn location(&self) -> String {
        self.memory.location()
    }
}

/// So many checkpoints, the second of which is the best and tagged.
fn run(steps: u64) -> MemoryStorage {
    let memory = MemoryStorage::new();
    let policy = Policy { retention: Retention::default(), ..Policy::default() };
    let mut run = RunOptions::new().policy(policy).create_in(Arc::new(memory.clone())).unwrap();
    for step in 1..=steps {
        run.set_metrics(step, &[("loss".to_owned(), step.abs_diff(2) as f64)].into());
        run.save(step, &State::at(step)).unwrap();
    }
    run.writer().set_tag("good", 2, false).unwrap();
    memory
}

#[test]
fn an_address_resolves_without_reading_arrays_and_a_part_reads_only_itself() {
    let storage = Counting::new(run(3));
    let store = Store::open(storage.clone()).unwrap();
    let best = Best { metric: "loss".to_owned(), goal: Goal::Min };
    let cases = [("latest", 3), ("latest~2", 1), ("2", 2), ("best", 2), ("good", 2)];
    for (text, step) in cases {
        assert_eq!(Which::parse(text).resolve(&store, Some(&best)).unwrap().step, step, "{text}");
    }
    let read = storage.take();
    assert!(read < LARGE / 20, "opening and {} addresses read {read} bytes", cases.len());
    store.checkpoint(3).unwrap().load(&"small".parse().unwrap()).unwrap();
    let read = storage.take();
    assert!(read < LARGE / 20, "a small array reads {read} bytes");
    Which::Latest(0).resolve_whole(&store, None).unwrap();
    assert!(storage.take() >= LARGE, "to find the newest whole one, it is read");
}

#[test]
fn only_damage_in_what_is_loaded_makes_an_older_checkpoint_the_newest() {
    let (before, mut objects) = (run(2).to_objects(), run(3).to_objects());
    // In the middle of what only the newest checkpoint has, there is its large array.
    let is_new = |name: &String| name.starts_with("packs/") && !before.contains_key(name);
    let new = objects.iter_mut().filter(|(name, _)| is_new(name)).max_by_key(|(_, bytes)| bytes.len());
    let (_, bytes) = new.expect("the newest checkpoint has a pack of its own");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let store = Store::open(Arc::new(MemoryStorage::from_objects(objects))).unwrap();
    let found = Which::Latest(0).resolve(&store, None).unwrap();
    assert_eq!((found.step, found.skipped.len()), (3, 0));
    let checkpoint = store.checkpoint(3).unwrap();
    assert!(checkpoint.load(&"small".parse().unwrap()).is_ok());
    let damage = checkpoint.load(&EntryPath::root()).unwrap_err();
    assert!(damage.damage().is_some(), "{damage}");
    let fallen_back = Which::Latest(0).resolve_whole(&store, None).unwrap();
    assert_eq!(fallen_back.step, 2);
    assert_eq!(fallen_back.skipped.iter().map(|skipped| skipped.step).collect::<Vec<_>>(), [3]);
}
