//! The values of units over all cases, a column for each unit.

use rekindle_compute::{LANES, Lanes};

/// Values by unit and case. A column is padded with zeros to whole blocks of [`LANES`] cases.
#[derive(Debug, Clone, PartialEq)]
pub struct Columns {
    cases: usize,
    /// Column after column.
    blocks: Vec<Lanes>,
}

impl Columns {
    /// No columns yet, for so many cases.
    pub fn new(cases: usize) -> Self {
        Self { cases, blocks: Vec::new() }
    }

    /// Number of cases.
    pub fn cases(&self) -> usize {
        self.cases
    }

    /// Number of columns.
    pub fn len(&self) -> usize {
        self.blocks.len().checked_div(self.blocks_per_column()).unwrap_or(0)
    }

    /// True when there is no column.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Blocks of a column.
    pub fn blocks_per_column(&self) -> usize {
        self.cases.div_ceil(LANES)
    }

    /// Appends the column of these values, one for each case.
    ///
    /// # Panics
    /// When there are not as many values as cases.
    pub fn push(&mut self, values: impl IntoIterator<Item = f32>) {
        let first = self.blocks.len();
        self.blocks.resize(first + self.blocks_per_column(), Lanes::ZERO);
        let mut count = 0;
        for (case, value) in values.into_iter().enumerate() {
            self.blocks[first + case / LANES].0[case % LANES] = value;
            count += 1;
        }
        assert_eq!(count, self.cases, "a value for each case");
    }

    /// Appends a column of zeros; gives the columns before, and it.
    pub(crate) fn grow(&mut self) -> (&[Lanes], &mut [Lanes]) {
        let first = self.blocks.len();
        self.blocks.resize(first + self.blocks_per_column(), Lanes::ZERO);
        let (before, column) = self.blocks.split_at_mut(first);
        (before, column)
    }

    /// Zeros behind the last case of the last column.
    pub(crate) fn clear_padding(&mut self) {
        let padding = self.blocks_per_column() * LANES - self.cases;
        if let Some(last) = self.blocks.last_mut() {
            last.0[LANES - padding..].fill(0.0);
        }
    }

    /// Keeps the first `columns` columns.
    pub(crate) fn truncate(&mut self, columns: usize) {
        self.blocks.truncate(columns * self.blocks_per_column());
    }

    /// The value of a unit at a case.
    pub fn get(&self, column: usize, case: usize) -> f32 {
        self.blocks[column * self.blocks_per_column() + case / LANES].0[case % LANES]
    }

    /// The column of a unit, without its padding.
    pub fn column(&self, column: usize) -> impl Iterator<Item = f32> + '_ {
        (0..self.cases).map(move |case| self.get(column, case))
    }

    /// The blocks of all columns, column after column.
    pub(crate) fn blocks(&self) -> &[Lanes] {
        &self.blocks
    }
}
