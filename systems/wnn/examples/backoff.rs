//! How the constants of `counts` are chosen: prints the cross-entropy of what the preset `wnn-search`
//! begins with, for a grid of constants, on the tokens that are selected by, and on no others:
//! `cargo run --release -p rekindle-wnn --example backoff [-- TEXT...]`.
//!
//! Texts are files; without any, the generated sentences. The last column is the mean over the texts.

use rekindle_compute::KernelPath;
use rekindle_train::{ConfigOf, ConfigText, System};
use rekindle_wnn::{
    Backoff, Corpus, Evaluator, Genome, LocalEvaluator, Scoring, Text, TokenPart, Wnn, presets,
};

type Failure = Box<dyn std::error::Error>;

const STRENGTHS: [f64; 5] = [45.0, 90.0, 180.0, 360.0, 720.0];
const GAINS: [f64; 5] = [4.0, 8.0, 16.0, 32.0, 64.0];
const DISCOUNTS: [f64; 4] = [0.2, 0.4, 0.6, 0.8];

fn main() -> Result<(), Failure> {
    let mut texts = vec![subject(&[])?];
    for file in std::env::args().skip(1) {
        texts.push(subject(&[format!("training.data.file={file}")])?);
    }
    let mut rows = Vec::new();
    for strength in STRENGTHS {
        for gain in GAINS {
            for discount in DISCOUNTS {
                let backoff = Backoff { strength, gain, discount };
                let measured = texts.iter().map(|text| measure(text, &backoff));
                let measured = measured.collect::<Result<Vec<f64>, Failure>>()?;
                rows.push((measured.iter().sum::<f64>() / measured.len() as f64, backoff, measured));
            }
        }
    }
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    println!("strength  gain  discount  each text, mean");
    for (mean, Backoff { strength, gain, discount }, measured) in rows {
        let measured: Vec<String> = measured.iter().map(|value| format!("{value:.4}")).collect();
        println!("{strength:8}  {gain:4}  {discount:8}  {}  {mean:.4}", measured.join("  "));
    }
    Ok(())
}

/// A text without the part that is reported on, and the genome that a search of it begins with.
fn subject(settings: &[String]) -> Result<(Corpus, Genome), Failure> {
    let preset = ConfigText { origin: "preset".into(), yaml: presets::SEARCH.into() };
    let config: ConfigOf<Wnn> = preset.config(settings)?;
    let mut corpus = Text::load(&config.model, &config.training, config.seed, None)?.corpus;
    corpus.test.clear();
    Ok((corpus, Wnn::build(&config)?.best.genome))
}

fn measure((corpus, genome): &(Corpus, Genome), backoff: &Backoff) -> Result<f64, Failure> {
    let (scoring, path) = (Scoring::Counts, KernelPath::best());
    let mut evaluator = LocalEvaluator::new(corpus, 1, scoring, backoff, 2, path)?;
    Ok(evaluator.evaluate(TokenPart::All, std::slice::from_ref(genome))?[0].cross_entropy)
}
