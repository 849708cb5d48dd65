//! Rows that are learnt, forgotten or reported on.

use std::ops::Range;

use rekindle::Hash;
use rekindle_data::{
    CLASSES_BY_VALUE, ClassedError, ClassedExamples, ExampleRows, ExamplesError, NumberColumn, Origin,
    TableExamples, TableLayout, Thermometers, glyphs,
};

use super::config::{Data, Model, Source};
use super::error::ExactError;
use super::row_hashes::{RowHash, RowHasher};
use super::state::State;
use super::upright::Upright;
use crate::streams;

/// Levels of rows are never held in more memory: bytes.
const LEVELS_LIMIT: u64 = 8 << 30;

/// Rows as the classifier sees them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rows {
    pub origin: Origin,
    /// Names of the inputs.
    pub names: Vec<String>,
    /// Inputs of a row.
    pub inputs: usize,
    /// Width and height, where rows are pictures.
    pub picture: Option<[usize; 2]>,
    /// Name of the column of the classes.
    pub target: String,
    pub classes: Vec<String>,
    /// The class of each row, as an index of `classes`.
    pub labels: Vec<usize>,
    /// What each row is known by.
    pub hashes: Vec<RowHash>,
    /// By row and input: how many thresholds the value exceeds.
    levels: Vec<u8>,
    /// What whoever learns them should know.
    pub notes: Vec<String>,
}

/// The rows that a config names to be learnt.
pub(super) fn training_rows(data: &Data, model: &Model, seed: u64) -> Result<Rows, ExactError> {
    let examples = match (&data.images, &data.labels, &data.file, data.source) {
        (Some(images), Some(labels), ..) => ClassedExamples::of_idx(images, labels)?,
        (_, _, Some(file), _) => ClassedExamples::of_file(file, &layout(data, &data.target), data.picture)?,
        (_, _, None, Source::Glyphs) => of_glyphs(data, data.rows, seed, streams::GLYPH)?,
        (_, _, None, Source::File) => return Err(ExamplesError::NoFile.into()),
    };
    Rows::of(examples, model, seed)
}

/// The rows that a config names to be reported on; there may be none. They are as those of the state.
pub(super) fn test_rows(
    data: &Data,
    model: &Model,
    seed: u64,
    state: &State,
) -> Result<Option<Rows>, ExactError> {
    let is_generated = data.images.is_none() && data.file.is_none() && data.source == Source::Glyphs;
    let examples = match (&data.test_images, &data.test_labels, &data.test_file) {
        (Some(images), Some(labels), _) => ClassedExamples::of_idx(images, labels)?,
        (_, _, Some(file)) => of_file(file, data, state)?,
        _ if is_generated && data.test_rows > 0 => {
            of_glyphs(data, data.test_rows, seed, streams::TEST_GLYPH)?
        }
        _ => return Ok(None),
    };
    let rows = as_in(examples, state, model, seed)?;
    Ok(Some(rows))
}

/// The rows of files that are learnt or forgotten after training: a table or a folder of pictures; or IDX files
/// of pictures and of their labels.
pub(super) fn more_rows(
    files: &[String],
    data: &Data,
    model: &Model,
    seed: u64,
    state: &State,
) -> Result<Rows, ExactError> {
    let examples = match files {
        [file] => of_file(file, data, state)?,
        [images, labels] => ClassedExamples::of_idx(images, labels)?,
        _ => return Err(ExactError::Files { count: files.len() }),
    };
    as_in(examples, state, model, seed)
}

fn of_file(file: &str, data: &Data, state: &State) -> Result<ClassedExamples, ExactError> {
    let targets = [state.target.clone()];
    Ok(ClassedExamples::of_file(file, &layout(data, &targets), state.picture())?)
}

fn as_in(examples: ClassedExamples, state: &State, model: &Model, seed: u64) -> Result<Rows, ExactError> {
    if let Some(size) = state.picture() {
        examples.check_size(size)?;
    }
    let rows = Rows::of(examples, model, seed)?;
    state.check_rows(&rows)?;
    Ok(rows)
}

fn layout<'a>(data: &'a Data, targets: &'a [String]) -> TableLayout<'a> {
    TableLayout {
        targets,
        ignored: &data.ignore,
        kind: CLASSES_BY_VALUE,
        missing: data.missing,
        format: data.format(),
    }
}

fn of_glyphs(data: &Data, rows: u32, seed: u64, stream: u64) -> Result<ClassedExamples, ExactError> {
    let glyphs = glyphs::generate(rows, data.noise, seed, stream);
    Ok(ClassedExamples::of_table(glyphs, Some([glyphs::SIDE; 2]))?)
}

impl Rows {
    fn of(mut examples: ClassedExamples, model: &Model, seed: u64) -> Result<Self, ExactError> {
        if let (ExampleRows::Columns(table), None) = (&mut examples.rows, examples.picture) {
            order_columns(table, model)?;
        }
        let names = examples.rows.names();
        let eye = Eye::new(model, &names, examples.picture);
        let mut levels = eye.room(examples.rows.count())?;
        let mut hashes = Vec::with_capacity(examples.rows.count());
        let mut hasher = RowHasher::new(seed);
        examples.rows.for_each_row(|row| {
            hashes.push(hasher.hash(row));
            eye.see(row, &mut levels);
        });
        let ClassedExamples { origin, target, picture, notes, .. } = examples;
        Ok(Self {
            origin,
            inputs: names.len(),
            names,
            picture,
            target: target.name,
            classes: target.classes,
            labels: target.labels,
            hashes,
            levels,
            notes,
        })
    }

    pub fn count(&self) -> usize {
        self.labels.len()
    }

    /// The levels of a range of rows.
    pub fn levels(&self, range: Range<usize>) -> &[u8] {
        &self.levels[range.start * self.inputs..range.end * self.inputs]
    }

    /// Identity of the rows in their order.
    pub fn identity(&self) -> String {
        let words = |(hash, &label): (&RowHash, &usize)| [hash[0], hash[1], label as u64];
        let words = self.hashes.iter().zip(&self.labels).flat_map(words);
        let names = self.classes.iter().flat_map(|class| class.bytes().chain([0]));
        let bytes: Vec<u8> = words.flat_map(u64::to_le_bytes).chain(names).collect();
        Hash::of(&bytes).to_string()
    }
}

/// Puts the columns of a table into the order of their names, in which the config has their ranges.
fn order_columns(table: &mut TableExamples, model: &Model) -> Result<(), ExactError> {
    table.inputs.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(column) = table.inputs.iter().find(|column| !model.ranges.contains_key(&column.name)) {
        let origin = table.origin.clone();
        let example = ranges_in(&table.inputs);
        return Err(ExactError::NoRange { origin, column: column.name.clone(), example });
    }
    if table.inputs.len() != model.ranges.len() {
        let origin = table.origin.clone();
        let names: Vec<&str> = table.inputs.iter().map(|column| column.name.as_str()).collect();
        let ranges: Vec<&str> = model.ranges.keys().map(String::as_str).collect();
        let (found, expected) = (rekindle_data::listed(&names), rekindle_data::listed(&ranges));
        return Err(ExactError::OtherInputs { origin, found, expected });
    }
    Ok(())
}

/// The ranges of the values of columns, as the config has them.
fn ranges_in(columns: &[NumberColumn]) -> String {
    let range = |column: &NumberColumn| {
        let low = column.values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = column.values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        format!("{}: [{low}, {high}]", column.name)
    };
    columns.iter().map(range).collect::<Vec<_>>().join(", ")
}

/// How rows are seen.
pub(super) struct Eye {
    thermometers: Thermometers,
    upright: Option<Upright>,
    inputs: usize,
}

impl Eye {
    pub fn new(model: &Model, names: &[String], picture: Option<[usize; 2]>) -> Self {
        let bits = model.encoding.bits;
        let [low, high] = model.range;
        let thermometers = match picture {
            Some(_) => Thermometers::even(names.len(), low, high, bits),
            None => {
                let of_column = |name: &String| {
                    let [low, high] = model.ranges.get(name).copied().unwrap_or(model.range);
                    Thermometers::even(1, low, high, bits).thresholds
                };
                Thermometers { bits, thresholds: names.iter().flat_map(of_column).collect() }
            }
        };
        let upright = picture.filter(|_| model.upright).map(|picture| Upright::new(picture, low));
        Self { thermometers, upright, inputs: names.len() }
    }

    /// Room for the levels of so many rows.
    pub fn room(&self, rows: usize) -> Result<Vec<u8>, ExactError> {
        let bytes = (rows as u64).saturating_mul(self.inputs as u64);
        match bytes <= LEVELS_LIMIT {
            true => Ok(Vec::with_capacity(bytes as usize)),
            false => Err(ClassedError::TooLarge { bytes, limit: LEVELS_LIMIT }.into()),
        }
    }

    /// Adds the levels of a row: how many thresholds each of its inputs exceeds. The row may be changed.
    pub fn see(&self, row: &mut [f64], levels: &mut Vec<u8>) {
        if let Some(upright) = &self.upright {
            upright.apply(row);
        }
        let level = |(input, &value): (usize, &f64)| self.thermometers.level(input, value) as u8;
        levels.extend(row.iter().enumerate().map(level));
    }

    /// The levels of the rows of some columns.
    pub fn columns(&self, columns: &[NumberColumn], rows: usize) -> Result<Vec<u8>, ExactError> {
        let mut levels = self.room(rows)?;
        for row in 0..rows {
            let mut values: Vec<f64> = columns.iter().map(|column| column.values[row]).collect();
            self.see(&mut values, &mut levels);
        }
        Ok(levels)
    }
}
