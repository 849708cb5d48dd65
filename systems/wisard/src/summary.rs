//! A classifier in words.

use std::fmt::Write;

use rekindle_data::ConfusionMatrix;

use super::memory::Memory;
use super::state::State;

/// Classes that are named at most.
const LINES: usize = 32;

/// What the classifier is made of, and what it has learnt.
pub(super) fn describe(state: &State) -> String {
    let State { preparation, mapping, memory, .. } = state;
    let (classes, tuples) = (preparation.classes.len(), mapping.tuples());
    let (cells, used) = cells(state);
    let kind = match memory {
        Memory::Dense { .. } => "all addresses",
        Memory::Sparse { .. } => "the addresses that occur",
    };
    let mut text = String::new();
    // Writing to memory does not fail.
    let _ = writeln!(
        text,
        "{} inputs of {} bits each; {} bits of {} tell the rows apart",
        preparation.inputs.len(),
        preparation.thermometers.bits,
        mapped(state),
        preparation.thermometers.encoded_bits(),
    );
    let _ = writeln!(text, "{tuples} tuples of {} bits, {classes} classes", mapping.tuple_bits);
    let _ = writeln!(text, "{cells} cells for {kind}, {used} of them used; {}", size(memory));
    let _ = writeln!(text, "{} of {} rows learnt", state.rows, preparation.rows);
    let _ = write!(text, "column `{}`:", preparation.target);
    for (name, rows) in preparation.classes.iter().zip(&state.learnt).take(LINES) {
        let _ = write!(text, "\n  {name}: {rows} rows");
    }
    if classes > LINES {
        let _ = write!(text, "\n  and {} classes more", classes - LINES);
    }
    text
}

/// How many rows of a part are right.
pub(super) fn accuracy(confusion: &ConfusionMatrix, part: &str) -> String {
    let (right, rows) = (confusion.right(), confusion.all());
    format!("{part}: {right} of {rows} rows are right, {:.1} %", 100.0 * confusion.accuracy())
}

/// Cells, and those of which a counter is not 0.
fn cells(state: &State) -> (usize, usize) {
    let cells = state.memory.counts().chunks_exact(state.preparation.classes.len());
    (cells.len(), cells.filter(|cell| cell.iter().any(|&count| count > 0)).count())
}

/// Different bits that are mapped.
fn mapped(state: &State) -> usize {
    let mut bits = state.mapping.bits.clone();
    bits.sort_unstable();
    bits.dedup();
    bits.len()
}

fn size(memory: &Memory) -> String {
    let bytes = memory.bytes() as f64;
    if bytes < 1e6 { format!("{:.1} kB", bytes / 1e3) } else { format!("{:.1} MB", bytes / 1e6) }
}
