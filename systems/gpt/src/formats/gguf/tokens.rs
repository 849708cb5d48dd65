//! The tokenizer in the words of GGUF: those of its `tokenizer.json`.

use rekindle_tokenizer::{Conventions, Frame, ListedBytePairs, Tokenizer};
use serde_json::Value;

use super::super::conventions::adopted;
use super::super::error::ModelFileError;
use super::FORMAT;
use super::head::Head;

const NORMAL: i32 = 1;
const UNKNOWN: i32 = 2;
const CONTROL: i32 = 3;
/// Looked for in a text before anything else, as control tokens are.
const USER_DEFINED: i32 = 4;
const UNUSED: i32 = 5;

const MODEL: &str = "tokenizer.ggml.model";
const PRE: &str = "tokenizer.ggml.pre";
const TOKENS: &str = "tokenizer.ggml.tokens";
const TYPES: &str = "tokenizer.ggml.token_type";
const MERGES: &str = "tokenizer.ggml.merges";

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
        if model["ignore_merges"] == true {
            return refused(
                "takes whole words before it merges, which programs do not for a GPT-2".to_owned(),
            );
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

/// The tokenizer of a file; none, and a warning, where it has none.
///
/// # Errors
/// When it is of another kind than byte pairs that cut text as GPT-2 does, or contradicts itself.
pub(super) fn read(head: &Head<'_>, warnings: &mut Vec<String>) -> Result<Option<Tokenizer>, ModelFileError> {
    let unsupported =
        |found: String, supported: &str| Err(ModelFileError::unsupported(head.path, found, supported));
    match head.text(MODEL)? {
        Some("gpt2") => {}
        None | Some("none" | "no_vocab") => {
            warnings.push("the file has no tokenizer".to_owned());
            return Ok(None);
        }
        Some(other) => {
            return unsupported(format!("the tokenizer `{other}`"), "byte pairs, `gpt2`, are read");
        }
    }
    match head.text(PRE)? {
        Some("gpt-2") => {}
        None => warnings.push(format!("`{PRE}` is absent: text is cut into the pieces of GPT-2")),
        Some(other) => {
            let found = format!("text cut as `{other}` does (`{PRE}`)");
            return unsupported(found, "only the pieces of GPT-2, `gpt-2`, are");
        }
    }
    let listed = listed(head)?;
    let refused = |source| ModelFileError::Tokenizer { path: head.path.to_owned(), source };
    let tokenizer = Tokenizer::from_listed_byte_pairs(listed).map_err(refused)?;
    let token = |name: &str| -> Result<Option<u32>, ModelFileError> {
        let number = head.whole(&format!("tokenizer.ggml.{name}_token_id"))?;
        Ok(number.and_then(|number| u32::try_from(number).ok()))
    };
    let (bos, eos) = (token("bos")?, token("eos")?);
    let text = |token: Option<u32>| {
        let bytes = tokenizer.token_bytes(token?)?;
        str::from_utf8(bytes).ok().map(str::to_owned)
    };
    let conventions = Conventions {
        bos: text(bos),
        eos: text(eos),
        unknown: text(token("unknown")?),
        pad: text(token("padding")?),
        chat_template: head.text("tokenizer.chat_template")?.map(str::to_owned),
    };
    let around = |key: &str, token: Option<u32>| -> Result<Vec<u32>, ModelFileError> {
        let is_put = head.bool(&format!("tokenizer.ggml.{key}"))?.unwrap_or(false);
        Ok(token.filter(|_| is_put).into_iter().collect())
    };
    let frame = Frame { before: around("add_bos_token", bos)?, after: around("add_eos_token", eos)? };
    let tokenizer = tokenizer.with_frame(frame).map_err(refused)?;
    Ok(Some(adopted(tokenizer, conventions, warnings)))
}

/// The lists of the metadata.
fn listed(head: &Head<'_>) -> Result<ListedBytePairs, ModelFileError> {
    let missing = |key: &str| ModelFileError::missing(head.path, key, "a tokenizer of byte pairs has it");
    let names = head.texts(TOKENS)?.ok_or_else(|| missing(TOKENS))?;
    let merges = head.texts(MERGES)?.ok_or_else(|| missing(MERGES))?;
    let normal = vec![i128::from(NORMAL); names.len()];
    let types = head.wholes(TYPES)?.unwrap_or(&normal);
    if types.len() != names.len() {
        let (found, expected) =
            (format!("{} long", types.len()), format!("there are {} tokens", names.len()));
        return Err(ModelFileError::malformed(head.path, format!("`{TYPES}`"), found, expected));
    }
    let is = |index: usize, kinds: &[i32]| kinds.iter().any(|&kind| types[index] == i128::from(kind));
    let used: Vec<usize> = (0..names.len()).filter(|&index| !is(index, &[UNUSED])).collect();
    let special = |index: usize| is(index, &[CONTROL, USER_DEFINED]);
    let named = |&index: &usize| (names[index].to_owned(), index as u32);
    // Special tokens behind all others are not among those of the model, unless numbers are left out.
    let behind = used.iter().rev().take_while(|&&index| special(index)).count();
    let has_gaps = used.last().is_some_and(|&last| last + 1 != used.len());
    let of_model = if has_gaps { used.len() } else { used.len() - behind };
    Ok(ListedBytePairs {
        tokens: used[..of_model].iter().map(named).collect(),
        merges: merges.iter().map(|&merge| merge.to_owned()).collect(),
        added: used.iter().filter(|&&index| special(index)).map(named).collect(),
        unknown: used.iter().find(|&&index| is(index, &[UNKNOWN])).map(|&index| names[index].to_owned()),
        adds_prefix_space: head.bool("tokenizer.ggml.add_space_prefix")?.unwrap_or(false),
    })
}
