//! How long a state of 100 million parameters with both moments takes to save and to load, every byte
//! hashed. The second save follows after every parameter has changed.
//!
//! ```text
//! cargo run --release -p rekindle-gpt --example save_and_load -- DIRECTORY
//! ```

use std::path::PathBuf;
use std::time::Instant;

use rekindle::RunOptions;
use rekindle_compute::rng;
use rekindle_gpt::LanguageModel;
use rekindle_gpt::model::{ModelConfig, Network, Sampling, Vocabulary};
use rekindle_gpt::train::{Optimizer, Plan, State};
use rekindle_tokenizer::{Tokenizer, WordRules};

const TOKENS: usize = 19_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = std::env::args().nth(1).ok_or("name a directory for the run")?;
    let directory = PathBuf::from(directory).join("save-and-load");
    let mut state = state()?;
    println!(
        "{} parameters, {} bytes with moments",
        state.model.network.parameters(),
        12 * state.model.network.parameters()
    );
    let mut run = RunOptions::new().system("gpt").create(&directory)?;
    for step in 1..=2 {
        let begun = Instant::now();
        run.save(step, &state)?;
        println!("save {step}: {:.2} s", begun.elapsed().as_secs_f64());
        state
            .model
            .network
            .arrays_mut()
            .into_iter()
            .flat_map(|(_, _, array)| array)
            .for_each(|number| *number *= 0.999);
        state.step = step;
    }
    drop(run);
    for _ in 0..2 {
        let mut loaded = blank(&state);
        let begun = Instant::now();
        RunOptions::new().system("gpt").open(&directory)?.resume(&mut loaded)?;
        println!("load: {:.2} s", begun.elapsed().as_secs_f64());
    }
    Ok(())
}

fn state() -> Result<State, Box<dyn std::error::Error>> {
    let model: ModelConfig =
        serde_json::from_str(r#"{"layers": 12, "heads": 12, "width": 768, "context": 512, "tied": true}"#)?;
    let network = Network::random(&model, TOKENS, 0);
    let words: Vec<String> = (0..TOKENS).map(|token| format!("w{token}")).collect();
    let tokenizer = Tokenizer::from_words(&words, WordRules::default())?;
    let mut optimizer = Optimizer::new(&network);
    let mut stream = rng::stream(1, 0, 0);
    for moments in optimizer.moments.values_mut() {
        for number in moments.first.iter_mut().chain(&mut moments.second) {
            *number = (stream.uniform() - 0.5) * 1e-3;
        }
    }
    Ok(State {
        step: 0,
        tokens: 0,
        model: LanguageModel {
            vocabulary: Vocabulary::Fixed(tokenizer),
            network,
            sampling: Sampling::default(),
        },
        optimizer,
        scaler: None,
        texts: Vec::new(),
        vocabulary_changes: Vec::new(),
        plan: Plan::default(),
        patience: None,
        facts: None,
        codebook: None,
        retained: None,
    })
}

/// A state of the same form.
fn blank(state: &State) -> State {
    let mut network = state.model.network.clone();
    network.clear();
    State {
        optimizer: Optimizer::new(&network),
        model: LanguageModel { network, ..state.model.clone() },
        ..state.clone()
    }
}
