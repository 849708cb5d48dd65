//! The members of a `tokenizer.json` that say which tokens a text has.

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::VOCABULARY_LIMIT;

/// The whole file. Members that are not here do not change the tokens of a text.
#[derive(Default, serde::Deserialize)]
pub(super) struct File {
    pub truncation: Option<IgnoredAny>,
    pub padding: Option<IgnoredAny>,
    pub added_tokens: Option<Bounded<AddedToken>>,
    pub normalizer: Option<Stage>,
    pub pre_tokenizer: Option<Stage>,
    pub post_processor: Option<PostProcessor>,
    pub model: Model,
}

/// A token that is looked for before anything else.
#[derive(Default, serde::Deserialize)]
pub(super) struct AddedToken {
    pub id: u32,
    pub content: String,
    #[serde(default)]
    pub single_word: bool,
    #[serde(default)]
    pub lstrip: bool,
    #[serde(default)]
    pub rstrip: bool,
    #[serde(default)]
    pub normalized: bool,
    pub special: Option<bool>,
}

/// A normalizer or pre-tokenizer, with the members of the supported ones.
#[derive(Default, serde::Deserialize)]
pub(super) struct Stage {
    #[serde(rename = "type")]
    pub kind: String,
    pub add_prefix_space: Option<bool>,
    pub use_regex: Option<bool>,
    pub clean_text: Option<bool>,
    pub handle_chinese_chars: Option<bool>,
    pub strip_accents: Option<bool>,
    pub lowercase: Option<bool>,
    pub pattern: Option<Pattern>,
    pub behavior: Option<String>,
    pub invert: Option<bool>,
    pub content: Option<String>,
    /// Of a sequence of pre-tokenizers.
    pub pretokenizers: Option<Vec<Stage>>,
    /// Of a sequence of normalizers.
    pub normalizers: Option<Vec<Stage>>,
}

/// What a stage looks for; a file has one of them.
#[derive(serde::Deserialize)]
pub(super) struct Pattern {
    #[serde(rename = "String")]
    pub string: Option<String>,
    #[serde(rename = "Regex")]
    pub regex: Option<String>,
}

/// What puts tokens around a text, with the members of the supported ones.
#[derive(serde::Deserialize)]
pub(super) struct PostProcessor {
    #[serde(rename = "type")]
    pub kind: String,
    /// Of a template: what stands around one text.
    pub single: Option<Bounded<Piece>>,
    /// Of a template: the tokens that it names.
    pub special_tokens: Option<HashMap<String, SpecialToken>>,
    /// Of BERT and RoBERTa: the token before a text, and its number.
    pub cls: Option<(String, u32)>,
    /// Of BERT and RoBERTa: the token after a text, and its number.
    pub sep: Option<(String, u32)>,
    /// Of a sequence.
    pub processors: Option<Vec<PostProcessor>>,
}

/// A part of a template.
#[derive(serde::Deserialize)]
pub(super) enum Piece {
    /// A text.
    Sequence(IgnoredAny),
    /// A token.
    SpecialToken { id: String },
}

/// A token that a template names: several numbers where it stands for several tokens.
#[derive(serde::Deserialize)]
pub(super) struct SpecialToken {
    pub ids: Bounded<u32>,
}

#[derive(Default, serde::Deserialize)]
pub(super) struct Model {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub dropout: Option<f64>,
    pub unk_token: Option<String>,
    pub continuing_subword_prefix: Option<String>,
    pub end_of_word_suffix: Option<String>,
    pub fuse_unk: Option<bool>,
    pub byte_fallback: Option<bool>,
    pub ignore_merges: Option<bool>,
    pub max_input_chars_per_word: Option<u64>,
    pub vocab: Vocab,
    pub merges: Option<Bounded<Merge>>,
}

/// Tokens and their numbers as the file lists them; empty when it has a list, as for Unigram.
#[derive(Default)]
pub(super) struct Vocab(pub Vec<(String, u32)>);

/// Two tokens that are joined, in either of the two forms that files have.
pub(super) enum Merge {
    /// `"left right"`
    Line(String),
    /// `["left", "right"]`
    Pair(String, String),
}

/// A list that is no longer than any vocabulary.
pub(super) struct Bounded<T>(pub Vec<T>);

fn too_many<E: Error>() -> E {
    E::custom(format!("more than {VOCABULARY_LIMIT} entries"))
}

impl<'de> Deserialize<'de> for Vocab {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(VocabVisitor)
    }
}

struct VocabVisitor;

impl<'de> Visitor<'de> for VocabVisitor {
    type Value = Vocab;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map from tokens to numbers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vocab, A::Error> {
        let mut tokens = Vec::new();
        while let Some(token) = map.next_entry()? {
            if tokens.len() == VOCABULARY_LIMIT {
                return Err(too_many());
            }
            tokens.push(token);
        }
        Ok(Vocab(tokens))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vocab, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Vocab(Vec::new()))
    }
}

impl<'de> Deserialize<'de> for Merge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MergeVisitor)
    }
}

struct MergeVisitor;

impl<'de> Visitor<'de> for MergeVisitor {
    type Value = Merge;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("two tokens, as a list or with a space between them")
    }

    fn visit_str<E: Error>(self, line: &str) -> Result<Merge, E> {
        Ok(Merge::Line(line.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Merge, A::Error> {
        let left = list.next_element()?.ok_or_else(|| A::Error::invalid_length(0, &self))?;
        let right = list.next_element()?.ok_or_else(|| A::Error::invalid_length(1, &self))?;
        match list.next_element::<IgnoredAny>()? {
            None => Ok(Merge::Pair(left, right)),
            Some(_) => Err(A::Error::invalid_length(3, &self)),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Bounded<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(BoundedVisitor(PhantomData))
    }
}

struct BoundedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for BoundedVisitor<T> {
    type Value = Bounded<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Bounded<T>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            if items.len() == VOCABULARY_LIMIT {
                return Err(too_many());
            }
            items.push(item);
        }
        Ok(Bounded(items))
    }
}
