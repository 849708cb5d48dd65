//! A network in words.

use rekindle_classify::summary;

use crate::shape::Shape;
use crate::state::State;

/// What the network is made of.
pub(crate) fn describe(state: &State, shape: &Shape) -> String {
    let mut lines = vec![summary::inputs(&state.preparation)];
    for (index, tables) in shape.layers.iter().enumerate() {
        let connections = match shape.is_learnt(index) {
            true => format!(", each learnt among {} bits", shape.candidates().min(shape.bits)),
            false => String::new(),
        };
        lines.push(format!("layer of {tables} lookup tables with {} inputs{connections}", shape.inputs));
    }
    lines.push(format!(
        "{:.1} KiB: {:.1} of tables, and the numbers of what they read",
        kib(bits(shape)),
        kib(table_bits(shape))
    ));
    lines.push(format!("{} steps on {} examples", state.step, state.preparation.rows));
    lines.push(summary::classes(&state.preparation));
    lines.join("\n")
}

/// Bits of all tables.
fn table_bits(shape: &Shape) -> u64 {
    shape.layers.iter().map(|&tables| (tables * shape.entries()) as u64).sum()
}

/// Bits of all tables, and of the number of what each input reads.
fn bits(shape: &Shape) -> u64 {
    let of_layer = |(index, &tables): (usize, &usize)| {
        let sources = if index == 0 { shape.bits } else { shape.sources(index) };
        let number = usize::BITS - (sources - 1).leading_zeros();
        (tables * shape.inputs) as u64 * u64::from(number)
    };
    table_bits(shape) + shape.layers.iter().enumerate().map(of_layer).sum::<u64>()
}

fn kib(bits: u64) -> f64 {
    bits as f64 / 8192.0
}
