//! Training and measuring a state.

use rekindle_classify::{Batch, BatchStreams, Batches, Classifier, Dataset, Says, Schedule, Score};
use rekindle_compute::{AdamW, KernelPath, Pool, rng};
use rekindle_data::ConfusionMatrix;
use rekindle_train::StateMismatch;

use crate::circuit;
use crate::config::{Model, Training};
use crate::error::DwnError;
use crate::learning::{Learner, Slopes, Update};
use crate::network::{Buffers, Examples};
use crate::shape::Shape;
use crate::state::State;
use crate::streams;

/// What is rebuilt and never saved: the examples, the threads and the buffers.
pub(crate) struct Trainer {
    pool: Pool,
    path: KernelPath,
    shape: Shape,
    temperature: f32,
    adam: AdamW,
    schedule: Schedule,
    decay: f32,
    epochs: u64,
    batches: Batches,
    data: Dataset,
    buffers: Buffers,
    slopes: Slopes,
}

impl Trainer {
    pub fn attach(
        model: &Model,
        training: &Training,
        seed: u64,
        state: &State,
        threads: usize,
    ) -> Result<Self, DwnError> {
        model.validate()?;
        training.validate()?;
        let shape = state.check(model)?;
        let data = load(model, training, seed)?;
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
        Ok(Self {
            pool: Pool::new(threads)?,
            path: KernelPath::from_environment()?,
            temperature: model.temperature as f32,
            adam: training.adam(),
            schedule: training.schedule,
            decay: decay(training.spectral, &shape),
            epochs: training.epochs,
            buffers: Buffers::new(&shape, state, batches.size()),
            slopes: Slopes::default(),
            batches,
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
        let total = self.total();
        let Batch { levels, class } = self.batches.of_step(&self.data, state.step);
        let Self { pool, path, shape, temperature, buffers, slopes, .. } = self;
        let learner = Learner { pool, path: *path, shape, temperature: *temperature };
        let examples = Examples { levels: &levels, class: &class };
        let score = learner.network(state).score(buffers, &examples, 1.0 / class.len() as f32);
        let learning_rate = self.schedule.rate(self.adam.learning_rate, state.step, total);
        let adam = AdamW { learning_rate, ..self.adam };
        learner.learn(buffers, slopes, state, Update { adam, step: state.step + 1, decay: self.decay });
        state.step += 1;
        score
    }

    /// How the network does on examples that anything is chosen by; none where there are none.
    pub fn select(&mut self, state: &State) -> Option<Score> {
        let Self { pool, path, shape, temperature, buffers, data, .. } = self;
        let learner = Learner { pool, path: *path, shape, temperature: *temperature };
        let (network, examples) = (learner.network(state), &data.select);
        let mut score = Score::default();
        for (index, class) in examples.class.chunks(buffers.batch).enumerate() {
            let first = index * buffers.batch;
            let levels: Vec<Vec<u8>> =
                (first..first + class.len()).map(|row| examples.row(row).to_vec()).collect();
            score.add(network.score(buffers, &Examples { levels: &levels, class }, 0.0));
        }
        (!examples.is_empty()).then_some(score)
    }

    /// How often the network takes an example of each class for which, of those that anything is chosen by and of
    /// those that are reported on; none where there are none.
    pub fn confusions(&self, state: &State) -> Result<[Option<ConfusionMatrix>; 2], DwnError> {
        let circuit = circuit::circuit(&self.shape, state, Says::Class)?;
        let (preparation, outputs) = (&state.preparation, self.shape.outputs());
        let classifier = Classifier::new(self.path, preparation, &circuit, outputs, Says::Class);
        let confusion = |examples: &rekindle_classify::Examples| -> Result<_, DwnError> {
            if examples.is_empty() {
                return Ok(None);
            }
            let answers = classifier.classes(&self.pool, examples)?;
            let pairs = examples.class.iter().zip(&answers);
            let pairs = pairs.map(|(&class, &answer)| (class.into(), answer.into()));
            Ok(Some(ConfusionMatrix::of(self.shape.classes, pairs)))
        };
        Ok([confusion(&self.data.select)?, confusion(&self.data.test)?])
    }
}

/// The examples of a config. The bits that are read stand in random order, so that blocks of them lie anywhere.
pub(crate) fn load(model: &Model, training: &Training, seed: u64) -> Result<Dataset, DwnError> {
    let mut dataset = Dataset::load(&training.data, &model.reading(training.shift), seed)?;
    rng::stream(seed, streams::COLUMNS, 0).shuffle(&mut dataset.preparation.used);
    Ok(dataset)
}

/// What spectral regularisation adds to the gradient of an entry of 1. By Parseval's theorem the squared Fourier
/// coefficients of a table add up to the mean of its squared entries.
fn decay(spectral: f64, shape: &Shape) -> f32 {
    (2.0 * spectral / shape.entries() as f64) as f32
}
