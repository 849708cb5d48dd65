//! Model files of other programs as file formats of the command line.
//!
//! They hold a model and sometimes the memory of its optimiser, but neither text nor schedule: what is
//! imported can be asked, exported, and begun from (`train CONFIG --from RUN --only model`).

use std::path::Path;

use rekindle::{About, Checkpoint, EntryPath, Matrix, from_tree, to_tree};
use rekindle_formats::{Document, Format, FormatError};
use rekindle_tokenizer::{Tokenizer, WordRules};
use rekindle_train::{Checkpoints, ConfigOf, Evaluate, System, TrainingState};

use crate::config::{Block, Data, Model, OptimizerSettings, Phase, Tokens, Training};
use crate::formats::gguf::{self, Precision as GgufPrecision};
use crate::formats::lopos::{self, Checksum, Version};
use crate::formats::rustgpt::{self, Encoding};
use crate::formats::{
    Imported, ImportedVocabulary, Kind, ModelFileError, SpecialTokens, hugging_face, kind_of_head, words,
};
use crate::language_model::{LanguageModel, Vocabulary};
use crate::network::{Layer, Network, matrix};
use crate::optimizer::Optimizer;
use crate::sampling::Sampling;
use crate::state::{Plan, State};
use crate::system::Gpt;

type SavedState = TrainingState<Model, Training, State>;

/// All of them; where one ending is the end of another, the longer one first.
pub(crate) const FORMATS: &[Format] = &[
    Format {
        name: "LOPOS of version 1",
        endings: &[".v1.lopos"],
        matches: |head| kind_of_head(head) == Some(Kind::Lopos),
        read,
        write: Some(|checkpoint, path| {
            write(checkpoint, path, |model, _| lopos::write(path, &model.network, Version::LoopOs))
        }),
    },
    Format {
        name: "LOPOS",
        endings: &[".lopos"],
        matches: |head| kind_of_head(head) == Some(Kind::Lopos),
        read,
        write: Some(|checkpoint, path| {
            let version = Version::Named(Checksum::Sha256);
            write(checkpoint, path, |model, _| lopos::write(path, &model.network, version))
        }),
    },
    Format {
        name: "RustGPT as JSON",
        endings: &[".rustgpt.json"],
        matches: |head| matches!(kind_of_head(head), Some(Kind::RustGptJson | Kind::RustGptContainer)),
        read,
        write: Some(|checkpoint, path| write_rustgpt(checkpoint, path, Encoding::Json)),
    },
    Format {
        name: "RustGPT",
        endings: &[".rustgpt.bin"],
        matches: |head| kind_of_head(head) == Some(Kind::RustGptBincode),
        read,
        write: Some(|checkpoint, path| write_rustgpt(checkpoint, path, Encoding::Bincode)),
    },
    Format {
        name: "Hugging Face directory",
        endings: &[".hf"],
        matches: hugging_face::is_config,
        read,
        write: Some(|checkpoint, path| {
            write(checkpoint, path, |model, _| {
                let (network, tokenizer) = (&model.network, model.tokenizer());
                hugging_face::write(path, network, tokenizer, SpecialTokens::of(tokenizer))
            })
        }),
    },
    Format {
        name: "GGUF in 8 bits",
        endings: &[".q8_0.gguf"],
        matches: |_| false,
        read,
        write: Some(|checkpoint, path| write_gguf(checkpoint, path, GgufPrecision::Q8)),
    },
    Format {
        name: "GGUF in 16 bits",
        endings: &[".f16.gguf"],
        matches: |_| false,
        read,
        write: Some(|checkpoint, path| write_gguf(checkpoint, path, GgufPrecision::F16)),
    },
    Format {
        name: "GGUF",
        endings: &[".gguf"],
        matches: |_| false,
        read,
        write: Some(|checkpoint, path| write_gguf(checkpoint, path, GgufPrecision::F32)),
    },
];

impl LanguageModel {
    /// The model of a file or directory of another program.
    ///
    /// # Errors
    /// When it cannot be read, or does not fit together.
    pub fn from_file(path: &Path) -> Result<Self, ModelFileError> {
        let imported = crate::formats::read(path)?;
        model_of(path, imported.network, imported.vocabulary).map(|(model, _)| model)
    }
}

fn model_of(
    path: &Path,
    network: Network,
    vocabulary: Option<ImportedVocabulary>,
) -> Result<(LanguageModel, Option<String>), ModelFileError> {
    let refused = |reason: String| {
        ModelFileError::malformed(path, "the model", reason, "all of its parts must agree".to_owned())
    };
    let (tokenizer, note) = match vocabulary {
        Some(ImportedVocabulary::Tokenizer(tokenizer)) => (Ok(tokenizer), None),
        Some(ImportedVocabulary::Words { words, lower_case, unknown }) => {
            let rules = if lower_case { WordRules::loopos() } else { WordRules::rustgpt() };
            (Tokenizer::from_words(&words, WordRules { unknown, ..rules }), None)
        }
        None => {
            let names: Vec<String> = (0..network.vocabulary()).map(|token| format!("<{token}>")).collect();
            let rules = WordRules { whole: names.clone(), ..WordRules::default() };
            let note = "the file has no vocabulary: tokens are written as their numbers, <0> <1> …";
            (Tokenizer::from_words(&names, rules), Some(note.to_owned()))
        }
    };
    let tokenizer = tokenizer.map_err(|error| refused(error.to_string()))?;
    let network = without_padding(network, tokenizer.len());
    let model = LanguageModel::new(Vocabulary::Fixed(tokenizer), network, Sampling::default());
    Ok((model.map_err(|error| refused(error.to_string()))?, note))
}

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
    let Imported { network, vocabulary, optimizer, notes } =
        crate::formats::read(path).map_err(|error| malformed(&error))?;
    let (model, note) = model_of(path, network, vocabulary).map_err(|error| malformed(&error))?;
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
            growth: Vec::new(),
            plan: Plan::default(),
            patience: None,
        },
    };
    let about = About {
        system: Gpt::NAME.to_owned(),
        schema: Some(Gpt::versions().schema().clone()),
        config: serde_json::to_value(&config).unwrap_or_default(),
        ..About::default()
    };
    let tree = to_tree(&state).map_err(|error| malformed(&error))?;
    let warnings = notes.into_iter().chain(note).collect();
    Ok(Document { tree, step: 0, about, history: Vec::new(), warnings })
}

/// A config in which the network has its place.
fn config_of(network: &Network) -> ConfigOf<Gpt> {
    let (mut layers, mut heads, mut inner, mut has_biases, mut is_post_norm) = (0, 1, 0, false, false);
    for layer in &network.layers {
        match layer {
            Layer::Attention(layer) => {
                layers += 1;
                heads = layer.heads;
                has_biases |= !layer.joined.bias.is_empty();
                is_post_norm |= layer.norm.is_none();
            }
            Layer::FeedForward(layer) => inner = layer.up.outputs() as u32,
            Layer::Norm(_) => {}
        }
    }
    let model = Model {
        block: if is_post_norm { Block::Rustgpt } else { Block::Gpt2 },
        layers,
        heads,
        width: network.width() as u32,
        feed_forward: Some(inner),
        context: network.context() as u32,
        tied: network.output.is_none(),
        attention_biases: has_biases,
        dropout: 0.0,
        sampling: Sampling::default(),
    };
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
    };
    let training = Training {
        tokenizer: Tokens::default(),
        pretraining,
        tuning: None,
        optimizer: OptimizerSettings::default(),
        precision: crate::precision::Precision::F32,
        parts: 4,
        adapt: None,
    };
    ConfigOf::<Gpt> {
        system: Gpt::NAME.to_owned(),
        seed: 0,
        model,
        training,
        evaluate: Evaluate::default(),
        checkpoint: Checkpoints::default(),
        best: None,
    }
}

/// Writes the model of a checkpoint, and its optimiser where `with` takes it.
fn write(
    checkpoint: &Checkpoint<'_>,
    path: &Path,
    with: impl FnOnce(&LanguageModel, &dyn Fn() -> Option<Optimizer>) -> Result<Vec<String>, ModelFileError>,
) -> Result<(), FormatError> {
    let unsupported = |reason: String| FormatError::Unsupported { path: path.to_owned(), reason };
    let model = LanguageModel::from_checkpoint(checkpoint).map_err(|error| unsupported(error.to_string()))?;
    let optimizer = || {
        let path = EntryPath::root().child("state").child("optimizer");
        from_tree(&checkpoint.load(&path).ok()?).ok()
    };
    let notes = with(&model, &optimizer).map_err(|error| unsupported(error.to_string()))?;
    for note in notes {
        rekindle_train::tell!("note: {note}");
    }
    Ok(())
}

fn write_rustgpt(checkpoint: &Checkpoint<'_>, path: &Path, encoding: Encoding) -> Result<(), FormatError> {
    write(checkpoint, path, |model, optimizer| {
        let words = words(model.tokenizer())?;
        rustgpt::write(path, &model.network, &words, optimizer().as_ref(), encoding)
    })
}

fn write_gguf(checkpoint: &Checkpoint<'_>, path: &Path, precision: GgufPrecision) -> Result<(), FormatError> {
    write(checkpoint, path, |model, _| {
        let tokenizer = model.tokenizer();
        gguf::write(path, &model.network, tokenizer, SpecialTokens::of(tokenizer), precision)
    })
}
