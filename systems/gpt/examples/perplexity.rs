//! What 8-bit weights cost and gain: the perplexity of a text and tokens per second, in 32-bit floats and in
//! 8-bit numbers.
//!
//! ```text
//! cargo run --release -p rekindle-gpt --example perplexity -- MODEL [TEXT] [--threads N] [--tokens N]
//! ```
//!
//! MODEL is a run, whose newest checkpoint is taken, or a file or directory of another program. TEXT is cut
//! into windows of the context, one behind the other, and each is read token by token. Without it, a model
//! that answers questions reads generated dialogues, of which it predicts the answers, and any other
//! generated facts; both of a seed that no preset uses. At most so many tokens are read (50,000 when nothing
//! is said), from windows that are evenly spread. Both decoders read a window in turn, so that other work on
//! the machine slows both.

use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rekindle::Store;
use rekindle::storage::FileStorage;
use rekindle_gpt::data::{Corpus, CorpusOptions, DataVersion, RoleTokens};
use rekindle_gpt::inference::{Decoder, WeightPrecision};
use rekindle_gpt::model::Sequence;
use rekindle_gpt::train::{Data, Order, Source};
use rekindle_gpt::{GptError, LanguageModel, data, formats};

type Failure = Box<dyn std::error::Error>;

const USAGE: &str = "usage: perplexity MODEL [TEXT] [--threads N] [--tokens N]";
/// Of what is generated when there is no text.
const SEED: u64 = 1_000_003;
const GENERATED: u32 = 1000;

struct Arguments {
    model: String,
    text: Option<String>,
    threads: usize,
    tokens: usize,
}

impl Arguments {
    fn read() -> Result<Self, Failure> {
        let (mut paths, mut threads, mut tokens) = (Vec::new(), 1, 50_000);
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--threads" => threads = arguments.next().ok_or(USAGE)?.parse()?,
                "--tokens" => tokens = arguments.next().ok_or(USAGE)?.parse()?,
                _ => paths.push(argument),
            }
        }
        let mut paths = paths.into_iter();
        let (Some(model), text, None) = (paths.next(), paths.next(), paths.next()) else {
            return Err(USAGE.into());
        };
        Ok(Self { model, text, threads, tokens })
    }
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::read()?;
    let model = load(Path::new(&arguments.model))?;
    let windows = windows(&model, arguments.text, arguments.tokens)?;

    let reader = |precision| Reader::new(&model, precision, arguments.threads);
    let (mut floats, mut bytes) = (reader(WeightPrecision::F32)?, reader(WeightPrecision::Int8)?);
    for window in &windows {
        floats.read(window)?;
        bytes.read(window)?;
    }

    println!(
        "{} parameters, {} tokens read and {} predicted in {} windows, {} threads",
        model.network.parameters(),
        floats.best.len(),
        floats.predicted,
        windows.len(),
        arguments.threads
    );
    floats.report("f32");
    bytes.report("int8");
    println!(
        "int8 / f32: perplexity {:+.4}%, the same best token {:.2}%, speed x{:.2}",
        ((bytes.loss() - floats.loss()).exp() - 1.0) * 100.0,
        agreement(&floats, &bytes) * 100.0,
        bytes.speed() / floats.speed()
    );
    Ok(())
}

fn load(path: &Path) -> Result<LanguageModel, Failure> {
    if formats::detect(path).is_some() {
        return Ok(LanguageModel::from_file(path)?);
    }
    let store = Store::open(Arc::new(FileStorage::new(path)))?;
    let (newest, _) = store.newest_whole()?;
    let step = newest.ok_or("the run has no checkpoint")?;
    Ok(LanguageModel::from_checkpoint(&store.checkpoint(step)?)?)
}

/// What is read: all that there is, or as many windows as have so many tokens, evenly spread.
fn windows(model: &LanguageModel, text: Option<String>, most: usize) -> Result<Vec<Sequence>, GptError> {
    let (tokenizer, context) = (model.tokenizer(), model.network.context());
    let source = match (&text, RoleTokens::of(tokenizer)) {
        (Some(_), _) => Source::File,
        (None, Some(_)) => Source::Dialogues,
        (None, None) => Source::Facts,
    };
    let origin = text.clone().unwrap_or_else(|| "the generated text".to_owned());
    let data = Data {
        file: text,
        source,
        count: GENERATED,
        evaluation: 0.0,
        test: 0.0,
        order: Order::Given,
        ..Data::default()
    };
    let document = data::load(&data, "the arguments", SEED, DataVersion::LATEST)?;
    let options = CorpusOptions {
        context,
        data: &data,
        data_version: DataVersion::LATEST,
        seed: SEED,
        threads: NonZero::<usize>::MIN,
        origin: &origin,
    };
    let corpus = Corpus::new(&document, tokenizer, &options)?;
    let windows = corpus.train.evaluation_sequences(context, true);
    let tokens: usize = windows.iter().map(|window| window.tokens.len()).sum();
    let step = tokens.div_ceil(most.max(1)).max(1);
    Ok(windows.into_iter().step_by(step).collect())
}

/// A decoder, and what it made of the windows so far.
struct Reader {
    decoder: Decoder,
    loss: f64,
    predicted: usize,
    busy: Duration,
    best: Vec<usize>,
}

impl Reader {
    fn new(model: &LanguageModel, precision: WeightPrecision, threads: usize) -> Result<Self, GptError> {
        let decoder = Decoder::new(&model.network, precision, threads)?;
        Ok(Self { decoder, loss: 0.0, predicted: 0, busy: Duration::ZERO, best: Vec::new() })
    }

    fn read(&mut self, window: &Sequence) -> Result<(), GptError> {
        self.decoder.clear();
        for (token, target) in window.tokens.iter().zip(&window.targets) {
            let start = Instant::now();
            let logits = self.decoder.feed(&[*token])?;
            self.busy += start.elapsed();
            self.best.push(best(logits));
            // What is no token is not to be predicted.
            if let Some(logit) = logits.get(*target as usize) {
                self.loss += surprise(logits, *logit);
                self.predicted += 1;
            }
        }
        Ok(())
    }

    /// Nats per predicted token, in the mean.
    fn loss(&self) -> f64 {
        self.loss / self.predicted as f64
    }

    /// Tokens read per second; finding the loss does not count.
    fn speed(&self) -> f64 {
        self.best.len() as f64 / self.busy.as_secs_f64()
    }

    fn report(&self, name: &str) {
        let (loss, perplexity, speed) = (self.loss(), self.loss().exp(), self.speed());
        println!("{name}: {loss:.6} nats a token, perplexity {perplexity:.4}, {speed:.0} tokens a second");
    }
}

/// Minus the logarithm of the probability of the token with this score.
fn surprise(logits: &[f32], logit: f32) -> f64 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|logit| f64::from(logit - largest).exp()).sum();
    sum.ln() - f64::from(logit - largest)
}

/// The token with the highest score.
fn best(logits: &[f32]) -> usize {
    let larger = |best: usize, token: usize| if logits[token] > logits[best] { token } else { best };
    (0..logits.len()).fold(0, larger)
}

/// The share of positions where both would go on with the same token.
fn agreement(one: &Reader, other: &Reader) -> f64 {
    let same = one.best.iter().zip(&other.best).filter(|(one, other)| one == other).count();
    same as f64 / one.best.len() as f64
}
