//! The sizes of a network, which follow from the config and the data.

use rekindle_compute::LANES;

use crate::config::Model;
use crate::error::DwnError;

/// Entries of all tables, and weights of all candidates, are at most so many.
const MOST_PARAMETERS: usize = 1 << 28;

/// The sizes of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Bits that are read.
    pub bits: usize,
    /// Inputs of a table.
    pub inputs: usize,
    /// Tables of each layer.
    pub layers: Vec<usize>,
    /// Blocks of [`LANES`] columns that the inputs of a table of the first layer choose among; 0 where they do
    /// not choose.
    pub candidate_blocks: usize,
    /// Classes that the last layer's tables are dealt to.
    pub classes: usize,
}

impl Shape {
    /// The sizes of the network of this config that reads so many bits.
    ///
    /// # Errors
    /// When the bits are fewer than a table's inputs, or the network has too many or too few tables.
    pub fn new(model: &Model, bits: usize, classes: usize) -> Result<Self, DwnError> {
        let blocks = bits.div_ceil(LANES);
        let candidate_blocks = (model.candidates / LANES).min(blocks);
        let layers = model.layers.clone();
        let shape = Self { bits, inputs: model.inputs, layers, candidate_blocks, classes };
        shape.check()?;
        Ok(shape)
    }

    fn check(&self) -> Result<(), DwnError> {
        if self.bits < self.inputs {
            return Err(DwnError::Shape(format!(
                "{} bits of the inputs differ between the rows, and lookup tables read {}; set more \
                 `model.encoding.bits` or fewer `model.inputs`",
                self.bits, self.inputs
            )));
        }
        let tables = self.layers.iter().try_fold(0_usize, |sum, &tables| sum.checked_add(tables));
        let entries = tables.and_then(|tables| tables.checked_mul(self.entries()));
        let of_connection = self.inputs * self.candidate_blocks * LANES;
        let weights = self.layers[0].checked_mul(of_connection);
        let is_small = |count: Option<usize>| count.is_some_and(|count| count <= MOST_PARAMETERS);
        if !is_small(entries) {
            return Err(DwnError::Shape(format!(
                "the tables would have more than {MOST_PARAMETERS} entries"
            )));
        }
        if !is_small(weights) {
            return Err(DwnError::Shape(format!(
                "the connections of the first layer would have more than {MOST_PARAMETERS} candidates; set fewer \
                 `model.candidates` or `model.layers`"
            )));
        }
        match self.outputs() < self.classes {
            true => Err(DwnError::Shape(format!(
                "the last of `model.layers` has {} lookup tables for {} classes; each class needs one at least",
                self.outputs(),
                self.classes
            ))),
            false => Ok(()),
        }
    }

    /// Entries of a table.
    pub fn entries(&self) -> usize {
        1 << self.inputs
    }

    /// Columns: the bits, which are begun with again until they fill a block.
    pub fn columns(&self) -> usize {
        self.bits.next_multiple_of(LANES)
    }

    /// Candidates of an input of the first layer.
    pub fn candidates(&self) -> usize {
        self.candidate_blocks * LANES
    }

    /// What a layer reads: columns, or outputs of the layer before.
    pub fn sources(&self, layer: usize) -> usize {
        if layer == 0 { self.columns() } else { self.layers[layer - 1] }
    }

    /// Whether the connections of a layer are learnt.
    pub fn is_learnt(&self, layer: usize) -> bool {
        layer == 0 && self.candidate_blocks > 0
    }

    /// Outputs of the last layer.
    pub fn outputs(&self) -> usize {
        self.layers.last().copied().unwrap_or_default()
    }
}
