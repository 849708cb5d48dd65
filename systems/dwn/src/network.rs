//! A batch on its way through a network, and what comes back.

use rekindle_classify::rows::{BLOCK, Row, ZEROS};
use rekindle_classify::{Score, Truth, class_loss, largest};
use rekindle_compute::{KernelPath, LANES, Lanes, Pool};

use crate::connections;
use crate::kernels::{self, BitSource, LookUp, Readers};
use crate::shape::Shape;
use crate::state::State;

/// Tables that a thread works on at a time.
pub(crate) const PART: usize = 32;

/// What a pass reads.
pub(crate) struct Network<'a> {
    pub pool: &'a Pool,
    pub path: KernelPath,
    pub shape: &'a Shape,
    pub state: &'a State,
    pub temperature: f32,
}

/// The examples of a batch: what the network reads of them, and what is right.
pub(crate) struct Examples<'a> {
    /// The levels of each example, shifted if that is asked for; at most as many as the buffers hold.
    pub levels: &'a [Vec<u8>],
    /// The class of each.
    pub class: &'a [u16],
}

/// What is kept of a batch, an example beside the other.
pub(crate) struct Buffers {
    /// Examples, a multiple of [`BLOCK`].
    pub batch: usize,
    /// Where the columns are from, by block.
    sources: Vec<[BitSource; LANES]>,
    /// The bits as 1 and -1. Shape: blocks x examples.
    pub signs: Vec<Lanes>,
    /// The bits as 1 and 0. Shape: columns x examples.
    columns: Vec<u8>,
    /// What the first layer reads, where that is learnt.
    wires: Vec<u32>,
    /// By layer.
    pub layers: Vec<LayerBuffers>,
    /// Votes for each class, then the gradient of the outputs of each class. Shape: classes x examples.
    pub classes: Vec<f32>,
}

/// What is kept of a layer.
pub(crate) struct LayerBuffers {
    /// The entries that were looked up. Shape: tables x examples.
    pub addresses: Vec<u8>,
    /// What they stand for. Shape: tables x examples.
    outputs: Vec<u8>,
    /// The gradients of the outputs; empty for the last layer, whose are by class. Shape: tables x examples.
    pub gradients: Vec<f32>,
    /// Who reads the outputs; empty for the last layer.
    pub readers: ReaderList,
}

/// The inputs that read the outputs of a layer.
#[derive(Debug, Default)]
pub(crate) struct ReaderList {
    /// Of each output, where its readers begin; and the end of the last.
    pub starts: Vec<u32>,
    /// Table x inputs + input.
    pub ends: Vec<u32>,
}

impl ReaderList {
    /// Of a layer with so many outputs and these wires behind it.
    fn of(wires: &[u32], outputs: usize) -> Self {
        let mut ends: Vec<u32> = (0..wires.len() as u32).collect();
        ends.sort_by_key(|&end| wires[end as usize]);
        let mut starts = vec![0; outputs + 1];
        wires.iter().for_each(|&wire| starts[wire as usize + 1] += 1);
        for output in 0..outputs {
            starts[output + 1] += starts[output];
        }
        Self { starts, ends }
    }
}

impl Buffers {
    /// For batches of up to so many examples. The state fits the shape.
    pub fn new(shape: &Shape, state: &State, examples: usize) -> Self {
        let batch = examples.next_multiple_of(BLOCK);
        let bits = state.preparation.thermometers.bits;
        let source = |&used: &u32| BitSource { input: used / bits, bit: (used % bits) as u8 };
        let columns: Vec<BitSource> =
            state.preparation.used.iter().cycle().take(shape.columns()).map(source).collect();
        let last = shape.layers.len() - 1;
        let layer = |(index, &tables): (usize, &usize)| {
            let readers = |wires: &Vec<u32>| ReaderList::of(wires, tables);
            LayerBuffers {
                addresses: vec![0; tables * batch],
                outputs: vec![0; tables * batch],
                gradients: vec![0.0; if index == last { 0 } else { tables * batch }],
                readers: state.layers.get(index + 1).map(|next| readers(&next.wires)).unwrap_or_default(),
            }
        };
        Self {
            batch,
            sources: columns.as_chunks().0.to_vec(),
            signs: vec![Lanes::ZERO; shape.columns() / LANES * batch],
            columns: vec![0; shape.columns() * batch],
            wires: vec![0; if shape.is_learnt(0) { shape.layers[0] * shape.inputs } else { 0 }],
            layers: shape.layers.iter().enumerate().map(layer).collect(),
            classes: vec![0.0; shape.classes * batch],
        }
    }

    /// What [`new`](Self::new) takes: bytes.
    pub fn bytes(shape: &Shape, examples: usize) -> u64 {
        let batch = examples.next_multiple_of(BLOCK) as u64;
        let tables: u64 = shape.layers.iter().map(|&tables| tables as u64).sum();
        let ends = tables * shape.inputs as u64;
        // Signs and bits; addresses, outputs and gradients; of classes.
        let by_example = 5 * shape.columns() as u64 + 6 * tables + 4 * shape.classes as u64;
        batch.saturating_mul(by_example).saturating_add(16 * (shape.columns() as u64 + ends) + 8 * tables)
    }
}

impl Network<'_> {
    /// How it does on some examples, and the gradients of the outputs of each class, which stay in the buffers.
    /// Each example's is multiplied by `weight`.
    pub fn score(&self, buffers: &mut Buffers, examples: &Examples<'_>, weight: f32) -> Score {
        self.read(buffers, examples.levels);
        self.forward(buffers);
        let last = &buffers.layers[self.shape.layers.len() - 1];
        kernels::count_votes(self.path, &last.outputs, buffers.batch, &mut buffers.classes);
        let mut score = Score::default();
        let (batch, mut sums) = (buffers.batch, vec![ZEROS; self.shape.classes]);
        for (block, class) in examples.class.chunks(BLOCK).enumerate() {
            let of_block = || (0..self.shape.classes).map(|row| row * batch + block * BLOCK);
            for (sums, first) in sums.iter_mut().zip(of_block()) {
                fill(sums, &buffers.classes[first..first + BLOCK]);
            }
            score.add(self.score_block(&mut sums, class, weight));
            for (sums, first) in sums.iter().zip(of_block()) {
                empty(sums, &mut buffers.classes[first..first + BLOCK]);
            }
        }
        // Those of no example.
        let used = examples.class.len().next_multiple_of(BLOCK);
        buffers.classes.chunks_exact_mut(batch).for_each(|row| row[used..].fill(0.0));
        score
    }

    fn score_block(&self, sums: &mut [Row], known: &[u16], weight: f32) -> Score {
        let count = known.len();
        let mut class = [0; BLOCK];
        class[..count].copy_from_slice(known);
        let right = (0..count).filter(|&example| largest(sums, example) == class[example]).count() as u64;
        let truth = Truth { class, count, temperature: self.temperature, weight };
        let mut loss = 0.0;
        class_loss(self.path, sums, &truth, &mut loss);
        Score { loss, right, count: count as u64 }
    }

    /// Turns levels into what the network reads.
    fn read(&self, buffers: &mut Buffers, levels: &[Vec<u8>]) {
        let batch = buffers.batch;
        let blocks =
            buffers.signs.chunks_exact_mut(batch).zip(buffers.columns.chunks_exact_mut(LANES * batch));
        let mut parts: Vec<_> = buffers.sources.iter().zip(blocks).collect();
        self.pool.for_each(&mut parts, |_, (sources, (signs, columns))| {
            kernels::read_block(self.path, sources, levels, signs, columns);
        });
    }

    fn forward(&self, buffers: &mut Buffers) {
        let Shape { inputs, candidate_blocks, .. } = *self.shape;
        if self.shape.is_learnt(0) {
            let of_table = inputs * self.shape.candidates();
            let mapping = &self.state.mapping;
            let tables =
                mapping.blocks.chunks(PART * candidate_blocks).zip(mapping.weights.chunks(PART * of_table));
            let mut parts: Vec<_> = buffers.wires.chunks_mut(PART * inputs).zip(tables).collect();
            self.pool.for_each(&mut parts, |_, (wires, (blocks, weights))| {
                connections::choose(self.path, self.shape, blocks, weights, wires);
            });
        }
        for (index, layer) in self.state.layers.iter().enumerate() {
            let (before, after) = buffers.layers.split_at_mut(index);
            let sources = before.last().map_or(&buffers.columns, |before| &before.outputs);
            let wires = if self.shape.is_learnt(index) { &buffers.wires } else { &layer.wires };
            let batch = buffers.batch;
            let tables = wires.chunks(PART * inputs).zip(layer.entries.chunks(PART << inputs));
            let LayerBuffers { addresses, outputs, .. } = &mut after[0];
            let results = addresses.chunks_mut(PART * batch).zip(outputs.chunks_mut(PART * batch));
            let mut parts: Vec<_> = tables.zip(results).collect();
            self.pool.for_each(&mut parts, |_, ((wires, entries), (addresses, outputs))| {
                let pass = LookUp { wires, inputs, batch, entries, sources };
                kernels::look_up(self.path, &pass, addresses, outputs);
            });
        }
    }

    /// The gradients of the outputs of a layer, from those of the next. `slopes` are the next one's.
    pub fn pull(&self, buffers: &mut Buffers, layer: usize, slopes: &[f32]) {
        let batch = buffers.batch;
        let (before, after) = buffers.layers.split_at_mut(layer + 1);
        let LayerBuffers { gradients, readers, .. } = &mut before[layer];
        let next = &after[0];
        let of_next = if next.gradients.is_empty() { &buffers.classes } else { &next.gradients };
        let readers = Readers {
            starts: &readers.starts,
            ends: &readers.ends,
            inputs: self.shape.inputs,
            addresses: &next.addresses,
            slopes,
            gradients: of_next,
        };
        let mut parts: Vec<_> = gradients.chunks_mut(PART * batch).collect();
        self.pool.for_each(&mut parts, |part, gradients| {
            kernels::pull(self.path, &readers, part * PART, batch, gradients);
        });
    }
}

fn fill(row: &mut Row, values: &[f32]) {
    for (lanes, values) in row.iter_mut().zip(values.as_chunks().0) {
        lanes.0 = *values;
    }
}

fn empty(row: &Row, values: &mut [f32]) {
    for (lanes, values) in row.iter().zip(values.as_chunks_mut().0) {
        *values = lanes.0;
    }
}
