//! Model files of other programs as formats of training states.
//!
//! They hold a model and sometimes the moments of its optimiser, but neither text nor schedule: what is
//! imported can be asked and exported, and another run can begin from its model.

use std::path::Path;

use rekindle::records::About;
use rekindle::{Checkpoint, EntryPath, Matrix, from_tree, to_tree};
use rekindle_formats::{Document, Format, FormatError, Reading};
use rekindle_tokenizer::{Tokenizer, WordRules};
use rekindle_train::{Checkpoints, ConfigOf, Evaluate, System, TrainingState};

use crate::formats::gguf::{self, Quantization};
use crate::formats::lopos::{self, Checksum, Version};
use crate::formats::rustgpt::{self, Encoding};
use crate::formats::{
    Imported, ImportedVocabulary, ModelFileError, ModelFormat, format_of_head, hugging_face, words,
};
use crate::model::config::{Block, ModelConfig};
use crate::model::language_model::{LanguageModel, Vocabulary};
use crate::model::network::{Layer, Network, matrix};
use crate::model::precision::TrainingPrecision;
use crate::model::sampling::Sampling;
use crate::model::structure::StructureConfig;
use crate::train::config::{Data, OptimizerSettings, Phase, Tokens, TrainingConfig};
use crate::train::optimizer::Optimizer;
use crate::train::state::{Plan, State};
use crate::train::system::Gpt;

type SavedState = TrainingState<ModelConfig, TrainingConfig, State>;

/// All of them; where one ending is the end of another, the longer one first.
pub(crate) const FORMATS: &[Format] = &[
    Format {
        name: "LOPOS of version 2",
        endings: &[".v2.lopos"],
        reading: None,
        write: Some(|checkpoint, path| write_lopos(checkpoint, path, Version::Named(Checksum::Sha256))),
    },
    Format {
        name: "LOPOS",
        endings: &[".v1.lopos", ".lopos"],
        reading: Some(Reading {
            matches: |head| format_of_head(head) == Some(ModelFormat::Lopos),
            read,
            stream: None,
        }),
        write: Some(|checkpoint, path| write_lopos(checkpoint, path, Version::LoopOs)),
    },
    Format {
        name: "RustGPT as JSON",
        endings: &[".rustgpt.json"],
        reading: Some(Reading {
            matches: |head| {
                matches!(format_of_head(head), Some(ModelFormat::RustGptJson | ModelFormat::RustGptContainer))
            },
            read,
            stream: None,
        }),
        write: Some(|checkpoint, path| write_rustgpt(checkpoint, path, Encoding::Json)),
    },
    Format {
        name: "RustGPT",
        endings: &[".rustgpt.bin"],
        reading: Some(Reading {
            matches: |head| format_of_head(head) == Some(ModelFormat::RustGptBincode),
            read,
            stream: None,
        }),
        write: Some(|checkpoint, path| write_rustgpt(checkpoint, path, Encoding::Bincode)),
    },
    Format {
        name: "Hugging Face directory",
        endings: &[".hf"],
        reading: Some(Reading { matches: hugging_face::is_config, read, stream: None }),
        write: Some(write_hugging_face),
    },
    Format {
        name: "GGUF in 8 bits",
        endings: &[".q8_0.gguf"],
        reading: None,
        write: Some(|checkpoint, path| write_gguf(checkpoint, path, Quantization::Q8)),
    },
    Format {
        name: "GGUF in 16 bits",
        endings: &[".f16.gguf"],
        reading: None,
        write: Some(|checkpoint, path| write_gguf(checkpoint, path, Quantization::F16)),
    },
    Format {
        name: "GGUF",
        endings: &[".gguf"],
        reading: Some(Reading { matches: gguf::is_gguf, read, stream: None }),
        write: Some(|checkpoint, path| write_gguf(checkpoint, path, Quantization::F32)),
    },
];

impl LanguageModel {
    /// The model of a file or directory of another program.
    ///
    /// # Errors
    /// When it cannot be read, or does not fit together.
    pub fn from_file(path: &Path) -> Result<Self, ModelFileError> {
        Self::from_file_with_warnings(path).map(|(model, _)| model)
    }

    /// The same, and where its network and its vocabulary did not fit.
    ///
    /// # Errors
    /// Those of [`from_file`](Self::from_file).
    pub fn from_file_with_warnings(path: &Path) -> Result<(Self, Vec<String>), ModelFileError> {
        let imported = crate::formats::read(path)?;
        model_of(path, imported.network, imported.vocabulary)
    }
}

fn model_of(
    path: &Path,
    network: Network,
    vocabulary: Option<ImportedVocabulary>,
) -> Result<(LanguageModel, Vec<String>), ModelFileError> {
    let refused = |reason: String| {
        ModelFileError::malformed(path, "the model", reason, "all of its parts must agree".to_owned())
    };
    let mut warnings = Vec::new();
    let tokenizer = match vocabulary {
        Some(ImportedVocabulary::Tokenizer(tokenizer)) => Ok(tokenizer),
        Some(ImportedVocabulary::Words { words, lower_case, unknown }) => {
            let rules = if lower_case { lopos::word_rules() } else { rustgpt::word_rules() };
            Tokenizer::from_words(&words, WordRules { unknown, ..rules })
        }
        None => {
            let names: Vec<String> = (0..network.vocabulary()).map(|token| format!("<{token}>")).collect();
            let rules = WordRules { whole: names.clone(), ..WordRules::default() };
            let warning = "the file has no vocabulary: tokens are written as their numbers, <0> <1> …";
            warnings.push(warning.to_owned());
            Tokenizer::from_words(&names, rules)
        }
    };
    let tokenizer = tokenizer.map_err(|error| refused(error.to_string()))?;
    let network = fitted(path, network, tokenizer.len(), &mut warnings)?;
    let model = LanguageModel::new(Vocabulary::Fixed(tokenizer), network, Sampling::default());
    Ok((model.map_err(|error| refused(error.to_string()))?, warnings))
}

/// The network with a row for each token and no more: other programs add rows so that their number is a round one.
///
/// # Errors
/// When a token has no row, or so many rows have no token that both cannot be of the same model.
fn fitted(
    path: &Path,
    network: Network,
    tokens: usize,
    warnings: &mut Vec<String>,
) -> Result<Network, ModelFileError> {
    let rows = network.vocabulary();
    let is_padding = rows <= tokens.next_multiple_of(PADDED_TO) || (rows - tokens) <= rows / PADDED_SHARE;
    if tokens > rows || !is_padding {
        let expected = format!(
            "the network has rows for {rows}; they are not of the same model: put its own tokenizer there"
        );
        return Err(ModelFileError::malformed(path, "the vocabulary", format!("{tokens} tokens"), expected));
    }
    if tokens < rows {
        warnings.push(format!(
            "the network has rows for {rows} tokens, but the tokenizer {tokens}: the rows {tokens} to {} are left out, \
             as no text becomes or comes of them",
            rows - 1
        ));
    }
    Ok(without_padding(network, tokens))
}

/// Numbers of rows are rounded up to a multiple of at most this.
const PADDED_TO: usize = 256;
/// At most one row in so many is there without a token.
const PADDED_SHARE: usize = 8;

/// The network without the rows behind those of its tokens, which other programs add so that their number
/// is a round one.
fn without_padding(mut network: Network, tokens: usize) -> Network {
    let cut = |rows: &mut Matrix<f32>| {
        if rows.rows() > tokens {
            let width = rows.columns();
            *rows = matrix(tokens, width, rows.as_slice()[..tokens * width].to_vec());
        }
    };
    cut(&mut network.token_embedding);
    if let Some(output) = &mut network.output {
        cut(&mut output.weight);
        output.bias.truncate(tokens);
    }
    network
}

fn read(path: &Path) -> Result<Document, FormatError> {
    let malformed = |error: &dyn std::fmt::Display| FormatError::malformed(path, error.to_string());
    let Imported { network, vocabulary, optimizer, warnings } =
        crate::formats::read(path).map_err(|error| malformed(&error))?;
    let (model, misfits) = model_of(path, network, vocabulary).map_err(|error| malformed(&error))?;
    let config = config_of(&model.network);
    let state = SavedState {
        seed: config.seed,
        model: config.model.clone(),
        training: config.training.clone(),
        state: State {
            step: 0,
            tokens: 0,
            optimizer: optimizer.unwrap_or_else(|| Optimizer::new(&model.network)),
            model,
            scaler: None,
            texts: Vec::new(),
            vocabulary_changes: Vec::new(),
            plan: Plan::default(),
            patience: None,
            facts: None,
            codebook: None,
            retained: None,
        },
    };
    let about = About {
        system: Gpt::NAME.to_owned(),
        schema: Some(Gpt::versions().schema().clone()),
        config: serde_json::to_value(&config).map_err(|error| malformed(&error))?,
        ..About::default()
    };
    let tree = to_tree(&state).map_err(|error| malformed(&error))?;
    let warnings = warnings.into_iter().chain(misfits).collect();
    Ok(Document { tree, step: 0, about, history: Vec::new(), warnings })
}

/// A config of which the network is one.
fn config_of(network: &Network) -> ConfigOf<Gpt> {
    ConfigOf::<Gpt> {
        system: Gpt::NAME.to_owned(),
        seed: 0,
        model: model_config_of(network),
        training: placeholder_training(),
        evaluate: Evaluate::default(),
        checkpoint: Checkpoints::default(),
        best: None,
    }
}

fn model_config_of(network: &Network) -> ModelConfig {
    let (mut layers, mut heads, mut inner, mut has_biases, mut is_post_norm) = (0, 1, 0, false, false);
    for layer in &network.layers {
        match layer {
            Layer::Attention(layer) => {
                layers += 1;
                heads = layer.heads;
                has_biases |= !layer.qkv.bias.is_empty();
                is_post_norm |= layer.norm.is_none();
            }
            Layer::FeedForward(layer) => inner = layer.up.outputs() as u32,
            Layer::Norm(_) => {}
        }
    }
    ModelConfig {
        block: if is_post_norm { Block::Rustgpt } else { Block::Gpt2 },
        layers,
        heads,
        width: network.width() as u32,
        feed_forward: Some(inner),
        context: network.context() as u32,
        tied: network.output.is_none(),
        attention_biases: has_biases,
        dropout: 0.0,
        structure: StructureConfig::default(),
        sampling: Sampling::default(),
    }
}

/// The training section of a model that was not trained here.
fn placeholder_training() -> TrainingConfig {
    let pretraining = Phase {
        data: Data::default(),
        steps: Some(1000),
        epochs: None,
        batch: 8,
        accumulate: 1,
        learning_rate: 1e-3,
        final_learning_rate: None,
        warmup: 0,
        early_stopping: None,
        retain: None,
    };
    TrainingConfig {
        tokenizer: Tokens::default(),
        pretraining,
        fine_tuning: None,
        continual: Vec::new(),
        distillation: None,
        optimizer: OptimizerSettings::default(),
        precision: TrainingPrecision::F32,
        parts: 4,
        adapt: None,
        facts: 0,
    }
}

fn unsupported(path: &Path, reason: &dyn std::fmt::Display) -> FormatError {
    FormatError::Unsupported { path: path.to_owned(), reason: reason.to_string() }
}

fn model_in(checkpoint: &Checkpoint<'_>, path: &Path) -> Result<LanguageModel, FormatError> {
    LanguageModel::from_checkpoint(checkpoint).map_err(|error| unsupported(path, &error))
}

fn optimizer_in(checkpoint: &Checkpoint<'_>, path: &Path) -> Result<Optimizer, FormatError> {
    let entry = EntryPath::root().child("state").child("optimizer");
    from_tree(&checkpoint.load(&entry)?).map_err(|error| unsupported(path, &error))
}

fn write_lopos(
    checkpoint: &Checkpoint<'_>,
    path: &Path,
    version: Version,
) -> Result<Vec<String>, FormatError> {
    let model = model_in(checkpoint, path)?;
    let mut warnings =
        lopos::write(path, &model.network, version).map_err(|error| unsupported(path, &error))?;
    warnings.push("the format has no vocabulary: tokens are known by their numbers".to_owned());
    if let Version::Named(_) = version {
        warnings.push(
            "LoopOS itself cannot read version 2; a name that ends in `.lopos` gets version 1".to_owned(),
        );
    }
    Ok(warnings)
}

fn write_rustgpt(
    checkpoint: &Checkpoint<'_>,
    path: &Path,
    encoding: Encoding,
) -> Result<Vec<String>, FormatError> {
    let model = model_in(checkpoint, path)?;
    let optimizer = optimizer_in(checkpoint, path)?;
    let written = words(model.tokenizer())
        .and_then(|words| rustgpt::write(path, &model.network, &words, Some(&optimizer), encoding));
    written.map_err(|error| unsupported(path, &error))
}

fn write_hugging_face(checkpoint: &Checkpoint<'_>, path: &Path) -> Result<Vec<String>, FormatError> {
    let model = model_in(checkpoint, path)?;
    hugging_face::write(path, &model.network, model.tokenizer()).map_err(|error| unsupported(path, &error))
}

fn write_gguf(
    checkpoint: &Checkpoint<'_>,
    path: &Path,
    quantization: Quantization,
) -> Result<Vec<String>, FormatError> {
    let model = model_in(checkpoint, path)?;
    gguf::write(path, &model.network, model.tokenizer(), quantization)
        .map_err(|error| unsupported(path, &error))
}
