//! The order of system calls on the real file system: what is written is synced before it is published,
//! what is published is in a synced directory before it counts, and nothing goes before what has to go
//! first is gone for good.
//!
//! The simulated disk shows that the commit protocol is right if every sync does what it says; this
//! shows that the syncs are there. The test runs itself under a small tracer, `system_calls/trace.c`,
//! which is compiled here, and follows the calls with a model of what is durable that knows nothing of
//! the engine. Linux only; where there is no compiler, or nobody may trace, it says so and passes.

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "this is about the real file system")]

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use crate::common::{save, state};
use rekindle_store::storage::FileStorage;
use rekindle_store::{DType, Node, Retention, StoredSignature, Tree, Unreadable, Writer};

const THIS: &str = "system_calls::what_counts_is_durable_and_in_order";
/// Where the traced process finds its place.
const PLACE: &str = "REKINDLE_SYSTEM_CALLS_PLACE";
/// Which part of the story it plays.
const PART: &str = "REKINDLE_SYSTEM_CALLS_PART";
/// The tracer ends so when the system lets nobody trace.
const CANNOT_TRACE: i32 = 125;

#[test]
fn what_counts_is_durable_and_in_order() {
    if let (Ok(place), Ok(part)) = (std::env::var(PLACE), std::env::var(PART)) {
        return play(Path::new(&place), &part);
    }
    let place = tempfile::tempdir().unwrap();
    let place = place.path().canonicalize().unwrap();
    let Some(tracer) = compiled(&place) else { return };
    let mut counts = (0, 0);
    for part in ["begin", "go on", "compact", "repair"] {
        let root = place.join("above").join("run");
        // Whatever a process left behind may be in the memory of the system only.
        let before = directories(&place, &root);
        let Some(log) = traced(&tracer, &place, part) else { return };
        let mut disk = Disk::new(place.clone(), root, before);
        log.lines().for_each(|line| disk.follow(line, part));
        assert!(disk.told > 0, "{part}: the story says nothing");
        counts = (counts.0 + disk.published, counts.1 + disk.removed);
    }
    // The stories do what the model looks at.
    assert!(counts.0 > 20 && counts.1 > 5, "published and removed: {counts:?}");
}

/// The tracer; none, and a line that says why, where it cannot be made.
fn compiled(place: &Path) -> Option<PathBuf> {
    let (source, tracer) = (place.join("trace.c"), place.join("trace"));
    std::fs::write(&source, include_str!("system_calls/trace.c")).unwrap();
    let output = Command::new("cc").arg("-O1").arg("-o").arg(&tracer).arg(&source).output();
    match output {
        Ok(Output { status, .. }) if status.success() => Some(tracer),
        Ok(Output { stderr, .. }) => {
            eprintln!("skipped: the tracer does not compile: {}", String::from_utf8_lossy(&stderr));
            None
        }
        Err(error) => {
            eprintln!("skipped: there is no C compiler: {error}");
            None
        }
    }
}

/// What the system was asked for by a part of the story.
fn traced(tracer: &Path, place: &Path, part: &str) -> Option<String> {
    let log = place.join("log");
    let mut command = Command::new(tracer);
    command.arg(&log).arg(std::env::current_exe().unwrap()).args(["--exact", THIS, "--nocapture"]);
    let output = command.env(PLACE, place).env(PART, part).output().unwrap();
    if output.status.code() == Some(CANNOT_TRACE) {
        eprintln!("skipped: this system lets nobody trace");
        return None;
    }
    assert!(output.status.success(), "{part}: {}", String::from_utf8_lossy(&output.stderr));
    Some(std::fs::read_to_string(log).unwrap())
}

/// The directory above the run and those of the run, which a process has to sync before its commits.
fn directories(place: &Path, root: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut next = vec![root.to_owned()];
    while let Some(dir) = next.pop() {
        for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
            if entry.path().is_dir() && entry.file_name() != "tmp" {
                next.push(entry.path());
            }
        }
        if dir.is_dir() {
            found.insert(dir);
        }
    }
    if root.is_dir() {
        found.insert(root.parent().unwrap_or(place).to_owned());
    }
    found
}

/// What is not durable, as far as the calls tell.
struct Disk {
    place: PathBuf,
    root: PathBuf,
    /// Files that were written and not synced since.
    unsynced: BTreeSet<PathBuf>,
    /// Names that were made, replaced or removed in a directory that was not synced since.
    names: BTreeSet<PathBuf>,
    /// Directories that hold what a process left that died.
    inherited: BTreeSet<PathBuf>,
    told: u32,
    published: u32,
    removed: u32,
}

impl Disk {
    fn new(place: PathBuf, root: PathBuf, inherited: BTreeSet<PathBuf>) -> Self {
        let (unsynced, names) = Default::default();
        Self { place, root, unsynced, names, inherited, told: 0, published: 0, removed: 0 }
    }

    fn follow(&mut self, line: &str, part: &str) {
        let mut fields = line.split('\t').map(PathBuf::from);
        let mut field = || fields.next().unwrap_or_default();
        let (call, from, to) = (field(), field(), field());
        let call = call.display().to_string();
        assert_ne!(call, "ring", "{part}: what goes through io_uring is not seen by this test");
        if from == self.place.join("told") && call == "write" {
            self.told += 1;
            self.nothing_pends(part, "when the caller is told");
        }
        if call == "sync" {
            return self.sync(&from);
        }
        if !from.starts_with(self.place.join("above")) {
            return;
        }
        match call.as_str() {
            "write" => drop(self.unsynced.insert(from)),
            "create" | "make" => {
                // One that is there already is not made.
                self.names.insert(from);
            }
            "rename" | "link" => self.publish(from, to, part),
            "remove" => self.remove(from, part),
            other => panic!("{part}: what is `{other}`?"),
        }
    }

    fn sync(&mut self, path: &Path) {
        self.unsynced.remove(path);
        self.names.retain(|name| name.parent() != Some(path));
        self.inherited.remove(path);
    }

    fn publish(&mut self, from: PathBuf, to: PathBuf, part: &str) {
        self.published += 1;
        if to.ends_with("lease.holder.json") {
            // Who writes at the moment need not outlive the machine.
            self.unsynced.remove(&from);
            return;
        }
        assert!(!self.unsynced.contains(&from), "{part}: {} is published before it is synced", to.display());
        if to.starts_with(self.root.join("commits")) {
            self.nothing_pends(part, "when a commit is published");
        }
        if from.starts_with(self.root.join("tmp")) {
            self.names.remove(&from);
        } else {
            self.names.insert(from);
        }
        self.names.insert(to);
    }

    fn remove(&mut self, path: PathBuf, part: &str) {
        self.unsynced.remove(&path);
        if path.starts_with(self.root.join("packs")) {
            self.removed += 1;
            self.nothing_pends(part, "when a pack is removed");
        }
        self.names.insert(path);
    }

    /// All that was written and named is durable, but for temporary files and the lock, which nothing
    /// depends on.
    fn nothing_pends(&self, part: &str, when: &str) {
        let counts = |path: &&PathBuf| !path.starts_with(self.root.join("tmp")) && !is_of_the_lock(path);
        if let Some(path) = self.unsynced.iter().find(counts) {
            panic!("{part}: {} is not synced {when}", path.display());
        }
        // Packs that go are many: their directory is synced once for all.
        let pack = |path: &&PathBuf| path.starts_with(self.root.join("packs")) && !path.exists();
        let going = when == "when a pack is removed";
        if let Some(path) = self.names.iter().filter(counts).find(|path| !(going && pack(path))) {
            panic!("{part}: the directory of {} is not synced {when}", path.display());
        }
        if let Some(path) = self.inherited.iter().next() {
            panic!("{part}: {} was left by another process, and is not synced {when}", path.display());
        }
    }
}

/// The lock, and who holds it: nothing depends on what they are after a power cut.
fn is_of_the_lock(path: &Path) -> bool {
    path.ends_with("lease") || path.ends_with("lease.holder.json")
}

/// The part of the traced process.
fn play(place: &Path, part: &str) {
    let storage = Arc::new(FileStorage::new(place.join("above").join("run")));
    let mut told = std::fs::OpenOptions::new().create(true).append(true).open(place.join("told")).unwrap();
    let mut tell = move || told.write_all(b".").unwrap();
    let mut store = match part {
        "begin" => Writer::create(storage.clone(), "", None, "story").unwrap(),
        _ => Writer::open(storage.clone(), "story").unwrap(),
    };
    let keep_last = |count| Retention { keep_last: Some(count), ..Retention::default() };
    match part {
        "begin" => {
            tell();
            for step in 0..4 {
                save(&mut store, step, &state(step)).unwrap();
                tell();
            }
            // Its pack is so long that a thread writes it.
            save(&mut store, 4, &large_state()).unwrap();
            tell();
        }
        "go on" => {
            save(&mut store, 5, &state(5)).unwrap();
            tell();
            store.set_tag("good", 5, false).unwrap();
            tell();
            store.set_note(Some(5), "a note").unwrap();
            tell();
            let signature = StoredSignature { public_key: "a key".to_owned(), signature: "ab".to_owned() };
            store.put_signature(5, &signature).unwrap();
            tell();
            store.prune(&keep_last(3), None, 3600).unwrap();
            tell();
            store.discard_after(5).unwrap();
            tell();
        }
        "compact" => {
            for step in 6..30 {
                save(&mut store, step, &state(step)).unwrap();
                tell();
                store.prune_between_saves(&keep_last(2), None, 0).unwrap();
                tell();
            }
            store.delete_tag("good").unwrap();
            tell();
            store.gc(0).unwrap();
            tell();
        }
        _ => {
            drop(store);
            damage_a_pack(&place.join("above").join("run").join("packs"));
            let mut store = Writer::open(storage, "story").unwrap();
            assert!(!store.repair(Unreadable::Refuse).unwrap().packs.is_empty());
            tell();
        }
    }
}

fn large_state() -> Tree {
    let mut seed = 1u64;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 56) as u8
    };
    let bytes: Vec<u8> = (0..3 << 20).map(|_| next()).collect();
    let array = rekindle_store::Array::new(DType::U8, vec![3 << 20], bytes).unwrap();
    Node::Struct(vec![("large".to_owned(), Node::Array(array))])
}

/// Changes a byte of a chunk, durably.
fn damage_a_pack(packs: &Path) {
    let pack = std::fs::read_dir(packs).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&pack).unwrap();
    bytes[20] ^= 0x10;
    std::fs::write(&pack, bytes).unwrap();
    std::fs::File::open(&pack).unwrap().sync_all().unwrap();
    std::fs::File::open(packs).unwrap().sync_all().unwrap();
}
