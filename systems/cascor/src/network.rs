//! The network: hidden units in a cascade, and an output layer that sees everything.

use rekindle_compute::KernelPath;
use rekindle_train::StateMismatch;
use serde::{Deserialize, Serialize};

use crate::activation::{Activation, OutputActivation};
use crate::columns::Columns;
use crate::output_kernels;

/// A cascade-correlation network. Unit 0 is the bias, then come the inputs, then the hidden
/// units; every hidden unit sees all units before it, every output sees all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// Number of inputs.
    pub inputs: u32,
    /// Number of outputs.
    pub outputs: u32,
    /// In the order in which they were installed.
    pub hidden: Vec<HiddenUnit>,
    /// Weights of the output layer: a row for each unit, a column for each output.
    #[serde(with = "rekindle::growing")]
    pub output_weights: Vec<f32>,
}

/// A hidden unit; its weights no longer change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HiddenUnit {
    /// Its activation.
    pub activation: Activation,
    /// What it scored as a candidate: the sum over the outputs of its covariance with their
    /// errors, or its correlation with the errors of one.
    pub score: f32,
    /// A weight for each unit before it, the bias first.
    #[serde(with = "rekindle::growing")]
    pub weights: Vec<f32>,
}

impl Network {
    /// Number of units that the outputs see: the bias, inputs, and hidden units.
    pub fn units(&self) -> usize {
        1 + self.inputs as usize + self.hidden.len()
    }

    /// Appends the values of all hidden units to those of bias and inputs.
    pub(crate) fn complete(&self, path: KernelPath, units: &mut Columns) {
        units.truncate(1 + self.inputs as usize);
        for unit in &self.hidden {
            output_kernels::push_unit(path, units, &unit.weights, unit.activation);
        }
    }

    /// Appends a hidden unit, and its values to those of the units that it sees.
    pub(crate) fn push(&mut self, path: KernelPath, unit: HiddenUnit, units: &mut Columns) {
        output_kernels::push_unit(path, units, &unit.weights, unit.activation);
        self.hidden.push(unit);
    }

    /// The outputs for cases whose bias and inputs are given: a column for each output.
    pub fn outputs(&self, path: KernelPath, activation: OutputActivation, inputs: &Columns) -> Columns {
        let mut units = inputs.clone();
        self.complete(path, &mut units);
        self.outputs_of(path, activation, &units)
    }

    /// The outputs for cases of which the values of all units are given.
    pub(crate) fn outputs_of(
        &self,
        path: KernelPath,
        activation: OutputActivation,
        units: &Columns,
    ) -> Columns {
        output_kernels::outputs(path, units, &self.output_weights, activation, self.outputs as usize)
    }

    /// Checks that the weights are as many as the units need, and finite.
    pub(crate) fn check(&self) -> Result<(), StateMismatch> {
        for (index, (unit, expected)) in self.hidden.iter().zip(1 + self.inputs as usize..).enumerate() {
            let found = unit.weights.len();
            StateMismatch::require(found == expected, || {
                format!("hidden unit {index} has {found} weights; it sees {expected} units")
            })?;
        }
        let (found, expected) = (self.output_weights.len(), self.units() * self.outputs as usize);
        StateMismatch::require(found == expected, || {
            format!("the output layer has {found} weights; its units and outputs need {expected}")
        })?;
        let mut weights = self.hidden.iter().flat_map(|unit| &unit.weights).chain(&self.output_weights);
        StateMismatch::require(weights.all(|weight| weight.is_finite()), || {
            "a weight is not finite".to_owned()
        })
    }
}
