//! How examples become bits that a network reads, and its sums answers.

use rekindle_data::{
    CLASSES_LIMIT, ClassColumn, DataOutline, Fillings, Missing, ModelInputs, Origin, Questions, Thermometers,
};
use rekindle_formats::table::{Column, Table};
use rekindle_train::StateMismatch;
use serde::{Deserialize, Serialize};

use crate::config::Data;
use crate::dataset::{Examples, ReadBits};
use crate::error::ClassifyError;

/// A bit is read that differs from the others in more than one of so many examples.
const RARE: u64 = 1000;

/// What the examples are, and how they are encoded. It is a part of the state: whoever has the state can
/// ask the network without having the examples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preparation {
    /// Identity of all examples as the network sees them.
    pub identity: String,
    /// Examples that are learnt.
    pub rows: u64,
    /// Examples that anything is chosen by.
    pub select_rows: u64,
    /// Examples that are reported on.
    pub test_rows: u64,
    /// Pixels of a line, where examples are pictures; otherwise 0.
    pub width: u64,
    /// Lines of a picture; otherwise 0.
    pub height: u64,
    /// Names of the inputs, in their order.
    pub inputs: Vec<String>,
    /// What stands for a missing value of each input; absent where none may be missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fillings: Option<Fillings>,
    /// How their values become bits.
    pub thermometers: Thermometers,
    /// The bits that the network reads, in its order: input x bits of an input + bit.
    #[serde(with = "rekindle::growing")]
    pub used: Vec<u32>,
    /// Name of the column of the classes.
    pub target: String,
    /// The classes: in the order of their values if all are numbers, of their letters otherwise.
    pub classes: Vec<String>,
}

impl Preparation {
    /// Of no examples, to be loaded into.
    pub fn blank(data: &Data) -> Self {
        Self {
            identity: String::new(),
            rows: 0,
            select_rows: 0,
            test_rows: 0,
            width: 0,
            height: 0,
            inputs: Vec::new(),
            fillings: (data.missing == Missing::Mean).then(Fillings::default),
            thermometers: Thermometers { bits: 0, thresholds: Vec::new() },
            used: Vec::new(),
            target: String::new(),
            classes: Vec::new(),
        }
    }

    /// The bits that a network reads, in its order.
    pub(crate) fn read_bits(&self, read: ReadBits, training: &Examples) -> Vec<u32> {
        let (inputs, bits) = (self.inputs.len() as u32, self.thermometers.bits);
        if read == ReadBits::Maps {
            return (0..bits).flat_map(|bit| (0..inputs).map(move |input| input * bits + bit)).collect();
        }
        // How many examples have each bit.
        let mut ones = vec![0_u64; self.thermometers.encoded_bits()];
        for row in 0..training.len() {
            for (ones, &level) in ones.chunks_exact_mut(bits as usize).zip(training.row(row)) {
                ones[..usize::from(level)].iter_mut().for_each(|ones| *ones += 1);
            }
        }
        let (rows, rare) = (training.len() as u64, training.len() as u64 / RARE);
        let tells = |bit: usize| {
            let again = !bit.is_multiple_of(bits as usize) && ones[bit] == ones[bit - 1];
            ones[bit] > rare && ones[bit] < rows - rare && !again
        };
        (0..ones.len()).filter(|&bit| tells(bit)).map(|bit| bit as u32).collect()
    }

    /// The rows of a table as the network sees them, and what whoever asks should know of that.
    ///
    /// # Errors
    /// When the table lacks an input, or a number is too large.
    pub fn encode(&self, table: &Table) -> Result<(Examples, Vec<String>), ClassifyError> {
        let inputs: Vec<&str> = self.inputs.iter().map(String::as_str).collect();
        let targets = [self.target.as_str()];
        let model = ModelInputs { inputs: &inputs, targets: &targets, fillings: self.fillings.as_ref() };
        let Questions { inputs, notes } = Questions::of(table, model)?;
        inputs.iter().try_for_each(|input| input.check_range(&Origin::Named("the table")))?;
        let rows: Vec<usize> = (0..table.rows()).collect();
        let levels = self.thermometers.levels(&inputs, &rows)?;
        Ok((Examples { inputs: inputs.len(), levels, class: Vec::new() }, notes))
    }

    /// A column of these classes.
    pub fn answers(&self, classes: &[u16]) -> Column {
        ClassColumn::to_table(&self.target, &self.classes, classes.iter().map(|&class| class.into()))
    }

    /// Checks that it is one of some examples, with so many bits of each input, of which the network reads some.
    ///
    /// # Errors
    /// Says what contradicts itself.
    pub fn check(&self, bits: u32, read: ReadBits) -> Result<(), StateMismatch> {
        let (classes, inputs) = (self.classes.len(), self.inputs.len());
        StateMismatch::require((2..=CLASSES_LIMIT).contains(&classes), || {
            format!("it has {classes} classes")
        })?;
        StateMismatch::require(inputs > 0 && self.rows > 0, || {
            format!("it has {inputs} inputs and {} examples", self.rows)
        })?;
        let is_table = self.width == 0 && self.height == 0 && read == ReadBits::Telling;
        let pixels = self.width.checked_mul(self.height);
        StateMismatch::require(is_table || pixels == Some(inputs as u64), || {
            format!("{inputs} inputs are no picture of {} by {}", self.width, self.height)
        })?;
        let fit = self.fillings.as_ref().is_none_or(|fillings| fillings.fit(inputs));
        StateMismatch::require(fit, || "what stands for missing values is not of its inputs".to_owned())?;
        self.thermometers.check(inputs, bits).map_err(StateMismatch::Contradiction)?;
        let encoded = self.thermometers.encoded_bits();
        let leads = self.used.iter().all(|&bit| (bit as usize) < encoded);
        let all = read == ReadBits::Telling || self.used.len() == encoded;
        StateMismatch::require(leads && all, || format!("the network reads other bits than {encoded}"))
    }

    /// What is known of the examples.
    pub fn outline(&self) -> DataOutline<'_> {
        DataOutline {
            inputs: self.inputs.iter().map(String::as_str).collect(),
            rows: self.rows.saturating_add(self.select_rows).saturating_add(self.test_rows),
        }
    }
}
