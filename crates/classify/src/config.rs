//! The section `training.data` of a config: which examples are learnt.

use rekindle_data::{Missing, Origin, Shares, one_or_more};
use rekindle_formats::table::{CsvFormat, Decimal, Separator};
use rekindle_train::{
    FileUse, NamedFile, SettingError, SystemError, SystemOption, list_setting, text_setting,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The examples to learn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Data {
    /// Which examples are generated where no file is named.
    pub source: Source,
    /// `glyphs`: how many are generated.
    pub rows: u32,
    /// `glyphs`: each pixel is changed by up to this share of full ink.
    pub noise: f64,
    /// A CSV or NPY file of examples, a row for each; or a folder that has a folder of PNG files for each
    /// class.
    pub file: Option<String>,
    /// An IDX file of pictures.
    pub images: Option<String>,
    /// The IDX file of their labels.
    pub labels: Option<String>,
    /// An IDX file of pictures that are reported on, in place of a share of the others.
    pub test_images: Option<String>,
    /// The IDX file of their labels.
    pub test_labels: Option<String>,
    /// The column of a table that holds the classes.
    #[serde(deserialize_with = "one_or_more", skip_serializing_if = "Vec::is_empty")]
    pub target: Vec<String>,
    /// Columns of a table that are left out: one, or a list.
    #[serde(deserialize_with = "one_or_more", skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// The rows of the table are pictures: pixels of a line, and lines. The columns are pixels, line by line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<[usize; 2]>,
    /// What becomes of rows in which a value is missing: an empty field, `NA`, `N/A`, `NaN`, `null` or `?`.
    #[serde(skip_serializing_if = "Missing::is_default")]
    pub missing: Missing,
    /// What separates the columns of a CSV file; found out when not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub separator: Option<Separator>,
    /// What numbers of a CSV file have before their fraction; found out when not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimal: Option<Decimal>,
    /// Share of the examples of each class that anything is chosen by, such as the best checkpoint.
    pub select: f64,
    /// Share of the examples of each class that is reported on, and that nothing is chosen by. There is none
    /// where files of their own are named for that.
    pub test: f64,
}

impl Default for Data {
    fn default() -> Self {
        Self {
            source: Source::Glyphs,
            rows: 4000,
            noise: 0.15,
            file: None,
            images: None,
            labels: None,
            test_images: None,
            test_labels: None,
            target: Vec::new(),
            ignore: Vec::new(),
            picture: None,
            missing: Missing::Refuse,
            separator: None,
            decimal: None,
            select: 0.1,
            test: 0.1,
        }
    }
}

/// Examples that are generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Images of the ten digits, 8 by 8 pixels, each drawn by an unsteady hand.
    Glyphs,
    /// None: there must be a file.
    File,
}

impl Data {
    /// What is known of a table beforehand.
    pub fn format(&self) -> CsvFormat {
        CsvFormat { separator: self.separator, decimal: self.decimal }
    }

    /// The shares of what is chosen by and what is reported on.
    pub fn shares(&self) -> Shares {
        let test = if self.test_images.is_some() { 0.0 } else { self.test };
        Shares { select: self.select, test }
    }

    /// Checks that its values can be used.
    ///
    /// # Errors
    /// Names the value that cannot.
    pub fn validate(&self) -> Result<(), SettingError> {
        let Self { rows, noise, select, test, .. } = *self;
        SettingError::require(
            (20..=100_000).contains(&rows),
            "training.data.rows",
            rows,
            "there must be 20 to 100000 rows",
        )?;
        SettingError::require(
            (0.0..=1.0).contains(&noise),
            "training.data.noise",
            noise,
            "it must be 0 to 1",
        )?;
        SettingError::require(
            self.shares().validate().is_ok(),
            "training.data.select and test",
            format!("{select} and {test}"),
            "they must not be negative, and together less than 1",
        )?;
        if let Some([width, height]) = self.picture {
            let holds = (1..=4096).contains(&width) && (1..=4096).contains(&height);
            SettingError::require(
                holds,
                "training.data.picture",
                format!("{width} by {height}"),
                "both must be 1 to 4096",
            )?;
        }
        self.validate_files()
    }

    fn validate_files(&self) -> Result<(), SettingError> {
        let pairs = [
            ("images", &self.images, "labels", &self.labels),
            ("labels", &self.labels, "images", &self.images),
            ("test_images", &self.test_images, "test_labels", &self.test_labels),
            ("test_labels", &self.test_labels, "test_images", &self.test_images),
            ("test_images", &self.test_images, "images", &self.images),
        ];
        for (name, file, other, beside) in pairs {
            if let (Some(file), None) = (file, beside) {
                let path = format!("training.data.{name}");
                return Err(SettingError::new(
                    path,
                    file,
                    format!("`training.data.{other}` is needed beside it"),
                ));
            }
        }
        match (&self.images, &self.file) {
            (Some(images), Some(_)) => {
                let reason = "`training.data.file` is named as well; one of them is learnt";
                Err(SettingError::new("training.data.images", images, reason))
            }
            _ => Ok(()),
        }
    }

    /// Whether anything is kept back to be reported on.
    pub fn has_test(&self) -> bool {
        self.test_images.is_some() || self.test > 0.0
    }

    /// Whether a file or folder is learnt, and not what is made on the spot.
    pub fn is_of_files(&self) -> bool {
        self.images.is_some() || self.file.is_some()
    }

    /// The files, as a system names them.
    pub fn files(&mut self) -> Vec<NamedFile<'_>> {
        let places = [
            &mut self.file,
            &mut self.images,
            &mut self.labels,
            &mut self.test_images,
            &mut self.test_labels,
        ];
        let named = |(setting, place)| NamedFile::new(setting, place, FileUse::Always);
        FILES.into_iter().zip(places).map(named).collect()
    }

    /// Where the data is from in messages, and the setting that names its file.
    pub fn origin(&self) -> (Origin, &'static str) {
        let (file, setting) = match &self.images {
            Some(images) => (Some(images), "training.data.images"),
            None => (self.file.as_ref(), "training.data.file"),
        };
        (Origin::of(file, "the examples"), setting)
    }
}

/// The settings that name files.
pub const FILES: [&str; 5] = [
    "training.data.file",
    "training.data.images",
    "training.data.labels",
    "training.data.test_images",
    "training.data.test_labels",
];

/// The options of the command line that name the data and its columns.
pub const OPTIONS: [SystemOption; 3] = [
    SystemOption::data(4, data_settings),
    SystemOption::target(|columns| list_setting("training.data.target", columns)),
    SystemOption::ignore(|columns| list_setting("training.data.ignore", columns)),
];

/// One file is a table, or a folder of pictures; two are pictures and their labels; two more are those that
/// are reported on.
fn data_settings(files: &[String]) -> Result<Vec<String>, SystemError> {
    let names: &[&str] = match files.len() {
        1 => &["file"],
        2 => &["images", "labels"],
        4 => &["images", "labels", "test_images", "test_labels"],
        count => {
            return Err(SystemError::new(format!(
                "{count} files are named; one is a table or a folder of pictures, two are IDX files of pictures \
                 and their labels, and two more are those to be reported on"
            )));
        }
    };
    Ok(names
        .iter()
        .zip(files)
        .map(|(name, file)| text_setting(&format!("training.data.{name}"), file))
        .collect())
}
