//! Where examples are from: tables, pictures, or made.

use std::path::Path;

use rekindle_data::{
    ClassColumn, ClassOrder, Encoding, EncodingKind, ExamplesError, Fillings, Missing, NumberColumn, Origin,
    Shares, Split, TableExamples, TableLayout, TableTarget, TargetKind, Thermometers, glyphs,
};
use rekindle_formats::pictures::{self, ClassedPictures, LABEL, Pictures};
use rekindle_train::SettingError;

use super::{levels_of_columns, room};
use crate::config::{Data, Model, Source};
use crate::error::LgnError;
use crate::streams;

/// The greatest value of a pixel.
const WHITE: f64 = 255.0;

/// Examples as they were read: nothing is encoded.
pub(super) struct Loaded {
    pub origin: Origin,
    pub rows: Rows,
    pub target: ClassColumn,
    /// Pictures of their own that are reported on, and their labels.
    pub test: Option<(Rows, Vec<usize>)>,
    /// Width and height.
    pub picture: Option<[usize; 2]>,
    pub notes: Vec<String>,
}

/// Rows of numbers.
pub(super) enum Rows {
    /// A picture each.
    Pictures(Pictures),
    /// Of a table, and what becomes of values that are missing.
    Columns(TableExamples, Missing),
}

/// The examples that a config names.
pub(super) fn load(data: &Data, model: &Model, shift: usize, seed: u64) -> Result<Loaded, LgnError> {
    let loaded = match (&data.images, &data.file) {
        (Some(_), _) => of_idx(data)?,
        (None, Some(file)) if Path::new(file).is_dir() => of_folder(file)?,
        (None, Some(file)) => of_table(file, data)?,
        (None, None) => match data.source {
            Source::Glyphs => of_glyphs(data, seed)?,
            Source::File => return Err(ExamplesError::NoFile.into()),
        },
    };
    loaded.check(model, shift)?;
    Ok(loaded)
}

fn of_idx(data: &Data) -> Result<Loaded, LgnError> {
    let pair = |images: &Option<String>, labels: &Option<String>| match (images, labels) {
        (Some(images), Some(labels)) => labelled(images, labels).map(Some),
        _ => Ok(None),
    };
    let Some((pictures, labels)) = pair(&data.images, &data.labels)? else {
        return Err(ExamplesError::NoFile.into());
    };
    let target = classes_of_labels(&labels);
    let picture = [pictures.width, pictures.height];
    let test = match pair(&data.test_images, &data.test_labels)? {
        Some((test, labels)) => {
            let file = data.test_images.clone().unwrap_or_default();
            let Pictures { width, height, .. } = test;
            if [width, height] != picture {
                return Err(LgnError::PictureSize { file, width, height, expected: picture });
            }
            let index = |label: u8| target.classes.iter().position(|class| *class == label.to_string());
            let known = labels.iter().map(|&label| {
                let file = data.test_labels.clone().unwrap_or_default();
                index(label).ok_or(LgnError::UnknownLabel { file, label })
            });
            Some((Rows::Pictures(test), known.collect::<Result<_, _>>()?))
        }
        None => None,
    };
    Ok(Loaded {
        origin: Origin::of(data.images.as_ref(), "the pictures"),
        rows: Rows::Pictures(pictures),
        target,
        test,
        picture: Some(picture),
        notes: Vec::new(),
    })
}

/// Pictures and a label for each.
fn labelled(images: &str, labels: &str) -> Result<(Pictures, Vec<u8>), LgnError> {
    let pictures = pictures::read_images(images.as_ref())?;
    let found = pictures::read_labels(labels.as_ref())?;
    match pictures.count() == found.len() {
        true => Ok((pictures, found)),
        false => Err(LgnError::LabelCount {
            images: images.to_owned(),
            pictures: pictures.count(),
            labels: labels.to_owned(),
            count: found.len(),
        }),
    }
}

fn classes_of_labels(labels: &[u8]) -> ClassColumn {
    let mut known: Vec<u8> = labels.to_vec();
    known.sort_unstable();
    known.dedup();
    ClassColumn {
        name: LABEL.to_owned(),
        classes: known.iter().map(u8::to_string).collect(),
        labels: labels.iter().map(|label| known.partition_point(|known| known < label)).collect(),
    }
}

fn of_folder(folder: &str) -> Result<Loaded, LgnError> {
    let ClassedPictures { pictures, classes: names, notes } = pictures::read_folder(folder.as_ref())?;
    let mut known = names.clone();
    known.dedup();
    let labels = names.iter().map(|name| known.partition_point(|known| known < name)).collect();
    Ok(Loaded {
        origin: Origin::File(folder.to_owned()),
        picture: Some([pictures.width, pictures.height]),
        rows: Rows::Pictures(pictures),
        target: ClassColumn { name: LABEL.to_owned(), classes: known, labels },
        test: None,
        notes,
    })
}

fn of_table(file: &str, data: &Data) -> Result<Loaded, LgnError> {
    let layout = TableLayout {
        targets: &data.target,
        ignored: &data.ignore,
        kind: TargetKind::Classes(ClassOrder::ByValue),
        missing: data.missing,
        format: data.format(),
    };
    of_columns(TableExamples::read(file, &layout)?, data.picture, data.missing)
}

fn of_glyphs(data: &Data, seed: u64) -> Result<Loaded, LgnError> {
    let glyphs = glyphs::generate(data.rows, data.noise, seed, streams::GLYPH);
    of_columns(glyphs, Some([glyphs::SIDE; 2]), Missing::Refuse)
}

fn of_columns(
    mut examples: TableExamples,
    picture: Option<[usize; 2]>,
    missing: Missing,
) -> Result<Loaded, LgnError> {
    examples.inputs.iter().try_for_each(|input| input.check_range(&examples.origin))?;
    if let Some(picture) = picture.filter(|[width, height]| width * height != examples.inputs.len()) {
        let (origin, columns) = (examples.origin.to_string(), examples.inputs.len());
        return Err(LgnError::PictureColumns { origin, columns, picture });
    }
    let TableTarget::Classes(target) = examples.target.clone() else {
        unreachable!("the layout asks for classes");
    };
    Ok(Loaded {
        origin: examples.origin.clone(),
        target,
        test: None,
        picture,
        notes: std::mem::take(&mut examples.notes),
        rows: Rows::Columns(examples, missing),
    })
}

impl Loaded {
    /// Checks that there are pictures where some are needed.
    fn check(&self, model: &Model, shift: usize) -> Result<(), LgnError> {
        if self.picture.is_none() {
            let origin = self.origin.to_string();
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

    pub fn split(&self, shares: Shares, seed: u64) -> Result<Split, LgnError> {
        match &self.rows {
            Rows::Columns(examples, _) => Ok(examples.split(shares, seed)?),
            Rows::Pictures(pictures) => {
                let contents = pictures.pixels.chunks_exact(pictures.size());
                Split::by_content(contents, Some(&self.target.labels), shares, seed)
                    .map_err(|source| ExamplesError::Split { origin: self.origin.clone(), source }.into())
            }
        }
    }

    pub fn check_train(&self, train: &[usize]) -> Result<(), LgnError> {
        let target = TableTarget::Classes(self.target.clone());
        let examples =
            TableExamples { origin: self.origin.clone(), inputs: Vec::new(), target, notes: Vec::new() };
        Ok(examples.check_train(train)?)
    }
}

impl Rows {
    /// What stands for missing values, which are filled, and the thermometers of the rows that are learnt.
    pub fn encoding(
        &mut self,
        train: &[usize],
        is_picture: bool,
        encoding: Encoding,
    ) -> Result<(Option<Fillings>, Thermometers), LgnError> {
        match self {
            Self::Pictures(pictures) => {
                Ok((None, Thermometers::even(pictures.size(), 0.0, WHITE, encoding.bits)))
            }
            Self::Columns(examples, missing) => {
                let fillings = examples.fill(*missing, train)?;
                let columns = &examples.inputs;
                let thermometers = match is_picture {
                    false => Thermometers::of(columns, train, encoding),
                    true => {
                        let values = || columns.iter().flat_map(|c| train.iter().map(|&row| c.values[row]));
                        let low = values().fold(f64::INFINITY, f64::min);
                        let high = values().fold(f64::NEG_INFINITY, f64::max);
                        Thermometers::even(columns.len(), low, high, encoding.bits)
                    }
                };
                Ok((fillings, thermometers))
            }
        }
    }

    /// Inputs of a row.
    pub fn inputs(&self) -> usize {
        match self {
            Self::Pictures(pictures) => pictures.size(),
            Self::Columns(examples, _) => examples.inputs.len(),
        }
    }

    /// Names of the inputs.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::Pictures(pictures) => {
                (0..pictures.size()).map(|pixel| pictures.pixel_name(pixel)).collect()
            }
            Self::Columns(examples, _) => examples.inputs.iter().map(|input| input.name.clone()).collect(),
        }
    }

    /// The levels of the chosen rows.
    pub fn levels(&self, thermometers: &Thermometers, chosen: &[usize]) -> Result<Vec<u8>, LgnError> {
        match self {
            Self::Columns(examples, _) => {
                let columns: &[NumberColumn] = &examples.inputs;
                levels_of_columns(columns, thermometers, chosen)
            }
            Self::Pictures(pictures) => {
                let size = pictures.size();
                let mut levels = room(chosen.len(), size)?;
                let of_shade: Vec<u8> =
                    (0..=255_u8).map(|shade| thermometers.level(0, shade.into()) as u8).collect();
                for &picture in chosen {
                    let pixels = &pictures.pixels[picture * size..(picture + 1) * size];
                    levels.extend(pixels.iter().map(|&shade| of_shade[usize::from(shade)]));
                }
                Ok(levels)
            }
        }
    }
}
