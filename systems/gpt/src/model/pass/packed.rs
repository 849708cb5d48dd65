//! The matrices of a network packed for products, once for all parts of a batch.

use rekindle::Matrix;
use rekindle_compute::Pool;

use crate::model::kernels::matmul::{Packed, View};
use crate::model::network::{Layer, Linear, Network};
use crate::model::precision::TrainingPrecision;

/// All matrices, packed for both directions.
#[derive(Debug, Default)]
pub struct PackedNetwork {
    /// Those of each layer.
    pub(super) layers: Vec<PackedLayer>,
    /// Forward width x vocabulary, backward vocabulary x width.
    pub(super) output: PackedPair,
}

/// The matrices of one layer; which ones depends on what it is.
#[derive(Debug, Default)]
pub struct PackedLayer {
    /// The map of attention to queries, keys and values, the first one of a feed-forward layer.
    pub first: PackedPair,
    /// The output map of attention, the second one of a feed-forward layer.
    pub second: PackedPair,
}

/// A matrix as the right factor of forward and backward products.
#[derive(Debug, Default)]
pub struct PackedPair {
    pub forward: Packed,
    pub backward: Packed,
}

/// A matrix that is to be packed.
struct Job<'a> {
    matrix: &'a Matrix<f32>,
    transposed: bool,
    packed: &'a mut Packed,
}

impl PackedNetwork {
    /// Packs all matrices, rounded to `precision`. The backward factors are left out unless `trains`.
    pub fn pack(&mut self, network: &Network, precision: TrainingPrecision, trains: bool, pool: &Pool) {
        self.layers.resize_with(network.layers.len(), PackedLayer::default);
        let mut jobs = Vec::new();
        for (layer, packed) in network.layers.iter().zip(&mut self.layers) {
            let PackedLayer { first, second } = packed;
            match layer {
                Layer::Attention(layer) => {
                    push(&mut jobs, &layer.qkv, first, trains);
                    if let Some(output) = &layer.output {
                        push(&mut jobs, output, second, trains);
                    }
                }
                Layer::FeedForward(layer) => {
                    push(&mut jobs, &layer.up, first, trains);
                    push(&mut jobs, &layer.down, second, trains);
                }
                Layer::Norm(_) => {}
            }
        }
        let matrix = network.output_weight();
        jobs.push(Job { matrix, transposed: true, packed: &mut self.output.forward });
        if trains {
            jobs.push(Job { matrix, transposed: false, packed: &mut self.output.backward });
        }
        pool.for_each(&mut jobs, |_, job| job.pack(precision));
    }
}

fn push<'a>(jobs: &mut Vec<Job<'a>>, linear: &'a Linear, packed: &'a mut PackedPair, trains: bool) {
    jobs.push(Job { matrix: &linear.weight, transposed: false, packed: &mut packed.forward });
    if trains {
        jobs.push(Job { matrix: &linear.weight, transposed: true, packed: &mut packed.backward });
    }
}

impl Job<'_> {
    fn pack(&mut self, precision: TrainingPrecision) {
        let (rows, columns) = (self.matrix.rows(), self.matrix.columns());
        let stored = precision.stored(self.matrix.as_slice());
        let view = View::new(&stored, rows, columns, columns);
        self.packed.pack(if self.transposed { view.transposed() } else { view });
    }
}
