//! GGUF (version 3): one file for llama.cpp and its kin.
//!
//! Little-endian: `GGUF`, u32 version, u64 tensors, u64 metadata; the metadata, each a key, u32 type and
//! value; for each tensor its name, u32 dimensions, their u64 extents with the one that varies fastest first, u32
//! type and u64 offset; then, from the next multiple of the alignment (32 where none is said) on, the tensors,
//! each at a multiple of it. A text is u64 length and UTF-8. Version 2 is the same.
//!
//! Programs that read it hold a linear map as outputs x inputs: maps are transposed. Biases, gains and
//! positions are written in 32 bits in every precision.
//!
//! Of what can be in such a file a GPT-2 is read, with its tokenizer, from tensors of F32, F16, BF16 and Q8_0.

mod head;
mod metadata;
mod read;
mod tensor;
mod tokens;
mod write;

pub use read::{is_gguf, read};
pub use write::{Quantization, write};

use super::mapping::TensorMapping;
use super::pre_norm::PreNorm;

/// For messages.
const FORMAT: &str = "a GGUF file";
const MAGIC: &[u8; 4] = b"GGUF";
const VERSION: u32 = 3;
/// Tensors begin at multiples of it, where a file does not say otherwise: bytes.
const ALIGNMENT: usize = 32;

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
