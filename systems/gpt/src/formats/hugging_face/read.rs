//! Reading directories of the Hugging Face library.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use half::{bf16, f16};
use rekindle_formats::files;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::super::bytes::numbers;
use super::super::error::ModelFileError;
use super::super::mapping::{TensorMapping, fill};
use super::super::pre_norm::PreNorm;
use super::super::{Imported, ImportedVocabulary, LENGTH_LIMIT};
use super::config::ConfigFile;
use super::{CONFIG, PARAMETERS, TEXT_LIMIT, full_name, is_attention_bias, mappings, tokenizer};
use crate::model::config::ModelConfig;
use crate::model::network::{Layer, Network};

/// A partial network may have four times as many parameters as its file, or this many.
const INITIALISED_LIMIT: usize = 1 << 26;

/// What did not find its place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartialLoad {
    /// Parameters of the network that the file does not have in this shape: they are fresh.
    pub initialised: Vec<String>,
    /// Tensors of the file that the network has no place for.
    pub unused: Vec<String>,
}

/// True for a directory with a `config.json`.
pub fn is_directory(path: &Path) -> bool {
    files::exists(&path.join(CONFIG))
}

/// Reads a directory.
///
/// # Errors
/// When a file cannot be read; when the config asks for something that is not done here; when a
/// tensor is missing, of another shape or type, or none of this network's: it is named.
pub fn read(path: &Path) -> Result<Imported, ModelFileError> {
    let (imported, _) = read_directory(path, None)?;
    Ok(imported)
}

/// Reads a directory of which some parameters may be missing or of another shape: those are fresh
/// random numbers from `seed`. Says which, and what the network has no place for.
///
/// # Errors
/// Those of [`read`], but for such tensors; and when hardly any parameters are there.
pub fn read_partial(path: &Path, seed: u64) -> Result<(Imported, PartialLoad), ModelFileError> {
    read_directory(path, Some(seed))
}

fn read_directory(path: &Path, seed: Option<u64>) -> Result<(Imported, PartialLoad), ModelFileError> {
    let config_path = path.join(CONFIG);
    let text =
        files::read(&config_path, TEXT_LIMIT).map_err(|error| ModelFileError::read(&config_path, error))?;
    let config = ConfigFile::parse(&config_path, &text)?;
    let (stack, model) = config.stack(&config_path)?;
    let parameters_path = path.join(PARAMETERS);
    if !files::exists(&parameters_path) {
        let hint = "parameters in several files or in pytorch_model.bin are not read; \
                    save the model with `save_pretrained(path, max_shard_size=\"64GB\")`";
        return Err(ModelFileError::missing(path, PARAMETERS, hint));
    }
    let bytes = files::read(&parameters_path, LENGTH_LIMIT)
        .map_err(|error| ModelFileError::read(&parameters_path, error))?;
    let mut warnings = Vec::new();
    let (network, partial) = network(&parameters_path, &bytes, stack, &model, seed, &mut warnings)?;
    drop(bytes);
    let tokenizer = tokenizer::read(path, config.token_ids(), &mut warnings)?;
    warnings.push("the directory holds no state of an optimiser: training begins anew".to_owned());
    let vocabulary = tokenizer.map(ImportedVocabulary::Tokenizer);
    Ok((Imported { network, vocabulary, optimizer: None, warnings }, partial))
}

fn network(
    path: &Path,
    bytes: &[u8],
    mut stack: PreNorm,
    model: &ModelConfig,
    seed: Option<u64>,
    warnings: &mut Vec<String>,
) -> Result<(Network, PartialLoad), ModelFileError> {
    let mut tensors = tensors(path, bytes)?;
    let in_file: usize = tensors.values().map(|view| view.shape().iter().product::<usize>()).sum();
    let all = mappings(&stack);
    if stack.tied && tensors.remove("lm_head.weight").is_some() {
        warnings.push(
            "`lm_head.weight` is passed over: the config says that the output map is the token embedding"
                .to_owned(),
        );
    }
    stack.attention_biases =
        all.iter().any(|mapping| is_attention_bias(&mapping.name) && tensors.contains_key(&mapping.name));
    let wanted: Vec<&TensorMapping> =
        all.iter().filter(|mapping| stack.attention_biases || !is_attention_bias(&mapping.name)).collect();
    let (found, partial) = matched(path, tensors, &wanted, seed.is_some(), warnings)?;
    if let (Some(name), None) = (partial.unused.first(), seed) {
        let expected = format!("a GPT-2 of {} layers as in the config has no such tensor", stack.blocks);
        return Err(ModelFileError::malformed(path, format!("tensor `{name}`"), "there", expected));
    }
    // Only now is it certain that the config is in proportion to the file.
    let mut network = match seed {
        None => stack.zeros(),
        Some(seed) => {
            check_proportion(path, &all, in_file)?;
            initialised(&stack, model, seed)
        }
    };
    let mut arrays = HashMap::new();
    for (mapping, view) in found {
        arrays.insert(mapping.array.clone(), elements(path, &mapping.name, &view)?);
    }
    fill(&mut network, arrays);
    network.check().map_err(|error| ModelFileError::network(path, error))?;
    Ok((network, partial))
}

/// The tensors of a file by their short names, without masks.
fn tensors<'a>(path: &Path, bytes: &'a [u8]) -> Result<BTreeMap<String, TensorView<'a>>, ModelFileError> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| {
        let found = format!("no whole safetensors file ({error})");
        ModelFileError::malformed(path, "the file", found, "it must be one")
    })?;
    let mut tensors = BTreeMap::new();
    for (name, view) in file.tensors().into_iter().filter(|(name, _)| !is_mask(name)) {
        if tensors.insert(short(&name), view).is_some() {
            let expected = "its name begins with `transformer.` or does not";
            return Err(ModelFileError::malformed(path, format!("tensor `{name}`"), "there twice", expected));
        }
    }
    Ok(tensors)
}

/// Tensors that are what the config asks for, with the arrays that they are.
type Matched<'m, 'a> = Vec<(&'m TensorMapping, TensorView<'a>)>;

/// The tensors that are wanted; where some may be missing, which ones are, and which nothing wants.
fn matched<'m, 'a>(
    path: &Path,
    mut tensors: BTreeMap<String, TensorView<'a>>,
    wanted: &[&'m TensorMapping],
    is_partial: bool,
    warnings: &mut Vec<String>,
) -> Result<(Matched<'m, 'a>, PartialLoad), ModelFileError> {
    let mut partial = PartialLoad::default();
    let mut found = Vec::new();
    for mapping in wanted {
        let name = full_name(&mapping.name);
        match tensors.remove(&mapping.name) {
            Some(view) if view.shape() == mapping.shape => found.push((*mapping, view)),
            _ if is_partial => partial.initialised.push(name),
            Some(view) => {
                let expected = format!("{} is what the config asks for", extents(&mapping.shape));
                let tensor = format!("tensor `{name}`");
                return Err(ModelFileError::malformed(path, tensor, extents(view.shape()), expected));
            }
            None if is_attention_bias(&mapping.name) => {
                warnings.push(format!("there is no `{name}`: it is zero"));
            }
            None => {
                let hint = "the config asks for it; a partial load would make it fresh";
                return Err(ModelFileError::missing(path, name, hint));
            }
        }
    }
    partial.unused = tensors.into_keys().map(|name| full_name(&name)).collect();
    Ok((found, partial))
}

/// Refuses a config that asks for far more parameters than the file has.
fn check_proportion(path: &Path, all: &[TensorMapping], in_file: usize) -> Result<(), ModelFileError> {
    let numbers: usize = all.iter().map(TensorMapping::len).fold(0, usize::saturating_add);
    if numbers <= INITIALISED_LIMIT.max(in_file.saturating_mul(4)) {
        return Ok(());
    }
    let found = format!("of {in_file} numbers");
    let expected = format!("the config asks for {numbers}: too few would be left of the model");
    Err(ModelFileError::malformed(path, "the file", found, expected))
}

/// A network of random numbers, of this stack.
fn initialised(stack: &PreNorm, model: &ModelConfig, seed: u64) -> Network {
    let model = ModelConfig { attention_biases: stack.attention_biases, ..model.clone() };
    let mut network = Network::random(&model, stack.vocabulary, seed);
    for layer in &mut network.layers {
        let norm = match layer {
            Layer::Attention(layer) => layer.norm.as_mut(),
            Layer::FeedForward(layer) => {
                layer.activation = stack.activation;
                layer.norm.as_mut()
            }
            Layer::Norm(norm) => Some(norm),
        };
        if let Some(norm) = norm {
            norm.epsilon = stack.epsilon;
        }
    }
    network
}

/// The numbers of a tensor.
fn elements(path: &Path, name: &str, view: &TensorView<'_>) -> Result<Vec<f32>, ModelFileError> {
    let halves = view.data().as_chunks().0;
    Ok(match view.dtype() {
        Dtype::F32 => numbers(view.data()),
        Dtype::F16 => halves.iter().map(|&half| f16::from_le_bytes(half).to_f32()).collect(),
        Dtype::BF16 => halves.iter().map(|&half| bf16::from_le_bytes(half).to_f32()).collect(),
        other => {
            let found = format!("tensor `{}` of type {other:?}", full_name(name));
            return Err(ModelFileError::unsupported(path, found, "tensors can be F32, F16 or BF16"));
        }
    })
}

fn short(name: &str) -> String {
    name.strip_prefix("transformer.").unwrap_or(name).to_owned()
}

/// Masks of attention, which old versions of the library saved.
fn is_mask(name: &str) -> bool {
    name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias")
}

fn extents(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ")
}
