//! The tokenizer in the words of GGUF: those of its `tokenizer.json`.

use rekindle_tokenizer::Tokenizer;
use serde_json::Value;

use super::super::error::ModelFileError;
use super::FORMAT;

const NORMAL: i32 = 1;
const UNKNOWN: i32 = 2;
const CONTROL: i32 = 3;
const UNUSED: i32 = 5;

/// Names and merges of byte pairs.
pub(super) struct Tokens {
    /// By the number of the token; bytes that are no printable ASCII stand as other characters.
    pub names: Vec<String>,
    pub types: Vec<i32>,
    /// Two names with a space between them.
    pub merges: Vec<String>,
}

impl Tokens {
    /// Those of a tokenizer, with names for rows of the network that stand for no token.
    pub fn of(tokenizer: &Tokenizer, rows: usize) -> Result<Self, ModelFileError> {
        let refused = |reason: String| Err(ModelFileError::inexpressible(FORMAT, "the tokenizer", reason));
        let file = match tokenizer.to_hugging_face() {
            Ok(file) => file,
            Err(error) => return refused(format!("cannot be written: {error}")),
        };
        let model = &file["model"];
        if model["type"] != "BPE" {
            return refused(format!("is of the kind {}; only byte pairs can be written", model["type"]));
        }
        let cut = &file["pre_tokenizer"];
        if cut["add_prefix_space"] != false || cut["use_regex"] != true {
            return refused("must cut text into the pieces of GPT-2 and put no space before it".to_owned());
        }
        if tokenizer.len() > rows {
            return refused(format!("has {} tokens, but the network rows for {rows}", tokenizer.len()));
        }
        let mut names: Vec<String> = (0..rows).map(|token| format!("[unused {token}]")).collect();
        let mut types = vec![UNUSED; rows];
        let mut set = |token: &Value, name: &str, kind: i32| {
            if let Some(token) = token.as_u64().map(|token| token as usize).filter(|&token| token < rows) {
                names[token] = name.to_owned();
                types[token] = kind;
            }
        };
        for (name, token) in model["vocab"].as_object().into_iter().flatten() {
            let kind = if model["unk_token"] == **name { UNKNOWN } else { NORMAL };
            set(token, name, kind);
        }
        for token in file["added_tokens"].as_array().into_iter().flatten() {
            set(&token["id"], token["content"].as_str().unwrap_or_default(), CONTROL);
        }
        let merges = model["merges"].as_array().into_iter().flatten();
        let merge = |pair: &Value| {
            format!("{} {}", pair[0].as_str().unwrap_or_default(), pair[1].as_str().unwrap_or_default())
        };
        Ok(Self { merges: merges.map(merge).collect(), names, types })
    }
}
