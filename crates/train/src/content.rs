//! What identifies a file or checkpoint that is learnt from: its content, never its name or its place.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rekindle::Hash;
use rekindle::records::Lineage;
use rekindle_formats::files;
use rekindle_formats::hex::hex;
use sha2::{Digest, Sha256};

use crate::other_run::{OtherRun, OtherRunError};

/// Identity of a file's content: the SHA-256 of its bytes, as `sha256sum` prints it, and how many
/// there are. A state holds it in place of the file's name.
///
/// That of a folder is of all files in it and in its folders: of what each contains, and of its name within
/// the folder, which may be the name of a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileContent {
    /// 64 lower-case hexadecimal digits.
    sha256: String,
    bytes: u64,
}

impl FileContent {
    /// That of a file.
    ///
    /// # Errors
    /// The system's; and when it is neither a folder nor a regular file, which could be read only once.
    pub fn of(path: &Path) -> io::Result<Self> {
        // Before it is opened: that of a pipe waits for a writer.
        let kind = path.metadata()?;
        if kind.is_dir() {
            let mut listing = Listing::default();
            listing.add(path, path, FOLDERS_DEEP)?;
            return Ok(listing.content());
        }
        if !kind.is_file() {
            let reason = "it is not a regular file, and what is learnt is read again when a run goes on";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
        }
        let mut file = files::open(path)?;
        let (mut hasher, mut bytes) = (Sha256::new(), 0);
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                return Ok(Self { sha256: hex(&hasher.finalize()), bytes });
            }
            hasher.update(&buffer[..count]);
            bytes += count as u64;
        }
    }
}

/// Folders are looked into so deep: a folder of a folder for each class.
const FOLDERS_DEEP: usize = 1;

/// The files of a folder, one after the other in the order of their names.
#[derive(Default)]
struct Listing {
    hasher: Sha256,
    bytes: u64,
}

impl Listing {
    fn add(&mut self, root: &Path, folder: &Path, deeper: usize) -> io::Result<()> {
        for entry in files::entries(folder)? {
            if entry.is_dir() {
                if let Some(deeper) = deeper.checked_sub(1) {
                    self.add(root, &entry, deeper)?;
                }
                continue;
            }
            let name = entry.strip_prefix(root).unwrap_or(&entry).to_string_lossy().into_owned();
            let content = FileContent::of(&entry)?;
            self.hasher.update(format!("{content} {name}\n"));
            self.bytes += content.bytes;
        }
        Ok(())
    }

    fn content(self) -> FileContent {
        FileContent { sha256: hex(&self.hasher.finalize()), bytes: self.bytes }
    }
}

impl fmt::Display for FileContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{} ({} bytes)", self.sha256, self.bytes)
    }
}

/// A text that is not what [`FileContent`] is displayed as, such as the name of a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` does not identify the content of a file")]
pub struct ParseFileContentError(String);

impl FromStr for FileContent {
    type Err = ParseFileContentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || -> Option<Self> {
            let (digits, bytes) = text.strip_prefix("sha256:")?.split_once(" (")?;
            let bytes = bytes.strip_suffix(" bytes)")?.parse().ok()?;
            // A hash of a state is written in the same digits, and as many.
            digits.parse::<rekindle::Hash>().ok()?;
            Some(Self { sha256: digits.to_owned(), bytes })
        };
        parse().ok_or_else(|| ParseFileContentError(text.to_owned()))
    }
}

/// Identity of what a `training:` section names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// The content of a file or folder.
    File(FileContent),
    /// The state of a checkpoint.
    State(Hash),
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(content) => content.fmt(f),
            Self::State(hash) => write!(f, "state:{hash}"),
        }
    }
}

impl FromStr for Content {
    type Err = ParseFileContentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("state:").map(str::parse) {
            Some(Ok(hash)) => Ok(Self::State(hash)),
            _ => text.parse().map(Self::File),
        }
    }
}

/// A file, or a checkpoint of another run, that a `training:` section names.
#[derive(Debug)]
pub struct NamedFile<'a> {
    /// The path of the setting, such as `training.data.file`.
    pub setting: Cow<'static, str>,
    /// Its value.
    pub place: &'a mut Option<String>,
    /// When it is read.
    pub used: FileUse,
}

impl<'a> NamedFile<'a> {
    /// What stands at a setting.
    pub fn new(setting: impl Into<Cow<'static, str>>, place: &'a mut Option<String>, used: FileUse) -> Self {
        Self { setting: setting.into(), place, used }
    }

    fn identify(&self, place: &str, expected: Option<Content>) -> Result<Content, ContentError> {
        let setting = self.setting.clone();
        if self.used == FileUse::Checkpoint {
            let found = OtherRun::open(place).and_then(|other| other.state_hash());
            let unknown = |source| ContentError::NoCheckpoint { setting, expected, source: Box::new(source) };
            return found.map(Content::State).map_err(unknown);
        }
        let path = PathBuf::from(place);
        match FileContent::of(&path) {
            Ok(content) => Ok(Content::File(content)),
            Err(source) => Err(ContentError::Unreadable { setting, path, expected, source }),
        }
    }
}

/// When what is named is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileUse {
    /// By every process that trains: what is learnt.
    Always,
    /// At the beginning of a run: what matters of it is in the state from then on.
    AtTheBeginning,
    /// By every process that trains, from a checkpoint of another run in place of a file: that of a teacher, named as
    /// `RUN@STEP`.
    Checkpoint,
}

/// Files cannot be identified, or are not those that a run was trained on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContentError {
    /// The file cannot be read.
    #[error("{setting}: cannot read `{}`{}: {source}", path.display(), expectation(expected.as_ref()))]
    Unreadable {
        /// The setting that names it.
        setting: Cow<'static, str>,
        /// The file.
        path: PathBuf,
        /// What the run was trained on, if it is known.
        expected: Option<Content>,
        /// What the system said.
        source: io::Error,
    },
    /// The file holds other data.
    #[error(
        "{setting}: `{place}` holds other data than the run was trained on: {found}, where {expected} is expected"
    )]
    OtherData {
        /// The setting that names it.
        setting: Cow<'static, str>,
        /// The file or checkpoint.
        place: String,
        /// What the run was trained on.
        expected: Box<Content>,
        /// What it holds.
        found: Box<Content>,
    },
    /// The checkpoint of another run cannot be read.
    #[error("{setting}: {source}{}", expectation(expected.as_ref()))]
    NoCheckpoint {
        /// The setting that names it.
        setting: Cow<'static, str>,
        /// What the run was trained with, if it is known.
        expected: Option<Content>,
        /// Why.
        source: Box<OtherRunError>,
    },
}

fn expectation(expected: Option<&Content>) -> String {
    expected.map_or(String::new(), |content| format!(", where the run has {content}"))
}

/// The files of a section as the state is to have them: named by their content.
///
/// A file that is only read at the beginning is named so if it is a regular one; it may be a run, or
/// be gone, and then has no name at all.
///
/// # Errors
/// When a file cannot be read that is always needed.
pub(crate) fn name_by_content(files: Vec<NamedFile<'_>>) -> Result<(), ContentError> {
    for file in files {
        let Some(place) = file.place.clone() else { continue };
        let content = match file.identify(&place, None) {
            Ok(content) => Some(content),
            Err(_) if file.used == FileUse::AtTheBeginning => None,
            Err(error) => return Err(error),
        };
        *file.place = content.map(|content| content.to_string());
    }
    Ok(())
}

/// The files of a section that is resumed as the state is to have them: checked to be those that it
/// was trained on. `saved` are the same settings as the checkpoint has them, `recorded` as its config
/// has them.
///
/// Checkpoints of earlier versions hold the names of files; of those the system checks the content.
///
/// # Errors
/// When a file cannot be read that is needed, or holds other data.
pub(crate) fn check_content(
    files: Vec<NamedFile<'_>>,
    saved: &[NamedFile<'_>],
    recorded: &[NamedFile<'_>],
) -> Result<(), ContentError> {
    for file in files {
        let expected = value_of(saved, &file.setting).and_then(|text| text.parse::<Content>().ok());
        let is_always_read = file.used != FileUse::AtTheBeginning;
        let is_read = is_always_read || file.place.as_ref() != value_of(recorded, &file.setting);
        let Some(place) = file.place.clone().filter(|_| is_read) else {
            *file.place = expected.map(|content| content.to_string());
            continue;
        };
        let found = file.identify(&place, expected.clone())?;
        *file.place = Some(found.to_string());
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            let (expected, found) = (Box::new(expected), Box::new(found));
            return Err(ContentError::OtherData { setting: file.setting, place, expected, found });
        }
    }
    Ok(())
}

/// What a run records of the checkpoints that it learns from.
///
/// # Errors
/// When one cannot be read.
pub(crate) fn teachers(files: Vec<NamedFile<'_>>) -> Result<Vec<Lineage>, ContentError> {
    let checkpoints = files.into_iter().filter(|file| file.used == FileUse::Checkpoint);
    let named = checkpoints.filter_map(|file| Some((file.setting, file.place.clone()?)));
    let lineages = named.map(|(setting, address)| {
        let found = OtherRun::open(&address).and_then(|other| other.lineage());
        let unknown =
            |source| ContentError::NoCheckpoint { setting, expected: None, source: Box::new(source) };
        found.map_err(unknown)
    });
    lineages.collect()
}

fn value_of<'a>(files: &'a [NamedFile<'_>], setting: &str) -> Option<&'a String> {
    files.iter().find(|file| file.setting == setting)?.place.as_ref()
}

/// Makes the names of files valid in every directory, and those of checkpoints at every later time.
pub(crate) fn make_absolute(files: Vec<NamedFile<'_>>) {
    for NamedFile { place, used, .. } in files {
        if used == FileUse::Checkpoint {
            let pinned = place.as_ref().and_then(|address| OtherRun::open(address).ok()?.pinned());
            *place = pinned.or(place.take());
            continue;
        }
        let absolute = place.as_ref().and_then(|path| std::path::absolute(path).ok());
        if let Some(absolute) = absolute.and_then(|path| path.into_os_string().into_string().ok()) {
            *place = Some(absolute);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_known_by_its_files_and_not_by_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let folder = |name: &str, files: &[(&str, &str)]| {
            for (file, text) in files {
                let path = dir.path().join(name).join(file);
                files::create_directory(path.parent().unwrap()).unwrap();
                files::write(&path, text.as_bytes()).unwrap();
            }
            FileContent::of(&dir.path().join(name)).unwrap()
        };
        let found = folder("a", &[("cat/1", "x"), ("dog/1", "yz")]);
        assert_eq!(found.bytes, 3);
        assert_eq!(found, folder("b", &[("dog/1", "yz"), ("cat/1", "x")]));
        assert_ne!(found, folder("c", &[("dog/1", "x"), ("cat/1", "yz")]), "of other classes");
        assert_ne!(found, folder("d", &[("cat/1", "x"), ("dog/1", "y!")]));
    }

    #[test]
    fn a_content_is_named_as_sha256sum_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        files::write(&path, b"abc").unwrap();
        let content = FileContent::of(&path).unwrap();
        let text = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad (3 bytes)";
        assert_eq!((content.to_string().as_str(), text.parse()), (text, Ok(content)));
        for other in ["a.csv", "sha256:ba (3 bytes)", &text.replace("3 bytes", "x bytes"), &text[7..]] {
            assert!(other.parse::<FileContent>().is_err(), "{other}");
        }
    }

    #[test]
    fn what_can_be_read_only_once_is_refused() {
        let error = FileContent::of("/dev/null".as_ref()).unwrap_err().to_string();
        assert!(error.contains("not a regular file"), "{error}");
    }
}
