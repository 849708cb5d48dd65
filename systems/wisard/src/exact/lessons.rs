//! Learning more after training, and forgetting.

use rekindle_compute::Pool;
use rekindle_train::{ConfigOf, Learnt, Metrics, Resources, SystemError};

use super::classifier::Classifier;
use super::data::{self, Rows};
use super::error::ExactError;
use super::state::State;
use super::sums::Sums;
use super::system::{self, WisardExact};
use super::trainer::confusion;

type Config = ConfigOf<WisardExact>;

const UNIT: &str = "rows";
/// Rows whose sum is taken at a time.
const AT_ONCE: usize = 1 << 14;

/// Adds the rows of some files.
pub(super) fn learn(
    config: &Config,
    state: &mut State,
    files: &[String],
    resources: &Resources,
) -> Result<Learnt, SystemError> {
    with_rows(config, state, files, |state, rows| {
        state.check_room(&config.model, &rows)?;
        let (pool, encoder) = (Pool::new(resources.threads)?, state.encoder(&config.model, config.seed)?);
        for range in ranges(&rows) {
            state.add(Sums::of(&pool, &encoder, &rows, range));
        }
        learnt(config, state, rows, &pool)
    })
}

/// Takes the rows of some files off. If one of them was never learnt, all stay.
pub(super) fn forget(
    config: &Config,
    state: &mut State,
    files: &[String],
    resources: &Resources,
) -> Result<Learnt, SystemError> {
    with_rows(config, state, files, |state, rows| {
        let known = state.known(&rows);
        if let Some(first) = known.iter().position(|known| !known) {
            return Err(ExactError::NeverLearnt {
                origin: rows.origin,
                rows: known.len(),
                unknown: known.iter().filter(|known| !**known).count(),
                first: first + 1,
            });
        }
        let (pool, encoder) = (Pool::new(resources.threads)?, state.encoder(&config.model, config.seed)?);
        for range in ranges(&rows) {
            state.subtract(&Sums::of(&pool, &encoder, &rows, range));
        }
        learnt(config, state, rows, &pool)
    })
}

/// Whether an earlier state knows one of the rows of some files, or knows it more often than the state does now.
pub(super) fn knows(
    config: &Config,
    earlier: &State,
    now: &State,
    files: &[String],
) -> Result<bool, SystemError> {
    let rows = data::more_rows(files, &config.training.data, &config.model, config.seed, earlier);
    let rows = rows.map_err(SystemError::new)?;
    Ok((0..rows.count()).any(|row| {
        let (class, hash) = (&rows.classes[rows.labels[row]], rows.hashes[row]);
        earlier.times(class, hash) > now.times(class, hash)
    }))
}

fn with_rows(
    config: &Config,
    state: &mut State,
    files: &[String],
    work: impl FnOnce(&mut State, Rows) -> Result<Learnt, ExactError>,
) -> Result<Learnt, SystemError> {
    system::check(config, state)?;
    if let Some(pending) = &state.pending {
        let (rows, all) = (pending.rows, pending.all);
        return Err(SystemError::new(ExactError::Unfinished { rows, all }));
    }
    data::more_rows(files, &config.training.data, &config.model, config.seed, state)
        .and_then(|rows| work(state, rows))
        .map_err(SystemError::new)
}

fn ranges(rows: &Rows) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
    let count = rows.count();
    (0..count).step_by(AT_ONCE).map(move |begin| begin..(begin + AT_ONCE).min(count))
}

/// What came of it, and how the state does on the rows that are reported on, where these can be read.
fn learnt(config: &Config, state: &State, rows: Rows, pool: &Pool) -> Result<Learnt, ExactError> {
    let Rows { labels, mut notes, .. } = rows;
    let mut metrics = Metrics::from([("rows".to_owned(), state.rows() as f64)]);
    match data::test_rows(&config.training.data, &config.model, config.seed, state) {
        Ok(Some(test)) if !state.discriminators.is_empty() => {
            let encoder = state.encoder(&config.model, config.seed)?;
            let classifier = Classifier::new(&config.model, encoder, state);
            let confusion = confusion(pool, &classifier, state, &test);
            metrics.insert("test_accuracy".to_owned(), confusion.accuracy());
        }
        Ok(_) => {}
        Err(error) => notes.push(format!("the rows that are reported on cannot be read: {error}")),
    }
    Ok(Learnt { count: labels.len() as u64, unit: UNIT, metrics, notes, artifacts: Vec::new() })
}
