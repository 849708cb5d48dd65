//! The tokenizer of a directory, and what its files say of its use.

use std::collections::BTreeMap;
use std::path::Path;

use rekindle_formats::files;
use rekindle_tokenizer::{Conventions, Frame, ListedBytePairs, Tokenizer, TokenizerError};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::super::conventions::adopted;
use super::super::error::ModelFileError;
use super::config::TokenIds;
use super::{MERGES, TEMPLATE, TEXT_LIMIT, TOKENIZER, TOKENIZER_CONFIG, VOCAB};

/// Special tokens beside those of `vocab.json`: a map from their texts to their numbers.
const ADDED_TOKENS: &str = "added_tokens.json";
/// The texts of special tokens, in directories of older versions of the library.
const SPECIAL_TOKENS_MAP: &str = "special_tokens_map.json";
/// Of several templates the one that the library takes where none is named.
const DEFAULT_TEMPLATE: &str = "default";

/// `tokenizer_config.json` or `special_tokens_map.json`: the members that are followed here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Settings {
    bos_token: Option<TokenText>,
    eos_token: Option<TokenText>,
    unk_token: Option<TokenText>,
    pad_token: Option<TokenText>,
    add_prefix_space: Option<bool>,
    add_bos_token: Option<bool>,
    added_tokens_decoder: Option<BTreeMap<u32, TokenText>>,
    chat_template: Option<Templates>,
}

/// A token as a text, or as a map that has it.
#[derive(Deserialize)]
#[serde(untagged)]
enum TokenText {
    Text(String),
    Token { content: String },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Templates {
    One(String),
    Several(Vec<NamedTemplate>),
}

#[derive(Deserialize)]
struct NamedTemplate {
    name: String,
    template: String,
}

impl TokenText {
    fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Token { content: text } => text,
        }
    }
}

/// The tokenizer, if the directory has one. What is lost is a warning.
///
/// # Errors
/// When it cannot be read, or asks for what is not done here.
pub(super) fn read(
    directory: &Path,
    ids: TokenIds,
    warnings: &mut Vec<String>,
) -> Result<Option<Tokenizer>, ModelFileError> {
    let settings: Settings = json(&directory.join(TOKENIZER_CONFIG))?.unwrap_or_default();
    let map: Settings = json(&directory.join(SPECIAL_TOKENS_MAP))?.unwrap_or_default();
    let text = |one: &Option<TokenText>, other: &Option<TokenText>| {
        one.as_ref().or(other.as_ref()).map(|token| token.text().to_owned())
    };
    let mut conventions = Conventions {
        bos: text(&settings.bos_token, &map.bos_token),
        eos: text(&settings.eos_token, &map.eos_token),
        unknown: text(&settings.unk_token, &map.unk_token),
        pad: text(&settings.pad_token, &map.pad_token),
        chat_template: chat_template(directory, settings.chat_template.as_ref())?,
    };
    let is_whole = files::exists(&directory.join(TOKENIZER));
    let tokenizer = match is_whole {
        true => from_tokenizer_json(&directory.join(TOKENIZER))?,
        false => match from_vocab_and_merges(directory, &settings, &conventions)? {
            Some(tokenizer) => tokenizer,
            None => {
                warnings.push(format!(
                    "the directory has no tokenizer, neither {TOKENIZER} nor {VOCAB} with {MERGES}: \
                     put it there and read it again to ask with texts"
                ));
                return Ok(None);
            }
        },
    };
    complete(&mut conventions, &tokenizer, ids);
    let bos = conventions.bos.as_ref().and_then(|text| tokenizer.token_of(text.as_bytes()));
    let tokenizer = match bos.filter(|_| settings.add_bos_token == Some(true)) {
        Some(bos) if !is_whole => {
            let frame = Frame { before: vec![bos], after: Vec::new() };
            tokenizer.with_frame(frame).map_err(|source| refused(directory, source))?
        }
        Some(_) if tokenizer.frame().before.is_empty() => {
            warnings.push(format!(
                "{TOKENIZER_CONFIG} asks for a token before each text (`add_bos_token`), {TOKENIZER} puts none there: \
                 there is none here"
            ));
            tokenizer
        }
        _ => tokenizer,
    };
    Ok(Some(adopted(tokenizer, conventions, warnings)))
}

/// Names the tokens that only the config names.
fn complete(conventions: &mut Conventions, tokenizer: &Tokenizer, ids: TokenIds) {
    let text = |token: u32| {
        let bytes = tokenizer.token_bytes(token)?;
        str::from_utf8(bytes).ok().map(str::to_owned)
    };
    let Conventions { bos, eos, pad, .. } = conventions;
    for (place, id) in [(bos, ids.bos), (eos, ids.eos), (pad, ids.pad)] {
        if place.is_none() {
            *place = id.and_then(text);
        }
    }
}

fn from_tokenizer_json(path: &Path) -> Result<Tokenizer, ModelFileError> {
    let text = files::read(path, TEXT_LIMIT).map_err(|error| ModelFileError::read(path, error))?;
    Tokenizer::from_hugging_face(&text).map_err(|source| refused(path, source))
}

/// As the library makes a tokenizer of GPT-2 of these files.
fn from_vocab_and_merges(
    directory: &Path,
    settings: &Settings,
    conventions: &Conventions,
) -> Result<Option<Tokenizer>, ModelFileError> {
    let (vocab, merges) = (directory.join(VOCAB), directory.join(MERGES));
    if !files::exists(&vocab) || !files::exists(&merges) {
        return Ok(None);
    }
    let read = |path: &Path| files::read(path, TEXT_LIMIT).map_err(|error| ModelFileError::read(path, error));
    let merges_text =
        files::read_text(&merges, TEXT_LIMIT).map_err(|error| ModelFileError::read(&merges, error))?;
    let mut listed = ListedBytePairs::from_vocab_and_merges(&read(&vocab)?, &merges_text)
        .map_err(|source| refused(&vocab, source))?;
    let mut added: BTreeMap<String, u32> = json(&directory.join(ADDED_TOKENS))?.unwrap_or_default();
    for (id, token) in settings.added_tokens_decoder.iter().flatten() {
        added.insert(token.text().to_owned(), *id);
    }
    let Conventions { bos, eos, unknown, pad, .. } = conventions;
    for text in [bos, eos, unknown, pad].into_iter().flatten() {
        if let Some((_, id)) = listed.tokens.iter().find(|(name, _)| name == text) {
            added.entry(text.clone()).or_insert(*id);
        }
    }
    listed.added = added.into_iter().collect();
    listed.adds_prefix_space = settings.add_prefix_space.unwrap_or(false);
    Tokenizer::from_listed_byte_pairs(listed).map(Some).map_err(|source| refused(&vocab, source))
}

/// The template that stands in a file of its own, or in the settings.
fn chat_template(directory: &Path, templates: Option<&Templates>) -> Result<Option<String>, ModelFileError> {
    let path = directory.join(TEMPLATE);
    if files::exists(&path) {
        let text = files::read_text(&path, TEXT_LIMIT).map_err(|error| ModelFileError::read(&path, error))?;
        return Ok(Some(text));
    }
    Ok(match templates {
        None => None,
        Some(Templates::One(template)) => Some(template.clone()),
        Some(Templates::Several(templates)) => {
            let default = templates.iter().find(|template| template.name == DEFAULT_TEMPLATE);
            default.map(|template| template.template.clone())
        }
    })
}

/// A file of JSON, if it is there.
fn json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, ModelFileError> {
    if !files::exists(path) {
        return Ok(None);
    }
    let text = files::read(path, TEXT_LIMIT).map_err(|error| ModelFileError::read(path, error))?;
    let parsed = serde_json::from_slice(&text);
    parsed.map(Some).map_err(|error| {
        let found = format!("not as it should be ({error})");
        ModelFileError::malformed(path, "the JSON text", found, "it must be as the library writes it")
    })
}

fn refused(path: &Path, source: TokenizerError) -> ModelFileError {
    ModelFileError::Tokenizer { path: path.to_owned(), source }
}
