//! Addresses of checkpoints: `RUN`, `RUN@latest~2`, `RUN@1200`, `RUN@best`, `RUN@TAG`, or a file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use rekindle::storage::MemoryStorage;
use rekindle::{Best, Checkpoint, Damage, OpenError, ReadError, RunOptions, Skipped, Store};
use rekindle_formats::{detect, files, is_checkpoint_file};
use rekindle_train::Registry;

use crate::unlock;

/// A run, or one of its checkpoints, as the user wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub run: PathBuf,
    pub which: Which,
}

/// Which checkpoint of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The newest valid one, or so many before it.
    Latest(usize),
    Step(u64),
    Best,
    Tag(String),
}

impl Address {
    /// Reads an address. A path that exists as a whole is one, `@` or not.
    pub fn parse(text: &str) -> Self {
        let whole = || Self { run: PathBuf::from(text), which: Which::Latest(0) };
        if files::exists(Path::new(text)) {
            return whole();
        }
        let Some((run, which)) = text.rsplit_once('@').filter(|(run, _)| !run.is_empty()) else {
            return whole();
        };
        Self { run: PathBuf::from(run), which: Which::parse(which) }
    }
}

impl Which {
    fn parse(text: &str) -> Self {
        let back = text.strip_prefix("latest").map(|rest| match rest.strip_prefix('~') {
            Some(count) => count.parse().ok(),
            None => rest.is_empty().then_some(0),
        });
        match (back, text.parse()) {
            (Some(Some(count)), _) => Self::Latest(count),
            (_, Ok(step)) => Self::Step(step),
            _ if text == "best" => Self::Best,
            _ => Self::Tag(text.to_owned()),
        }
    }
}

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
    Ok(Store::open(unlock::access(path)?)?)
}

/// A checkpoint that is ready to be read.
#[derive(Debug)]
pub struct Source {
    pub store: Store,
    pub step: u64,
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
        Ok(Self { store, step })
    }

    /// As [`open`](Self::open), and takes a file of any known format too.
    pub fn open_any(registry: &Registry, text: &str) -> anyhow::Result<Self> {
        Self::open_file(registry, text, Self::open)
    }

    /// As [`open_any`](Self::open_any), to read a small part: the newest valid checkpoint is the newest
    /// whose structure is valid, and no bytes of arrays are read to find it.
    pub fn open_for_a_part(registry: &Registry, text: &str) -> anyhow::Result<Self> {
        Self::open_file(registry, text, |text| {
            let address = Address::parse(text);
            let is_run = !address.run.is_file() || is_checkpoint_file(&address.run);
            let Some(Which::Latest(back)) = Some(&address.which).filter(|_| is_run) else {
                return Self::open(text);
            };
            let store = open_run(&address.run)?;
            let newest = store.newest_valid(|checkpoint| checkpoint.tree(), damage_of)?;
            let step = step_before(&store, newest.valid.map(|(step, _)| step), newest.skipped, *back);
            Ok(Self { step: step.with_context(|| format!("`{text}`"))?, store })
        })
    }

    fn open_file(
        registry: &Registry,
        text: &str,
        open_run: impl Fn(&str) -> anyhow::Result<Self>,
    ) -> anyhow::Result<Self> {
        let path = Path::new(text);
        if !path.is_file() || is_checkpoint_file(path) {
            return open_run(text);
        }
        let document = detect(registry.formats(), path)?.read(path)?;
        let mut run = RunOptions::new().create_in(Arc::new(MemoryStorage::new()))?;
        *run.about_mut() = document.about;
        run.save_tree(document.step, &document.tree)?;
        let store = Store::open(Arc::clone(run.store().storage()))?;
        Ok(Self { store, step: document.step })
    }

    pub fn checkpoint(&self) -> anyhow::Result<Checkpoint<'_>> {
        Ok(self.store.checkpoint(self.step)?)
    }
}

/// The step that `which` stands for.
pub fn resolve(store: &Store, which: &Which) -> anyhow::Result<u64> {
    match which {
        Which::Step(step) => Ok(store.checkpoint(*step)?.record().step),
        Which::Tag(name) => Ok(store.tagged_step(name)?),
        Which::Best => best(store),
        Which::Latest(back) => latest(store, *back),
    }
}

/// The newest checkpoint all of whose bytes are good, or one that lies `back` before it.
fn latest(store: &Store, back: usize) -> anyhow::Result<u64> {
    let (newest, skipped) = store.newest_whole()?;
    step_before(store, newest, skipped, back)
}

fn damage_of(error: &ReadError) -> Option<Damage> {
    match error {
        ReadError::Damaged(damage) => Some((**damage).clone()),
        _ => None,
    }
}

/// The step that lies `back` before the newest good one.
fn step_before(
    store: &Store,
    newest: Option<u64>,
    skipped: Vec<Skipped>,
    back: usize,
) -> anyhow::Result<u64> {
    warn_of(&skipped);
    let Some(newest) = newest else {
        if let Some(first) = skipped.into_iter().next() {
            return Err(ReadError::from(first.damage).into());
        }
        bail!(OpenError::NoRun { location: format!("{} (it has no checkpoint yet)", store.location()) });
    };
    let steps: Vec<u64> = store.records().map(|record| record.step).filter(|step| *step <= newest).collect();
    match steps.iter().rev().nth(back) {
        Some(step) => Ok(*step),
        None => bail!("there are only {} checkpoints in {}", steps.len(), store.location()),
    }
}

/// Tells of damaged checkpoints that were passed over.
pub fn warn_of(skipped: &[Skipped]) {
    for Skipped { step, damage } in skipped {
        rekindle_train::tell!(
            "warning: the checkpoint at step {step} is damaged and was passed over: {damage}"
        );
    }
}

/// What the newest config of the run calls its best checkpoint.
pub fn best_of(store: &Store) -> Option<Best> {
    let config = &store.records().next_back()?.about.config;
    serde_json::from_value(config.get("best")?.clone()).ok()?
}

fn best(store: &Store) -> anyhow::Result<u64> {
    let Some(best) = best_of(store) else {
        bail!("the config of {} has no `best:`; name a step or a tag instead", store.location());
    };
    let steps = store.records().map(|record| (record.step, &record.about.metrics));
    match best.choose(steps) {
        Some(step) => Ok(step),
        None => bail!("no checkpoint of {} has the metric `{}`", store.location(), best.metric),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form() {
        let which = |text: &str| Address::parse(text).which;
        assert_eq!(which("runs/a"), Which::Latest(0));
        assert_eq!(which("runs/a@latest"), Which::Latest(0));
        assert_eq!(which("runs/a@latest~2"), Which::Latest(2));
        assert_eq!(which("runs/a@1200"), Which::Step(1200));
        assert_eq!(which("runs/a@best"), Which::Best);
        assert_eq!(which("runs/a@latest-good"), Which::Tag("latest-good".to_owned()));
        assert_eq!(Address::parse("me@host/run@3").run, Path::new("me@host/run"));
    }
}
