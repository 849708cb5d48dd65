//! Why examples of classes cannot be had.

use rekindle_formats::pictures::PictureError;

use crate::origin::Origin;
use crate::table::ExamplesError;

/// Examples of classes cannot be read, or are not what is asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClassedError {
    /// The table cannot be used.
    #[error(transparent)]
    Examples(#[from] ExamplesError),
    /// Pictures cannot be read.
    #[error(transparent)]
    Pictures(#[from] PictureError),
    /// There is not a label for each picture.
    #[error("`{images}` has {pictures} pictures, and `{labels}` {count} labels")]
    LabelCount {
        /// The file of the pictures.
        images: String,
        /// How many it has.
        pictures: usize,
        /// The file of the labels.
        labels: String,
        /// How many it has.
        count: usize,
    },
    /// Pictures are not of the size of those that are learnt.
    #[error("{}, those that are learnt {} by {}", size(origin, *picture), expected[0], expected[1])]
    PictureSize {
        /// Where they are from.
        origin: Origin,
        /// Their width and height, if they are pictures.
        picture: Option<[usize; 2]>,
        /// Width and height of those that are learnt.
        expected: [usize; 2],
    },
    /// A class is none of those that are learnt.
    #[error("{origin} has the class `{class}`, which is none of those that are learnt")]
    UnknownClass {
        /// Where the examples are from.
        origin: Origin,
        /// The class.
        class: String,
    },
    /// The columns are not as many as the pixels.
    #[error("{origin} has {columns} columns of inputs, and a picture of {} by {} pixels has {}", picture[0], picture[1], picture[0] * picture[1])]
    PictureColumns {
        /// The data.
        origin: Origin,
        /// Columns that are inputs.
        columns: usize,
        /// Width and height of a picture.
        picture: [usize; 2],
    },
    /// What is to be predicted are numbers.
    #[error("{origin} has no classes")]
    NoClasses {
        /// The data.
        origin: Origin,
    },
    /// More memory would be needed than is ever taken.
    #[error("the examples would take {bytes} bytes, at most {limit} are taken; use fewer of them")]
    TooLarge {
        /// How much they would take.
        bytes: u64,
        /// How much they may take.
        limit: u64,
    },
}

fn size(origin: &Origin, picture: Option<[usize; 2]>) -> String {
    match picture {
        Some([width, height]) => format!("the pictures of {origin} have {width} by {height} pixels"),
        None => format!("the rows of {origin} are no pictures"),
    }
}
