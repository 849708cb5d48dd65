//! Pictures: of equal size from IDX files and folders of PNG files, and single PNG files.
//!
//! A picture is a row of bytes: its pixels line by line, 0 for black. What has colours becomes grey by its
//! luminance (ITU-R BT.601).

mod folder;
mod idx;
mod png_file;

use std::io;
use std::path::{Path, PathBuf};

use crate::table::{Column, Table, Values};

pub use folder::{ClassedPictures, read_folder};
pub(crate) use idx::is_images;
pub use idx::{labels_beside, read_images, read_labels};
pub use png_file::{Colours, read_colours};

/// Pictures are never held in more memory: bytes.
pub const PIXELS_LIMIT: u64 = 4 << 30;
/// The column of a table of pictures that holds their classes.
pub const LABEL: &str = "label";

/// Pictures of equal size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pictures {
    /// Pixels of a line.
    pub width: usize,
    /// Lines of a picture.
    pub height: usize,
    /// Picture by line by pixel.
    pub pixels: Vec<u8>,
}

/// Pictures cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// The system refused.
    #[error("cannot read `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not what it should be.
    #[error("`{}` cannot be read as {what}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What it should be.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

impl PictureError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        |source| Self::Io { path: path.to_owned(), source }
    }

    fn malformed(path: &Path, what: &'static str, reason: impl Into<String>) -> Self {
        Self::Malformed { path: path.to_owned(), what, reason: reason.into() }
    }
}

impl Pictures {
    /// Pixels of a picture.
    pub fn size(&self) -> usize {
        self.width * self.height
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.pixels.len() / self.size().max(1)
    }

    /// The name of a pixel as a column of a table, such as `y3x12`.
    pub fn pixel_name(&self, pixel: usize) -> String {
        format!("y{}x{}", pixel / self.width, pixel % self.width)
    }

    /// A row for each picture and a column for each pixel, and one more of the classes where these are known.
    ///
    /// # Errors
    /// When there is not a class for each picture.
    pub fn to_table(&self, classes: Option<Values>) -> Result<Table, String> {
        let (size, count) = (self.size(), self.count());
        let column = |pixel: usize| Column {
            name: self.pixel_name(pixel),
            values: Values::Numbers(
                (0..count).map(|picture| f64::from(self.pixels[picture * size + pixel])).collect(),
            ),
        };
        let classes = classes.map(|values| Column { name: LABEL.to_owned(), values });
        Table::new((0..size).map(column).chain(classes).collect())
    }
}
