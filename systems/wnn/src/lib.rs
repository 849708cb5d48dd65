//! Weightless (RAM) networks: a language model whose architecture is searched.
//!
//! A RAM neuron is a table: it looks at some bits of its input, takes them as an address, and
//! remembers what it saw there. Nothing is differentiated; what can be improved is which neurons
//! there are and what they look at. The language model has a cluster of such neurons for each
//! token that can follow, and a search in six phases (numbers of neurons, address bits,
//! connections, each by a genetic algorithm and then by tabu search) changes their [`Genome`].
//!
//! - [`Model`], [`Training`] and its [`Search`](config::Search) are what a user chooses; [`presets`]
//!   has two that work.
//! - [`State`] is what a checkpoint holds, after any batch of candidates.
//! - [`Searcher`] searches; [`Evaluator`] measures candidates, here or elsewhere. Both are rebuilt,
//!   never saved.
//! - [`Corpus`] is text as examples: those that are learnt, those that everything is selected by, and
//!   those that are reported on; [`baselines()`] is what counting alone predicts of them.
//! - [`original`] reads and writes the files of the original program.
//!
//! Examples lie in bit planes, so that a neuron is asked about hundreds of them at once, and scores
//! are integers, so that a genome which differs in one cluster is measured by that cluster alone,
//! to the same bit. Neither threads nor kernels nor interruptions change a result.
//!
//! ```
//! use rekindle_compute::KernelPath;
//! use rekindle_wnn::{Backoff, Corpus, Evaluator, Genome, LocalEvaluator, TokenPart, Scoring, baselines};
//!
//! // "a" to "h" over and over: the next letter follows from the last.
//! let tokens: Vec<u32> = (0..4000).map(|index| index % 8).collect();
//! let (training, rest) = tokens.split_at(3000);
//! let (test, select) = rest.split_at(500);
//! let corpus = Corpus::new(training.to_vec(), select.to_vec(), test.to_vec(), 8, 2, false);
//!
//! // One neuron a class, which looks at the three bits of the last token.
//! let connections = [3, 4, 5].repeat(8);
//! let genome = Genome { bits: vec![3; 8], neurons: vec![1; 8], connections };
//!
//! let (scoring, backoff, path) = (Scoring::Counts, Backoff::default(), KernelPath::best());
//! let mut evaluator = LocalEvaluator::new(&corpus, 1, scoring, &backoff, 1, path)?;
//! let fitness = evaluator.evaluate(TokenPart::All, std::slice::from_ref(&genome))?[0];
//! assert_eq!(fitness.accuracy, 1.0);
//! let reported = evaluator.report(&genome)?.unwrap();
//! let counted = baselines(training, test, 8, 2);
//! println!("{} nats, unigrams {}", reported.cross_entropy, counted.unigram);
//! # Ok::<(), rekindle_wnn::WnnError>(())
//! ```

mod baselines;
pub mod config;
mod corpus;
mod error;
mod evaluator;
mod examples;
mod generated;
mod genome;
mod interchange;
mod memory;
mod memory_need;
pub mod original;
mod phase;
mod planes;
pub mod presets;
mod report;
mod rule;
mod schema;
mod scorer;
mod search;
mod seed;
mod state;
mod streams;
mod system;
mod tally;
mod text;

pub use baselines::{Baselines, baselines};
pub use config::{Model, Training};
pub use corpus::{Corpus, TokenPart};
pub use error::WnnError;
pub use evaluator::{Evaluator, LocalEvaluator};
pub use examples::{ClassedExamples, Coding, Examples};
pub use genome::{Change, Cluster, Gene, Genome, InvalidGenome};
pub use phase::{Phase, Trait};
pub use report::votes_floor;
pub use rule::{Assignment, Backoff, Scoring};
pub use scorer::Fitness;
pub use search::{Searcher, StepMetrics};
pub use state::{
    Closing, Generation, Measured, Neighbourhood, Patience, PhaseResult, Search, State, TabuCluster,
    TextIdentity, Work,
};
pub use system::Wnn;
pub use text::Text;

/// The system for a registry.
pub fn system() -> Box<dyn rekindle_train::AnySystem> {
    rekindle_train::any_system::<Wnn>()
}
