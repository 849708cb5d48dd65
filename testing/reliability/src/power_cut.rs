//! What a disk can look like when the power returns.
//!
//! The model is POSIX's, taken literally: the bytes of a file are durable once the file was
//! synced, and a name (made, renamed, removed) once its directory was. Until then each update is
//! on its own: it may be there or not, whatever came before or after it; a write may be cut off,
//! or have zeros or garbage where its end should be. A rename is two updates, of the new name and
//! of the old; each name always stands for the one file or the other.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rekindle::storage::sim::{Entries, Operation};

use crate::random::Random;

/// Disks cut off a write at multiples of this: bytes.
const SECTOR: usize = 512;
/// So many combinations of fates are all tried.
const EXHAUSTIVE: usize = 256;

/// A disk with what is durable on it, and the updates that are not.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    durable: Image,
    pending: Vec<Update>,
    /// The names as the process sees them, and the files' lengths.
    visible: BTreeMap<PathBuf, Object>,
    lengths: Vec<usize>,
}

#[derive(Debug, Clone, Default)]
struct Image {
    names: BTreeMap<PathBuf, Object>,
    contents: Vec<Content>,
}

/// The bytes of a file, and what tells them from others.
#[derive(Debug, Clone)]
struct Content {
    bytes: Arc<Vec<u8>>,
    identity: u64,
}

/// A disk as it may look, and what tells it from others.
#[derive(Debug, Clone)]
pub struct Picture {
    /// What is on it.
    pub entries: Entries,
    /// Equal for equal disks only.
    pub identity: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Object {
    Directory,
    File(usize),
}

#[derive(Debug, Clone)]
enum Update {
    Name { path: PathBuf, object: Option<Object> },
    Data { file: usize, offset: usize, bytes: Arc<Vec<u8>>, never_durable: bool },
}

/// What becomes of an update that is not durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is on the disk.
    Kept,
    /// It is not.
    Lost,
    /// So many bytes of it are, and the file ends there.
    Cut(usize),
    /// So many bytes of it are, and zeros stand for the others.
    Zeros(usize),
    /// So many bytes of it are, and garbage stands for the others.
    Garbage(usize),
}

impl Journal {
    /// A disk whose content is all durable.
    pub fn settled(entries: &Entries) -> Self {
        let mut journal = Self::default();
        for (path, content) in entries {
            let object = match content {
                None => Object::Directory,
                Some(bytes) => journal.new_file(Content::new(Arc::clone(bytes))),
            };
            journal.visible.insert(path.clone(), object);
        }
        journal.durable.names = journal.visible.clone();
        journal
    }

    fn new_file(&mut self, content: Content) -> Object {
        let file = self.lengths.len();
        self.lengths.push(content.bytes.len());
        self.durable.contents.push(content);
        Object::File(file)
    }

    /// Takes in the next operation.
    pub fn record(&mut self, operation: &Operation) {
        match operation {
            Operation::CreateDir(path) => self.name(path, Some(Object::Directory)),
            Operation::Create(path) => {
                let file = self.new_file(Content::new(Arc::default()));
                self.name(path, Some(file));
            }
            Operation::Write(path, bytes) => {
                let Some(&Object::File(file)) = self.visible.get(path) else { return };
                let offset = self.lengths[file];
                self.lengths[file] += bytes.len();
                let bytes = Arc::new(bytes.clone());
                self.pending.push(Update::Data { file, offset, bytes, never_durable: false });
            }
            Operation::Rename(from, to) => {
                let object = self.visible.get(from).copied();
                self.name(to, object);
                self.name(from, None);
            }
            Operation::Remove(path) => self.name(path, None),
            Operation::Sync(path) => {
                let synced = self.visible.get(path).copied();
                self.settle(|update, _| match update {
                    Update::Data { file, never_durable, .. } => {
                        synced == Some(Object::File(*file)) && !never_durable
                    }
                    Update::Name { .. } => false,
                });
            }
            Operation::FailedSync(path) => {
                let failed = self.visible.get(path).copied();
                for update in &mut self.pending {
                    if let Update::Data { file, never_durable, .. } = update {
                        *never_durable |= failed == Some(Object::File(*file));
                    }
                }
            }
            Operation::SyncDir(path) => {
                let directory = if path == Path::new(".") { Path::new("") } else { path.as_path() };
                self.settle(|_, parent| parent == Some(directory));
            }
        }
    }

    fn name(&mut self, path: &Path, object: Option<Object>) {
        match object {
            Some(object) => self.visible.insert(path.to_owned(), object),
            None => self.visible.remove(path),
        };
        self.pending.push(Update::Name { path: path.to_owned(), object });
    }

    /// Makes those updates durable; a name's is told with its directory.
    fn settle(&mut self, settles: impl Fn(&Update, Option<&Path>) -> bool) {
        let durable = &mut self.durable;
        self.pending.retain(|update| {
            let parent = match update {
                Update::Name { path, .. } => path.parent(),
                Update::Data { .. } => None,
            };
            let settled = settles(update, parent);
            if settled {
                durable.apply(update, Fate::Kept);
            }
            !settled
        });
    }

    /// All fates of the pending updates when there are at most `limit` of them, and some more ways
    /// to tear the writes; otherwise `limit` samples: all kept, all lost, each update alone
    /// differing from the others, and random ones.
    pub fn fates(&self, limit: usize, random: &mut Random) -> Vec<Vec<Fate>> {
        let options: Vec<Vec<Fate>> = self.pending.iter().map(Update::fates).collect();
        let combinations = options.iter().try_fold(1usize, |product, options| {
            product.checked_mul(options.len()).filter(|&product| product <= limit.min(EXHAUSTIVE))
        });
        let Some(combinations) = combinations else { return self.sampled(limit, random) };
        let mut fates: Vec<_> = (0..combinations).map(|number| combination(&options, number)).collect();
        if self.pending.iter().any(|update| matches!(update, Update::Data { .. })) {
            fates.extend((0..limit / 4).map(|_| self.random_fates(random)));
        }
        fates
    }

    fn random_fates(&self, random: &mut Random) -> Vec<Fate> {
        self.pending.iter().map(|update| update.random_fate(random)).collect()
    }

    fn sampled(&self, limit: usize, random: &mut Random) -> Vec<Vec<Fate>> {
        let count = self.pending.len();
        let mut chosen = vec![vec![Fate::Kept; count], vec![Fate::Lost; count]];
        for position in 0..count {
            for others in [Fate::Kept, Fate::Lost] {
                let mut fates = vec![others; count];
                fates[position] = if others == Fate::Kept { Fate::Lost } else { Fate::Kept };
                chosen.push(fates);
            }
        }
        // The ones that differ in one place are many after a long story: random ones have their share.
        chosen.truncate((limit * 3 / 4).max(2));
        while chosen.len() < limit {
            chosen.push(self.random_fates(random));
        }
        chosen
    }

    /// The disk on which the pending updates met these fates.
    pub fn image(&self, fates: &[Fate]) -> Picture {
        let mut image = self.durable.clone();
        for (update, &fate) in self.pending.iter().zip(fates) {
            image.apply(update, fate);
        }
        image.picture()
    }

    /// The disk on which nothing is left that is not durable.
    pub fn durable(&self) -> Entries {
        self.durable.picture().entries
    }
}

fn combination(options: &[Vec<Fate>], mut number: usize) -> Vec<Fate> {
    let mut pick = |options: &Vec<Fate>| {
        let fate = options[number % options.len()];
        number /= options.len();
        fate
    };
    options.iter().map(&mut pick).collect()
}

impl Update {
    fn fates(&self) -> Vec<Fate> {
        let mut fates = vec![Fate::Kept, Fate::Lost];
        if let Self::Data { bytes, .. } = self {
            let half = at_sector(bytes.len() / 2);
            fates.extend([Fate::Cut(half), Fate::Zeros(0), Fate::Garbage(half)]);
        }
        fates
    }

    fn random_fate(&self, random: &mut Random) -> Fate {
        let Self::Data { bytes, .. } = self else {
            return *random.choose(&[Fate::Kept, Fate::Lost]);
        };
        let anywhere = random.below(bytes.len() as u64 + 1) as usize;
        let place = if random.one_in(2) { anywhere } else { at_sector(anywhere) };
        *random.choose(&[Fate::Kept, Fate::Lost, Fate::Cut(place), Fate::Zeros(place), Fate::Garbage(place)])
    }
}

/// The last sector boundary before `position`, or `position` itself within the first sector.
fn at_sector(position: usize) -> usize {
    if position < SECTOR { position } else { position / SECTOR * SECTOR }
}

impl Image {
    fn apply(&mut self, update: &Update, fate: Fate) {
        match update {
            _ if fate == Fate::Lost => {}
            Update::Name { path, object: Some(object) } => {
                self.names.insert(path.clone(), *object);
            }
            Update::Name { path, object: None } => {
                self.names.remove(path);
            }
            Update::Data { file, offset, bytes, .. } => {
                self.contents[*file].write(*offset, &written(bytes, fate));
            }
        }
    }

    /// The files and directories that can be reached from the root.
    fn picture(&self) -> Picture {
        let (mut entries, mut hasher) = (Entries::new(), DefaultHasher::new());
        for (path, object) in &self.names {
            let parent = path.parent().unwrap_or(Path::new(""));
            // Parents come before their children in the order of paths.
            if parent.as_os_str().is_empty() || entries.get(parent) == Some(&None) {
                let content = match object {
                    Object::Directory => None,
                    Object::File(file) => Some(&self.contents[*file]),
                };
                (path.as_os_str(), content.map(|content| content.identity)).hash(&mut hasher);
                entries.insert(path.clone(), content.map(|content| Arc::clone(&content.bytes)));
            }
        }
        Picture { entries, identity: hasher.finish() }
    }
}

impl Content {
    fn new(bytes: Arc<Vec<u8>>) -> Self {
        let mut hash = rekindle::Hash::of(&bytes).0.into_iter();
        let identity = u64::from_le_bytes(std::array::from_fn(|_| hash.next().unwrap_or(0)));
        Self { bytes, identity }
    }

    fn write(&mut self, offset: usize, written: &[u8]) {
        let mut bytes = Arc::clone(&self.bytes);
        let content = Arc::make_mut(&mut bytes);
        let end = offset + written.len();
        if content.len() < end {
            content.resize(end, 0);
        }
        content[offset..end].copy_from_slice(written);
        *self = Self::new(bytes);
    }
}

fn written(bytes: &[u8], fate: Fate) -> Vec<u8> {
    let mut written = bytes.to_vec();
    match fate {
        Fate::Kept | Fate::Lost => {}
        Fate::Cut(len) => written.truncate(len),
        Fate::Zeros(len) => written[len..].fill(0),
        Fate::Garbage(len) => {
            let garbage = Random::new(len as u64, &[bytes.len() as u64]).bytes(bytes.len() - len);
            written[len..].copy_from_slice(&garbage);
        }
    }
    written
}
