//! GGUF (version 3): one file for llama.cpp and its kin, written only.
//!
//! Little-endian: `GGUF`, u32 version, u64 tensors, u64 metadata; the metadata, each a key, u32 type and
//! value; for each tensor its name, u32 dimensions, their u64 extents with the one that varies fastest first, u32
//! type and u64 offset; then, from the next multiple of 32 on, the tensors, each at a multiple of 32.
//! A text is u64 length and UTF-8.
//!
//! Programs that read it hold a linear map as outputs x inputs: maps are transposed. Biases, gains and
//! positions stay in 32 bits in every precision.

mod metadata;
mod tensor;
mod tokens;

use std::io::{self, Write};
use std::path::Path;

use rekindle_tokenizer::Tokenizer;

use super::error::ModelFileError;
use super::mapping::{TensorMapping, arrays_by_name};
use super::pre_norm::PreNorm;
use super::{SpecialTokens, save};
use crate::model::network::{Activation, Network};
use metadata::Metadata;
use tensor::TensorType;
use tokens::Tokens;

/// For messages.
const FORMAT: &str = "a GGUF file";
const MAGIC: &[u8; 4] = b"GGUF";
const VERSION: u32 = 3;
/// Tensors begin at multiples of it: bytes.
const ALIGNMENT: usize = 32;

/// How exactly weights are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantization {
    /// 32 bits, as they are.
    F32,
    /// 16 bits.
    F16,
    /// 8 bits, and for each 32 weights of a row a scale of 16 bits.
    Q8,
}

impl Quantization {
    /// The number in the metadata.
    fn file_type(self) -> u32 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Q8 => 7,
        }
    }
}

/// Writes a network with its tokenizer. Gives warnings about what is lost.
///
/// # Errors
/// When the network is not of the stack of GPT-2, the tokenizer is not one of byte pairs that cuts
/// text as GPT-2 does, a weight is too large for its precision, or the file cannot be written.
pub fn write(
    path: &Path,
    network: &Network,
    tokenizer: &Tokenizer,
    special: SpecialTokens,
    quantization: Quantization,
) -> Result<Vec<String>, ModelFileError> {
    let stack = PreNorm::of(network, FORMAT)?;
    let refused = |entry: String, reason: &str| Err(ModelFileError::inexpressible(FORMAT, entry, reason));
    if stack.activation != Activation::Gelu {
        return refused("the activation".to_owned(), "must be GELU: programs assume it for a GPT-2");
    }
    if let Some(token) = special.out_of_range(stack.vocabulary) {
        return refused(format!("token {token}"), "is none of the network's");
    }
    let tokens = Tokens::of(tokenizer, stack.vocabulary)?;
    let mappings = mappings(&stack);
    let arrays = arrays_by_name(network);
    let types: Vec<TensorType> = mappings.iter().map(|mapping| tensor_type(mapping, quantization)).collect();
    for (mapping, kind) in mappings.iter().zip(&types) {
        if !kind.holds(&mapping.numbers(&arrays)) {
            return refused(
                format!("`{}`", mapping.array),
                "has a weight that is too large; write it in 32 bits",
            );
        }
    }
    let mut head = header(&stack, &tokens, special, quantization, &mappings, &types);
    head.resize(head.len().next_multiple_of(ALIGNMENT), 0);
    save(path, |out| {
        out.write_all(&head)?;
        for (mapping, kind) in mappings.iter().zip(&types) {
            write_aligned(out, &kind.encode(&mapping.numbers(&arrays)))?;
        }
        Ok(())
    })?;
    let mut warnings = Vec::new();
    if quantization == Quantization::Q8 && types.contains(&TensorType::F16) {
        warnings.push("rows whose length is not a multiple of 32 are kept in 16 bits".to_owned());
    }
    if special.eos.is_none() {
        warnings.push("no token ends a text: llama.cpp then takes token 11 for one that does".to_owned());
    }
    Ok(warnings)
}

/// What stands before the tensors.
fn header(
    stack: &PreNorm,
    tokens: &Tokens,
    special: SpecialTokens,
    quantization: Quantization,
    mappings: &[TensorMapping],
    types: &[TensorType],
) -> Vec<u8> {
    let metadata = metadata(stack, tokens, special, quantization);
    let mut header = MAGIC.to_vec();
    header.extend(VERSION.to_le_bytes());
    header.extend((mappings.len() as u64).to_le_bytes());
    header.extend(metadata.count().to_le_bytes());
    header.extend(metadata.bytes());
    let mut offset = 0;
    for (mapping, kind) in mappings.iter().zip(types) {
        metadata::push_text(&mut header, &mapping.name);
        header.extend((mapping.shape.len() as u32).to_le_bytes());
        header.extend(mapping.shape.iter().rev().flat_map(|&extent| (extent as u64).to_le_bytes()));
        header.extend(kind.code().to_le_bytes());
        header.extend((offset as u64).to_le_bytes());
        offset += kind.byte_len(mapping.len()).next_multiple_of(ALIGNMENT);
    }
    header
}

fn metadata(
    stack: &PreNorm,
    tokens: &Tokens,
    special: SpecialTokens,
    quantization: Quantization,
) -> Metadata {
    let mut metadata = Metadata::default();
    metadata.text("general.architecture", "gpt2");
    metadata.u32("general.alignment", ALIGNMENT as u32);
    metadata.u32("general.file_type", quantization.file_type());
    metadata.u32("general.quantization_version", 2);
    metadata.u32("gpt2.context_length", stack.context as u32);
    metadata.u32("gpt2.embedding_length", stack.width as u32);
    metadata.u32("gpt2.block_count", stack.blocks as u32);
    metadata.u32("gpt2.feed_forward_length", stack.inner as u32);
    metadata.u32("gpt2.attention.head_count", stack.heads);
    metadata.f32("gpt2.attention.layer_norm_epsilon", stack.epsilon);
    metadata.text("tokenizer.ggml.model", "gpt2");
    metadata.text("tokenizer.ggml.pre", "gpt-2");
    metadata.texts("tokenizer.ggml.tokens", &tokens.names);
    metadata.i32s("tokenizer.ggml.token_type", &tokens.types);
    metadata.texts("tokenizer.ggml.merges", &tokens.merges);
    let named = [
        ("tokenizer.ggml.bos_token_id", special.bos),
        ("tokenizer.ggml.eos_token_id", special.eos),
        ("tokenizer.ggml.padding_token_id", special.pad),
    ];
    for (key, token) in named {
        if let Some(token) = token {
            metadata.u32(key, token);
        }
    }
    metadata.bool("tokenizer.ggml.add_bos_token", false);
    metadata
}

fn write_aligned(out: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    out.write_all(bytes)?;
    out.write_all(&vec![0; bytes.len().next_multiple_of(ALIGNMENT) - bytes.len()])
}

fn tensor_type(mapping: &TensorMapping, quantization: Quantization) -> TensorType {
    match quantization {
        _ if mapping.shape.len() < 2 || mapping.name == "position_embd.weight" => TensorType::F32,
        Quantization::F32 => TensorType::F32,
        Quantization::Q8 if mapping.columns().is_multiple_of(tensor::BLOCK) => TensorType::Q8,
        Quantization::F16 | Quantization::Q8 => TensorType::F16,
    }
}

/// The tensors by their names in the file.
fn mappings(stack: &PreNorm) -> Vec<TensorMapping> {
    let PreNorm { vocabulary, context, width, blocks, tied, .. } = *stack;
    let mut mappings = vec![
        TensorMapping::new("token_embd.weight", "token_embedding", &[vocabulary, width]),
        TensorMapping::new("position_embd.weight", "position_embedding", &[context, width]),
    ];
    for block in 0..blocks {
        mappings.extend(block_mappings(stack, block));
    }
    mappings.extend(norm_mappings("output_norm", &format!("layers/{}", 2 * blocks), width));
    if !tied {
        mappings.push(TensorMapping::new("output.weight", "output/weight", &[vocabulary, width]));
    }
    mappings
}

fn block_mappings(stack: &PreNorm, block: usize) -> Vec<TensorMapping> {
    let PreNorm { width, inner, .. } = *stack;
    let attention = format!("layers/{}/attention", 2 * block);
    let feed_forward = format!("layers/{}/feed_forward", 2 * block + 1);
    let name = |name: &str| format!("blk.{block}.{name}");
    let mut mappings = Vec::new();
    mappings.extend(norm_mappings(&name("attn_norm"), &attention, width));
    mappings.extend(norm_mappings(&name("ffn_norm"), &feed_forward, width));
    for (tensor, array, inputs, outputs) in [
        ("attn_qkv", format!("{attention}/joined"), width, 3 * width),
        ("attn_output", format!("{attention}/output"), width, width),
        ("ffn_up", format!("{feed_forward}/up"), width, inner),
        ("ffn_down", format!("{feed_forward}/down"), inner, width),
    ] {
        let tensor = name(tensor);
        let weight =
            TensorMapping::new(format!("{tensor}.weight"), format!("{array}/weight"), &[outputs, inputs]);
        mappings.push(weight.transposed());
        mappings.push(TensorMapping::new(format!("{tensor}.bias"), format!("{array}/bias"), &[outputs]));
    }
    mappings
}

fn norm_mappings(tensor: &str, layer: &str, width: usize) -> [TensorMapping; 2] {
    [
        TensorMapping::new(format!("{tensor}.weight"), format!("{layer}/norm/gain"), &[width]),
        TensorMapping::new(format!("{tensor}.bias"), format!("{layer}/norm/bias"), &[width]),
    ]
}
