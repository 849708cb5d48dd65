//! The way of tokens through the layers: what the thread that asks does itself.

use std::sync::Arc;

use rekindle::Matrix;
use rekindle_compute::KernelPath;

use super::WeightPrecision;
use super::rows::normalise;
use super::team::Team;
use super::work::{Job, Work};
use crate::model::network::{Layer, Network, Norm};
use crate::model::structure::{Structure, Tree};

/// Reads tokens, with the help of a team.
#[derive(Debug)]
pub(super) struct Forward {
    path: KernelPath,
    precision: WeightPrecision,
    team: Arc<Team<Job>>,
    work: Arc<Work>,
    token_embedding: Matrix<f32>,
    position_embedding: Matrix<f32>,
    layers: Vec<LayerStep>,
    /// The step that gives the logits.
    output: usize,
    /// What the network is told of the tree of the text, and that tree.
    structure: Option<(Structure, Tree)>,
    buffers: Buffers,
}

/// What a layer does to the rows; numbers are those of steps.
#[derive(Debug)]
enum LayerStep {
    /// Adds what the steps, one after the other, make of the rows.
    Add(Option<Norm>, Vec<usize>),
    Norm(Norm),
}

/// Memory that is used again from layer to layer.
#[derive(Debug, Default)]
struct Buffers {
    /// The rows of the tokens.
    rows: Vec<f32>,
    /// What a layer makes of them.
    changed: Vec<f32>,
    /// How the tokens stand to those before: see [`Job::pairs`].
    pairs: Vec<u8>,
}

impl Forward {
    pub fn new(network: &Network, precision: WeightPrecision, threads: usize, path: KernelPath) -> Self {
        let mut work = Work::new(path);
        let layers = network.layers.iter().map(|layer| match layer {
            Layer::Attention(layer) => {
                let structure = network.structure.as_ref();
                let mut steps = vec![work.add_attention(layer, structure, precision, threads)];
                if let Some(output) = &layer.output {
                    steps.push(work.add_linear(output, None, precision, threads));
                }
                LayerStep::Add(layer.norm.clone(), steps)
            }
            Layer::FeedForward(layer) => {
                let up = work.add_linear(&layer.up, Some(layer.activation), precision, threads);
                let down = work.add_linear(&layer.down, None, precision, threads);
                LayerStep::Add(layer.norm.clone(), vec![up, down])
            }
            Layer::Norm(norm) => LayerStep::Norm(norm.clone()),
        });
        let layers = layers.collect();
        let output = work.add_rows(network.output_weight(), network.output_bias(), precision, threads);
        Self {
            path,
            precision,
            team: Arc::new(Team::new(Job::default(), threads)),
            work: Arc::new(work),
            token_embedding: network.token_embedding.clone(),
            position_embedding: network.position_embedding.clone(),
            layers,
            output,
            structure: network.structure.clone().map(|structure| (structure, Tree::default())),
            buffers: Buffers::default(),
        }
    }

    /// Number of tokens.
    pub fn vocabulary(&self) -> usize {
        self.token_embedding.rows()
    }

    /// Number of positions.
    pub fn context(&self) -> usize {
        self.position_embedding.rows()
    }

    /// What a helper runs until the team is stopped.
    pub fn helper(&self) -> impl FnOnce() + Send + 'static {
        let (team, work) = (self.team.clone(), self.work.clone());
        move || team.help(|job, part| work.compute(job, part))
    }

    /// Lets helpers end.
    pub fn stop(&self) {
        self.team.stop();
    }

    /// Reads tokens that stand at the positions from `start` on; what is known from there on is
    /// forgotten: `before` are those that stay. If they are asked for, `logits` becomes the logits behind the
    /// last one.
    pub fn read(&mut self, tokens: &[u32], before: &[u32], logits: Option<&mut Vec<f32>>) {
        let mut buffers = std::mem::take(&mut self.buffers);
        let start = before.len();
        self.embed(&mut buffers.rows, tokens, start);
        self.relate(&mut buffers, tokens, before);
        for layer in &self.layers {
            match layer {
                LayerStep::Norm(norm) => {
                    self.norm(&mut buffers, norm);
                    std::mem::swap(&mut buffers.rows, &mut buffers.changed);
                }
                LayerStep::Add(norm, steps) => {
                    match norm {
                        Some(norm) => self.norm(&mut buffers, norm),
                        None => buffers.changed.clone_from(&buffers.rows),
                    }
                    for &step in steps {
                        self.step(step, &mut buffers.changed, &buffers.pairs, start, tokens.len());
                    }
                    let pairs = buffers.rows.iter_mut().zip(&buffers.changed);
                    pairs.for_each(|(number, added)| *number += added);
                }
            }
        }
        if let Some(logits) = logits {
            logits.clear();
            logits.extend_from_slice(&buffers.rows[buffers.rows.len() - self.token_embedding.columns()..]);
            self.step(self.output, logits, &[], start, 1);
        }
        self.buffers = buffers;
    }

    /// `rows` becomes the sums of the rows of tokens and positions.
    fn embed(&self, rows: &mut Vec<f32>, tokens: &[u32], start: usize) {
        let width = self.token_embedding.columns();
        rows.clear();
        for (position, &token) in (start..).zip(tokens) {
            let token = &self.token_embedding.as_slice()[token as usize * width..][..width];
            let position = &self.position_embedding.as_slice()[position * width..][..width];
            rows.extend(token.iter().zip(position).map(|(token, position)| token + position));
        }
    }

    /// Adds to the rows what the network is told of their places in the tree of the text; `buffers.pairs` becomes
    /// how they stand to the tokens before.
    fn relate(&mut self, buffers: &mut Buffers, tokens: &[u32], before: &[u32]) {
        buffers.pairs.clear();
        let Some((structure, tree)) = &mut self.structure else { return };
        if tree.len() != before.len() {
            tree.clear();
            before.iter().for_each(|&token| {
                tree.push(structure.brackets_of(token));
            });
        }
        let width = self.token_embedding.columns();
        for (&token, row) in tokens.iter().zip(buffers.rows.chunks_exact_mut(width)) {
            let place = *tree.push(structure.brackets_of(token));
            structure.add_to(row, &place);
            if structure.relates() {
                tree.pairs(tree.len() - 1, &mut buffers.pairs);
            }
        }
    }

    /// `buffers.changed` becomes the rows, normalised.
    fn norm(&self, buffers: &mut Buffers, norm: &Norm) {
        buffers.changed.resize(buffers.rows.len(), 0.0);
        normalise(self.path, &mut buffers.changed, &buffers.rows, norm);
    }

    /// So many `rows` become what a step makes of them.
    fn step(&self, step: usize, rows: &mut Vec<f32>, pairs: &[u8], start: usize, count: usize) {
        let prepare = |job: &mut Job| {
            (job.step, job.start) = (step, start);
            job.pairs.clear();
            job.pairs.extend_from_slice(pairs);
            job.input.set(self.path, self.precision, rows, count);
        };
        self.team.run(self.work.parts(step), prepare, |job, part| self.work.compute(job, part));
        self.work.gather(step, rows, count);
    }
}
