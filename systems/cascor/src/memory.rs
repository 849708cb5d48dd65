//! How much memory training takes: an upper bound that is known before it begins.

use rekindle_train::MemoryNeed;

use crate::config::{Method, Model, Training};
use crate::data::Preparation;

/// What a network takes that grows as large as it may, on these examples.
pub(crate) fn need(model: &Model, training: &Training, preparation: &Preparation) -> MemoryNeed {
    let examples = preparation.all_examples();
    let (inputs, outputs) = (preparation.inputs.len() as u64, preparation.outputs() as u64);
    let units = 1 + inputs + u64::from(model.max_hidden);
    let pool = match &training.method {
        Method::Fahlman(method) => u64::from(method.pool),
        Method::Juniper(method) => u64::from(method.pool),
    };
    // The table while it is read, in double precision; then a column for each unit, whose memory may
    // double as it grows, and for each output its targets, values and errors.
    let table = 16 * (inputs + outputs);
    let columns = 4 * (2 * units + 4 * outputs + pool);
    // Weights of the network, and of the candidates with what their training remembers.
    let weights = 4 * units.saturating_mul(units / 2 + 3 * outputs + 6 * pool);
    let errors = 4 * examples.saturating_mul(outputs);
    MemoryNeed {
        state: weights.saturating_add(errors),
        training: examples.saturating_mul(table + columns),
        evaluation: 0,
    }
}
