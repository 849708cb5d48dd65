//! Text, piece by piece.

mod stop_strings;
mod utf8;

use std::time::{Duration, Instant};

use rekindle_tokenizer::Tokenizer;
use serde::{Deserialize, Serialize};

use self::stop_strings::StopStrings;
use self::utf8::Utf8;
use crate::error::GptError;
use crate::inference::decode::Decoder;
use crate::inference::sampler::Sampler;
use crate::model::sampling::Sampling;

/// How text is generated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GenerationSettings {
    /// So many tokens at most.
    pub max_tokens: u64,
    /// Text at which it ends; it is not given, nor is what would follow.
    pub stop_strings: Vec<String>,
    /// Tokens at which it ends; they are not given.
    pub stop_tokens: Vec<u32>,
    /// Tokens that are never chosen.
    pub forbidden_tokens: Vec<u32>,
    /// What is done when the context is full.
    pub when_full: WhenFull,
    /// How tokens are chosen.
    pub sampling: Sampling,
}

/// What is done when the context is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenFull {
    /// It ends.
    #[default]
    Stop,
    /// The last half of the context is read again from its beginning, and the rest is forgotten. Of
    /// a prompt that is longer than the context, too, so much is read.
    Slide,
}

/// Why it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// There are as many tokens as were asked for.
    MaxTokens,
    /// The text went on with this.
    StopString(String),
    /// This token came.
    StopToken(u32),
    /// The context is full.
    ContextFull,
    /// It did not end: nobody asked for more.
    Interrupted,
}

/// What a generation gave besides its text.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The tokens behind the prompt, without a stop token.
    pub tokens: Vec<u32>,
    /// Why there are no more.
    pub stop: StopReason,
    /// Tokens of the prompt that were read in a second; those that the decoder knew do not count.
    pub prompt_rate: f64,
    /// Tokens that were chosen in a second.
    pub rate: f64,
}

impl Default for GenerationSettings {
    fn default() -> Self {
        Self {
            max_tokens: 256,
            stop_strings: Vec::new(),
            stop_tokens: Vec::new(),
            forbidden_tokens: Vec::new(),
            when_full: WhenFull::default(),
            sampling: Sampling::default(),
        }
    }
}

impl GenerationSettings {
    /// Checks all values.
    ///
    /// # Errors
    /// Names the first that is out of its range.
    pub fn validate(&self) -> Result<(), GptError> {
        if self.stop_strings.iter().any(String::is_empty) {
            return Err(GptError::config("stop_strings", "\"\"", "an empty text would end it at once"));
        }
        self.sampling.validate()
    }
}

/// Generates text behind a prompt: an iterator over pieces of text.
///
/// All pieces together are what the tokenizer makes of the tokens, with U+FFFD for bytes that are no
/// UTF-8. A character that is split over tokens is given when it is whole; what may be the beginning
/// of a stop string, when it is clear that it is not.
///
/// ```
/// use rekindle_gpt::model::{Block, ModelConfig};
/// use rekindle_gpt::inference::{Decoder, WeightPrecision};
/// use rekindle_gpt::inference::{Generation, GenerationSettings};
/// use rekindle_gpt::model::Network;
/// use rekindle_tokenizer::Tokenizer;
///
/// let tokenizer = Tokenizer::train_byte_pair(b"to be or not to be", 258)?;
/// let model: ModelConfig = serde_json::from_str(r#"{"layers": 1, "heads": 1, "width": 8, "context": 32}"#)?;
/// let network = Network::random(&model, tokenizer.len(), 1);
/// let mut decoder = Decoder::new(&network, WeightPrecision::F32, 1)?;
/// let settings = GenerationSettings { max_tokens: 5, ..GenerationSettings::default() };
/// let prompt = tokenizer.encode(b"to be");
/// let mut generation = Generation::start(&mut decoder, &tokenizer, &settings, &prompt)?;
/// for piece in &mut generation {
///     print!("{}", piece?);
/// }
/// assert_eq!(generation.outcome().tokens.len(), 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Generation<'a> {
    decoder: &'a mut Decoder,
    tokenizer: &'a Tokenizer,
    sampler: Sampler,
    settings: GenerationSettings,
    /// Prompt and generated tokens.
    tokens: Vec<u32>,
    /// Tokens of the prompt.
    prompt: usize,
    /// The last token has not been read.
    has_unread_token: bool,
    /// Logits without those of forbidden tokens.
    logits: Vec<f32>,
    utf8: Utf8,
    stop_strings: StopStrings,
    stop: Option<StopReason>,
    prompt_rate: f64,
    elapsed: Duration,
}

impl<'a> Generation<'a> {
    /// Reads a prompt, which has at least one token: a text from its beginning. What the decoder
    /// knows of it already is not read again; what else it knows is forgotten.
    ///
    /// # Errors
    /// A setting is out of its range; decoder and tokenizer are not of the same model; the prompt has
    /// no token, one that is none of the network's, or more than the context has and may not slide.
    pub fn start(
        decoder: &'a mut Decoder,
        tokenizer: &'a Tokenizer,
        settings: &GenerationSettings,
        prompt: &[u32],
    ) -> Result<Self, GptError> {
        settings.validate()?;
        let (network, found) = (decoder.vocabulary(), tokenizer.len());
        if network != found {
            return Err(GptError::Vocabulary { tokenizer: found, network });
        }
        let tokens =
            [("stop_tokens", &settings.stop_tokens), ("forbidden_tokens", &settings.forbidden_tokens)];
        for (name, tokens) in tokens {
            if let Some(&token) = tokens.iter().find(|&&token| token as usize >= network) {
                return Err(GptError::config(name, token, format!("there are {network} tokens")));
            }
        }
        let sampler = Sampler::new(settings.sampling.clone())?;
        let prompt_rate = read_prompt(decoder, prompt, settings.when_full)?;
        Ok(Self {
            decoder,
            tokenizer,
            sampler,
            settings: settings.clone(),
            tokens: prompt.to_vec(),
            prompt: prompt.len(),
            has_unread_token: false,
            logits: Vec::new(),
            utf8: Utf8::default(),
            stop_strings: StopStrings::new(settings.stop_strings.clone()),
            stop: (settings.max_tokens == 0).then_some(StopReason::MaxTokens),
            prompt_rate,
            elapsed: Duration::ZERO,
        })
    }

    /// What it gave so far.
    pub fn outcome(self) -> Outcome {
        let count = self.tokens.len() - self.prompt;
        Outcome {
            tokens: self.tokens[self.prompt..].to_vec(),
            stop: self.stop.unwrap_or(StopReason::Interrupted),
            prompt_rate: self.prompt_rate,
            rate: rate(count, self.elapsed),
        }
    }

    /// The text that one more token makes certain.
    fn step(&mut self) -> Result<String, GptError> {
        self.read_last()?;
        let position = self.tokens.len() as u64;
        let logits = match &self.settings.forbidden_tokens[..] {
            [] => self.decoder.logits(),
            forbidden => {
                self.logits.clear();
                self.logits.extend_from_slice(self.decoder.logits());
                forbidden.iter().for_each(|&token| self.logits[token as usize] = f32::NEG_INFINITY);
                &self.logits
            }
        };
        let token = self.sampler.sample(logits, &self.tokens, position)?;
        if self.settings.stop_tokens.contains(&token) {
            return Ok(self.end(StopReason::StopToken(token)));
        }
        let bytes = self.bytes_of(token)?;
        self.tokens.push(token);
        self.has_unread_token = true;
        let text = self.utf8.push(&bytes);
        let (text, found) = self.stop_strings.push(&text);
        if let Some(found) = found {
            // What is held back stands behind the stop string.
            self.stop = Some(StopReason::StopString(found));
            return Ok(text);
        }
        Ok(text + &self.end_if_done())
    }

    /// Reads the last token, unless that was done.
    fn read_last(&mut self) -> Result<(), GptError> {
        if !std::mem::take(&mut self.has_unread_token) {
            return Ok(());
        }
        if self.decoder.len() < self.decoder.context() {
            let last = self.tokens.len() - 1;
            self.decoder.feed(&self.tokens[last..])?;
        } else {
            self.decoder.clear();
            self.decoder.feed(last_half(&self.tokens, self.decoder.context()))?;
        }
        Ok(())
    }

    /// What a token adds to the text.
    fn bytes_of(&self, token: u32) -> Result<Vec<u8>, GptError> {
        let decode = |tokens: &[u32]| {
            let error = |source| GptError::Tokens { origin: "the generated text".to_owned(), source };
            self.tokenizer.decode(tokens).map_err(error)
        };
        // What is between two tokens depends on no more than these two.
        match self.tokens[self.prompt..].last() {
            None => decode(&[token]),
            Some(&before) => Ok(decode(&[before, token])?.split_off(decode(&[before])?.len())),
        }
    }

    fn end_if_done(&mut self) -> String {
        let count = (self.tokens.len() - self.prompt) as u64;
        if count >= self.settings.max_tokens {
            return self.end(StopReason::MaxTokens);
        }
        if self.settings.when_full == WhenFull::Stop && self.decoder.len() >= self.decoder.context() {
            return self.end(StopReason::ContextFull);
        }
        String::new()
    }

    /// Ends, and gives the text that was held back.
    fn end(&mut self, stop: StopReason) -> String {
        self.stop = Some(stop);
        let tail = self.utf8.finish();
        let (text, found) = self.stop_strings.push(&tail);
        match found {
            Some(found) => {
                self.stop = Some(StopReason::StopString(found));
                text
            }
            None => text + &self.stop_strings.finish(),
        }
    }
}

impl Iterator for Generation<'_> {
    type Item = Result<String, GptError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.stop.is_none() {
            let start = Instant::now();
            let step = self.step();
            self.elapsed += start.elapsed();
            match step {
                Ok(text) if text.is_empty() => {}
                Ok(text) => return Some(Ok(text)),
                Err(error) => {
                    self.stop = Some(StopReason::Interrupted);
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

/// Reads what the decoder does not know of the prompt; gives tokens per second.
fn read_prompt(decoder: &mut Decoder, prompt: &[u32], when_full: WhenFull) -> Result<f64, GptError> {
    let (found, context) = (prompt.len(), decoder.context());
    let prompt = match when_full {
        _ if found <= context => prompt,
        WhenFull::Slide => last_half(prompt, context),
        WhenFull::Stop => {
            let hint = "shorten it, or let the context slide";
            return Err(GptError::TooLong { what: "the prompt", found, context, hint });
        }
    };
    let known = decoder.tokens().iter().zip(prompt).take_while(|(known, token)| known == token).count();
    // The last token is always read: its logits are needed.
    let known = known.min(prompt.len().saturating_sub(1));
    decoder.truncate(known);
    let start = Instant::now();
    decoder.feed(&prompt[known..])?;
    Ok(rate(prompt.len() - known, start.elapsed()))
}

/// The last tokens: half of a context.
fn last_half(tokens: &[u32], context: usize) -> &[u32] {
    &tokens[tokens.len().saturating_sub((context / 2).max(1))..]
}

fn rate(count: usize, elapsed: Duration) -> f64 {
    if elapsed.is_zero() { 0.0 } else { count as f64 / elapsed.as_secs_f64() }
}
