//! Directories of the Hugging Face library that hold a GPT-2 (`GPT2LMHeadModel`).
//!
//! | file | content |
//! |---|---|
//! | `config.json` | what the network is |
//! | `model.safetensors` | its parameters, see below |
//! | `tokenizer.json`, or `vocab.json` with `merges.txt` and `added_tokens.json` | the tokenizer; the first is written |
//! | `tokenizer_config.json`, `special_tokens_map.json` | which tokens begin and end a text; the first is written |
//! | `chat_template.jinja` | how a chat becomes a prompt; written as a member of `tokenizer_config.json` |
//! | `generation_config.json` | written for the library; not read |
//!
//! The library keeps maps as they are here, inputs x outputs, so that nothing is transposed. Attention always has
//! biases there: zeros are written for those that a network does without. The names of parameters begin with
//! `transformer.` or do not; masks that old versions of the library wrote among them are passed over.

mod config;
mod read;
mod tokenizer;
mod write;

pub use read::{PartialLoad, is_directory, read, read_partial};
pub use write::write;

use super::mapping::TensorMapping;
use super::pre_norm::PreNorm;

/// True for the first bytes of the `config.json` of a model.
pub(crate) fn is_config(head: &[u8]) -> bool {
    let is_object = head.trim_ascii_start().first() == Some(&b'{');
    is_object && head.windows(MODEL_TYPE.len()).any(|bytes| bytes == MODEL_TYPE)
}

const MODEL_TYPE: &[u8] = b"\"model_type\"";
const CONFIG: &str = "config.json";
const PARAMETERS: &str = "model.safetensors";
const TOKENIZER: &str = "tokenizer.json";
const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
const VOCAB: &str = "vocab.json";
const MERGES: &str = "merges.txt";
const TEMPLATE: &str = "chat_template.jinja";
/// No file but that of the parameters is longer: bytes.
const TEXT_LIMIT: u64 = 1 << 30;
/// For messages.
const FORMAT: &str = "a directory of the Hugging Face library";

/// The parameters by their names in the library, less `transformer.`.
fn mappings(stack: &PreNorm) -> Vec<TensorMapping> {
    let PreNorm { vocabulary, context, width, inner, blocks, tied, .. } = *stack;
    let mut mappings = vec![
        TensorMapping::new("wte.weight", "token_embedding", &[vocabulary, width]),
        TensorMapping::new("wpe.weight", "position_embedding", &[context, width]),
    ];
    for block in 0..blocks {
        let (attention, feed_forward) =
            (format!("layers/{}/attention", 2 * block), format!("layers/{}/feed_forward", 2 * block + 1));
        let mut add = |name: &str, layer: &str, array: &str, shape: &[usize]| {
            mappings.push(TensorMapping::new(format!("h.{block}.{name}"), format!("{layer}/{array}"), shape));
        };
        add("ln_1.weight", &attention, "norm/gain", &[width]);
        add("ln_1.bias", &attention, "norm/bias", &[width]);
        add("attn.c_attn.weight", &attention, "joined/weight", &[width, 3 * width]);
        add("attn.c_attn.bias", &attention, "joined/bias", &[3 * width]);
        add("attn.c_proj.weight", &attention, "output/weight", &[width, width]);
        add("attn.c_proj.bias", &attention, "output/bias", &[width]);
        add("ln_2.weight", &feed_forward, "norm/gain", &[width]);
        add("ln_2.bias", &feed_forward, "norm/bias", &[width]);
        add("mlp.c_fc.weight", &feed_forward, "up/weight", &[width, inner]);
        add("mlp.c_fc.bias", &feed_forward, "up/bias", &[inner]);
        add("mlp.c_proj.weight", &feed_forward, "down/weight", &[inner, width]);
        add("mlp.c_proj.bias", &feed_forward, "down/bias", &[width]);
    }
    mappings.push(TensorMapping::new("ln_f.weight", format!("layers/{}/norm/gain", 2 * blocks), &[width]));
    mappings.push(TensorMapping::new("ln_f.bias", format!("layers/{}/norm/bias", 2 * blocks), &[width]));
    if !tied {
        mappings.push(TensorMapping::new("lm_head.weight", "output/weight", &[vocabulary, width]));
    }
    mappings
}

/// The full name of a parameter: the head stands beside the transformer.
fn full_name(name: &str) -> String {
    if name.starts_with("lm_head.") { name.to_owned() } else { format!("transformer.{name}") }
}

/// True for a bias that a network can do without.
fn is_attention_bias(name: &str) -> bool {
    name.ends_with("attn.c_attn.bias") || name.ends_with("attn.c_proj.bias")
}
