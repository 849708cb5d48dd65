//! How a model whose training is over learns another text.

use rekindle_train::{ConfigOf, SystemError};
use serde_json::Value;

use crate::error::GptError;
use crate::train::config::{Data, Phase, Retain, TrainingConfig};
use crate::train::system::Gpt;

/// The setting that lists what is learnt later.
pub(crate) const PHASES: &str = "training.continual";
/// Updates where nothing else is said.
const STEPS: u64 = 500;
/// Share of the sequences that are of what was learnt before, where nothing else is said.
const REPLAY: f64 = 0.05;

/// The phase that learns a file: as the last one was learnt, at half its learning rate, with some of what was learnt
/// before.
pub(crate) fn next_phase(config: &ConfigOf<Gpt>, files: &[String]) -> Result<Value, SystemError> {
    let [file] = files else {
        let reason = "one text is learnt at a time; `learn` can be called again for the next";
        let error = GptError::config(format!("{PHASES}.data.file"), files.join(" "), reason);
        return Err(SystemError::new(error));
    };
    let TrainingConfig { pretraining, .. } = &config.training;
    let last = config.training.phases().last().map_or(pretraining, |(_, phase)| phase);
    let phase = Phase {
        data: Data { file: Some(file.clone()), evaluation: 0.05, ..Data::default() },
        steps: Some(STEPS),
        epochs: None,
        learning_rate: last.learning_rate / 2.0,
        final_learning_rate: None,
        warmup: STEPS / 10,
        early_stopping: None,
        retain: Some(Retain { replay: REPLAY, ..Retain::default() }),
        ..last.clone()
    };
    serde_json::to_value(phase).map_err(SystemError::new)
}
