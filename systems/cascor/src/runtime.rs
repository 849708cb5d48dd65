//! What both algorithms train with.

use rekindle_compute::{KernelPath, Pool};

use crate::candidates::{CandidateRunner, Candidates, Sensitivity, Statistics};
use crate::columns::Columns;
use crate::config::Model;
use crate::data::{Dataset, Examples, Preparation, Target};
use crate::network::{HiddenUnit, Network};
use crate::output_kernels::{self, OutputTask};
use crate::outputs::{OutputRunner, OutputSums};
use crate::state::{Growth, State};

/// What an epoch came to.
#[derive(Debug, Clone, PartialEq)]
pub struct StepMetrics {
    /// Mean squared error of the outputs; not a number when a weight is none.
    pub train_loss: f64,
    /// Outputs that are further from their targets than the threshold; known in epochs of the
    /// output layer.
    pub error_bits: Option<u32>,
    /// Score of the best candidate, not a number when that of any is none; known in epochs of candidates.
    pub correlation: Option<f64>,
}

/// How well a network knows some examples.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Mean squared error of the outputs.
    pub loss: f64,
    /// Outputs that are further from their targets than the threshold.
    pub error_bits: u64,
    /// Share of the examples whose class is right; for numbers the share of their variance that is
    /// explained.
    pub accuracy: f64,
}

/// The examples, the values of frozen units and scratch buffers: all that is computed anew rather than saved.
pub(crate) struct Runtime {
    pub model: Model,
    pub path: KernelPath,
    pub seed: u64,
    pool: Pool,
    preparation: Preparation,
    /// The units of these are all of the network's.
    pub training: Examples,
    pub select: Option<Examples>,
    pub test: Option<Examples>,
    /// The errors that candidates are trained on; absent until a phase of candidates needs them.
    errors: Option<Columns>,
    output: OutputRunner,
    candidates: CandidateRunner,
}

impl Runtime {
    /// That of a network and its examples.
    pub fn new(
        model: &Model,
        network: &Network,
        dataset: Dataset,
        seed: u64,
        pool: Pool,
        path: KernelPath,
    ) -> Self {
        let complete = |mut examples: Examples| {
            network.complete(path, &mut examples.units);
            examples
        };
        Self {
            model: model.clone(),
            path,
            seed,
            pool,
            preparation: dataset.preparation,
            training: complete(dataset.training),
            select: dataset.select.map(complete),
            test: dataset.test.map(complete),
            errors: None,
            output: OutputRunner::new(path),
            candidates: CandidateRunner::new(path, model.hidden),
        }
    }

    /// Number of training examples.
    pub fn cases(&self) -> f64 {
        self.training.units.cases() as f64
    }

    /// Number of targets over all training examples.
    pub fn numbers(&self) -> f64 {
        self.cases() * self.training.targets.len() as f64
    }

    /// Outputs, errors and slopes of an epoch of the output layer.
    pub fn output_epoch(&mut self, network: &Network, prime_offset: f32, threshold: f32) -> OutputSums {
        self.errors = None;
        let task = OutputTask {
            units: &self.training.units,
            targets: &self.training.targets,
            weights: &network.output_weights,
            activation: self.model.output,
            prime_offset,
            threshold,
            slopes: true,
        };
        self.output.run(&self.pool, &task)
    }

    /// The errors of the last epoch of the output layer, output by output.
    pub fn errors(&self) -> Vec<f32> {
        self.output.errors(&self.training.targets)
    }

    /// `o - t` with the weights as they are, output by output.
    pub fn differences(&self, network: &Network) -> Vec<f32> {
        let outputs = network.outputs_of(self.path, self.model.output, &self.training.units);
        let targets = &self.training.targets;
        let column = |output| outputs.column(output).zip(targets.column(output)).map(|(o, t)| o - t);
        (0..targets.len()).flat_map(column).collect()
    }

    /// Takes over the errors that candidates are trained on, unless they are known.
    pub fn take_errors(&mut self, errors: &[f32]) {
        self.errors.get_or_insert_with(|| {
            let cases = self.training.units.cases();
            let mut columns = Columns::new(cases);
            errors.chunks_exact(cases).for_each(|column| columns.push(column.iter().copied()));
            columns
        });
    }

    /// The statistics of all candidates, group by group.
    pub fn candidate_statistics(&mut self, candidates: &Candidates) -> &[Statistics] {
        let errors = self.errors.as_ref().expect("an epoch of candidates begins with the errors");
        self.candidates.forward(&self.pool, &self.training.units, errors, candidates)
    }

    /// What [`Self::candidate_statistics`] found last.
    pub fn statistics(&self) -> &[Statistics] {
        self.candidates.statistics()
    }

    /// The slopes of the candidates' weights, after [`Self::candidate_statistics`].
    pub fn candidate_slopes(&mut self, candidates: &Candidates, sensitivities: &[Sensitivity]) -> &[f32] {
        let errors = self.errors.as_ref().expect("an epoch of candidates begins with the errors");
        self.candidates.backward(&self.pool, &self.training.units, errors, candidates, sensitivities)
    }

    /// Appends a hidden unit with these weights.
    pub fn install(&mut self, network: &mut Network, weights: Vec<f32>, score: f32) {
        let unit = HiddenUnit { activation: self.model.hidden, score, weights };
        network.push(self.path, unit, &mut self.training.units);
        let unit = &network.hidden[network.hidden.len() - 1];
        for held in [&mut self.select, &mut self.test].into_iter().flatten() {
            output_kernels::push_unit(self.path, &mut held.units, &unit.weights, unit.activation);
        }
    }

    /// The row of a growth that is about to happen.
    pub fn growth(&self, state: &State, candidate: usize, score: f32, threshold: f32) -> Growth {
        let (training, select) = self.evaluations(&state.network, threshold);
        Growth {
            epochs: state.epochs,
            loss: training.loss,
            accuracy: training.accuracy,
            select_loss: select.as_ref().map(|evaluation| evaluation.loss),
            select_accuracy: select.as_ref().map(|evaluation| evaluation.accuracy),
            score: score.into(),
            candidate: candidate as u32,
        }
    }

    /// On what is learnt, and on what is chosen by if there is any.
    pub fn evaluations(&self, network: &Network, threshold: f32) -> (Evaluation, Option<Evaluation>) {
        let select = self.select.as_ref();
        (
            self.evaluate(network, &self.training, threshold),
            select.map(|examples| self.evaluate(network, examples, threshold)),
        )
    }

    /// How well a network knows some examples, which have the values of all its units.
    pub fn evaluate(&self, network: &Network, examples: &Examples, threshold: f32) -> Evaluation {
        let outputs = network.outputs_of(self.path, self.model.output, &examples.units);
        let (cases, count) = (outputs.cases(), outputs.len());
        let (mut squares, mut error_bits) = (0.0, 0);
        for output in 0..count {
            for (value, target) in outputs.column(output).zip(examples.targets.column(output)) {
                let difference = value - target;
                squares += f64::from(difference).powi(2);
                error_bits += u64::from(difference.abs() >= threshold);
            }
        }
        let accuracy = match &self.preparation.target {
            Target::Classes { .. } => {
                let class = |columns, case| self.preparation.class_of(columns, case);
                let right =
                    (0..cases).filter(|&case| class(&outputs, case) == class(&examples.targets, case));
                right.count() as f64 / cases as f64
            }
            Target::Numbers(_) => 1.0 - squares / variation(&examples.targets),
        };
        Evaluation { loss: squares / (cases * count) as f64, error_bits, accuracy }
    }
}

/// The sum of squares around each column's mean.
fn variation(targets: &Columns) -> f64 {
    let column = |column| {
        let values = || targets.column(column).map(f64::from);
        let mean = values().sum::<f64>() / targets.cases() as f64;
        values().map(|value| (value - mean).powi(2)).sum::<f64>()
    };
    (0..targets.len()).map(column).sum::<f64>().max(f64::MIN_POSITIVE)
}
