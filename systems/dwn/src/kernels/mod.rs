//! The arithmetic of training. Examples lie side by side: a column, an output or a gradient has a value for each
//! example of a batch.
//!
//! This module holds the crate's only `unsafe` code: the calls that [`kernel!`](rekindle_compute::kernel)
//! makes after it has asked the processor what it can do.

mod bits;
mod lookup;
mod mapping;
mod slopes;

pub(crate) use bits::{BitSource, read_block};
pub(crate) use lookup::{LookUp, Readers, add_entry_gradients, count_votes, look_up, pull};
pub(crate) use mapping::{MappingPass, mapping_gradient, strongest};
pub(crate) use slopes::slopes;

/// Calls a function that is generic over the inputs and the entries of a table.
macro_rules! by_inputs {
    ($inputs:expr, $function:ident($($argument:expr),* $(,)?)) => {
        match $inputs {
            2 => $function::<2, 4>($($argument),*),
            3 => $function::<3, 8>($($argument),*),
            4 => $function::<4, 16>($($argument),*),
            5 => $function::<5, 32>($($argument),*),
            _ => $function::<6, 64>($($argument),*),
        }
    };
}
pub(crate) use by_inputs;
