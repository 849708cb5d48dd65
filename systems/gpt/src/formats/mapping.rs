//! Which tensor of a file is which array of a network.

use std::borrow::Cow;
use std::collections::HashMap;

use super::bytes::transposed;
use crate::model::network::Network;

/// A tensor of a file, and the array of a network that it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TensorMapping {
    /// The name of the tensor.
    pub name: String,
    /// The name of the array in [`Network::arrays`].
    pub array: String,
    /// Extents of the tensor; the last varies fastest.
    pub shape: Vec<usize>,
    /// The tensor is the transpose of the array.
    pub transposed: bool,
}

impl TensorMapping {
    pub fn new(name: impl Into<String>, array: impl Into<String>, shape: &[usize]) -> Self {
        Self { name: name.into(), array: array.into(), shape: shape.to_vec(), transposed: false }
    }

    pub fn transposed(self) -> Self {
        Self { transposed: true, ..self }
    }

    /// Number of numbers.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Numbers that vary fastest: those of a row.
    pub fn columns(&self) -> usize {
        self.shape.last().copied().unwrap_or(1)
    }

    /// The numbers of the tensor, of what `arrays` holds; zeros for what a network can be without.
    pub fn numbers<'a>(&self, arrays: &HashMap<String, &'a [f32]>) -> Cow<'a, [f32]> {
        match arrays.get(&self.array) {
            None => Cow::Owned(vec![0.0; self.len()]),
            // Rows of the tensor have as many numbers as the array has rows.
            Some(numbers) if self.transposed => Cow::Owned(transposed(numbers, self.len() / self.columns())),
            Some(numbers) => Cow::Borrowed(numbers),
        }
    }

    /// The numbers of the array, of those of the tensor.
    pub fn to_array(&self, numbers: Vec<f32>) -> Vec<f32> {
        if self.transposed { transposed(&numbers, self.columns()) } else { numbers }
    }
}

/// The arrays of a network by name. The output map is there even when it is tied.
pub(super) fn arrays_by_name(network: &Network) -> HashMap<String, &[f32]> {
    let mut arrays: HashMap<_, _> =
        network.arrays().into_iter().map(|(name, _, array)| (name, array)).collect();
    arrays.entry("output/weight".to_owned()).or_insert(network.output_weight().as_slice());
    arrays
}

/// Copies arrays, by name, into a network that has arrays of these names.
pub(super) fn fill(network: &mut Network, mut arrays: HashMap<String, Vec<f32>>) {
    for (name, _, array) in network.arrays_mut() {
        if let Some(numbers) = arrays.remove(&name) {
            array.copy_from_slice(&numbers);
        }
    }
}
