//! Training and measuring a state.

use std::sync::{Mutex, PoisonError};

use rekindle_classify::rows::BLOCK;
use rekindle_classify::{Batch, BatchStreams, Batches, Classifier, Dataset, Examples, Says, Score};
use rekindle_compute::{KernelPath, Pool};
use rekindle_data::ConfusionMatrix;
use rekindle_gates::soft::Coefficients;
use rekindle_train::StateMismatch;

use crate::circuit;
use crate::config::{Model, Training};
use crate::error::LgnError;
use crate::network::{Block, Network, Scratch};
use crate::parameters::Parameters;
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
    epochs: u64,
    batches: Batches,
    data: Dataset,
    parameters: Parameters,
    /// The gradients of each part of a batch.
    gradients: Vec<Vec<Coefficients>>,
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
        let data = Dataset::load(&training.data, &model.reading(training.shift), seed)?;
        if data.preparation != state.preparation {
            let (found, expected) = (data.preparation.outline(), state.preparation.outline());
            let (origin, setting) = training.data.origin();
            return Err(StateMismatch::OtherData {
                origin: origin.to_string(),
                reason: found.difference_from(&expected),
                setting: setting.into(),
            }
            .into());
        }
        let streams = BatchStreams { order: streams::ORDER, shift: streams::SHIFT };
        let batches = Batches::new(&data, training.batch, training.shift, seed, streams);
        let parts = batches.size().div_ceil(BLOCK).min(MOST_PARTS);
        let steps = training.epochs.saturating_mul(batches.of_an_epoch(&data));
        Ok(Self {
            pool: Pool::new(threads)?,
            path: KernelPath::from_environment()?,
            temperature: model.temperature as f32,
            epochs: training.epochs,
            batches,
            parameters: Parameters::new(training, &shape, steps),
            gradients: vec![vec![[0.0; 4]; shape.gates()]; parts],
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
        self.epochs.saturating_mul(self.batches.of_an_epoch(&self.data))
    }

    /// Learns the next batch.
    pub fn step(&mut self, state: &mut State) -> Score {
        let Batch { levels, class } = self.batches.of_step(&self.data, state.step);
        self.parameters.soften(&self.pool, self.path, state);
        let network = Network {
            path: self.path,
            shape: &self.shape,
            state,
            coefficients: self.parameters.coefficients(),
            temperature: self.temperature,
        };
        let weight = 1.0 / self.batches.size() as f32;
        let (scratch, inputs) = (&self.scratch, self.data.training.inputs);
        let per_part = self.batches.size().div_ceil(BLOCK).div_ceil(self.gradients.len()) * BLOCK;
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

    /// How the network does on examples that anything is chosen by; none where there are none.
    pub fn select(&mut self, state: &State) -> Result<Option<Measure>, LgnError> {
        let Self { data, pool, path, shape, scratch, parameters, temperature, .. } = self;
        if data.select.is_empty() {
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
        (!self.data.test.is_empty()).then(|| self.confusion(state, &self.data.test)).transpose()
    }

    fn confusion(&self, state: &State, examples: &Examples) -> Result<ConfusionMatrix, LgnError> {
        let circuit = circuit::circuit(&self.shape, state, Says::Class)?;
        let (preparation, outputs) = (&state.preparation, self.shape.outputs());
        let classifier = Classifier::new(self.path, preparation, &circuit, outputs, Says::Class);
        let answers = classifier.classes(&self.pool, examples)?;
        let pairs = examples.class.iter().zip(&answers);
        let pairs = pairs.map(|(&class, &answer)| (class.into(), answer.into()));
        Ok(ConfusionMatrix::of(self.shape.classes, pairs))
    }
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
