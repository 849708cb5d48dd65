//! Runs that are made by hand, in the form of `docs/format.md`, each with one lie.

use std::collections::BTreeMap;
use std::sync::Arc;

use rekindle::storage::{MemoryStorage, Storage};
use rekindle::upkeep::{Depth, Unreadable};
use rekindle::{EntryPath, Hash, OpenError, Store, Writer};

use crate::sample::{save, state};

const STEP: u64 = 7;

/// A run with a lie.
pub struct HostileRun {
    /// What is wrong with it.
    pub name: String,
    storage: MemoryStorage,
    size: usize,
}

/// The objects of a run.
pub type Objects = BTreeMap<String, Vec<u8>>;

impl HostileRun {
    /// Bytes of all objects.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The state is what it should be; what is wrong stands in files that no checkpoint depends on,
    /// or in counts that are only shown.
    fn lies_about_nothing_that_counts(&self) -> bool {
        let harmless = ["note ", "signature ", "a wrapped key ", "commit record of 2^64"];
        harmless.iter().any(|kind| self.name.starts_with(kind))
    }

    /// Nothing loads from it.
    pub fn is_harmless(&self) -> Result<(), String> {
        let store = match Store::open(Arc::new(self.storage.clone())) {
            Ok(store) => store,
            Err(OpenError::NewerFormat { .. } | OpenError::NoRun { .. } | OpenError::Encrypted { .. }) => {
                return Ok(());
            }
            Err(error) => return Err(format!("it does not open, with an odd reason: {error}")),
        };
        let report = store.verify(Depth::Full).map_err(|error| error.to_string())?;
        let found = !report.damage.is_empty() || !report.unknown.is_empty();
        for record in store.records() {
            let loaded = store.checkpoint(record.step).and_then(|checkpoint| {
                checkpoint.history();
                checkpoint.load(&EntryPath::root())
            });
            if loaded.is_ok() && !found && !self.lies_about_nothing_that_counts() {
                return Err("it loads, and verify finds nothing".to_owned());
            }
        }
        Ok(())
    }
}

impl HostileRun {
    /// A writer saves right, or refuses; collecting and repairing come to an end, and after a
    /// repair what is left is whole.
    pub fn is_harmless_to_a_writer(&self) -> Result<(), String> {
        let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::from_objects(self.storage.to_objects()));
        let mut store = match Writer::open(Arc::clone(&storage), "test") {
            Ok(store) => store,
            Err(_) if Store::open(storage).is_err() => return Ok(()),
            Err(error) => return Err(error.to_string()),
        };
        let step = store.steps().last().map_or(0, |step| step.saturating_add(1));
        if save(&mut store, step, &state(1)).is_ok() {
            let loaded = store.checkpoint(step).and_then(|checkpoint| checkpoint.load(&EntryPath::root()));
            if loaded.map_err(|error| format!("what was saved beside it: {error}"))? != state(1) {
                return Err("what was saved beside it loads wrong".to_owned());
            }
        }
        let text = |error: &dyn std::fmt::Display| error.to_string();
        // A damaged chunk keeps what was to be collected; a new writer repairs it.
        let collected = store.gc(0);
        if collected.is_err() {
            drop(store);
            store = Writer::open(Arc::clone(&storage), "test").map_err(|error| text(&error))?;
        }
        store.repair(Unreadable::Refuse).map_err(|error| text(&error))?;
        for step in store.steps() {
            let loaded = store.checkpoint(step).and_then(|checkpoint| checkpoint.load(&EntryPath::root()));
            loaded.map_err(|error| format!("step {step} after a repair: {error}"))?;
        }
        Ok(())
    }
}

/// All of them.
pub fn all() -> Vec<HostileRun> {
    let mut all = Vec::new();
    let mut add = |name: &str, objects: Objects| {
        let size = objects.values().map(Vec::len).sum();
        let storage = MemoryStorage::from_objects(objects);
        all.push(HostileRun { name: name.to_owned(), storage, size });
    };
    for (name, node) in nodes() {
        add(&format!("index node: {name}"), run_with_root(&[chunk(&node)]));
    }
    for (name, chunks) in chunked() {
        add(&format!("index: {name}"), run_with_root(&chunks));
    }
    for (name, chunks) in super::codecs::all() {
        add(&format!("codec: {name}"), run_with_root(&chunks));
    }
    for (name, pack) in packs() {
        add(&format!("pack: {name}"), run(Hash::of(&NOTHING), [pack]));
    }
    for (name, object, bytes) in objects() {
        let mut objects = run_with_root(&[chunk(&NOTHING)]);
        objects.insert(object, bytes);
        add(&name, objects);
    }
    all
}

/// The node of `null`.
const NOTHING: [u8; 1] = [0];

/// A chunk as a pack holds it.
pub struct Chunk {
    pub hash: Hash,
    pub raw_len: u32,
    pub codec: u8,
    pub stored: Vec<u8>,
    pub base: Option<Hash>,
}

pub fn chunk(raw: &[u8]) -> Chunk {
    Chunk { hash: Hash::of(raw), raw_len: raw.len() as u32, codec: 0, stored: raw.to_vec(), base: None }
}

fn compressed(raw: &[u8]) -> Chunk {
    Chunk { codec: 1, stored: zstd::bulk::compress(raw, 3).unwrap_or_default(), ..chunk(raw) }
}

fn index_of(chunks: &[Chunk]) -> Vec<u8> {
    let mut index = Vec::new();
    for chunk in chunks {
        index.extend(chunk.hash.0);
        index.extend(chunk.raw_len.to_le_bytes());
        index.extend((chunk.stored.len() as u32).to_le_bytes());
        index.push(chunk.codec);
        if chunk.codec != 0 {
            index.extend(Hash::of(&chunk.stored).0);
        }
        index.extend(chunk.base.iter().flat_map(|base| base.0));
    }
    index
}

/// A pack of these chunks with this index, and what stands for its length.
fn pack_of(chunks: &[Chunk], index: &[u8], index_len: u64) -> (String, Vec<u8>) {
    let id = Hash::of(index);
    let stored: Vec<u8> = chunks.iter().flat_map(|chunk| &chunk.stored).copied().collect();
    let bytes = [b"RKPACK\0\x01", stored.as_slice(), index, &index_len.to_le_bytes(), &id.0].concat();
    (format!("packs/{id}.pack"), bytes)
}

fn pack(chunks: &[Chunk]) -> (String, Vec<u8>) {
    let index = index_of(chunks);
    pack_of(chunks, &index, index.len() as u64)
}

/// Sealed JSON.
fn sealed(body: &str) -> Vec<u8> {
    format!("{body},\n  \"blake3\": \"{}\"\n}}\n", Hash::of(body.as_bytes())).into_bytes()
}

fn identity(format: u32, lineage: &str) -> Vec<u8> {
    sealed(&format!(
        r#"{{"format": {format}, "run": "0123456789abcdef", "system": "", "created": 1, "lineage": {lineage}"#
    ))
}

fn record(step: u64, root: Hash, history: &str, config: &str) -> Vec<u8> {
    sealed(&record_body(step, root, history, config))
}

fn record_body(step: u64, root: Hash, history: &str, config: &str) -> String {
    let nothing = Hash::of(b"rekindle state 1\0");
    format!(
        r#"{{"format": 1, "run": "0123456789abcdef", "step": {step}, "previous": null, "created": 1,
        "state_hash": "{nothing}", "root": "{root}", "payload_bytes": 0, "new_bytes": 0, "history": {history},
        "system": "", "schema": null, "metrics": {{}}, "config": {config}, "environment": {{}}, "changes": []"#
    )
}

fn commit(step: u64) -> String {
    format!("commits/{step:012}.json")
}

fn run(root: Hash, packs: impl IntoIterator<Item = (String, Vec<u8>)>) -> Objects {
    let mut objects = Objects::from_iter(packs);
    objects.insert("rekindle.json".to_owned(), identity(1, "null"));
    objects.insert(commit(STEP), record(STEP, root, "null", "null"));
    objects
}

/// A run whose root is the first of these chunks.
fn run_with_root(chunks: &[Chunk]) -> Objects {
    run(chunks[0].hash, [pack(chunks)])
}

/// A run whose one checkpoint holds such a list.
pub fn run_of_nulls(count: usize) -> Objects {
    let mut node = vec![0x04];
    varint(count as u64, &mut node);
    node.resize(node.len() + count, 0);
    run_with_root(&[compressed(&node)])
}

pub fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn node(code: u8, count: u64, rest: &[u8]) -> Vec<u8> {
    let mut node = vec![code];
    varint(count, &mut node);
    node.extend(rest);
    node
}

/// Root nodes that are complete in themselves.
fn nodes() -> Vec<(&'static str, Vec<u8>)> {
    let array = |code: u8, dtype: u8, shape: &[u64], rest: &[u8]| {
        let mut out = vec![code, dtype];
        varint(shape.len() as u64, &mut out);
        shape.iter().for_each(|&dim| varint(dim, &mut out));
        out.extend(rest);
        out
    };
    let nobody = Hash::of(b"nobody").0;
    vec![
        ("nothing at all", vec![]),
        ("an unknown code", vec![0x7f]),
        ("a list of 2^64 - 1", node(4, u64::MAX, &[])),
        ("a struct of 2^64 - 1", node(5, u64::MAX, &[])),
        ("a map of 2^64 - 1", node(6, u64::MAX, &[])),
        ("2^64 - 1 runs", node(0x84, u64::MAX, &[])),
        ("a run that is not there", node(0x84, 1, &nobody)),
        ("keys that descend", node(6, 2, &[0x16, 2, 0, 0x16, 1, 0])),
        ("a key twice", node(6, 2, &[0x16, 1, 0, 0x16, 1, 0])),
        ("a key that is a list", node(6, 1, &[4, 0, 0])),
        ("a field twice", node(5, 2, &[1, b'a', 0, 1, b'a', 0])),
        ("a name of 2^64 - 1 bytes", node(5, 1, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1])),
        ("a name that is not UTF-8", node(5, 1, &[1, 0xff, 0])),
        ("a number of eleven bytes", [&[4][..], &[0x80; 10], &[0]].concat()),
        ("a string of 2^64 - 1 bytes", [&[0x1e][..], &[0xff; 8]].concat()),
        ("a string that is not UTF-8", [&[0x1e][..], &1u64.to_le_bytes(), &[0xff]].concat()),
        ("a long string of 2^64 - 1 bytes", node(8, u64::MAX, &nobody)),
        ("a long string without its chunk", node(8, 2000, &nobody)),
        ("half a truth", vec![0x10, 2]),
        ("a character that is none", [&[0x1d][..], &0xd800u32.to_le_bytes()].concat()),
        ("a number cut off", vec![0x19, 1, 2]),
        ("bytes after its end", vec![0, 0]),
        ("an unknown element type", array(2, 99, &[1], &[0])),
        ("65 dimensions", array(2, 5, &[1; 65], &[0])),
        ("2^64 - 1 dimensions", node(2, 5, &[])),
        ("a shape beyond all numbers", array(3, 12, &[u64::MAX, u64::MAX], &nobody)),
        ("10^18 elements", array(3, 5, &[1_000_000_000_000_000_000], &nobody)),
        ("2^62 boxes of nothing", array(3, 5, &[1 << 62, 0], &[])),
        ("a large array within the node", array(2, 5, &[2000], &[0; 2000])),
        ("an inline array cut off", array(2, 5, &[100], &[0; 10])),
        ("an array without its chunk", array(3, 5, &[2000], &nobody)),
        ("options 100,000 deep", [vec![1; 100_000], vec![0]].concat()),
        ("lists 100,000 deep", [[4, 1].repeat(100_000), vec![0]].concat()),
        ("lists 200 deep", [[4, 1].repeat(200), vec![0]].concat()),
        ("variants 100,000 deep", [[7, 1, b'x'].repeat(100_000), vec![0]].concat()),
        ("a node that is not there", [&[9][..], &nobody].concat()),
    ]
}

/// Trees of several chunks, the root first.
fn chunked() -> Vec<(&'static str, Vec<Chunk>)> {
    let reference = |hash: &Hash| [&[9][..], &hash.0].concat();
    let mut all = Vec::new();
    // Each level refers twice to the one below: 2^60 leaves.
    let mut levels = vec![chunk(&NOTHING)];
    for _ in 0..60 {
        let below = reference(&levels[0].hash);
        levels.insert(0, chunk(&node(4, 2, &below.repeat(2))));
    }
    all.push(("lists that double 60 times", levels));
    let wide = chunk(&node(4, 5000, &[0; 5000]));
    let root = chunk(&node(4, 200, &reference(&wide.hash).repeat(200)));
    all.push(("a list of 5,000 that stands 200 times", vec![root, wide]));
    let mut chain = vec![chunk(&NOTHING)];
    for _ in 0..1000 {
        let below = reference(&chain[0].hash);
        chain.insert(0, chunk(&below));
    }
    all.push(("a chain of 1,000 nodes", chain));
    // No content has a hash that it holds itself: the pack lies about it.
    let own = Hash::of(b"a circle");
    all.push(("a node that holds itself", vec![Chunk { hash: own, ..chunk(&reference(&own)) }]));
    let (a, b) = (Hash::of(b"a"), Hash::of(b"b"));
    let circle = [Chunk { hash: a, ..chunk(&reference(&b)) }, Chunk { hash: b, ..chunk(&reference(&a)) }];
    all.push(("two nodes that hold each other", Vec::from(circle)));
    let nulls = |count: usize| node(4, count as u64, &vec![0; count]);
    all.push(("a list of 200,000 nulls in a few bytes", vec![compressed(&nulls(200_000))]));
    all.push(("a list of 4,000,000 nulls in a few bytes", vec![compressed(&nulls(4_000_000))]));
    let part = compressed(&node(0, 0, &[])[1..]);
    let runs = chunk(&node(0x84, 100_000, &part.hash.0.repeat(100_000)));
    all.push(("100,000 empty runs", vec![runs, part]));
    let short = chunk(&[7; 100]);
    let lying = chunk(&[&[3, 5, 1, 0xd0, 0x0f][..], &short.hash.0].concat());
    all.push(("a chunk of another length than its array", vec![lying, short]));
    let text = chunk(&[0xff; 2000]);
    all.push(("a long string that is not UTF-8", vec![chunk(&node(8, 2000, &text.hash.0)), text]));
    all
}

fn packs() -> Vec<(&'static str, (String, Vec<u8>))> {
    let good = || vec![chunk(&NOTHING)];
    let with_index = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut index = index_of(&good());
        change(&mut index);
        pack_of(&good(), &index, index.len() as u64)
    };
    let index = index_of(&good());
    let frame = zstd::bulk::compress(&vec![0; 4 << 20], 3).unwrap_or_default();
    let bomb = |raw_len: u32| {
        pack(&[Chunk { hash: Hash::of(&NOTHING), raw_len, codec: 1, stored: frame.clone(), base: None }])
    };
    let name = format!("packs/{}.pack", Hash::of(b"any"));
    vec![
        ("an index of 2^64 - 1 bytes", pack_of(&good(), &index, u64::MAX)),
        ("an index longer than the file", pack_of(&good(), &index, 1000)),
        ("an index of no bytes", pack_of(&good(), &index, 0)),
        ("an index cut in an entry", with_index(&|index| index.truncate(20))),
        ("a chunk of 4 GiB", with_index(&|index| index[32..36].fill(0xff))),
        ("a chunk stored longer than it is", with_index(&|index| index[36] = 2)),
        ("a raw chunk stored shorter", with_index(&|index| index[36] = 0)),
        ("an unknown codec", with_index(&|index| index[40] = 9)),
        ("chunks beyond the file", pack_of(&[], &index_of(&[chunk(&[1; 5000]), chunk(&NOTHING)]), 82)),
        ("a hole before its index", pack_of(&[chunk(&[1; 50]), chunk(&NOTHING)], &index, 41)),
        ("a bomb of 4 MiB for 1 byte", bomb(1)),
        ("a bomb of 4 MiB for 4 MiB", bomb(4 << 20)),
        ("a frame of garbage", pack(&[Chunk { codec: 1, raw_len: 100, ..chunk(&[0xaa; 90]) }])),
        ("20,000 chunks of no bytes", pack(&(0..20_000).map(|_| chunk(&[])).collect::<Vec<_>>())),
        ("20,000 other chunks of no bytes", {
            let empty = |i: u32| Chunk { hash: Hash::of(&i.to_le_bytes()), ..chunk(&[]) };
            pack(&(0..20_000).map(empty).collect::<Vec<_>>())
        }),
        ("only its first bytes", (name.clone(), b"RKPACK\0\x01".to_vec())),
        ("no bytes", (name.clone(), Vec::new())),
        ("zeros", (name.clone(), vec![0; 100_000])),
        ("1 MiB of what may be its index, but for its end", {
            let mut bytes = [&b"RKPACK\0\x01"[..], &vec![0; 1 << 20]].concat();
            bytes.extend([0xff; 40]);
            (name, bytes)
        }),
    ]
}

/// Objects beside a checkpoint that is right.
fn objects() -> Vec<(String, String, Vec<u8>)> {
    let root = Hash::of(&NOTHING);
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let other = STEP + 1;
    let with = |count: &str| {
        let body = record_body(other, root, "null", "null");
        sealed(&body.replace(&format!("\"{count}\": 0"), &format!("\"{count}\": {}", u64::MAX)))
    };
    let records = [
        ("of another step", record(STEP, root, "null", "null")),
        ("longer than any", record(other, root, "null", &format!("\"{}\"", "x".repeat(70_000)))),
        ("whose config is 20,000 deep", record(other, root, "null", &deep)),
        ("of 2^64 - 1 new bytes", with("new_bytes")),
        ("of 2^64 - 1 bytes", with("payload_bytes")),
        ("without its root", record(other, Hash::of(b"nobody"), "null", "null")),
        ("whose history lies outside", record(other, root, "\"../../../../etc/passwd\"", "null")),
        ("whose history is a pack", record(other, root, "\"packs/x.pack\"", "null")),
        ("that is not JSON", sealed("{nonsense")),
        ("that is a list", sealed("[1")),
        ("without a field", sealed("{\"format\": 1")),
        ("of no bytes", Vec::new()),
    ];
    let mut all: Vec<_> = records
        .into_iter()
        .map(|(what, bytes)| (format!("commit record {what}"), commit(other), bytes))
        .collect();
    let newer = sealed("{\"format\": 4000000000, \"new\": true");
    all.push(("commit record of a later version".to_owned(), commit(other), newer));
    let identities = [
        ("of a later version", identity(1000, "null")),
        ("20,000 deep", identity(1, &deep)),
        ("of 1 MiB", identity(1, &format!("\"{}\"", "x".repeat(1 << 20)))),
        ("of no bytes", Vec::new()),
    ];
    all.extend(
        identities.map(|(what, bytes)| (format!("identity {what}"), "rekindle.json".to_owned(), bytes)),
    );
    let hash = Hash::of(b"any");
    let tags = [
        ("of 1 MiB", vec![b' '; 1 << 20]),
        ("20,000 deep", sealed(&format!("{{\"step\": {deep}, \"state_hash\": \"{hash}\""))),
        ("of a step that is not there", sealed(&format!("{{\"step\": 99, \"state_hash\": \"{hash}\""))),
        ("of a negative step", sealed(&format!("{{\"step\": -1, \"state_hash\": \"{hash}\""))),
    ];
    all.extend(tags.map(|(what, bytes)| (format!("tag {what}"), "refs/tags/bad".to_owned(), bytes)));
    for (what, bytes) in [
        ("of 1 MiB", vec![b' '; 1 << 20]),
        ("20,000 deep", sealed(&format!("{{\"text\": {deep}"))),
        ("of a later kind", sealed("{\"picture\": \"x\"")),
        ("sealed without a key", sealed("{\"sealed\": \"AAAA\"")),
    ] {
        all.push((format!("note {what}"), "notes/run.json".to_owned(), bytes.clone()));
        let signature = format!("signatures/{STEP:012}-000000000000.json");
        all.push((format!("signature {what}"), signature, bytes));
    }
    all.push(("a wrapped key of 1 MiB".to_owned(), "key.age".to_owned(), vec![b'-'; 1 << 20]));
    let segment = format!("metrics/{other:012}-{hash}.jsonl");
    all.push(("history of other bytes".to_owned(), segment, b"{\"previous\": null}\n".to_vec()));
    let rows = format!("{{\"previous\": null}}\n{deep}\n").into_bytes();
    let segment = format!("metrics/{other:012}-{}.jsonl", Hash::of(&rows));
    all.push(("history 20,000 deep".to_owned(), segment, rows));
    for name in ["../outside", "packs/../../x.pack", "commits/x.json", "refs/tags/../../x", "/etc/passwd"] {
        all.push((format!("an object named {name}"), name.to_owned(), b"x".to_vec()));
    }
    all
}
