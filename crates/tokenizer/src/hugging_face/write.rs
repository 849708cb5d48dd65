//! A tokenizer into a `tokenizer.json`.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{ASCII_MARK, ASCII_SPACES};
use crate::byte_level;
use crate::byte_pair::BytePair;
use crate::error::TokenizerError;
use crate::frame::Frame;
use crate::listed_words::{ListedWords, WordRules};
use crate::tokenizer::{Model, Tokenizer};
use crate::word_piece::WordPiece;
use crate::words::{Separation, Words};

/// The whole file.
///
/// # Errors
/// See [`Tokenizer::to_hugging_face`].
pub(super) fn write(tokenizer: &Tokenizer) -> Result<Value, TokenizerError> {
    let names = names(tokenizer);
    let vocab: Map<String, Value> =
        names.iter().map(|(token, name)| (name.clone(), (*token).into())).collect();
    let names: HashMap<u32, String> = names.into_iter().collect();
    let (model, normalizer, pre_tokenizer, decoder) = match &tokenizer.model {
        Model::BytePair(model) => {
            (byte_pair(model, &names, vocab), Value::Null, byte_level(model), byte_level(model))
        }
        Model::Words(model) => {
            (words(model, &names, vocab), Value::Null, separation(model.separation), Value::Null)
        }
        Model::WordPiece(model) => (
            word_piece(model, &names, vocab),
            bert_normalizer(model),
            separation(model.separation),
            json!({ "type": "WordPiece", "prefix": model.prefix, "cleanup": false }),
        ),
        Model::ListedWords(model) => (
            listed_words(model, tokenizer, &names, vocab)?,
            lower_case(&model.rules),
            word_rules(&model.rules),
            Value::Null,
        ),
    };
    Ok(json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added_tokens(tokenizer),
        "normalizer": normalizer,
        "pre_tokenizer": pre_tokenizer,
        "post_processor": post_processor(tokenizer, &names),
        "decoder": decoder,
        "model": model,
    }))
}

/// The model's tokens, and the keys under which its vocabulary lists them.
fn names(tokenizer: &Tokenizer) -> Vec<(u32, String)> {
    let Tokenizer { vocabulary, model_tokens, model, added, .. } = tokenizer;
    if let Model::BytePair(_) = model {
        return byte_level::names(vocabulary, *model_tokens, added).collect();
    }
    let tokens = vocabulary.tokens().take_while(|(token, _)| token < model_tokens);
    tokens.map(|(token, bytes)| (token, verbatim(bytes))).collect()
}

/// Added tokens and words are UTF-8: no tokenizer is written in which they are not.
fn verbatim(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn added_tokens(tokenizer: &Tokenizer) -> Vec<Value> {
    let marked = |tokens: &[u32], normalized: bool, special: bool| -> Vec<(u32, bool, bool)> {
        tokens.iter().map(|&token| (token, normalized, special)).collect()
    };
    let mut tokens = marked(&tokenizer.added.verbatim, false, true);
    tokens.extend(marked(&tokenizer.added.normalized, true, true));
    tokens.extend(marked(&tokenizer.added.ordinary, false, false));
    // Those behind the model's are numbered in the order of the list.
    tokens.sort_unstable();
    let member = |(token, normalized, special)| {
        json!({
            "id": token,
            "content": verbatim(tokenizer.token_bytes(token).unwrap_or_default()),
            "single_word": false,
            "lstrip": false,
            "rstrip": false,
            "normalized": normalized,
            "special": special,
        })
    };
    tokens.into_iter().map(member).collect()
}

/// What stands around a text, and around each of two.
fn post_processor(tokenizer: &Tokenizer, names: &HashMap<u32, String>) -> Value {
    let Frame { before, after } = tokenizer.frame();
    if tokenizer.frame().is_empty() {
        return Value::Null;
    }
    let name = |token: u32| match names.get(&token) {
        Some(name) => name.clone(),
        None => verbatim(tokenizer.token_bytes(token).unwrap_or_default()),
    };
    let special = |&token: &u32| json!({ "SpecialToken": { "id": name(token), "type_id": 0 } });
    let framed = |text: &str| -> Vec<Value> {
        let text = json!({ "Sequence": { "id": text, "type_id": 0 } });
        before.iter().map(special).chain([text]).chain(after.iter().map(special)).collect()
    };
    let listed = |&token: &u32| {
        let name = name(token);
        (name.clone(), json!({ "id": name, "ids": [token], "tokens": [name] }))
    };
    let special_tokens: Map<String, Value> = before.iter().chain(after).map(listed).collect();
    let pair = [framed("A"), framed("B")].concat();
    json!({
        "type": "TemplateProcessing",
        "single": framed("A"),
        "pair": pair,
        "special_tokens": special_tokens,
    })
}

fn byte_pair(model: &BytePair, names: &HashMap<u32, String>, vocab: Map<String, Value>) -> Value {
    let name = |token: u32| &names[&token];
    let merges: Vec<Value> =
        model.merges().map(|[left, right, _]| json!([name(left), name(right)])).collect();
    json!({
        "type": "BPE",
        "dropout": null,
        "unk_token": model.unknown.map(name),
        "continuing_subword_prefix": null,
        "end_of_word_suffix": null,
        "fuse_unk": model.fuses_unknown,
        "byte_fallback": false,
        "ignore_merges": model.keeps_whole,
        "vocab": vocab,
        "merges": merges,
    })
}

fn words(model: &Words, names: &HashMap<u32, String>, vocab: Map<String, Value>) -> Value {
    json!({ "type": "WordLevel", "vocab": vocab, "unk_token": names[&model.unknown] })
}

fn word_piece(model: &WordPiece, names: &HashMap<u32, String>, vocab: Map<String, Value>) -> Value {
    json!({
        "type": "WordPiece",
        "unk_token": names[&model.unknown],
        "continuing_subword_prefix": model.prefix,
        "max_input_chars_per_word": model.longest_word,
        "vocab": vocab,
    })
}

fn byte_level(model: &BytePair) -> Value {
    json!({
        "type": "ByteLevel",
        "add_prefix_space": model.adds_prefix_space,
        "trim_offsets": false,
        "use_regex": model.cuts_pieces,
    })
}

fn bert_normalizer(model: &WordPiece) -> Value {
    if !model.cleans && !model.parts_ideographs {
        return Value::Null;
    }
    json!({
        "type": "BertNormalizer",
        "clean_text": model.cleans,
        "handle_chinese_chars": model.parts_ideographs,
        "strip_accents": false,
        "lowercase": false,
    })
}

fn separation(separation: Separation) -> Value {
    let kind = match separation {
        Separation::Spaces => "WhitespaceSplit",
        Separation::Runs => "Whitespace",
        Separation::Marks => "BertPreTokenizer",
    };
    json!({ "type": kind })
}

fn listed_words(
    model: &ListedWords,
    tokenizer: &Tokenizer,
    names: &HashMap<u32, String>,
    vocab: Map<String, Value>,
) -> Result<Value, TokenizerError> {
    let refused = |reason| Err(TokenizerError::NotHuggingFace { reason });
    let Some(unknown) = model.rules.unknown else {
        return refused("it leaves unknown words out");
    };
    if !model.rules.whole.is_empty() {
        return refused("some of its words stay whole only between white space");
    }
    if tokenizer.vocabulary.tokens().any(|(_, bytes)| str::from_utf8(bytes).is_err()) {
        return refused("not all of its words are UTF-8");
    }
    Ok(json!({ "type": "WordLevel", "vocab": vocab, "unk_token": names[&unknown] }))
}

/// `Lowercase` would change other letters than those of ASCII too.
fn lower_case(rules: &WordRules) -> Value {
    if !rules.lower_case {
        return Value::Null;
    }
    let replace = |letter: char| {
        let pattern = json!({ "String": letter });
        json!({ "type": "Replace", "pattern": pattern, "content": letter.to_ascii_lowercase() })
    };
    let letters: Vec<Value> = ('A'..='Z').map(replace).collect();
    json!({ "type": "Sequence", "normalizers": letters })
}

/// `Punctuation` would cut at other marks than those of ASCII too.
fn word_rules(rules: &WordRules) -> Value {
    let split = |pattern: &str, behavior: &str| json!({ "type": "Split", "pattern": { "Regex": pattern }, "behavior": behavior, "invert": false });
    let spaces = match rules.unicode_space {
        true => json!({ "type": "WhitespaceSplit" }),
        false => split(ASCII_SPACES, "Removed"),
    };
    let marks = split(ASCII_MARK, "Isolated");
    json!({ "type": "Sequence", "pretokenizers": [spaces, marks] })
}
