//! Examples before a model sees them: read, divided into parts, and identified by their content.
//!
//! | concept | what it is |
//! |---|---|
//! | [`TableExamples`] | a table as inputs and what is to be predicted, nothing scaled or encoded |
//! | [`ClassColumn`], [`NumberColumn`], [`Statistics`] | its columns, and what is known of their values |
//! | [`Missing`] | what becomes of rows in which a value is missing |
//! | [`Questions`] | the inputs of a trained model in a table |
//! | [`TableSize`] | how much memory it takes to load a table |
//! | [`ClassedExamples`] | tables and pictures, and the class of each row |
//! | [`Thermometers`] | how numbers become bits |
//! | [`glyphs`] | digits drawn by an unsteady hand, for systems to show what they do |
//! | [`read_text`] | the bytes of a text |
//! | [`Split`] | examples dealt to three parts by their content |
//! | [`Blocks`] | running text cut into three parts |
//! | [`identity`] | what the same data is known by, wherever it lies |
//! | [`Origin`] | what data is called in messages |
//!
//! The three parts are the same everywhere: *train* is learnt, *select* is what anything is chosen by (a
//! genome, a constant, the moment to stop), and *test* is what is reported, which nothing that was chosen
//! has seen. A system adds its own encoding to this, and nothing else.
//!
//! ```
//! use rekindle_data::{ClassOrder, Missing, Origin, Shares, TableExamples, TableLayout, TargetKind};
//! use rekindle_formats::table::{Column, CsvFormat, Table, Values};
//!
//! let column = |name: &str, values| Column { name: name.to_owned(), values };
//! let kinds = ["iris", "lily", "iris", "lily"].map(str::to_owned).to_vec();
//! let table = Table::new(vec![
//!     column("length", Values::Numbers(vec![1.0, 2.0, 1.0, 2.5])),
//!     column("kind", Values::Text(kinds)),
//! ])?;
//! let layout = TableLayout {
//!     targets: &["kind".to_owned()],
//!     ignored: &[],
//!     kind: TargetKind::Classes(ClassOrder::Alphabetical),
//!     missing: Missing::Refuse,
//!     format: CsvFormat::default(),
//! };
//! let examples = TableExamples::of_table(Origin::Named("the flowers"), &table, &layout)?;
//! let split = examples.split(Shares { select: 0.0, test: 0.3 }, 7)?;
//! assert_eq!(split.train.len() + split.test.len(), 4);
//! // Equal examples lie in the same part.
//! assert_eq!(split.part_of(0), split.part_of(2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod blocks;
mod classed;
mod confusion;
pub mod glyphs;
pub mod identity;
mod interval;
mod origin;
mod split;
mod table;
mod text;
mod thermometers;

pub use blocks::Blocks;
pub use classed::{CLASSES_BY_VALUE, ClassedError, ClassedExamples, ExampleRows};
pub use confusion::ConfusionMatrix;
pub use identity::DataOutline;
pub use interval::share_interval;
pub use origin::Origin;
pub use split::{Part, Shares, Split, SplitError};
pub use table::{
    Answers, CLASSES_LIMIT, Calibration, CalibrationBin, ClassColumn, ClassOrder, CompareError, Confusion,
    ExamplesError, Fillings, LARGEST_NUMBER, Missing, ModelInputs, NumberColumn, NumberErrors, Probabilities,
    Questions, Statistics, TableEvaluation, TableExamples, TableLayout, TableSize, TableTarget, TargetKind,
    listed, one_or_more,
};
pub use text::{TextError, binary_notice, read_text};
pub use thermometers::{Encoding, EncodingKind, Thermometers};
