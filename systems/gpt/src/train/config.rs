//! The `training:` section.

use rekindle_tokenizer::Policy;
use rekindle_train::EarlyStopping;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::data::Suite;
use crate::error::GptError;
use crate::model::precision::TrainingPrecision;

/// How the model is trained: on text first, and then, where it is to answer, on dialogues.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// How text becomes tokens.
    #[serde(default)]
    pub tokenizer: Tokens,
    /// What is learnt first.
    pub pretraining: Phase,
    /// What is learnt after that, if anything. In a config it is called `tuning`.
    #[serde(default, rename = "tuning")]
    pub fine_tuning: Option<Phase>,
    /// How parameters are updated.
    #[serde(default)]
    pub optimizer: OptimizerSettings,
    /// How numbers are stored between operations: f32, bf16 or f16.
    #[serde(default)]
    pub precision: TrainingPrecision,
    /// Parts that a batch is split into, each the work of one core. It is part of the result, the number
    /// of threads is not.
    #[serde(default = "default_parts")]
    pub parts: u32,
    /// The vocabulary grows and shrinks while training goes on.
    #[serde(default)]
    pub adapt: Option<Adapt>,
    /// Of so many of the problems of reasoning that are learnt, one each step, what they follow from is proven and kept
    /// with the model, so that it need not be proven again when somebody asks.
    #[serde(default, skip_serializing_if = "is_none_kept")]
    pub facts: u32,
}

/// How text becomes tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tokens {
    /// How text is cut.
    pub kind: TokenKind,
    /// The most tokens to learn, those of single bytes included.
    pub vocabulary: u32,
    /// A Hugging Face `tokenizer.json`, in place of one that is learnt from the text.
    pub file: Option<String>,
    /// Symbols of logic that are always tokens of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbols: Option<SymbolTokens>,
}

/// Symbols that are always tokens of their own: ∧ ∨ ~ → ↔ ∀ ∃ = > < ⊆ ( ) λ and the dot.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SymbolTokens {
    /// Predicates and functions that are tokens of their own, too, wherever their names stand: a YAML file with
    /// `predicates` and `functions`, each a map from names to numbers of arguments.
    pub file: Option<String>,
}

/// How text is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// Into pairs of bytes that occur often, and pairs of those.
    #[default]
    BytePairs,
    /// Into bytes.
    Bytes,
    /// Into words and punctuation marks; other words become bytes.
    Words,
    /// As RustGPT does: into words and punctuation marks; other words are left out.
    Rustgpt,
}

/// What is learnt, and how fast.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// The text.
    #[serde(default)]
    pub data: Data,
    /// Updates of the parameters; absent where `epochs` says how long.
    #[serde(default)]
    pub steps: Option<u64>,
    /// How often each example is learnt; only for examples, not for running text.
    #[serde(default)]
    pub epochs: Option<u64>,
    /// Sequences that are learnt together.
    pub batch: u32,
    /// Batches whose gradients are added before an update.
    #[serde(default = "one")]
    pub accumulate: u32,
    /// Learning rate after the warm-up.
    pub learning_rate: f64,
    /// Learning rate at the end, reached along half a cosine: a tenth of `learning_rate` when absent, 0 for
    /// none, and the same as `learning_rate` for a learning rate that does not change.
    #[serde(default)]
    pub final_learning_rate: Option<f64>,
    /// Updates in which the learning rate grows from 0.
    #[serde(default)]
    pub warmup: u64,
    /// The phase ends early when the bits a byte of what is not learnt fall no more; then the next one
    /// begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStopping>,
}

/// Where the text of a phase comes from, and how it is divided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Data {
    /// A file: running text, a JSON list of texts, or dialogues as JSON or JSON lines.
    pub file: Option<String>,
    /// What is generated when there is no file.
    pub source: Source,
    /// How many paragraphs or dialogues are generated.
    pub count: u32,
    /// The share that is not learnt but evaluated on while training goes on: what is chosen (the best
    /// checkpoint, an early end) is chosen by it. Running text gives its end.
    pub evaluation: f64,
    /// The share that nothing sees before training has ended, for what is reported then. Running text
    /// gives the end, behind that of `evaluation`.
    #[serde(skip_serializing_if = "is_zero")]
    pub test: f64,
    /// In which order examples are learnt.
    pub order: Order,
    /// An example begins at a random position of the context, a new one each time, so that all positions are learnt
    /// and longer ones can be answered.
    #[serde(skip_serializing_if = "is_false")]
    pub random_positions: bool,
    /// What `source: reasoning` makes problems of.
    #[serde(skip_serializing_if = "is_rules")]
    pub suites: Vec<Suite>,
    /// Answers of `source: reasoning` begin with what follows, step by step, where that is what the problem is about.
    #[serde(skip_serializing_if = "is_false")]
    pub steps: bool,
}

/// What text is generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// None: a file is needed.
    #[default]
    File,
    /// Sentences about logic and everyday facts.
    Facts,
    /// Questions about the same, and their answers.
    Dialogues,
    /// Problems of reasoning, labelled by a reasoner.
    Reasoning,
}

/// In which order examples are learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// In a new random order each time.
    #[default]
    Shuffled,
    /// As they stand.
    Given,
}

/// How parameters are updated: AdamW.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OptimizerSettings {
    /// Decay of the first and of the second moment.
    pub betas: [f64; 2],
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Share of a matrix that is taken off per unit of learning rate.
    pub weight_decay: f64,
    /// Gradients are made shorter when their norm is larger; 0 for never.
    pub clip: f64,
}

/// When the vocabulary changes while training goes on, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Adapt {
    /// Tokens that are learnt between two changes.
    pub every: u64,
    /// How rows of new tokens are made.
    #[serde(default)]
    pub rows: NewRows,
    /// What the vocabulary may do.
    #[serde(default)]
    pub policy: Policy,
}

/// How the rows of a new token are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NewRows {
    /// Random ones, as at the beginning.
    Random,
    /// The mean of the rows of all tokens. The probabilities of the old tokens then change by no more
    /// than KL = ln(1 + new / old).
    Mean,
    /// The mean of the rows of the tokens that it was made of.
    #[default]
    Parts,
    /// Fitted, so that the network sees the new token as it saw the ones that it was made of.
    Distilled,
}

impl Default for Tokens {
    fn default() -> Self {
        Self { kind: TokenKind::default(), vocabulary: 1024, file: None, symbols: None }
    }
}

impl Default for Data {
    fn default() -> Self {
        Self {
            file: None,
            source: Source::default(),
            count: 12_000,
            evaluation: 0.1,
            test: 0.0,
            order: Order::default(),
            random_positions: false,
            suites: vec![Suite::Rules],
            steps: false,
        }
    }
}

impl Default for OptimizerSettings {
    fn default() -> Self {
        Self { betas: [0.9, 0.99], epsilon: 1e-8, weight_decay: 0.1, clip: 1.0 }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(share: &f64) -> bool {
    *share == 0.0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(value: &bool) -> bool {
    !value
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_none_kept(facts: &u32) -> bool {
    *facts == 0
}

fn is_rules(suites: &[Suite]) -> bool {
    suites == [Suite::Rules]
}

/// Facts that are kept with a model at most.
const MOST_FACTS: u32 = 100_000;

fn one() -> u32 {
    1
}

fn default_parts() -> u32 {
    4
}

impl TrainingConfig {
    /// The phases, with their paths in the config.
    pub(crate) fn phases(&self) -> impl Iterator<Item = (&'static str, &Phase)> {
        let fine_tuning = self.fine_tuning.iter().map(|phase| ("training.tuning", phase));
        std::iter::once(("training.pretraining", &self.pretraining)).chain(fine_tuning)
    }

    /// Checks all values.
    ///
    /// # Errors
    /// Names the first that is out of its range.
    pub fn validate(&self) -> Result<(), GptError> {
        for (path, phase) in self.phases() {
            phase.validate(path)?;
        }
        let OptimizerSettings { betas, epsilon, weight_decay, clip } = self.optimizer;
        let path = |name: &str| format!("training.optimizer.{name}");
        for beta in betas {
            require((0.0..1.0).contains(&beta), path("betas"), beta, "from 0 to below 1 is possible")?;
        }
        let is_small = epsilon > 0.0 && epsilon < 1.0;
        require(is_small, path("epsilon"), epsilon, "above 0 and below 1 is possible")?;
        let is_share = (0.0..=10.0).contains(&weight_decay);
        require(is_share, path("weight_decay"), weight_decay, "from 0 to 10 is possible")?;
        require(clip >= 0.0, path("clip"), clip, "it must not be negative")?;
        let is_possible = (1..=256).contains(&self.parts);
        require(is_possible, "training.parts".to_owned(), self.parts, "from 1 to 256 is possible")?;
        let vocabulary = self.tokenizer.vocabulary;
        let is_possible = (2..=1 << 20).contains(&vocabulary);
        let vocabulary_path = "training.tokenizer.vocabulary".to_owned();
        require(is_possible, vocabulary_path, vocabulary, "from 2 to 1048576 is possible")?;
        let reasons = self
            .phases()
            .any(|(_, phase)| phase.data.file.is_none() && phase.data.source == Source::Reasoning);
        let reason = "no phase learns `source: reasoning`";
        require(self.facts == 0 || reasons, "training.facts".to_owned(), self.facts, reason)?;
        require(
            self.facts <= MOST_FACTS,
            "training.facts".to_owned(),
            self.facts,
            "at most 100000 are kept",
        )?;
        let Some(adapt) = &self.adapt else { return Ok(()) };
        let every = "training.adapt.every".to_owned();
        require(adapt.every > 0, every, adapt.every, "at least one token must lie between two changes")?;
        let policy = adapt.policy.check();
        policy.map_err(|source| GptError::Tokens { origin: "training.adapt.policy".to_owned(), source })
    }
}

impl Phase {
    fn validate(&self, path: &str) -> Result<(), GptError> {
        let at = |name: &str| format!("{path}.{name}");
        let positive = "it must be positive";
        require((1..=1 << 16).contains(&self.batch), at("batch"), self.batch, "from 1 to 65536 is possible")?;
        let accumulate = self.accumulate;
        require(
            (1..=1 << 16).contains(&accumulate),
            at("accumulate"),
            accumulate,
            "from 1 to 65536 is possible",
        )?;
        let rate = self.learning_rate;
        let is_possible = rate > 0.0 && rate <= 10.0;
        require(is_possible, at("learning_rate"), rate, "above 0 and at most 10 is possible")?;
        let end = self.final_learning_rate.unwrap_or(0.0);
        let is_possible = (0.0..=10.0).contains(&end);
        require(is_possible, at("final_learning_rate"), end, "from 0 to 10 is possible")?;
        let Data { evaluation, test, .. } = self.data;
        for (name, share) in [("data.evaluation", evaluation), ("data.test", test)] {
            require((0.0..0.9).contains(&share), at(name), share, "from 0 to 0.9 is possible")?;
        }
        let is_left = evaluation + test < 0.95;
        require(is_left, at("data.test"), test, "together with `evaluation` it leaves too little to learn")?;
        if let Some(early) = &self.early_stopping {
            early.validate().map_err(|(name, reason)| {
                let value = match name {
                    "every" => early.every.to_string(),
                    "patience" => early.patience.to_string(),
                    _ => early.min_improvement.to_string(),
                };
                GptError::config(at(&format!("early_stopping.{name}")), value, reason)
            })?;
            let reason = "an early end is chosen by it; give it a share";
            require(evaluation > 0.0, at("data.evaluation"), evaluation, reason)?;
        }
        let suites = &self.data.suites;
        let reason = "name at least one, each once";
        let are_different = suites.iter().enumerate().all(|(index, suite)| !suites[..index].contains(suite));
        require(!suites.is_empty() && are_different, at("data.suites"), suites.len(), reason)?;
        let count = self.data.count;
        let is_possible = (1..=10_000_000).contains(&count);
        require(is_possible, at("data.count"), count, "from 1 to 10000000 is possible")?;
        match (self.steps, self.epochs) {
            (Some(steps), None) => require(steps > 0, at("steps"), steps, positive),
            (None, Some(epochs)) => require(epochs > 0, at("epochs"), epochs, positive),
            (None, None) => Err(GptError::config(at("steps"), "absent", "say how long: `steps` or `epochs`")),
            (Some(_), Some(steps)) => {
                Err(GptError::config(at("epochs"), steps, "`steps` says already how long; leave one out"))
            }
        }
    }
}

fn require(holds: bool, path: String, value: impl ToString, reason: &str) -> Result<(), GptError> {
    if holds { Ok(()) } else { Err(GptError::config(path, value, reason)) }
}
