//! What a user chooses.

use rekindle_data::{Origin, Shares};
use rekindle_train::SettingError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::WnnError;
use crate::genome::MOST_BITS;
use crate::phase::Phase;
use crate::rule::{Assignment, Backoff, Scoring};

/// The language model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// How classes are scored.
    pub scoring: Scoring,
    /// What the input bits of a token are.
    pub codes: Codes,
    /// What fresh neurons look at.
    pub order: Order,
    /// Address bits of a neuron.
    pub bits: Bounds,
    /// Neurons of a cluster.
    pub neurons: Bounds,
    /// Neurons that the most frequent class has beyond the others, which get theirs in proportion to
    /// how frequent they are.
    #[serde(default)]
    pub frequent_neurons: u8,
    /// `counts`: its constants.
    #[serde(default)]
    pub backoff: Backoff,
    /// Whose connections are whose.
    #[serde(default, skip_serializing_if = "Assignment::is_default")]
    pub connections: Assignment,
}

/// What the input bits of a token are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Codes {
    /// Its rank by frequency: the first bits tell how rare it is.
    Frequency,
    /// Its number in the vocabulary.
    Token,
}

/// What fresh neurons look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// The latest token first, then the one before it; the second neuron of a cluster leaves out the
    /// latest, and so on.
    Recent,
    /// Any bits.
    Random,
}

/// The least and the most that something may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// Not less.
    pub least: u8,
    /// Not more.
    pub most: u8,
}

/// How the architecture is searched, and on what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The text.
    pub data: Data,
    /// The search, in the words of the original program.
    pub search: Search,
    /// The genetic algorithm.
    #[serde(default)]
    pub genetic: Genetic,
    /// The tabu search.
    #[serde(default)]
    pub tabu: Tabu,
    /// The accuracy that candidates must reach.
    #[serde(default)]
    pub threshold: Threshold,
    /// Generations or iterations between two looks at whether the search still gets on.
    #[serde(default = "five")]
    pub check_every: u32,
    /// By what share the cross-entropy must have fallen between two looks.
    #[serde(default = "half_a_thousandth")]
    pub min_improvement: f64,
    /// Which pass of a search from coarse to fine this is; patience doubles with each.
    #[serde(default = "one")]
    pub pass: u32,
    /// Patience of the first pass, where `search.patience` is not set: looks without improvement.
    #[serde(default = "two")]
    pub base_patience: u32,
    /// What the search begins with: a run or checkpoint, or a results, genome or phase file of the
    /// original program.
    #[serde(default)]
    pub seed_from: Option<String>,
    /// The first phase that is done; what `seed_from` names holds those before it.
    #[serde(default)]
    pub resume_from: Option<Phase>,
    /// Best of a phase that are measured on all training tokens at its end.
    #[serde(default = "four")]
    pub finalists: u32,
    /// Candidates that are measured in a step. It does not influence the result.
    #[serde(default = "eight")]
    pub batch: u32,
}

/// The search, with the keys of the original program's files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Search {
    /// Tokens that the next one is predicted from.
    pub context_size: u32,
    /// Parts that the training tokens are cut into; each generation or iteration learns from one.
    pub token_parts: u32,
    /// Generations of a genetic algorithm, at most.
    pub ga_generations: u32,
    /// Genomes of a generation.
    pub population_size: u32,
    /// Iterations of a tabu search, at most.
    pub ts_iterations: u32,
    /// Neighbours that an iteration looks at.
    pub neighbors_per_iter: u32,
    /// Looks without improvement after which a phase ends; by `base_patience` and `pass` when not set.
    pub patience: Option<u32>,
    /// Address bits of fresh neurons.
    pub default_bits: u8,
    /// Neurons of fresh clusters.
    pub default_neurons: u8,
    /// Only this share of the children is kept, the best by cross-entropy.
    pub ce_percentile: Option<f64>,
    /// Seed of the order in which the parts come; the run's seed when not set.
    pub rotation_seed: Option<u64>,
    /// Only for files of the original program: the log is on the terminal, and in the run's history.
    pub log_path: Option<String>,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            context_size: 4,
            token_parts: 3,
            ga_generations: 100,
            population_size: 50,
            ts_iterations: 200,
            neighbors_per_iter: 50,
            patience: None,
            default_bits: 8,
            default_neurons: 5,
            ce_percentile: None,
            rotation_seed: None,
            log_path: None,
        }
    }
}

/// The genetic algorithm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Genetic {
    /// Share of the population that survives as the best by cross-entropy, and as many by accuracy.
    pub elites: f64,
    /// Genomes that a parent is the best of.
    pub tournament: u32,
    /// Probability that a child has two parents.
    pub crossover: f64,
    /// Probability that a cluster is mutated.
    pub mutation: f64,
    /// Children that are tried, at most, for each that is needed.
    pub attempts: u32,
}

impl Default for Genetic {
    fn default() -> Self {
        Self { elites: 0.1, tournament: 3, crossover: 0.7, mutation: 0.1, attempts: 5 }
    }
}

/// The tabu search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tabu {
    /// Clusters in which a neighbour differs, at most.
    pub clusters: u32,
    /// Iterations for which a changed cluster is not changed again.
    pub tenure: u32,
}

impl Default for Tabu {
    fn default() -> Self {
        Self { clusters: 8, tenure: 10 }
    }
}

/// The accuracy that candidates must reach.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Threshold {
    /// At the beginning.
    pub start: f64,
    /// By how much it rises while a phase lasts as long as it may.
    pub rise: f64,
}

impl Default for Threshold {
    fn default() -> Self {
        Self { start: 0.0001, rise: 0.0002 }
    }
}

/// The text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Data {
    /// What is generated when there is no `file`.
    pub source: Source,
    /// A text file.
    pub file: Option<String>,
    /// A Hugging Face `tokenizer.json`; otherwise a vocabulary is built from the training text.
    pub tokenizer: Option<String>,
    /// What a vocabulary that is built here consists of.
    pub vocabulary_of: VocabularyOf,
    /// Tokens of the vocabulary that is built or generated, at most.
    pub vocabulary: u32,
    /// Share of the text that the search selects by: its end. A tenth when not set.
    #[serde(with = "rekindle_train::plain", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<f64>")]
    pub select: Option<f64>,
    /// Share of the text that is reported on, and that nothing is chosen by: what lies before `select`. A
    /// tenth when not set.
    #[serde(with = "rekindle_train::plain", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<f64>")]
    pub test: Option<f64>,
    /// What `select` was called when there was no `test`: a config that has it has none.
    #[serde(with = "rekindle_train::plain", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<f64>")]
    pub evaluation: Option<f64>,
    /// Training tokens, at most: the first.
    pub train_tokens: Option<u32>,
    /// Tokens to select by, at most, and tokens to report on, at most: the first of each.
    pub eval_tokens: Option<u32>,
}

impl Default for Data {
    fn default() -> Self {
        Self {
            source: Source::Sentences,
            file: None,
            tokenizer: None,
            vocabulary_of: VocabularyOf::BytePairs,
            vocabulary: 2048,
            select: None,
            test: None,
            evaluation: None,
            train_tokens: None,
            eval_tokens: None,
        }
    }
}

/// Text that is generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Sentences about everyday things.
    Sentences,
    /// Tokens as frequent as words are, some of which follow others more often.
    Zipf,
}

/// What a vocabulary consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VocabularyOf {
    /// Pieces of words, joined byte by byte.
    BytePairs,
    /// Words.
    Words,
}

fn one() -> u32 {
    1
}

fn two() -> u32 {
    2
}

fn four() -> u32 {
    4
}

fn five() -> u32 {
    5
}

fn eight() -> u32 {
    8
}

fn half_a_thousandth() -> f64 {
    0.0005
}

impl Search {
    /// Reads a search from a YAML text, such as a file of the original program.
    ///
    /// # Errors
    /// When it is not YAML, or a key is unknown or of another type.
    pub fn from_yaml(text: &str) -> Result<Self, WnnError> {
        serde_saphyr::from_str(text).map_err(|error| WnnError::SearchFile {
            origin: Origin::Named("the search"),
            reason: error.to_string(),
        })
    }

    /// The search as YAML, with all its keys.
    ///
    /// # Errors
    /// None is known.
    pub fn to_yaml(&self) -> Result<String, WnnError> {
        serde_saphyr::to_string(self).map_err(|error| WnnError::SearchFile {
            origin: Origin::Named("the search"),
            reason: error.to_string(),
        })
    }
}

impl Training {
    /// Everything else as it is when it is not set.
    pub fn new(data: Data, search: Search) -> Self {
        Self {
            data,
            search,
            genetic: Genetic::default(),
            tabu: Tabu::default(),
            threshold: Threshold::default(),
            check_every: five(),
            min_improvement: half_a_thousandth(),
            pass: one(),
            base_patience: two(),
            seed_from: None,
            resume_from: None,
            finalists: four(),
            batch: eight(),
        }
    }

    /// Looks without improvement after which a phase ends.
    pub fn patience(&self) -> u32 {
        let doubled = 1_u32.checked_shl(self.pass.saturating_sub(1)).unwrap_or(u32::MAX);
        self.search.patience.unwrap_or_else(|| self.base_patience.saturating_mul(doubled))
    }

    /// Checks all values that do not depend on the text.
    ///
    /// # Errors
    /// Names the first that is out of its range.
    pub fn validate(&self) -> Result<(), SettingError> {
        let (search, genetic, data) = (&self.search, &self.genetic, &self.data);
        whole("training.search.context_size", search.context_size, 1, 64)?;
        whole("training.search.token_parts", search.token_parts, 1, 1000)?;
        whole("training.search.ga_generations", search.ga_generations, 0, 1_000_000)?;
        whole("training.search.population_size", search.population_size, 2, 10_000)?;
        whole("training.search.ts_iterations", search.ts_iterations, 0, 1_000_000)?;
        whole("training.search.neighbors_per_iter", search.neighbors_per_iter, 1, 100_000)?;
        if let Some(patience) = search.patience {
            whole("training.search.patience", patience, 1, 1_000_000)?;
        }
        if let Some(percentile) = search.ce_percentile {
            share("training.search.ce_percentile", percentile, 0.01, 1.0)?;
        }
        if let Some(path) = &search.log_path {
            let reason = "logs are written by redirecting the output of the command";
            return Err(SettingError::new("training.search.log_path", path, reason));
        }
        share("training.genetic.elites", genetic.elites, 0.0, 0.5)?;
        whole("training.genetic.tournament", genetic.tournament, 1, 10_000)?;
        share("training.genetic.crossover", genetic.crossover, 0.0, 1.0)?;
        share("training.genetic.mutation", genetic.mutation, 0.0, 1.0)?;
        whole("training.genetic.attempts", genetic.attempts, 1, 1000)?;
        whole("training.tabu.clusters", self.tabu.clusters, 1, 1 << 20)?;
        whole("training.tabu.tenure", self.tabu.tenure, 0, 1_000_000)?;
        share("training.threshold.start", self.threshold.start, 0.0, 1.0)?;
        share("training.threshold.rise", self.threshold.rise, 0.0, 1.0)?;
        whole("training.check_every", self.check_every, 1, 1_000_000)?;
        share("training.min_improvement", self.min_improvement, 0.0, 1.0)?;
        whole("training.pass", self.pass, 1, 30)?;
        whole("training.base_patience", self.base_patience, 1, 1_000_000)?;
        whole("training.finalists", self.finalists, 1, 10_000)?;
        whole("training.batch", self.batch, 1, 100_000)?;
        whole("training.data.vocabulary", data.vocabulary, 2, 1 << 20)?;
        data.validate()
    }
}

impl Data {
    /// How much of the text is not learnt.
    pub fn shares(&self) -> Shares {
        const TENTH: f64 = 0.1;
        match self.evaluation {
            Some(select) => Shares { select, test: 0.0 },
            None => Shares { select: self.select.unwrap_or(TENTH), test: self.test.unwrap_or(TENTH) },
        }
    }

    /// False for a config from before there was anything to report on but what was selected by.
    pub(crate) fn has_test(&self) -> bool {
        self.evaluation.is_none()
    }

    fn validate(&self) -> Result<(), SettingError> {
        if let (Some(evaluation), true) = (self.evaluation, self.select.is_some() || self.test.is_some()) {
            let reason = "it is what `select` was called before there was `test`; set these two instead";
            return Err(SettingError::new("training.data.evaluation", evaluation, reason));
        }
        let Shares { select, test } = self.shares();
        share("training.data.select", select, 0.001, 0.9)?;
        share("training.data.test", test, 0.0, 0.9)?;
        let valid = self.shares().validate();
        valid.map_err(|error| SettingError::new("training.data.test", test, error.to_string()))
    }
}

impl Model {
    /// Checks all values, also against the search.
    ///
    /// # Errors
    /// Names the first that is out of its range.
    pub fn validate(&self, search: &Search) -> Result<(), SettingError> {
        bounds("model.bits", self.bits, MOST_BITS)?;
        bounds("model.neurons", self.neurons, u8::MAX)?;
        let (bits, neurons) = (self.bits, self.neurons);
        whole(
            "training.search.default_bits",
            search.default_bits.into(),
            bits.least.into(),
            bits.most.into(),
        )?;
        let least = neurons.least.into();
        whole("training.search.default_neurons", search.default_neurons.into(), least, neurons.most.into())?;
        let room = neurons.most - search.default_neurons;
        whole("model.frequent_neurons", self.frequent_neurons.into(), 0, room.into())?;
        let Backoff { strength, gain, discount } = self.backoff;
        share("model.backoff.strength", strength, 1.0, 1e9)?;
        share("model.backoff.gain", gain, 1.0, 256.0)?;
        share("model.backoff.discount", discount, 0.0, 0.99)
    }
}

fn whole(path: &'static str, value: u32, least: u32, most: u32) -> Result<(), SettingError> {
    let holds = (least..=most).contains(&value);
    SettingError::require(holds, path, value, format!("it must be from {least} to {most}"))
}

fn share(path: &'static str, value: f64, least: f64, most: f64) -> Result<(), SettingError> {
    let holds = (least..=most).contains(&value);
    SettingError::require(holds, path, value, format!("it must be from {least} to {most}"))
}

fn bounds(path: &'static str, bounds: Bounds, limit: u8) -> Result<(), SettingError> {
    let Bounds { least, most } = bounds;
    let holds = least >= 1 && least <= most && most <= limit;
    let reason = format!("it must be from `least` to `most`, from 1 to {limit}");
    SettingError::require(holds, path, format!("{least} to {most}"), reason)
}
