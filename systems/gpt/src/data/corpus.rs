//! Documents as tokens, and which batch is learnt in which step.

use std::cell::RefCell;
use std::num::NonZero;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use rekindle_compute::rng;
use rekindle_data::{Shares, Split};
use rekindle_tokenizer::Tokenizer;

use rekindle_train::Message;

use super::dialogue::{Dialogue, END, RoleTokens};
use super::document::Document;
use crate::data::version::DataVersion;
use crate::error::GptError;
use crate::formats::rustgpt;
use crate::model::kernels::loss::NO_TARGET;
use crate::model::pass::Sequence;
use crate::streams;
use crate::train::config::{Data, Order};

/// A document that was cut into tokens, in its three parts.
#[derive(Debug, Clone, Default)]
pub struct Corpus {
    /// To learn.
    pub train: Dataset,
    /// To measure on while training goes on; may be empty.
    pub select: Dataset,
    /// To measure on at the end; may be empty.
    pub test: Dataset,
    /// What of the document is in none of them, as it does not fit into the context.
    pub(crate) truncation: Truncation,
}

/// What is neither learnt nor measured on, as it does not fit into the context.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Truncation {
    /// Texts or dialogues that are cut.
    pub truncated: usize,
    /// Of so many.
    pub examples: usize,
    /// Tokens behind the cuts that were to be predicted.
    pub lost: usize,
    /// Of so many.
    pub targets: usize,
}

/// What batches are taken from.
#[derive(Debug, Clone)]
pub enum Dataset {
    /// Running text.
    Text(Vec<u32>),
    /// Examples one by one.
    Examples(Examples),
}

impl Default for Dataset {
    /// Nothing.
    fn default() -> Self {
        Self::Text(Vec::new())
    }
}

/// Examples, and the order of the epoch at hand.
#[derive(Debug, Clone)]
pub struct Examples {
    /// Some may have nothing to predict: they are kept, so that how many there are does not depend
    /// on how they are cut.
    sequences: Vec<Sequence>,
    order: Order,
    random_positions: bool,
    /// An epoch and its order: made once for all its steps.
    shuffled: RefCell<Option<(u64, Vec<u32>)>>,
}

/// How a document is made into a corpus.
#[derive(Debug, Clone, Copy)]
pub struct CorpusOptions<'a> {
    /// The most tokens of a sequence.
    pub context: usize,
    /// What the config says of it.
    pub data: &'a Data,
    /// How it is cut.
    pub data_version: DataVersion,
    /// Decides which documents are measured on.
    pub seed: u64,
    /// Threads that cut it into tokens.
    pub threads: NonZero<usize>,
    /// What the document is called in messages.
    pub origin: &'a str,
}

/// Tokens of running text that an evaluation takes at most, evenly spread.
const EVALUATION_TOKENS: usize = 1 << 15;
/// Examples that an evaluation takes at most.
const EVALUATION_EXAMPLES: usize = 512;
/// A text that is longer takes long enough for its progress to be reported: bytes.
const PROGRESS_BYTES: usize = 64 << 20;

impl Corpus {
    /// Cuts a document into tokens.
    ///
    /// # Errors
    /// When too little is left to learn from, or the tokenizer has no special tokens for dialogues.
    pub fn new(
        document: &Document,
        tokenizer: &Tokenizer,
        options: &CorpusOptions<'_>,
    ) -> Result<Self, GptError> {
        Self::with_progress(document, tokenizer, options, &|_| {})
    }

    /// The same; where it takes long, `progress` is called with the share that is done, in percent, by any of the
    /// threads.
    ///
    /// # Errors
    /// Those of [`Self::new`].
    pub fn with_progress(
        document: &Document,
        tokenizer: &Tokenizer,
        options: &CorpusOptions<'_>,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Self, GptError> {
        let mut truncation = Truncation::default();
        let [train, select, test] = match document {
            Document::Text(text) => {
                let parts = split_ranges(text.len(), options.data).map(|range| &text[range]);
                parts.map(|part| Dataset::Text(encode(tokenizer, part, options.threads, progress)))
            }
            Document::Passages(texts) => document.parts(options)?.map(|part| {
                let tokens = part.into_iter().flat_map(|index| with_end_token(tokenizer, &texts[index]));
                Dataset::Text(tokens.collect())
            }),
            Document::Texts(texts) => document.parts(options)?.map(|part| {
                let texts = part.into_iter().map(|index| &texts[index]);
                let sequences =
                    texts.flat_map(|text| text_sequences(tokenizer, text, options, &mut truncation));
                examples(sequences, options)
            }),
            Document::Dialogues(dialogues) => {
                dialogue_datasets(document, dialogues, tokenizer, options, &mut truncation)?
            }
        };
        let corpus = Self { train, select, test, truncation };
        corpus.check(options.origin)?;
        Ok(corpus)
    }

    /// Checks that there is something to learn.
    fn check(&self, origin: &str) -> Result<(), GptError> {
        let reason = match &self.train {
            Dataset::Text(tokens) if tokens.len() < 2 => {
                format!("{} tokens are too few to learn from", tokens.len())
            }
            Dataset::Examples(_) if self.train.targets() == 0 => {
                "no example has two tokens or more; there is nothing to learn".to_owned()
            }
            _ => return Ok(()),
        };
        Err(GptError::Data { origin: origin.to_owned(), reason })
    }
}

fn dialogue_datasets(
    document: &Document,
    dialogues: &[Dialogue],
    tokenizer: &Tokenizer,
    options: &CorpusOptions<'_>,
    truncation: &mut Truncation,
) -> Result<[Dataset; 3], GptError> {
    let role_tokens = RoleTokens::of(tokenizer).ok_or_else(|| {
        let reason = "its dialogues need the tokens <|user|>, <|assistant|> and <|end|>".to_owned();
        GptError::Data { origin: options.origin.to_owned(), reason }
    })?;
    let parts = document.parts(options)?;
    Ok(parts.map(|part| {
        let sequences = part.into_iter().map(|index| {
            let (sequence, lost) = role_tokens.sequence(tokenizer, &dialogues[index], options.context);
            truncation.note(sequence.targets(), lost);
            sequence
        });
        examples(sequences, options)
    }))
}

impl Document {
    /// What is learnt, what is measured on while training goes on, and what at the end: the numbers of
    /// texts or dialogues.
    ///
    /// # Errors
    /// When the shares leave nothing to learn.
    pub fn parts(&self, options: &CorpusOptions<'_>) -> Result<[Vec<usize>; 3], GptError> {
        let contents: Vec<String> = match self {
            Self::Text(_) => Vec::new(),
            Self::Passages(texts) | Self::Texts(texts) => texts.clone(),
            Self::Dialogues(dialogues) => dialogues.iter().map(content).collect(),
        };
        if options.data_version == DataVersion::V1 {
            return Ok(split_ranges(contents.len(), options.data).map(Iterator::collect));
        }
        let shares = Shares { select: options.data.evaluation, test: options.data.test };
        let split = Split::by_content(&contents, None, shares, options.seed).map_err(|error| {
            GptError::Data { origin: options.origin.to_owned(), reason: error.to_string() }
        })?;
        Ok([split.train, split.select, split.test])
    }
}

/// The messages of a dialogue, by which it is told apart from others.
fn content(dialogue: &Dialogue) -> String {
    dialogue.iter().map(|Message { role, content }| format!("{role:?} {content}\n")).collect()
}

/// The three parts of so many things in a row.
pub(crate) fn split_ranges(len: usize, data: &Data) -> [Range<usize>; 3] {
    let share = |share: f64| (len as f64 * share) as usize;
    let test = len - share(data.test);
    let select = test - share(data.evaluation);
    [0..select, select..test, test..len]
}

impl Truncation {
    fn note(&mut self, kept: usize, lost: usize) {
        self.examples += 1;
        self.truncated += usize::from(lost > 0);
        self.lost += lost;
        self.targets += kept + lost;
    }
}

/// The token that ends a text: that of dialogues, or RustGPT's; none where there is neither.
pub(crate) fn end_token(tokenizer: &Tokenizer) -> Option<u32> {
    tokenizer.token_of(END.as_bytes()).or_else(|| tokenizer.token_of(rustgpt::END_OF_TEXT.as_bytes()))
}

/// The tokens of a text, with one that ends it.
fn with_end_token(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    let mut tokens = tokenizer.encode(text.as_bytes());
    let end = end_token(tokenizer).filter(|end| tokens.last() != Some(end));
    tokens.extend(end);
    tokens
}

/// A text as one sequence or several, each beginning with the token that the one before ended with.
fn text_sequences(
    tokenizer: &Tokenizer,
    text: &str,
    options: &CorpusOptions<'_>,
    truncation: &mut Truncation,
) -> Vec<Sequence> {
    let context = options.context;
    if options.data_version == DataVersion::V1 {
        let mut tokens = tokenizer.encode(text.as_bytes());
        let lost = tokens.len().saturating_sub(context + 1);
        tokens.truncate(context + 1);
        let sequence = Sequence::of_text(&tokens);
        truncation.note(sequence.targets(), lost);
        return vec![sequence];
    }
    let tokens = with_end_token(tokenizer, text);
    let count = tokens.len().saturating_sub(1).div_ceil(context).max(1);
    (0..count).map(|window| Sequence::of_text(window_of(&tokens, window, context))).collect()
}

/// A window of tokens: windows are counted from 0, and each begins with the last token of the one before.
fn window_of(tokens: &[u32], window: usize, context: usize) -> &[u32] {
    let start = window * context;
    &tokens[start..(start + context + 1).min(tokens.len())]
}

fn encode(
    tokenizer: &Tokenizer,
    text: &[u8],
    threads: NonZero<usize>,
    progress: &(dyn Fn(usize) + Sync),
) -> Vec<u32> {
    if text.len() < PROGRESS_BYTES {
        return tokenizer.encode_parallel(text, threads, &|_| {});
    }
    let reported = AtomicUsize::new(0);
    tokenizer.encode_parallel(text, threads, &|done| {
        let tenth = done * 10 / text.len();
        if reported.fetch_max(tenth, Ordering::Relaxed) < tenth {
            progress(10 * tenth);
        }
    })
}

fn examples(sequences: impl Iterator<Item = Sequence>, options: &CorpusOptions<'_>) -> Dataset {
    let keeps_empty = options.data_version != DataVersion::V1;
    let sequences = sequences.filter(|sequence| keeps_empty || sequence.targets() > 0).collect();
    let (order, random_positions) = (options.data.order, options.data.random_positions);
    Dataset::Examples(Examples { sequences, order, random_positions, shuffled: RefCell::default() })
}

/// Bytes of the text that is to be predicted in sequences; special tokens have none.
pub(crate) fn target_bytes(tokenizer: &Tokenizer, sequences: &[Sequence]) -> u64 {
    sequences.iter().map(|sequence| target_bytes_of(tokenizer, sequence)).sum()
}

/// Bytes of a text up to the end of each of its tokens.
pub(crate) fn token_ends<'a>(
    tokenizer: &'a Tokenizer,
    tokens: &'a [u32],
) -> impl Iterator<Item = usize> + 'a {
    let len = |tokens: &[u32]| tokenizer.decode(tokens).map_or(0, |text| text.len());
    (0..tokens.len()).scan(0, move |end, index| {
        // How a token is written may depend on the one before.
        *end += match index.checked_sub(1) {
            Some(before) => len(&tokens[before..=index]).saturating_sub(len(&tokens[before..index])),
            None => len(&tokens[..1]),
        };
        Some(*end)
    })
}

fn target_bytes_of(tokenizer: &Tokenizer, sequence: &Sequence) -> u64 {
    let len = |tokens: &[u32]| tokenizer.decode(tokens).map_or(0, |text| text.len() as u64);
    let is_target = |target: &u32| *target != NO_TARGET && !tokenizer.is_special(*target);
    let mut bytes = 0;
    let mut start = 0;
    // Stretches of targets: how a token is written may depend on the one before.
    for stretch in sequence.targets.chunk_by(|a, b| is_target(a) == is_target(b)) {
        if is_target(&stretch[0]) {
            let before = &sequence.tokens[start..=start];
            bytes += len(&[before, stretch].concat()) - len(before);
        }
        start += stretch.len();
    }
    bytes
}

impl Dataset {
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
            Self::Examples(examples) => {
                let mut sequences = examples.batch(seed, number, batch);
                sequences.retain(|sequence| sequence.targets() > 0);
                if examples.random_positions {
                    let mut stream = rng::stream(seed, streams::POSITIONS, number);
                    for sequence in &mut sequences {
                        let room = context.saturating_sub(sequence.tokens.len());
                        sequence.start = stream.below(room as u64 + 1) as usize;
                    }
                }
                sequences
            }
        }
    }

    /// Sequences to measure on: all examples, or stretches of running text one behind the other; when
    /// the text is long, some of them, evenly spread, unless `whole`.
    pub fn evaluation_sequences(&self, context: usize, whole: bool) -> Vec<Sequence> {
        match self {
            Self::Text(tokens) => {
                let windows = tokens.len().saturating_sub(1).div_ceil(context);
                let most = if whole { windows } else { (EVALUATION_TOKENS / context).max(1) };
                let step = windows.div_ceil(most.max(1)).max(1);
                let window = |index: usize| Sequence::of_text(window_of(tokens, index, context));
                (0..windows).step_by(step).map(window).collect()
            }
            Self::Examples(examples) => {
                let most = if whole { usize::MAX } else { EVALUATION_EXAMPLES };
                let scored = examples.sequences.iter().filter(|sequence| sequence.targets() > 0);
                scored.take(most).cloned().collect()
            }
        }
    }

    /// The first tokens, at most `count`.
    pub fn prefix(&self, count: usize) -> Vec<u32> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use rekindle_train::{Message, Role};

    fn tokenizer() -> Tokenizer {
        Tokenizer::train_byte_pair(b" ", 256)
            .unwrap()
            .with_special_tokens(&super::super::SPECIAL_TOKENS)
            .unwrap()
    }

    fn corpus(document: &Document, context: usize, data: &Data) -> Corpus {
        let (data_version, threads) = (DataVersion::LATEST, NonZero::<usize>::MIN);
        let options = CorpusOptions { context, data, data_version, seed: 1, threads, origin: "it" };
        Corpus::new(document, &tokenizer(), &options).unwrap()
    }

    fn all() -> Data {
        Data { evaluation: 0.0, order: Order::Given, ..Data::default() }
    }

    #[test]
    fn every_byte_of_a_long_text_is_learnt_once_and_its_end_too() {
        let text: String = (0..400).map(|index| char::from(b'a' + (index % 26) as u8)).collect();
        let document = Document::Texts(vec![text.clone(), String::new(), "b".to_owned()]);
        for context in [1, 2, 7, 32, 399, 400, 401, 1000] {
            let corpus = corpus(&document, context, &all());
            let sequences = corpus.train.evaluation_sequences(context, true);
            assert!(sequences.iter().all(|sequence| sequence.tokens.len() <= context));
            // All but the first byte of a text, and both ends; a text without bytes has nothing to predict.
            assert_eq!(corpus.train.targets(), 400 + 1);
            assert_eq!(target_bytes(&tokenizer(), &sequences), 399);
            assert_eq!(corpus.truncation, Truncation::default());
        }
    }

    #[test]
    fn bytes_are_counted_of_what_is_scored() {
        let message = |role, text: &str| Message { role, content: text.to_owned() };
        let dialogue = vec![message(Role::User, "who?"), message(Role::Assistant, "x".repeat(30).as_str())];
        let corpus = corpus(&Document::Dialogues(vec![dialogue]), 16, &all());
        let sequences = corpus.train.evaluation_sequences(16, true);
        // Of 17 tokens seven are those of the question and of the token before the answer.
        assert_eq!(target_bytes(&tokenizer(), &sequences), 10);
        assert_eq!(corpus.truncation, Truncation { truncated: 1, examples: 1, lost: 21, targets: 31 });
    }

    #[test]
    fn texts_that_are_the_same_are_never_in_two_parts() {
        let texts: Vec<String> = (0..300).map(|index| format!("text {}", index % 40)).collect();
        let data = Data { evaluation: 0.2, test: 0.2, ..all() };
        let corpus = corpus(&Document::Texts(texts), 32, &data);
        let parts =
            [&corpus.train, &corpus.select, &corpus.test].map(|part| part.evaluation_sequences(32, true));
        assert_eq!(parts.iter().map(Vec::len).sum::<usize>(), 300);
        for (number, part) in parts.iter().enumerate() {
            assert!(!part.is_empty());
            let others = parts.iter().enumerate().filter(|(other, _)| *other != number);
            assert!(others.flat_map(|(_, other)| other).all(|sequence| !part.contains(sequence)));
        }
    }

    #[test]
    fn passages_are_separated_by_a_token() {
        let document = Document::Passages(vec!["ab".to_owned(), "c".to_owned()]);
        let corpus = corpus(&document, 8, &all());
        assert_eq!(tokenizer().decode(&corpus.train.prefix(9)).unwrap(), b"ab<|end|>c<|end|>");
    }

    #[test]
    fn how_many_batches_an_epoch_has_does_not_depend_on_what_has_targets() {
        let message = |role, text: &str| Message { role, content: text.to_owned() };
        let dialogue = |question: &str| vec![message(Role::User, question), message(Role::Assistant, "yes")];
        let document = Document::Dialogues(vec![dialogue("a"), dialogue(&"long ".repeat(9)), dialogue("b")]);
        let corpus = corpus(&document, 12, &all());
        assert_eq!(corpus.train.batches_of_an_epoch(1), Some(3));
        let batches = (0..3).map(|number| corpus.train.batch(0, number, 1, 12).len());
        assert_eq!(batches.collect::<Vec<_>>(), [1, 0, 1]);
    }
}
