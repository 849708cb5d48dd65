//! The language model as a system of the training loop.

use std::collections::BTreeMap;
use std::num::NonZero;

use rekindle_compute::{AdamW, KernelPath, Pool};
use rekindle_formats::Format;
use rekindle_tokenizer::Change;
use rekindle_train::{
    Conclusion, ConfigOf, FileUse, MemoryNeed, Metrics, NamedFile, Preset, Progress, Resources, System,
    SystemError,
};

use crate::config::{Model, NewRows, Phase, Source, Training};
use crate::data::{Corpus, Document, origin};
use crate::error::GptError;
use crate::language_model::Vocabulary;
use crate::pass::{Dropout, Sequence};
use crate::schedule::Schedule;
use crate::state::{State, identities, load_all};
use crate::step::{StepSettings, StepValues, Stepper};
use crate::vocabulary::{distil, places};
use crate::{interchange, memory, presets, report};

/// Language models in the training loop; a step is an update of all parameters.
pub struct Gpt {
    seed: u64,
    model: Model,
    training: Training,
    documents: Vec<Document>,
    corpora: Vec<Corpus>,
    schedule: Schedule,
    stepper: Stepper,
    path: KernelPath,
}

const PRESETS: &[Preset] = &[
    Preset {
        name: "gpt",
        summary: "a small language model of logic and everyday facts that answers questions in a chat",
        yaml: presets::GPT,
    },
    Preset {
        name: "gpt-shakespeare",
        summary: "a model of 4 layers that learns a text letter by letter; needs --data FILE",
        yaml: presets::SHAKESPEARE,
    },
    Preset {
        name: "rustgpt",
        summary: "the model and the schedule of RustGPT; needs --data with its two files",
        yaml: presets::RUSTGPT,
    },
];

impl System for Gpt {
    const NAME: &'static str = "gpt";
    const SUMMARY: &'static str =
        "transformer language models that train on text, grow their vocabulary, and chat";

    type Model = Model;
    type Training = Training;
    type State = State;

    fn presets() -> &'static [Preset] {
        PRESETS
    }

    fn formats() -> &'static [Format] {
        interchange::FORMATS
    }

    /// The files may lie elsewhere; that they are the same is checked.
    fn changeable() -> &'static [&'static str] {
        &["training.pretraining.data.file", "training.tuning.data.file", "training.tokenizer.file"]
    }

    /// The vocabulary is in the state.
    fn files(training: &mut Training) -> Vec<NamedFile<'_>> {
        let Training { pretraining, tuning, tokenizer, .. } = training;
        let (always, beginning) = (FileUse::Always, FileUse::AtTheBeginning);
        let file = |setting, place, used| NamedFile { setting, place, used };
        let mut files = vec![file("training.pretraining.data.file", &mut pretraining.data.file, always)];
        if let Some(tuning) = tuning {
            files.push(file("training.tuning.data.file", &mut tuning.data.file, always));
        }
        files.push(file("training.tokenizer.file", &mut tokenizer.file, beginning));
        files
    }

    fn build(config: &ConfigOf<Self>) -> Result<State, SystemError> {
        validate(config)?;
        State::new(&config.model, &config.training, config.seed).map_err(SystemError::new)
    }

    fn blank(config: &ConfigOf<Self>) -> Result<State, SystemError> {
        validate(config)?;
        State::blank(&config.model, &config.training).map_err(SystemError::new)
    }

    fn adopt(config: &ConfigOf<Self>, state: &mut State) -> Result<(), SystemError> {
        state.adopt(&config.model, &config.training, config.seed).map_err(SystemError::new)
    }

    fn memory(config: &ConfigOf<Self>, state: Option<&State>) -> Option<MemoryNeed> {
        // Any vocabulary holds the bytes.
        const LEAST: usize = 256;
        validate(config).ok()?;
        let vocabulary = state.map_or(LEAST, |state| state.model.network.vocabulary());
        Some(memory::need(&config.model, &config.training, vocabulary))
    }

    fn attach(config: &ConfigOf<Self>, state: &State, resources: &Resources) -> Result<Self, SystemError> {
        validate(config)?;
        if let Some(flaw) = state.flaw(&config.model, &config.training) {
            return Err(SystemError::misfit(GptError::Misfit(flaw)));
        }
        Self::new(config, state, resources)
    }

    fn progress(&self, state: &State) -> Progress {
        let total = self.schedule.total();
        Progress { step: state.step, total: Some(total), finished: state.step >= total }
    }

    fn step(&mut self, state: &mut State) -> Result<Metrics, SystemError> {
        let Some((index, phase_step)) = self.schedule.phase_at(state.step) else {
            return Ok(Metrics::new());
        };
        let batches = self.batches(index, phase_step);
        let phase = phase(&self.training, index);
        let learning_rate = self.schedule.learning_rate(index, phase, phase_step);
        let settings = &self.training.optimizer;
        let adamw = AdamW {
            learning_rate,
            betas: settings.betas,
            epsilon: settings.epsilon,
            weight_decay: settings.weight_decay,
        };
        let share = self.model.dropout;
        let dropout = Dropout { seed: self.seed, step: state.step, share, first: 0 };
        let values = StepValues { adamw, dropout: (share > 0.0).then_some(dropout) };
        let State { model, optimizer, scaler, .. } = state;
        let report = self.stepper.step(&mut model.network, optimizer, scaler.as_mut(), &batches, values);
        let learnt: usize = batches.iter().flatten().map(Sequence::targets).sum();
        state.step += 1;
        state.tokens += learnt as u64;
        let mut metrics =
            Metrics::from([("loss".to_owned(), report.loss), ("learning_rate".to_owned(), learning_rate)]);
        if let Some(scaler) = &state.scaler {
            metrics.insert("loss_scale".to_owned(), scaler.scale.into());
        }
        self.adapt(state, &batches, learnt as u64).map_err(SystemError::new)?;
        if self.training.adapt.is_some() {
            metrics.insert("vocabulary".to_owned(), state.model.network.vocabulary() as f64);
        }
        Ok(metrics)
    }

    fn evaluate(&mut self, state: &State) -> Result<Metrics, SystemError> {
        Ok(self.measure(state, false))
    }

    fn conclude(&mut self, state: &State) -> Result<Conclusion, SystemError> {
        let mut metrics = self.measure(state, true);
        let threads = self.stepper.pool().threads();
        let is_examined = self.training.phases().any(|(_, phase)| phase.data.source == Source::Dialogues);
        let text = if is_examined {
            let examination = report::examine(&state.model, threads).map_err(SystemError::new)?;
            metrics.insert("examination".to_owned(), examination.right);
            examination.text
        } else {
            let start = self.corpora[0].measure.beginning(1).first().copied().unwrap_or(0);
            report::piece(&state.model, start, threads).map_err(SystemError::new)?
        };
        Ok(Conclusion { metrics, text, artifacts: Vec::new() })
    }

    fn option(name: &str, values: &[String]) -> Option<Result<Vec<String>, SystemError>> {
        let quoted = |value: &String| serde_json::Value::from(value.as_str());
        match (name, values) {
            ("data", [text]) => Some(Ok(vec![format!("training.pretraining.data.file={}", quoted(text))])),
            ("data", [text, dialogues]) => Some(Ok(vec![
                format!("training.pretraining.data.file={}", quoted(text)),
                format!("training.tuning.data.file={}", quoted(dialogues)),
            ])),
            ("data", _) => Some(Err(SystemError::new(GptError::Data {
                origin: "--data".to_owned(),
                reason: "one file is learnt first and one for tuning: give it once or twice".to_owned(),
            }))),
            ("tokenizer", [file]) => Some(Ok(vec![format!("training.tokenizer.file={}", quoted(file))])),
            _ => None,
        }
    }

    fn environment(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("kernels".to_owned(), self.path.name().to_owned())])
    }
}

impl Gpt {
    fn new(config: &ConfigOf<Self>, state: &State, resources: &Resources) -> Result<Self, SystemError> {
        let path = KernelPath::from_environment().map_err(SystemError::new)?;
        let (seed, model, training) = (&config.seed, &config.model, &config.training);
        let documents = load_all(training, *seed).map_err(SystemError::new)?;
        for (index, (found, expected)) in identities(&documents).iter().zip(&state.texts).enumerate() {
            if found != expected {
                let origin = origin(&phase(training, index).data);
                let reason = "the text is another one".to_owned();
                return Err(SystemError::misfit(GptError::OtherData { origin, reason }));
            }
        }
        let threads = NonZero::new(resources.threads).unwrap_or(NonZero::<usize>::MIN);
        let corpora = corpora(model, training, &documents, state, threads).map_err(SystemError::new)?;
        let schedule = Schedule::new(training, &corpora).map_err(SystemError::new)?;
        let settings = StepSettings {
            path,
            precision: training.precision,
            parts: training.parts as usize,
            clip: training.optimizer.clip,
        };
        let pool = Pool::new(resources.threads).map_err(SystemError::new)?;
        let stepper = Stepper::new(&state.model.network, settings, pool);
        let (model, training) = (model.clone(), training.clone());
        // Only a vocabulary that changes has them cut into tokens again.
        let documents = if training.adapt.is_some() { documents } else { Vec::new() };
        Ok(Self { seed: *seed, model, training, documents, corpora, schedule, stepper, path })
    }

    fn batches(&self, index: usize, phase_step: u64) -> Vec<Vec<Sequence>> {
        let phase = phase(&self.training, index);
        let (batch, accumulate) = (phase.batch as usize, u64::from(phase.accumulate));
        let context = self.model.context as usize;
        let numbers = phase_step * accumulate..(phase_step + 1) * accumulate;
        let lessons = &self.corpora[index].learn;
        // Each phase has random numbers of its own.
        numbers
            .map(|number| lessons.batch(self.seed ^ (index as u64) << 63, number, batch, context))
            .collect()
    }

    /// Counts what was learnt, and changes the vocabulary when it is time.
    fn adapt(&mut self, state: &mut State, batches: &[Vec<Sequence>], learnt: u64) -> Result<(), GptError> {
        let Some(adapt) = &self.training.adapt else { return Ok(()) };
        let Vocabulary::Adaptive(adaptive) = &mut state.model.vocabulary else { return Ok(()) };
        for sequence in batches.iter().flatten() {
            let text = adaptive.tokenizer().decode(&sequence.tokens);
            let text = text.map_err(|error| GptError::Growth(error.to_string()))?;
            adaptive.observe(&text);
        }
        if state.tokens / adapt.every == (state.tokens - learnt) / adapt.every {
            return Ok(());
        }
        let Some(change) = adaptive.propose() else { return Ok(()) };
        let (path, pool) = (self.path, self.stepper.pool());
        let text = match adapt.rows {
            NewRows::Distilled => self.text_in(&change, state.step),
            NewRows::Random | NewRows::Mean | NewRows::Parts => Vec::new(),
        };
        state.change_vocabulary(&change, adapt.rows, self.seed, |network, new| {
            distil(path, pool, network, new, &text);
        })?;
        self.stepper.resize(&state.model.network);
        let threads = NonZero::new(self.stepper.pool().threads()).unwrap_or(NonZero::<usize>::MIN);
        self.corpora = corpora(&self.model, &self.training, &self.documents, state, threads)?;
        Ok(())
    }

    /// The beginning of what is learnt, in the numbers of the vocabulary that a change makes. Tokens that
    /// are gone are left out.
    fn text_in(&self, change: &Change, step: u64) -> Vec<u32> {
        let last = self.corpora.len() - 1;
        let index = self.schedule.phase_at(step).map_or(last, |(index, _)| index);
        let places = places(change);
        let learnt = self.corpora[index].learn.beginning(FITTED_TOKENS);
        learnt.iter().filter_map(|token| places.get(token).copied()).collect()
    }

    /// Losses on what is not learnt, of the phase at hand; `whole` for all of it.
    fn measure(&mut self, state: &State, whole: bool) -> Metrics {
        let last = self.corpora.len() - 1;
        let index = self.schedule.phase_at(state.step).map_or(last, |(index, _)| index);
        let corpus = &self.corpora[index];
        let sequences = corpus.measure.measured(self.model.context as usize, whole);
        let mut metrics = Metrics::new();
        if sequences.is_empty() {
            return metrics;
        }
        let loss = self.stepper.evaluate(&state.model.network, &sequences);
        metrics.insert("validation_loss".to_owned(), loss);
        if corpus.measured_bytes > 0 {
            // All targets of the text, whichever of them were measured.
            let tokens_a_byte = corpus.measure.targets() as f64 / corpus.measured_bytes as f64;
            metrics.insert("bits_per_byte".to_owned(), loss * tokens_a_byte / std::f64::consts::LN_2);
        }
        metrics
    }
}

/// Tokens of the text in which contexts of new tokens are looked for.
const FITTED_TOKENS: usize = 1 << 18;

fn validate(config: &ConfigOf<Gpt>) -> Result<(), SystemError> {
    config.model.validate().and_then(|()| config.training.validate()).map_err(SystemError::new)
}

fn phase(training: &Training, index: usize) -> &Phase {
    match (&training.tuning, index) {
        (Some(tuning), 1) => tuning,
        _ => &training.pretraining,
    }
}

fn corpora(
    model: &Model,
    training: &Training,
    documents: &[Document],
    state: &State,
    threads: NonZero<usize>,
) -> Result<Vec<Corpus>, GptError> {
    let context = model.context as usize;
    let tokenizer = state.model.tokenizer();
    let pairs = training.phases().zip(documents);
    pairs
        .map(|((_, phase), document)| {
            let data = &phase.data;
            Corpus::new(document, tokenizer, context, data.evaluation, data.order, threads, &origin(data))
        })
        .collect()
}
