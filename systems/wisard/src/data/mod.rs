//! The examples that a classifier learns.

mod glyphs;
mod preparation;
mod table;

use rekindle_compute::rng;
use rekindle_data::{Shares, Split};
use rekindle_formats::table::Table;

use super::config::{Data, Division, Encoding, Source};
use super::error::WisardError;
use super::planes::Planes;
use super::streams;

pub use preparation::Preparation;

/// More different values are taken for numbers, not for classes.
pub(super) const CLASSES_LIMIT: usize = 1000;

/// Examples as they are given: nothing is encoded.
#[derive(Debug, Clone, PartialEq)]
struct Raw {
    /// Where they are from, for messages.
    origin: String,
    inputs: Vec<String>,
    /// Values by input and row.
    columns: Vec<Vec<f64>>,
    /// Name of the column of the classes.
    target: String,
    classes: Vec<String>,
    /// The class of each row, as a position in `classes`.
    class: Vec<u16>,
}

/// Encoded rows and their classes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Examples {
    pub planes: Planes,
    pub class: Vec<u16>,
}

/// All examples of a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dataset {
    /// What they are, and how they are encoded.
    pub preparation: Preparation,
    /// Those that are learnt.
    pub training: Examples,
    /// Those that anything is chosen by; there may be none.
    pub select: Examples,
    /// Those that are reported on; there may be none.
    pub test: Examples,
}

impl Dataset {
    /// The examples of a config, the same for the same seed.
    pub fn load(config: &Data, encoding: Encoding, seed: u64) -> Result<Self, WisardError> {
        let raw = match (&config.file, config.source) {
            (Some(file), _) => table::read(file, config)?,
            (None, Source::Glyphs) => glyphs::make(config.rows, config.noise, seed),
            (None, Source::File) => return Err(WisardError::NoFile),
        };
        Self::of(&raw, config.division(), encoding, seed)
    }

    /// The examples of a table: all rows are learnt.
    pub fn of_table(table: &Table, target: &str, encoding: Encoding, seed: u64) -> Result<Self, WisardError> {
        let config = Data { target: Some(target.to_owned()), ..Data::default() };
        let raw = table::examples("the table".to_owned(), table, &config)?;
        let all = Division::ByContent(Shares { select: 0.0, test: 0.0 });
        Self::of(&raw, all, encoding, seed)
    }

    fn of(raw: &Raw, division: Division, encoding: Encoding, seed: u64) -> Result<Self, WisardError> {
        let parts = parts(raw, division, seed)?;
        require_every_class(raw, &parts.train)?;
        Preparation::of(raw, &parts, encoding)
    }
}

impl Dataset {
    /// What is learnt, without what is kept back.
    pub fn learnt(self) -> (Preparation, Examples) {
        (self.preparation, self.training)
    }
}

/// Which rows lie in which part.
struct Parts {
    train: Vec<usize>,
    select: Vec<usize>,
    /// Absent where the division knows of none.
    test: Option<Vec<usize>>,
}

fn parts(raw: &Raw, division: Division, seed: u64) -> Result<Parts, WisardError> {
    match division {
        Division::Validation(share) => {
            let (train, select) = split(raw.class.len(), share, seed);
            Ok(Parts { train, select, test: None })
        }
        Division::ByContent(shares) => {
            let rows = (0..raw.class.len()).map(|row| content(raw, row));
            let classes: Vec<usize> = raw.class.iter().map(|&class| class.into()).collect();
            let Split { train, select, test } = Split::by_content(rows, Some(&classes), shares, seed)?;
            Ok(Parts { train, select, test: Some(test) })
        }
    }
}

/// What a row is known by: its inputs.
fn content(raw: &Raw, row: usize) -> Vec<u8> {
    // 0 and -0 are equal.
    raw.columns.iter().flat_map(|column| (column[row] + 0.0).to_le_bytes()).collect()
}

/// Which rows are learnt and which are kept for validation, each in their given order.
fn split(rows: usize, validation: f64, seed: u64) -> (Vec<usize>, Vec<usize>) {
    let kept = (rows as f64 * validation).round() as usize;
    let mut order: Vec<usize> = (0..rows).collect();
    rng::stream(seed, streams::SPLIT, 0).shuffle(&mut order);
    let mut validation = order.split_off(rows - kept);
    order.sort_unstable();
    validation.sort_unstable();
    (order, validation)
}

fn require_every_class(raw: &Raw, training: &[usize]) -> Result<(), WisardError> {
    let (origin, column) = (raw.origin.clone(), raw.target.clone());
    if let [only] = &raw.classes[..] {
        return Err(WisardError::OneClass { origin, column, class: only.clone() });
    }
    let mut seen = vec![false; raw.classes.len()];
    training.iter().for_each(|&row| seen[usize::from(raw.class[row])] = true);
    match seen.iter().position(|seen| !seen) {
        Some(missing) => {
            let class = raw.classes[missing].clone();
            Err(WisardError::TooFewRows { origin, rows: training.len(), column, class })
        }
        None => Ok(()),
    }
}
