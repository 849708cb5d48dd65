//! The work that threads share: all linear maps and attention, cut into parts.
//!
//! No number is computed another way because of the part that it falls into.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rekindle::Matrix;
use rekindle_compute::{KernelPath, LANES};

use super::WeightPrecision;
use super::attention::HeadCache;
use super::projection::{Input, Projection, share};
use super::rows::activate;
use super::team::Team;
use crate::model::kernels::attention::PairBias;
use crate::model::network::{Activation, Attention, Linear, matrix};
use crate::model::pass::table;
use crate::model::structure::{PairTable, Structure};

/// Where each thread has more than one part, a part has at least so many weights: claiming it must
/// be short beside its work.
const LEAST_WEIGHTS: usize = 1 << 16;
/// So many parts for each thread at most: enough that none waits long for another's last one.
const PARTS_A_THREAD: usize = 32;

/// What is done to rows of numbers.
#[derive(Debug, Default)]
pub(super) struct Job {
    /// Which of the [`Work`].
    pub step: usize,
    /// Position of the first row.
    pub start: usize,
    pub input: Input,
    /// For each row how its token stands to those up to it, one row behind the other; empty where the network is
    /// not told.
    pub pairs: Vec<u8>,
}

/// All that can be shared, step by step, and the place for what comes of it.
#[derive(Debug)]
pub(super) struct Work {
    path: KernelPath,
    steps: Vec<Step>,
    /// What each part of the current job gave: row by row, its outputs.
    slots: Vec<Mutex<Vec<f32>>>,
}

/// Work that is done at once.
#[derive(Debug)]
enum Step {
    /// A part for some heads of attention.
    Attention(Vec<Mutex<Heads>>),
    /// A part for some outputs of a linear map, and what is done to them.
    Linear(Vec<Projection>, Option<Activation>),
}

/// Some heads of a layer.
#[derive(Debug)]
struct Heads {
    /// Queries, keys and values of these heads.
    qkv: Projection,
    caches: Vec<HeadCache>,
    /// Numbers of a query, a key or a value.
    size: usize,
    /// Queries, keys and values of the current rows.
    rows: Vec<f32>,
    /// Weights of the positions.
    weights: Vec<[f32; LANES]>,
    /// What each head adds to its logits; empty where it adds nothing.
    tables: Vec<PairTable>,
}

impl Work {
    pub fn new(path: KernelPath) -> Self {
        Self { path, steps: Vec::new(), slots: Vec::new() }
    }

    /// Adds a step for the heads of a layer; gives its number.
    pub fn add_attention(
        &mut self,
        layer: &Attention,
        structure: Option<&Structure>,
        precision: WeightPrecision,
        threads: usize,
    ) -> usize {
        let count = layer.heads as usize;
        let parts = most_parts(threads).min(count);
        let heads = (0..parts).map(|part| {
            let heads = count * part / parts..count * (part + 1) / parts;
            Mutex::new(Heads::new(layer, structure, heads, precision))
        });
        let step = Step::Attention(heads.collect());
        self.add(step)
    }

    /// Adds a step for a linear map; gives its number.
    pub fn add_linear(
        &mut self,
        linear: &Linear,
        activation: Option<Activation>,
        precision: WeightPrecision,
        threads: usize,
    ) -> usize {
        let shares = shares(linear.outputs(), linear.inputs(), threads);
        let parts = shares.map(|outputs| Projection::of_linear(linear, &[outputs], precision));
        let step = Step::Linear(parts.collect(), activation);
        self.add(step)
    }

    /// Adds a step for a map with the weights of an output in a row; gives its number.
    pub fn add_rows(
        &mut self,
        rows: &Matrix<f32>,
        bias: &[f32],
        precision: WeightPrecision,
        threads: usize,
    ) -> usize {
        let inputs = rows.columns();
        let part = |outputs: Range<usize>| {
            let bias = bias.get(outputs.clone()).unwrap_or_default().to_vec();
            let numbers = rows.as_slice()[outputs.start * inputs..outputs.end * inputs].to_vec();
            Projection::of_rows(&matrix(outputs.len(), inputs, numbers), bias, precision)
        };
        let step = Step::Linear(shares(rows.rows(), inputs, threads).map(part).collect(), None);
        self.add(step)
    }

    fn add(&mut self, step: Step) -> usize {
        self.steps.push(step);
        let step = self.steps.len() - 1;
        let slots = self.slots.len().max(self.parts(step));
        self.slots.resize_with(slots, Mutex::default);
        step
    }

    /// Parts of a step.
    pub fn parts(&self, step: usize) -> usize {
        match &self.steps[step] {
            Step::Attention(parts) => parts.len(),
            Step::Linear(parts, _) => parts.len(),
        }
    }

    /// Does a part of a job.
    pub fn compute(&self, job: &Job, part: usize) {
        let mut product = lock(&self.slots[part]);
        match &self.steps[job.step] {
            Step::Attention(parts) => lock(&parts[part]).compute(self.path, &mut product, job),
            Step::Linear(parts, activation) => {
                parts[part].apply(self.path, &mut product, &job.input);
                if let Some(activation) = activation {
                    activate(self.path, &mut product, *activation);
                }
            }
        }
    }

    /// `whole` becomes what all parts of a step gave for `rows` rows, row by row.
    pub fn gather(&self, step: usize, whole: &mut Vec<f32>, rows: usize) {
        let parts: Vec<_> = self.slots[..self.parts(step)].iter().map(lock).collect();
        let columns: usize = parts.iter().map(|part| part.len() / rows).sum();
        whole.resize(rows * columns, 0.0);
        let mut first = 0;
        for part in parts {
            let len = part.len() / rows;
            for row in 0..rows {
                let start = row * columns + first;
                whole[start..start + len].copy_from_slice(&part[row * len..(row + 1) * len]);
            }
            first += len;
        }
    }
}

impl Heads {
    fn new(
        layer: &Attention,
        structure: Option<&Structure>,
        heads: Range<usize>,
        precision: WeightPrecision,
    ) -> Self {
        let width = layer.qkv.inputs();
        let size = width / layer.heads as usize;
        let columns = |of: usize| of * width + heads.start * size..of * width + heads.end * size;
        Self {
            qkv: Projection::of_linear(&layer.qkv, &[columns(0), columns(1), columns(2)], precision),
            caches: heads.clone().map(|_| HeadCache::new(size)).collect(),
            tables: structure
                .filter(|structure| structure.relates())
                .map(|structure| heads.clone().map(|head| table(structure, layer, head)).collect())
                .unwrap_or_default(),
            size,
            rows: Vec::new(),
            weights: Vec::new(),
        }
    }

    /// Makes what these heads find, row by row, and keeps keys and values.
    fn compute(&mut self, path: KernelPath, output: &mut Vec<f32>, job: &Job) {
        self.qkv.apply(path, &mut self.rows, &job.input);
        let own = self.caches.len() * self.size;
        output.resize(self.rows.len() / 3, 0.0);
        for (head, cache) in self.caches.iter_mut().enumerate() {
            cache.truncate(job.start);
            let (start, end) = (head * self.size, (head + 1) * self.size);
            let mut pairs = &job.pairs[..];
            for (row, output) in self.rows.chunks_exact(3 * own).zip(output.chunks_exact_mut(own)) {
                let of = |of: usize| &row[of * own + start..of * own + end];
                cache.push(of(1), of(2));
                let bias = self.tables.get(head).map(|table| {
                    let pairs = pairs.split_off(..cache.len()).unwrap_or_default();
                    PairBias { pairs, table }
                });
                cache.attend(path, &mut output[start..end], of(0), bias, &mut self.weights);
            }
        }
    }
}

/// The outputs of each part of a linear map.
fn shares(outputs: usize, inputs: usize, threads: usize) -> impl Iterator<Item = Range<usize>> {
    let parts_a_thread = (outputs * inputs / LEAST_WEIGHTS / threads).clamp(1, PARTS_A_THREAD);
    let parts = (parts_a_thread * threads).min(most_parts(threads)).min(outputs.div_ceil(LANES));
    (0..parts).map(move |part| share(outputs, part, parts))
}

/// One thread needs no parts.
fn most_parts(threads: usize) -> usize {
    if threads == 1 { 1 } else { (threads * PARTS_A_THREAD).min(Team::<Job>::MOST_PARTS) }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
