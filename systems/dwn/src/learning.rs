//! From the gradients of a batch to new entries and new connections.

use rekindle_compute::{AdamW, KernelPath};

use crate::kernels::{self, MappingPass};
use crate::network::{Buffers, LayerBuffers, Network, PART};
use crate::shape::Shape;
use crate::state::{Layer, Mapping, State};

/// One step of the optimiser.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Update {
    /// Its settings, with the step size of this step.
    pub adam: AdamW,
    /// Steps, this one included.
    pub step: u64,
    /// What is added to the gradient of an entry of 1.
    pub decay: f32,
}

/// Room for what is computed of a part of a layer's tables.
#[derive(Debug, Default)]
pub(crate) struct Slopes(Vec<f32>);

/// Some tables of a layer.
struct Tables<'a> {
    entries: &'a mut [f32],
    first_moment: &'a mut [f32],
    second_moment: &'a mut [f32],
    mapping: Option<Candidates<'a>>,
}

/// The candidates of some tables of the first layer.
struct Candidates<'a> {
    blocks: &'a [u32],
    weights: &'a mut [f32],
    first_moment: &'a mut [f32],
    second_moment: &'a mut [f32],
}

/// What a layer learns from.
struct Pass<'a> {
    path: KernelPath,
    shape: &'a Shape,
    update: Update,
    batch: usize,
    addresses: &'a [u8],
    /// The gradients of the outputs, which are dealt to the tables in turn. Shape: any x examples.
    gradients: &'a [f32],
    signs: &'a [rekindle_compute::Lanes],
}

/// What is known of a network beside its state.
pub(crate) struct Learner<'a> {
    pub pool: &'a rekindle_compute::Pool,
    pub path: KernelPath,
    pub shape: &'a Shape,
    pub temperature: f32,
}

impl Learner<'_> {
    /// The network of a state.
    pub fn network<'a>(&'a self, state: &'a State) -> Network<'a> {
        let Self { pool, path, shape, temperature } = *self;
        Network { pool, path, shape, state, temperature }
    }

    /// Learns what the gradients of the classes in the buffers say.
    pub fn learn(&self, buffers: &mut Buffers, slopes: &mut Slopes, state: &mut State, update: Update) {
        for index in (0..self.shape.layers.len()).rev() {
            if index > 0 {
                slopes.compute(self, &state.layers[index].entries);
                self.network(state).pull(buffers, index - 1, &slopes.0);
            }
            self.update(buffers, index, state, update);
        }
    }

    fn update(&self, buffers: &Buffers, index: usize, state: &mut State, update: Update) {
        let LayerBuffers { addresses, gradients, .. } = &buffers.layers[index];
        let pass = Pass {
            path: self.path,
            shape: self.shape,
            update,
            batch: buffers.batch,
            addresses,
            gradients: if gradients.is_empty() { &buffers.classes } else { gradients },
            signs: &buffers.signs,
        };
        let mapping = self.shape.is_learnt(index).then_some(&mut state.mapping);
        let mut parts = tables(&mut state.layers[index], mapping, self.shape);
        self.pool.for_each(&mut parts, |part, tables| pass.learn(tables, part * PART));
    }
}

impl Slopes {
    /// Those of all tables of a layer.
    fn compute(&mut self, learner: &Learner<'_>, entries: &[f32]) {
        let inputs = learner.shape.inputs;
        self.0.resize(entries.len() * inputs, 0.0);
        let slopes = self.0.chunks_mut((PART * inputs) << inputs);
        let mut parts: Vec<_> = entries.chunks(PART << inputs).zip(slopes).collect();
        learner.pool.for_each(&mut parts, |_, (entries, slopes)| {
            kernels::slopes(learner.path, inputs, entries, slopes);
        });
    }
}

/// The tables of a layer in parts.
fn tables<'a>(layer: &'a mut Layer, mapping: Option<&'a mut Mapping>, shape: &Shape) -> Vec<Tables<'a>> {
    let Layer { entries, first_moment, second_moment, .. } = layer;
    let size = PART << shape.inputs;
    let moments = first_moment.chunks_mut(size).zip(second_moment.chunks_mut(size));
    let parts = entries.chunks_mut(size).zip(moments).map(|(entries, (first_moment, second_moment))| {
        Tables { entries, first_moment, second_moment, mapping: None }
    });
    let mut parts: Vec<_> = parts.collect();
    if let Some(Mapping { blocks, weights, first_moment, second_moment }) = mapping {
        let size = PART * shape.inputs * shape.candidates();
        let moments = first_moment.chunks_mut(size).zip(second_moment.chunks_mut(size));
        let all = blocks.chunks(PART * shape.candidate_blocks).zip(weights.chunks_mut(size)).zip(moments);
        for (part, ((blocks, weights), (first_moment, second_moment))) in parts.iter_mut().zip(all) {
            part.mapping = Some(Candidates { blocks, weights, first_moment, second_moment });
        }
    }
    parts
}

impl Pass<'_> {
    /// Learns some tables, the first of which has this number.
    fn learn(&self, tables: &mut Tables<'_>, first: usize) {
        let (size, rows) = (self.shape.entries(), self.gradients.len() / self.batch);
        let mut candidates = tables.mapping.as_mut();
        let mut room = MappingRoom::new(self.shape, self.batch);
        let mut gradient = vec![0.0; tables.entries.len()];
        for (index, gradient) in gradient.chunks_exact_mut(size).enumerate() {
            let table = first + index;
            let addresses = &self.addresses[table * self.batch..][..self.batch];
            let of_output = &self.gradients[table % rows * self.batch..][..self.batch];
            let entries = &tables.entries[index * size..][..size];
            for (gradient, entry) in gradient.iter_mut().zip(entries) {
                *gradient = self.update.decay * entry;
            }
            kernels::add_entry_gradients(self.path, addresses, of_output, gradient);
            if let Some(candidates) = &mut candidates {
                kernels::slopes(self.path, self.shape.inputs, entries, &mut room.slopes);
                self.learn_mapping(candidates, index, addresses, of_output, &mut room);
            }
        }
        let Tables { entries, first_moment, second_moment, .. } = tables;
        let Update { adam, step, .. } = self.update;
        adam.update_scaled(self.path, step, 1.0, entries, &gradient, first_moment, second_moment);
        entries.iter_mut().for_each(|entry| *entry = entry.clamp(-1.0, 1.0));
    }

    fn learn_mapping(
        &self,
        candidates: &mut Candidates<'_>,
        index: usize,
        addresses: &[u8],
        gradients: &[f32],
        room: &mut MappingRoom,
    ) {
        let (inputs, blocks) = (self.shape.inputs, self.shape.candidate_blocks);
        let MappingRoom { slopes, by_input, gradient } = room;
        let blocks = &candidates.blocks[index * blocks..][..blocks];
        let pass = MappingPass { inputs, addresses, gradients, slopes, blocks, signs: self.signs };
        kernels::mapping_gradient(self.path, &pass, by_input, gradient);
        let of_table = index * gradient.len()..(index + 1) * gradient.len();
        let weights = &mut candidates.weights[of_table.clone()];
        let first_moment = &mut candidates.first_moment[of_table.clone()];
        let second_moment = &mut candidates.second_moment[of_table];
        let Update { adam, step, .. } = self.update;
        adam.update_scaled(self.path, step, 1.0, weights, gradient, first_moment, second_moment);
    }
}

/// Room for what is computed of the connections of one table.
struct MappingRoom {
    /// Shape: inputs x entries.
    slopes: Vec<f32>,
    /// Shape: examples x inputs.
    by_input: Vec<f32>,
    /// Shape: inputs x candidates.
    gradient: Vec<f32>,
}

impl MappingRoom {
    fn new(shape: &Shape, batch: usize) -> Self {
        Self {
            slopes: vec![0.0; shape.inputs * shape.entries()],
            by_input: vec![0.0; shape.inputs * batch],
            gradient: vec![0.0; shape.inputs * shape.candidates()],
        }
    }
}
