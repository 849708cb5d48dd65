//! The layers that networks are made of: a closed list.

use rekindle::Matrix;
use serde::{Deserialize, Serialize};

/// A layer, which changes the rows of a sequence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// Adds to each row what its heads gather from the rows before it and itself.
    Attention(Attention),
    /// Adds to each row what two linear maps make of it.
    FeedForward(FeedForward),
    /// Normalises each row.
    Norm(Norm),
}

impl Layer {
    pub(crate) fn as_attention_mut(&mut self) -> Option<&mut Attention> {
        if let Self::Attention(layer) = self { Some(layer) } else { None }
    }

    pub(crate) fn as_feed_forward_mut(&mut self) -> Option<&mut FeedForward> {
        if let Self::FeedForward(layer) = self { Some(layer) } else { None }
    }

    pub(crate) fn as_norm_mut(&mut self) -> Option<&mut Norm> {
        if let Self::Norm(layer) = self { Some(layer) } else { None }
    }
}

/// Causal self-attention (Vaswani and others, "Attention is all you need", 2017), added to its
/// input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attention {
    /// Normalises the input of the heads, but not the residual (pre-norm).
    pub norm: Option<Norm>,
    /// Number of heads; it divides the width.
    pub heads: u32,
    /// Queries, keys and values, in this order, in one map: width x 3 width. In a state it is called `joined`.
    #[serde(rename = "joined")]
    pub qkv: Linear,
    /// The output projection: width x width; absent when it is taken as it is.
    pub output: Option<Linear>,
    /// What each head adds to its logits by how two tokens stand in the tree of a text: heads x 63, or none.
    #[serde(default, with = "rekindle::array", skip_serializing_if = "Vec::is_empty")]
    pub relation_bias: Vec<f32>,
}

/// Two linear maps with an activation between them, added to their input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeedForward {
    /// Normalises the input of the maps, but not the residual (pre-norm).
    pub norm: Option<Norm>,
    /// Between the maps.
    pub activation: Activation,
    /// width x inner width.
    pub up: Linear,
    /// inner width x width.
    pub down: Linear,
}

/// The function between the two maps of a [`FeedForward`] layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// The Gaussian error linear unit in the form of GPT-2, with a hyperbolic tangent:
    /// `x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))`.
    Gelu,
    /// `max(x, 0)`.
    Relu,
}

/// A linear map: `y = x weight + bias`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Linear {
    /// inputs x outputs.
    #[serde(with = "rekindle::array")]
    pub weight: Matrix<f32>,
    /// A number for each output, or none at all.
    #[serde(with = "rekindle::array")]
    pub bias: Vec<f32>,
}

/// Layer normalisation (Ba, Kiros and Hinton, 2016): each row is brought to mean 0 and standard deviation 1,
/// then scaled and shifted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Norm {
    /// How the standard deviation is stabilised.
    pub form: NormForm,
    /// Keeps the divisor from zero.
    pub epsilon: f32,
    /// A factor for each column.
    #[serde(with = "rekindle::array")]
    pub gain: Vec<f32>,
    /// A summand for each column.
    #[serde(with = "rekindle::array")]
    pub bias: Vec<f32>,
}

/// How [`Norm`] stabilises the standard deviation of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NormForm {
    /// `sqrt(variance + epsilon)`, as almost everywhere.
    Variance,
    /// `sqrt(variance) + epsilon`, as in RustGPT.
    Deviation,
}

impl Linear {
    /// Number of inputs.
    pub fn inputs(&self) -> usize {
        self.weight.rows()
    }

    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        self.weight.columns()
    }
}
