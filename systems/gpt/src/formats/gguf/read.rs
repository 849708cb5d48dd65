//! Reading GGUF files.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use rekindle_formats::files;
use rekindle_tokenizer::VOCABULARY_LIMIT;

use super::super::error::ModelFileError;
use super::super::mapping::{TensorMapping, fill};
use super::super::pre_norm::PreNorm;
use super::super::{Imported, ImportedVocabulary, LENGTH_LIMIT};
use super::head::{Entry, Head};
use super::tensor::{TensorType, name_of_type};
use super::{MAGIC, mappings, tokens};
use crate::model::config::{Block, ModelConfig};
use crate::model::network::{Activation, Network};
use crate::model::sampling::Sampling;
use crate::model::structure::StructureConfig;

const ARCHITECTURE: &str = "general.architecture";
const TOKEN_ROWS: &str = "token_embd.weight";
const OUTPUT_ROWS: &str = "output.weight";

/// True for the first bytes of a GGUF file.
pub fn is_gguf(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

/// Reads a file.
///
/// # Errors
/// When it cannot be read, is torn or contradicts itself; when it is of another architecture than `gpt2`, or has
/// a tokenizer or a type of tensors that is not read: they are named.
pub fn read(path: &Path) -> Result<Imported, ModelFileError> {
    let file = files::read(path, LENGTH_LIMIT).map_err(|error| ModelFileError::read(path, error))?;
    let head = Head::read(path, &file)?;
    let stack = stack(&head)?;
    let mut warnings = Vec::new();
    let network = network(&head, &file, stack, &mut warnings)?;
    let tokenizer = tokens::read(&head, &mut warnings)?;
    warnings.push("the file holds no state of an optimiser: training begins anew".to_owned());
    let vocabulary = tokenizer.map(ImportedVocabulary::Tokenizer);
    Ok(Imported { network, vocabulary, optimizer: None, warnings })
}

/// The stack that the metadata describe, as if attention had biases.
fn stack(head: &Head<'_>) -> Result<PreNorm, ModelFileError> {
    let path = head.path;
    match head.text(ARCHITECTURE)? {
        Some("gpt2") => {}
        Some(other) => {
            let found = format!("the architecture `{other}`");
            return Err(ModelFileError::unsupported(path, found, "only `gpt2` is read"));
        }
        None => return Err(missing(path, ARCHITECTURE)),
    }
    let whole = |name: &str| {
        let key = format!("gpt2.{name}");
        let number = head.whole(&key)?.ok_or_else(|| missing(path, &key))?;
        u32::try_from(number)
            .map_err(|_| ModelFileError::malformed(path, format!("`{key}`"), number, "that is too large"))
    };
    let epsilon_key = "gpt2.attention.layer_norm_epsilon";
    let epsilon = head.real(epsilon_key)?.ok_or_else(|| missing(path, epsilon_key))? as f32;
    let model = ModelConfig {
        block: Block::Gpt2,
        layers: whole("block_count")?,
        heads: whole("attention.head_count")?,
        width: whole("embedding_length")?,
        feed_forward: Some(whole("feed_forward_length")?),
        context: whole("context_length")?,
        tied: !head.tensors.contains_key(OUTPUT_ROWS),
        attention_biases: true,
        dropout: 0.0,
        structure: StructureConfig::default(),
        sampling: Sampling::default(),
    };
    let expected = "they must describe a network that fits together";
    model.validate().map_err(|error| ModelFileError::malformed(path, "the metadata", error, expected))?;
    check_heads(head, model.heads)?;
    let rows = head.tensors.get(TOKEN_ROWS).ok_or_else(|| missing(path, TOKEN_ROWS))?;
    let vocabulary = rows.shape.first().copied().unwrap_or(0);
    if !(1..=VOCABULARY_LIMIT as u64).contains(&vocabulary) {
        let found = format!("of {vocabulary} rows");
        let expected = format!("1 to {VOCABULARY_LIMIT} are possible");
        return Err(ModelFileError::malformed(path, format!("tensor `{TOKEN_ROWS}`"), found, expected));
    }
    Ok(PreNorm {
        vocabulary: vocabulary as usize,
        context: model.context as usize,
        width: model.width as usize,
        blocks: model.layers as usize,
        heads: model.heads,
        inner: model.inner_width() as usize,
        activation: Activation::Gelu,
        epsilon,
        attention_biases: true,
        tied: model.tied,
    })
}

/// Keys and values of all heads are their own.
fn check_heads(head: &Head<'_>, heads: u32) -> Result<(), ModelFileError> {
    match head.whole("gpt2.attention.head_count_kv")? {
        Some(found) if found != u64::from(heads) => {
            let found = format!("{found} heads of keys for {heads} heads");
            Err(ModelFileError::unsupported(head.path, found, "a GPT-2 has as many of both"))
        }
        _ => Ok(()),
    }
}

fn network(
    head: &Head<'_>,
    file: &[u8],
    mut stack: PreNorm,
    warnings: &mut Vec<String>,
) -> Result<Network, ModelFileError> {
    let path = head.path;
    let mut tensors: BTreeMap<&str, &Entry> =
        head.tensors.iter().map(|(name, entry)| (*name, entry)).collect();
    stack.attention_biases = tensors.keys().any(|name| is_attention_bias(name));
    let mut arrays = HashMap::new();
    for mapping in mappings(&stack) {
        let is_bias = is_attention_bias(&mapping.name);
        match tensors.remove(mapping.name.as_str()) {
            Some(entry) => {
                let numbers = numbers(head, file, &mapping, entry)?;
                arrays.insert(mapping.array.clone(), mapping.to_array(numbers));
            }
            None if is_bias && !stack.attention_biases => {}
            None if is_bias => warnings.push(format!("there is no `{}`: it is zero", mapping.name)),
            None => return Err(missing(path, &mapping.name)),
        }
    }
    if let Some((name, _)) = tensors.first_key_value() {
        let expected = format!("a GPT-2 of {} layers as in the metadata has no such tensor", stack.blocks);
        return Err(ModelFileError::malformed(path, format!("tensor `{name}`"), "there", expected));
    }
    // Programs write the rows twice where both maps are one.
    if arrays.get("output/weight") == arrays.get("token_embedding") {
        arrays.remove("output/weight");
        stack.tied = true;
    }
    // Only now is it certain that the metadata are in proportion to the file.
    let mut network = stack.zeros();
    fill(&mut network, arrays);
    network.check().map_err(|error| ModelFileError::network(path, error))?;
    Ok(network)
}

/// The numbers of a tensor, which must have the shape that the metadata ask for.
fn numbers(
    head: &Head<'_>,
    file: &[u8],
    mapping: &TensorMapping,
    entry: &Entry,
) -> Result<Vec<f32>, ModelFileError> {
    let (path, name) = (head.path, &mapping.name);
    let is_wanted = entry.shape.iter().copied().eq(mapping.shape.iter().map(|&extent| extent as u64));
    if !is_wanted {
        let expected = format!("{} is what the metadata ask for", extents(&mapping.shape));
        return Err(ModelFileError::malformed(
            path,
            format!("tensor `{name}`"),
            extents(&entry.shape),
            expected,
        ));
    }
    let kind = TensorType::of_code(entry.code).ok_or_else(|| {
        let found = format!("tensor `{name}` of type {}", name_of_type(entry.code));
        let supported = "F32, F16, BF16 and Q8_0 are read; convert the file with llama.cpp: \
                         `llama-quantize --allow-requantize FILE NEW-FILE Q8_0`";
        ModelFileError::unsupported(path, found, supported)
    })?;
    // Blocks lie within rows.
    let block = kind.block();
    if !mapping.columns().is_multiple_of(block) {
        let expected = format!("blocks have {block} numbers");
        let found = format!("of rows of {} numbers", mapping.columns());
        return Err(ModelFileError::malformed(path, format!("tensor `{name}`"), found, expected));
    }
    let len = kind.byte_len(mapping.len()) as u64;
    Ok(kind.decode(head.bytes(name, entry, file, len)?))
}

/// True for a bias that a network can do without.
fn is_attention_bias(name: &str) -> bool {
    name.ends_with("attn_qkv.bias") || name.ends_with("attn_output.bias")
}

fn missing(path: &Path, entry: &str) -> ModelFileError {
    ModelFileError::missing(path, entry, "every GGUF file of a GPT-2 has it; convert the model anew")
}

fn extents<T: ToString>(shape: &[T]) -> String {
    shape.iter().map(T::to_string).collect::<Vec<_>>().join(" x ")
}
