//! What the files are made of.

use std::path::Path;

use super::super::error::ModelFileError;

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
    Whole(u64),
    Real(f32),
    /// What a layer saw last, which is of no use; and what was taken out of a record.
    Nothing,
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
    Whole,
    Real,
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
    use FieldType::{Adam, Array, Cache, Real, Whole};
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
                ("embedding_dim", Whole),
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
                ("epsilon", Real),
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
pub(super) fn place(index: usize, kind: usize) -> String {
    format!("network[{index}].{}", LAYERS[kind].name)
}

impl Adam {
    /// Decay of both moments, and what keeps the divisor from zero.
    pub fn rates(&self) -> [f32; 3] {
        [self.beta1, self.beta2, self.epsilon]
    }
}

impl Array {
    /// Checks that the numbers fill the rows, and are finite.
    pub fn check(self, path: &Path, place: &str) -> Result<Self, ModelFileError> {
        let count = u128::from(self.rows) * u128::from(self.columns);
        let found = self.numbers.len();
        if count != found as u128 {
            let expected = format!("{} x {} are needed", self.rows, self.columns);
            return Err(ModelFileError::malformed(path, place, format!("{found} numbers"), expected));
        }
        if let Some(position) = self.numbers.iter().position(|number| !number.is_finite()) {
            let found = format!("not finite at element {position}");
            let expected = "NaN and infinity (in JSON: null) can be neither trained nor asked; \
                            take a file from before training diverged";
            return Err(ModelFileError::malformed(path, place, found, expected));
        }
        Ok(self)
    }
}
