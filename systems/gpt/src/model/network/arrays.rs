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
    ($network:expr, $slice:ident, $linear:ident, $norm:ident, $rows:ident $(, $mut:tt)?) => {{
        let network = $network;
        let mut arrays = Vec::new();
        arrays.push((ArrayKind::TokenRows, network.token_embedding.$slice()));
        arrays.push((ArrayKind::Matrix, network.position_embedding.$slice()));
        if let Some(structure) = &$($mut)? network.structure {
            $rows(&mut arrays, &$($mut)? structure.depth_embedding);
            $rows(&mut arrays, &$($mut)? structure.tree_embedding);
        }
        for layer in &$($mut)? network.layers {
            match layer {
                Layer::Attention(layer) => {
                    if let Some(norm) = &$($mut)? layer.norm {
                        $norm(&mut arrays, norm);
                    }
                    $linear(&mut arrays, &$($mut)? layer.qkv);
                    if let Some(output) = &$($mut)? layer.output {
                        $linear(&mut arrays, output);
                    }
                    if !layer.relation_bias.is_empty() {
                        arrays.push((ArrayKind::Vector, &$($mut)? layer.relation_bias));
                    }
                }
                Layer::FeedForward(layer) => {
                    if let Some(norm) = &$($mut)? layer.norm {
                        $norm(&mut arrays, norm);
                    }
                    $linear(&mut arrays, &$($mut)? layer.up);
                    $linear(&mut arrays, &$($mut)? layer.down);
                }
                Layer::Norm(norm) => $norm(&mut arrays, norm),
            }
        }
        if let Some(output) = &$($mut)? network.output {
            arrays.push((ArrayKind::TokenRows, output.weight.$slice()));
            if !output.bias.is_empty() {
                arrays.push((ArrayKind::TokenNumbers, &$($mut)? output.bias));
            }
        }
        arrays
    }};
}

impl Network {
    /// All parameters, named as they are in a state, such as `layers/0/attention/joined/weight`.
    pub fn arrays(&self) -> Arrays<'_> {
        let arrays = self.array_names().into_iter().zip(self.slices());
        arrays.map(|(name, (kind, array))| (name, kind, array)).collect()
    }

    /// All parameters, to be changed.
    pub fn arrays_mut(&mut self) -> ArraysMut<'_> {
        let arrays = self.array_names().into_iter().zip(self.slices_mut());
        arrays.map(|(name, (kind, array))| (name, kind, array)).collect()
    }

    /// Kind and numbers of each array, without the names: these cost more than a step should.
    pub(crate) fn slices(&self) -> Vec<(ArrayKind, &[f32])> {
        collect!(self, as_slice, linear, norm, rows)
    }

    /// The same, to be changed.
    pub(crate) fn slices_mut(&mut self) -> Vec<(ArrayKind, &mut [f32])> {
        collect!(self, as_mut_slice, linear_mut, norm_mut, rows_mut, mut)
    }

    /// The names of all arrays, in the order of [`Self::slices`].
    pub(crate) fn array_names(&self) -> Vec<String> {
        let mut names = vec!["token_embedding".to_owned(), "position_embedding".to_owned()];
        if let Some(structure) = &self.structure {
            names.extend(
                (!structure.depth_embedding.is_empty()).then(|| "structure/depth_embedding".to_owned()),
            );
            names.extend(
                (!structure.tree_embedding.is_empty()).then(|| "structure/tree_embedding".to_owned()),
            );
        }
        for (index, layer) in self.layers.iter().enumerate() {
            let name = |part: &str| format!("layers/{index}/{part}");
            match layer {
                Layer::Attention(layer) => {
                    push_norm(&mut names, &name("attention/norm"), layer.norm.as_ref());
                    push_linear(&mut names, &name("attention/joined"), Some(&layer.qkv));
                    push_linear(&mut names, &name("attention/output"), layer.output.as_ref());
                    names.extend((!layer.relation_bias.is_empty()).then(|| name("attention/relation_bias")));
                }
                Layer::FeedForward(layer) => {
                    push_norm(&mut names, &name("feed_forward/norm"), layer.norm.as_ref());
                    push_linear(&mut names, &name("feed_forward/up"), Some(&layer.up));
                    push_linear(&mut names, &name("feed_forward/down"), Some(&layer.down));
                }
                Layer::Norm(norm) => push_norm(&mut names, &name("norm"), Some(norm)),
            }
        }
        if let Some(output) = &self.output {
            names.push("output/weight".to_owned());
            names.extend((!output.bias.is_empty()).then(|| "output/bias".to_owned()));
        }
        names
    }
}

fn linear<'a>(arrays: &mut Vec<(ArrayKind, &'a [f32])>, linear: &'a Linear) {
    arrays.push((ArrayKind::Matrix, linear.weight.as_slice()));
    if !linear.bias.is_empty() {
        arrays.push((ArrayKind::Vector, &linear.bias));
    }
}

fn linear_mut<'a>(arrays: &mut Vec<(ArrayKind, &'a mut [f32])>, linear: &'a mut Linear) {
    arrays.push((ArrayKind::Matrix, linear.weight.as_mut_slice()));
    if !linear.bias.is_empty() {
        arrays.push((ArrayKind::Vector, &mut linear.bias));
    }
}

fn rows<'a>(arrays: &mut Vec<(ArrayKind, &'a [f32])>, rows: &'a [f32]) {
    arrays.extend((!rows.is_empty()).then_some((ArrayKind::Matrix, rows)));
}

fn rows_mut<'a>(arrays: &mut Vec<(ArrayKind, &'a mut [f32])>, rows: &'a mut [f32]) {
    if !rows.is_empty() {
        arrays.push((ArrayKind::Matrix, rows));
    }
}

fn norm<'a>(arrays: &mut Vec<(ArrayKind, &'a [f32])>, norm: &'a Norm) {
    arrays.push((ArrayKind::Vector, &norm.gain));
    arrays.push((ArrayKind::Vector, &norm.bias));
}

fn norm_mut<'a>(arrays: &mut Vec<(ArrayKind, &'a mut [f32])>, norm: &'a mut Norm) {
    arrays.push((ArrayKind::Vector, &mut norm.gain));
    arrays.push((ArrayKind::Vector, &mut norm.bias));
}

fn push_linear(names: &mut Vec<String>, name: &str, linear: Option<&Linear>) {
    let Some(linear) = linear else { return };
    names.push(format!("{name}/weight"));
    names.extend((!linear.bias.is_empty()).then(|| format!("{name}/bias")));
}

fn push_norm(names: &mut Vec<String>, name: &str, norm: Option<&Norm>) {
    if norm.is_some() {
        names.extend([format!("{name}/gain"), format!("{name}/bias")]);
    }
}
