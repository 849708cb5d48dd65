//! Addresses of checkpoints: `RUN`, `RUN@latest~2`, `RUN@1200`, `RUN@best`, `RUN@TAG`.

use std::path::{Path, PathBuf};

use rekindle_store::{Best, ReadError, Skipped, Store, TagError};

/// A run, or one of its checkpoints, as somebody wrote it.
///
/// ```
/// use rekindle::{Address, Which};
///
/// let address = Address::parse("runs/life@latest~2");
/// assert_eq!(address.run, std::path::Path::new("runs/life"));
/// assert_eq!(address.which, Which::Latest(2));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The run: a directory, or one file.
    pub run: PathBuf,
    /// The checkpoint.
    pub which: Which,
}

/// Which checkpoint of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The newest valid one, or so many before it.
    Latest(usize),
    /// The one of a step.
    Step(u64),
    /// The one with the best metric.
    Best,
    /// The one that a tag points to.
    Tag(String),
}

/// The checkpoint that an address stands for.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Resolved {
    /// Its step.
    pub step: u64,
    /// Newer ones that are damaged and were passed over.
    pub skipped: Vec<Skipped>,
}

/// An address stands for no checkpoint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// The run is empty.
    #[error("{location} has no checkpoint yet")]
    NoCheckpoint {
        /// The run.
        location: String,
    },
    /// There are not so many checkpoints before the newest.
    #[error("there are only {count} checkpoints in {location}")]
    TooFarBack {
        /// The run.
        location: String,
        /// The checkpoints that there are.
        count: usize,
    },
    /// Nothing says which checkpoint is the best.
    #[error("it is not said which checkpoint of {location} is the best; name a step or a tag instead")]
    NoBest {
        /// The run.
        location: String,
    },
    /// No checkpoint has the metric by which the best is chosen.
    #[error("no checkpoint of {location} has the metric `{metric}`")]
    NoMetric {
        /// The run.
        location: String,
        /// The metric.
        metric: String,
    },
    /// The tag points to none.
    #[error(transparent)]
    Tag(#[from] TagError),
    /// The checkpoint cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl Address {
    /// Reads an address. A path that exists as a whole is one, `@` or not.
    pub fn parse(text: &str) -> Self {
        let whole = || Self { run: PathBuf::from(text), which: Which::Latest(0) };
        if Path::new(text).symlink_metadata().is_ok() {
            return whole();
        }
        let Some((run, which)) = text.rsplit_once('@').filter(|(run, _)| !run.is_empty()) else {
            return whole();
        };
        Self { run: PathBuf::from(run), which: Which::parse(which) }
    }
}

impl Which {
    /// Reads what stands behind the `@`.
    pub fn parse(text: &str) -> Self {
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

    /// The checkpoint in `store`; `best` says which is the best. Among the newest ones, one whose record or
    /// structure is damaged is passed over. No bytes of arrays are read: whoever loads them verifies them.
    ///
    /// # Errors
    /// When there is no such checkpoint, or all are damaged.
    pub fn resolve(&self, store: &Store, best: Option<&Best>) -> Result<Resolved, AddressError> {
        self.resolve_with(store, best, |store| {
            let damage = |error: &ReadError| error.damage().cloned();
            let newest = store.newest_valid(|checkpoint| checkpoint.tree(), damage)?;
            Ok((newest.valid.map(|(step, _)| step), newest.skipped))
        })
    }

    /// As [`resolve`](Self::resolve), but the newest one counts only when all of its bytes are as they were
    /// written. Reads all of it: for when something that was loaded turned out to be damaged.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub fn resolve_whole(&self, store: &Store, best: Option<&Best>) -> Result<Resolved, AddressError> {
        self.resolve_with(store, best, Store::newest_whole)
    }

    fn resolve_with(
        &self,
        store: &Store,
        best: Option<&Best>,
        newest: impl Fn(&Store) -> Result<(Option<u64>, Vec<Skipped>), ReadError>,
    ) -> Result<Resolved, AddressError> {
        let step = match self {
            Self::Step(step) => store.checkpoint(*step)?.record().step,
            Self::Tag(name) => store.tagged_step(name)?,
            Self::Best => best_step(store, best)?,
            Self::Latest(back) => {
                let (newest, skipped) = newest(store)?;
                return step_before(store, newest, skipped, *back);
            }
        };
        Ok(Resolved { step, skipped: Vec::new() })
    }
}

/// The step that lies `back` before the newest good one.
fn step_before(
    store: &Store,
    newest: Option<u64>,
    skipped: Vec<Skipped>,
    back: usize,
) -> Result<Resolved, AddressError> {
    let location = store.location();
    let Some(newest) = newest else {
        return Err(match skipped.into_iter().next() {
            Some(first) => ReadError::from(first.damage).into(),
            None => AddressError::NoCheckpoint { location },
        });
    };
    let steps: Vec<u64> = store.records().map(|record| record.step).filter(|step| *step <= newest).collect();
    match steps.iter().rev().nth(back) {
        Some(&step) => Ok(Resolved { step, skipped }),
        None => Err(AddressError::TooFarBack { location, count: steps.len() }),
    }
}

fn best_step(store: &Store, best: Option<&Best>) -> Result<u64, AddressError> {
    let location = || store.location();
    let best = best.ok_or_else(|| AddressError::NoBest { location: location() })?;
    let steps = store.records().map(|record| (record.step, &record.about.metrics));
    let step = best.choose(steps);
    step.ok_or_else(|| AddressError::NoMetric { location: location(), metric: best.metric.clone() })
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
