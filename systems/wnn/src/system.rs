//! The search as a system of the training loop.

use std::collections::BTreeMap;

use rekindle::Versions;
use rekindle_compute::KernelPath;
use rekindle_data::{Origin, binary_notice};
use rekindle_formats::{Format, files};
use rekindle_train::{
    Capabilities, Conclusion, ConfigOf, Family, FileUse, MemoryNeed, Metrics, NamedFile, Preset, Progress,
    Resources, StateMismatch, System, SystemError, SystemOption, text_setting,
};

use crate::baselines::{Baselines, baselines};
use crate::config::{Data, Model, Search, Training};
use crate::corpus::{Corpus, TokenPart};
use crate::error::WnnError;
use crate::evaluator::{Evaluator, LocalEvaluator};
use crate::genome::Genome;
use crate::phase::Phase;
use crate::schema::SYSTEM;
use crate::scorer::Fitness;
use crate::search::Searcher;
use crate::state::State;
use crate::text::{Text, origin};
use crate::{interchange, memory_need, original, presets, report, schema, seed};

/// Weightless language models in the training loop; a step is a batch of candidates of whatever
/// phase it is.
pub struct Wnn {
    model: Model,
    training: Training,
    corpus: Corpus,
    searcher: Searcher,
    evaluator: Box<dyn Evaluator>,
    path: KernelPath,
}

const PRESETS: &[Preset] = &[
    Preset {
        name: "wnn-search",
        summary: "a weightless language model of everyday sentences, its architecture searched in six phases",
        yaml: presets::SEARCH,
    },
    Preset {
        name: "wnn-search-50k",
        summary: "the same at full size: 50,257 classes, scored by votes; takes a day",
        yaml: presets::SEARCH_50K,
    },
];

const OPTIONS: &[SystemOption] = &[
    // What a file of settings says comes first: the others win over it.
    SystemOption {
        name: "search",
        value: "FILE",
        help: "Take the settings of the search from this YAML file",
        most: 1,
        resumes: false,
        to_settings: |files| search_settings(&files[0]).map_err(SystemError::new),
    },
    SystemOption::data(1, |files| Ok(vec![text_setting("training.data.file", &files[0])])),
    SystemOption {
        name: "tokenizer",
        value: "FILE",
        help: "Cut the text into tokens as this Hugging Face tokenizer.json does",
        most: 1,
        resumes: false,
        to_settings: |files| Ok(vec![text_setting("training.data.tokenizer", &files[0])]),
    },
    SystemOption {
        name: "pass",
        value: "N",
        help: "Which pass of a search from coarse to fine this is; patience doubles with each",
        most: 1,
        resumes: false,
        to_settings: |numbers| Ok(vec![format!("training.pass={}", numbers[0])]),
    },
    SystemOption {
        name: "seed-from",
        value: "RUN|FILE",
        help: "Begin with the genomes of a run, a checkpoint, or a results, genome or phase file",
        most: 1,
        resumes: false,
        to_settings: |sources| Ok(vec![text_setting("training.seed_from", &sources[0])]),
    },
    SystemOption {
        name: "resume-from",
        value: "PHASE",
        help: "Do this phase (1a to 3b) and those after it again; the ones before are from `seed-from`",
        most: 1,
        resumes: false,
        to_settings: |phases| Ok(vec![text_setting("training.resume_from", &phases[0])]),
    },
];

/// A file of settings is never longer: bytes.
const SETTINGS_LIMIT: u64 = 1 << 20;

impl System for Wnn {
    const NAME: &'static str = SYSTEM;

    type Model = Model;
    type Training = Training;
    type State = State;

    fn versions() -> Versions {
        schema::versions()
    }

    /// The files may lie elsewhere; that they are the same is checked.
    fn changeable() -> &'static [&'static str] {
        &["training.data.file", "training.data.tokenizer", "training.batch"]
    }

    /// The tokenizer and the genomes to begin with are in the state.
    fn files(training: &mut Training) -> Vec<NamedFile<'_>> {
        let Training { data: Data { file, tokenizer, .. }, seed_from, .. } = training;
        let beginning = FileUse::AtTheBeginning;
        vec![
            NamedFile::new("training.data.file", file, FileUse::Always),
            NamedFile::new("training.data.tokenizer", tokenizer, beginning),
            NamedFile::new("training.seed_from", seed_from, beginning),
        ]
    }

    fn build(config: &ConfigOf<Self>) -> Result<State, SystemError> {
        let text = load(config, None).map_err(SystemError::new)?;
        seed::begin(&config.model, &config.training, config.seed, &text).map_err(SystemError::new)
    }

    fn blank(config: &ConfigOf<Self>) -> Result<State, SystemError> {
        Ok(State::blank(&config.training.data))
    }

    fn memory(config: &ConfigOf<Self>, state: Option<&State>) -> Option<MemoryNeed> {
        Some(memory_need::of(&config.model, &config.training, state?))
    }

    fn attach(config: &ConfigOf<Self>, state: &State, resources: &Resources) -> Result<Self, SystemError> {
        let path = KernelPath::from_environment().map_err(SystemError::new)?;
        let (model, training) = (&config.model, &config.training);
        if state.text.training == 0 {
            return Err(SystemError::new(WnnError::NoText));
        }
        let text = load(config, state.text.tokenizer.as_ref()).map_err(SystemError::new)?;
        if text.identity != state.text {
            return Err(SystemError::mismatch(StateMismatch::OtherData {
                origin: origin(&training.data).to_string(),
                reason: "its tokens are others".to_owned(),
                setting: "training.data.file".into(),
            }));
        }
        let inputs = text.corpus.coding.inputs();
        StateMismatch::require(state.inputs as usize == inputs, || {
            format!("its contexts have {} bits, the config's have {inputs}", state.inputs)
        })
        .and_then(|()| state.check(training))
        .map_err(SystemError::mismatch)?;
        let evaluator = evaluator(config, &text.corpus, resources.threads, path).map_err(SystemError::new)?;
        let searcher = Searcher::new(model, training, config.seed, &text.corpus);
        let (model, training) = (model.clone(), training.clone());
        Ok(Self { model, training, corpus: text.corpus, searcher, evaluator, path })
    }

    fn warnings(&self) -> Vec<String> {
        self.training.data.file.as_deref().and_then(binary_notice).into_iter().collect()
    }

    fn measures(config: &ConfigOf<Self>) -> Vec<String> {
        let first = config.training.resume_from.unwrap_or(Phase::ALL[0]);
        let rounds = Phase::ALL.into_iter().filter(|phase| *phase >= first).map(rounds_of);
        let figures = ["cross_entropy", "accuracy", CANDIDATE, BEST_OF_ROUND, BEST_ACCURACY_OF_ROUND];
        figures.into_iter().map(str::to_owned).chain(rounds).collect()
    }

    /// The end is that of a search none of whose phases ends before it must: it comes nearer when one does.
    fn progress(&self, state: &State) -> Progress {
        let left = state.search.as_ref().map_or(0, |search| self.searcher.steps_left(search));
        let finished = state.search.is_none();
        Progress { step: state.step, total: Some(state.step.saturating_add(left)), finished }
    }

    fn step(&mut self, state: &mut State) -> Result<Metrics, SystemError> {
        let step = self.searcher.step(state, &mut *self.evaluator).map_err(SystemError::new)?;
        let mut metrics = Metrics::new();
        if let Some(step) = step {
            metrics.insert(rounds_of(step.phase), step.round.into());
            if let Some(fitness) = step.fitness {
                metrics.insert(CANDIDATE.to_owned(), fitness.cross_entropy);
            }
            if let Some(best) = step.ended {
                metrics.insert(BEST_OF_ROUND.to_owned(), best.cross_entropy);
                metrics.insert(BEST_ACCURACY_OF_ROUND.to_owned(), best.accuracy);
            }
        }
        metrics.insert("cross_entropy".to_owned(), state.best.fitness.cross_entropy);
        Ok(metrics)
    }

    fn evaluate(&mut self, state: &State) -> Result<Metrics, SystemError> {
        let fitness = match state.best.fitness {
            known if known.is_known() => known,
            _ => self.measure(&state.best.genome).map_err(SystemError::new)?,
        };
        let mut metrics = Metrics::from([
            ("cross_entropy".to_owned(), fitness.cross_entropy),
            ("accuracy".to_owned(), fitness.accuracy),
        ]);
        let last = state.results.last().map(|result| (result.phase, result.iterations));
        let at_hand = state.search.as_ref().map(|search| (search.phase, search.round));
        metrics.extend(at_hand.or(last).map(|(phase, rounds)| (rounds_of(phase), rounds.into())));
        Ok(metrics)
    }

    fn conclude(&mut self, state: &State) -> Result<Conclusion, SystemError> {
        let counted = self.baselines(&self.corpus.select);
        let counted_of_test = state.test.map(|_| self.baselines(&self.corpus.test));
        let reported = counted_of_test.unwrap_or(counted);
        let mut metrics = Metrics::from([
            ("unigram_cross_entropy".to_owned(), reported.unigram),
            ("bigram_cross_entropy".to_owned(), reported.bigram),
            ("trigram_cross_entropy".to_owned(), reported.trigram),
        ]);
        if let Some(fitness) = state.test {
            metrics.insert("test_cross_entropy".to_owned(), fitness.cross_entropy);
            metrics.insert("test_accuracy".to_owned(), fitness.accuracy);
        }
        let comparison = report::comparison(state, &self.model, &counted, counted_of_test.as_ref());
        let text = format!("{}\n{comparison}", report::summary(state));
        let results = interchange::results(&self.training, state).map_err(SystemError::new)?;
        let mut genome = Vec::new();
        original::write_genome(&mut genome, &state.best.genome, state.best.fitness, state.test)
            .map_err(SystemError::new)?;
        let artifacts =
            vec![("results.json".to_owned(), results.into_bytes()), ("genome.json.gz".to_owned(), genome)];
        Ok(Conclusion { metrics, text, artifacts })
    }

    fn unit(metric: &str) -> Option<&'static str> {
        metric.ends_with("cross_entropy").then_some("nats per token")
    }

    fn environment(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("kernels".to_owned(), self.path.name().to_owned())])
    }
}

impl Family for Wnn {
    const SUMMARY: &'static str = "weightless language models, whose architecture is searched in phases";

    fn presets() -> &'static [Preset] {
        PRESETS
    }

    fn formats() -> &'static [Format] {
        &[interchange::PHASE, interchange::GENOME, interchange::RESULTS]
    }

    fn options() -> &'static [SystemOption] {
        OPTIONS
    }

    fn capabilities() -> Capabilities<Self> {
        Capabilities::default().describe(|_, state| Ok(report::summary(state)))
    }
}

impl Wnn {
    fn measure(&mut self, genome: &Genome) -> Result<Fitness, WnnError> {
        Ok(self.evaluator.evaluate(TokenPart::All, std::slice::from_ref(genome))?[0])
    }

    /// What counting alone predicts of these tokens.
    fn baselines(&self, tokens: &[u32]) -> Baselines {
        let coding = &self.corpus.coding;
        baselines(&self.corpus.training, tokens, coding.vocabulary(), coding.context())
    }
}

/// The best that a step knows of, on the part of the text that its round learns from.
const CANDIDATE: &str = "candidate_cross_entropy";
/// The best of a generation or iteration, at its end.
const BEST_OF_ROUND: &str = "round_cross_entropy";
const BEST_ACCURACY_OF_ROUND: &str = "round_accuracy";

/// The metric that tells how many generations or iterations of a phase are done.
fn rounds_of(phase: Phase) -> String {
    format!("rounds_of_{}", phase.key())
}

fn load(config: &ConfigOf<Wnn>, known: Option<&rekindle_tokenizer::Tokenizer>) -> Result<Text, WnnError> {
    config.training.validate()?;
    config.model.validate(&config.training.search)?;
    Text::load(&config.model, &config.training, config.seed, known)
}

fn evaluator(
    config: &ConfigOf<Wnn>,
    corpus: &Corpus,
    threads: usize,
    path: KernelPath,
) -> Result<Box<dyn Evaluator>, WnnError> {
    let (model, parts) = (&config.model, config.training.search.token_parts);
    let evaluator = LocalEvaluator::new(corpus, parts, model.scoring, &model.backoff, threads, path)?;
    Ok(Box::new(evaluator.with_assignment(model.connections)))
}

/// What a file of the original program sets.
fn search_settings(file: &str) -> Result<Vec<String>, WnnError> {
    let origin = || Origin::File(file.to_owned());
    let refused = |reason: String| WnnError::SearchFile { origin: origin(), reason };
    let text = files::read_text(file.as_ref(), SETTINGS_LIMIT)
        .map_err(|source| WnnError::Unreadable { origin: origin(), source })?;
    // Known keys and types only.
    Search::from_yaml(&text).map_err(|error| refused(error.to_string()))?;
    let set: BTreeMap<String, serde_json::Value> =
        serde_saphyr::from_str(&text).map_err(|error| refused(error.to_string()))?;
    Ok(set.into_iter().map(|(key, value)| format!("training.search.{key}={value}")).collect())
}
