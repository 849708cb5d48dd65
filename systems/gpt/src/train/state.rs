//! What a checkpoint holds.

use std::borrow::Cow;
use std::num::NonZero;

use rekindle::{Hash, Node, Versions, to_tree};
use rekindle_reason::FactCache;
use rekindle_tokenizer::{Adaptive, Tokenizer};
use rekindle_train::Patience;
use serde::{Deserialize, Serialize};

use crate::data::version::DataVersion;
use crate::data::{
    self, Corpus, CorpusOptions, Dataset, Document, bytes_only, learns_shapes, origin, shapes,
    special_tokens, vocabulary,
};
use crate::error::GptError;
use crate::model::codebook::Codebook;
use crate::model::config::ModelConfig;
use crate::model::language_model::{LanguageModel, Vocabulary};
use crate::model::network::{Layer, Network};
use crate::model::precision::{LossScaler, TrainingPrecision};
use crate::model::structure::Structure;
use crate::train::config::{Phase, Retain, TrainingConfig};
use crate::train::optimizer::Optimizer;
use crate::train::retained::Retained;
use crate::train::schedule::steps_of;

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
    /// How the vocabulary changed. In a state it is called `growth`.
    #[serde(rename = "growth")]
    pub vocabulary_changes: Vec<VocabularyChange>,
    /// How the text is cut, and how long it is learnt.
    #[serde(default)]
    pub plan: Plan,
    /// What is known of the losses of the phase at hand, where it may end early.
    #[serde(default)]
    pub patience: Option<Patience>,
    /// What problems that were learnt follow from, where that is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<FactCache>,
    /// The codes of the patches of pictures, where they are learnt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codebook: Option<Codebook>,
    /// What is kept of earlier phases while another is learnt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retained: Option<Retained>,
}

/// What was fixed when training began: it must not depend on how the vocabulary cuts the text, as
/// that may change.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Plan {
    /// How text is made and cut.
    #[serde(rename = "edition")]
    pub data_version: DataVersion,
    /// The phases; none in runs of the first data version, which count their steps anew.
    pub phases: Vec<PhasePlan>,
}

/// How long a phase is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhasePlan {
    /// Its steps.
    pub steps: u64,
    /// It ended early, so that there were fewer steps than were planned.
    pub ended: bool,
}

/// States of version 1 had no plan: they are of the first data version.
pub(crate) fn versions() -> Versions {
    Versions::new("gpt", 2).migration(1, |mut tree| {
        let Node::Struct(fields) = &mut tree else { return Err("a struct was expected".to_owned()) };
        let state = fields.iter_mut().find(|(name, _)| name == "state");
        let Some((_, Node::Struct(fields))) = state else { return Err("there is no `state`".to_owned()) };
        let plan = to_tree(&Plan::default()).map_err(|error| error.to_string())?;
        fields.extend([("plan".to_owned(), plan), ("patience".to_owned(), Node::Null)]);
        Ok(tree)
    })
}

/// Which text is learnt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextIdentity {
    /// A hash over all of it.
    pub hash: Hash,
}

impl TextIdentity {
    pub(crate) fn of(document: &Document) -> Self {
        Self { hash: document.hash() }
    }
}

/// A change of the vocabulary that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VocabularyChange {
    /// The step after which it was made.
    pub step: u64,
    /// Tokens that are new.
    pub added: u32,
    /// Tokens that are gone.
    pub removed: u32,
    /// Tokens after it.
    pub vocabulary: u32,
}

impl State {
    /// The state before the first step.
    pub(crate) fn new(model: &ModelConfig, training: &TrainingConfig, seed: u64) -> Result<Self, GptError> {
        let documents = load_all(training, seed, DataVersion::LATEST)?;
        let vocabulary = vocabulary(training, &documents, seed)?;
        let mut network = Network::random(model, vocabulary.tokenizer().len(), seed);
        if let Some(structure) = &mut network.structure {
            structure.read(vocabulary.tokenizer());
        }
        let texts = identities(&documents);
        let plan = plan(model, training, seed, &documents, vocabulary.tokenizer())?;
        Ok(Self { plan, ..Self::of(model, training, vocabulary, network, texts) })
    }

    /// A state of the same form, to be loaded into.
    pub(crate) fn blank(model: &ModelConfig, training: &TrainingConfig) -> Result<Self, GptError> {
        let tokenizer = bytes_only()?;
        let network = Network::blank(model, tokenizer.len());
        Ok(Self::of(model, training, Vocabulary::Fixed(tokenizer), network, Vec::new()))
    }

    fn of(
        model: &ModelConfig,
        training: &TrainingConfig,
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
            vocabulary_changes: Vec::new(),
            plan: Plan { data_version: DataVersion::LATEST, phases: Vec::new() },
            patience: None,
            facts: (training.facts > 0).then(FactCache::default),
            codebook: learns_shapes(training).then(|| shapes::codebook().clone()),
            retained: retains(training).then(Retained::default),
        }
    }

    /// Makes it the beginning of another run: what was taken over stays, the rest is made to fit.
    pub(crate) fn adopt(
        &mut self,
        model: &ModelConfig,
        training: &TrainingConfig,
        seed: u64,
    ) -> Result<(), GptError> {
        let documents = load_all(training, seed, DataVersion::LATEST)?;
        self.texts = identities(&documents);
        self.retained = retains(training).then(Retained::default);
        self.model.sampling = model.sampling.clone();
        self.adopt_vocabulary(training)?;
        let mut plan = plan(model, training, seed, &documents, self.model.tokenizer())?;
        for (new, old) in plan.phases.iter_mut().zip(&self.plan.phases).filter(|(_, old)| old.ended) {
            *new = *old;
        }
        self.plan = plan;
        self.codebook = learns_shapes(training).then(|| shapes::codebook().clone());
        if (training.facts > 0) != self.facts.is_some() {
            self.facts = (training.facts > 0).then(FactCache::default);
        }
        if (training.precision == TrainingPrecision::F16) != self.scaler.is_some() {
            self.scaler = scaler(training);
        }
        if self.optimizer.mismatch(&self.model.network).is_some() {
            self.optimizer = Optimizer::new(&self.model.network);
        }
        Ok(())
    }

    /// Goes on with phases that the config has behind those that are over.
    pub(crate) fn extend(
        &mut self,
        model: &ModelConfig,
        training: &TrainingConfig,
        seed: u64,
    ) -> Result<(), GptError> {
        let (known, phases) = (self.texts.len(), training.phases().count());
        if known == 0 || phases <= known {
            return Ok(());
        }
        let path = "training.continual";
        if self.plan.phases.len() != known {
            let reason = "the run was begun by an older version; begin a new one with its state instead";
            return Err(GptError::config(path, phases, reason));
        }
        let planned: u64 = self.plan.phases.iter().map(|phase| phase.steps).sum();
        if self.step < planned {
            let reason = format!(
                "training is not over: {} of {planned} steps are done; let it end before more is learnt",
                self.step
            );
            return Err(GptError::config(path, format!("{} phases", phases - known), reason));
        }
        let added = training.phases().skip(known);
        let documents: Vec<Document> = added
            .map(|(path, phase)| data::load(&phase.data, &path, seed, self.plan.data_version))
            .collect::<Result<_, _>>()?;
        self.add_special_tokens(special_tokens(self.model.tokenizer(), &documents), seed)?;
        let tokenizer = self.model.tokenizer();
        let added = training.phases().skip(known).zip(&documents);
        let plans =
            added.map(|((path, phase), document)| plan_phase(model, &path, phase, seed, document, tokenizer));
        let plans = plans.collect::<Result<Vec<_>, _>>()?;
        self.plan.phases.extend(plans);
        self.texts.extend(identities(&documents));
        self.patience = None;
        if retains(training) {
            self.retained.get_or_insert_default();
        }
        Ok(())
    }

    /// Lets the vocabulary change as the config says.
    fn adopt_vocabulary(&mut self, training: &TrainingConfig) -> Result<(), GptError> {
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
    pub(crate) fn mismatch(&self, model: &ModelConfig, training: &TrainingConfig) -> Option<String> {
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
        let told = |network: &Network| network.structure.as_ref().map(Structure::config).unwrap_or_default();
        if told(network) != model.structure {
            return Some(
                "the network is told of the tree of a text in another way than the config says".to_owned(),
            );
        }
        if let Some(found) = heads(network).find(|&heads| heads != model.heads) {
            return Some(format!("the network has {found} heads, the config {}", model.heads));
        }
        let (texts, phases) = (self.texts.len(), training.phases().count());
        if texts != phases {
            return Some(format!("it has learnt {texts} texts, but the config has {phases}"));
        }
        let planned = self.plan.phases.len();
        if planned != 0 && planned != phases {
            return Some(format!("it is planned in {planned} phases, but the config has {phases}"));
        }
        if self.facts.is_some() != (training.facts > 0) {
            return Some(
                "facts are kept by one of the config and the state, but not by the other".to_owned(),
            );
        }
        if let Some(Err(tampered)) = self.facts.as_ref().map(FactCache::verify) {
            return Some(tampered.to_string());
        }
        if self.scaler.is_some() != (training.precision == TrainingPrecision::F16) {
            return Some("it was trained with another precision than the config's".to_owned());
        }
        if self.codebook.as_ref() != learns_shapes(training).then(shapes::codebook) {
            return Some("its pictures are made of other patches than those of this version".to_owned());
        }
        if self.retained.is_some() != retains(training) {
            return Some(
                "something is retained by one of the config and the state, but not by the other".to_owned(),
            );
        }
        let held = self.retained.as_ref().and_then(|retained| retained.consolidation.as_ref());
        if held.is_some_and(|held| !held.fits(network)) {
            return Some("what parameters are held to is of another network".to_owned());
        }
        self.optimizer.mismatch(network)
    }

    /// For each phase whether its text is needed: not where it is over, unless examples of it are still to be kept.
    pub(crate) fn needed_phases(&self, training: &TrainingConfig) -> Vec<bool> {
        let phases = training.phases().count();
        if training.continual.is_empty() || self.plan.phases.len() != phases {
            return vec![true; phases];
        }
        let ends = self.plan.phases.iter().scan(0_u64, |end, phase| {
            *end = end.saturating_add(phase.steps);
            Some(*end)
        });
        let over = ends.take_while(|&end| end <= self.step).count().min(phases - 1);
        let shown = self.retained.as_ref().map_or(0, |retained| retained.replay.phases as usize);
        let mut to_come = training.phases().skip(over).filter_map(|(_, phase)| phase.retain.as_ref());
        let first = if to_come.any(Retain::needs_examples) { shown.min(over) } else { over };
        (0..phases).map(|index| index >= first).collect()
    }
}

fn scaler(training: &TrainingConfig) -> Option<LossScaler> {
    (training.precision == TrainingPrecision::F16).then(LossScaler::default)
}

/// The numbers of heads of all attention layers, which no array shows.
fn heads(network: &Network) -> impl Iterator<Item = u32> {
    network.layers.iter().filter_map(|layer| match layer {
        Layer::Attention(attention) => Some(attention.heads),
        Layer::FeedForward(_) | Layer::Norm(_) => None,
    })
}

/// Whether a phase keeps anything of those before it. A state has a place for that from its beginning on.
fn retains(training: &TrainingConfig) -> bool {
    training.phases().any(|(_, phase)| phase.retain.is_some())
}

/// The documents of the phases that are needed.
pub(crate) fn load_needed(
    training: &TrainingConfig,
    seed: u64,
    state: &State,
) -> Result<Vec<Option<Document>>, GptError> {
    let phases = training.phases().zip(state.needed_phases(training));
    let load = |((path, phase), is_needed): ((Cow<'static, str>, &Phase), bool)| {
        is_needed.then(|| data::load(&phase.data, &path, seed, state.plan.data_version)).transpose()
    };
    phases.map(load).collect()
}

/// The documents of all phases.
pub(crate) fn load_all(
    training: &TrainingConfig,
    seed: u64,
    data_version: DataVersion,
) -> Result<Vec<Document>, GptError> {
    training.phases().map(|(path, phase)| data::load(&phase.data, &path, seed, data_version)).collect()
}

/// How long each phase is with the vocabulary that training begins with.
fn plan(
    model: &ModelConfig,
    training: &TrainingConfig,
    seed: u64,
    documents: &[Document],
    tokenizer: &Tokenizer,
) -> Result<Plan, GptError> {
    let phases = training.phases().zip(documents);
    let phases =
        phases.map(|((path, phase), document)| plan_phase(model, &path, phase, seed, document, tokenizer));
    Ok(Plan { data_version: DataVersion::LATEST, phases: phases.collect::<Result<_, GptError>>()? })
}

/// How long a phase is with a vocabulary.
fn plan_phase(
    model: &ModelConfig,
    path: &str,
    phase: &Phase,
    seed: u64,
    document: &Document,
    tokenizer: &Tokenizer,
) -> Result<PhasePlan, GptError> {
    let origin = origin(&phase.data);
    let options = CorpusOptions {
        context: model.context as usize,
        data: &phase.data,
        data_version: DataVersion::LATEST,
        seed,
        threads: NonZero::<usize>::MIN,
        origin: &origin,
    };
    let steps = match (phase.steps, document) {
        (Some(steps), _) => steps,
        // Running text has no epochs, however it is cut.
        (None, Document::Text(_) | Document::Passages(_)) => steps_of(path, phase, &Dataset::default())?,
        (None, _) => steps_of(path, phase, &Corpus::new(document, tokenizer, &options)?.train)?,
    };
    Ok(PhasePlan { steps, ended: false })
}

/// Which documents they are.
fn identities(documents: &[Document]) -> Vec<TextIdentity> {
    documents.iter().map(TextIdentity::of).collect()
}
