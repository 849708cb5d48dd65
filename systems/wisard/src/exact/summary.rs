//! A classifier in words.

use std::fmt::Write;

use rekindle_data::ConfusionMatrix;

use super::config::Model;
use super::state::State;

/// Classes that are named at most.
const LINES: usize = 32;

/// What the classifier is made of, and what it has learnt.
pub(super) fn describe(model: &Model, state: &State) -> String {
    let Model { encoding, rams, tuple_bits, entry_bits, .. } = model;
    let counted = match model.counted() {
        1 if !model.is_hashed() => "one for each address".to_owned(),
        1 => "of which one counts a row".to_owned(),
        counted => format!("of which {counted} count a row"),
    };
    let mut text = String::new();
    // Writing to memory does not fail.
    let _ = writeln!(text, "{} inputs of {} bits each", state.inputs.len(), encoding.bits);
    let _ = writeln!(
        text,
        "{} classes of {rams} RAMs, each of {tuple_bits} bits and 2^{entry_bits} entries, {counted}",
        state.discriminators.len()
    );
    let hashes = 16.0 * state.rows() as f64;
    let _ = writeln!(
        text,
        "{} of counters, {} of hashes of rows",
        size(state.counter_bytes() as f64),
        size(hashes)
    );
    if let Some(pending) = &state.pending {
        let _ = writeln!(text, "{} of {} rows learnt", pending.rows, pending.all);
    }
    let _ = write!(text, "column `{}`:", state.target);
    for of_class in state.discriminators.iter().take(LINES) {
        let _ = write!(text, "\n  {}: {} rows", of_class.class, of_class.rows.len());
    }
    match state.discriminators.len().saturating_sub(LINES) {
        0 => {}
        more => drop(write!(text, "\n  and {more} classes more")),
    }
    text
}

/// How many rows are right.
pub(super) fn accuracy(confusion: &ConfusionMatrix) -> String {
    let (right, rows) = (confusion.right(), confusion.all());
    format!("test: {right} of {rows} rows are right, {:.2} %", 100.0 * confusion.accuracy())
}

fn size(bytes: f64) -> String {
    if bytes < 1e6 { format!("{:.1} kB", bytes / 1e3) } else { format!("{:.1} MB", bytes / 1e6) }
}
