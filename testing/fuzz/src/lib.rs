//! What the fuzz targets share: runs that are made by hand around the bytes of the fuzzer, and the
//! properties that every run must have, whatever is in it.
//!
//! Hashes and seals are made good before anything is parsed, so that the fuzzer gets behind them.
//! The layout is that of `docs/format.md`.

#![allow(clippy::disallowed_methods, reason = "inputs and seeds are files")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rekindle::records::About;
use rekindle::storage::{MemoryStorage, Storage};
use rekindle::tree::StoredTree;
use rekindle::tree::state_hash;
use rekindle::upkeep::{Depth, Repaired, Unreadable};
use rekindle::upkeep::{is_encrypted, verify_without_key, wrapped_key};
use rekindle::{EntryPath, Hash, Node, Store, Tree, Writer};
use rekindle_gpt::LanguageModel;
use rekindle_gpt::formats::rustgpt::{self, Encoding};
use rekindle_gpt::formats::{Imported, ImportedVocabulary, detect};
use rekindle_gpt::inference::{Decoder, WeightPrecision};
use tempfile::TempDir;

/// The objects of a run by their names.
pub type Objects = BTreeMap<String, Vec<u8>>;

/// The step of the only checkpoint.
pub const STEP: u64 = 7;
/// Larger states are not loaded as a whole: bytes.
const LOAD_LIMIT: u64 = 16 << 20;
const PACK_MAGIC: &[u8; 8] = b"RKPACK\0\x01";

/// `body` as sealed JSON: with the hash of what is before it as its last field.
pub fn seal(body: &[u8]) -> Vec<u8> {
    let end = format!(",\n  \"blake3\": \"{}\"\n}}\n", Hash::of(body));
    [body, end.as_bytes()].concat()
}

/// A chunk as a pack holds it.
#[derive(Clone)]
pub struct Chunk {
    /// Its name.
    pub id: Hash,
    /// Length of its bytes.
    pub raw_len: u32,
    /// Code of its codec.
    pub codec: u8,
    /// Its bytes as they are stored.
    pub stored: Vec<u8>,
    /// The chunk that decoding takes.
    pub base: Option<Hash>,
}

impl Chunk {
    /// A chunk that is stored as it is.
    pub fn raw(bytes: &[u8]) -> Self {
        Self {
            id: Hash::of(bytes),
            raw_len: bytes.len() as u32,
            codec: 0,
            stored: bytes.to_vec(),
            base: None,
        }
    }

    /// A chunk that is stored as a zstd frame.
    pub fn compressed(bytes: &[u8]) -> Self {
        let stored = zstd::bulk::compress(bytes, 3).expect("zstd has memory");
        Self { codec: 1, stored, ..Self::raw(bytes) }
    }
}

/// The name and the bytes of a pack of these chunks.
pub fn pack(chunks: &[Chunk]) -> (String, Vec<u8>) {
    let (mut stored, mut index) = (Vec::new(), Vec::new());
    for chunk in chunks {
        stored.extend_from_slice(&chunk.stored);
        index.extend_from_slice(&chunk.id.0);
        index.extend_from_slice(&chunk.raw_len.to_le_bytes());
        index.extend_from_slice(&(chunk.stored.len() as u32).to_le_bytes());
        index.push(chunk.codec);
        if chunk.codec != 0 {
            index.extend_from_slice(&Hash::of(&chunk.stored).0);
        }
        if let Some(base) = &chunk.base {
            index.extend_from_slice(&base.0);
        }
    }
    pack_of(&stored, &index)
}

fn pack_of(stored: &[u8], index: &[u8]) -> (String, Vec<u8>) {
    let id = Hash::of(index);
    let bytes = [PACK_MAGIC, stored, index, &(index.len() as u64).to_le_bytes(), &id.0].concat();
    (format!("packs/{id}.pack"), bytes)
}

/// A pack of arbitrary stored bytes with an arbitrary index, in which the hashes of what is stored
/// are made good as far as the index can be read; and the names of the chunks in it.
pub fn repaired_pack(stored: &[u8], index: &[u8]) -> (String, Vec<u8>, Vec<Hash>) {
    const CODE: usize = 40;
    let (mut index, mut names) = (index.to_vec(), Vec::new());
    let (mut at, mut position) = (0, 0);
    while let Some(entry) = index.get_mut(at..).filter(|entry| entry.len() > CODE) {
        let len = u32::from_le_bytes([entry[36], entry[37], entry[38], entry[39]]) as usize;
        let bytes = stored.get(position..).and_then(|rest| rest.get(..len)).unwrap_or_default();
        let hash_at = if entry[CODE] == 0 { 0 } else { CODE + 1 };
        if let Some(place) = entry.get_mut(hash_at..hash_at + Hash::LEN) {
            place.copy_from_slice(&Hash::of(bytes).0);
        }
        names.push(Hash(*entry.first_chunk().expect("it is longer")));
        at += CODE
            + 1
            + match entry[CODE] & 0x7f {
                0 if entry[CODE] == 0 => 0,
                4 | 5 => 2 * Hash::LEN,
                _ => Hash::LEN,
            };
        position += len;
    }
    let (name, bytes) = pack_of(stored, &index);
    (name, bytes, names)
}

/// `rekindle.json`.
pub fn identity() -> Vec<u8> {
    seal(br#"{"format": 2, "run": "0123456789abcdef", "system": "", "created": 1, "lineage": null"#)
}

/// The record of a checkpoint at [`STEP`].
pub fn record(root: Hash, state: Hash, history: Option<&str>) -> Vec<u8> {
    let history = history.map_or("null".to_owned(), |name| format!("\"{name}\""));
    seal(
        format!(
            r#"{{"format": 2, "run": "0123456789abcdef", "step": {STEP}, "previous": null, "created": 1,
            "state_hash": "{state}", "root": "{root}", "payload_bytes": 0, "new_bytes": 0,
            "history": {history}, "system": "", "schema": null, "metrics": {{}}, "config": null,
            "environment": {{}}, "changes": []"#
        )
        .as_bytes(),
    )
}

/// Name of the record of the checkpoint at [`STEP`].
pub fn record_name() -> String {
    format!("commits/{STEP:012}.json")
}

/// A run with one checkpoint whose tree is in the node `root`.
pub fn run(root: Hash, state: Hash, packs: impl IntoIterator<Item = (String, Vec<u8>)>) -> Objects {
    let mut objects = Objects::from_iter(packs);
    objects.insert("rekindle.json".to_owned(), identity());
    objects.insert(record_name(), record(root, state, None));
    objects
}

/// A whole run whose state is null.
pub fn run_of_nothing() -> Objects {
    let node = Chunk::raw(&[0]);
    run(node.id, state_hash(&Tree::Null), [pack(&[node])])
}

/// Reads all of a run: nothing panics, and what loads has the recorded state hash.
pub fn examine(objects: Objects) {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::from_objects(objects));
    let _ = is_encrypted(&*storage);
    let _ = wrapped_key(&*storage);
    verify_without_key(&storage).expect("memory can be listed");
    let Ok(store) = Store::open(storage) else { return };
    let report = store.verify(Depth::Full).expect("memory can be listed");
    let _ = (store.tags(), store.note(None), store.identity().clone());
    for step in store.steps() {
        let valid = report.valid.contains(&step);
        let Ok(checkpoint) = store.checkpoint(step) else {
            assert!(!valid, "a record that cannot be read counts as valid");
            continue;
        };
        let _ = (checkpoint.history(), store.note(Some(step)), store.signatures(step));
        let _ = store.signed_message(step);
        let state = checkpoint.record().state_hash;
        assert_eq!(checkpoint.verify().is_ok(), valid, "the two ways to verify differ");
        let Ok(tree) = checkpoint.tree() else {
            assert!(!valid, "a tree that cannot be read counts as valid");
            continue;
        };
        assert_eq!(state_hash(&tree), state);
        if array_bytes(&tree) <= LOAD_LIMIT {
            match checkpoint.load(&EntryPath::root()) {
                Ok(loaded) => assert!(valid && state_hash(&loaded) == state),
                Err(error) => assert!(!valid, "what verifies does not load: {error}"),
            }
        }
    }
}

fn array_bytes(tree: &StoredTree) -> u64 {
    let mut sum = 0u64;
    tree.for_each_leaf(&mut |_, leaf| {
        if let Node::Array(array) = leaf {
            sum = sum.saturating_add(array.kind().byte_len().unwrap_or(u64::MAX));
        }
    });
    sum
}

/// Repairs a run: afterwards all checkpoints that are left are whole, and a second repair changes
/// nothing.
pub fn examine_repair(objects: Objects) {
    let memory = MemoryStorage::from_objects(objects);
    let Ok(mut store) = Writer::open(Arc::new(memory.clone()), "fuzz") else { return };
    let first = store.repair(Unreadable::Refuse).expect("memory does not fail");
    let again = store.repair(Unreadable::Refuse).expect("memory does not fail");
    let nothing = Repaired { remaining: again.remaining.clone(), ..Repaired::default() };
    assert_eq!(again, nothing, "after {first:?}");
    drop(store);
    let Ok(store) = Store::open(Arc::new(memory)) else { return };
    let report = store.verify(Depth::Full).expect("memory can be listed");
    assert!(report.invalid.is_empty(), "{report:?} after {first:?}");
}

/// The state hash of what can be read of the checkpoint, when nothing of it is lost.
pub fn state_of(objects: Objects) -> Option<Hash> {
    let store = Store::open(Arc::new(MemoryStorage::from_objects(objects))).ok()?;
    let other = Arc::new(MemoryStorage::new());
    let mut other = Writer::create(other, "", None, "fuzz").expect("memory can be written");
    let salvaged = store.salvage(STEP, &mut other).ok()?;
    salvaged.lost.is_empty().then_some(salvaged.saved.record.state_hash)
}

/// Saves a state in a new run and loads it again: it is the same.
pub fn save_and_load(tree: &Tree) {
    let memory = Arc::new(MemoryStorage::new());
    let mut store = Writer::create(memory, "", None, "fuzz").expect("memory can be written");
    let mut save = store.save().expect("memory can be written");
    let stored = tree.try_map_arrays(&mut |path, array| save.array(path, array.kind().clone(), array.data()));
    let Ok(stored) = stored else { return };
    let Ok(_) = save.commit(STEP, &stored, About::default(), &[]) else { return };
    let checkpoint = store.checkpoint(STEP).expect("it was committed");
    assert_eq!(checkpoint.record().state_hash, state_hash(tree));
    assert!(checkpoint.load(&EntryPath::root()).expect("it was committed") == *tree);
}

/// Gives `bytes` as a file, always the same one.
pub fn with_file<T>(bytes: &[u8], read: impl FnOnce(&Path) -> T) -> T {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    let path = PATH.get_or_init(|| {
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        dir.join(format!("rekindle-fuzz-{}", std::process::id()))
    });
    std::fs::write(path, bytes).expect("a small file can be written");
    let result = read(path);
    std::fs::remove_file(path).expect("it was written");
    result
}

/// Gives a directory with these files, always the same one.
pub fn with_directory<T>(files: &[(&str, Vec<u8>)], read: impl FnOnce(&Path) -> T) -> T {
    static PATH: OnceLock<TempDir> = OnceLock::new();
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let dir = PATH.get_or_init(|| TempDir::new_in(place).expect("there is a temporary directory")).path();
    let inner = dir.join("inner");
    std::fs::create_dir(&inner).expect("it is not there");
    for (name, bytes) in files {
        std::fs::write(inner.join(name), bytes).expect("a small file can be written");
    }
    let result = read(&inner);
    std::fs::remove_dir_all(&inner).expect("it was made");
    result
}

/// Reads a model file of another program as a language model; what comes out answers.
pub fn ask_file(path: &Path) {
    let _ = detect(path);
    let Ok(model) = LanguageModel::from_file(path) else { return };
    for precision in [WeightPrecision::F32, WeightPrecision::Int8] {
        let mut decoder = Decoder::new(&model.network, precision, 1).expect("it fits together");
        let tokens = [0, decoder.vocabulary() as u32 - 1];
        let tokens = &tokens[..decoder.context().min(2)];
        let logits = decoder.feed(tokens).expect("these are tokens, and there is room for them");
        assert_eq!(logits.len(), model.network.vocabulary());
    }
}

/// Reads a file of RustGPT; what is read answers, and is the same when it is written and read again.
pub fn read_rustgpt(bytes: &[u8]) {
    with_file(bytes, |path| {
        ask_file(path);
        let Ok(Imported { network, vocabulary, optimizer, .. }) = rustgpt::read(path) else { return };
        let Some(ImportedVocabulary::Words { words, .. }) = vocabulary else {
            panic!("such a file has words")
        };
        for encoding in [Encoding::Json, Encoding::Bincode] {
            if rustgpt::write(path, &network, &words, optimizer.as_ref(), encoding).is_ok() {
                let again = rustgpt::read(path).expect("what was written can be read");
                assert_eq!(again.network, network);
            }
        }
    });
}

/// Reads `bytes` as a file of the format of that name; what comes out can be saved and loaded.
pub fn read_format(name: &str, bytes: &[u8]) {
    let format = rekindle_formats::FORMATS.iter().find(|format| format.name == name);
    let format = format.expect("there is such a format");
    let reading = format.reading.expect("it can be read");
    let _ = (reading.matches)(&bytes[..bytes.len().min(rekindle_formats::HEAD)]);
    if let Ok(document) = with_file(bytes, |path| format.read(path)) {
        save_and_load(&document.tree);
    }
}

/// Takes a number off the input; zero when there is none.
pub fn take_u16(input: &mut &[u8]) -> usize {
    let Some((number, rest)) = input.split_first_chunk() else { return 0 };
    *input = rest;
    u16::from_le_bytes(*number).into()
}

/// Takes a byte off the input; zero when there is none.
pub fn take_u8(input: &mut &[u8]) -> u8 {
    let Some((&byte, rest)) = input.split_first() else { return 0 };
    *input = rest;
    byte
}

/// `bytes` with every `@#` and the byte after it replaced by one of `references`.
pub fn with_references(bytes: &[u8], references: &[Vec<u8>]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), bytes);
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match after {
            [b'#', number, after @ ..] if byte == b'@' && !references.is_empty() => {
                out.extend_from_slice(&references[usize::from(*number) % references.len()]);
                rest = after;
            }
            _ => out.push(byte),
        }
    }
    out
}

/// Statements that were read are read again when they are printed, and what an engine says of them within a small budget is shown.
pub fn reason(document: rekindle_reason::read::Document) {
    use rekindle_reason::syntax::{Formula, parse};
    use rekindle_reason::{Auto, Budget, Reasoner, proof};

    let knowledge = document.knowledge;
    for statement in knowledge.statements() {
        let printed = statement.to_string();
        assert_eq!(parse(&printed).as_ref(), Ok(statement), "{printed}");
    }
    let goal = document.goal.unwrap_or(Formula::Constant(false));
    let budget = Budget { steps: 2_000, size: 20_000, ..Budget::default() };
    let verdict = Auto::built_in().prove(&goal, &knowledge, budget);
    assert_eq!(proof::check(&verdict, &goal, &knowledge), Ok(()), "{verdict}");
}
