//! What a training keeps of what was learnt before, while it learns something else.

use rekindle_compute::{Pool, rng};
use rekindle_tokenizer::Tokenizer;
use serde::{Deserialize, Serialize};

use crate::data::{
    ASSISTANT, Corpus, CorpusOptions, Dataset, Document, Example, ExampleContent, Examples, Reservoir, USER,
    end_token,
};
use crate::error::GptError;
use crate::inference::{Decoder, Generation, GenerationSettings, WeightPrecision};
use crate::model::LanguageModel;
use crate::model::pass::Sequence;
use crate::model::sampling::Sampling;
use crate::streams;
use crate::train::config::Retain;
use crate::train::consolidation::Consolidation;

/// What is kept of what was learnt before the phase at hand.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Retained {
    /// Examples of the texts of earlier phases.
    pub replay: Reservoir,
    /// Texts that the model made itself before the phase began.
    pub generated: Examples,
    /// What parameters are held to.
    pub consolidation: Option<Consolidation>,
}

/// What is learnt again, cut into tokens.
#[derive(Debug, Default)]
pub(crate) struct Rehearsal {
    replay: Vec<Sequence>,
    generated: Vec<Sequence>,
}

impl Retain {
    /// Whether examples of earlier phases are needed.
    pub(crate) fn needs_examples(&self) -> bool {
        self.replay > 0.0 || self.ewc > 0.0 && self.self_replay == 0.0
    }
}

impl Rehearsal {
    /// What a state keeps, in the tokens of its vocabulary.
    pub(crate) fn of(retained: Option<&Retained>, tokenizer: &Tokenizer, context: usize) -> Self {
        let Some(Retained { replay, generated, .. }) = retained else { return Self::default() };
        let sequences = |examples: &Examples| examples.sequences(tokenizer, context);
        Self { replay: sequences(&replay.examples), generated: sequences(generated) }
    }

    /// What tells best what was learnt before.
    pub(crate) fn of_earlier_phases(&self, retain: &Retain) -> &[Sequence] {
        if retain.needs_examples() { &self.replay } else { &self.generated }
    }

    /// Puts what is learnt again in the place of some sequences of a batch.
    pub(crate) fn mix_into(&self, batch: &mut [Sequence], retain: &Retain, seed: u64, number: u64) {
        let mut stream = rng::stream(seed, streams::REPLAY, number);
        for sequence in batch {
            let drawn = stream.uniform_f64();
            let from = match drawn {
                drawn if drawn < retain.replay => &self.replay,
                drawn if drawn < retain.replay + retain.self_replay => &self.generated,
                _ => continue,
            };
            if !from.is_empty() {
                sequence.clone_from(&from[stream.below(from.len() as u64) as usize]);
            }
        }
    }
}

/// Shows a reservoir what a phase has learnt, or learns.
///
/// # Errors
/// When the document cannot be divided.
pub(crate) fn show_phase(
    reservoir: &mut Reservoir,
    capacity: usize,
    phase: (&Document, &Corpus),
    tokenizer: &Tokenizer,
    options: &CorpusOptions<'_>,
    generation: u64,
) -> Result<(), GptError> {
    let (document, corpus) = phase;
    let of = |content| Example { generation, content };
    match (document, &corpus.train) {
        (_, Dataset::Text(tokens)) => {
            let context = options.context;
            let windows = tokens.len().saturating_sub(1).div_ceil(context);
            reservoir.show(capacity, options.seed, 0..windows, |window| {
                let end = ((window + 1) * context + 1).min(tokens.len());
                of(ExampleContent::Text(tokenizer.decode(&tokens[window * context..end]).unwrap_or_default()))
            });
        }
        (Document::Dialogues(dialogues), Dataset::Examples(_)) => {
            let [learnt, ..] = document.parts(options)?;
            reservoir.show(capacity, options.seed, 0..learnt.len(), |index| {
                of(ExampleContent::Dialogue(dialogues[learnt[index]].clone()))
            });
        }
        (Document::Texts(texts) | Document::Passages(texts), Dataset::Examples(_)) => {
            let [learnt, ..] = document.parts(options)?;
            let end = end_token(tokenizer).and_then(|token| tokenizer.token_bytes(token)).unwrap_or_default();
            reservoir.show(capacity, options.seed, 0..learnt.len(), |index| {
                of(ExampleContent::Text([texts[learnt[index]].as_bytes(), end].concat()))
            });
        }
        // Running text has no examples.
        (Document::Text(_), Dataset::Examples(_)) => reservoir.phases += 1,
    }
    Ok(())
}

/// Texts that a model makes, of as many tokens as it sees: the same for the same seed, whatever the threads.
///
/// # Errors
/// When it cannot compute.
pub(crate) fn self_made(
    model: &LanguageModel,
    count: usize,
    seed: u64,
    generation: u64,
    pool: &Pool,
) -> Result<Examples, GptError> {
    let mut texts: Vec<Vec<u8>> = vec![Vec::new(); count];
    let each = count.div_ceil(pool.threads()).max(1);
    let mut jobs: Vec<_> =
        texts.chunks_mut(each).enumerate().map(|(index, texts)| (index * each, texts, Ok(()))).collect();
    pool.for_each(&mut jobs, |_, (first, texts, done)| *done = make(model, *first, texts, seed));
    jobs.into_iter().try_for_each(|(_, _, done)| done)?;
    let of = |text| Example { generation, content: ExampleContent::Text(text) };
    Ok(Examples(texts.into_iter().map(of).collect()))
}

/// Makes texts, of which the first has this number.
fn make(model: &LanguageModel, first: usize, texts: &mut [Vec<u8>], seed: u64) -> Result<(), GptError> {
    let tokenizer = model.tokenizer();
    let mut decoder = Decoder::new(&model.network, WeightPrecision::F32, 1)?;
    let role = |text: &str| tokenizer.token_of(text.as_bytes());
    let start = beginning(tokenizer);
    for (text, number) in texts.iter_mut().zip(first as u64..) {
        let sampling = Sampling {
            temperature: 1.0,
            seed: rng::stream(seed, streams::SELF_REPLAY, number).bits(),
            ..Sampling::default()
        };
        let settings = GenerationSettings {
            max_tokens: model.network.context() as u64,
            // They are texts of nobody.
            forbidden_tokens: [USER, ASSISTANT].into_iter().filter_map(role).collect(),
            sampling,
            ..GenerationSettings::default()
        };
        let mut generation = Generation::start(&mut decoder, tokenizer, &settings, &[start])?;
        for piece in &mut generation {
            piece?;
        }
        let tokens = [&[start][..], &generation.outcome().tokens].concat();
        *text = tokenizer.decode(&tokens).unwrap_or_default();
    }
    Ok(())
}

/// The token that a text begins behind: the end of another, or a new line.
fn beginning(tokenizer: &Tokenizer) -> u32 {
    let line = || tokenizer.encode(b"\n").last().copied();
    end_token(tokenizer).or_else(line).unwrap_or(0)
}
