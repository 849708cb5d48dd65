//! Language models as the user names them, and how they are asked.

use std::path::Path;

use anyhow::Context;
use rekindle_gpt::decode::{Decoder, Precision};
use rekindle_gpt::{LanguageModel, Sampling};

use crate::address::Source;
use crate::args::{SamplingArgs, threads};

/// Tokens of an answer where nothing else is said.
const MAX_TOKENS: u64 = 200;

/// Loads the model of a run, a checkpoint, or a file or directory of another program.
pub fn load(address: &str) -> anyhow::Result<LanguageModel> {
    if rekindle_gpt::formats::recognise(Path::new(address)).is_some() {
        return Ok(LanguageModel::from_file(Path::new(address))?);
    }
    let load = |source: &Source| Ok(LanguageModel::from_checkpoint(&source.checkpoint()?)?);
    Source::open(address)?.read(load).with_context(|| format!("`{address}`"))
}

impl SamplingArgs {
    /// How text is sampled: as is said here, for the rest as the model has it.
    pub fn sampling(&self, model: &LanguageModel) -> Sampling {
        let of_model = model.sampling.clone();
        Sampling {
            temperature: self.temperature.unwrap_or(of_model.temperature),
            top_k: self.top_k.unwrap_or(of_model.top_k),
            top_p: self.top_p.unwrap_or(of_model.top_p),
            min_p: self.min_p.unwrap_or(of_model.min_p),
            repetition_penalty: self.repetition_penalty.unwrap_or(of_model.repetition_penalty),
            seed: self.seed.unwrap_or(of_model.seed),
            ..of_model
        }
    }

    /// The most tokens of an answer.
    pub fn max_tokens(&self) -> u64 {
        self.max_tokens.unwrap_or(MAX_TOKENS)
    }

    /// Makes the model ready to answer.
    pub fn decoder(&self, model: &LanguageModel) -> anyhow::Result<Decoder> {
        let precision = if self.int8 { Precision::Int8 } else { Precision::F32 };
        Ok(Decoder::new(&model.network, precision, threads(self.threads))?)
    }
}
