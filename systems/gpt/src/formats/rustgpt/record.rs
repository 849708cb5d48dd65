//! What the files are made of.

use std::path::Path;

use rekindle::Matrix;

use super::super::bytes::transposed;
use super::super::error::ModelFileError;
use crate::model::network::matrix;

/// Decay of both moments of RustGPT's optimisers, and what keeps the divisor from zero.
pub(super) const RATES: [f32; 3] = [0.9, 0.999, 1e-8];

/// A file's content.
pub(super) struct Model {
    /// By the number of their token.
    pub words: Vec<String>,
    pub layers: Vec<Record>,
}

/// A layer: its kind as an index of [`LAYERS`], and its fields in their order.
pub(super) struct Record {
    pub kind: usize,
    pub fields: Vec<Field>,
}

/// The value of a field.
pub(super) enum Field {
    Array(Array),
    Adam(Box<Adam>),
    Integer(u64),
    Float(f32),
    /// What a layer saw last, which is of no use; and what was taken out of a record.
    Empty,
}

/// A matrix, row by row.
#[derive(Clone)]
pub(super) struct Array {
    pub rows: u64,
    pub columns: u64,
    pub numbers: Vec<f32>,
}

/// The optimiser of one matrix.
pub(super) struct Adam {
    pub beta1: f32,
    pub beta2: f32,
    pub epsilon: f32,
    pub timestep: u64,
    pub m: Array,
    pub v: Array,
}

/// The type of a field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldType {
    Array,
    /// An array or nothing.
    Cache,
    Adam,
    Integer,
    Float,
}

/// A kind of layer.
pub(super) struct LayerKind {
    pub name: &'static str,
    pub fields: &'static [(&'static str, FieldType)],
}

pub(super) const EMBEDDINGS: usize = 0;
pub(super) const SELF_ATTENTION: usize = 1;
pub(super) const FEED_FORWARD: usize = 2;
pub(super) const LAYER_NORM: usize = 3;
pub(super) const OUTPUT_PROJECTION: usize = 4;

/// All kinds of layers by their number in bincode.
pub(super) const LAYERS: [LayerKind; 5] = {
    use FieldType::{Adam, Array, Cache, Float, Integer};
    [
        LayerKind {
            name: "Embeddings",
            fields: &[
                ("token_embeddings", Array),
                ("positional_embeddings", Array),
                ("cached_input", Cache),
                ("token_optimizer", Adam),
                ("positional_optimizer", Adam),
            ],
        },
        LayerKind {
            name: "SelfAttention",
            fields: &[
                ("embedding_dim", Integer),
                ("w_q", Array),
                ("w_k", Array),
                ("w_v", Array),
                ("cached_input", Cache),
                ("optimizer_w_q", Adam),
                ("optimizer_w_k", Adam),
                ("optimizer_w_v", Adam),
            ],
        },
        LayerKind {
            name: "FeedForward",
            fields: &[
                ("w1", Array),
                ("b1", Array),
                ("w2", Array),
                ("b2", Array),
                ("input", Cache),
                ("hidden_pre_activation", Cache),
                ("hidden_post_activation", Cache),
                ("optimizer_w1", Adam),
                ("optimizer_b1", Adam),
                ("optimizer_w2", Adam),
                ("optimizer_b2", Adam),
            ],
        },
        LayerKind {
            name: "LayerNorm",
            fields: &[
                ("epsilon", Float),
                ("gamma", Array),
                ("beta", Array),
                ("cached_input", Cache),
                ("cached_mean", Cache),
                ("cached_std", Cache),
                ("optimizer_gamma", Adam),
                ("optimizer_beta", Adam),
            ],
        },
        LayerKind {
            name: "OutputProjection",
            fields: &[("w_out", Array), ("b_out", Array), ("optimizer", Adam), ("cached_input", Cache)],
        },
    ]
};

/// The names of all kinds, for messages.
pub(super) fn known() -> String {
    format!("the layers can be {}", LAYERS.map(|kind| kind.name).join(", "))
}

/// The name of a layer, for messages.
pub(super) fn location(index: usize, kind: usize) -> String {
    format!("network[{index}].{}", LAYERS[kind].name)
}

impl Adam {
    /// Decay of both moments, and what keeps the divisor from zero.
    pub fn rates(&self) -> [f32; 3] {
        [self.beta1, self.beta2, self.epsilon]
    }
}

impl Field {
    /// Rows become columns, in arrays and their optimisers.
    pub fn transposed(self) -> Self {
        match self {
            Self::Array(array) => Self::Array(array.transposed()),
            Self::Adam(adam) => {
                let (m, v) = (adam.m.transposed(), adam.v.transposed());
                Self::Adam(Box::new(Adam { m, v, ..*adam }))
            }
            other => other,
        }
    }
}

impl Array {
    pub fn new(rows: usize, columns: usize, numbers: Vec<f32>) -> Self {
        Self { rows: rows as u64, columns: columns as u64, numbers }
    }

    pub fn zeros(rows: usize, columns: usize) -> Self {
        Self::new(rows, columns, vec![0.0; rows * columns])
    }

    pub fn transposed(&self) -> Self {
        let numbers = transposed(&self.numbers, self.columns as usize);
        Self { rows: self.columns, columns: self.rows, numbers }
    }

    pub fn into_matrix(self) -> Matrix<f32> {
        matrix(self.rows as usize, self.columns as usize, self.numbers)
    }

    /// Matrices of the same shape side by side.
    pub fn concat_columns(parts: [&Self; 3]) -> Self {
        let (rows, columns) = (parts[0].rows as usize, parts[0].columns as usize);
        let row = |part: &Self, row: usize| part.numbers[row * columns..][..columns].to_vec();
        let numbers = (0..rows).flat_map(|index| parts.into_iter().flat_map(move |part| row(part, index)));
        Self::new(rows, 3 * columns, numbers.collect())
    }

    /// One of three matrices that are side by side.
    pub fn column_block(&self, index: usize) -> Self {
        let columns = self.columns as usize / 3;
        let rows = self.numbers.chunks_exact(3 * columns);
        let numbers = rows.flat_map(|row| row[index * columns..][..columns].iter().copied());
        Self::new(self.rows as usize, columns, numbers.collect())
    }

    /// Checks that there are numbers, that they fill the rows, and are finite.
    pub fn check(self, path: &Path, location: &str) -> Result<Self, ModelFileError> {
        let count = u128::from(self.rows) * u128::from(self.columns);
        let found = self.numbers.len();
        if count != found as u128 || count == 0 {
            let expected = format!("{} x {} are needed", self.rows, self.columns);
            return Err(ModelFileError::malformed(path, location, format!("{found} numbers"), expected));
        }
        if let Some(position) = self.numbers.iter().position(|number| !number.is_finite()) {
            let found = format!("not finite at element {position}");
            let expected = "NaN and infinity (in JSON: null) can be neither trained nor asked; \
                            take a file from before training diverged";
            return Err(ModelFileError::malformed(path, location, found, expected));
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fill_the_rows() {
        let check = |rows, columns, len| {
            let array = Array { rows, columns, numbers: vec![1.0; len] };
            array.check(Path::new("x"), "network[0]").is_ok()
        };
        assert!(check(2, 3, 6));
        assert!(!check(2, 3, 5));
        // Nothing to fill, however long a row is said to be.
        assert!(!check(0, 1 << 60, 0));
        assert!(!check(u64::MAX, u64::MAX, 1));
    }

    #[test]
    fn what_is_joined_comes_apart() {
        let part = |first: f32| Array::new(2, 2, vec![first, first + 1.0, first + 2.0, first + 3.0]);
        let parts = [part(0.0), part(10.0), part(20.0)];
        let joined = Array::concat_columns(parts.each_ref());
        assert_eq!(joined.numbers, [0.0, 1.0, 10.0, 11.0, 20.0, 21.0, 2.0, 3.0, 12.0, 13.0, 22.0, 23.0]);
        for (index, part) in parts.iter().enumerate() {
            assert_eq!(joined.column_block(index).numbers, part.numbers);
        }
        assert_eq!(joined.transposed().numbers[..4], [0.0, 2.0, 1.0, 3.0]);
    }
}
