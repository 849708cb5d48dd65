//! How rows become bits that the classifier sees, and votes become answers.

use rekindle::Hash;
use rekindle_formats::table::{Column, Table, Values};
use serde::{Deserialize, Serialize};

use super::{CLASSES_LIMIT, Dataset, Examples, Parts, Raw, table};
use crate::config::{Data, Encoding};
use crate::encoding::Thermometers;
use crate::error::WisardError;
use crate::planes::Planes;

/// What the examples are, and how they are encoded. It is a part of the state: whoever has the
/// state can ask the classifier without having the examples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preparation {
    /// Identity of all examples as the classifier sees them.
    pub identity: String,
    /// Rows that are learnt.
    pub rows: u64,
    /// Rows that anything is chosen by; saved under the name that they had before there were any to report
    /// on.
    #[serde(rename = "validation_rows")]
    pub select_rows: u64,
    /// Rows that are reported on; absent in runs that know of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_rows: Option<u64>,
    /// Names of the columns of the inputs, in their order.
    pub inputs: Vec<String>,
    /// How their values become bits.
    pub thermometers: Thermometers,
    /// Name of the column of the classes.
    pub target: String,
    /// The classes: in the order of their values if all are numbers, of their letters otherwise.
    pub classes: Vec<String>,
}

impl Preparation {
    /// Of no examples, to be loaded into.
    pub(crate) fn blank(data: &Data) -> Self {
        Self {
            identity: String::new(),
            rows: 0,
            select_rows: 0,
            test_rows: data.has_test().then_some(0),
            inputs: Vec::new(),
            thermometers: Thermometers { bits: 0, thresholds: Vec::new() },
            target: String::new(),
            classes: Vec::new(),
        }
    }

    pub(super) fn of(raw: &Raw, parts: &Parts, encoding: Encoding) -> Result<Dataset, WisardError> {
        let thermometers = Thermometers::of(&raw.columns, &parts.train, encoding);
        let examples = |rows: &[usize]| -> Result<Examples, WisardError> {
            let planes = thermometers.encode(&raw.columns, rows)?;
            Ok(Examples { planes, class: rows.iter().map(|&row| raw.class[row]).collect() })
        };
        let (training, select) = (examples(&parts.train)?, examples(&parts.select)?);
        let test = examples(parts.test.as_deref().unwrap_or_default())?;
        let preparation = Self {
            identity: identity([&training, &select, &test], &parts.train),
            rows: parts.train.len() as u64,
            select_rows: parts.select.len() as u64,
            test_rows: parts.test.as_ref().map(|rows| rows.len() as u64),
            inputs: raw.inputs.clone(),
            thermometers,
            target: raw.target.clone(),
            classes: raw.classes.clone(),
        };
        Ok(Dataset { preparation, training, select, test })
    }

    /// The rows of a table as the classifier sees them.
    pub(crate) fn encode(&self, table: &Table) -> Result<Planes, WisardError> {
        let origin = "the table";
        let columns =
            self.inputs.iter().map(|input| table::numbers(origin, table::column(origin, table, input)?));
        let columns: Result<Vec<Vec<f64>>, WisardError> = columns.collect();
        let rows: Vec<usize> = (0..table.rows()).collect();
        self.thermometers.encode(&columns?, &rows)
    }

    /// A column of these classes; of numbers where all classes are.
    pub(crate) fn labels(&self, classes: &[u16]) -> Column {
        let numbers: Option<Vec<f64>> = self.classes.iter().map(|class| class.parse().ok()).collect();
        let classes = classes.iter().map(|&class| usize::from(class));
        let values = match numbers {
            Some(numbers) => Values::Numbers(classes.map(|class| numbers[class]).collect()),
            None => Values::Text(classes.map(|class| self.classes[class].clone()).collect()),
        };
        Column { name: self.target.clone(), values }
    }

    pub(crate) fn flaw(&self, encoding: Encoding) -> Option<String> {
        let classes = self.classes.len();
        if !(2..=CLASSES_LIMIT).contains(&classes) {
            return Some(format!("it has {classes} classes"));
        }
        if self.inputs.is_empty() || self.rows == 0 {
            return Some(format!("it has {} inputs and {} rows", self.inputs.len(), self.rows));
        }
        self.thermometers.flaw(self.inputs.len(), encoding.bits)
    }

    /// In what other examples differ from these.
    pub(crate) fn difference(&self, found: &Self) -> String {
        if found.inputs != self.inputs {
            let (found, expected) = (table::listed(&found.inputs), table::listed(&self.inputs));
            return format!("its inputs are {found}, those of the run {expected}");
        }
        let rows = |preparation: &Self| {
            let kept = preparation.select_rows.saturating_add(preparation.test_rows.unwrap_or(0));
            preparation.rows.saturating_add(kept)
        };
        if rows(found) != rows(self) {
            return format!("it has {} rows, the run {}", rows(found), rows(self));
        }
        "its values are not those that the run was trained on".to_owned()
    }
}

/// A hash over what the classifier sees of all rows, and which of them it learns.
fn identity(examples: [&Examples; 3], training: &[usize]) -> String {
    let mut bytes = Vec::new();
    for examples in examples {
        bytes.extend(examples.planes.bytes());
        bytes.extend(examples.class.iter().flat_map(|class| class.to_le_bytes()));
    }
    bytes.extend(training.iter().flat_map(|&row| (row as u64).to_le_bytes()));
    Hash::of(&bytes).to_string()
}
