//! The network: what a checkpoint holds of the model.

mod arrays;
mod initial;
mod layer;
mod shape;

use rekindle::Matrix;
use serde::{Deserialize, Serialize};

use crate::model::structure::Structure;

pub use arrays::ArrayKind;
pub(crate) use initial::{INITIAL_STD, fill_normal, matrix};
pub use layer::{Activation, Attention, FeedForward, Layer, Linear, Norm, NormForm};
pub use shape::NetworkError;

/// A transformer decoder: tokens and positions become rows of `width` numbers, the layers change
/// them one after the other, and the output gives a logit for every token that may follow.
///
/// What the layers are is data: the blocks of GPT-2 and the post-norm stack of RustGPT are both
/// lists of [`Layer`]s. All parameters are plain row-major arrays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// A row for each token: vocabulary x width.
    #[serde(with = "rekindle::growing")]
    pub token_embedding: Matrix<f32>,
    /// A row for each position: context x width.
    #[serde(with = "rekindle::array")]
    pub position_embedding: Matrix<f32>,
    /// The layers, first to last.
    pub layers: Vec<Layer>,
    /// The map to logits; absent when it is `token_embedding` (tied).
    pub output: Option<Output>,
    /// What it is told of the tree of a text, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub structure: Option<Structure>,
}

/// The map to logits when it is not tied to the embedding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// A row for each token: vocabulary x width.
    #[serde(with = "rekindle::growing")]
    pub weight: Matrix<f32>,
    /// A number for each token, or none at all.
    #[serde(with = "rekindle::growing")]
    pub bias: Vec<f32>,
}

impl Network {
    /// Number of tokens.
    pub fn vocabulary(&self) -> usize {
        self.token_embedding.rows()
    }

    /// Numbers of a row.
    pub fn width(&self) -> usize {
        self.token_embedding.columns()
    }

    /// The most tokens that a sequence can have.
    pub fn context(&self) -> usize {
        self.position_embedding.rows()
    }

    /// The rows that give logits: vocabulary x width.
    pub fn output_weight(&self) -> &Matrix<f32> {
        self.output.as_ref().map_or(&self.token_embedding, |output| &output.weight)
    }

    /// The bias of the logits: one number for each token, or none.
    pub fn output_bias(&self) -> &[f32] {
        self.output.as_ref().map_or(&[], |output| &output.bias)
    }

    /// A network of the same shape whose numbers are all 0: a gradient.
    pub fn zeros(&self) -> Self {
        let mut zeros = self.clone();
        zeros.clear();
        zeros
    }

    /// Makes all numbers 0.
    pub fn clear(&mut self) {
        for (_, array) in self.slices_mut() {
            array.fill(0.0);
        }
    }

    /// Whether what it is told of the tree of a text has any effect.
    pub fn reads_structure(&self) -> bool {
        let Some(structure) = &self.structure else { return false };
        let biases = self.layers.iter().flat_map(|layer| match layer {
            Layer::Attention(layer) => &layer.relation_bias[..],
            Layer::FeedForward(_) | Layer::Norm(_) => &[],
        });
        let numbers = biases.chain(&structure.depth_embedding).chain(&structure.tree_embedding);
        structure.is_masked || numbers.into_iter().any(|&number| number != 0.0)
    }

    /// Number of parameters.
    pub fn parameters(&self) -> usize {
        self.slices().iter().map(|(_, array)| array.len()).sum()
    }
}
