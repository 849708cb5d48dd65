//! The variant of the Juniper project: Adam on the output layer for a fixed number of epochs, and
//! candidates that climb the magnitude of their correlation with the error of one output, the one
//! that they explain best.
//!
//! Unlike there, every limit holds with and without examples to choose by, patience counts over growths, a
//! candidate is drawn from (seed, cycle, candidate) alone, and a candidate that stopped keeps its
//! best weights rather than its last.

use rekindle_compute::{AdamW, Moments, rng};

use crate::candidate_kernels::GROUP;
use crate::candidates::{Candidates, Sensitivity, Statistics};
use crate::config::Juniper;
use crate::runtime::{Evaluation, Runtime, StepMetrics};
use crate::state::juniper::{CandidatePhase, OutputPhase, Phase};
use crate::state::{Ending, JuniperState, State, TrainerState};
use crate::streams;

/// An output that is further from its target is an error bit: a class that is told apart by 0 and 1
/// is then in doubt.
pub(crate) const THRESHOLD: f32 = 0.4;

/// An epoch of whatever phase it is.
pub(crate) fn step(runtime: &mut Runtime, method: &Juniper, state: &mut State) -> StepMetrics {
    state.step += 1;
    state.epochs += 1;
    match &trainer(state).phase {
        Phase::Output(_) => output_epoch(runtime, method, state),
        Phase::Candidates(_) => candidate_epoch(runtime, method, state),
    }
}

fn trainer(state: &mut State) -> &mut JuniperState {
    match &mut state.trainer {
        TrainerState::Juniper(trainer) => trainer,
        TrainerState::Fahlman(_) => unreachable!("the state was checked against the method"),
    }
}

fn output_epoch(runtime: &mut Runtime, method: &Juniper, state: &mut State) -> StepMetrics {
    let TrainerState::Juniper(JuniperState { phase: Phase::Output(phase), .. }) = &mut state.trainer else {
        unreachable!("the phase was looked at before")
    };
    let sums = runtime.output_epoch(&state.network, 0.0, THRESHOLD);
    // The loss is the mean over examples and outputs.
    let share = (2.0 / runtime.numbers()) as f32;
    let gradient: Vec<f32> = sums.slopes.iter().map(|slope| slope * share).collect();
    let adam =
        AdamW { learning_rate: method.learning_rate, betas: [0.9, 0.999], epsilon: 1e-8, weight_decay: 0.0 };
    phase.epochs += 1;
    let weights = gradient.len();
    phase.first_moment.resize(weights, 0.0);
    phase.second_moment.resize(weights, 0.0);
    let mut moments = Moments {
        first_moment: std::mem::take(&mut phase.first_moment),
        second_moment: std::mem::take(&mut phase.second_moment),
    };
    adam.update(
        runtime.path,
        phase.epochs.into(),
        &mut state.network.output_weights,
        &gradient,
        &mut moments,
    );
    (phase.first_moment, phase.second_moment) = (moments.first_moment, moments.second_moment);
    if phase.epochs >= method.output_epochs {
        grow_or_end(runtime, method, state);
    }
    StepMetrics {
        train_loss: f64::from(sums.loss) / runtime.numbers(),
        error_bits: Some(sums.error_bits),
        correlation: None,
    }
}

/// The output layer is trained: training ends, or candidates are next.
fn grow_or_end(runtime: &mut Runtime, method: &Juniper, state: &mut State) {
    let (training, select) = runtime.evaluations(&state.network, THRESHOLD);
    let judged = select.as_ref().unwrap_or(&training);
    state.ending = ending(runtime, method, state, judged);
    if state.ending.is_some() {
        return;
    }
    let errors = runtime.differences(&state.network);
    let cycle = state.cycle();
    let (pool, units) = (method.pool as usize, state.network.units());
    let mut weights = vec![0.0; units * pool];
    for candidate in 0..pool {
        let mut stream =
            rng::stream(runtime.seed, streams::CANDIDATE, streams::candidate(cycle, candidate as u64));
        let column = weights.iter_mut().skip(candidate).step_by(pool);
        column.for_each(|weight| *weight = 0.1 * stream.normal());
    }
    trainer(state).phase = Phase::Candidates(CandidatePhase {
        epochs: 0,
        best_weights: weights.clone(),
        candidates: Candidates { count: method.pool, weights },
        best_correlations: vec![0.0; pool],
        epochs_without_gain: vec![0; pool],
        errors,
        loss: training.loss,
    });
}

/// Why training ends now, if it does.
fn ending(runtime: &Runtime, method: &Juniper, state: &mut State, judged: &Evaluation) -> Option<Ending> {
    let hidden = state.network.hidden.len();
    let trainer = trainer(state);
    if trainer.best_loss.is_none_or(|best| judged.loss < best) {
        (trainer.best_loss, trainer.growths_without_gain) = (Some(judged.loss), 0);
    } else {
        trainer.growths_without_gain += 1;
    }
    if judged.accuracy >= method.target_accuracy {
        Some(Ending::TargetAccuracy)
    } else if hidden >= runtime.model.max_hidden as usize {
        Some(Ending::MaxHidden)
    } else if method.patience > 0 && trainer.growths_without_gain >= method.patience {
        Some(Ending::Patience)
    } else {
        None
    }
}

/// A candidate's correlation with the errors of the output that it explains best.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Correlation {
    output: usize,
    value: f32,
    /// Means of the values and of the errors.
    means: [f32; 2],
    /// The root of both sums of squares, multiplied; and the values' sum of squares.
    scale: f32,
    squares: f32,
}

impl Correlation {
    fn of(statistics: &Statistics, lane: usize, errors: &[[f32; 2]], cases: f32) -> Self {
        let mean = statistics.values[lane] / cases;
        let squares = (-mean).mul_add(statistics.values[lane], statistics.squares[lane]).max(1e-12);
        let with = |output: usize| {
            let [sum, error_squares] = errors[output];
            let covariance = (-mean).mul_add(sum, statistics.products[output][lane]);
            let scale = (squares * error_squares.max(1e-12)).sqrt();
            Self { output, value: covariance / scale, means: [mean, sum / cases], scale, squares }
        };
        (1..errors.len())
            .map(with)
            .fold(with(0), |best, other| if other.value.abs() > best.value.abs() { other } else { best })
    }

    /// How the magnitude changes with a value of the candidate, times `factor`.
    fn write(&self, factor: f32, lane: usize, group: &mut Sensitivity) {
        let direction = factor * self.value.signum();
        let error = direction / self.scale;
        let value = -direction * self.value / self.squares;
        group.error[self.output][lane] = error;
        group.value[lane] = value;
        group.constant[lane] = -(error * self.means[1]) - value * self.means[0];
    }
}

fn candidate_epoch(runtime: &mut Runtime, method: &Juniper, state: &mut State) -> StepMetrics {
    let TrainerState::Juniper(JuniperState { phase: Phase::Candidates(phase), .. }) = &mut state.trainer
    else {
        unreachable!("the phase was looked at before")
    };
    runtime.take_errors(&phase.errors);
    let cases = runtime.cases() as f32;
    let errors = error_sums(&phase.errors, runtime.cases() as usize);
    let statistics = runtime.candidate_statistics(&phase.candidates);
    let pool = method.pool as usize;
    let zeros = Sensitivity { error: vec![[0.0; GROUP]; errors.len()], ..Sensitivity::default() };
    let mut sensitivities = vec![zeros; statistics.len()];
    for candidate in 0..pool {
        let (group, lane) = (candidate / GROUP, candidate % GROUP);
        if phase.is_done(candidate, method) {
            continue;
        }
        let correlation = Correlation::of(&statistics[group], lane, &errors, cases);
        phase.take(candidate, correlation.value);
        correlation.write(method.candidate_learning_rate as f32, lane, &mut sensitivities[group]);
    }
    let slopes = runtime.candidate_slopes(&phase.candidates, &sensitivities);
    phase.candidates.weights.iter_mut().zip(slopes).for_each(|(weight, slope)| *weight += slope);
    phase.epochs += 1;
    let (best, correlation) = phase.best();
    let is_sound = phase.best_correlations.iter().all(|correlation| correlation.is_finite());
    let metrics = StepMetrics {
        train_loss: phase.loss,
        error_bits: None,
        correlation: Some(if is_sound { f64::from(correlation.abs()) } else { f64::NAN }),
    };
    let all_done = (0..pool).all(|candidate| phase.is_done(candidate, method));
    if phase.epochs >= method.candidate_epochs || all_done {
        if f64::from(correlation.abs()) < method.correlation_threshold {
            state.ending = Some(Ending::NoCorrelation);
        } else {
            install(runtime, state, best, correlation.abs());
        }
    }
    metrics
}

/// Sum, and sum of squares around the mean, of each output's errors.
fn error_sums(errors: &[f32], cases: usize) -> Vec<[f32; 2]> {
    let sums = errors.chunks_exact(cases).map(|errors| {
        let sum: f64 = errors.iter().map(|&error| f64::from(error)).sum();
        let mean = sum / cases as f64;
        let squares: f64 = errors.iter().map(|&error| (f64::from(error) - mean).powi(2)).sum();
        [sum as f32, squares as f32]
    });
    sums.collect()
}

impl CandidatePhase {
    fn is_done(&self, candidate: usize, method: &Juniper) -> bool {
        method.candidate_patience > 0 && self.epochs_without_gain[candidate] >= method.candidate_patience
    }

    /// Notes the correlation of a candidate, and its weights if it is its best.
    fn take(&mut self, candidate: usize, correlation: f32) {
        if correlation.abs() <= self.best_correlations[candidate].abs() {
            self.epochs_without_gain[candidate] += 1;
            return;
        }
        self.best_correlations[candidate] = correlation;
        self.epochs_without_gain[candidate] = 0;
        let pool = self.candidates.count as usize;
        let weights = self.candidates.weights.iter().skip(candidate).step_by(pool);
        let best = self.best_weights.iter_mut().skip(candidate).step_by(pool);
        best.zip(weights).for_each(|(best, weight)| *best = *weight);
    }

    /// The best candidate and its correlation; among equals the first.
    fn best(&self) -> (usize, f32) {
        let correlations = self.best_correlations.iter().copied().enumerate();
        correlations.fold((0, 0.0), |best: (usize, f32), (index, correlation)| {
            if correlation.abs() > best.1.abs() { (index, correlation) } else { best }
        })
    }
}

/// Makes the candidate a hidden unit, with a random row of output weights.
fn install(runtime: &mut Runtime, state: &mut State, best: usize, score: f32) {
    let growth = runtime.growth(state, best, score, THRESHOLD);
    let mut stream = rng::stream(runtime.seed, streams::NEW_ROW, state.cycle());
    let row = (0..state.network.outputs).map(|_| 0.1 * stream.normal());
    state.network.output_weights.extend(row);
    let Phase::Candidates(phase) = &mut trainer(state).phase else {
        unreachable!("the phase was looked at before")
    };
    let weights = std::mem::take(&mut phase.best_weights);
    let weights = Candidates { count: phase.candidates.count, weights }.weights_of(best);
    trainer(state).phase = Phase::Output(OutputPhase::default());
    runtime.install(&mut state.network, weights, score);
    state.growth.push(growth);
}
