//! How much memory examples take.

use rekindle_data::TableSize;

use crate::config::Data;
use crate::preparation::Preparation;

/// Bytes of the levels of all examples, and of their classes.
pub fn of_examples(preparation: &Preparation) -> u64 {
    preparation.outline().rows.saturating_mul(preparation.inputs.len() as u64 + 2)
}

/// Bytes that loading them takes at most.
pub fn of_loading(data: &Data, preparation: &Preparation) -> u64 {
    let levels = of_examples(preparation);
    // The levels, and their bytes once more, of which the identity is the hash.
    match preparation.width == 0 || !data.is_of_files() {
        true => {
            let (rows, inputs) = (preparation.outline().rows, preparation.inputs.len() as u64);
            let others = 1 + data.ignore.len() as u64;
            let table = TableSize { rows, inputs, others, file: data.file.as_deref() };
            table.bytes_to_load().max(table.bytes().saturating_add(levels.saturating_mul(2)))
        }
        // The pictures, and twice their content while they are divided.
        false => levels.saturating_mul(3),
    }
}
