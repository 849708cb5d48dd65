//! Examples of classes, wherever they are from: tables, folders of pictures, IDX files.

mod error;
mod levels;

use std::path::Path;

use rekindle_formats::pictures::{self, LABEL, Pictures};

use crate::origin::Origin;
use crate::split::{Shares, Split};
use crate::table::{
    ClassColumn, ExamplesError, NumberColumn, TableExamples, TableLayout, TableTarget, TargetKind,
};

pub use error::ClassedError;

/// Examples as they were read, and the class of each: nothing is encoded.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassedExamples {
    /// Where they are from.
    pub origin: Origin,
    /// What is predicted from.
    pub rows: ExampleRows,
    /// The class of each.
    pub target: ClassColumn,
    /// Width and height, where they are pictures.
    pub picture: Option<[usize; 2]>,
    /// What whoever learns them should know.
    pub notes: Vec<String>,
}

/// Rows of numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum ExampleRows {
    /// A picture each.
    Pictures(Pictures),
    /// A row of a table each.
    Columns(TableExamples),
}

impl ClassedExamples {
    /// The pictures of an IDX file and their labels, which are the classes.
    ///
    /// # Errors
    /// When a file cannot be read, or there is not a label for each picture.
    pub fn of_idx(images: &str, labels: &str) -> Result<Self, ClassedError> {
        let pictures = pictures::read_images(images.as_ref())?;
        let found = pictures::read_labels(labels.as_ref())?;
        if pictures.count() != found.len() {
            return Err(ClassedError::LabelCount {
                images: images.to_owned(),
                pictures: pictures.count(),
                labels: labels.to_owned(),
                count: found.len(),
            });
        }
        let origin = Origin::File(images.to_owned());
        Ok(Self::of_pictures(origin, pictures, classes_of_labels(&found), Vec::new()))
    }

    /// What a file or folder holds: a table with this layout, or a folder of PNG files for each class. The rows
    /// of a table are pictures of the size `picture`, if that is given.
    ///
    /// # Errors
    /// When it cannot be read, is not of this layout, or a picture has another number of pixels.
    pub fn of_file(
        file: &str,
        layout: &TableLayout<'_>,
        picture: Option<[usize; 2]>,
    ) -> Result<Self, ClassedError> {
        match Path::new(file).is_dir() {
            true => Self::of_folder(file),
            false => Self::of_table(TableExamples::read(file, layout)?, picture),
        }
    }

    fn of_folder(folder: &str) -> Result<Self, ClassedError> {
        let found = pictures::read_folder(folder.as_ref())?;
        let mut classes = found.classes.clone();
        classes.dedup();
        let labels = found.classes.iter().map(|name| classes.partition_point(|known| known < name)).collect();
        let target = ClassColumn { name: LABEL.to_owned(), classes, labels };
        Ok(Self::of_pictures(Origin::File(folder.to_owned()), found.pictures, target, found.notes))
    }

    fn of_pictures(origin: Origin, pictures: Pictures, target: ClassColumn, notes: Vec<String>) -> Self {
        let picture = Some([pictures.width, pictures.height]);
        Self { origin, rows: ExampleRows::Pictures(pictures), target, picture, notes }
    }

    /// The rows of a table, whose target are classes; pictures of this size, if one is given.
    ///
    /// # Errors
    /// When a number is too large, the target is not of classes, or a picture has another number of pixels.
    pub fn of_table(mut examples: TableExamples, picture: Option<[usize; 2]>) -> Result<Self, ClassedError> {
        let origin = examples.origin.clone();
        examples.inputs.iter().try_for_each(|input| input.check_range(&origin))?;
        let columns = examples.inputs.len();
        if let Some(picture) = picture.filter(|[width, height]| width * height != columns) {
            return Err(ClassedError::PictureColumns { origin, columns, picture });
        }
        let TableTarget::Classes(target) = examples.target.clone() else {
            return Err(ClassedError::NoClasses { origin });
        };
        let notes = std::mem::take(&mut examples.notes);
        Ok(Self { origin, target, picture, notes, rows: ExampleRows::Columns(examples) })
    }

    /// Divides the examples by what their inputs are; each part has its share of each class.
    ///
    /// # Errors
    /// When the shares leave nothing to be learnt.
    pub fn split(&self, shares: Shares, seed: u64) -> Result<Split, ClassedError> {
        match &self.rows {
            ExampleRows::Columns(examples) => Ok(examples.split(shares, seed)?),
            ExampleRows::Pictures(pictures) => {
                let contents = pictures.pixels.chunks_exact(pictures.size());
                Split::by_content(contents, Some(&self.target.labels), shares, seed)
                    .map_err(|source| ExamplesError::Split { origin: self.origin.clone(), source }.into())
            }
        }
    }

    /// Checks that something can be learnt from these rows.
    ///
    /// # Errors
    /// When there are none, or of too few classes.
    pub fn check_train(&self, train: &[usize]) -> Result<(), ClassedError> {
        let target = TableTarget::Classes(self.target.clone());
        let examples =
            TableExamples { origin: self.origin.clone(), inputs: Vec::new(), target, notes: Vec::new() };
        Ok(examples.check_train(train)?)
    }

    /// The class of each example as an index of `classes`, which are those that a model knows.
    ///
    /// # Errors
    /// When an example has another class.
    pub fn labels_among(&self, classes: &[String]) -> Result<Vec<usize>, ClassedError> {
        let index = |class: &String| {
            let place = classes.iter().position(|known| known == class);
            place.ok_or_else(|| ClassedError::UnknownClass {
                origin: self.origin.clone(),
                class: class.clone(),
            })
        };
        let places = self.target.classes.iter().map(index).collect::<Result<Vec<_>, _>>()?;
        Ok(self.target.labels.iter().map(|&label| places[label]).collect())
    }

    /// Checks that pictures are as large as those that are learnt.
    ///
    /// # Errors
    /// When they are not, or are no pictures.
    pub fn check_size(&self, expected: [usize; 2]) -> Result<(), ClassedError> {
        match self.picture {
            Some(picture) if picture == expected => Ok(()),
            picture => Err(ClassedError::PictureSize { origin: self.origin.clone(), picture, expected }),
        }
    }
}

impl ExampleRows {
    /// Number of rows.
    pub fn count(&self) -> usize {
        match self {
            Self::Pictures(pictures) => pictures.count(),
            Self::Columns(examples) => examples.rows(),
        }
    }

    /// Inputs of a row.
    pub fn inputs(&self) -> usize {
        match self {
            Self::Pictures(pictures) => pictures.size(),
            Self::Columns(examples) => examples.inputs.len(),
        }
    }

    /// Names of the inputs; pixels have those of a table of pictures.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::Pictures(pictures) => {
                (0..pictures.size()).map(|pixel| pictures.pixel_name(pixel)).collect()
            }
            Self::Columns(examples) => examples.inputs.iter().map(|input| input.name.clone()).collect(),
        }
    }

    /// Calls `take` with the inputs of each row, in their order; it may change them.
    pub fn for_each_row(&self, mut take: impl FnMut(&mut [f64])) {
        let mut row = vec![0.0; self.inputs()];
        for index in 0..self.count() {
            match self {
                Self::Pictures(pictures) => {
                    let pixels = &pictures.pixels[index * row.len()..(index + 1) * row.len()];
                    row.iter_mut().zip(pixels).for_each(|(value, &pixel)| *value = f64::from(pixel));
                }
                Self::Columns(examples) => {
                    let columns: &[NumberColumn] = &examples.inputs;
                    row.iter_mut().zip(columns).for_each(|(value, column)| *value = column.values[index]);
                }
            }
            take(&mut row);
        }
    }
}

/// What the columns of tables are whose classes are learnt.
pub const CLASSES_BY_VALUE: TargetKind = TargetKind::Classes(crate::table::ClassOrder::ByValue);

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
