//! The stack of GPT-2 and LoopOS: each block normalises what attention and feed-forward see, and
//! one more normalisation stands at the end.

use rekindle::Matrix;

use super::error::ModelFileError;
use crate::model::network::{
    Activation, Attention, FeedForward, Layer, Linear, Network, Norm, NormForm, Output,
};

/// What a network of this stack is, but for its parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PreNorm {
    pub vocabulary: usize,
    pub context: usize,
    pub width: usize,
    pub blocks: usize,
    pub heads: u32,
    /// Inner width of the feed-forward layers.
    pub inner: usize,
    pub activation: Activation,
    pub epsilon: f32,
    /// Attention maps have biases.
    pub attention_biases: bool,
    /// The output map is the token embedding.
    pub tied: bool,
}

impl PreNorm {
    /// That of a network, which must be whole.
    ///
    /// # Errors
    /// Names the first layer that is not of this stack.
    pub fn of(network: &Network, format: &'static str) -> Result<Self, ModelFileError> {
        network.check()?;
        let refused = |entry: &str, reason: &str| Err(refusal(format, entry, reason.to_owned()));
        let Some((Layer::Norm(last), layers)) = network.layers.split_last() else {
            return refused("layers", "must end with a normalisation");
        };
        let mut stack = Self {
            vocabulary: network.vocabulary(),
            context: network.context(),
            width: network.width(),
            blocks: layers.len() / 2,
            heads: 1,
            inner: 4 * network.width(),
            activation: Activation::Gelu,
            epsilon: last.epsilon,
            attention_biases: false,
            tied: network.output.is_none(),
        };
        stack.check_norm(format, &format!("layers/{}/norm", layers.len()), Some(last))?;
        for (index, layer) in layers.iter().enumerate() {
            match layer {
                Layer::Attention(layer) if index % 2 == 0 => stack.take_attention(format, index, layer)?,
                Layer::FeedForward(layer) if index % 2 == 1 => {
                    stack.take_feed_forward(format, index, layer)?
                }
                _ => {
                    let reason = "is out of place: attention and feed-forward layers must alternate";
                    return refused(&format!("layers/{index}"), reason);
                }
            }
        }
        if layers.len() % 2 == 1 {
            return refused("layers", "must have a feed-forward layer behind each attention");
        }
        if network.reads_structure() {
            let reason = "tells the network of the tree of a text; this format has no place for it";
            return refused("structure", reason);
        }
        if network.output_bias().iter().any(|&bias| bias != 0.0) {
            return refused("output/bias", "is not zero; logits have no bias in this format");
        }
        Ok(stack)
    }

    fn check_norm(
        &self,
        format: &'static str,
        entry: &str,
        norm: Option<&Norm>,
    ) -> Result<(), ModelFileError> {
        let reason = match norm {
            Some(norm) if norm.form == NormForm::Variance && norm.epsilon == self.epsilon => return Ok(()),
            Some(_) => "must normalise as the one at the end does",
            None => "must be there: only the input of a layer is normalised",
        };
        Err(refusal(format, entry, reason.to_owned()))
    }

    /// What an attention layer says of the stack; it must agree with those before.
    fn take_attention(
        &mut self,
        format: &'static str,
        index: usize,
        layer: &Attention,
    ) -> Result<(), ModelFileError> {
        let name = |part: &str| format!("layers/{index}/attention/{part}");
        self.check_norm(format, &name("norm"), layer.norm.as_ref())?;
        let Some(output) = &layer.output else {
            return Err(refusal(format, &name("output"), "must be there".to_owned()));
        };
        if index > 0 && layer.heads != self.heads {
            let reason = format!("is {}, but {} in the layers before", layer.heads, self.heads);
            return Err(refusal(format, &name("heads"), reason));
        }
        self.heads = layer.heads;
        self.attention_biases |= !(layer.qkv.bias.is_empty() && output.bias.is_empty());
        Ok(())
    }

    /// What a feed-forward layer says of the stack; it must agree with those before.
    fn take_feed_forward(
        &mut self,
        format: &'static str,
        index: usize,
        layer: &FeedForward,
    ) -> Result<(), ModelFileError> {
        let name = format!("layers/{index}/feed_forward");
        self.check_norm(format, &format!("{name}/norm"), layer.norm.as_ref())?;
        let found = (layer.activation, layer.up.outputs());
        if index > 1 && found != (self.activation, self.inner) {
            let before = format!("{:?} and {}", self.activation, self.inner);
            let reason = format!("has {:?} and {} inside, those before {before}", found.0, found.1);
            return Err(refusal(format, &name, reason));
        }
        (self.activation, self.inner) = found;
        Ok(())
    }

    /// A network of this stack whose parameters are all zero.
    pub fn zeros(&self) -> Network {
        let Self { vocabulary, context, width, inner, .. } = *self;
        let attention_bias = |outputs: usize| vec![0.0; if self.attention_biases { outputs } else { 0 }];
        let norm = || Norm {
            form: NormForm::Variance,
            epsilon: self.epsilon,
            gain: vec![0.0; width],
            bias: vec![0.0; width],
        };
        let linear = |inputs, outputs, bias| Linear { weight: Matrix::zeros(inputs, outputs), bias };
        let mut layers = Vec::new();
        for _ in 0..self.blocks {
            layers.push(Layer::Attention(Attention {
                norm: Some(norm()),
                heads: self.heads,
                qkv: linear(width, 3 * width, attention_bias(3 * width)),
                output: Some(linear(width, width, attention_bias(width))),
                relation_bias: Vec::new(),
            }));
            layers.push(Layer::FeedForward(FeedForward {
                norm: Some(norm()),
                activation: self.activation,
                up: linear(width, inner, vec![0.0; inner]),
                down: linear(inner, width, vec![0.0; width]),
            }));
        }
        layers.push(Layer::Norm(norm()));
        let output =
            (!self.tied).then(|| Output { weight: Matrix::zeros(vocabulary, width), bias: Vec::new() });
        Network {
            token_embedding: Matrix::zeros(vocabulary, width),
            position_embedding: Matrix::zeros(context, width),
            layers,
            output,
            structure: None,
        }
    }
}

fn refusal(format: &'static str, entry: &str, reason: String) -> ModelFileError {
    ModelFileError::inexpressible(format, format!("`{entry}`"), reason)
}
