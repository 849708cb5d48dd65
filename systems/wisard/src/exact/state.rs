//! What a checkpoint holds.

use rekindle_data::CLASSES_LIMIT;
use rekindle_train::StateMismatch;
use serde::{Deserialize, Serialize};

use super::config::{Model, Training};
use super::data::Rows;
use super::encoder::Encoder;
use super::error::ExactError;
use super::row_hashes::RowHash;
use super::sums::{Discriminator, Sums, in_order};

/// The counters never take more: bytes.
const COUNTERS_LIMIT: u64 = 2 << 30;

/// What the rows that were learnt add up to. Of rows that were forgotten there is nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Names of the inputs, in their order.
    pub inputs: Vec<String>,
    /// Pixels of a line, where rows are pictures; otherwise 0.
    pub width: u64,
    /// Lines of a picture; otherwise 0.
    pub height: u64,
    /// Name of the column of the classes.
    pub target: String,
    /// What is known of each class that has a row: by value if all classes are numbers, by name otherwise.
    pub discriminators: Vec<Discriminator>,
    /// How far a training is that has not ended; its state depends on the order of the rows.
    pub pending: Option<Pending>,
}

/// How far a training is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Steps done.
    pub step: u64,
    /// Rows learnt: the first ones.
    pub rows: u64,
    /// Rows to learn.
    pub all: u64,
    /// Classes that they have.
    pub classes: u64,
    /// Identity of the rows in their order.
    pub identity: String,
}

impl State {
    /// Nothing is learnt yet of these rows.
    pub(super) fn new(rows: &Rows) -> Self {
        let [width, height] = rows.picture.unwrap_or_default().map(|side| side as u64);
        let (all, classes) = (rows.count() as u64, rows.classes.len() as u64);
        let pending = Pending { step: 0, rows: 0, all, classes, identity: rows.identity() };
        Self {
            inputs: rows.names.clone(),
            width,
            height,
            target: rows.target.clone(),
            discriminators: Vec::new(),
            pending: Some(pending),
        }
    }

    /// Rows that are learnt, of all classes.
    pub fn rows(&self) -> u64 {
        self.discriminators.iter().map(|of_class| of_class.rows.len() as u64).sum()
    }

    /// Names of the classes.
    pub fn classes(&self) -> Vec<String> {
        self.discriminators.iter().map(|of_class| of_class.class.clone()).collect()
    }

    /// Width and height, where rows are pictures.
    pub(super) fn picture(&self) -> Option<[usize; 2]> {
        (self.width > 0).then_some([self.width as usize, self.height as usize])
    }

    /// What the counters take: bytes.
    pub fn counter_bytes(&self) -> u64 {
        self.discriminators.iter().map(|of_class| of_class.counters.bytes() as u64).sum()
    }

    pub(super) fn encoder(&self, model: &Model, seed: u64) -> Result<Encoder, ExactError> {
        Encoder::new(model, seed, self.inputs.len(), self.picture())
    }

    /// Checks that rows of these classes can be added.
    pub(super) fn check_room(&self, model: &Model, rows: &Rows) -> Result<(), ExactError> {
        let is_known = |class: &&String| self.discriminators.iter().any(|known| known.class == **class);
        let classes =
            self.discriminators.len() + rows.classes.iter().filter(|class| !is_known(class)).count();
        if classes > CLASSES_LIMIT {
            return Err(ExactError::TooManyClasses { classes, limit: CLASSES_LIMIT });
        }
        let most = self.rows() + rows.count() as u64;
        if most > u32::MAX.into() {
            return Err(ExactError::TooManyRows { class: rows.classes.first().cloned().unwrap_or_default() });
        }
        let counters = (model.rams as u64).saturating_mul(model.entries() as u64);
        let bytes = counters.saturating_mul(4 * classes as u64);
        match bytes <= COUNTERS_LIMIT {
            true => Ok(()),
            false => Err(ExactError::TooLarge { bytes, limit: COUNTERS_LIMIT }),
        }
    }

    /// Adds rows.
    pub(super) fn add(&mut self, Sums(sums): Sums) {
        for sum in sums {
            match self.discriminators.iter_mut().find(|known| known.class == sum.class) {
                Some(known) => known.add(&sum),
                None => self.discriminators.push(Discriminator::of(sum)),
            }
        }
        self.sort();
    }

    /// Takes rows off, all of which were learnt. A class without any is none.
    pub(super) fn subtract(&mut self, Sums(sums): &Sums) {
        for sum in sums {
            if let Some(known) = self.discriminators.iter_mut().find(|known| known.class == sum.class) {
                known.subtract(sum);
            }
        }
        self.discriminators.retain(|known| !known.rows.is_empty());
        self.sort();
    }

    fn sort(&mut self) {
        let names: Vec<&str> = self.discriminators.iter().map(|known| known.class.as_str()).collect();
        let order = in_order(&names);
        self.discriminators.sort_by(|a, b| order(&a.class, &b.class));
    }

    /// How often a row of a class was learnt.
    pub(super) fn times(&self, class: &str, hash: RowHash) -> usize {
        let of_class = self.discriminators.iter().find(|known| known.class == class);
        of_class.map_or(0, |known| known.rows.times(hash))
    }

    /// Which of these rows are known, each as often as it was learnt.
    pub(super) fn known(&self, rows: &Rows) -> Vec<bool> {
        let mut known = vec![false; rows.count()];
        for (label, class) in rows.classes.iter().enumerate() {
            let Some(of_class) = self.discriminators.iter().find(|known| known.class == *class) else {
                continue;
            };
            let own: Vec<usize> = (0..rows.count()).filter(|&row| rows.labels[row] == label).collect();
            let hashes: Vec<_> = own.iter().map(|&row| rows.hashes[row]).collect();
            own.iter().zip(of_class.rows.covers(&hashes)).for_each(|(&row, covered)| known[row] = covered);
        }
        known
    }

    /// Checks that rows have the inputs and the target of those that are learnt.
    pub(super) fn check_rows(&self, rows: &Rows) -> Result<(), ExactError> {
        let origin = rows.origin.clone();
        if self.inputs != rows.names {
            let listed = |names: &[String]| {
                rekindle_data::listed(&names.iter().map(String::as_str).collect::<Vec<_>>())
            };
            let (found, expected) = (listed(&rows.names), listed(&self.inputs));
            return Err(ExactError::OtherInputs { origin, found, expected });
        }
        if self.target != rows.target {
            let (found, expected) = (rows.target.clone(), self.target.clone());
            return Err(ExactError::OtherTarget { origin, found, expected });
        }
        Ok(())
    }

    /// Checks that all parts fit each other and the config.
    ///
    /// # Errors
    /// Says what does not fit.
    pub fn validate(&self, model: &Model, training: &Training) -> Result<(), ExactError> {
        model.validate()?;
        training.validate()?;
        let (inputs, pixels) = (self.inputs.len() as u64, self.width.checked_mul(self.height));
        let is_table = self.width == 0 && self.height == 0;
        StateMismatch::require(inputs > 0 && (is_table || pixels == Some(inputs)), || {
            format!("{inputs} inputs are no rows or pictures of {} by {}", self.width, self.height)
        })?;
        StateMismatch::require(self.discriminators.len() <= CLASSES_LIMIT, || {
            format!("it has {} classes", self.discriminators.len())
        })?;
        let counters = model.rams as u64 * model.entries() as u64;
        for Discriminator { class, rows, counters: found } in &self.discriminators {
            StateMismatch::require(rows.is_valid() && !rows.is_empty(), || {
                format!("the rows of class `{class}` are not in order")
            })?;
            StateMismatch::require(found.len() as u64 == counters && found.fits(rows.len()), || {
                format!("class `{class}` has {} counters for {} rows", found.len(), rows.len())
            })?;
        }
        let names: Vec<&str> = self.discriminators.iter().map(|known| known.class.as_str()).collect();
        let order = in_order(&names);
        let is_sorted = names.is_sorted_by(|a, b| order(a, b).is_lt());
        StateMismatch::require(is_sorted, || "its classes are not in order".to_owned())?;
        let Some(Pending { step, rows, all, .. }) = &self.pending else { return Ok(()) };
        StateMismatch::require(step <= rows && rows < all && *rows == self.rows(), || {
            format!("{rows} rows of {all} were learnt in {step} steps")
        })?;
        Ok(())
    }
}
