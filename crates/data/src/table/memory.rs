//! How much memory it takes to read a table and to divide its rows.

use rekindle_formats::files;
use rekindle_formats::table::SAMPLE;

/// A table of so many rows and columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableSize<'a> {
    /// Rows.
    pub rows: u64,
    /// Columns that are inputs.
    pub inputs: u64,
    /// All other columns.
    pub others: u64,
    /// The file; none when the rows are generated.
    pub file: Option<&'a str>,
}

/// Bytes of a text in memory, beside its letters.
const TEXT: u64 = size_of::<String>() as u64;
/// Bytes of a number.
const NUMBER: u64 = size_of::<f64>() as u64;
/// Bytes of a row while rows are told apart by their content, beside the content: its entries in two trees.
const ROW: u64 = 224;
/// Bytes of the name of a class, while names are sorted.
const CLASS: u64 = TEXT + 16;

impl TableSize<'_> {
    /// Bytes that are taken at most before the rows are encoded: by what of reading the file, making
    /// examples of the table and dividing these takes the most. What is returned at the end is in it.
    pub fn bytes_to_load(&self) -> u64 {
        let Self { rows, inputs, others, file } = *self;
        let columns = inputs.saturating_add(others);
        // A list that grows by doubling, and one that is being moved to twice its size.
        let capacity = rows.checked_next_power_of_two().unwrap_or(u64::MAX).max(4);
        let lists = |element: u64| {
            capacity.saturating_mul(columns).saturating_add(capacity / 2).saturating_mul(element)
        };
        let per_row = |bytes: u64| rows.saturating_mul(bytes);
        let of_inputs = NUMBER.saturating_mul(inputs);
        let reading = file.map_or(0, |file| {
            // Until a column is known to be of numbers it is text.
            let len = files::len(file.as_ref()).unwrap_or(0);
            let text = lists(TEXT).saturating_add(len).saturating_add(SAMPLE);
            let converting = per_row(of_inputs.saturating_add(3 * CLASS + NUMBER));
            text.max(lists(NUMBER).saturating_add(converting))
        });
        let dividing = per_row(of_inputs.saturating_mul(2).saturating_add(ROW)).saturating_add(self.bytes());
        reading.max(dividing)
    }

    /// Bytes of the rows once they are loaded.
    pub fn bytes(&self) -> u64 {
        let columns = self.inputs.saturating_add(self.others);
        self.rows.saturating_mul(NUMBER).saturating_mul(columns)
    }
}
