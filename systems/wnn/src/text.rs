//! The text: read from a file or generated, and cut into tokens.

use rekindle_data::{Blocks, Origin, identity, read_text};
use rekindle_formats::files;
use rekindle_tokenizer::Tokenizer;
use rekindle_train::SettingError;

use crate::config::{Codes, Data, Model, Source, Training, VocabularyOf};
use crate::corpus::Corpus;
use crate::error::WnnError;
use crate::examples::longest_context;
use crate::generated;
use crate::state::TextIdentity;

/// A text file is never longer: bytes.
const TEXT_LIMIT: u64 = 1 << 30;
/// A `tokenizer.json` is never longer: bytes.
const TOKENIZER_LIMIT: u64 = 64 << 20;
/// A part never has more tokens: sums over all examples are 64-bit integers.
const TOKENS_LIMIT: usize = 1 << 26;

/// Tokens, and what they are made of.
pub struct Text {
    /// The tokens as examples.
    pub corpus: Corpus,
    /// Which text it is.
    pub identity: TextIdentity,
}

/// The tokens of the three parts.
struct Tokens {
    train: Vec<u32>,
    select: Vec<u32>,
    test: Vec<u32>,
    vocabulary: usize,
    /// What made them of text; absent where they were not made of any.
    tokenizer: Option<Tokenizer>,
}

impl Text {
    /// Reads or generates the text of a config. `known` is the tokenizer that a run already has.
    ///
    /// # Errors
    /// When the file or the tokenizer cannot be read, or there are too few tokens or too many kinds
    /// of them.
    pub fn load(
        model: &Model,
        training: &Training,
        seed: u64,
        known: Option<&Tokenizer>,
    ) -> Result<Self, WnnError> {
        let data = &training.data;
        let tokens = tokens(data, seed, known)?;
        let context = training.search.context_size as usize;
        check_context(context, tokens.vocabulary)?;
        let Tokens { train, select, test, vocabulary, tokenizer } = tokens;
        let by_frequency = model.codes == Codes::Frequency;
        let corpus = Corpus::new(train, select, test, vocabulary, context, by_frequency);
        check(&corpus, training)?;
        let Corpus { training: train, select, test, .. } = &corpus;
        let identity = TextIdentity {
            hash: identity::of_tokens(vocabulary, train, select, test),
            vocabulary: vocabulary as u32,
            training: train.len() as u64,
            select: select.len() as u64,
            test: data.has_test().then_some(test.len() as u64),
            tokenizer,
        };
        Ok(Self { corpus, identity })
    }
}

/// What the text is called in messages.
pub(crate) fn origin(data: &Data) -> Origin {
    Origin::of(data.file.as_ref(), "the generated text")
}

fn tokens(data: &Data, seed: u64, known: Option<&Tokenizer>) -> Result<Tokens, WnnError> {
    let limited = |mut tokens: Vec<u32>, most: Option<u32>| {
        tokens.truncate(most.map_or(usize::MAX, |most| most as usize));
        tokens
    };
    let tokens = match (&data.file, data.source) {
        (Some(file), _) => encoded(&read_text(file, TEXT_LIMIT)?, data, known)?,
        (None, Source::Sentences) => encoded(generated::sentences(seed).as_bytes(), data, known)?,
        (None, Source::Zipf) => {
            let tokens = generated::zipf(data.vocabulary, seed);
            let [train, select, test] = parts(&tokens, data).map(<[u32]>::to_vec);
            Tokens { train, select, test, vocabulary: data.vocabulary as usize, tokenizer: None }
        }
    };
    Ok(Tokens {
        train: limited(tokens.train, data.train_tokens),
        select: limited(tokens.select, data.eval_tokens),
        test: limited(tokens.test, data.eval_tokens),
        ..tokens
    })
}

fn encoded(text: &[u8], data: &Data, known: Option<&Tokenizer>) -> Result<Tokens, WnnError> {
    let [train, select, test] = parts(text, data);
    let tokenizer = match known {
        Some(tokenizer) => tokenizer.clone(),
        None => tokenizer_for(data, train)?,
    };
    let [train, select, test] = [train, select, test].map(|part| tokenizer.encode(part));
    Ok(Tokens { train, select, test, vocabulary: tokenizer.len(), tokenizer: Some(tokenizer) })
}

/// Train, select and test. Select comes last, where it was before there was any test.
fn parts<'a, T>(items: &'a [T], data: &Data) -> [&'a [T]; 3] {
    let Blocks { train, select, test } = Blocks::with_select_last(items.len(), data.shares());
    [train, select, test].map(|block| &items[block])
}

fn tokenizer_for(data: &Data, text: &[u8]) -> Result<Tokenizer, WnnError> {
    if let Some(file) = &data.tokenizer {
        let origin = Origin::File(file.clone());
        let json = match files::read(file.as_ref(), TOKENIZER_LIMIT) {
            Ok(json) => json,
            Err(source) => return Err(WnnError::Unreadable { origin, source }),
        };
        return Tokenizer::from_hugging_face(&json).map_err(|source| WnnError::Tokens { origin, source });
    }
    let size = data.vocabulary as usize;
    match data.vocabulary_of {
        VocabularyOf::BytePairs => Tokenizer::train_byte_pair(text, size),
        VocabularyOf::Words => Tokenizer::train_words(text, size),
    }
    .map_err(|source| WnnError::Tokens { origin: origin(data), source })
}

fn check(corpus: &Corpus, training: &Training) -> Result<(), WnnError> {
    let Corpus { training: train, select, test, .. } = corpus;
    let (origin, context) = (origin(&training.data), corpus.coding.context());
    let require = |purpose: &'static str, found: usize, least: usize| match found >= least {
        true => Ok(()),
        false => Err(WnnError::TooFewTokens { origin: origin.clone(), purpose, found, context, least }),
    };
    require("learn from", train.len(), (context + 1) * training.search.token_parts as usize)?;
    require("select by", select.len(), context + 1)?;
    if training.data.shares().test > 0.0 {
        require("report on", test.len(), context + 1)?;
    }
    let found = train.len().max(select.len()).max(test.len());
    match found <= TOKENS_LIMIT {
        true => Ok(()),
        false => Err(WnnError::TooManyTokens { origin, found, limit: TOKENS_LIMIT }),
    }
}

fn check_context(context: usize, vocabulary: usize) -> Result<(), SettingError> {
    let longest = longest_context(vocabulary);
    SettingError::require(
        context <= longest,
        "training.search.context_size",
        context,
        format!("a vocabulary of {vocabulary} tokens leaves room for {longest} in the 256 bits of a context"),
    )
}
