//! Training and measuring a state.

use std::sync::{Mutex, PoisonError};

use rekindle_compute::{KernelPath, Pool, rng};
use rekindle_data::{ConfusionMatrix, Origin};
use rekindle_gates::soft::Coefficients;
use rekindle_train::StateMismatch;

use crate::circuit::Says;
use crate::classifier::Classifier;
use crate::config::{Model, Training};
use crate::data::{Dataset, Examples};
use crate::error::LgnError;
use crate::network::{Block, Network, Score, Scratch};
use crate::parameters::Parameters;
use crate::rows::BLOCK;
use crate::shape::Shape;
use crate::state::State;
use crate::streams;

/// The most parts that a batch is cut into, and so the most threads that can share it.
const MOST_PARTS: usize = 8;

/// What is rebuilt and never saved: the examples, the threads and the buffers.
pub(crate) struct Trainer {
    pool: Pool,
    path: KernelPath,
    shape: Shape,
    temperature: f32,
    seed: u64,
    epochs: u64,
    batch: usize,
    shift: usize,
    data: Dataset,
    parameters: Parameters,
    /// The gradients of each part of a batch.
    gradients: Vec<Vec<Coefficients>>,
    /// The order of an epoch.
    order: Option<(u64, Vec<usize>)>,
    /// Buffers that no thread uses at the moment.
    scratch: Mutex<Vec<Scratch>>,
}

impl Trainer {
    pub fn attach(
        model: &Model,
        training: &Training,
        seed: u64,
        state: &State,
        threads: usize,
    ) -> Result<Self, LgnError> {
        model.validate()?;
        training.validate()?;
        let shape = state.check(model)?;
        let data = Dataset::load(training, model, seed)?;
        if data.preparation != state.preparation {
            let (found, expected) = (data.preparation.outline(), state.preparation.outline());
            let (file, setting) = match &training.data.images {
                Some(images) => (Some(images), "training.data.images"),
                None => (training.data.file.as_ref(), "training.data.file"),
            };
            return Err(StateMismatch::OtherData {
                origin: Origin::of(file, "the examples").to_string(),
                reason: found.difference_from(&expected),
                setting: setting.into(),
            }
            .into());
        }
        let batch = training.batch.min(data.training.len());
        let parts = batch.div_ceil(BLOCK).min(MOST_PARTS);
        let steps = training.epochs.saturating_mul((data.training.len() / batch) as u64);
        Ok(Self {
            pool: Pool::new(threads)?,
            path: KernelPath::from_environment()?,
            temperature: model.temperature as f32,
            seed,
            epochs: training.epochs,
            batch,
            shift: training.shift,
            parameters: Parameters::new(training, &shape, steps),
            gradients: vec![vec![[0.0; 4]; shape.gates()]; parts],
            order: None,
            scratch: Mutex::new(Vec::new()),
            shape,
            data,
        })
    }

    /// What whoever trains should know of the examples.
    pub fn notes(&self) -> &[String] {
        &self.data.notes
    }

    pub fn path(&self) -> KernelPath {
        self.path
    }

    /// Steps in all.
    pub fn total(&self) -> u64 {
        self.epochs.saturating_mul(self.steps_of_an_epoch())
    }

    /// What does not fill a batch is left out, and is other examples in each epoch.
    fn steps_of_an_epoch(&self) -> u64 {
        (self.data.training.len() / self.batch) as u64
    }

    /// Learns the next batch.
    pub fn step(&mut self, state: &mut State) -> Score {
        let levels = self.next_levels(state.step);
        let class = self.next_classes(state.step);
        self.parameters.soften(&self.pool, self.path, state);
        let network = Network {
            path: self.path,
            shape: &self.shape,
            state,
            coefficients: self.parameters.coefficients(),
            temperature: self.temperature,
        };
        let weight = 1.0 / self.batch as f32;
        let (scratch, inputs) = (&self.scratch, self.data.training.inputs);
        let per_part = self.batch.div_ceil(BLOCK).div_ceil(self.gradients.len()) * BLOCK;
        let work = levels.chunks(per_part).zip(class.chunks(per_part)).zip(&mut self.gradients);
        let mut parts: Vec<_> =
            work.map(|((levels, class), gradients)| (levels, class, gradients, Score::default())).collect();
        self.pool.for_each(&mut parts, |_, (levels, class, gradients, score)| {
            gradients.fill([0.0; 4]);
            with_scratch(scratch, &self.shape, inputs, |scratch| {
                for (levels, class) in levels.chunks(BLOCK).zip(class.chunks(BLOCK)) {
                    score.add(network.learn(scratch, &Block { levels, class }, weight, gradients));
                }
            });
        });
        let mut score = Score::default();
        parts.iter().for_each(|(_, _, _, of_part)| score.add(*of_part));
        let gradients: Vec<&[Coefficients]> =
            parts.iter().map(|(_, _, gradients, _)| gradients.as_slice()).collect();
        self.parameters.update(&self.pool, self.path, state, &gradients);
        state.step += 1;
        score
    }

    /// The examples of a step, by number.
    fn next_rows(&mut self, step: u64) -> &[usize] {
        let (epoch, batch) = (step / self.steps_of_an_epoch(), step % self.steps_of_an_epoch());
        if self.order.as_ref().is_none_or(|(of, _)| *of != epoch) {
            let mut order: Vec<usize> = (0..self.data.training.len()).collect();
            rng::stream(self.seed, streams::ORDER, epoch).shuffle(&mut order);
            self.order = Some((epoch, order));
        }
        let first = batch as usize * self.batch;
        self.order.as_ref().map_or(&[], |(_, order)| &order[first..first + self.batch])
    }

    fn next_classes(&mut self, step: u64) -> Vec<u16> {
        let rows = self.next_rows(step).to_vec();
        rows.into_iter().map(|row| self.data.training.class[row]).collect()
    }

    /// The levels of the examples of a step, shifted.
    fn next_levels(&mut self, step: u64) -> Vec<Vec<u8>> {
        let rows = self.next_rows(step).to_vec();
        let examples = &self.data.training;
        let (reach, width) = (self.shift as i64, self.data.preparation.width as usize);
        let mut stream = rng::stream(self.seed, streams::SHIFT, step);
        let mut draw = || stream.below(2 * reach as u64 + 1) as i64 - reach;
        let levels = rows.into_iter().map(|row| match reach {
            0 => examples.row(row).to_vec(),
            _ => shifted(examples.row(row), width, draw(), draw()),
        });
        levels.collect()
    }

    /// How the network does on examples that anything is chosen by; none where there are none.
    pub fn select(&mut self, state: &State) -> Result<Option<Measure>, LgnError> {
        let Self { data, pool, path, shape, scratch, parameters, temperature, .. } = self;
        if data.select.len() == 0 {
            return Ok(None);
        }
        parameters.soften(pool, *path, state);
        let coefficients = parameters.coefficients();
        let network = Network { path: *path, shape, state, coefficients, temperature: *temperature };
        let examples = &data.select;
        let parts = examples.len().div_ceil(BLOCK);
        let mut scores = vec![Score::default(); parts];
        pool.for_each(&mut scores, |part, score| {
            let rows = part * BLOCK..((part + 1) * BLOCK).min(examples.len());
            let levels: Vec<Vec<u8>> = rows.clone().map(|row| examples.row(row).to_vec()).collect();
            with_scratch(scratch, shape, examples.inputs, |scratch| {
                let block = Block { levels: &levels, class: &examples.class[rows] };
                *score = network.score(scratch, &block, 0.0);
            });
        });
        let mut soft = Score::default();
        scores.iter().for_each(|score| soft.add(*score));
        let hard = self.confusion(state, &self.data.select)?;
        Ok(Some(Measure { soft, hard }))
    }

    /// How often the circuit takes an example of each class for which; none where there are no such examples.
    pub fn test(&self, state: &State) -> Result<Option<ConfusionMatrix>, LgnError> {
        (self.data.test.len() > 0).then(|| self.confusion(state, &self.data.test)).transpose()
    }

    fn confusion(&self, state: &State, examples: &Examples) -> Result<ConfusionMatrix, LgnError> {
        let classifier = Classifier::new(self.path, &self.shape, state, Says::Class)?;
        let answers = classifier.classes(&self.pool, examples)?;
        let pairs = examples.class.iter().zip(&answers);
        let pairs = pairs.map(|(&class, &answer)| (class.into(), answer.into()));
        Ok(ConfusionMatrix::of(self.shape.classes, pairs))
    }
}

/// A picture moved to the right and down; what comes in is 0.
fn shifted(levels: &[u8], width: usize, right: i64, down: i64) -> Vec<u8> {
    let height = (levels.len() / width) as i64;
    let mut moved = vec![0; levels.len()];
    for (line, moved) in moved.chunks_exact_mut(width).enumerate() {
        let from = line as i64 - down;
        if !(0..height).contains(&from) {
            continue;
        }
        let line = &levels[from as usize * width..][..width];
        let count = width.saturating_sub(right.unsigned_abs() as usize);
        let (to, from) = (right.max(0) as usize, (-right).max(0) as usize);
        if count > 0 {
            moved[to..to + count].copy_from_slice(&line[from..from + count]);
        }
    }
    moved
}

/// Calls `work` with buffers that nobody else uses.
fn with_scratch<R>(
    free: &Mutex<Vec<Scratch>>,
    shape: &Shape,
    inputs: usize,
    work: impl FnOnce(&mut Scratch) -> R,
) -> R {
    let taken = free.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut scratch = taken.unwrap_or_else(|| Scratch::new(shape, inputs));
    let result = work(&mut scratch);
    free.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
    result
}

/// How a network and its circuit do on examples.
pub(crate) struct Measure {
    /// The network.
    pub soft: Score,
    /// Its circuit.
    pub hard: ConfusionMatrix,
}
