//! How much memory training takes: an upper bound that is known before it begins.

use rekindle_classify::memory;
use rekindle_train::{ConfigOf, MemoryNeed};

use crate::network::Scratch;
use crate::state::State;
use crate::system::Lgn;

/// Bytes of the shares of a gate, which are kept beside its logits.
const SHARES: u64 = 64;
/// Bytes of a gate's coefficients, and of their gradients.
const COEFFICIENTS: u64 = 16;
/// Parts of a batch at most, each with gradients of its own.
const PARTS: u64 = 8;
/// Bytes that a gate takes while a circuit is brought into the form that it is run in.
const OF_CIRCUIT: u64 = 200;
/// Gates that add up an output and compare sums.
const ADDERS: u64 = 6;

/// What the state takes, and what is rebuilt around it; none for a state that does not fit.
pub(crate) fn of(config: &ConfigOf<Lgn>, state: &State) -> Option<MemoryNeed> {
    let shape = state.check(&config.model).ok()?;
    let preparation = &state.preparation;
    let inputs = preparation.inputs.len() as u64;
    let levels = memory::of_examples(preparation);
    let loading = memory::of_loading(&config.training.data, preparation);
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let scratch = threads.saturating_mul(Scratch::bytes(&shape, preparation.inputs.len()));
    let gates = shape.gates() as u64;
    let learning = levels
        .saturating_add(scratch)
        .saturating_add(gates * (SHARES + COEFFICIENTS * (1 + PARTS)))
        .saturating_add(config.training.batch as u64 * inputs);
    let evaluations = (shape.evaluations() + ADDERS as usize * shape.outputs()) as u64;
    let of_layer = |layer: &crate::state::Layer| 4 * (layer.wires.len() + 3 * layer.logits.len()) as u64;
    Some(MemoryNeed {
        state: state.layers.iter().map(of_layer).sum::<u64>()
            + 8 * preparation.thermometers.thresholds.len() as u64,
        training: loading.max(learning),
        evaluation: evaluations.saturating_mul(OF_CIRCUIT),
    })
}
