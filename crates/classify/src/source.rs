//! Where examples are from: tables, pictures, or made.

use rekindle_data::{
    CLASSES_BY_VALUE, ClassedError, ClassedExamples, EncodingKind, ExampleRows, ExamplesError, Fillings,
    Missing, NumberColumn, TableLayout, Thermometers, glyphs,
};
use rekindle_formats::pictures::Pictures;
use rekindle_train::SettingError;

use crate::config::{Data, Source};
use crate::dataset::Reading;
use crate::error::ClassifyError;

/// The greatest value of a pixel.
const WHITE: f64 = 255.0;

/// Examples as they were read: nothing is encoded.
pub(crate) struct Loaded {
    pub examples: ClassedExamples,
    /// Pictures of their own that are reported on, and their labels.
    pub test: Option<(ExampleRows, Vec<usize>)>,
}

/// The examples that a config names.
pub(crate) fn load(data: &Data, reading: &Reading, seed: u64) -> Result<Loaded, ClassifyError> {
    let (examples, test) = match (&data.images, &data.file) {
        (Some(_), _) => of_idx(data)?,
        (None, Some(file)) => (of_file(file, data)?, None),
        (None, None) => match data.source {
            Source::Glyphs => (of_glyphs(data, seed, reading.glyphs)?, None),
            Source::File => return Err(ExamplesError::NoFile.into()),
        },
    };
    let loaded = Loaded { examples, test };
    loaded.check(reading)?;
    Ok(loaded)
}

type Test = Option<(ExampleRows, Vec<usize>)>;

fn of_idx(data: &Data) -> Result<(ClassedExamples, Test), ClassifyError> {
    let pair = |images: &Option<String>, labels: &Option<String>| match (images, labels) {
        (Some(images), Some(labels)) => ClassedExamples::of_idx(images, labels).map(Some),
        _ => Ok(None),
    };
    let Some(examples) = pair(&data.images, &data.labels)? else {
        return Err(ExamplesError::NoFile.into());
    };
    let Some(test) = pair(&data.test_images, &data.test_labels)? else { return Ok((examples, None)) };
    test.check_size(examples.picture.unwrap_or_default())?;
    let labels = test.labels_among(&examples.target.classes)?;
    Ok((examples, Some((test.rows, labels))))
}

fn of_file(file: &str, data: &Data) -> Result<ClassedExamples, ClassedError> {
    let layout = TableLayout {
        targets: &data.target,
        ignored: &data.ignore,
        kind: CLASSES_BY_VALUE,
        missing: data.missing,
        format: data.format(),
    };
    ClassedExamples::of_file(file, &layout, data.picture)
}

fn of_glyphs(data: &Data, seed: u64, stream: u64) -> Result<ClassedExamples, ClassedError> {
    let glyphs = glyphs::generate(data.rows, data.noise, seed, stream);
    ClassedExamples::of_table(glyphs, Some([glyphs::SIDE; 2]))
}

impl Loaded {
    /// Checks that there are pictures where some are needed, and that pixels which are moved are encoded alike.
    fn check(&self, reading: &Reading) -> Result<(), ClassifyError> {
        let ClassedExamples { origin, picture, .. } = &self.examples;
        let Some(setting) = reading.moves_pixels else { return Ok(()) };
        if picture.is_none() {
            return Err(ClassifyError::NoPicture { setting, origin: origin.to_string() });
        }
        let kind = reading.encoding.kind;
        let reason = format!("with `{setting}` pixels must all be encoded alike, which is `linear`");
        let value = format!("{kind:?}").to_lowercase();
        Ok(SettingError::require(kind == EncodingKind::Linear, "model.encoding.kind", value, reason)?)
    }
}

/// What stands for missing values, which are filled, and the thermometers of the rows that are learnt.
pub(crate) fn encoding(
    examples: &mut ClassedExamples,
    missing: Missing,
    train: &[usize],
    reading: &Reading,
) -> Result<(Option<Fillings>, Thermometers), ClassifyError> {
    let encoding = reading.encoding;
    let is_linear = encoding.kind == EncodingKind::Linear;
    let table = match &mut examples.rows {
        ExampleRows::Pictures(pictures) => {
            let thermometers = match is_linear {
                true => Thermometers::even(pictures.size(), 0.0, WHITE, encoding.bits),
                false => of_pixels(pictures, train, reading),
            };
            return Ok((None, thermometers));
        }
        ExampleRows::Columns(table) => table,
    };
    let fillings = table.fill(missing, train)?;
    examples.notes.append(&mut table.notes);
    let columns = &table.inputs;
    let thermometers = match examples.picture.filter(|_| is_linear) {
        None => Thermometers::of(columns, train, encoding),
        Some(_) => {
            let values = || columns.iter().flat_map(|c| train.iter().map(|&row| c.values[row]));
            let low = values().fold(f64::INFINITY, f64::min);
            let high = values().fold(f64::NEG_INFINITY, f64::max);
            Thermometers::even(columns.len(), low, high, encoding.bits)
        }
    };
    Ok((fillings, thermometers))
}

/// Thresholds of each pixel by itself, one after the other, so that no more than one of them lies in memory as
/// numbers.
fn of_pixels(pictures: &Pictures, train: &[usize], reading: &Reading) -> Thermometers {
    let size = pictures.size();
    let rows: Vec<usize> = (0..train.len()).collect();
    let of_pixel = |pixel: usize| {
        let values = train.iter().map(|&picture| f64::from(pictures.pixels[picture * size + pixel]));
        let column = NumberColumn { name: String::new(), values: values.collect() };
        Thermometers::of(&[column], &rows, reading.encoding).thresholds
    };
    Thermometers { bits: reading.encoding.bits, thresholds: (0..size).flat_map(of_pixel).collect() }
}
