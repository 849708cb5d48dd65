//! How examples become numbers that the network sees, and outputs become answers.

use rekindle_data::{
    Answers, ClassColumn, DataOutline, ExamplesError, Fillings, Missing, ModelInputs, NumberColumn, Origin,
    Probabilities, Questions, Split, TableExamples, TableTarget, identity,
};
use rekindle_formats::table::{Column, Table, Values};
use serde::{Deserialize, Serialize};

use super::Examples;
use crate::activation::OutputActivation;
use crate::columns::Columns;
use crate::config::Data;
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
    /// What stands for a missing value of each input; absent where none may be missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fillings: Option<Fillings>,
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
    pub(crate) fn blank(data: &Data) -> Self {
        Self {
            identity: String::new(),
            examples: 0,
            select_examples: 0,
            test_examples: 0,
            inputs: Vec::new(),
            fillings: (data.missing == Missing::Mean).then(Fillings::default),
            target: Target::Numbers(Vec::new()),
        }
    }

    pub(super) fn of(
        examples: &TableExamples,
        split: &Split,
        scale: bool,
        one_hot: bool,
        output: OutputActivation,
        fillings: Option<Fillings>,
    ) -> Result<Self, CascorError> {
        let target = Target::of(examples, &split.train, one_hot, output)?;
        let input = |input| Input::of(&examples.origin, input, &split.train, scale);
        let mut preparation = Self {
            identity: String::new(),
            examples: split.train.len() as u64,
            select_examples: split.select.len() as u64,
            test_examples: split.test.len() as u64,
            inputs: examples.inputs.iter().map(input).collect::<Result<_, _>>()?,
            fillings,
            target,
        };
        let rows: Vec<usize> = (0..examples.rows()).collect();
        let all = preparation.examples(examples, &rows);
        preparation.identity = identity::of_examples(all.bytes(), all.len(), &split.train).to_string();
        Ok(preparation)
    }

    /// All examples of the run.
    pub(crate) fn all_examples(&self) -> u64 {
        [self.examples, self.select_examples, self.test_examples].into_iter().fold(0, u64::saturating_add)
    }

    /// What is known of the examples.
    pub(crate) fn outline(&self) -> DataOutline<'_> {
        let inputs = self.inputs.iter().map(|input| input.name.as_str()).collect();
        DataOutline { inputs, rows: self.all_examples() }
    }

    /// Number of outputs of the network.
    pub fn outputs(&self) -> usize {
        match &self.target {
            Target::Classes { classes, one_hot: true, .. } => classes.len(),
            Target::Classes { .. } => 1,
            Target::Numbers(targets) => targets.len(),
        }
    }

    /// These rows as the network sees them.
    pub(super) fn examples(&self, examples: &TableExamples, rows: &[usize]) -> Examples {
        let units = self.columns(rows.len(), |input, example| examples.inputs[input].values[rows[example]]);
        let mut targets = Columns::new(rows.len());
        for output in 0..self.outputs() {
            match (&self.target, &examples.target) {
                (Target::Classes { one_hot, levels, .. }, TableTarget::Classes(column)) => {
                    let class = if *one_hot { output } else { 1 };
                    let level = |&row: &usize| levels[usize::from(column.labels[row] == class)];
                    targets.push(rows.iter().map(level));
                }
                (Target::Numbers(scales), TableTarget::Numbers(columns)) => {
                    let (scale, values) = (&scales[output], &columns[output].values);
                    targets.push(rows.iter().map(|&row| scale.scaled(values[row])));
                }
                _ => unreachable!("the preparation is made from these targets"),
            }
        }
        Examples { units, targets }
    }

    /// The inputs of a table as the network sees them, and what whoever asks should know of that.
    ///
    /// # Errors
    /// When an input has no column, or one that is not of numbers; says which.
    pub fn inputs_of(&self, table: &Table) -> Result<(Columns, Vec<String>), ExamplesError> {
        let inputs: Vec<&str> = self.inputs.iter().map(|input| input.name.as_str()).collect();
        let targets = match &self.target {
            Target::Classes { name, .. } => vec![name.as_str()],
            Target::Numbers(targets) => targets.iter().map(|target| target.name.as_str()).collect(),
        };
        let model = ModelInputs { inputs: &inputs, targets: &targets, fillings: self.fillings.as_ref() };
        let Questions { inputs, notes } = Questions::of(table, model)?;
        Ok((self.columns(table.rows(), |input, row| inputs[input].values[row]), notes))
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

    /// What the outputs say: classes, with the outputs themselves and how near they are to what they should be
    /// for each class, or numbers.
    ///
    /// # Errors
    /// When two columns have the same name; says which.
    pub fn answers(&self, outputs: &Columns) -> Result<Answers, String> {
        match &self.target {
            Target::Classes { name, classes, one_hot, levels } => {
                let class = (0..outputs.cases()).map(|case| self.class_of(outputs, case));
                let mut columns = vec![ClassColumn::to_table(name, classes, class)];
                for output in 0..outputs.len() {
                    let class = if *one_hot { output } else { 1 };
                    let values = Values::of_f32(outputs.column(output));
                    columns.push(Column { name: format!("output_{}", classes[class]), values });
                }
                let table = Table::new(columns)?;
                let share =
                    |value: f32| f64::from((value - levels[0]) / (levels[1] - levels[0])).clamp(0.0, 1.0);
                let mut scores: Vec<Vec<f64>> =
                    (0..outputs.len()).map(|output| outputs.column(output).map(share).collect()).collect();
                if !one_hot {
                    let of_the_other = scores[0].iter().map(|share| 1.0 - share).collect();
                    scores.insert(0, of_the_other);
                }
                let probabilities = Some(Probabilities::of_scores(classes.clone(), scores));
                Ok(Answers { table, probabilities })
            }
            Target::Numbers(targets) => {
                let unscaled = |(index, target): (usize, &Input)| {
                    let numbers = outputs.column(index).map(|value| target.unscaled(value) as f32);
                    Column { name: target.name.clone(), values: Values::of_f32(numbers) }
                };
                Ok(Answers::numbers(Table::new(targets.iter().enumerate().map(unscaled).collect())?))
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

impl Target {
    fn of(
        examples: &TableExamples,
        train: &[usize],
        one_hot: bool,
        output: OutputActivation,
    ) -> Result<Self, CascorError> {
        match &examples.target {
            TableTarget::Classes(ClassColumn { name, classes, .. }) => Ok(Self::Classes {
                name: name.clone(),
                classes: classes.clone(),
                one_hot: one_hot || classes.len() > 2,
                levels: output.targets(),
            }),
            TableTarget::Numbers(columns) if output == OutputActivation::Linear => {
                let target = |column| Input::of(&examples.origin, column, train, true);
                Ok(Self::Numbers(columns.iter().map(target).collect::<Result<_, _>>()?))
            }
            TableTarget::Numbers(_) => Err(CascorError::NotLinear { origin: examples.origin.clone() }),
        }
    }
}

impl Input {
    /// Scaled to mean 0 and standard deviation 1 over the rows that are learnt, or as it is.
    fn of(
        origin: &Origin,
        column: &NumberColumn,
        train: &[usize],
        scale: bool,
    ) -> Result<Self, ExamplesError> {
        let name = column.name.clone();
        if !scale {
            return Ok(Self { name, offset: 0.0, factor: 1.0 });
        }
        let statistics = column.scale(origin, train)?;
        Ok(Self { name, offset: statistics.mean, factor: 1.0 / statistics.std })
    }

    fn scaled(&self, value: f64) -> f32 {
        ((value - self.offset) * self.factor) as f32
    }

    fn unscaled(&self, value: f32) -> f64 {
        f64::from(value) / self.factor + self.offset
    }
}

impl Examples {
    /// Number of [`bytes`](Self::bytes).
    fn len(&self) -> usize {
        4 * self.units.cases() * (self.units.len() + self.targets.len())
    }

    /// What the network sees, unit by unit, and what it should answer.
    fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        fn values(columns: &Columns) -> impl Iterator<Item = f32> + '_ {
            (0..columns.len()).flat_map(|column| columns.column(column))
        }
        [&self.units, &self.targets].into_iter().flat_map(values).flat_map(f32::to_le_bytes)
    }
}
