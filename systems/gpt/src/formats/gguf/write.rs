//! Writing GGUF files.

use std::io::{self, Write};
use std::path::Path;

use rekindle_tokenizer::{Conventions, Frame, Tokenizer};

use super::super::conventions::{NO_CHAT_TEMPLATE, SpecialTokens, conventions};
use super::super::error::ModelFileError;
use super::super::mapping::{TensorMapping, arrays_by_name};
use super::super::pre_norm::PreNorm;
use super::super::save;
use super::metadata::{Metadata, push_text};
use super::tensor::{BLOCK, TensorType};
use super::tokens::Tokens;
use super::{ALIGNMENT, FORMAT, MAGIC, VERSION, mappings};
use crate::model::network::{Activation, Network};

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
    quantization: Quantization,
) -> Result<Vec<String>, ModelFileError> {
    let stack = PreNorm::of(network, FORMAT)?;
    let refused = |entry: String, reason: &str| Err(ModelFileError::inexpressible(FORMAT, entry, reason));
    if stack.activation != Activation::Gelu {
        return refused("the activation".to_owned(), "must be GELU: programs assume it for a GPT-2");
    }
    let tokens = Tokens::of(tokenizer, stack.vocabulary)?;
    let conventions = conventions(tokenizer);
    let special = SpecialTokens::of(&conventions, tokenizer);
    let mut warnings = Vec::new();
    let uses = Uses { conventions: &conventions, special, ends: Ends::of(tokenizer, special, &mut warnings) };
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
    let mut head = header(&stack, &tokens, &uses, quantization, &mappings, &types);
    head.resize(head.len().next_multiple_of(ALIGNMENT), 0);
    save(path, |out| {
        out.write_all(&head)?;
        for (mapping, kind) in mappings.iter().zip(&types) {
            write_aligned(out, &kind.encode(&mapping.numbers(&arrays)))?;
        }
        Ok(())
    })?;
    if quantization == Quantization::Q8 && types.contains(&TensorType::F16) {
        warnings.push("rows whose length is not a multiple of 32 are kept in 16 bits".to_owned());
    }
    if special.eos.is_none() {
        warnings.push("no token ends a text: llama.cpp then takes token 11 for one that does".to_owned());
    }
    if conventions.chat_template.is_none() {
        warnings.push(NO_CHAT_TEMPLATE.to_owned());
    }
    Ok(warnings)
}

/// How the tokens are used.
struct Uses<'a> {
    conventions: &'a Conventions,
    special: SpecialTokens,
    ends: Ends,
}

/// Which tokens a program puts around a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ends {
    bos: bool,
    eos: bool,
}

impl Ends {
    /// Those of the tokenizer's frame, as far as the format can say it.
    fn of(tokenizer: &Tokenizer, special: SpecialTokens, warnings: &mut Vec<String>) -> Self {
        let Frame { before, after } = tokenizer.frame();
        let is = |tokens: &[u32], token: Option<u32>| token.is_some_and(|token| tokens == [token]);
        let ends = Self { bos: is(before, special.bos), eos: is(after, special.eos) };
        if before.is_empty() == ends.bos || after.is_empty() == ends.eos {
            let lost = "the tokens that the tokenizer puts around a text are not written: a GGUF file can only name \
                        the one that begins a text and the one that ends it";
            warnings.push(lost.to_owned());
        }
        ends
    }
}

/// What stands before the tensors.
fn header(
    stack: &PreNorm,
    tokens: &Tokens,
    uses: &Uses<'_>,
    quantization: Quantization,
    mappings: &[TensorMapping],
    types: &[TensorType],
) -> Vec<u8> {
    let metadata = metadata(stack, tokens, uses, quantization);
    let mut header = MAGIC.to_vec();
    header.extend(VERSION.to_le_bytes());
    header.extend((mappings.len() as u64).to_le_bytes());
    header.extend(metadata.count().to_le_bytes());
    header.extend(metadata.bytes());
    let mut offset = 0;
    for (mapping, kind) in mappings.iter().zip(types) {
        push_text(&mut header, &mapping.name);
        header.extend((mapping.shape.len() as u32).to_le_bytes());
        header.extend(mapping.shape.iter().rev().flat_map(|&extent| (extent as u64).to_le_bytes()));
        header.extend(kind.code().to_le_bytes());
        header.extend((offset as u64).to_le_bytes());
        offset += kind.byte_len(mapping.len()).next_multiple_of(ALIGNMENT);
    }
    header
}

fn metadata(stack: &PreNorm, tokens: &Tokens, uses: &Uses<'_>, quantization: Quantization) -> Metadata {
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
    let SpecialTokens { bos, eos, unknown, pad, end_of_turn } = uses.special;
    let named = [("bos", bos), ("eos", eos), ("unknown", unknown), ("padding", pad), ("eot", end_of_turn)];
    for (name, token) in named {
        if let Some(token) = token {
            metadata.u32(&format!("tokenizer.ggml.{name}_token_id"), token);
        }
    }
    metadata.bool("tokenizer.ggml.add_bos_token", uses.ends.bos);
    metadata.bool("tokenizer.ggml.add_eos_token", uses.ends.eos);
    if let Some(template) = &uses.conventions.chat_template {
        metadata.text("tokenizer.chat_template", template);
    }
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
        Quantization::Q8 if mapping.columns().is_multiple_of(BLOCK) => TensorType::Q8,
        Quantization::F16 | Quantization::Q8 => TensorType::F16,
    }
}
