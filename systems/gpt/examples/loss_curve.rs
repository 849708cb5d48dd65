//! Trains a small GPT-2 and writes what another program needs to do the same:
//! `tools/check_loss_curve.py` trains PyTorch from the same weights on the same batches.
//!
//! ```text
//! cargo run --release -p rekindle-gpt --example loss_curve -- DIRECTORY [SEED]
//! ```
//!
//! DIRECTORY becomes a directory of the Hugging Face library with the network before the first step, and
//! `loss_curve.json` beside it: the settings of the optimiser, and for each step the learning rate, the
//! windows of the batch (tokens that are seen, and one more) and the loss.

use std::num::NonZero;
use std::path::Path;

use rekindle_formats::files;
use rekindle_gpt::data::{Corpus, CorpusOptions, DataVersion, Dataset};
use rekindle_gpt::formats::hugging_face;
use rekindle_gpt::model::Sequence;
use rekindle_gpt::train::State;
use rekindle_gpt::{Gpt, data};
use rekindle_train::{ConfigOf, ConfigText, Resources, System};
use serde_json::json;

/// Every part of a step takes part: warm-up and cosine, gradients that are clipped and that are not, decay
/// of some arrays, biases everywhere, several parts of a batch.
const CONFIG: &str = "
system: gpt
model: {layers: 2, heads: 2, width: 64, context: 32, tied: true, attention_biases: true}
training:
  tokenizer: {kind: bytes}
  pretraining:
    data: {source: facts, count: 400, evaluation: 0.0}
    steps: 200
    batch: 8
    learning_rate: 0.002
    warmup: 20
  optimizer: {betas: [0.9, 0.99], epsilon: 1.0e-8, weight_decay: 0.1, clip: 1.0}
";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (directory, seed) = match &arguments[..] {
        [directory] => (directory, "0"),
        [directory, seed] => (directory, seed.as_str()),
        _ => return Err("usage: loss_curve DIRECTORY [SEED]".into()),
    };
    let text = ConfigText { origin: "the example".to_owned(), yaml: CONFIG.to_owned() };
    let config: ConfigOf<Gpt> = text.config(&[format!("seed={seed}")])?;
    let mut state = Gpt::build(&config)?;
    let tokenizer = state.model.tokenizer();
    hugging_face::write(Path::new(directory), &state.model.network, tokenizer)?;
    let dataset = dataset(&config, &state)?;

    let mut gpt = Gpt::attach(&config, &state, &Resources::new(2))?;
    let mut steps = Vec::new();
    while !gpt.progress(&state).finished {
        let windows = windows(&config, &dataset, state.step);
        let metrics = gpt.step(&mut state)?;
        steps.push(json!({
            "learning_rate": metrics["learning_rate"],
            "windows": windows,
            "loss": metrics["loss"],
        }));
    }
    let curve = json!({ "optimizer": config.training.optimizer, "steps": steps });
    files::write(&Path::new(directory).join("loss_curve.json"), format!("{curve}\n").as_bytes())?;
    println!("{} parameters, {} steps", state.model.network.parameters(), steps.len());
    Ok(())
}

/// What the run learns from.
fn dataset(config: &ConfigOf<Gpt>, state: &State) -> Result<Dataset, Box<dyn std::error::Error>> {
    let (data, context) = (&config.training.pretraining.data, config.model.context as usize);
    let document = data::load(data, "training.pretraining", config.seed, DataVersion::LATEST)?;
    let options = CorpusOptions {
        context,
        data,
        data_version: DataVersion::LATEST,
        seed: config.seed,
        threads: NonZero::<usize>::MIN,
        origin: "the text",
    };
    let corpus = Corpus::new(&document, state.model.tokenizer(), &options)?;
    Ok(corpus.train)
}

/// The windows of a batch: what is seen, and the token behind it.
fn windows(config: &ConfigOf<Gpt>, dataset: &Dataset, step: u64) -> Vec<Vec<u32>> {
    let (batch, context) = (config.training.pretraining.batch as usize, config.model.context as usize);
    let whole = |Sequence { tokens, targets, .. }: Sequence| -> Vec<u32> {
        tokens.into_iter().chain(targets.last().copied()).collect()
    };
    dataset.batch(config.seed, step, batch, context).into_iter().map(whole).collect()
}
