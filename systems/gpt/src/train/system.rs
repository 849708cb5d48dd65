//! The language model as a system of the training loop.

use std::collections::BTreeMap;
use std::num::NonZero;

use rekindle::Versions;
use rekindle_compute::{AdamW, KernelPath, Pool};
use rekindle_data::binary_notice;
use rekindle_formats::Format;
use rekindle_tokenizer::Change;
use rekindle_train::{
    Capabilities, Conclusion, ConfigOf, Family, FileUse, MemoryNeed, Metrics, NamedFile, Preset, Progress,
    Resources, StateMismatch, System, SystemError, SystemOption, text_setting,
};

use crate::data::reasoning::{Problem, Suite};
use crate::data::{
    Corpus, CorpusOptions, Dataset, Document, Examples, Truncation, end_token, learns_shapes, origin,
    target_bytes,
};
use crate::error::GptError;
use crate::formats::interchange;
use crate::inference::text_model;
use crate::model::config::ModelConfig;
use crate::model::language_model::Vocabulary;
use crate::model::pass::{Dropout, Sequence};
use crate::model::precision::TrainingPrecision;
use crate::train::config::{NewRows, Phase, Retain, Source, TrainingConfig};
use crate::train::consolidation::Consolidation;
use crate::train::next_phase::{PHASES, next_phase};
use crate::train::retained::{Rehearsal, Retained, self_made, show_phase};
use crate::train::schedule::Schedule;
use crate::train::state::{self, PhasePlan, State, TextIdentity, load_needed};
use crate::train::step::{StepSettings, StepValues, Stepper};
use crate::train::teacher::AlignedTeacher;
use crate::train::vocabulary_change::{distil, new_indices};
use crate::train::{facts, memory, presets, reasoning_exam, report, shapes_exam};

/// Language models in the training loop; a step is an update of all parameters.
pub struct Gpt {
    seed: u64,
    model: ModelConfig,
    training: TrainingConfig,
    /// Those that are cut into tokens again, or of which examples are kept.
    documents: Vec<Option<Document>>,
    corpora: Vec<Corpus>,
    schedule: Schedule,
    stepper: Stepper,
    path: KernelPath,
    resources: Resources,
    /// The problems whose facts are kept.
    kept_problems: Vec<Problem>,
    /// What of earlier phases is learnt again.
    rehearsal: Rehearsal,
    /// The vocabulary has a token that ends a text.
    has_end: bool,
    /// The tokenizer puts tokens around a text.
    has_frame: bool,
    /// How the lengths of phases have changed since the run was saved.
    schedule_changes: Vec<String>,
}

const PRESETS: &[Preset] = &[
    Preset {
        name: "gpt",
        summary: "a small language model of logic and everyday facts that answers questions in a chat",
        yaml: presets::GPT,
    },
    Preset {
        name: "gpt-shakespeare",
        summary: "a model of 4 layers that learns a text letter by letter: option `data`",
        yaml: presets::SHAKESPEARE,
    },
    Preset {
        name: "gpt-logic",
        summary: "a model that draws conclusions from facts and rules in sentences, step by step",
        yaml: presets::LOGIC,
    },
    Preset {
        name: "gpt-shapes",
        summary: "a model that names what a picture shows, and draws what is named",
        yaml: presets::SHAPES,
    },
    Preset {
        name: "rustgpt",
        summary: "the model and the schedule of RustGPT: option `data` twice, for its two files",
        yaml: presets::RUSTGPT,
    },
];

const OPTIONS: &[SystemOption] = &[
    SystemOption::data(2, |files| {
        let settings = ["training.pretraining.data.file", "training.tuning.data.file"];
        Ok(settings.iter().zip(files).map(|(setting, file)| text_setting(setting, file)).collect())
    }),
    SystemOption {
        name: "tokenizer",
        value: "FILE",
        help: "Cut the text into tokens as this Hugging Face tokenizer.json does",
        most: 1,
        resumes: false,
        to_settings: |files| Ok(vec![text_setting("training.tokenizer.file", &files[0])]),
    },
    SystemOption {
        name: "teacher",
        value: "CHECKPOINT",
        help: "Learn from this checkpoint of another language model, too, such as runs/large@best",
        most: 1,
        resumes: true,
        to_settings: |addresses| Ok(vec![text_setting("training.distillation.teacher", &addresses[0])]),
    },
];

impl System for Gpt {
    const NAME: &'static str = "gpt";

    type Model = ModelConfig;
    type Training = TrainingConfig;
    type State = State;

    fn versions() -> Versions {
        state::versions()
    }

    /// The files may lie elsewhere; that they are the same is checked. A phase that is not over may become longer
    /// or shorter.
    fn changeable() -> &'static [&'static str] {
        &[
            "training.pretraining.data.file",
            "training.tuning.data.file",
            "training.tokenizer.file",
            "training.tokenizer.symbols.file",
            "training.pretraining.steps",
            "training.pretraining.epochs",
            "training.tuning.steps",
            "training.tuning.epochs",
            "training.distillation.teacher",
            "training.continual",
            "training.continual.*.data.file",
            "training.continual.*.steps",
            "training.continual.*.epochs",
        ]
    }

    /// The vocabulary is in the state.
    fn files(training: &mut TrainingConfig) -> Vec<NamedFile<'_>> {
        let TrainingConfig { pretraining, fine_tuning, continual, distillation, tokenizer, .. } = training;
        let beginning = FileUse::AtTheBeginning;
        // What more is learnt after does not need what was learnt before; where it does, it is read.
        let earlier = if continual.is_empty() { FileUse::Always } else { beginning };
        let mut files =
            vec![NamedFile::new("training.pretraining.data.file", &mut pretraining.data.file, earlier)];
        if let Some(tuning) = fine_tuning {
            files.push(NamedFile::new("training.tuning.data.file", &mut tuning.data.file, earlier));
        }
        let last = continual.len();
        for (phase, index) in continual.iter_mut().zip(1..) {
            let used = if index == last { FileUse::Always } else { beginning };
            let setting = format!("training.continual.{}.data.file", index - 1);
            files.push(NamedFile::new(setting, &mut phase.data.file, used));
        }
        if let Some(distillation) = distillation {
            let (setting, teacher) = ("training.distillation.teacher", &mut distillation.teacher);
            files.push(NamedFile::new(setting, teacher, FileUse::Checkpoint));
        }
        files.push(NamedFile::new("training.tokenizer.file", &mut tokenizer.file, beginning));
        if let Some(symbols) = &mut tokenizer.symbols {
            files.push(NamedFile::new("training.tokenizer.symbols.file", &mut symbols.file, beginning));
        }
        files
    }

    fn build(config: &ConfigOf<Self>) -> Result<State, SystemError> {
        validate(config)?;
        require_comparable(config)?;
        State::new(&config.model, &config.training, config.seed).map_err(SystemError::new)
    }

    fn blank(config: &ConfigOf<Self>) -> Result<State, SystemError> {
        validate(config)?;
        State::blank(&config.model, &config.training).map_err(SystemError::new)
    }

    fn adopt(config: &ConfigOf<Self>, state: &mut State) -> Result<(), SystemError> {
        state.adopt(&config.model, &config.training, config.seed).map_err(SystemError::new)
    }

    fn extend(config: &ConfigOf<Self>, state: &mut State) -> Result<(), SystemError> {
        validate(config)?;
        state.extend(&config.model, &config.training, config.seed).map_err(SystemError::new)
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
        if let Some(mismatch) = state.mismatch(&config.model, &config.training) {
            return Err(SystemError::mismatch(StateMismatch::Contradiction(mismatch)));
        }
        Self::new(config, state, resources)
    }

    fn warnings(&self) -> Vec<String> {
        let phases = self.training.phases().zip(&self.corpora);
        let notices = phases.flat_map(|((_, phase), corpus)| {
            let origin = origin(&phase.data);
            let cut = cut_notice(&origin, corpus.truncation, self.model.context);
            let ends = matches!(corpus.train, Dataset::Examples(_)) && !self.has_end;
            let endless = ends.then(|| format!("{origin}: the vocabulary has no token that ends a text"));
            let binary = phase.data.file.as_deref().and_then(binary_notice);
            cut.into_iter().chain(endless).chain(binary)
        });
        notices
            .chain(self.schedule_changes.iter().cloned())
            .chain(self.frame_notice())
            .chain(self.stepper.teacher().and_then(AlignedTeacher::notice))
            .collect()
    }

    fn measures(config: &ConfigOf<Self>) -> Vec<String> {
        measures(&config.training)
    }

    fn unit(metric: &str) -> Option<&'static str> {
        metric.ends_with("loss").then_some("nats per token")
    }

    fn averaged() -> &'static [&'static str] {
        &["loss", "pretraining.loss"]
    }

    fn progress(&self, state: &State) -> Progress {
        let total = self.schedule.total();
        Progress { step: state.step, total: Some(total), finished: state.step >= total }
    }

    fn step(&mut self, state: &mut State) -> Result<Metrics, SystemError> {
        let Some((index, phase_step)) = self.schedule.phase_at(state.step) else {
            return Ok(Metrics::new());
        };
        self.settle(state);
        if phase_step == 0 {
            self.begin_phase(state, index).map_err(SystemError::new)?;
        }
        let batches = self.batches(index, phase_step);
        let phase = self.training.phase(index);
        let learning_rate = self.schedule.learning_rate(index, phase, phase_step);
        let mut metrics = Metrics::from([("learning_rate".to_owned(), learning_rate)]);
        let learnt: usize = batches.iter().flatten().map(Sequence::targets).sum();
        if learnt > 0 {
            metrics.extend(self.learn(state, &batches, learning_rate, index));
        }
        if let (Some(facts), Some(problem)) = (&mut state.facts, self.kept_problems.get(state.step as usize))
        {
            facts::keep(facts, problem).map_err(SystemError::new)?;
        }
        state.step += 1;
        state.tokens += learnt as u64;
        if let Some(scaler) = &state.scaler {
            metrics.insert("loss_scale".to_owned(), scaler.scale.into());
        }
        self.adapt(state, &batches, learnt as u64).map_err(SystemError::new)?;
        if self.training.adapt.is_some() {
            metrics.insert("vocabulary".to_owned(), state.model.network.vocabulary() as f64);
        }
        metrics.extend(self.end_early(state, index, phase_step));
        if self.schedule.is_last(index, phase_step) {
            self.end_phase(state, index).map_err(SystemError::new)?;
        }
        Ok(metrics)
    }

    fn evaluate(&mut self, state: &State) -> Result<Metrics, SystemError> {
        let index = self.phase_of(state);
        Ok(self.measure(state, index, false))
    }

    fn conclude(&mut self, state: &State) -> Result<Conclusion, SystemError> {
        let index = self.phase_of(state);
        let mut metrics = self.measure(state, index, true);
        metrics.extend(self.measure_test(state, index));
        let threads = self.stepper.pool().threads();
        let suites = learnt_suites(&self.training);
        let text = if !suites.is_empty() {
            let (shares, text) =
                reasoning_exam::hold(&state.model, &suites, threads).map_err(SystemError::new)?;
            metrics.extend(shares);
            text
        } else if let Some(codebook) = &state.codebook {
            let (shares, text) =
                shapes_exam::hold(&state.model, codebook, threads).map_err(SystemError::new)?;
            metrics.extend(shares);
            text
        } else if learns_dialogues(&self.training) {
            let exam = report::hold_exam(&state.model, threads).map_err(SystemError::new)?;
            metrics.extend(exam.metrics);
            exam.text
        } else {
            let start = self.corpora[0].select.prefix(1).first().copied().unwrap_or(0);
            report::piece(&state.model, start, threads).map_err(SystemError::new)?
        };
        Ok(Conclusion { metrics, text, artifacts: Vec::new() })
    }

    fn environment(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("kernels".to_owned(), self.path.name().to_owned())])
    }
}

impl Family for Gpt {
    const SUMMARY: &'static str =
        "transformer language models that train on text, grow their vocabulary, and chat";

    fn presets() -> &'static [Preset] {
        PRESETS
    }

    fn formats() -> &'static [Format] {
        interchange::FORMATS
    }

    fn options() -> &'static [SystemOption] {
        OPTIONS
    }

    fn capabilities() -> Capabilities<Self> {
        Capabilities::default().text(text_model::CAPABILITY).learn_by_training(PHASES, next_phase)
    }
}

impl Gpt {
    fn new(config: &ConfigOf<Self>, state: &State, resources: &Resources) -> Result<Self, SystemError> {
        let path = KernelPath::from_environment().map_err(SystemError::new)?;
        let (seed, model, training) = (&config.seed, &config.model, &config.training);
        let documents = load_needed(training, *seed, state).map_err(SystemError::new)?;
        for ((document, expected), (path, phase)) in documents.iter().zip(&state.texts).zip(training.phases())
        {
            if document.as_ref().is_some_and(|document| TextIdentity::of(document) != *expected) {
                let (origin, reason) = (origin(&phase.data), "the text is another one".to_owned());
                let setting = format!("{path}.data.file").into();
                return Err(SystemError::mismatch(StateMismatch::OtherData { origin, reason, setting }));
            }
        }
        let corpora =
            corpora(model, training, *seed, &documents, state, resources).map_err(SystemError::new)?;
        let schedule = Schedule::new(&state.plan, training, &corpora).map_err(SystemError::new)?;
        let schedule_changes =
            schedule.changes(&state.plan, training, state.step).map_err(SystemError::new)?;
        let settings = StepSettings {
            path,
            precision: training.precision,
            parts: training.parts as usize,
            clip: training.optimizer.clip,
        };
        let pool = Pool::new(resources.threads).map_err(SystemError::new)?;
        let (tokenizer, context) = (state.model.tokenizer(), model.context as usize);
        let teacher = training.distillation.as_ref();
        let teacher = teacher.map(|settings| AlignedTeacher::load(settings, tokenizer, context, &pool));
        let teacher = teacher.transpose().map_err(SystemError::new)?;
        let stepper = Stepper::new(&state.model.network, settings, pool).with_teacher(teacher);
        let rehearsal = Rehearsal::of(state.retained.as_ref(), tokenizer, context);
        let (model, training) = (model.clone(), training.clone());
        let are_needed =
            training.adapt.is_some() || training.phases().any(|(_, phase)| phase.retain.is_some());
        let documents = if are_needed { documents } else { Vec::new() };
        let has_end = end_token(state.model.tokenizer()).is_some();
        let has_frame = !state.model.tokenizer().frame().is_empty();
        let kept_problems = facts::problems(&training, *seed);
        let (seed, resources) = (*seed, resources.clone());
        Ok(Self {
            seed,
            model,
            training,
            documents,
            corpora,
            schedule,
            stepper,
            path,
            resources,
            kept_problems,
            rehearsal,
            has_end,
            has_frame,
            schedule_changes,
        })
    }

    fn batches(&self, index: usize, phase_step: u64) -> Vec<Vec<Sequence>> {
        let phase = self.training.phase(index);
        let (batch, accumulate) = (phase.batch as usize, u64::from(phase.accumulate));
        let context = self.model.context as usize;
        let numbers = phase_step * accumulate..(phase_step + 1) * accumulate;
        let dataset = &self.corpora[index].train;
        let seed = self.phase_seed(index);
        let batches = numbers.map(|number| {
            let mut sequences = dataset.batch(seed, number, batch, context);
            if let Some(retain) = &phase.retain {
                self.rehearsal.mix_into(&mut sequences, retain, seed, number);
            }
            sequences
        });
        batches.collect()
    }

    /// Each phase has random numbers of its own.
    fn phase_seed(&self, index: usize) -> u64 {
        let index = index as u64;
        self.seed ^ index << 63 ^ (index >> 1) << 40
    }

    /// Keeps what a phase must not replace.
    fn begin_phase(&mut self, state: &mut State, index: usize) -> Result<(), GptError> {
        let Some(retain) = self.training.phase(index).retain.clone() else {
            if let Some(retained) = &mut state.retained {
                *retained = Retained { replay: std::mem::take(&mut retained.replay), ..Retained::default() };
            }
            return Ok(());
        };
        let mut retained = state.retained.take().unwrap_or_default();
        while retain.needs_examples() && (retained.replay.phases as usize) < index {
            self.show_phase(state, &mut retained, &retain)?;
        }
        let generation = state.vocabulary_changes.len() as u64;
        retained.generated = if retain.self_replay > 0.0 {
            let (count, seed) = (retain.examples as usize, self.phase_seed(index));
            self_made(&state.model, count, seed, generation, self.stepper.pool())?
        } else {
            Examples::default()
        };
        let (tokenizer, context) = (state.model.tokenizer(), self.model.context as usize);
        self.rehearsal = Rehearsal::of(Some(&retained), tokenizer, context);
        retained.consolidation = (retain.ewc > 0.0).then(|| {
            let sequences = self.rehearsal.of_earlier_phases(&retain);
            Consolidation::new(&mut self.stepper, &state.model.network, sequences)
        });
        state.retained = Some(retained);
        Ok(())
    }

    /// Keeps examples of a phase for those that may come, so that they do not need its text.
    fn end_phase(&mut self, state: &mut State, index: usize) -> Result<(), GptError> {
        let Some(retain) = self.training.phase(index).retain.clone().filter(Retain::needs_examples) else {
            return Ok(());
        };
        let Some(mut retained) = state.retained.take() else { return Ok(()) };
        self.show_phase(state, &mut retained, &retain)?;
        state.retained = Some(retained);
        Ok(())
    }

    /// Shows the next phase to what keeps examples.
    fn show_phase(&self, state: &State, retained: &mut Retained, retain: &Retain) -> Result<(), GptError> {
        let index = retained.replay.phases as usize;
        let phase = self.training.phase(index);
        let (Some(Some(document)), Some(corpus)) = (self.documents.get(index), self.corpora.get(index))
        else {
            return Err(GptError::NoText { path: format!("phase {index}") });
        };
        let origin = origin(&phase.data);
        let options = corpus_options(&self.model, phase, self.seed, state, &self.resources, &origin);
        let generation = state.vocabulary_changes.len() as u64;
        let (capacity, tokenizer) = (retain.examples as usize, state.model.tokenizer());
        show_phase(&mut retained.replay, capacity, (document, corpus), tokenizer, &options, generation)
    }

    /// Counts what was learnt, and changes the vocabulary when it is time.
    fn adapt(&mut self, state: &mut State, batches: &[Vec<Sequence>], learnt: u64) -> Result<(), GptError> {
        let Some(adapt) = &self.training.adapt else { return Ok(()) };
        let Vocabulary::Adaptive(adaptive) = &mut state.model.vocabulary else { return Ok(()) };
        for sequence in batches.iter().flatten() {
            let text = adaptive.tokenizer().decode(&sequence.tokens);
            let text = text.map_err(|error| GptError::VocabularyChange(error.to_string()))?;
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
        self.corpora =
            corpora(&self.model, &self.training, self.seed, &self.documents, state, &self.resources)?;
        let (tokenizer, context) = (state.model.tokenizer(), self.model.context as usize);
        self.rehearsal = Rehearsal::of(state.retained.as_ref(), tokenizer, context);
        Ok(())
    }

    /// The beginning of what is learnt, in the numbers of the vocabulary that a change makes. Tokens that
    /// are gone are left out.
    fn text_in(&self, change: &Change, step: u64) -> Vec<u32> {
        let last = self.corpora.len() - 1;
        let index = self.schedule.phase_at(step).map_or(last, |(index, _)| index);
        let indices = new_indices(change);
        let learnt = self.corpora[index].train.prefix(FITTED_TOKENS);
        learnt.iter().filter_map(|token| indices.get(token).copied()).collect()
    }

    /// The plan follows the config, where that has changed. From now on the steps of a run that was begun without a
    /// plan do not depend on its vocabulary either.
    fn settle(&self, state: &mut State) {
        let adapts = self.training.adapt.is_some();
        let may_change = self
            .training
            .phases()
            .any(|(_, phase)| adapts && phase.epochs.is_some() || phase.early_stopping.is_some());
        if !state.plan.phases.is_empty() || may_change {
            state.plan.phases = self.schedule.phases(&state.plan.phases);
        }
    }

    /// What of the tokenizer is not done when texts are learnt.
    fn frame_notice(&self) -> Option<String> {
        self.has_frame.then(|| {
            "the tokenizer puts tokens around a text where special tokens are asked for (`post_processor`): texts are \
             learnt without them"
                .to_owned()
        })
    }

    /// Updates the parameters by some batches.
    fn learn(
        &mut self,
        state: &mut State,
        batches: &[Vec<Sequence>],
        learning_rate: f64,
        index: usize,
    ) -> Metrics {
        let settings = &self.training.optimizer;
        let adamw = AdamW {
            learning_rate,
            betas: settings.betas,
            epsilon: settings.epsilon,
            weight_decay: settings.weight_decay,
        };
        let share = self.model.dropout;
        let dropout = Dropout { seed: self.seed, step: state.step, share, first: 0 };
        let State { model, optimizer, scaler, retained, .. } = state;
        let strength = self.training.phase(index).retain.as_ref().map_or(0.0, |retain| retain.ewc) as f32;
        let held = retained.as_ref().and_then(|retained| retained.consolidation.as_ref());
        let held = held.map(|held| (held, strength));
        let values = StepValues { adamw, dropout: (share > 0.0).then_some(dropout), held };
        let report = self.stepper.step(&mut model.network, optimizer, scaler.as_mut(), batches, values);
        let mut metrics = Metrics::from([(named(&self.training, index, "loss"), report.loss)]);
        let divergence = report.divergence;
        metrics.extend(divergence.map(|value| (named(&self.training, index, DIVERGENCE), value)));
        // A loss scaler is there for gradients that overflow.
        if !report.skipped {
            metrics.insert("gradient_norm".to_owned(), report.gradient_norm);
        }
        metrics
    }

    /// Ends the phase when what is not learnt gets no better.
    fn end_early(&mut self, state: &mut State, index: usize, phase_step: u64) -> Metrics {
        let Some(settings) = self.training.phase(index).early_stopping else { return Metrics::new() };
        let mut metrics = Metrics::new();
        if settings.is_due(phase_step + 1) {
            metrics = self.measure(state, index, false);
            let bits = metrics.get(&named(&self.training, index, BITS)).copied();
            let patience = state.patience.get_or_insert_default();
            patience.observe(state.step, bits.unwrap_or(f64::INFINITY), &settings);
            if patience.is_exhausted(&settings) {
                state.plan.phases[index] = PhasePlan { steps: phase_step + 1, ended: true };
                self.schedule.end(index, phase_step + 1);
            }
        }
        if self.schedule.is_last(index, phase_step) {
            state.patience = None;
        }
        metrics
    }

    /// The phase at hand.
    fn phase_of(&self, state: &State) -> usize {
        let last = self.corpora.len() - 1;
        self.schedule.phase_at(state.step).map_or(last, |(index, _)| index)
    }

    /// Losses of a phase on what is chosen by; `whole` for all of it.
    fn measure(&mut self, state: &State, index: usize, whole: bool) -> Metrics {
        let sequences = self.corpora[index].select.evaluation_sequences(self.model.context as usize, whole);
        let Some((loss, bits)) = self.losses(state, &sequences) else { return Metrics::new() };
        let bits = bits.map(|bits| (named(&self.training, index, BITS), bits));
        std::iter::once((named(&self.training, index, LOSS), loss)).chain(bits).collect()
    }

    /// Losses of a phase on what nothing has seen.
    fn measure_test(&mut self, state: &State, index: usize) -> Metrics {
        let sequences = self.corpora[index].test.evaluation_sequences(self.model.context as usize, true);
        let Some((loss, bits)) = self.losses(state, &sequences) else { return Metrics::new() };
        let bits = bits.map(|bits| (TEST_BITS.to_owned(), bits));
        std::iter::once((TEST_LOSS.to_owned(), loss)).chain(bits).collect()
    }

    /// Loss a token in nats, and bits for each byte of the text that was predicted.
    fn losses(&mut self, state: &State, sequences: &[Sequence]) -> Option<(f64, Option<f64>)> {
        let targets: usize = sequences.iter().map(Sequence::targets).sum();
        if targets == 0 {
            return None;
        }
        let loss = self.stepper.evaluate(&state.model.network, sequences);
        let bytes = target_bytes(state.model.tokenizer(), sequences);
        let bits = (bytes > 0).then(|| loss * targets as f64 / bytes as f64 / std::f64::consts::LN_2);
        Some((loss, bits))
    }
}

const LOSS: &str = "validation_loss";
const BITS: &str = "bits_per_byte";
const TEST_LOSS: &str = "test_loss";
const TEST_BITS: &str = "test_bits_per_byte";
const DIVERGENCE: &str = "divergence";

/// The name of a metric of a phase: those of phases before the last have names of their own, so that only
/// the last is chosen from.
fn named(training: &TrainingConfig, index: usize, name: &str) -> String {
    if index + 1 < training.phases().count() { format!("pretraining.{name}") } else { name.to_owned() }
}

/// All metrics, in the order in which they are shown.
fn measures(training: &TrainingConfig) -> Vec<String> {
    let mut names = Vec::new();
    // While the vocabulary changes, a loss a token tells little.
    let losses = if training.adapt.is_some() { [BITS, LOSS] } else { [LOSS, BITS] };
    for (index, (_, phase)) in training.phases().enumerate().collect::<Vec<_>>().into_iter().rev() {
        names.push(named(training, index, "loss"));
        if phase.data.evaluation > 0.0 {
            names.extend(losses.map(|name| named(training, index, name)));
        }
    }
    let last = training.phases().last().map(|(_, phase)| &phase.data);
    if last.is_some_and(|data| data.test > 0.0) {
        names.extend([TEST_LOSS, TEST_BITS].map(str::to_owned));
    }
    names.extend(reasoning_exam::metrics(&learnt_suites(training)));
    if learns_shapes(training) {
        names.extend(shapes_exam::METRICS.map(str::to_owned));
    }
    if learns_dialogues(training) {
        names.extend(report::EXAM_METRICS.map(str::to_owned));
    }
    names.extend(training.distillation.is_some().then(|| DIVERGENCE.to_owned()));
    names.extend(["learning_rate", "gradient_norm"].map(str::to_owned));
    names.extend((training.precision == TrainingPrecision::F16).then(|| "loss_scale".to_owned()));
    names.extend(training.adapt.is_some().then(|| "vocabulary".to_owned()));
    names
}

/// Whether the generated dialogues are learnt, about which the exam asks.
fn learns_dialogues(training: &TrainingConfig) -> bool {
    training.phases().any(|(_, phase)| phase.data.file.is_none() && phase.data.source == Source::Dialogues)
}

/// The suites of problems that are learnt.
fn learnt_suites(training: &TrainingConfig) -> Vec<Suite> {
    let reasoning = training
        .phases()
        .filter(|(_, phase)| phase.data.file.is_none() && phase.data.source == Source::Reasoning);
    let mut suites: Vec<Suite> = reasoning.flat_map(|(_, phase)| phase.data.suites.iter().copied()).collect();
    suites.sort_unstable();
    suites.dedup();
    suites
}

/// A loss a token is not comparable across vocabularies.
fn require_comparable(config: &ConfigOf<Gpt>) -> Result<(), SystemError> {
    let chosen = config.best.iter().map(|best| ("best.metric", best));
    let kept = config.checkpoint.keep_best.iter().map(|best| ("checkpoint.keep_best", best));
    let is_loss = |metric: &str| metric == LOSS || metric.ends_with(".validation_loss");
    let wrong = chosen.chain(kept).find(|(_, best)| is_loss(&best.metric));
    let Some((path, best)) = wrong.filter(|_| config.training.adapt.is_some()) else { return Ok(()) };
    let reason = "losses a token cannot be compared while the vocabulary changes; `bits_per_byte` can";
    Err(SystemError::new(GptError::config(path, &best.metric, reason)))
}

/// What of a text is not learnt, in words.
fn cut_notice(origin: &str, truncation: Truncation, context: u32) -> Option<String> {
    let Truncation { truncated, examples, lost, targets } = truncation;
    let share = 100.0 * lost as f64 / targets.max(1) as f64;
    (truncated > 0).then(|| {
        format!(
            "{origin}: {truncated} of {examples} examples do not fit into the context of {context} tokens (`model.context`); \
             what is behind it, {lost} tokens or {} % of what was to be predicted, is neither learnt nor measured",
            rekindle_train::number(share)
        )
    })
}

/// Tokens of the text in which contexts of new tokens are looked for.
const FITTED_TOKENS: usize = 1 << 18;

fn validate(config: &ConfigOf<Gpt>) -> Result<(), SystemError> {
    let changes = config.training.adapt.is_some() && !config.model.structure.is_off();
    let reason = "the brackets of a vocabulary that changes are not followed; leave out `model.structure`";
    let adapts = if changes { Err(GptError::config("training.adapt", "set", reason)) } else { Ok(()) };
    let checked = config.model.validate().and_then(|()| config.training.validate()).and(adapts);
    checked.map_err(SystemError::new)
}

fn corpora(
    model: &ModelConfig,
    training: &TrainingConfig,
    seed: u64,
    documents: &[Option<Document>],
    state: &State,
    resources: &Resources,
) -> Result<Vec<Corpus>, GptError> {
    let tokenizer = state.model.tokenizer();
    let pairs = training.phases().zip(documents);
    let corpora = pairs.map(|((_, phase), document)| {
        let Some(document) = document else { return Ok(Corpus::default()) };
        let origin = origin(&phase.data);
        let options = corpus_options(model, phase, seed, state, resources, &origin);
        Corpus::with_progress(document, tokenizer, &options, &|percent| {
            resources.tell_work("cutting the text into tokens", percent as u64);
        })
    });
    corpora.collect()
}

/// How the document of a phase is cut.
fn corpus_options<'a>(
    model: &ModelConfig,
    phase: &'a Phase,
    seed: u64,
    state: &State,
    resources: &Resources,
    origin: &'a str,
) -> CorpusOptions<'a> {
    CorpusOptions {
        context: model.context as usize,
        data: &phase.data,
        data_version: state.plan.data_version,
        seed,
        threads: NonZero::new(resources.threads).unwrap_or(NonZero::<usize>::MIN),
        origin,
    }
}
