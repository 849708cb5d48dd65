//! Writing directories of the Hugging Face library.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, Write};
use std::path::Path;

use rekindle_formats::files::{self, NewDirectory, NewFile};
use rekindle_tokenizer::{Conventions, Tokenizer};
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use serde_json::{Value, json};

use super::super::bytes::write_numbers;
use super::super::conventions::{NO_CHAT_TEMPLATE, SpecialTokens, conventions};
use super::super::error::ModelFileError;
use super::super::mapping::{TensorMapping, arrays_by_name};
use super::super::pre_norm::PreNorm;
use super::config::ACTIVATIONS;
use super::{CONFIG, FORMAT, PARAMETERS, TOKENIZER, TOKENIZER_CONFIG, full_name, mappings};
use crate::model::network::Network;

/// Writes a directory, which appears as a whole or not at all; at `path` there must be nothing, or
/// an empty directory. Gives warnings about what is lost.
///
/// # Errors
/// When the network is not of the stack of GPT-2, the tokenizer has other tokens than it, or the
/// directory cannot be written.
pub fn write(path: &Path, network: &Network, tokenizer: &Tokenizer) -> Result<Vec<String>, ModelFileError> {
    let stack = PreNorm::of(network, FORMAT)?;
    let refused = |entry: &str, reason: String| Err(ModelFileError::inexpressible(FORMAT, entry, reason));
    if tokenizer.len() != stack.vocabulary {
        let reason = format!("has {} tokens, but the network rows for {}", tokenizer.len(), stack.vocabulary);
        return refused("the tokenizer", reason);
    }
    let conventions = conventions(tokenizer);
    let special = SpecialTokens::of(&conventions, tokenizer);
    let tokenizer_file = match tokenizer.to_hugging_face() {
        Ok(file) => file,
        Err(error) => return refused("the tokenizer", format!("cannot be written: {error}")),
    };
    let mappings = mappings(&stack);
    let header = header(&mappings).map_err(|error| {
        ModelFileError::inexpressible(FORMAT, "the list of tensors", format!("cannot be made: {error}"))
    })?;
    let save = || {
        let directory = NewDirectory::create(path)?;
        let text = |name: &str, value: &Value| {
            files::write(&directory.path().join(name), format!("{value:#}\n").as_bytes())
        };
        text(CONFIG, &config(&stack, special))?;
        text(TOKENIZER, &tokenizer_file)?;
        text(TOKENIZER_CONFIG, &tokenizer_config(&stack, tokenizer, special, &conventions))?;
        text("generation_config.json", &generation_config(special))?;
        let mut file = NewFile::create(&directory.path().join(PARAMETERS))?;
        write_parameters(&mut file, &header, &mappings, network)?;
        file.finish()?;
        directory.finish()
    };
    save().map_err(|error| ModelFileError::write(path, error))?;
    let mut warnings = Vec::new();
    if !stack.attention_biases {
        warnings.push("attention gets biases of zero: the library has no GPT-2 without".to_owned());
    }
    if conventions.chat_template.is_none() {
        warnings.push(NO_CHAT_TEMPLATE.to_owned());
    }
    Ok(warnings)
}

fn config(stack: &PreNorm, special: SpecialTokens) -> Value {
    let activation = ACTIVATIONS.iter().find(|(_, activation)| *activation == stack.activation);
    let mut config = json!({
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "dtype": "float32",
        "vocab_size": stack.vocabulary,
        "n_positions": stack.context,
        "n_embd": stack.width,
        "n_layer": stack.blocks,
        "n_head": stack.heads,
        "n_inner": stack.inner,
        "activation_function": activation.map(|(name, _)| name),
        "layer_norm_epsilon": shortest(stack.epsilon),
        "resid_pdrop": 0.0,
        "embd_pdrop": 0.0,
        "attn_pdrop": 0.0,
        "scale_attn_weights": true,
        "tie_word_embeddings": stack.tied,
        "use_cache": true,
    });
    add(&mut config, token_ids(special));
    config
}

/// All three are set: where the library finds none, it takes those of its own GPT-2.
fn token_ids(special: SpecialTokens) -> Value {
    json!({
        "bos_token_id": special.bos,
        "eos_token_id": special.eos,
        "pad_token_id": special.pad,
    })
}

/// A text ends where a turn does, too.
fn generation_config(special: SpecialTokens) -> Value {
    let mut config = token_ids(special);
    let ends: BTreeSet<u32> = special.eos.into_iter().chain(special.end_of_turn).collect();
    if ends.len() > 1 {
        config["eos_token_id"] = json!(ends);
    }
    config
}

fn tokenizer_config(
    stack: &PreNorm,
    tokenizer: &Tokenizer,
    special: SpecialTokens,
    conventions: &Conventions,
) -> Value {
    let text = |token: Option<u32>| {
        let bytes = token.and_then(|token| tokenizer.token_bytes(token));
        bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    };
    let mut config = json!({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": stack.context,
        "clean_up_tokenization_spaces": false,
        "bos_token": text(special.bos),
        "eos_token": text(special.eos),
        "unk_token": text(special.unknown),
        "pad_token": text(special.pad),
    });
    if let Some(template) = &conventions.chat_template {
        config["chat_template"] = json!(template);
    }
    config
}

fn add(value: &mut Value, more: Value) {
    if let (Value::Object(members), Value::Object(more)) = (value, more) {
        members.extend(more);
    }
}

/// The number with the fewest digits that is this one in 32 bits.
fn shortest(number: f32) -> Option<f64> {
    number.to_string().parse().ok()
}

/// The header of the parameters: the length, then JSON. Libraries before version 5 insist on the
/// format `pt`.
fn header(mappings: &[TensorMapping]) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut end = 0;
    let mut tensors = Vec::new();
    for mapping in mappings {
        let start = end;
        end += 4 * mapping.len();
        let (shape, data_offsets) = (mapping.shape.clone(), (start, end));
        tensors.push((full_name(&mapping.name), TensorInfo { dtype: Dtype::F32, shape, data_offsets }));
    }
    let warnings = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let mut text = serde_json::to_vec(&Metadata::new(Some(warnings), tensors)?)?;
    text.resize(text.len().next_multiple_of(8), b' ');
    let mut header = (text.len() as u64).to_le_bytes().to_vec();
    header.extend(text);
    Ok(header)
}

fn write_parameters(
    out: &mut impl Write,
    header: &[u8],
    mappings: &[TensorMapping],
    network: &Network,
) -> io::Result<()> {
    let arrays = arrays_by_name(network);
    out.write_all(header)?;
    mappings.iter().try_for_each(|mapping| write_numbers(out, &mapping.numbers(&arrays)))
}
