//! Everything that training needs to go on.

use rekindle_classify::{Preparation, ReadBits, Says};
use rekindle_compute::{LANES, rng};
use rekindle_gates::Circuit;
use rekindle_train::StateMismatch;
use serde::{Deserialize, Serialize};

use crate::circuit;
use crate::config::Model;
use crate::connections;
use crate::error::DwnError;
use crate::shape::Shape;
use crate::streams;

/// The state of a training run: what a checkpoint holds and a resume needs. Where it is within an epoch
/// follows from the steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Steps done, which is also how often the optimiser has stepped.
    pub step: u64,
    /// The examples: what they are, and how they are encoded. The bits that are read stand in random order.
    pub preparation: Preparation,
    /// The connections of the first layer.
    pub mapping: Mapping,
    /// The layers of lookup tables.
    pub layers: Vec<Layer>,
}

/// The learnable connections of the first layer; empty where they are not learnt. Each input of a table reads
/// the candidate with the largest weight, the first of equals.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Mapping {
    /// The candidates of a table, by blocks of 16 columns, flat. Shape: tables x blocks.
    #[serde(with = "rekindle::growing")]
    pub blocks: Vec<u32>,
    /// The weight of each candidate, flat. Shape: tables x inputs x candidates.
    #[serde(with = "rekindle::growing")]
    pub weights: Vec<f32>,
    /// Adam's running mean of the weights' gradient.
    #[serde(with = "rekindle::growing")]
    pub first_moment: Vec<f32>,
    /// Adam's running mean of the squared gradient.
    #[serde(with = "rekindle::growing")]
    pub second_moment: Vec<f32>,
}

/// A layer of lookup tables.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// What the inputs read, flat; empty where that is learnt. Shape: tables x inputs.
    #[serde(with = "rekindle::growing")]
    pub wires: Vec<u32>,
    /// The entries of each table, from -1 to 1, flat; those above 0 stand for 1. Shape: tables x 2^inputs; the
    /// first input is the lowest bit of an entry's number.
    #[serde(with = "rekindle::growing")]
    pub entries: Vec<f32>,
    /// Adam's running mean of the entries' gradient.
    #[serde(with = "rekindle::growing")]
    pub first_moment: Vec<f32>,
    /// Adam's running mean of the squared gradient.
    #[serde(with = "rekindle::growing")]
    pub second_moment: Vec<f32>,
}

impl State {
    /// Of no examples, to be loaded into.
    pub(crate) fn blank(model: &Model, preparation: Preparation) -> Self {
        let layers = vec![Layer::default(); model.layers.len()];
        Self { step: 0, preparation, mapping: Mapping::default(), layers }
    }

    /// The state before the first step.
    pub(crate) fn new(model: &Model, preparation: Preparation, seed: u64) -> Result<Self, DwnError> {
        let shape = Shape::new(model, preparation.used.len(), preparation.classes.len())?;
        let layer = |(index, &tables): (usize, &usize)| {
            let entries = tables * shape.entries();
            let mut stream = rng::stream(seed, streams::ENTRIES, index as u64);
            Layer {
                wires: connections::drawn(&shape, index, seed),
                entries: (0..entries).map(|_| 2.0 * stream.uniform() - 1.0).collect(),
                first_moment: vec![0.0; entries],
                second_moment: vec![0.0; entries],
            }
        };
        let layers = shape.layers.iter().enumerate().map(layer).collect();
        let weights = shape.layers[0] * shape.inputs * shape.candidates();
        let mut stream = rng::stream(seed, streams::WEIGHTS, 0);
        let mapping = Mapping {
            blocks: connections::candidate_blocks(&shape, seed),
            weights: (0..weights).map(|_| stream.uniform()).collect(),
            first_moment: vec![0.0; weights],
            second_moment: vec![0.0; weights],
        };
        Ok(Self { step: 0, preparation, mapping, layers })
    }

    /// The network as a circuit. Its inputs are the bits of [`Preparation::used`], in their order.
    ///
    /// # Errors
    /// When the state is not one of this model, or has more gates than circuits have.
    pub fn circuit(&self, model: &Model, says: Says) -> Result<Circuit, DwnError> {
        Ok(circuit::circuit(&self.check(model)?, self, says)?)
    }

    /// Checks that all parts fit each other and the config, and that every connection leads somewhere.
    pub(crate) fn check(&self, model: &Model) -> Result<Shape, DwnError> {
        self.preparation.check(model.encoding.bits, ReadBits::Telling)?;
        let shape = Shape::new(model, self.preparation.used.len(), self.preparation.classes.len())?;
        expect("layers", self.layers.len(), shape.layers.len())?;
        for (index, (&tables, layer)) in shape.layers.iter().zip(&self.layers).enumerate() {
            let wires = if shape.is_learnt(index) { 0 } else { tables * shape.inputs };
            let entries = tables * shape.entries();
            expect(&format!("layers.{index}.wires"), layer.wires.len(), wires)?;
            expect(&format!("layers.{index}.entries"), layer.entries.len(), entries)?;
            expect(&format!("layers.{index}.first_moment"), layer.first_moment.len(), entries)?;
            expect(&format!("layers.{index}.second_moment"), layer.second_moment.len(), entries)?;
            check_reads(&format!("layers.{index}.wires"), &layer.wires, shape.sources(index))?;
        }
        self.mapping.check(&shape)?;
        Ok(shape)
    }
}

impl Mapping {
    fn check(&self, shape: &Shape) -> Result<(), StateMismatch> {
        let weights = shape.layers[0] * shape.inputs * shape.candidates();
        expect("mapping.blocks", self.blocks.len(), shape.layers[0] * shape.candidate_blocks)?;
        expect("mapping.weights", self.weights.len(), weights)?;
        expect("mapping.first_moment", self.first_moment.len(), weights)?;
        expect("mapping.second_moment", self.second_moment.len(), weights)?;
        check_reads("mapping.blocks", &self.blocks, shape.columns() / LANES)
    }
}

fn expect(entry: &str, found: usize, expected: usize) -> Result<(), StateMismatch> {
    StateMismatch::require(found == expected, || format!("`{entry}` holds {found} elements, not {expected}"))
}

fn check_reads(entry: &str, numbers: &[u32], sources: usize) -> Result<(), StateMismatch> {
    let wrong = numbers.iter().find(|&&number| number as usize >= sources);
    StateMismatch::require(wrong.is_none(), || {
        format!("`{entry}` reads {} of {sources}", wrong.unwrap_or(&0))
    })
}
