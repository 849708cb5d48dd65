//! Whether the arrays of a network fit each other.

use super::{Layer, Linear, Network, Norm};
use crate::model::structure::{PAIRS, Structure};

/// No extent is larger: rows, columns, tokens.
const EXTENT_LIMIT: usize = 1 << 24;

/// The parts of a network do not fit each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{array}` is {found}, but {expected}")]
pub struct NetworkError {
    /// The array, such as `layers/0/attention/qkv/weight`.
    pub array: String,
    /// What it is.
    pub found: String,
    /// What it must be, and why.
    pub expected: String,
}

impl Network {
    /// Checks that all shapes fit each other and all numbers are finite.
    ///
    /// # Errors
    /// Names the first array that does not fit.
    pub fn check(&self) -> Result<(), NetworkError> {
        self.check_shapes()?;
        for (name, _, array) in self.arrays() {
            if let Some(position) = array.iter().position(|number| !number.is_finite()) {
                let found = format!("{} at element {position}", array[position]);
                return Err(refused(&name, found, "every number must be finite"));
            }
        }
        Ok(())
    }

    /// Checks that all shapes fit each other.
    ///
    /// # Errors
    /// Names the first array that does not fit.
    pub fn check_shapes(&self) -> Result<(), NetworkError> {
        let (vocabulary, width, context) = (self.vocabulary(), self.width(), self.context());
        let extents = [vocabulary, width, context];
        if extents.contains(&0) || extents.iter().any(|&extent| extent > EXTENT_LIMIT) {
            let found = format!("{vocabulary} x {width} for {context} positions");
            return Err(refused("token_embedding", found, "vocabulary, width and context must be positive"));
        }
        if self.position_embedding.columns() != width {
            let found = format!("{} wide", self.position_embedding.columns());
            return Err(refused("position_embedding", found, &format!("the tokens are {width} wide")));
        }
        let fits = |structure: &&Structure| structure.vocabulary() == vocabulary && structure.fits(width);
        if let Some(structure) = self.structure.as_ref().filter(|structure| !fits(structure)) {
            let found = format!("one of {} tokens", structure.vocabulary());
            let expected = format!("the network has {vocabulary} tokens {width} wide");
            return Err(refused("structure", found, &expected));
        }
        for (index, layer) in self.layers.iter().enumerate() {
            check_layer(&format!("layers/{index}"), layer, width)?;
        }
        let Some(output) = &self.output else { return Ok(()) };
        let found = (output.weight.rows(), output.weight.columns());
        if found != (vocabulary, width) {
            let expected = format!("{vocabulary} tokens {width} wide need {vocabulary} x {width}");
            return Err(refused("output/weight", format!("{} x {}", found.0, found.1), &expected));
        }
        check_length("output/bias", &output.bias, vocabulary, true)
    }
}

fn check_layer(name: &str, layer: &Layer, width: usize) -> Result<(), NetworkError> {
    match layer {
        Layer::Norm(norm) => check_norm(&format!("{name}/norm"), norm, width),
        Layer::Attention(layer) => {
            let name = format!("{name}/attention");
            let heads = layer.heads as usize;
            if heads == 0 || !width.is_multiple_of(heads) {
                let expected = format!("a width of {width} must be divisible by the number of heads");
                return Err(refused(&format!("{name}/heads"), heads.to_string(), &expected));
            }
            if let Some(norm) = &layer.norm {
                check_norm(&format!("{name}/norm"), norm, width)?;
            }
            check_linear(&format!("{name}/joined"), &layer.qkv, width, 3 * width)?;
            check_length(&format!("{name}/relation_bias"), &layer.relation_bias, heads * PAIRS, true)?;
            layer
                .output
                .as_ref()
                .map_or(Ok(()), |output| check_linear(&format!("{name}/output"), output, width, width))
        }
        Layer::FeedForward(layer) => {
            let name = format!("{name}/feed_forward");
            if let Some(norm) = &layer.norm {
                check_norm(&format!("{name}/norm"), norm, width)?;
            }
            let inner = layer.up.outputs();
            if inner == 0 || inner > EXTENT_LIMIT {
                return Err(refused(
                    &format!("{name}/up/weight"),
                    format!("{inner} wide"),
                    "it must be positive",
                ));
            }
            check_linear(&format!("{name}/up"), &layer.up, width, inner)?;
            check_linear(&format!("{name}/down"), &layer.down, inner, width)
        }
    }
}

fn check_linear(name: &str, linear: &Linear, inputs: usize, outputs: usize) -> Result<(), NetworkError> {
    let found = (linear.weight.rows(), linear.weight.columns());
    if found != (inputs, outputs) {
        let found = format!("{} x {}", found.0, found.1);
        return Err(refused(&format!("{name}/weight"), found, &format!("{inputs} x {outputs} is needed")));
    }
    check_length(&format!("{name}/bias"), &linear.bias, outputs, true)
}

fn check_norm(name: &str, norm: &Norm, width: usize) -> Result<(), NetworkError> {
    if !(norm.epsilon > 0.0 && norm.epsilon < 1.0) {
        return Err(refused(&format!("{name}/epsilon"), norm.epsilon.to_string(), "it must be in (0, 1)"));
    }
    check_length(&format!("{name}/gain"), &norm.gain, width, false)?;
    check_length(&format!("{name}/bias"), &norm.bias, width, false)
}

fn check_length(name: &str, array: &[f32], length: usize, may_be_absent: bool) -> Result<(), NetworkError> {
    if array.len() == length || (may_be_absent && array.is_empty()) {
        return Ok(());
    }
    Err(refused(name, format!("{} long", array.len()), &format!("{length} numbers are needed")))
}

fn refused(array: &str, found: String, expected: &str) -> NetworkError {
    NetworkError { array: array.to_owned(), found, expected: expected.to_owned() }
}
