//! Fahlman and Lebiere's algorithm: S. E. Fahlman and C. Lebiere, "The cascade-correlation learning
//! architecture", CMU-CS-90-100, 1990, in the details of Fahlman's own program.
//!
//! The output layer is trained by quickprop until it stagnates. Then a pool of candidates is
//! trained to covary with the errors that are left, the best of them becomes a hidden unit whose
//! weights are frozen, and the output layer is trained again, until no output is further from its
//! target than the threshold.

use rekindle_compute::rng;
use rekindle_train::EarlyStopping;

use crate::candidate_kernels::{GROUP, Group};
use crate::candidates::{Candidates, Sensitivity, Statistics};
use crate::config::{self, Fahlman};
use crate::network::Network;
use crate::outputs::OutputSums;
use crate::quickprop::{Memory, Quickprop};
use crate::runtime::{Runtime, StepMetrics};
use crate::state::fahlman::{CandidatePhase, FahlmanState, Phase, Stagnation};
use crate::state::{Ending, State, TrainerState};
use crate::streams;

impl Stagnation {
    /// Counts an epoch that came to `value`; true when the phase is over.
    fn is_over(&mut self, epoch: u64, value: f32, settings: &config::Quickprop) -> bool {
        self.epochs += 1;
        let counts = |last: f32| (value - last).abs() > last * settings.change as f32;
        let stagnates = match self.last {
            _ if settings.patience == 0 => false,
            None => {
                self.last = Some(value);
                false
            }
            Some(last) if counts(last) => {
                self.last = Some(value);
                self.quit_at = epoch + u64::from(settings.patience);
                false
            }
            Some(_) => epoch >= self.quit_at,
        };
        stagnates || self.epochs >= settings.epochs
    }
}

/// An epoch of whatever phase it is.
pub(crate) fn step(runtime: &mut Runtime, method: &Fahlman, state: &mut State) -> StepMetrics {
    let TrainerState::Fahlman(FahlmanState { phase, .. }) = &state.trainer else {
        unreachable!("the state was checked against the method")
    };
    state.step += 1;
    match phase {
        Phase::Output(_) => output_epoch(runtime, method, state),
        Phase::Candidates(_) => candidate_epoch(runtime, method, state),
    }
}

/// The parts of a state that an epoch works on.
fn parts(state: &mut State) -> (&mut Network, &mut Memory, &mut Phase) {
    match &mut state.trainer {
        TrainerState::Fahlman(trainer) => {
            (&mut state.network, &mut trainer.output_memory, &mut trainer.phase)
        }
        TrainerState::Juniper(_) => unreachable!("the state was checked against the method"),
    }
}

fn output_epoch(runtime: &mut Runtime, method: &Fahlman, state: &mut State) -> StepMetrics {
    let epoch = state.epochs + 1;
    let (network, memory, phase) = parts(state);
    let sums = runtime.output_epoch(network, method.prime_offset as f32, method.threshold as f32);
    let metrics = StepMetrics {
        train_loss: f64::from(sums.loss) / runtime.numbers(),
        error_bits: Some(sums.error_bits),
        correlation: None,
    };
    if sums.error_bits == 0 {
        // The look that finds no error changes nothing and counts as no epoch.
        state.ending = Some(Ending::Solved);
        return metrics;
    }
    let quickprop = Quickprop {
        epsilon: (method.output.epsilon / runtime.cases()) as f32,
        mu: method.output.mu as f32,
        decay: method.output.decay as f32,
    };
    memory.grow(network.output_weights.len());
    quickprop.update(runtime.path, &mut network.output_weights, &sums.slopes, memory);
    let Phase::Output(stagnation) = phase else { unreachable!("the phase was looked at before") };
    let is_over = stagnation.is_over(epoch, sums.loss, &method.output);
    state.epochs = epoch;
    if is_over {
        state.ending = ending(runtime, method, state);
        if state.ending.is_none() {
            look_for_candidates(runtime, method, state, &sums, metrics.train_loss);
        }
    }
    metrics
}

/// Why training ends now that the output layer stagnates, if it does.
fn ending(runtime: &Runtime, method: &Fahlman, state: &mut State) -> Option<Ending> {
    if method.patience > 0 && is_patience_exhausted(runtime, method, state) {
        return Some(Ending::Patience);
    }
    let may_grow = state.network.hidden.len() < runtime.model.max_hidden as usize;
    (!may_grow).then_some(Ending::MaxHidden)
}

/// Counts a growth, by the examples that everything is chosen by.
fn is_patience_exhausted(runtime: &Runtime, method: &Fahlman, state: &mut State) -> bool {
    let (training, select) = runtime.evaluations(&state.network, method.threshold as f32);
    let judged = select.as_ref().unwrap_or(&training);
    let TrainerState::Fahlman(trainer) = &mut state.trainer else {
        unreachable!("the state was checked against the method")
    };
    // It is measured once for each growth.
    let stopping = EarlyStopping { every: 1, patience: method.patience, min_improvement: 0.0 };
    let patience = trainer.patience.get_or_insert_default();
    patience.observe(state.step, judged.loss, &stopping);
    patience.is_exhausted(&stopping)
}

/// The next phase: a fresh pool of candidates, for the errors of the last epoch.
fn look_for_candidates(runtime: &Runtime, method: &Fahlman, state: &mut State, sums: &OutputSums, loss: f64) {
    let (errors, epoch) = (runtime.errors(), state.epochs);
    let (network, _, phase) = parts(state);
    let next = CandidatePhase::new(method, network, runtime.seed, epoch, errors, &sums.errors, sums.squares);
    *phase = Phase::Candidates(CandidatePhase { loss, ..next });
}

impl CandidatePhase {
    fn new(
        method: &Fahlman,
        network: &Network,
        seed: u64,
        epoch: u64,
        errors: Vec<f32>,
        error_sums: &[f32],
        error_squares: f32,
    ) -> Self {
        let (pool, units) = (method.pool as usize, network.units());
        let range = method.weight_range as f32;
        let cycle = network.hidden.len() as u64;
        let mut weights = vec![0.0; units * pool];
        for candidate in 0..pool {
            let mut stream =
                rng::stream(seed, streams::CANDIDATE, streams::candidate(cycle, candidate as u64));
            let column = weights.iter_mut().skip(candidate).step_by(pool);
            column.for_each(|weight| *weight = range * (2.0 * stream.uniform() - 1.0));
        }
        Self {
            stagnation: Stagnation::new(epoch, method.candidates.patience),
            primed: false,
            memory: Memory::zeros(weights.len()),
            candidates: Candidates { count: method.pool, weights },
            correlations: vec![0.0; pool * network.outputs as usize],
            errors,
            error_sums: error_sums.to_vec(),
            error_squares,
            loss: 0.0,
        }
    }

    /// The score of each candidate: the sum of its covariances with all outputs.
    fn scores(&self, outputs: usize) -> impl Iterator<Item = f32> + '_ {
        self.correlations.chunks_exact(outputs).map(|row| row.iter().map(|c| c.abs()).sum())
    }

    /// The best candidate and its score; among equals the first.
    fn best(&self, outputs: usize) -> (usize, f32) {
        let scores = self.scores(outputs).enumerate();
        scores.fold((0, 0.0), |best, (index, score)| if score > best.1 { (index, score) } else { best })
    }

    /// How the score changes with a candidate's value: the signs are those of the epoch before.
    /// Slopes are of the negative score, as quickprop goes down.
    fn sensitivities(&self, cases: f32) -> Vec<Sensitivity> {
        let outputs = self.error_sums.len();
        let mut groups = Vec::new();
        for rows in self.correlations.chunks(GROUP * outputs) {
            let mut group = Sensitivity { error: vec![[0.0; GROUP]; outputs], ..Sensitivity::default() };
            for (lane, row) in rows.chunks_exact(outputs).enumerate() {
                for (output, correlation) in row.iter().enumerate() {
                    let direction = if *correlation < 0.0 { 1.0 } else { -1.0 } / self.error_squares;
                    group.error[output][lane] = direction;
                    group.constant[lane] -= direction * (self.error_sums[output] / cases);
                }
            }
            groups.push(group);
        }
        groups
    }

    /// Covariances of this epoch, divided by the sum of the squared errors.
    fn correlate(&mut self, statistics: &[Statistics], cases: f32) {
        let outputs = self.error_sums.len();
        for (candidate, row) in self.correlations.chunks_exact_mut(outputs).enumerate() {
            let (group, lane) = (&statistics[candidate / GROUP], candidate % GROUP);
            let mean = of(&group.values, lane) / cases;
            for (output, correlation) in row.iter_mut().enumerate() {
                let product = of(&group.products[output], lane);
                *correlation = (product - mean * self.error_sums[output]) / self.error_squares;
            }
        }
    }
}

fn of(group: &Group, lane: usize) -> f32 {
    group[lane]
}

fn candidate_epoch(runtime: &mut Runtime, method: &Fahlman, state: &mut State) -> StepMetrics {
    let epoch = state.epochs + 1;
    let (network, _, phase) = parts(state);
    let Phase::Candidates(phase) = phase else { unreachable!("the phase was looked at before") };
    runtime.take_errors(&phase.errors);
    let (cases, outputs) = (runtime.cases() as f32, network.outputs as usize);
    let path = runtime.path;
    runtime.candidate_statistics(&phase.candidates);
    if phase.primed {
        let slopes = runtime.candidate_slopes(&phase.candidates, &phase.sensitivities(cases));
        let quickprop = Quickprop {
            epsilon: (method.candidates.epsilon / (f64::from(cases) * network.units() as f64)) as f32,
            mu: method.candidates.mu as f32,
            decay: method.candidates.decay as f32,
        };
        quickprop.update(path, &mut phase.candidates.weights, slopes, &mut phase.memory);
    }
    phase.correlate(runtime.statistics(), cases);
    let (best, score) = phase.best(outputs);
    let is_sound = phase.correlations.iter().all(|correlation| correlation.is_finite());
    let correlation = Some(if is_sound { f64::from(score) } else { f64::NAN });
    let metrics = StepMetrics { train_loss: phase.loss, error_bits: None, correlation };
    let over = phase.primed && phase.stagnation.is_over(epoch, score, &method.candidates);
    phase.primed = true;
    state.epochs = epoch;
    if over {
        install(runtime, method, state, best, score);
    }
    metrics
}

/// Makes the candidate a hidden unit. Its output weights begin with the opposite of its
/// covariance, so that they take some of the error off.
fn install(runtime: &mut Runtime, method: &Fahlman, state: &mut State, best: usize, score: f32) {
    let growth = runtime.growth(state, best, score, method.threshold as f32);
    let epoch = state.epochs;
    let (network, memory, phase) = parts(state);
    let Phase::Candidates(candidates) = &*phase else { unreachable!("the phase was looked at before") };
    let outputs = network.outputs as usize;
    let row = candidates.correlations[best * outputs..][..outputs].iter().map(|correlation| -correlation);
    network.output_weights.extend(row);
    let weights = candidates.candidates.weights_of(best);
    runtime.install(network, weights, score);
    memory.grow(network.output_weights.len());
    *phase = Phase::Output(Stagnation::new(epoch, method.output.patience));
    state.growth.push(growth);
}
