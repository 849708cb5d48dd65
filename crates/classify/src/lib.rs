//! What classifiers share that read bits and count votes.
//!
//! Such a classifier turns the inputs of an example into bits by
//! [thermometers](rekindle_data::Thermometers), the bits into outputs by a network that is learnt by gradients,
//! and sums the outputs class by class: the class with the largest sum is the answer. Here is everything but the
//! network:
//!
//! | concept | what it is |
//! |---|---|
//! | [`Data`] | the section `training.data` of a config: which examples are learnt |
//! | [`Dataset`], [`Examples`] | the examples of a run, encoded as a [`Reading`] says |
//! | [`Preparation`] | what a state knows of its examples, so that it can be asked without them |
//! | [`Batches`] | the examples of each step |
//! | [`Schedule`] | how the step size changes |
//! | [`class_loss`], [`Score`] | the cross-entropy of sums, its gradient, and how a network does |
//! | [`CircuitBuilder`] | circuits that add up the outputs, and say which sum is the largest |
//! | [`Classifier`] | such a circuit, asked about examples |
//!
//! ```
//! use rekindle_classify::{Data, Dataset, ReadBits, Reading};
//! use rekindle_data::{Encoding, EncodingKind};
//!
//! let encoding = Encoding { kind: EncodingKind::Linear, bits: 3 };
//! let reading = Reading { encoding, bits: ReadBits::Telling, moves_pixels: None, glyphs: 1 };
//! let dataset = Dataset::load(&Data::default(), &reading, 7)?;
//! assert_eq!(dataset.preparation.classes.len(), 10);
//! assert_eq!(dataset.training.len() + dataset.select.len() + dataset.test.len(), 4000);
//! # Ok::<(), rekindle_classify::ClassifyError>(())
//! ```

mod batches;
mod circuit;
mod classifier;
mod config;
mod dataset;
mod error;
mod loss;
pub mod memory;
mod preparation;
pub mod rows;
mod schedule;
mod score;
mod source;
pub mod summary;

pub use batches::{Batch, BatchStreams, Batches};
pub use circuit::{CircuitBuilder, Says};
pub use classifier::Classifier;
pub use config::{Data, FILES, OPTIONS, Source};
pub use dataset::{Dataset, Examples, ReadBits, Reading};
pub use error::ClassifyError;
pub use loss::{Truth, class_loss, class_sums, deal, largest};
pub use preparation::Preparation;
pub use schedule::Schedule;
pub use score::Score;
