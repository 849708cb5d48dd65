//! How much memory training takes: an upper bound that is known before it begins.

use rekindle_data::TableSize;
use rekindle_train::MemoryNeed;

use crate::boundary;
use crate::candidate_kernels::GROUP;
use crate::config::{Method, Model, Training};
use crate::data::Preparation;

/// Bytes of a number.
const NUMBER: u64 = 4;
/// Cases that columns are padded with at most, in all three parts.
const PADDING: u64 = 48;

/// The sizes of a network that grows as large as it may, and of its examples.
struct Sizes {
    cases: u64,
    inputs: u64,
    outputs: u64,
    /// The bias, inputs and hidden units.
    units: u64,
    pool: u64,
}

/// What a network takes that grows as large as it may, on these examples.
pub(crate) fn need(model: &Model, training: &Training, preparation: &Preparation) -> MemoryNeed {
    let (inputs, outputs) = (preparation.inputs.len() as u64, preparation.outputs() as u64);
    let sizes = Sizes {
        cases: preparation.all_examples(),
        inputs,
        outputs,
        units: 1 + inputs + u64::from(model.max_hidden),
        pool: match &training.method {
            Method::Fahlman(method) => u64::from(method.pool),
            Method::Juniper(method) => u64::from(method.pool),
        },
    };
    let loaded = sizes.to_load(training);
    MemoryNeed {
        state: sizes.of_state(),
        training: loaded.max(sizes.to_train()),
        evaluation: boundary::bytes(inputs, sizes.units, outputs),
    }
}

impl Sizes {
    /// Weights of the network, and of the candidates with what their training remembers.
    fn of_state(&self) -> u64 {
        let Self { cases, outputs, units, pool, .. } = *self;
        let weights = units.saturating_mul(units / 2 + 3 * outputs + 6 * pool);
        NUMBER.saturating_mul(weights.saturating_add(cases.saturating_mul(outputs)))
    }

    /// To read the examples, to prepare them, and to find out what they are known by.
    fn to_load(&self, training: &Training) -> u64 {
        let data = &training.data;
        let (inputs, targets) = (self.inputs, data.targets().len().max(1) as u64);
        let table = TableSize {
            rows: self.cases,
            inputs,
            others: targets + data.ignore.len() as u64,
            file: data.file.as_deref(),
        };
        let columns = doubling(1 + inputs) + doubling(self.outputs);
        let seen = 1 + inputs + self.outputs;
        let prepared = self.column().saturating_mul(columns + seen);
        // Rows by their numbers, in all and by part.
        let rows = 24 * self.cases;
        table.bytes_to_load().max(table.bytes().saturating_add(prepared).saturating_add(rows))
    }

    /// The values of all units, targets, outputs and errors, and all of a pool of candidates.
    fn to_train(&self) -> u64 {
        let Self { outputs, units, pool, .. } = *self;
        let group = GROUP as u64;
        let lanes = pool.next_multiple_of(group);
        // The last time that the values of units move to twice their size, they are there once more by half.
        let largest = doubling(units);
        let of_units = largest + largest / 2;
        let columns = of_units + 2 * doubling(outputs) + 2 * outputs + 3 * lanes;
        let parts = self.cases / 2048 + 3;
        let slopes = parts.saturating_mul(units).saturating_mul(outputs + lanes);
        let weights = units.saturating_mul(2 * lanes + 4 * outputs);
        self.column().saturating_mul(columns).saturating_add(NUMBER.saturating_mul(slopes + weights))
    }

    /// A value for each case.
    fn column(&self) -> u64 {
        NUMBER.saturating_mul(self.cases.saturating_add(PADDING))
    }
}

/// The columns of a list that grows by doubling.
fn doubling(columns: u64) -> u64 {
    columns.checked_next_power_of_two().unwrap_or(u64::MAX)
}
