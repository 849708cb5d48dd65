//! The vocabulary that training begins with.

use std::num::NonZero;

use rekindle_formats::files;
use rekindle_reason::Symbols;
use rekindle_reason::symbols::{RESERVED, Reserved, Symbol};
use rekindle_tokenizer::{Adaptive, Tokenizer};
use rekindle_train::Message;

use super::corpus::{CorpusOptions, split_ranges};
use super::dialogue::{END, SPECIAL_TOKENS};
use super::document::{Document, origin};
use super::synthetic;
use super::version::DataVersion;
use crate::error::GptError;
use crate::formats::rustgpt;
use crate::model::codebook::Codebook;
use crate::model::language_model::Vocabulary;
use crate::train::config::{Source, StudentVocabulary, SymbolTokens, TokenKind, TrainingConfig};
use crate::train::teacher;

/// A `tokenizer.json` is never longer: bytes.
const TOKENIZER_LIMIT: u64 = 64 << 20;
/// A file of declared symbols is never longer: bytes.
const SYMBOLS_LIMIT: u64 = 16 << 20;

/// The vocabulary that training begins with: read from a file, or learnt from the text of all phases.
pub(crate) fn vocabulary(
    training: &TrainingConfig,
    documents: &[Document],
    seed: u64,
) -> Result<Vocabulary, GptError> {
    let origins: Vec<_> = training.phases().map(|(_, phase)| origin(&phase.data)).collect();
    let of = |origin: &str| {
        let origin = origin.to_owned();
        move |source| GptError::Tokens { origin, source }
    };
    let settings = &training.tokenizer;
    let taught = training.distillation.as_ref();
    if let Some(teacher) = taught.filter(|taught| taught.vocabulary == StudentVocabulary::Same) {
        return Ok(Vocabulary::Fixed(teacher::model(teacher)?.tokenizer().clone()));
    }
    let tokenizer = match &settings.file {
        Some(file) => read_tokenizer(file)?,
        None => {
            let text = sample(training, documents, seed)?;
            let size = settings.vocabulary as usize;
            let learnt = match settings.kind {
                TokenKind::BytePairs => Tokenizer::train_byte_pair(&text, size),
                TokenKind::Bytes => Tokenizer::train_byte_pair(&text, 256),
                TokenKind::Words => Tokenizer::train_words_and_bytes(&text, size),
                TokenKind::Rustgpt => Tokenizer::train_listed_words(&text, rustgpt::word_rules()),
            };
            learnt.map_err(of(&origins.join(" and ")))?
        }
    };
    let tokenizer = with_symbols(tokenizer, settings.symbols.as_ref())?;
    let tokenizer = match learns_shapes(training) {
        true => with_patches(tokenizer, synthetic::shapes::codebook())?,
        false => tokenizer,
    };
    let special_tokens = special_tokens(&tokenizer, documents);
    let tokenizer = tokenizer
        .with_special_tokens(special_tokens)
        .map_err(of("the special tokens of dialogues and texts"))?;
    let Some(adapt) = &training.adapt else { return Ok(Vocabulary::Fixed(tokenizer)) };
    let adaptive = Adaptive::new(tokenizer, adapt.policy.clone()).map_err(of("training.adapt"))?;
    Ok(Vocabulary::Adaptive(adaptive))
}

/// The special tokens that documents need, some of which the tokenizer may have.
pub(crate) fn special_tokens(tokenizer: &Tokenizer, documents: &[Document]) -> &'static [&'static str] {
    let has_dialogues = documents.iter().any(|document| matches!(document, Document::Dialogues(_)));
    let has_texts =
        documents.iter().any(|document| matches!(document, Document::Texts(_) | Document::Passages(_)));
    let has_end = tokenizer.token_of(rustgpt::END_OF_TEXT.as_bytes()).is_some();
    match (has_dialogues, has_texts && !has_end) {
        (true, _) => &SPECIAL_TOKENS,
        (false, true) => &[END],
        (false, false) => &[],
    }
}

/// How a symbol is written as a token: `~` stands for negation, as a `tokenizer.json` has `¬` for a byte.
fn spelling(entry: &Reserved) -> &'static str {
    if entry.symbol == Symbol::Not { "~" } else { entry.unicode }
}

/// The tokenizer with the symbols of logic, and those of a file, as tokens of their own.
fn with_symbols(tokenizer: Tokenizer, symbols: Option<&SymbolTokens>) -> Result<Tokenizer, GptError> {
    let Some(SymbolTokens { file }) = symbols else { return Ok(tokenizer) };
    let mut names: Vec<String> = RESERVED.iter().map(|entry| spelling(entry).to_owned()).collect();
    if let Some(file) = file {
        let refused = |reason: String| GptError::Data { origin: format!("`{file}`"), reason };
        let text =
            files::read_text(file.as_ref(), SYMBOLS_LIMIT).map_err(|error| refused(error.to_string()))?;
        let Symbols { predicates, functions } =
            Symbols::from_yaml(&text).map_err(|error| refused(error.to_string()))?;
        names.extend(predicates.into_keys().chain(functions.into_keys()));
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let origin = "training.tokenizer.symbols".to_owned();
    tokenizer.with_symbols(&names).map_err(|source| GptError::Tokens { origin, source })
}

/// Whether made pictures are learnt.
pub(crate) fn learns_shapes(training: &TrainingConfig) -> bool {
    training.phases().any(|(_, phase)| phase.data.file.is_none() && phase.data.source == Source::Shapes)
}

/// The tokenizer with a token for each patch, one behind the other.
fn with_patches(tokenizer: Tokenizer, codebook: &Codebook) -> Result<Tokenizer, GptError> {
    let symbols: Vec<String> = codebook.symbols().map(String::from).collect();
    let symbols: Vec<&str> = symbols.iter().map(String::as_str).collect();
    let origin = "the patches of pictures".to_owned();
    tokenizer.with_symbols(&symbols).map_err(|source| GptError::Tokens { origin, source })
}

/// What the vocabulary is learnt from: the text that the network learns, and nothing that it is measured
/// on.
fn sample(training: &TrainingConfig, documents: &[Document], seed: u64) -> Result<Vec<u8>, GptError> {
    let mut sample = Vec::new();
    for ((_, phase), document) in training.phases().zip(documents) {
        let mut add = |text: &str| {
            sample.extend_from_slice(text.as_bytes());
            sample.push(b'\n');
        };
        let origin = origin(&phase.data);
        let options = CorpusOptions {
            // What is learnt does not depend on how it is cut.
            context: 1,
            data: &phase.data,
            data_version: DataVersion::LATEST,
            seed,
            threads: NonZero::<usize>::MIN,
            origin: &origin,
        };
        let [learnt, ..] = document.parts(&options)?;
        match document {
            Document::Passages(texts) | Document::Texts(texts) => {
                learnt.into_iter().for_each(|index| add(&texts[index]));
            }
            Document::Dialogues(dialogues) => {
                let messages = learnt.into_iter().flat_map(|index| &dialogues[index]);
                let has_pictures = phase.data.file.is_none() && phase.data.source == Source::Shapes;
                let codebook = has_pictures.then(synthetic::shapes::codebook);
                messages.for_each(|Message { content, .. }| match codebook {
                    Some(codebook) => add(&codebook.without_pictures(content)),
                    None => add(content),
                });
            }
            Document::Text(text) => {
                let [learnt, ..] = split_ranges(text.len(), &phase.data);
                sample.extend_from_slice(&text[learnt]);
            }
        }
    }
    Ok(sample)
}

/// A tokenizer of single bytes.
pub(crate) fn bytes_only() -> Result<Tokenizer, GptError> {
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
