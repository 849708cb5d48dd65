//! What a user chooses.

use rekindle_data::{Encoding, Missing, Shares, one_or_more};
use rekindle_formats::table::{CsvFormat, Decimal, Separator};
use rekindle_train::SettingError;
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// The classifier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// How numbers become bits.
    pub encoding: Encoding,
    /// Bits of a tuple: the length of a RAM's addresses, 1 to 64.
    pub tuple_bits: u32,
    /// Random orders of the bits, each of which is cut into tuples of its own: 1, as in the
    /// literature, to 64. More take more memory and time, and are more often right.
    #[serde(default = "orders")]
    pub orders: u32,
}

fn orders() -> u32 {
    1
}

/// How the classifier is trained, and on what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The examples.
    pub data: Data,
    /// Rows that are learnt in one step. What is learnt does not depend on it.
    #[serde(default = "rows_per_step")]
    pub rows_per_step: u64,
}

fn rows_per_step() -> u64 {
    1024
}

/// The examples to learn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Data {
    /// Which examples are generated when there is no `file`.
    pub source: Source,
    /// `glyphs`: how many are generated.
    pub rows: u32,
    /// `glyphs`: each pixel is changed by up to this share of full ink.
    pub noise: f64,
    /// A CSV or NPY file of examples, a row for each.
    pub file: Option<String>,
    /// The column of the file that holds the classes.
    #[serde(deserialize_with = "at_most_one")]
    pub target: Option<String>,
    /// Columns of the file that are left out: one, or a list.
    #[serde(deserialize_with = "one_or_more")]
    pub ignore: Vec<String>,
    /// What becomes of rows in which a value is missing: an empty field, `NA`, `N/A`, `NaN`, `null` or `?`.
    #[serde(skip_serializing_if = "Missing::is_default")]
    pub missing: Missing,
    /// What separates the columns of a CSV file; found out when not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub separator: Option<Separator>,
    /// What numbers of a CSV file have before their fraction; found out when not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimal: Option<Decimal>,
    /// Share of the rows of each class that anything is chosen by, such as the best checkpoint. A tenth when
    /// not set.
    #[serde(with = "rekindle_train::plain", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<f64>")]
    pub select: Option<f64>,
    /// Share of the rows of each class that is reported on, and that nothing is chosen by. A tenth when not
    /// set.
    #[serde(with = "rekindle_train::plain", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<f64>")]
    pub test: Option<f64>,
    /// Share of the rows that are kept for validation, drawn from all alike: of configs from before there
    /// were `select` and `test`.
    #[serde(with = "rekindle_train::plain", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<f64>")]
    pub validation: Option<f64>,
}

/// A column, or a list of at most one.
fn at_most_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Names {
        None(()),
        Some(#[serde(deserialize_with = "one_or_more")] Vec<String>),
    }
    let names = match Names::deserialize(deserializer)? {
        Names::None(()) => Vec::new(),
        Names::Some(names) => names,
    };
    match names.len() {
        0 | 1 => Ok(names.into_iter().next()),
        count => Err(D::Error::custom(format!("classes are learnt of one column, and {count} are named"))),
    }
}

impl Default for Data {
    fn default() -> Self {
        Self {
            source: Source::Glyphs,
            rows: 4000,
            noise: 0.15,
            file: None,
            target: None,
            ignore: Vec::new(),
            missing: Missing::Refuse,
            separator: None,
            decimal: None,
            select: None,
            test: None,
            validation: None,
        }
    }
}

/// Examples that are generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Images of the ten digits, 8 by 8 pixels, each drawn by an unsteady hand.
    Glyphs,
    /// None: there must be a `file`.
    File,
}

/// How the rows are divided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Division {
    /// By what they contain, in three parts.
    ByContent(Shares),
    /// As before there were three parts: this share is drawn from all rows alike, whether they are equal
    /// or not.
    Validation(f64),
}

impl Division {
    /// False for a division from before there was anything to report on.
    pub(super) fn has_test(self) -> bool {
        matches!(self, Self::ByContent(_))
    }
}

impl Data {
    /// What is known of the file beforehand.
    pub(super) fn format(&self) -> CsvFormat {
        CsvFormat { separator: self.separator, decimal: self.decimal }
    }

    pub(super) fn division(&self) -> Division {
        const TENTH: f64 = 0.1;
        match self.validation {
            Some(validation) => Division::Validation(validation),
            None => Division::ByContent(Shares {
                select: self.select.unwrap_or(TENTH),
                test: self.test.unwrap_or(TENTH),
            }),
        }
    }

    fn validate(&self) -> Result<(), SettingError> {
        match self.division() {
            Division::Validation(validation) => {
                let alone = self.select.is_none() && self.test.is_none();
                let path = "training.data.validation";
                SettingError::require(
                    alone,
                    path,
                    validation,
                    "`select` and `test` are in its place; set these instead",
                )?;
                let holds = (0.0..1.0).contains(&validation);
                SettingError::require(holds, path, validation, "it must be at least 0 and less than 1")
            }
            Division::ByContent(shares) => {
                let Shares { select, test } = shares;
                let (path, value) = ("training.data.select and test", format!("{select} and {test}"));
                let reason = "they must not be negative, and together less than 1";
                SettingError::require(shares.validate().is_ok(), path, value, reason)
            }
        }
    }
}

impl Model {
    pub(super) fn validate(&self) -> Result<(), SettingError> {
        let Self { encoding: Encoding { bits, .. }, tuple_bits, orders } = *self;
        SettingError::require((1..=256).contains(&bits), "model.encoding.bits", bits, "it must be 1 to 256")?;
        SettingError::require(
            (1..=64).contains(&tuple_bits),
            "model.tuple_bits",
            tuple_bits,
            "it must be 1 to 64",
        )?;
        SettingError::require((1..=64).contains(&orders), "model.orders", orders, "it must be 1 to 64")
    }
}

impl Training {
    pub(super) fn validate(&self) -> Result<(), SettingError> {
        let Data { rows, noise, .. } = self.data;
        SettingError::require(
            (1..=100_000).contains(&rows),
            "training.data.rows",
            rows,
            "there must be 1 to 100000 rows",
        )?;
        SettingError::require(
            (0.0..=1.0).contains(&noise),
            "training.data.noise",
            noise,
            "it must be 0 to 1",
        )?;
        self.data.validate()?;
        let rows = self.rows_per_step;
        SettingError::require(rows > 0, "training.rows_per_step", rows, "a step must learn at least 1 row")
    }
}
