//! The language model as it is asked through the training crate, by names of settings.

use std::path::Path;
use std::str::FromStr;

use rekindle::{Checkpoint, EntryPath, ReadError, from_tree};
use rekindle_compute::KernelPath;
use rekindle_formats::pictures::Colours;
use rekindle_pictures::Image;
use rekindle_reason::FactCache;
use rekindle_tokenizer::Tokenizer;
use rekindle_train::{
    CompleteError, Completion, Generated, Message, SetError, SystemError, TextCapability, TextMeasure,
    TextModel, TextModelSize, TextOption, TextStop,
};
use serde::de::DeserializeOwned;

use crate::error::GptError;
use crate::formats;
use crate::inference::chat_template::{ChatTemplate, forbidden_tokens};
use crate::inference::measure;
use crate::inference::{Decoder, Generation, GenerationSettings, StopReason, WeightPrecision, WhenFull};
use crate::model::network::Layer;
use crate::model::{Codebook, LanguageModel, Pixel};

/// Tokens of an answer where nothing else is said.
const MAX_TOKENS: u64 = 200;
/// Tokens that a trial computes, at most.
const TRIED: usize = 64;
/// Tokens that end a text, in the models that there are.
const ENDS: [&str; 3] = ["</s>", "<|end|>", "<|endoftext|>"];

/// How texts are gone on with.
pub(crate) const CAPABILITY: TextCapability =
    TextCapability { options: OPTIONS, load, recognises: |path| formats::detect(path).is_some(), read };

const OPTIONS: &[TextOption] = &[
    option("max_tokens", "N", "So many tokens at most [default: 200]"),
    option("temperature", "T", "Less prefers the probable, 0 always takes it"),
    option("top_k", "N", "Only the N most probable tokens"),
    option("top_p", "P", "Only the most probable tokens that together have this probability"),
    option("min_p", "P", "Only tokens of at least this share of the highest probability"),
    option("repetition_penalty", "X", "Make tokens that were there before less probable; 1 does not"),
    option("seed", "N", "Seed of the random choices: the same one gives the same text"),
    TextOption {
        name: "int8",
        value: None,
        help: "Compute with weights of 8 bits: faster, and nearly the same",
    },
];

const fn option(name: &'static str, value: &'static str, help: &'static str) -> TextOption {
    TextOption { name, value: Some(value), help }
}

fn load(checkpoint: &Checkpoint<'_>, threads: usize) -> Result<Box<dyn TextModel>, SystemError> {
    let model = LanguageModel::from_checkpoint(checkpoint).map_err(SystemError::new)?;
    let facts: Option<FactCache> = part(checkpoint, "facts")?;
    facts.as_ref().map(FactCache::verify).transpose().map_err(SystemError::new)?;
    let codebook = part(checkpoint, "codebook")?;
    Ok(Box::new(Asked { facts, codebook, ..Asked::new(model, Vec::new(), threads) }))
}

fn read(path: &Path, threads: usize) -> Result<Box<dyn TextModel>, SystemError> {
    let (model, notes) = LanguageModel::from_file_with_warnings(path).map_err(SystemError::new)?;
    Ok(Box::new(Asked::new(model, notes, threads)))
}

/// A part of the state of a checkpoint beside its model, where it has it.
fn part<T: DeserializeOwned>(checkpoint: &Checkpoint<'_>, name: &str) -> Result<Option<T>, SystemError> {
    let path = EntryPath::root().child("state").child(name);
    match checkpoint.load(&path) {
        Ok(tree) => from_tree(&tree).map_err(SystemError::new),
        Err(ReadError::NoEntry { .. }) => Ok(None),
        Err(error) => Err(SystemError::new(error)),
    }
}

/// A model, how it is sampled, and, once it was asked, its decoder.
struct Asked {
    model: LanguageModel,
    notes: Vec<String>,
    max_tokens: u64,
    precision: WeightPrecision,
    threads: usize,
    decoder: Option<Decoder>,
    facts: Option<FactCache>,
    codebook: Option<Codebook>,
}

impl Asked {
    fn new(model: LanguageModel, notes: Vec<String>, threads: usize) -> Self {
        let precision = WeightPrecision::F32;
        let (max_tokens, decoder, facts, codebook) = (MAX_TOKENS, None, None, None);
        Self { model, notes, max_tokens, precision, threads, decoder, facts, codebook }
    }

    /// The decoder, made when it is first asked for.
    fn decoder(&mut self) -> Result<(&mut Decoder, &LanguageModel), GptError> {
        let decoder = match self.decoder.take() {
            Some(decoder) => decoder,
            None => Decoder::new(&self.model.network, self.precision, self.threads)?,
        };
        Ok((self.decoder.insert(decoder), &self.model))
    }

    fn generate(
        &mut self,
        prompt: &[u32],
        settings: &GenerationSettings,
        piece: &mut dyn FnMut(&str) -> bool,
    ) -> Result<Generated, GptError> {
        let (decoder, model) = self.decoder()?;
        let mut generation = Generation::start(decoder, model.tokenizer(), settings, prompt)?;
        for text in &mut generation {
            if !piece(&text?) {
                break;
            }
        }
        let outcome = generation.outcome();
        Ok(Generated {
            tokens: outcome.tokens,
            stop: stop(outcome.stop),
            prompt_rate: outcome.prompt_rate,
            rate: outcome.rate,
        })
    }

    fn change(&mut self, name: &str, value: &str) -> Result<(), SetError> {
        let mut sampling = self.model.sampling.clone();
        match name {
            "max_tokens" => self.max_tokens = parse(name, value)?,
            "temperature" => sampling.temperature = parse(name, value)?,
            "top_k" => sampling.top_k = parse(name, value)?,
            "top_p" => sampling.top_p = parse(name, value)?,
            "min_p" => sampling.min_p = parse(name, value)?,
            "repetition_penalty" => sampling.repetition_penalty = parse(name, value)?,
            "seed" => sampling.seed = parse(name, value)?,
            "int8" => {
                let is_wanted: bool = parse(name, value)?;
                self.precision = if is_wanted { WeightPrecision::Int8 } else { WeightPrecision::F32 };
                self.decoder = None;
            }
            _ => return Err(SetError::Unknown(name.to_owned())),
        }
        sampling.validate().map_err(SystemError::new)?;
        self.model.sampling = sampling;
        Ok(())
    }
}

/// What a pixel looks like on white paper.
fn on_white([red, green, blue, opacity]: [u8; 4]) -> Pixel {
    let opacity = u16::from(opacity);
    [red, green, blue].map(|colour| ((u16::from(colour) * opacity + 255 * (255 - opacity)) / 255) as u8)
}

fn parse<T: FromStr>(name: &str, value: &str) -> Result<T, SetError> {
    value.parse().map_err(|_| SetError::Value { name: name.to_owned(), value: value.to_owned() })
}

/// The token that ends a text, as the file of the model says.
fn end_of_text(tokenizer: &Tokenizer) -> Option<u32> {
    tokenizer.token_of(tokenizer.conventions()?.eos.as_ref()?.as_bytes())
}

fn stop(reason: StopReason) -> TextStop {
    match reason {
        StopReason::MaxTokens => TextStop::MaxTokens,
        StopReason::StopString(text) => TextStop::Text(text),
        StopReason::StopToken(token) => TextStop::Token(token),
        StopReason::ContextFull => TextStop::ContextFull,
        StopReason::Interrupted => TextStop::Interrupted,
    }
}

impl TextModel for Asked {
    fn size(&self) -> TextModelSize {
        let network = &self.model.network;
        let layers = network.layers.iter().filter(|layer| matches!(layer, Layer::Attention(_))).count();
        TextModelSize {
            parameters: network.parameters() as u64,
            layers,
            width: network.width(),
            context: network.context(),
            vocabulary: network.vocabulary(),
            tokenizer: self.model.tokenizer().identity().to_string(),
        }
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    fn facts(&self) -> Option<&FactCache> {
        self.facts.as_ref()
    }

    fn picture_as_text(&self, Colours { width, pixels }: &Colours) -> Result<String, SystemError> {
        let codebook =
            self.codebook.as_ref().ok_or_else(|| SystemError::new("the model has learnt no pictures"))?;
        let pixels: Vec<Pixel> = pixels.iter().copied().map(on_white).collect();
        codebook.encoder().text_of(*width, &pixels).map_err(SystemError::new)
    }

    fn picture_in(&self, answer: &str) -> Option<(Image, String)> {
        let codebook = self.codebook.as_ref()?;
        let image = Image { pixels: codebook.picture_in(answer)?, columns: codebook.side() };
        Some((image, codebook.without_pictures(answer).trim().to_owned()))
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        let sampling = &self.model.sampling;
        vec![
            ("temperature", sampling.temperature.to_string()),
            ("top_k", sampling.top_k.to_string()),
            ("top_p", sampling.top_p.to_string()),
            ("min_p", sampling.min_p.to_string()),
            ("repetition_penalty", sampling.repetition_penalty.to_string()),
            ("seed", sampling.seed.to_string()),
            ("max_tokens", self.max_tokens.to_string()),
        ]
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), SetError> {
        self.change(name, value)
    }

    fn warm_up(&mut self) -> Result<(), SystemError> {
        let (decoder, _) = self.decoder().map_err(SystemError::new)?;
        decoder.feed(&[0]).map_err(SystemError::new)?;
        decoder.clear();
        Ok(())
    }

    fn complete(
        &mut self,
        prompt: &[u8],
        request: &Completion,
        piece: &mut dyn FnMut(&str) -> bool,
    ) -> Result<Generated, CompleteError> {
        let tokenizer = self.model.tokenizer();
        // What somebody types is its characters, never a special token.
        let mut prompt = tokenizer.encode_ordinary(prompt);
        if prompt.is_empty() {
            return Err(SystemError::new(
                "the prompt has no token that the model knows; give it a text to go on with",
            )
            .into());
        }
        prompt.splice(..0, tokenizer.frame().before.iter().copied());
        let mut stop_tokens: Vec<u32> =
            ENDS.iter().filter_map(|end| tokenizer.token_of(end.as_bytes())).collect();
        stop_tokens.extend(end_of_text(tokenizer));
        let settings = GenerationSettings {
            max_tokens: self.max_tokens,
            stop_strings: request.stop.clone(),
            forbidden_tokens: forbidden_tokens(tokenizer, &stop_tokens),
            stop_tokens,
            when_full: if request.slide { WhenFull::Slide } else { WhenFull::Stop },
            sampling: self.model.sampling.clone(),
        };
        self.generate(&prompt, &settings, piece).map_err(|error| match error {
            GptError::TooLong { found, context, .. } => CompleteError::TooLong { found, context },
            error => SystemError::new(error).into(),
        })
    }

    fn answer(
        &mut self,
        messages: &[Message],
        piece: &mut dyn FnMut(&str) -> bool,
    ) -> Result<Generated, SystemError> {
        let tokenizer = self.model.tokenizer();
        let template = ChatTemplate::of(tokenizer);
        let context = self.model.network.context();
        // At least half of the context is for what was said.
        let answer = (self.max_tokens as usize).min(context / 2);
        let prompt = template.prompt(messages, tokenizer, context - answer).map_err(SystemError::new)?;
        let mut stop_tokens = template.stop_tokens(tokenizer);
        stop_tokens.extend(end_of_text(tokenizer));
        let settings = GenerationSettings {
            max_tokens: self.max_tokens,
            stop_strings: template.stop_strings(),
            forbidden_tokens: forbidden_tokens(tokenizer, &stop_tokens),
            stop_tokens,
            when_full: WhenFull::Stop,
            sampling: self.model.sampling.clone(),
        };
        self.generate(&prompt, &settings, piece).map_err(SystemError::new)
    }

    fn measure(&self, text: &[u8]) -> Result<TextMeasure, SystemError> {
        measure::of(&self.model, text).map_err(SystemError::new)
    }

    fn measure_by_precision(&self, text: &[u8]) -> Result<Vec<(&'static str, TextMeasure)>, SystemError> {
        measure::by_precision(&self.model, text, self.threads).map_err(SystemError::new)
    }

    fn try_out(&self) -> Result<usize, SystemError> {
        let (vocabulary, context) = (self.model.network.vocabulary(), self.model.network.context());
        let tokens: Vec<u32> =
            (0..TRIED.min(context)).map(|index| (index * 7919 % vocabulary) as u32).collect();
        let path = KernelPath::from_environment().map_err(SystemError::new)?;
        let logits = self.model.logits(path, &tokens).map_err(SystemError::new)?;
        if let Some(position) = logits.iter().position(|logit| !logit.is_finite()) {
            let (index, token) = (position / vocabulary, position % vocabulary);
            return Err(SystemError::new(format!(
                "behind {} tokens, the logit of token {token} is {}",
                index + 1,
                logits[position]
            )));
        }
        Ok(tokens.len())
    }
}
