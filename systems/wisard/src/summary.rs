//! A classifier in words.

use std::fmt::Write;

use super::memory::Memory;
use super::state::State;
use super::trainer::Confusion;

/// Lines of a table at most.
const LINES: usize = 32;
/// Confusions that are named of a class.
const CONFUSIONS: usize = 3;

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

/// A line for each class: how often it is right, and for what it is mostly taken otherwise. Of many
/// classes the worst are shown.
pub(super) fn table(classes: &[String], confusion: &Confusion, of: &str) -> String {
    let share = |class: usize| confusion.count(class, class) as f64 / confusion.rows(class).max(1) as f64;
    let mut shown: Vec<usize> = (0..classes.len()).collect();
    if classes.len() > LINES {
        shown.sort_by(|&a, &b| share(a).total_cmp(&share(b)));
        shown.truncate(LINES);
    }
    let width =
        shown.iter().map(|&class| classes[class].chars().count()).max().unwrap_or(0).max("class".len());
    let mut text = format!("{:width$}  {of} rows  accuracy  mostly taken for", "class");
    for class in shown {
        let rows_width = of.len() + " rows".len();
        let rows = confusion.rows(class);
        let accuracy = if rows == 0 { "-".to_owned() } else { format!("{:.1} %", 100.0 * share(class)) };
        let line = format!("\n{:width$}  {rows:>rows_width$}  {accuracy:>8}", classes[class]);
        text.push_str(&line);
        let others: Vec<String> = taken_for(confusion, class, classes.len())
            .map(|(other, count)| format!("{} ({count})", classes[other]))
            .collect();
        if !others.is_empty() {
            text.push_str("  ");
            text.push_str(&others.join(", "));
        }
    }
    text
}

/// How many rows of a part are right.
pub(super) fn accuracy(confusion: &Confusion, part: &str) -> String {
    let (right, rows) = (confusion.right(), confusion.all());
    format!("{part}: {right} of {rows} rows are right, {:.1} %", 100.0 * confusion.accuracy())
}

/// The classes that rows of a class are mostly taken for, and how often.
fn taken_for(confusion: &Confusion, class: usize, classes: usize) -> impl Iterator<Item = (usize, u64)> {
    let mut others: Vec<(usize, u64)> = (0..classes)
        .filter(|&other| other != class)
        .map(|other| (other, confusion.count(class, other)))
        .filter(|&(_, count)| count > 0)
        .collect();
    others.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    others.into_iter().take(CONFUSIONS)
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
