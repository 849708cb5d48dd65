//! How much memory training takes: an upper bound that is known before it begins.

use rekindle_classify::memory;
use rekindle_train::{ConfigOf, MemoryNeed};

use crate::network::{Buffers, PART};
use crate::shape::Shape;
use crate::state::State;
use crate::system::Dwn;

/// Bytes that a gate takes while a circuit is brought into the form that it is run in.
const OF_CIRCUIT: u64 = 200;
/// Gates that add up an output and compare sums.
const ADDERS: u64 = 6;

/// What the state takes, and what is rebuilt around it; none for a state that does not fit.
pub(crate) fn of(config: &ConfigOf<Dwn>, state: &State) -> Option<MemoryNeed> {
    let shape = state.check(&config.model).ok()?;
    let preparation = &state.preparation;
    let batch = config.training.batch.min(preparation.rows as usize);
    let entries = shape.layers.iter().map(|&tables| (tables * shape.entries()) as u64).sum::<u64>();
    let learning = memory::of_examples(preparation)
        .saturating_add(Buffers::bytes(&shape, batch))
        .saturating_add(of_slopes(&shape))
        .saturating_add(of_threads(&shape, batch))
        .saturating_add(batch as u64 * (preparation.inputs.len() as u64 + 32));
    let wires: usize = state.layers.iter().map(|layer| layer.wires.len()).sum();
    let (blocks, weights) = (state.mapping.blocks.len(), state.mapping.weights.len());
    let gates = 2 * entries + ADDERS * shape.outputs() as u64;
    Some(MemoryNeed {
        state: 4 * (wires + blocks + 3 * weights) as u64
            + 12 * entries
            + 8 * preparation.thermometers.thresholds.len() as u64,
        training: memory::of_loading(&config.training.data, preparation).max(learning),
        evaluation: gates.saturating_mul(OF_CIRCUIT),
    })
}

/// Bytes of the slopes of the widest layer whose inputs are outputs of another.
fn of_slopes(shape: &Shape) -> u64 {
    let widest = shape.layers.iter().skip(1).max().copied().unwrap_or(0);
    4 * (widest * shape.inputs * shape.entries()) as u64
}

/// Bytes of what each thread computes of some tables.
fn of_threads(shape: &Shape, batch: usize) -> u64 {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let of_table = shape.inputs * (shape.entries() + batch + shape.candidates());
    4 * (threads * (PART * shape.entries() + of_table)) as u64
}
