//! Where a format keeps each array of a network.

use std::borrow::Cow;
use std::collections::HashMap;

use super::bytes::transposed;
use crate::network::Network;

/// Where a format keeps an array.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    /// Its name there.
    pub name: String,
    /// Its name in [`Network::arrays`].
    pub array: String,
    /// Its extents there; the last varies fastest.
    pub shape: Vec<usize>,
    /// Rows there are columns here.
    pub is_transposed: bool,
}

impl Place {
    pub fn new(name: impl Into<String>, array: impl Into<String>, shape: &[usize]) -> Self {
        Self { name: name.into(), array: array.into(), shape: shape.to_vec(), is_transposed: false }
    }

    pub fn transposed(self) -> Self {
        Self { is_transposed: true, ..self }
    }

    /// Number of numbers.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Numbers that vary fastest: those of a row.
    pub fn columns(&self) -> usize {
        self.shape.last().copied().unwrap_or(1)
    }

    /// The numbers as they stand there, of what `arrays` holds; zeros for what a network can be without.
    pub fn numbers<'a>(&self, arrays: &HashMap<String, &'a [f32]>) -> Cow<'a, [f32]> {
        match arrays.get(&self.array) {
            None => Cow::Owned(vec![0.0; self.len()]),
            // Rows there have as many numbers as there are rows here.
            Some(numbers) if self.is_transposed => {
                Cow::Owned(transposed(numbers, self.len() / self.columns()))
            }
            Some(numbers) => Cow::Borrowed(numbers),
        }
    }

    /// The numbers as they stand here.
    pub fn turned(&self, numbers: Vec<f32>) -> Vec<f32> {
        if self.is_transposed { transposed(&numbers, self.columns()) } else { numbers }
    }
}

/// The arrays of a network by name. Those that score tokens are there even when they are shared.
pub(super) fn by_name(network: &Network) -> HashMap<String, &[f32]> {
    let mut arrays: HashMap<_, _> =
        network.arrays().into_iter().map(|(name, _, array)| (name, array)).collect();
    arrays.entry("output/weight".to_owned()).or_insert(network.output_weight().as_slice());
    arrays
}

/// Puts arrays, by name, into a network that has the place for them.
pub(super) fn fill(network: &mut Network, mut arrays: HashMap<String, Vec<f32>>) {
    for (name, _, array) in network.arrays_mut() {
        if let Some(numbers) = arrays.remove(&name) {
            array.copy_from_slice(&numbers);
        }
    }
}
