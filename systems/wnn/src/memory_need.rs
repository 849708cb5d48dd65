//! How much memory a search takes: an upper bound that is known before it begins.

use rekindle_formats::files;
use rekindle_train::MemoryNeed;

use crate::config::{Model, Source, Training};
use crate::planes::{BLOCK, WORDS};
use crate::scorer;
use crate::state::State;
use crate::{baselines, generated};

/// Bytes of a token, a class or a count.
const NUMBER: u64 = 4;
/// Bytes of a word of an input, of an address or of a score.
const WORD: u64 = 8;
/// A list that grows by doubling may be half empty.
const GROWN: u64 = 2;

/// What a search takes whose genomes become twice as large as the best one is, at most.
pub(crate) fn of(model: &Model, training: &Training, state: &State) -> MemoryNeed {
    let sizes = Sizes::of(model, training, state);
    let best = &state.best.genome;
    let genome = 2 * (best.connections.len() + 2 * best.bits.len()) as u64;
    // A generation and the next, and what was set aside of both.
    let genomes = 3 * u64::from(training.search.population_size) + u64::from(training.finalists) + 16;
    MemoryNeed {
        state: genomes.saturating_mul(genome),
        training: sizes.to_load(training).max(sizes.to_search()).saturating_add(sizes.tokens()),
        evaluation: baselines::bytes(sizes.train, sizes.classes),
    }
}

/// How much there is to learn and to measure, and by how many neurons.
struct Sizes {
    train: u64,
    select: u64,
    test: u64,
    /// Bits of an input.
    inputs: u64,
    classes: u64,
    /// Of a cluster.
    neurons: u64,
    /// That the training tokens are cut into.
    parts: u32,
}

impl Sizes {
    fn of(model: &Model, training: &Training, state: &State) -> Self {
        let text = &state.text;
        let largest = state.best.genome.neurons.iter().copied().max().map_or(1, u64::from);
        Self {
            train: text.training,
            select: text.select,
            test: text.test.unwrap_or(0),
            inputs: state.inputs.into(),
            classes: text.vocabulary.into(),
            neurons: (2 * largest).min(u64::from(model.neurons.most).max(largest)),
            parts: training.search.token_parts,
        }
    }

    /// The tokens of all parts, and the classes of those that are learnt.
    fn tokens(&self) -> u64 {
        let classes = self.train;
        classes.saturating_add(self.used()).saturating_mul(NUMBER)
    }

    fn used(&self) -> u64 {
        self.train.saturating_add(self.select).saturating_add(self.test)
    }

    /// The text where it is generated, and its tokens before some are left out.
    fn to_load(&self, training: &Training) -> u64 {
        let data = &training.data;
        let (text, tokens) = match (&data.file, data.source) {
            // Read as it is used. A token has two bytes or more in the mean.
            (Some(file), _) => (0, files::len(file.as_ref()).unwrap_or(0) / 2),
            (None, Source::Sentences) => (generated::SENTENCES_BYTES, generated::SENTENCES_BYTES / 2),
            (None, Source::Zipf) => (0, generated::ZIPF_TOKENS as u64),
        };
        tokens.max(self.used()).saturating_mul(NUMBER).saturating_add(text)
    }

    /// Examples, and beside them either those of a part as they come, or scored genomes.
    fn to_search(&self) -> u64 {
        let input = WORD * self.inputs.div_ceil(64);
        let copies = if self.parts > 1 { 2 } else { 1 };
        let learnt = self.train.saturating_mul(copies * input);
        let arriving = self.train.saturating_mul(input + 2 * NUMBER);
        let measured = self.select.saturating_add(self.test).saturating_mul(input + NUMBER);
        let plane = WORD * WORDS as u64;
        let blocks = self.select.div_ceil(BLOCK as u64) + self.test.div_ceil(BLOCK as u64);
        let planes = blocks.saturating_mul(self.inputs * plane);
        let examples = learnt.saturating_add(measured).saturating_add(planes);
        examples.saturating_add(arriving.max(self.scores()))
    }

    /// Two scored genomes: the one that neighbours are compared with, and the one that is being measured. A
    /// cell for each neuron that sees an example; and the buffers of all threads.
    fn scores(&self) -> u64 {
        let cells = self.train.saturating_mul(self.neurons).saturating_mul(GROWN * (WORD + NUMBER));
        let neurons = self.classes.saturating_mul(self.neurons).saturating_mul(GROWN * NUMBER);
        let examples = self.select.max(self.test).saturating_mul(scorer::EXAMPLE_BYTES);
        let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
        let scored = cells.saturating_add(neurons).saturating_add(examples);
        scored.saturating_mul(2).saturating_add(threads * scorer::buffer_bytes(self.neurons))
    }
}
