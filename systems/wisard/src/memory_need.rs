//! How much memory training takes: an upper bound that is known before it begins.

use rekindle_data::TableSize;
use rekindle_train::MemoryNeed;

use crate::config::Training;
use crate::mental_images;
use crate::planes::Planes;
use crate::query::Scratch;
use crate::state::State;

/// Bytes of the class of a row.
const CLASS: u64 = 2;
/// Bytes of a row's number, by which parts are lists of rows.
const ROW: u64 = 8;

/// What the state takes, and what is rebuilt around it.
pub(crate) fn of(training: &Training, state: &State) -> MemoryNeed {
    let preparation = &state.preparation;
    let (inputs, rows) = (preparation.inputs.len() as u64, preparation.outline().rows);
    let table = TableSize {
        rows,
        inputs,
        others: 1 + training.data.ignore.len() as u64,
        file: training.data.file.as_deref(),
    };
    // Each part has a block of its own that is not full.
    let bits = preparation.thermometers.encoded_bits();
    let planes = Planes::size(rows as usize, bits).saturating_add(2 * Planes::size(1, bits));
    let encoded = planes.saturating_add(rows.saturating_mul(CLASS));
    // The table, the encoded rows, and their bytes once more, of which the identity is the hash.
    let encoding = [table.bytes(), encoded, encoded, rows.saturating_mul(2 * ROW)];
    let encoding = encoding.into_iter().fold(0, u64::saturating_add);
    MemoryNeed {
        state: of_state(state),
        training: table.bytes_to_load().max(encoding),
        evaluation: evaluation(state, rows),
    }
}

fn of_state(state: &State) -> u64 {
    let thresholds = 8 * state.preparation.thermometers.thresholds.len();
    let (mapping, learnt) = (4 * state.mapping.bits.len(), 8 * state.learnt.len());
    (state.memory.bytes() + mapping + thresholds + learnt) as u64
}

/// Answers, the buffers of all threads, how often which class is taken for which, and the picture.
fn evaluation(state: &State, rows: u64) -> u64 {
    let (tuples, classes) = (state.mapping.tuples(), state.learnt.len());
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let confusions = 3 * 8 * (classes * classes) as u64;
    rows.saturating_mul(4 * CLASS)
        .saturating_add(threads.saturating_mul(Scratch::bytes(tuples, classes)))
        .saturating_add(confusions)
        .saturating_add(mental_images::bytes(state))
}
