//! How examples become numbers that the network sees, and outputs become answers.

use rekindle::Hash;
use rekindle_data::Split;
use rekindle_formats::table::{Column, Table, Values};
use serde::{Deserialize, Serialize};

use super::table::{numbers, setting};
use super::{Examples, Raw, RawTargets};
use crate::activation::OutputActivation;
use crate::columns::Columns;
use crate::error::CascorError;

/// What the examples are, and how they are prepared. It is a part of the state: whoever has the
/// state can ask the network without having the examples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preparation {
    /// Identity of all examples as the network sees them.
    pub identity: String,
    /// Examples that are learnt.
    pub examples: u64,
    /// Examples that everything is chosen by. States have called them so since before there were others.
    #[serde(rename = "validation_examples")]
    pub select_examples: u64,
    /// Examples that are reported on.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub test_examples: u64,
    /// The inputs, in their order.
    pub inputs: Vec<Input>,
    /// What is learnt.
    pub target: Target,
}

/// An input: the network sees `(value - offset) * factor`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// Name of its column.
    pub name: String,
    /// Taken off.
    pub offset: f64,
    /// And multiplied.
    pub factor: f64,
}

/// What is learnt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Target {
    /// One of these classes.
    Classes {
        /// Name of the column.
        name: String,
        /// The classes, in the order of the outputs.
        classes: Vec<String>,
        /// An output for each class; otherwise the one output tells the second from the first.
        one_hot: bool,
        /// What an output should be for a case that is not, and one that is, of its class.
        levels: [f32; 2],
    },
    /// Numbers, scaled as inputs are.
    Numbers(Vec<Input>),
}

impl Preparation {
    /// Of no examples, to be loaded into.
    pub(crate) fn blank() -> Self {
        Self {
            identity: String::new(),
            examples: 0,
            select_examples: 0,
            test_examples: 0,
            inputs: Vec::new(),
            target: Target::Numbers(Vec::new()),
        }
    }

    pub(super) fn of(
        raw: &Raw,
        split: &Split,
        scale: bool,
        one_hot: bool,
        output: OutputActivation,
    ) -> Result<Self, CascorError> {
        let training = &split.train[..];
        let refuse = |reason: String| CascorError::Data { origin: raw.origin.clone(), reason };
        let target = match &raw.targets {
            RawTargets::Classes { name, classes, class } => {
                require_every_class(name, classes, class, training).map_err(refuse)?;
                let one_hot = one_hot || classes.len() > 2;
                Target::Classes {
                    name: name.clone(),
                    classes: classes.clone(),
                    one_hot,
                    levels: output.targets(),
                }
            }
            RawTargets::Numbers { .. } if output != OutputActivation::Linear => {
                return Err(refuse(
                    "numbers are learnt by linear outputs; use --set model.output=linear".to_owned(),
                ));
            }
            RawTargets::Numbers { names, values } => {
                let targets = names.iter().zip(values);
                let targets: Result<Vec<Input>, String> =
                    targets.map(|(name, values)| Input::of(name, values, training, true)).collect();
                Target::Numbers(targets.map_err(refuse)?)
            }
        };
        let mut inputs = Vec::new();
        for (name, values) in raw.input_names.iter().zip(&raw.inputs) {
            inputs.push(Input::of(name, values, training, scale).map_err(refuse)?);
        }
        let mut preparation = Self {
            identity: String::new(),
            examples: training.len() as u64,
            select_examples: split.select.len() as u64,
            test_examples: split.test.len() as u64,
            inputs,
            target,
        };
        let all: Vec<usize> = (0..raw.examples()).collect();
        preparation.identity = identity(&preparation.examples(raw, &all), training);
        Ok(preparation)
    }

    /// All examples of the run.
    pub(crate) fn all_examples(&self) -> u64 {
        [self.examples, self.select_examples, self.test_examples].into_iter().fold(0, u64::saturating_add)
    }

    /// Number of outputs of the network.
    pub fn outputs(&self) -> usize {
        match &self.target {
            Target::Classes { classes, one_hot: true, .. } => classes.len(),
            Target::Classes { .. } => 1,
            Target::Numbers(targets) => targets.len(),
        }
    }

    /// The chosen examples as the network sees them.
    pub(super) fn examples(&self, raw: &Raw, chosen: &[usize]) -> Examples {
        let units = self.columns(chosen.len(), |input, example| raw.inputs[input][chosen[example]]);
        let mut targets = Columns::new(chosen.len());
        for output in 0..self.outputs() {
            match (&self.target, &raw.targets) {
                (Target::Classes { one_hot, levels, .. }, RawTargets::Classes { class, .. }) => {
                    let meant = if *one_hot { output } else { 1 };
                    targets.push(chosen.iter().map(|&example| levels[usize::from(class[example] == meant)]));
                }
                (Target::Numbers(scales), RawTargets::Numbers { values, .. }) => {
                    targets
                        .push(chosen.iter().map(|&example| scales[output].scaled(values[output][example])));
                }
                _ => unreachable!("the preparation is made from these targets"),
            }
        }
        Examples { units, targets }
    }

    /// The inputs of a table as the network sees them.
    ///
    /// # Errors
    /// When an input has no column, or one that is not of numbers; says which.
    pub fn inputs_of(&self, table: &Table) -> Result<Columns, String> {
        let mut values = Vec::new();
        for input in &self.inputs {
            let column = table.column(&input.name).ok_or_else(|| {
                let names: Vec<&str> = table.columns().iter().map(|column| column.name.as_str()).collect();
                format!("the network needs a column `{}`; there are: {}", input.name, names.join(", "))
            })?;
            values.push(numbers(column)?);
        }
        Ok(self.columns(table.rows(), |input, example| values[input][example]))
    }

    /// A column of ones, and the scaled columns of the inputs.
    fn columns(&self, examples: usize, value: impl Fn(usize, usize) -> f64) -> Columns {
        let mut columns = Columns::new(examples);
        columns.push(std::iter::repeat_n(1.0, examples));
        for (index, input) in self.inputs.iter().enumerate() {
            columns.push((0..examples).map(|example| input.scaled(value(index, example))));
        }
        columns
    }

    /// What the outputs say, as columns of a table: the class and how sure of it the network is
    /// (the output itself), or the numbers.
    pub fn answers(&self, outputs: &Columns) -> Vec<Column> {
        let column = |name: &str, values| Column { name: name.to_owned(), values };
        match &self.target {
            Target::Classes { name, classes, one_hot, .. } => {
                let class = (0..outputs.cases()).map(|case| self.class_of(outputs, case));
                let mut answers = vec![column(name, labels(classes, class))];
                for output in 0..outputs.len() {
                    let class = if *one_hot { output } else { 1 };
                    let numbers = outputs.column(output).map(f64::from).collect();
                    answers.push(column(&format!("output_{}", classes[class]), Values::Numbers(numbers)));
                }
                answers
            }
            Target::Numbers(targets) => {
                let unscaled = |(index, target): (usize, &Input)| {
                    let numbers = outputs.column(index).map(|value| target.unscaled(value)).collect();
                    column(&target.name, Values::Numbers(numbers))
                };
                targets.iter().enumerate().map(unscaled).collect()
            }
        }
    }

    /// The class that the outputs (or the targets) say.
    pub(crate) fn class_of(&self, outputs: &Columns, case: usize) -> usize {
        match &self.target {
            Target::Classes { one_hot: false, levels, .. } => {
                usize::from(outputs.get(0, case) > (levels[0] + levels[1]) / 2.0)
            }
            // Among equals the first.
            _ => (1..outputs.len()).fold(0, |best, output| {
                if outputs.get(output, case) > outputs.get(best, case) { output } else { best }
            }),
        }
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Values are never larger: their squares must fit a double, and their differences a float.
const LARGEST: f64 = 1e30;

impl Input {
    /// Scaled to mean 0 and standard deviation 1 over the training examples, or as it is.
    fn of(name: &str, values: &[f64], training: &[usize], scale: bool) -> Result<Self, String> {
        let name = name.to_owned();
        if !scale {
            return Ok(Self { name, offset: 0.0, factor: 1.0 });
        }
        let count = training.len() as f64;
        let mean = training.iter().map(|&example| values[example]).sum::<f64>() / count;
        let variance = training.iter().map(|&example| (values[example] - mean).powi(2)).sum::<f64>() / count;
        if let Some(value) = values.iter().find(|value| value.abs() > LARGEST) {
            return Err(format!(
                "column `{name}` has {value}, which is too large to be learnt: at most {LARGEST:e}"
            ));
        }
        let factor = 1.0 / variance.sqrt();
        if !factor.is_finite() || variance.sqrt() <= mean.abs() * 1e-12 {
            return Err(format!(
                "column `{name}` is {mean} throughout, so nothing can be learnt from it; \
                 leave it out with {}",
                setting("ignore", &name)
            ));
        }
        Ok(Self { name, offset: mean, factor })
    }

    fn scaled(&self, value: f64) -> f32 {
        ((value - self.offset) * self.factor) as f32
    }

    fn unscaled(&self, value: f32) -> f64 {
        f64::from(value) / self.factor + self.offset
    }
}

/// The names of these classes; numbers where all names are.
fn labels(classes: &[String], class: impl Iterator<Item = usize>) -> Values {
    let numbers: Option<Vec<f64>> = classes.iter().map(|class| class.parse().ok()).collect();
    match numbers {
        Some(numbers) => Values::Numbers(class.map(|class| numbers[class]).collect()),
        None => Values::Text(class.map(|class| classes[class].clone()).collect()),
    }
}

fn require_every_class(
    name: &str,
    classes: &[String],
    class: &[usize],
    training: &[usize],
) -> Result<(), String> {
    if let [only] = classes {
        return Err(format!(
            "column `{name}` has only the class `{only}`, so there is nothing to tell apart"
        ));
    }
    let mut seen = vec![false; classes.len()];
    training.iter().for_each(|&example| seen[class[example]] = true);
    match seen.iter().position(|seen| !seen) {
        Some(missing) => Err(format!(
            "no training example is of class `{}` of column `{name}`; keep fewer back, or have more",
            classes[missing]
        )),
        None => Ok(()),
    }
}

/// A hash over what the network sees of all examples, and which of them it learns.
fn identity(examples: &Examples, training: &[usize]) -> String {
    let mut bytes = Vec::new();
    for columns in [&examples.units, &examples.targets] {
        for column in 0..columns.len() {
            bytes.extend(columns.column(column).flat_map(f32::to_le_bytes));
        }
    }
    bytes.extend(training.iter().flat_map(|&example| (example as u64).to_le_bytes()));
    Hash::of(&bytes).to_string()
}
