//! The parameters of a network as a list of named arrays, always in the same order.

use super::{Layer, Linear, Network, Norm};

/// What an array is to the optimiser and to a change of the vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArrayKind {
    /// A matrix with a row for each token.
    TokenRows,
    /// A number for each token.
    TokenNumbers,
    /// Any other matrix.
    Matrix,
    /// Biases and gains.
    Vector,
}

/// Name, kind and numbers of each array.
pub type Arrays<'a> = Vec<(String, ArrayKind, &'a [f32])>;
/// The same, to be changed.
pub type ArraysMut<'a> = Vec<(String, ArrayKind, &'a mut [f32])>;

/// One body for shared and for mutable borrows.
macro_rules! collect {
    ($network:expr, $slice:ident, $linear:ident, $norm:ident $(, $mut:tt)?) => {{
        let network = $network;
        let mut arrays = Vec::new();
        arrays.push(("token_embedding".to_owned(), ArrayKind::TokenRows, network.token_embedding.$slice()));
        arrays.push(("position_embedding".to_owned(), ArrayKind::Matrix, network.position_embedding.$slice()));
        for (index, layer) in (&$($mut)? network.layers).into_iter().enumerate() {
            match layer {
                Layer::Attention(layer) => {
                    if let Some(norm) = &$($mut)? layer.norm {
                        $norm(&mut arrays, &format!("layers/{index}/attention/norm"), norm);
                    }
                    $linear(&mut arrays, &format!("layers/{index}/attention/joined"), &$($mut)? layer.qkv);
                    if let Some(output) = &$($mut)? layer.output {
                        $linear(&mut arrays, &format!("layers/{index}/attention/output"), output);
                    }
                }
                Layer::FeedForward(layer) => {
                    if let Some(norm) = &$($mut)? layer.norm {
                        $norm(&mut arrays, &format!("layers/{index}/feed_forward/norm"), norm);
                    }
                    $linear(&mut arrays, &format!("layers/{index}/feed_forward/up"), &$($mut)? layer.up);
                    $linear(&mut arrays, &format!("layers/{index}/feed_forward/down"), &$($mut)? layer.down);
                }
                Layer::Norm(norm) => $norm(&mut arrays, &format!("layers/{index}/norm"), norm),
            }
        }
        if let Some(output) = &$($mut)? network.output {
            arrays.push(("output/weight".to_owned(), ArrayKind::TokenRows, output.weight.$slice()));
            if !output.bias.is_empty() {
                arrays.push(("output/bias".to_owned(), ArrayKind::TokenNumbers, &$($mut)? output.bias));
            }
        }
        arrays
    }};
}

impl Network {
    /// All parameters.
    pub fn arrays(&self) -> Arrays<'_> {
        collect!(self, as_slice, linear, norm)
    }

    /// All parameters, to be changed.
    pub fn arrays_mut(&mut self) -> ArraysMut<'_> {
        collect!(self, as_mut_slice, linear_mut, norm_mut, mut)
    }
}

fn linear<'a>(arrays: &mut Arrays<'a>, name: &str, linear: &'a Linear) {
    arrays.push((format!("{name}/weight"), ArrayKind::Matrix, linear.weight.as_slice()));
    if !linear.bias.is_empty() {
        arrays.push((format!("{name}/bias"), ArrayKind::Vector, &linear.bias));
    }
}

fn linear_mut<'a>(arrays: &mut ArraysMut<'a>, name: &str, linear: &'a mut Linear) {
    arrays.push((format!("{name}/weight"), ArrayKind::Matrix, linear.weight.as_mut_slice()));
    if !linear.bias.is_empty() {
        arrays.push((format!("{name}/bias"), ArrayKind::Vector, &mut linear.bias));
    }
}

fn norm<'a>(arrays: &mut Arrays<'a>, name: &str, norm: &'a Norm) {
    arrays.push((format!("{name}/gain"), ArrayKind::Vector, &norm.gain));
    arrays.push((format!("{name}/bias"), ArrayKind::Vector, &norm.bias));
}

fn norm_mut<'a>(arrays: &mut ArraysMut<'a>, name: &str, norm: &'a mut Norm) {
    arrays.push((format!("{name}/gain"), ArrayKind::Vector, &mut norm.gain));
    arrays.push((format!("{name}/bias"), ArrayKind::Vector, &mut norm.bias));
}
