//! How rows become bits that the classifier sees, and votes become answers.

use rekindle_data::{
    CLASSES_LIMIT, ClassColumn, DataOutline, Encoding, Fillings, Missing, ModelInputs, Origin, Questions,
    Split, Thermometers, identity,
};
use rekindle_formats::table::{Column, Table};
use rekindle_train::StateMismatch;
use serde::{Deserialize, Serialize};

use super::{ClassedRows, Dataset, Examples};
use crate::config::Data;
use crate::encoding::encode;
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
    /// What stands for a missing value of each input; absent where none may be missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fillings: Option<Fillings>,
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
            test_rows: data.division().has_test().then_some(0),
            inputs: Vec::new(),
            fillings: (data.missing == Missing::Mean).then(Fillings::default),
            thermometers: Thermometers { bits: 0, thresholds: Vec::new() },
            target: String::new(),
            classes: Vec::new(),
        }
    }

    /// The encoded rows of a split. Without `has_test` the split is one that knows of no test.
    pub(super) fn of(
        rows: ClassedRows,
        split: &Split,
        has_test: bool,
        encoding: Encoding,
        fillings: Option<Fillings>,
    ) -> Result<Dataset, WisardError> {
        let ClassedRows { inputs, target } = rows;
        let thermometers = Thermometers::of(&inputs, &split.train, encoding);
        let examples = |rows: &[usize]| -> Result<Examples, WisardError> {
            let planes = encode(&thermometers, &inputs, rows)?;
            Ok(Examples { planes, class: rows.iter().map(|&row| target.labels[row] as u16).collect() })
        };
        let (training, select) = (examples(&split.train)?, examples(&split.select)?);
        let test = examples(&split.test)?;
        let all = [&training, &select, &test];
        let (seen, len) =
            (all.into_iter().flat_map(Examples::bytes), all.into_iter().map(Examples::len).sum());
        let preparation = Self {
            identity: identity::of_examples(seen, len, &split.train).to_string(),
            rows: split.train.len() as u64,
            select_rows: split.select.len() as u64,
            test_rows: has_test.then_some(split.test.len() as u64),
            inputs: inputs.into_iter().map(|input| input.name).collect(),
            fillings,
            thermometers,
            target: target.name,
            classes: target.classes,
        };
        Ok(Dataset { preparation, training, select, test, notes: Vec::new() })
    }

    /// The rows of a table as the classifier sees them, and what whoever asks should know of that.
    pub(crate) fn encode(&self, table: &Table) -> Result<(Planes, Vec<String>), WisardError> {
        let inputs: Vec<&str> = self.inputs.iter().map(String::as_str).collect();
        let targets = [self.target.as_str()];
        let model = ModelInputs { inputs: &inputs, targets: &targets, fillings: self.fillings.as_ref() };
        let Questions { inputs, notes } = Questions::of(table, model)?;
        inputs.iter().try_for_each(|input| input.check_range(&Origin::Named("the table")))?;
        let rows: Vec<usize> = (0..table.rows()).collect();
        Ok((encode(&self.thermometers, &inputs, &rows)?, notes))
    }

    /// A column of these classes.
    pub(crate) fn answers(&self, classes: &[u16]) -> Column {
        ClassColumn::to_table(&self.target, &self.classes, classes.iter().map(|&class| class.into()))
    }

    /// Checks that it is one of some rows, encoded like this.
    pub(crate) fn check(&self, encoding: Encoding) -> Result<(), StateMismatch> {
        let (classes, inputs) = (self.classes.len(), self.inputs.len());
        StateMismatch::require((2..=CLASSES_LIMIT).contains(&classes), || {
            format!("it has {classes} classes")
        })?;
        StateMismatch::require(inputs > 0 && self.rows > 0, || {
            format!("it has {inputs} inputs and {} rows", self.rows)
        })?;
        let fit = self.fillings.as_ref().is_none_or(|fillings| fillings.fit(inputs));
        StateMismatch::require(fit, || "what stands for missing values is not of its inputs".to_owned())?;
        self.thermometers.check(inputs, encoding.bits).map_err(StateMismatch::Contradiction)
    }

    /// What is known of the examples.
    pub(crate) fn outline(&self) -> DataOutline<'_> {
        let held = self.select_rows.saturating_add(self.test_rows.unwrap_or(0));
        DataOutline {
            inputs: self.inputs.iter().map(String::as_str).collect(),
            rows: self.rows.saturating_add(held),
        }
    }
}

impl Examples {
    /// Number of [`bytes`](Self::bytes).
    fn len(&self) -> usize {
        self.planes.len() + 2 * self.class.len()
    }

    /// What the classifier sees, and what it is told of it.
    fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        self.planes.bytes().chain(self.class.iter().flat_map(|class| class.to_le_bytes()))
    }
}
