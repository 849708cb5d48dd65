//! Everything that training needs to go on.

use rekindle_classify::{Preparation, Says};
use rekindle_compute::rng;
use rekindle_gates::Circuit;
use rekindle_gates::gate::{GATES, PASS_A};
use rekindle_train::StateMismatch;
use serde::{Deserialize, Serialize};

use crate::circuit;
use crate::config::{Model, Start};
use crate::error::LgnError;
use crate::shape::{Shape, StageShape};
use crate::streams;
use crate::wiring;

/// The logit of the first input's function in the beginning, where gates pass it on: a share of 0.908.
const PASS_LOGIT: f32 = 5.0;

/// The state of a training run: what a checkpoint holds and a resume needs. Where it is within an epoch
/// follows from the steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Steps done, which is also how often the optimiser has stepped.
    pub step: u64,
    /// The examples: what they are, and how they are encoded.
    pub preparation: Preparation,
    /// The convolutions, then the layers.
    pub layers: Vec<Layer>,
}

/// The gates of a layer, or of the kernels of a convolution.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// What is read, flat. Shape: gates x 2, the first and the second input of each; of a convolution
    /// kernels x leaves, the place in the window of each, (channel x window + line) x window + column.
    #[serde(with = "rekindle::growing")]
    pub wires: Vec<u32>,
    /// How much each gate tends to each of the sixteen functions, flat. Shape: gates x 16; the gates of a
    /// kernel stand together, those that read leaves first, the root last.
    #[serde(with = "rekindle::growing")]
    pub logits: Vec<f32>,
    /// AdamW's running mean of the logits' gradient.
    #[serde(with = "rekindle::growing")]
    pub first_moment: Vec<f32>,
    /// AdamW's running mean of the squared gradient.
    #[serde(with = "rekindle::growing")]
    pub second_moment: Vec<f32>,
}

impl State {
    /// Of no examples, to be loaded into.
    pub(crate) fn blank(model: &Model, preparation: Preparation) -> Self {
        let stages = model.convolutions.len() + model.layers.len();
        Self { step: 0, preparation, layers: vec![Layer::default(); stages] }
    }

    /// The state before the first step.
    pub(crate) fn new(model: &Model, preparation: Preparation, seed: u64) -> Result<Self, LgnError> {
        let shape = Shape::new(model, model.network_inputs(&preparation), preparation.classes.len())?;
        let layer = |(index, stage): (usize, &StageShape)| Layer {
            wires: wiring::wires(stage, index, seed),
            logits: logits(model.start, stage.gates(), index, seed),
            first_moment: vec![0.0; stage.gates() * GATES],
            second_moment: vec![0.0; stage.gates() * GATES],
        };
        let layers = shape.stages.iter().enumerate().map(layer).collect();
        Ok(Self { step: 0, preparation, layers })
    }

    /// The network as a circuit, in which each gate is its likeliest function. Its inputs are the bits of
    /// [`Preparation::used`], in their order.
    ///
    /// # Errors
    /// When the state is not one of this model, or has more gates than circuits have.
    pub fn circuit(&self, model: &Model, says: Says) -> Result<Circuit, LgnError> {
        Ok(circuit::circuit(&self.check(model)?, self, says)?)
    }

    /// Checks that all parts fit each other and the config, and that every wire leads somewhere.
    pub(crate) fn check(&self, model: &Model) -> Result<Shape, LgnError> {
        self.preparation.check(model.encoding.bits, model.read_bits())?;
        let inputs = model.network_inputs(&self.preparation);
        let shape = Shape::new(model, inputs, self.preparation.classes.len())?;
        let expect = |entry: &str, found: usize, expected: usize| {
            let reason = || format!("`{entry}` holds {found} elements, not {expected}");
            StateMismatch::require(found == expected, reason)
        };
        expect("layers", self.layers.len(), shape.stages.len())?;
        for (index, (stage, layer)) in shape.stages.iter().zip(&self.layers).enumerate() {
            let logits = stage.gates() * GATES;
            expect(&format!("layers.{index}.wires"), layer.wires.len(), stage.wires())?;
            expect(&format!("layers.{index}.logits"), layer.logits.len(), logits)?;
            expect(&format!("layers.{index}.first_moment"), layer.first_moment.len(), logits)?;
            expect(&format!("layers.{index}.second_moment"), layer.second_moment.len(), logits)?;
            let sources = stage.sources();
            let wrong = layer.wires.iter().find(|&&wire| wire as usize >= sources);
            StateMismatch::require(wrong.is_none(), || {
                format!("`layers.{index}.wires` reads {} of {sources}", wrong.unwrap_or(&0))
            })?;
        }
        Ok(shape)
    }
}

fn logits(start: Start, gates: usize, index: usize, seed: u64) -> Vec<f32> {
    let mut logits = vec![0.0; gates * GATES];
    match start {
        Start::Residual => {
            logits.chunks_exact_mut(GATES).for_each(|logits| logits[usize::from(PASS_A)] = PASS_LOGIT);
        }
        Start::Normal => {
            let mut stream = rng::stream(seed, streams::LOGITS, index as u64);
            logits.fill_with(|| stream.normal());
        }
    }
    logits
}
