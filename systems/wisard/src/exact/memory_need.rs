//! How much memory training takes: an upper bound that is known before it begins.

use rekindle_data::{CLASSES_LIMIT, TableSize};
use rekindle_formats::files;
use rekindle_train::{ConfigOf, MemoryNeed};

use super::state::{Pending, State};
use super::system::WisardExact;

/// Bytes of a row's hash and of the number of its class.
const ROW: u64 = 16 + 8;
/// Bytes of a counter while rows are counted: by entry, by class, and as the sum of both.
const COUNTING: u64 = 3 * 4;
/// Bytes of the scores of sixteen classes.
const SCORES: u64 = 32;
/// A byte of a file becomes so many at most: a digit and a comma become a text, and then a number.
const OF_FILE: u64 = 24;

/// What the state takes, and what is rebuilt around it.
pub(super) fn of(config: &ConfigOf<WisardExact>, state: &State) -> MemoryNeed {
    let (model, data) = (&config.model, &config.training.data);
    let (inputs, learnt) = (state.inputs.len() as u64, state.rows());
    let known = state.discriminators.len() as u64;
    let (rows, classes) = match &state.pending {
        Some(Pending { all, classes, .. }) => (*all, (*classes).min(CLASSES_LIMIT as u64)),
        None => (0, known),
    };
    let counters = (model.rams as u64).saturating_mul(model.entries() as u64);
    let width = if rows.max(learnt) <= u16::MAX.into() { 2 } else { 4 };
    let seen = rows.saturating_mul(inputs + ROW);
    let loading = match (&data.images, state.picture().is_some() && data.picture.is_none()) {
        // The pictures, of a byte a pixel.
        (Some(_), _) => rows.saturating_mul(inputs),
        (None, true) if data.file.is_some() => rows.saturating_mul(inputs),
        // What is generated: numbers of eight bytes, and the bytes that they become.
        _ if data.file.is_none() => rows.saturating_mul(inputs * 9 + ROW),
        _ => {
            let others = 1 + data.ignore.len() as u64;
            TableSize { rows, inputs, others, file: data.file.as_deref() }.bytes_to_load()
        }
    };
    let step = rows.min(config.training.rows_per_step);
    let bits = inputs.saturating_mul(model.encoding.bits.into());
    let counting = counters.saturating_mul(classes).saturating_mul(COUNTING);
    let learning = counting.saturating_add((step / 8 + 8).saturating_mul(bits)).saturating_add(16 * rows);
    let generated = u64::from(data.test_rows).saturating_mul(inputs * 9 + ROW);
    let of_files = [&data.test_file, &data.test_images].into_iter().flatten();
    let of_files: u64 = of_files.map(|file| files::len(file.as_ref()).unwrap_or(0)).sum();
    let test = generated.saturating_add(of_files.saturating_mul(OF_FILE));
    MemoryNeed {
        state: counters.saturating_mul(classes * width).saturating_add(16 * rows.max(learnt)),
        training: seen.saturating_add(loading.max(learning)).saturating_add(test),
        evaluation: counters.saturating_mul(classes.div_ceil(16) * SCORES).saturating_add(test),
    }
}
