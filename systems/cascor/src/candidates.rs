//! The pool of candidates: units that are trained side by side, of which the best is installed.

use rekindle_compute::{KernelPath, Pool};
use serde::{Deserialize, Serialize};

use crate::activation::Activation;
use crate::candidate_kernels::{self as kernels, CandidatePart, CandidateTask, GROUP, Group};
use crate::columns::Columns;
use crate::parts::{self, Parts};

pub(crate) use crate::candidate_kernels::{Sensitivity, Statistics};

/// Weights of a pool of candidates.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Candidates {
    /// Number of candidates.
    pub count: u32,
    /// A row for each unit that the candidates see, a column for each candidate.
    #[serde(with = "rekindle::growing")]
    pub weights: Vec<f32>,
}

impl Candidates {
    /// Number of units that the candidates see.
    pub fn units(&self) -> usize {
        self.weights.len() / self.count.max(1) as usize
    }

    /// The weights of one candidate.
    pub fn weights_of(&self, candidate: usize) -> Vec<f32> {
        self.weights.iter().skip(candidate).step_by(self.count.max(1) as usize).copied().collect()
    }
}

/// Computes pools, group by group and part by part; holds nothing that must be saved.
pub(crate) struct CandidateRunner {
    path: KernelPath,
    activation: Activation,
    /// The weights of each group.
    weights: Vec<Vec<Group>>,
    /// The parts of each group, one group after the other.
    parts: Vec<CandidatePart>,
    statistics: Vec<Statistics>,
    slopes: Vec<f32>,
}

impl CandidateRunner {
    pub fn new(path: KernelPath, activation: Activation) -> Self {
        let (weights, parts, statistics, slopes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { path, activation, weights, parts, statistics, slopes }
    }

    /// The statistics of each group of eight candidates. Those of lanes beyond the last candidate
    /// mean nothing.
    pub fn forward(
        &mut self,
        pool: &Pool,
        units: &Columns,
        errors: &Columns,
        candidates: &Candidates,
    ) -> &[Statistics] {
        self.take_weights(candidates);
        let split = Parts::of(units);
        self.parts.resize_with(self.weights.len() * split.len(), CandidatePart::default);
        let (path, activation, weights) = (self.path, self.activation, &self.weights);
        let work = units.cases() * candidates.weights.len();
        parts::for_each(pool, work, &mut self.parts, |index, part| {
            let task = CandidateTask { units, errors, weights: &weights[index / split.len()], activation };
            kernels::forward(path, &task, split.blocks(index % split.len()), part);
        });
        self.statistics.clear();
        for parts in self.parts.chunks(split.len()) {
            let mut sum = Statistics::zeros(errors.len());
            parts.iter().for_each(|part| sum.add(&part.statistics));
            self.statistics.push(sum);
        }
        &self.statistics
    }

    /// What [`forward`](Self::forward) found last.
    pub fn statistics(&self) -> &[Statistics] {
        &self.statistics
    }

    /// The slopes of the objective, laid out as the weights, after [`forward`](Self::forward).
    pub fn backward(
        &mut self,
        pool: &Pool,
        units: &Columns,
        errors: &Columns,
        candidates: &Candidates,
        sensitivities: &[Sensitivity],
    ) -> &[f32] {
        let split = Parts::of(units);
        let (path, activation, weights) = (self.path, self.activation, &self.weights);
        let work = units.cases() * candidates.weights.len();
        parts::for_each(pool, work, &mut self.parts, |index, part| {
            let group = index / split.len();
            let task = CandidateTask { units, errors, weights: &weights[group], activation };
            let blocks = split.blocks(index % split.len());
            kernels::backward(path, &task, &sensitivities[group], blocks, part);
        });
        self.slopes.clear();
        self.slopes.resize(candidates.weights.len(), 0.0);
        let count = candidates.count as usize;
        for (group, parts) in self.parts.chunks(split.len()).enumerate() {
            let lanes = GROUP.min(count - group * GROUP);
            for part in parts {
                for (row, slopes) in self.slopes.chunks_exact_mut(count).zip(&part.slopes) {
                    let row = &mut row[group * GROUP..][..lanes];
                    row.iter_mut().zip(slopes).for_each(|(sum, slope)| *sum += slope);
                }
            }
        }
        &self.slopes
    }

    /// Lays the weights out in groups; lanes without a candidate have zeros.
    fn take_weights(&mut self, candidates: &Candidates) {
        let count = candidates.count as usize;
        self.weights.resize_with(count.div_ceil(GROUP), Vec::new);
        for (index, group) in self.weights.iter_mut().enumerate() {
            let first = index * GROUP;
            let lanes = GROUP.min(count - first);
            group.clear();
            group.extend(candidates.weights.chunks_exact(count).map(|row| {
                let mut weights = [0.0; GROUP];
                weights[..lanes].copy_from_slice(&row[first..first + lanes]);
                weights
            }));
        }
    }
}
