//! Where examples are from: tables, pictures, or made.

use rekindle_data::{
    CLASSES_BY_VALUE, ClassedError, ClassedExamples, Encoding, EncodingKind, ExampleRows, ExamplesError,
    Fillings, Missing, TableLayout, Thermometers, glyphs,
};
use rekindle_train::SettingError;

use crate::config::{Data, Model, Source};
use crate::error::LgnError;
use crate::streams;

/// The greatest value of a pixel.
const WHITE: f64 = 255.0;

/// Examples as they were read: nothing is encoded.
pub(super) struct Loaded {
    pub examples: ClassedExamples,
    /// Pictures of their own that are reported on, and their labels.
    pub test: Option<(ExampleRows, Vec<usize>)>,
}

/// The examples that a config names.
pub(super) fn load(data: &Data, model: &Model, shift: usize, seed: u64) -> Result<Loaded, LgnError> {
    let (examples, test) = match (&data.images, &data.file) {
        (Some(_), _) => of_idx(data)?,
        (None, Some(file)) => (of_file(file, data)?, None),
        (None, None) => match data.source {
            Source::Glyphs => (of_glyphs(data, seed)?, None),
            Source::File => return Err(ExamplesError::NoFile.into()),
        },
    };
    let loaded = Loaded { examples, test };
    loaded.check(model, shift)?;
    Ok(loaded)
}

type Test = Option<(ExampleRows, Vec<usize>)>;

fn of_idx(data: &Data) -> Result<(ClassedExamples, Test), LgnError> {
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

fn of_glyphs(data: &Data, seed: u64) -> Result<ClassedExamples, ClassedError> {
    let glyphs = glyphs::generate(data.rows, data.noise, seed, streams::GLYPH);
    ClassedExamples::of_table(glyphs, Some([glyphs::SIDE; 2]))
}

impl Loaded {
    /// Checks that there are pictures where some are needed.
    fn check(&self, model: &Model, shift: usize) -> Result<(), LgnError> {
        let ClassedExamples { origin, picture, .. } = &self.examples;
        if picture.is_none() {
            let origin = origin.to_string();
            let settings =
                [("model.convolutions", !model.convolutions.is_empty()), ("training.shift", shift > 0)];
            let wrong = settings.into_iter().find(|&(_, is_set)| is_set);
            return wrong.map_or(Ok(()), |(setting, _)| Err(LgnError::NoPicture { setting, origin }));
        }
        let kind = model.encoding.kind;
        let reason = "the pixels of pictures are all encoded alike, which is `linear`";
        let is_linear = kind == EncodingKind::Linear;
        let value = format!("{kind:?}").to_lowercase();
        Ok(SettingError::require(is_linear, "model.encoding.kind", value, reason)?)
    }
}

/// What stands for missing values, which are filled, and the thermometers of the rows that are learnt.
pub(super) fn encoding(
    examples: &mut ClassedExamples,
    missing: Missing,
    train: &[usize],
    encoding: Encoding,
) -> Result<(Option<Fillings>, Thermometers), LgnError> {
    let table = match &mut examples.rows {
        ExampleRows::Pictures(pictures) => {
            return Ok((None, Thermometers::even(pictures.size(), 0.0, WHITE, encoding.bits)));
        }
        ExampleRows::Columns(table) => table,
    };
    let fillings = table.fill(missing, train)?;
    examples.notes.append(&mut table.notes);
    let columns = &table.inputs;
    let thermometers = match examples.picture {
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
