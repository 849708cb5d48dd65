//! Trains a state, epoch by epoch.

use rekindle_compute::{KernelPath, Pool};

use crate::candidates::{CandidateRunner, Candidates, Sensitivity, Statistics};
use crate::columns::Columns;
use crate::config::{Method, Model, Training};
use crate::data::{Dataset, Examples, Preparation, Target};
use crate::error::CascorError;
use crate::network::{HiddenUnit, Network};
use crate::output_kernels::{self, OutputTask};
use crate::outputs::{OutputRunner, OutputSums};
use crate::state::{Ending, Growth, State};
use crate::{fahlman, juniper};

/// Trains a [`State`]. It holds the examples and the values of frozen units: all that is computed
/// anew rather than saved.
pub struct Trainer {
    runtime: Runtime,
    method: Method,
}

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

impl Trainer {
    /// A trainer of `state` on `threads` threads.
    ///
    /// # Errors
    /// When the state does not fit the config or the examples, or there are no threads.
    pub fn attach(
        model: &Model,
        training: &Training,
        seed: u64,
        state: &State,
        threads: usize,
        path: KernelPath,
    ) -> Result<Self, CascorError> {
        state.validate(model, training)?;
        if state.preparation.examples == 0 {
            return Err(CascorError::NoExamples);
        }
        let dataset = Dataset::load(&training.data, model.output, seed)?;
        if dataset.preparation != state.preparation {
            let origin =
                training.data.file.as_ref().map_or("the examples".to_owned(), |file| format!("`{file}`"));
            return Err(CascorError::OtherData {
                origin,
                reason: difference(&dataset.preparation, &state.preparation),
            });
        }
        let complete = |mut examples: Examples| {
            state.network.complete(path, &mut examples.units);
            examples
        };
        let runtime = Runtime {
            model: model.clone(),
            path,
            pool: Pool::new(threads)?,
            seed,
            preparation: dataset.preparation,
            training: complete(dataset.training),
            select: dataset.select.map(complete),
            test: dataset.test.map(complete),
            errors: None,
            output: OutputRunner::new(path),
            candidates: CandidateRunner::new(path, model.hidden),
        };
        Ok(Self { runtime, method: training.method.clone() })
    }

    /// True when training has ended. A network that ended with as many hidden units as it might
    /// have goes on when it may have more.
    pub fn is_finished(&self, state: &State) -> bool {
        let may_grow = state.network.hidden.len() < self.runtime.model.max_hidden as usize;
        state.ending.is_some_and(|ending| ending != Ending::MaxHidden || !may_grow)
    }

    /// Trains one epoch of whatever phase it is. A state that has ended stays as it is.
    pub fn step(&mut self, state: &mut State) -> StepMetrics {
        if self.is_finished(state) {
            let evaluation = self.evaluate(state);
            let error_bits = u32::try_from(evaluation.error_bits).ok();
            return StepMetrics { train_loss: evaluation.loss, error_bits, correlation: None };
        }
        state.ending = None;
        let metrics = match &self.method {
            Method::Fahlman(method) => fahlman::step(&mut self.runtime, method, state),
            Method::Juniper(method) => juniper::step(&mut self.runtime, method, state),
        };
        // The loss is that before the step; one that went wrong would be seen after the next growth only.
        let is_sound = state.network.output_weights.iter().all(|weight| weight.is_finite());
        StepMetrics { train_loss: if is_sound { metrics.train_loss } else { f64::NAN }, ..metrics }
    }

    /// How well the network knows the training examples.
    pub fn evaluate(&self, state: &State) -> Evaluation {
        self.runtime.evaluate(&state.network, &self.runtime.training, self.threshold())
    }

    /// How well the network knows the examples that everything is chosen by.
    pub fn evaluate_select(&self, state: &State) -> Option<Evaluation> {
        let select = self.runtime.select.as_ref()?;
        Some(self.runtime.evaluate(&state.network, select, self.threshold()))
    }

    /// How well the network knows the examples that nothing was chosen by.
    pub fn evaluate_test(&self, state: &State) -> Option<Evaluation> {
        let test = self.runtime.test.as_ref()?;
        Some(self.runtime.evaluate(&state.network, test, self.threshold()))
    }

    /// The network that is trained.
    pub(crate) fn model(&self) -> &Model {
        &self.runtime.model
    }

    /// The examples that are learnt, if there are any.
    pub(crate) fn examples(&self) -> Option<&Examples> {
        Some(&self.runtime.training)
    }

    fn threshold(&self) -> f32 {
        match &self.method {
            Method::Fahlman(method) => method.threshold as f32,
            Method::Juniper(_) => juniper::THRESHOLD,
        }
    }
}

/// What the algorithms share.
pub(crate) struct Runtime {
    pub model: Model,
    pub path: KernelPath,
    pub seed: u64,
    pool: Pool,
    preparation: Preparation,
    /// The units of these are all of the network's.
    training: Examples,
    select: Option<Examples>,
    test: Option<Examples>,
    /// The errors that candidates are trained on; absent until a phase of candidates needs them.
    errors: Option<Columns>,
    output: OutputRunner,
    candidates: CandidateRunner,
}

impl Runtime {
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

    /// `examples` has the values of all units.
    fn evaluate(&self, network: &Network, examples: &Examples, threshold: f32) -> Evaluation {
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

/// In what the examples differ from those that the state was trained on.
fn difference(found: &Preparation, expected: &Preparation) -> String {
    let names = |preparation: &Preparation| {
        let names: Vec<&str> = preparation.inputs.iter().map(|input| input.name.as_str()).collect();
        names.join(", ")
    };
    if names(found) != names(expected) {
        return format!("its inputs are {}, those of the run {}", names(found), names(expected));
    }
    let (has, had) = (found.all_examples(), expected.all_examples());
    if has != had {
        return format!("it has {has} examples, the run {had}");
    }
    "its values are not those that the run was trained on".to_owned()
}
