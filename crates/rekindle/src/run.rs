//! A run as a training loop uses it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde::Serialize;
use serde::de::DeserializeOwned;

use rekindle_store::storage::{FileStorage, StorageError};
use rekindle_store::{
    About, Access, Checkpoint, Compression, Damage, EntryPath, Hash, HashedArray, Lineage, Newest, Node,
    OpenError, Origins, ReadError, Row, SaveError, Skipped, Store, Writer,
};

use crate::background::Saving;
use crate::capture::CaptureError;
use crate::compare::{Form, Mismatch};
use crate::engine::Engine;
use crate::migrate::{MigrationError, Versions};
use crate::policy::Policy;
use crate::proof::{Proof, comes_back};
use crate::proving::{self, Event, Proving};
use crate::restore::{RestoreError, from_checkpoint, from_tree};

/// A training run, opened for writing.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("mine");
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct State { step: u64, weights: Vec<f32> }
///
/// let mut state = State { step: 0, weights: vec![0.0; 8] };
/// let mut run = rekindle::Run::open_or_create(&path)?;
/// run.resume(&mut state)?;
/// while state.step < 100 {
///     state.weights[0] += 0.5;
///     state.step += 1;
///     run.checkpoint(state.step, &state)?;
/// }
/// run.finish(&state)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Run {
    pub(crate) engine: Engine,
    versions: Option<Versions>,
    pub(crate) policy: Policy,
    pub(crate) saving: Saving,
    pub(crate) about: About,
    pub(crate) rows: Vec<Row>,
    /// The last metrics, and the step they belong to.
    pub(crate) measured: Option<(u64, BTreeMap<String, f64>)>,
    /// The step that `checkpoint` was last called with.
    pub(crate) current: Option<u64>,
    pub(crate) last_save: Option<Instant>,
    /// What of the state was shown to come back.
    pub(crate) proof: Arc<Mutex<Proof>>,
    /// The form of the state that a resume was called with, or of the first that was saved.
    pub(crate) form: Option<Arc<Form>>,
    /// What is asked of a process whose exact resume is being proven.
    pub(crate) proving: Option<Proving>,
}

/// How a run is opened: builds a [`Run`].
#[derive(Debug, Clone, Default)]
#[must_use = "it opens nothing by itself"]
pub struct RunOptions {
    system: String,
    versions: Option<Versions>,
    policy: Policy,
    saving: Saving,
    compression: Compression,
    purpose: Option<String>,
    origins: Origins,
}

/// Resuming failed; the state that was passed in is as it was before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResumeError {
    /// The saved state does not fit: all differences.
    #[error("the checkpoint at step {step} does not fit; nothing was changed:{}", bullets(mismatches))]
    DoesNotFit {
        /// The step.
        step: u64,
        /// The differences.
        mismatches: Vec<Mismatch>,
    },
    /// The saved state was restored, but the caller's check refused it.
    #[error("the checkpoint at step {step} is not valid: {message}; nothing was changed")]
    Invalid {
        /// The step.
        step: u64,
        /// What the check said.
        message: String,
    },
    /// No checkpoint can be used.
    #[error("no checkpoint of {location} can be used:{}", skip_bullets(skipped))]
    NothingValid {
        /// The run.
        location: String,
        /// All checkpoints, with the reasons.
        skipped: Vec<Skipped>,
    },
    /// The state is of another kind or version.
    #[error(transparent)]
    Migration(#[from] MigrationError),
    /// The tree does not make the type.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// The state in memory cannot be walked.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// The checkpoint cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A damaged checkpoint cannot be set aside.
    #[error(transparent)]
    Save(#[from] SaveError),
}

impl ResumeError {
    /// The damage, if the error is one.
    pub fn damage(&self) -> Option<&Damage> {
        match self {
            Self::Read(error) | Self::Restore(RestoreError::Read(error)) => error.damage(),
            _ => None,
        }
    }
}

pub(crate) fn bullets(mismatches: &[Mismatch]) -> String {
    mismatches.iter().map(|mismatch| format!("\n  - {mismatch}")).collect()
}

fn skip_bullets(skipped: &[Skipped]) -> String {
    skipped.iter().map(|skipped| format!("\n  - step {}: {}", skipped.step, skipped.damage)).collect()
}

/// What a resume did.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Resumed {
    /// The step of the checkpoint that was loaded; `None` on a run without any.
    pub step: Option<u64>,
    /// Newer checkpoints that are damaged and were passed over.
    pub skipped: Vec<Skipped>,
    /// The version from which the state was migrated.
    pub migrated_from: Option<u32>,
}

impl RunOptions {
    /// The defaults: no system, no schema, the default [`Policy`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the model family; a run of another one is refused.
    pub fn system(mut self, name: impl Into<String>) -> Self {
        self.system = name.into();
        self
    }

    /// Sets the schema of the state and its migrations.
    pub fn versions(mut self, versions: Versions) -> Self {
        self.versions = Some(versions);
        self
    }

    /// Sets when to checkpoint and what to keep.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets whether checkpoints are written by the caller or by a thread.
    pub fn saving(mut self, saving: Saving) -> Self {
        self.saving = saving;
        self
    }

    /// Sets how much work is spent on making checkpoints smaller.
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Says what this process does, for whoever finds the run locked; the command line otherwise.
    pub fn purpose(mut self, purpose: impl Into<String>) -> Self {
        self.purpose = Some(purpose.into());
        self
    }

    /// Records what a new run is made from.
    pub fn lineage(mut self, lineage: Lineage) -> Self {
        self.origins.lineage = Some(lineage);
        self
    }

    /// Records the checkpoints that a new run learns from beside its data.
    pub fn teachers(mut self, teachers: Vec<Lineage>) -> Self {
        self.origins.teachers = teachers;
        self
    }

    /// Makes a new run in the directory `path`.
    ///
    /// # Errors
    /// When the directory holds a run or anything else, or cannot be written.
    pub fn create(self, path: impl AsRef<Path>) -> Result<Run, OpenError> {
        self.at(path.as_ref(), |options, place| options.create_in(place))
    }

    /// Opens the run in the directory `path`.
    ///
    /// # Errors
    /// When there is no run, somebody else writes it, or a later version wrote it.
    pub fn open(self, path: impl AsRef<Path>) -> Result<Run, OpenError> {
        self.at(path.as_ref(), |options, place| options.open_in(place))
    }

    /// Opens or makes the run in a directory, or in the one that stands for it while its program is
    /// [proven](crate::proving).
    fn at(
        self,
        path: &Path,
        open: impl FnOnce(Self, Arc<FileStorage>) -> Result<Run, OpenError>,
    ) -> Result<Run, OpenError> {
        let proving = Proving::asked()?;
        let path = proving.as_ref().map_or(path, Proving::run);
        let mut run = open(self, Arc::new(FileStorage::new(path)))?;
        run.proving = proving;
        run.tell(&Event::Opened)?;
        Ok(run)
    }

    /// Opens the run in the directory `path`, or makes one there.
    ///
    /// # Errors
    /// As [`open`](Self::open) and [`create`](Self::create).
    pub fn open_or_create(self, path: impl AsRef<Path>) -> Result<Run, OpenError> {
        match self.clone().open(path.as_ref()) {
            Err(OpenError::NoRun { .. }) => self.create(path),
            result => result,
        }
    }

    /// Makes a new run in any storage; with a key it is encrypted.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn create_in(self, access: impl Into<Access>) -> Result<Run, OpenError> {
        let writer = Writer::create(access, &self.system, self.origins.clone(), &self.stated_purpose())?;
        Ok(Run::new(writer, self))
    }

    /// Opens a run in any storage; an encrypted one with its key.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_in(self, access: impl Into<Access>) -> Result<Run, OpenError> {
        let writer = Writer::open(access, &self.stated_purpose())?;
        Ok(Run::new(writer, self))
    }

    fn stated_purpose(&self) -> String {
        let arguments = || std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
        let command_line = || arguments().collect::<Vec<_>>().join(" ");
        self.purpose.clone().unwrap_or_else(command_line)
    }
}

impl Run {
    /// Opens the run in the directory `path` with the default options, or makes one there.
    ///
    /// # Errors
    /// When the directory holds something else, somebody else writes the run, or a later version
    /// wrote it.
    pub fn open_or_create(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        RunOptions::new().open_or_create(path)
    }

    fn new(mut writer: Writer, options: RunOptions) -> Self {
        writer.set_compression(options.compression);
        let about = About {
            system: options.system,
            schema: options.versions.as_ref().map(|versions| versions.schema().clone()),
            ..About::default()
        };
        Self {
            engine: Engine::new(writer),
            versions: options.versions,
            policy: options.policy,
            saving: options.saving,
            about,
            rows: Vec::new(),
            measured: None,
            current: None,
            last_save: None,
            proof: Arc::default(),
            form: None,
            proving: None,
        }
    }

    /// What is in the run. A checkpoint that is being written is waited for.
    pub fn store(&mut self) -> &Store {
        self.engine.writer()
    }

    /// What writes the run: for tags, pruning and files for people. A checkpoint that is being
    /// written is waited for.
    pub fn writer(&mut self) -> &mut Writer {
        self.engine.writer()
    }

    /// The policy in force.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Sets when to checkpoint and what to keep from now on.
    pub fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
    }

    /// Sets whether later checkpoints are written by the caller or by a thread.
    pub fn set_saving(&mut self, saving: Saving) {
        self.saving = saving;
    }

    /// What is written into every commit record beside the state: config, environment, changes.
    pub fn about_mut(&mut self) -> &mut About {
        &mut self.about
    }

    /// Loads the newest valid checkpoint into `state`; on a run without checkpoints it does
    /// nothing. Damaged checkpoints are passed over, named in the result, and their commit records
    /// moved to `damaged/`, so that their steps can be saved anew.
    ///
    /// # Errors
    /// When the state does not fit, or no checkpoint can be read; `state` is then unchanged.
    pub fn resume<T: Serialize + DeserializeOwned>(&mut self, state: &mut T) -> Result<Resumed, ResumeError> {
        self.resume_checked(state, |_| Ok(()))
    }

    /// As [`resume`](Self::resume); `validate` looks at the whole restored state before it
    /// replaces the old one.
    ///
    /// # Errors
    /// As [`resume`](Self::resume), and what `validate` says.
    pub fn resume_checked<T: Serialize + DeserializeOwned>(
        &mut self,
        state: &mut T,
        validate: impl Fn(&T) -> Result<(), String>,
    ) -> Result<Resumed, ResumeError> {
        self.form = Some(Arc::new(Form::of(state)?));
        let versions = self.versions.take();
        let load = |checkpoint: &Checkpoint<'_>| load_into(checkpoint, state, versions.as_ref(), &validate);
        let newest = self.newest_valid(load);
        self.versions = versions;
        let Some((step, (value, migrated_from), skipped)) = newest? else { return Ok(Resumed::default()) };
        *state = value;
        Ok(Resumed { step: Some(step), skipped, migrated_from })
    }

    /// Begins at the newest checkpoint that `load` finds no damage in: its step, what `load` made of it, and the
    /// damaged ones, which are set aside. `None` on a run without checkpoints.
    pub(crate) fn newest_valid<T>(
        &mut self,
        load: impl FnMut(&Checkpoint<'_>) -> Result<T, ResumeError>,
    ) -> Result<Option<(u64, T, Vec<Skipped>)>, ResumeError> {
        let writer = self.engine.writer();
        let Newest { valid, skipped } =
            writer.newest_valid(load, |error: &ResumeError| error.damage().cloned())?;
        let Some((step, value)) = valid else {
            if !skipped.is_empty() {
                return Err(ResumeError::NothingValid { location: writer.location(), skipped });
            }
            self.tell(&Event::Resumed { step: None }).map_err(SaveError::from)?;
            return Ok(None);
        };
        for damaged in &skipped {
            writer.set_aside(damaged.step)?;
        }
        self.begin_at(step)?;
        Ok(Some((step, value, skipped)))
    }

    /// Loads the checkpoint at `step` into `state`.
    ///
    /// # Errors
    /// As [`resume`](Self::resume); a damaged checkpoint is an error here.
    pub fn resume_at<T: Serialize + DeserializeOwned>(
        &mut self,
        step: u64,
        state: &mut T,
        validate: impl Fn(&T) -> Result<(), String>,
    ) -> Result<Resumed, ResumeError> {
        self.form = Some(Arc::new(Form::of(state)?));
        let checkpoint = self.engine.writer().checkpoint(step)?;
        let (value, migrated_from) = load_into(&checkpoint, state, self.versions.as_ref(), &validate)?;
        *state = value;
        self.begin_at(step)?;
        Ok(Resumed { step: Some(step), skipped: Vec::new(), migrated_from })
    }

    /// True when [`checkpoint`](Self::checkpoint) would save the state of `step`.
    pub fn is_due(&self, step: u64) -> bool {
        match &self.proving {
            Some(proving) => proving.is_due(step),
            None => self.policy.is_due(step, self.last_save),
        }
    }

    /// True when [`checkpoint`](Self::checkpoint) would look at the state of `step`: to save it, or because a
    /// [proof](crate::proving) asks for the hash of every step.
    pub fn wants_state(&self, step: u64) -> bool {
        self.is_due(step) || self.proving.as_ref().is_some_and(|proving| proving.hashes)
    }

    /// A step is done: tells whoever proves this program, and dies if that is asked for.
    pub(crate) fn reached(
        &mut self,
        step: u64,
        hash: impl FnOnce() -> Result<Option<Hash>, CaptureError>,
    ) -> Result<(), CaptureError> {
        let Some(proving) = &self.proving else { return Ok(()) };
        let state_hash = if proving.hashes { hash()? } else { None };
        self.tell(&Event::Step { step, state_hash }).map_err(SaveError::from)?;
        proving.die_at(step).map_err(|source| SaveError::from(cannot_log(source)).into())
    }

    /// The run has come to its end.
    pub(crate) fn finished(&self, step: u64, state_hash: Hash) -> Result<(), CaptureError> {
        Ok(self.tell(&Event::Finished { step, state_hash }).map_err(SaveError::from)?)
    }

    fn tell(&self, event: &Event) -> Result<(), StorageError> {
        self.proving.as_ref().map_or(Ok(()), |proving| proving.tell(event)).map_err(cannot_log)
    }

    fn begin_at(&mut self, step: u64) -> Result<(), SaveError> {
        self.tell(&Event::Resumed { step: Some(step) })?;
        if let Some(proving) = &mut self.proving {
            proving.note_saved(step);
        }
        self.current = Some(step);
        self.last_save = Some(Instant::now());
        if let Ok(checkpoint) = self.engine.writer().checkpoint(step) {
            self.about.changes = checkpoint.record().about.changes.clone();
        }
        Ok(())
    }
}

fn cannot_log(source: std::io::Error) -> StorageError {
    let location = std::env::var(proving::LOG).unwrap_or_default();
    StorageError::Io { action: "write", name: "the log of a proof".to_owned(), location, source }
}

/// The state of a checkpoint as a `T`, if it has the form of `like`, and the version it was
/// migrated from.
pub(crate) fn load_into<T: Serialize + DeserializeOwned>(
    checkpoint: &Checkpoint<'_>,
    like: &T,
    versions: Option<&Versions>,
    validate: &impl Fn(&T) -> Result<(), String>,
) -> Result<(T, Option<u32>), ResumeError> {
    let record = checkpoint.record();
    let step = record.step;
    let found = record.about.schema.as_ref();
    let path = versions.map_or(Ok(0..0), |versions| versions.path_from(found))?;
    let value: T = if path.is_empty() {
        let tree = checkpoint.tree()?;
        fit::<T, _>(step, like, &tree)?;
        from_checkpoint(checkpoint, &tree)?
    } else {
        let tree = checkpoint.load(&EntryPath::root())?;
        let tree = versions.map_or(Ok(tree.clone()), |versions| versions.migrate(tree, path.clone()))?;
        fit::<T, _>(step, like, &tree)?;
        from_tree(&tree)?
    };
    validate(&value).map_err(|message| ResumeError::Invalid { step, message })?;
    Ok((value, (!path.is_empty()).then_some(path.start)))
}

/// Does a saved tree have the form of `like`? Fields that are there on one side only are no difference
/// when the value that comes of the tree would be saved as this tree again: then serde leaves them out.
fn fit<T, A>(step: u64, like: &T, tree: &Node<A>) -> Result<(), ResumeError>
where
    T: Serialize + DeserializeOwned,
    A: HashedArray,
{
    let mismatches = Form::of(like)?.mismatches(tree);
    let fits =
        mismatches.is_empty() || (mismatches.iter().all(Mismatch::is_absence) && comes_back::<T, A>(tree)?);
    if fits { Ok(()) } else { Err(ResumeError::DoesNotFit { step, mismatches }) }
}
