//! What a checkpoint holds.

use rekindle_compute::Pool;
use rekindle_data::{Answers, Probabilities};
use rekindle_formats::table::{Column, Table, Values};
use rekindle_train::StateMismatch;
use serde::{Deserialize, Serialize};

use super::config::{Data, Model, Training};
use super::data::{Dataset, Examples, Preparation};
use super::error::WisardError;
use super::mapping::Mapping;
use super::memory::Memory;
use super::query::Query;

/// All that training needs to go on, after any step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Steps done.
    pub step: u64,
    /// Rows learnt: the first ones of those for training.
    pub rows: u64,
    /// Of each class.
    #[serde(with = "rekindle::growing")]
    pub learnt: Vec<u64>,
    /// The examples: what they are, and how they are encoded.
    pub preparation: Preparation,
    /// Which bits make up which tuple.
    pub mapping: Mapping,
    /// The counters.
    pub memory: Memory,
}

impl State {
    /// Of no examples, to be loaded into.
    pub(super) fn blank(data: &Data) -> Self {
        Self {
            step: 0,
            rows: 0,
            learnt: Vec::new(),
            preparation: Preparation::blank(data),
            mapping: Mapping { tuple_bits: 0, bits: Vec::new() },
            memory: Memory::Dense { counts: Vec::new() },
        }
    }

    /// Nothing is learnt yet.
    pub(super) fn new(
        model: &Model,
        preparation: Preparation,
        examples: &Examples,
        seed: u64,
    ) -> Result<Self, WisardError> {
        let informative = informative(&examples.planes.ones(), preparation.rows, model.encoding.bits);
        let mapping = Mapping::new(&informative, model, seed)?;
        let classes = preparation.classes.len();
        let memory = Memory::new(&mapping, examples, classes)?;
        Ok(Self { step: 0, rows: 0, learnt: vec![0; classes], preparation, mapping, memory })
    }

    /// Learns all rows of a table at once, as a run that keeps none back would.
    ///
    /// # Errors
    /// When nothing can be learnt from it, or not with this model; says why.
    pub fn learn(
        model: &Model,
        table: &Table,
        target: &str,
        seed: u64,
        threads: usize,
    ) -> Result<Self, WisardError> {
        model.validate()?;
        let pool = Pool::new(threads)?;
        let (preparation, examples) = Dataset::of_table(table, target, model.encoding, seed)?.learnt();
        let mut state = Self::new(model, preparation, &examples, seed)?;
        state.learn_until(&pool, &examples, examples.class.len());
        Ok(state)
    }

    /// Learns the next rows, up to this one.
    pub(super) fn learn_until(&mut self, pool: &Pool, examples: &Examples, end: usize) {
        let rows = self.rows as usize..end;
        self.memory.learn(pool, &self.mapping, examples, self.learnt.len(), rows.clone());
        for &class in &examples.class[rows] {
            self.learnt[usize::from(class)] += 1;
        }
        self.rows = end as u64;
        self.step += 1;
    }

    /// The answer for each row of a table: the class, how far it leads (the difference to the second
    /// in votes, as a share of its own), and for each class the share of its RAMs that vote for it, at
    /// the threshold that decided.
    ///
    /// # Errors
    /// When the table lacks a column of the inputs, or one is not of numbers.
    pub fn predict(&self, table: &Table) -> Result<Answers, WisardError> {
        let preparation = &self.preparation;
        let (planes, notes) = preparation.encode(table)?;
        let (mut classes, mut confidence) = (Vec::new(), Vec::new());
        let mut votes_of = vec![Vec::new(); preparation.classes.len()];
        self.query().answer(&planes, 0..planes.blocks(), |answer, votes| {
            classes.push(answer.class);
            confidence.push(answer.confidence);
            votes_of.iter_mut().zip(votes).for_each(|(of, &votes)| of.push(f64::from(votes)));
        });
        // Begun with the name of the first column, so that no name is given twice.
        let name = format!("{}_confidence", preparation.target);
        let columns =
            vec![preparation.answers(&classes), Column { name, values: Values::Numbers(confidence) }];
        let table = Table::new(columns).map_err(StateMismatch::Contradiction)?;
        let probabilities = Some(Probabilities::of_scores(preparation.classes.clone(), votes_of));
        Ok(Answers { table, probabilities }.with_notes(notes))
    }

    /// Checks that all parts fit each other and the config.
    ///
    /// # Errors
    /// Says what does not fit.
    pub fn validate(&self, model: &Model, training: &Training) -> Result<(), WisardError> {
        model.validate()?;
        training.validate()?;
        let Self { preparation, mapping, .. } = self;
        preparation.check(model.encoding)?;
        mapping.check(model.tuple_bits, preparation.thermometers.encoded_bits())?;
        self.memory.check(mapping, preparation.classes.len(), preparation.rows)?;
        Ok(self.check_counts()?)
    }

    fn check_counts(&self) -> Result<(), StateMismatch> {
        let classes = self.preparation.classes.len();
        let sum = self.learnt.iter().try_fold(0_u64, |sum, &rows| sum.checked_add(rows));
        let (rows, all) = (self.rows, self.preparation.rows);
        StateMismatch::require(self.learnt.len() == classes && sum == Some(rows), || {
            format!("the rows learnt of {classes} classes are not {rows} in all")
        })?;
        StateMismatch::require(rows <= all && self.step <= rows, || {
            format!("{rows} rows of {all} were learnt in {} steps", self.step)
        })
    }

    /// The classifier as it is.
    pub(super) fn query(&self) -> Query<'_> {
        Query { mapping: &self.mapping, memory: &self.memory, learnt: &self.learnt }
    }
}

/// The bits that tell anything, by the number of rows in which each is set. A bit that is the same in
/// all rows tells nothing; and as the bits of an input are ordered, one that is set in as many rows
/// as the bit before is the same bit again.
fn informative(ones: &[u64], rows: u64, bits: u32) -> Vec<u32> {
    let bits = bits as usize;
    let tells = |bit: usize| {
        let again = !bit.is_multiple_of(bits) && ones[bit] == ones[bit - 1];
        ones[bit] > 0 && ones[bit] < rows && !again
    };
    (0..ones.len()).filter(|&bit| tells(bit)).map(|bit| bit as u32).collect()
}
