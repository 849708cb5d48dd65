//! Checkpoints as the user names them: `RUN`, `RUN@latest~2`, `RUN@1200`, `RUN@best`, `RUN@TAG`, or a file.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use rekindle::records::{FORMAT, Skipped};
use rekindle::storage::MemoryStorage;
use rekindle::{Address, Checkpoint, ReadError, RunOptions, Store, Which};
use rekindle_formats::{detect, is_checkpoint_file};
use rekindle_train::{Registry, recorded_best};

use crate::unlock;

/// Opens a run, or a checkpoint file, for reading.
pub fn open_run(path: &Path) -> anyhow::Result<Store> {
    if is_checkpoint_file(path) {
        return Ok(Store::open(unlock::access(path)?)?);
    }
    let address = Address::parse(&path.to_string_lossy());
    if address.run.as_path() != path {
        let (text, run) = (path.display(), address.run.display());
        bail!("`{text}` is the address of a checkpoint; this command takes the whole run: `{run}`");
    }
    let store = Store::open(unlock::access(path)?)?;
    note_older_format(&store);
    Ok(store)
}

/// Tells that a run was made by an older program: that is no mistake, but an older one cannot read what this
/// one adds.
pub fn note_older_format(store: &Store) {
    let found = store.identity().format;
    if found < FORMAT {
        tell!(
            "note: the run is of format {found}; it is read as it is, and what is saved from now on is of format {FORMAT}"
        );
    }
}

/// A checkpoint that is ready to be read. Of an address like `RUN` it is the newest whose structure is valid;
/// what is loaded of it is verified as it is read, and only that.
#[derive(Debug)]
pub struct Source {
    pub store: Store,
    pub step: u64,
    /// It stands for a file of another kind, which does not say when it was saved.
    pub is_of_a_file: bool,
    which: Which,
}

impl Source {
    /// Opens the checkpoint of a run or of a checkpoint file.
    pub fn open(text: &str) -> anyhow::Result<Self> {
        let address = Address::parse(text);
        if address.run.is_file() && !is_checkpoint_file(&address.run) {
            let file = address.run.display();
            bail!("`{file}` is a file, not a run; make one with `rekindle import {file} --run DIR`");
        }
        let store = open_run(&address.run)?;
        let step = resolve(&store, &address.which).with_context(|| format!("`{text}`"))?;
        Ok(Self { store, step, is_of_a_file: false, which: address.which })
    }

    /// As [`open`](Self::open); the newest is one all of whose bytes are good. For what loads it elsewhere.
    pub fn open_whole(text: &str) -> anyhow::Result<Self> {
        let mut source = Self::open(text)?;
        source.fall_back().with_context(|| format!("`{text}`"))?;
        Ok(source)
    }

    /// As [`open`](Self::open), and takes a file of any known format too.
    pub fn open_any(registry: &Registry, text: &str) -> anyhow::Result<Self> {
        let path = Path::new(text);
        if !path.is_file() || is_checkpoint_file(path) {
            return Self::open(text);
        }
        let document = detect(registry.formats(), path)?.read(path)?;
        let mut run = RunOptions::new().create_in(Arc::new(MemoryStorage::new()))?;
        *run.about_mut() = document.about;
        run.save_tree(document.step, &document.tree)?;
        let store = Store::open(Arc::clone(run.store().storage()))?;
        Ok(Self { store, step: document.step, is_of_a_file: true, which: Which::Step(document.step) })
    }

    pub fn checkpoint(&self) -> anyhow::Result<Checkpoint<'_>> {
        Ok(self.store.checkpoint(self.step)?)
    }

    /// Does `work` with the checkpoint. When it fails and the newest one turns out to be damaged, that is told,
    /// and the newest that is whole is taken instead.
    pub fn read<T>(self, work: impl Fn(&Self) -> anyhow::Result<T>) -> anyhow::Result<T> {
        read_all([self], |[source]| work(source))
    }

    /// Goes over to the newest checkpoint that is whole, where the newest was meant; true when that is another
    /// one.
    fn fall_back(&mut self) -> anyhow::Result<bool> {
        if !matches!(self.which, Which::Latest(_)) {
            return Ok(false);
        }
        let found = self.which.resolve_whole(&self.store, None)?;
        let passed = found.skipped.into_iter().filter(|skipped| skipped.step <= self.step);
        warn_of(&passed.collect::<Vec<_>>());
        Ok(std::mem::replace(&mut self.step, found.step) != found.step)
    }
}

/// Does `work` with several checkpoints, as [`Source::read`] does with one.
pub fn read_all<const N: usize, T>(
    mut sources: [Source; N],
    work: impl Fn(&[Source; N]) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let error = match work(&sources) {
        Err(error) if may_be_damage(&error) => error,
        result => return result,
    };
    let mut is_other = false;
    for source in &mut sources {
        is_other |= source.fall_back()?;
    }
    if is_other { work(&sources) } else { Err(error) }
}

/// False for an error that no damage can have caused.
fn may_be_damage(error: &anyhow::Error) -> bool {
    match error.downcast_ref::<ReadError>() {
        Some(error) => error.damage().is_some(),
        None => !error.is::<String>() && !error.is::<&'static str>(),
    }
}

/// The step that `which` stands for.
pub fn resolve(store: &Store, which: &Which) -> anyhow::Result<u64> {
    let found = which.resolve(store, recorded_best(store).as_ref())?;
    warn_of(&found.skipped);
    Ok(found.step)
}

/// Tells of damaged checkpoints that were passed over.
pub fn warn_of(skipped: &[Skipped]) {
    for Skipped { step, damage } in skipped {
        tell!("warning: the checkpoint at step {step} is damaged and was passed over: {damage}");
    }
}
