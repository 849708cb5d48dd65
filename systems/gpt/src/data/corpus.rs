//! Documents as tokens, and what is learnt in which step.

use std::cell::RefCell;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};

use rekindle_compute::rng;
use rekindle_tokenizer::Tokenizer;

use super::dialogue::{Dialogue, Marks, Role};
use super::document::Document;
use crate::config::Order;
use crate::error::GptError;
use crate::pass::Sequence;
use crate::streams;

/// A document that was cut into tokens, in a part to learn and a part to measure on.
#[derive(Debug, Clone)]
pub struct Corpus {
    /// To learn.
    pub learn: Lessons,
    /// To measure on; may be empty.
    pub measure: Lessons,
    /// Bytes of the text that is to be predicted there: of dialogues, the answers.
    pub measured_bytes: u64,
}

/// What sequences are taken from.
#[derive(Debug, Clone)]
pub enum Lessons {
    /// Running text.
    Text(Vec<u32>),
    /// Examples one by one.
    Examples(Examples),
}

/// Examples, and the order of the epoch at hand.
#[derive(Debug, Clone)]
pub struct Examples {
    sequences: Vec<Sequence>,
    order: Order,
    /// An epoch and its order: made once for all its steps.
    shuffled: RefCell<Option<(u64, Vec<u32>)>>,
}

/// Tokens of running text that a measurement takes at most, evenly spread.
const MEASURED_TOKENS: usize = 1 << 15;
/// A text that is longer takes long enough for its progress to be told: bytes.
const TOLD_BYTES: usize = 64 << 20;

impl Corpus {
    /// Cuts a document into tokens. `origin` is what it is called in messages.
    ///
    /// # Errors
    /// When too little is left to learn from, or the tokenizer has no marks for dialogues.
    pub fn new(
        document: &Document,
        tokenizer: &Tokenizer,
        context: usize,
        evaluation: f64,
        order: Order,
        threads: NonZero<usize>,
        origin: &str,
    ) -> Result<Self, GptError> {
        let refused = |reason: String| GptError::Data { origin: origin.to_owned(), reason };
        let count = |items: usize| items - (items as f64 * evaluation) as usize;
        let corpus = match document {
            Document::Text(text) => {
                let (learn, measure) = text.split_at(count(text.len()));
                let encode = |text: &[u8]| Lessons::Text(encode(tokenizer, text, threads));
                let measured_bytes = measure.len() as u64;
                Self { learn: encode(learn), measure: encode(measure), measured_bytes }
            }
            Document::Texts(texts) => {
                let (learn, measure) = texts.split_at(count(texts.len()));
                let sequence = |text: &String| {
                    let mut tokens = tokenizer.encode(text.as_bytes());
                    tokens.truncate(context + 1);
                    Sequence::of_text(&tokens)
                };
                let examples = |texts: &[String]| examples(texts.iter().map(sequence), order);
                let measured_bytes = measure.iter().map(|text| text.len() as u64).sum();
                Self { learn: examples(learn), measure: examples(measure), measured_bytes }
            }
            Document::Dialogues(dialogues) => {
                let (learn, measure) = dialogues.split_at(count(dialogues.len()));
                let marks = Marks::of(tokenizer).ok_or_else(|| {
                    refused("its dialogues need the tokens <|user|>, <|assistant|> and <|end|>".to_owned())
                })?;
                let sequence = |dialogue: &Dialogue| marks.sequence(tokenizer, dialogue, context);
                let examples = |dialogues: &[Dialogue]| examples(dialogues.iter().map(sequence), order);
                let answers = measure.iter().flatten().filter(|said| said.role == Role::Assistant);
                let measured_bytes = answers.map(|said| said.text.len() as u64).sum();
                Self { learn: examples(learn), measure: examples(measure), measured_bytes }
            }
        };
        match &corpus.learn {
            Lessons::Text(tokens) if tokens.len() < 2 => {
                Err(refused(format!("{} tokens are too few to learn from", tokens.len())))
            }
            Lessons::Examples(examples) if examples.sequences.is_empty() => {
                Err(refused("no example has two tokens or more; there is nothing to learn".to_owned()))
            }
            _ => Ok(corpus),
        }
    }
}

fn encode(tokenizer: &Tokenizer, text: &[u8], threads: NonZero<usize>) -> Vec<u32> {
    if text.len() < TOLD_BYTES {
        return tokenizer.encode_parallel(text, threads, &|_| {});
    }
    let told = AtomicUsize::new(0);
    tokenizer.encode_parallel(text, threads, &|done| {
        let tenth = done * 10 / text.len();
        if told.fetch_max(tenth, Ordering::Relaxed) < tenth {
            rekindle_train::tell!("cutting the text into tokens: {}0 %", tenth);
        }
    })
}

fn examples(sequences: impl Iterator<Item = Sequence>, order: Order) -> Lessons {
    let sequences = sequences.filter(|sequence| sequence.targets() > 0).collect();
    Lessons::Examples(Examples { sequences, order, shuffled: RefCell::default() })
}

impl Lessons {
    /// Batches that show every example once; none for running text, which has no examples.
    pub fn batches_of_an_epoch(&self, batch: usize) -> Option<u64> {
        match self {
            Self::Text(_) => None,
            Self::Examples(examples) => Some(examples.sequences.len().div_ceil(batch) as u64),
        }
    }

    /// A batch, counted from 0 over all epochs: it follows from the seed and its number alone.
    pub fn batch(&self, seed: u64, number: u64, batch: usize, context: usize) -> Vec<Sequence> {
        match self {
            Self::Text(tokens) => {
                let len = (context + 1).min(tokens.len());
                let mut stream = rng::stream(seed, streams::WINDOWS, number);
                let places = (tokens.len() - len + 1) as u64;
                let windows = (0..batch).map(|_| {
                    let start = stream.below(places) as usize;
                    Sequence::of_text(&tokens[start..start + len])
                });
                windows.collect()
            }
            Self::Examples(examples) => examples.batch(seed, number, batch),
        }
    }

    /// Sequences to measure on: all examples, or stretches of running text one behind the other; when
    /// the text is long, some of them, evenly spread, unless `whole`.
    pub fn measured(&self, context: usize, whole: bool) -> Vec<Sequence> {
        match self {
            Self::Text(tokens) => {
                let windows = tokens.len().saturating_sub(1).div_ceil(context);
                let most = if whole { windows } else { (MEASURED_TOKENS / context).max(1) };
                let step = windows.div_ceil(most.max(1)).max(1);
                let window = |index: usize| {
                    let start = index * context;
                    Sequence::of_text(&tokens[start..(start + context + 1).min(tokens.len())])
                };
                (0..windows).step_by(step).map(window).collect()
            }
            Self::Examples(examples) if whole => examples.sequences.clone(),
            Self::Examples(examples) => examples.sequences.iter().take(512).cloned().collect(),
        }
    }

    /// The first tokens, at most `count`.
    pub fn beginning(&self, count: usize) -> Vec<u32> {
        match self {
            Self::Text(tokens) => tokens[..count.min(tokens.len())].to_vec(),
            Self::Examples(examples) => {
                let tokens = examples.sequences.iter().flat_map(|sequence| &sequence.tokens);
                tokens.take(count).copied().collect()
            }
        }
    }

    /// Number of tokens that are to be predicted.
    pub fn targets(&self) -> u64 {
        match self {
            Self::Text(tokens) => tokens.len().saturating_sub(1) as u64,
            Self::Examples(examples) => {
                examples.sequences.iter().map(|sequence| sequence.targets() as u64).sum()
            }
        }
    }
}

impl Examples {
    fn batch(&self, seed: u64, number: u64, batch: usize) -> Vec<Sequence> {
        let batches = self.sequences.len().div_ceil(batch) as u64;
        let (epoch, place) = (number / batches, (number % batches) as usize * batch);
        let places = place..(place + batch).min(self.sequences.len());
        if self.order == Order::Given {
            return self.sequences[places].to_vec();
        }
        let mut shuffled = self.shuffled.borrow_mut();
        if shuffled.as_ref().is_none_or(|(known, _)| *known != epoch) {
            let mut order: Vec<u32> = (0..self.sequences.len() as u32).collect();
            rng::stream(seed, streams::ORDER, epoch).shuffle(&mut order);
            *shuffled = Some((epoch, order));
        }
        let order = shuffled.as_ref().map_or(&[][..], |(_, order)| order);
        order[places].iter().map(|&index| self.sequences[index as usize].clone()).collect()
    }
}
