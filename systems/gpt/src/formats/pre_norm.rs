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
        let refusal =
            |entry: &str, reason: String| ModelFileError::inexpressible(format, format!("`{entry}`"), reason);
        let refused = |entry: &str, reason: String| Err(refusal(entry, reason));
        let Some((Layer::Norm(last), layers)) = network.layers.split_last() else {
            return refused("layers", "must end with a normalisation".to_owned());
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
        let norm = |entry: &str, norm: &Option<Norm>| match norm {
            Some(norm) if norm.form == NormForm::Variance && norm.epsilon == last.epsilon => Ok(()),
            Some(_) => Err(refusal(entry, "must normalise as the one at the end does".to_owned())),
            None => Err(refusal(entry, "must be there: only the input of a layer is normalised".to_owned())),
        };
        norm(&format!("layers/{}/norm", layers.len()), &Some(last.clone()))?;
        for (index, layer) in layers.iter().enumerate() {
            let name = |part: &str| format!("layers/{index}/{part}");
            match layer {
                Layer::Attention(layer) if index % 2 == 0 => {
                    norm(&name("attention/norm"), &layer.norm)?;
                    let Some(output) = &layer.output else {
                        return refused(&name("attention/output"), "must be there".to_owned());
                    };
                    if index > 0 && layer.heads != stack.heads {
                        let reason = format!("is {}, but {} in the layers before", layer.heads, stack.heads);
                        return refused(&name("attention/heads"), reason);
                    }
                    stack.heads = layer.heads;
                    stack.attention_biases |= !(layer.qkv.bias.is_empty() && output.bias.is_empty());
                }
                Layer::FeedForward(layer) if index % 2 == 1 => {
                    norm(&name("feed_forward/norm"), &layer.norm)?;
                    let found = (layer.activation, layer.up.outputs());
                    if index > 1 && found != (stack.activation, stack.inner) {
                        let before = format!("{:?} and {}", stack.activation, stack.inner);
                        let reason =
                            format!("has {:?} and {} inside, those before {before}", found.0, found.1);
                        return refused(&name("feed_forward"), reason);
                    }
                    (stack.activation, stack.inner) = found;
                }
                _ => {
                    let reason = "is out of place: attention and feed-forward layers must alternate";
                    return refused(&format!("layers/{index}"), reason.to_owned());
                }
            }
        }
        if layers.len() % 2 == 1 {
            return refused("layers", "must have a feed-forward layer behind each attention".to_owned());
        }
        if network.output_bias().iter().any(|&bias| bias != 0.0) {
            return refused("output/bias", "is not zero; logits have no bias in this format".to_owned());
        }
        Ok(stack)
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
        }
    }
}
