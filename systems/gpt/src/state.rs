//! What a checkpoint holds.

use rekindle::Hash;
use rekindle_tokenizer::{Adaptive, Tokenizer};
use serde::{Deserialize, Serialize};

use crate::config::{Model, TokenKind, Training};
use crate::data::{self, Document, SPECIAL_TOKENS, origin};
use crate::error::GptError;
use crate::language_model::{LanguageModel, Vocabulary};
use crate::network::{Layer, Network};
use crate::optimizer::Optimizer;
use crate::precision::{LossScaler, Precision};

/// All that training needs to go on, after any step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Steps done: updates of the parameters, and steps that were skipped because a gradient overflowed.
    pub step: u64,
    /// Tokens that were learnt, counted as targets.
    pub tokens: u64,
    /// The network and its vocabulary.
    pub model: LanguageModel,
    /// What the optimiser remembers.
    pub optimizer: Optimizer,
    /// Keeps gradients in range; only where they are stored as f16.
    pub scaler: Option<LossScaler>,
    /// What is learnt, phase by phase.
    pub texts: Vec<TextIdentity>,
    /// How the vocabulary changed.
    pub growth: Vec<Growth>,
}

/// Which text is learnt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextIdentity {
    /// A hash over all of it.
    pub hash: Hash,
}

/// A change of the vocabulary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    /// The step after which it was made.
    pub step: u64,
    /// Tokens that are new.
    pub added: u32,
    /// Tokens that are gone.
    pub removed: u32,
    /// Tokens after it.
    pub vocabulary: u32,
}

/// A `tokenizer.json` is never longer: bytes.
const TOKENIZER_LIMIT: u64 = 64 << 20;

impl State {
    /// The state before the first step.
    pub(crate) fn new(model: &Model, training: &Training, seed: u64) -> Result<Self, GptError> {
        let documents = load_all(training, seed)?;
        let vocabulary = vocabulary(training, &documents)?;
        let network = Network::random(model, vocabulary.tokenizer().len(), seed);
        Ok(Self::of(model, training, vocabulary, network, identities(&documents)))
    }

    /// A state of the same form, to be loaded into.
    pub(crate) fn blank(model: &Model, training: &Training) -> Result<Self, GptError> {
        let tokenizer = bytes_only()?;
        let network = Network::blank(model, tokenizer.len());
        Ok(Self::of(model, training, Vocabulary::Fixed(tokenizer), network, Vec::new()))
    }

    fn of(
        model: &Model,
        training: &Training,
        vocabulary: Vocabulary,
        network: Network,
        texts: Vec<TextIdentity>,
    ) -> Self {
        Self {
            step: 0,
            tokens: 0,
            optimizer: Optimizer::new(&network),
            model: LanguageModel { vocabulary, network, sampling: model.sampling.clone() },
            scaler: scaler(training),
            texts,
            growth: Vec::new(),
        }
    }

    /// Makes it the beginning of another run: what was taken over stays, the rest is made to fit.
    pub(crate) fn adopt(&mut self, model: &Model, training: &Training, seed: u64) -> Result<(), GptError> {
        self.texts = identities(&load_all(training, seed)?);
        self.model.sampling = model.sampling.clone();
        self.adopt_vocabulary(training)?;
        if (training.precision == Precision::F16) != self.scaler.is_some() {
            self.scaler = scaler(training);
        }
        if self.optimizer.flaw(&self.model.network).is_some() {
            self.optimizer = Optimizer::new(&self.model.network);
        }
        Ok(())
    }

    /// Lets the vocabulary change as the config says.
    fn adopt_vocabulary(&mut self, training: &Training) -> Result<(), GptError> {
        let Some(adapt) = &training.adapt else { return Ok(()) };
        let refused = |source| GptError::Tokens { origin: "training.adapt".to_owned(), source };
        match &mut self.model.vocabulary {
            Vocabulary::Adaptive(adaptive) => adaptive.set_policy(adapt.policy.clone()).map_err(refused),
            Vocabulary::Fixed(tokenizer) => {
                let adaptive = Adaptive::new(tokenizer.clone(), adapt.policy.clone()).map_err(refused)?;
                self.model.vocabulary = Vocabulary::Adaptive(adaptive);
                Ok(())
            }
        }
    }

    /// Why the state contradicts itself or the config; nothing when it does not.
    pub(crate) fn flaw(&self, model: &Model, training: &Training) -> Option<String> {
        if let Err(error) = self.model.check() {
            return Some(error.to_string());
        }
        let network = &self.model.network;
        let expected = Network::blank(model, network.vocabulary());
        let form = |network: &Network| -> Vec<String> {
            let arrays = network.arrays().into_iter();
            arrays.map(|(name, _, array)| format!("`{name}` of {} numbers", array.len())).collect()
        };
        let (found, expected) = (form(network), form(&expected));
        if let Some((found, expected)) =
            found.iter().zip(&expected).find(|(found, expected)| found != expected)
        {
            return Some(format!("the network has {found} where the config has {expected}"));
        }
        if found.len() != expected.len() {
            return Some(format!("the network has {} arrays, the config {}", found.len(), expected.len()));
        }
        if let Some(found) = heads(network).find(|&heads| heads != model.heads) {
            return Some(format!("the network has {found} heads, the config {}", model.heads));
        }
        let (texts, phases) = (self.texts.len(), training.phases().count());
        if texts != phases {
            return Some(format!(
                "it has learnt {texts} texts, but the config has {phases}; begin a new run with \
                 `train CONFIG --from RUN --only model`"
            ));
        }
        if self.scaler.is_some() != (training.precision == Precision::F16) {
            return Some("it was trained with another precision than the config's".to_owned());
        }
        self.optimizer.flaw(network)
    }
}

fn scaler(training: &Training) -> Option<LossScaler> {
    (training.precision == Precision::F16).then(LossScaler::default)
}

/// The numbers of heads of all attention layers, which no array shows.
fn heads(network: &Network) -> impl Iterator<Item = u32> {
    network.layers.iter().filter_map(|layer| match layer {
        Layer::Attention(attention) => Some(attention.heads),
        Layer::FeedForward(_) | Layer::Norm(_) => None,
    })
}

/// The documents of all phases.
pub(crate) fn load_all(training: &Training, seed: u64) -> Result<Vec<Document>, GptError> {
    training.phases().map(|(path, phase)| data::load(&phase.data, path, seed)).collect()
}

/// Which documents they are.
pub(crate) fn identities(documents: &[Document]) -> Vec<TextIdentity> {
    documents.iter().map(|document| TextIdentity { hash: document.hash() }).collect()
}

fn vocabulary(training: &Training, documents: &[Document]) -> Result<Vocabulary, GptError> {
    let origins: Vec<_> = training.phases().map(|(_, phase)| origin(&phase.data)).collect();
    let of = |origin: &str| {
        let origin = origin.to_owned();
        move |source| GptError::Tokens { origin, source }
    };
    let settings = &training.tokenizer;
    let tokenizer = match &settings.file {
        Some(file) => read_tokenizer(file)?,
        None => {
            let text = sample(training, documents);
            let size = settings.vocabulary as usize;
            let learnt = match settings.kind {
                TokenKind::BytePairs => Tokenizer::train_byte_pair(&text, size),
                TokenKind::Bytes => Tokenizer::train_byte_pair(&text, 256),
                TokenKind::Words => Tokenizer::train_words_and_bytes(&text, size),
                TokenKind::Rustgpt => Tokenizer::train_rustgpt_words(&text),
            };
            learnt.map_err(of(&origins.join(" and ")))?
        }
    };
    let has_dialogues = documents.iter().any(|document| matches!(document, Document::Dialogues(_)));
    let tokenizer = match has_dialogues {
        true => tokenizer.with_special_tokens(&SPECIAL_TOKENS).map_err(of("the marks of dialogues"))?,
        false => tokenizer,
    };
    let Some(adapt) = &training.adapt else { return Ok(Vocabulary::Fixed(tokenizer)) };
    let adaptive = Adaptive::new(tokenizer, adapt.policy.clone()).map_err(of("training.adapt"))?;
    Ok(Vocabulary::Adaptive(adaptive))
}

/// What the vocabulary is learnt from: the text that the network learns, and nothing that it is measured
/// on.
fn sample(training: &Training, documents: &[Document]) -> Vec<u8> {
    let mut sample = Vec::new();
    for ((_, phase), document) in training.phases().zip(documents) {
        let learnt = |items: usize| items - (items as f64 * phase.data.evaluation) as usize;
        let mut add = |text: &str| {
            sample.extend_from_slice(text.as_bytes());
            sample.push(b'\n');
        };
        match document {
            Document::Texts(texts) => texts[..learnt(texts.len())].iter().for_each(|text| add(text)),
            Document::Dialogues(dialogues) => {
                dialogues[..learnt(dialogues.len())].iter().flatten().for_each(|said| add(&said.text));
            }
            Document::Text(text) => sample.extend_from_slice(&text[..learnt(text.len())]),
        }
    }
    sample
}

fn bytes_only() -> Result<Tokenizer, GptError> {
    let learnt = Tokenizer::train_byte_pair(b" ", 256);
    learnt.map_err(|source| GptError::Tokens { origin: "single bytes".to_owned(), source })
}

/// Reads a Hugging Face `tokenizer.json`.
fn read_tokenizer(file: &str) -> Result<Tokenizer, GptError> {
    let json = rekindle_formats::files::read(file.as_ref(), TOKENIZER_LIMIT)
        .map_err(|error| GptError::Data { origin: format!("`{file}`"), reason: error.to_string() })?;
    Tokenizer::from_hugging_face(&json)
        .map_err(|source| GptError::Tokens { origin: format!("`{file}`"), source })
}
