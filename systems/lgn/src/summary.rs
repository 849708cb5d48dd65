//! A network in words.

use std::fmt::Write;

use rekindle_gates::Circuit;

use crate::shape::{Shape, StageShape};
use crate::state::State;
use crate::trainer::Confusion;

/// Lines of a table at most.
const LINES: usize = 32;
/// Confusions that are named of a class.
const CONFUSIONS: usize = 3;

/// What the network is made of.
pub(crate) fn describe(state: &State, shape: &Shape, circuit: &Circuit) -> String {
    let preparation = &state.preparation;
    let mut text = String::new();
    let kind = match preparation.width {
        0 => format!("{} inputs", preparation.inputs.len()),
        width => format!("pictures of {width} by {} pixels", preparation.height),
    };
    // Writing to memory does not fail.
    let _ = writeln!(
        text,
        "{kind}, {} bits each; {} bits of {} are read",
        preparation.thermometers.bits,
        shape.inputs,
        preparation.thermometers.encoded_bits()
    );
    for stage in &shape.stages {
        let _ = match stage {
            StageShape::Trees(trees) => {
                let (convolution, to) = (trees.convolution, trees.to);
                writeln!(
                    text,
                    "convolution of {} trees of {} gates in windows of {}, to maps of {} by {}",
                    convolution.kernels,
                    convolution.gates(),
                    convolution.window,
                    to.width,
                    to.height
                )
            }
            StageShape::Layer(layer) => writeln!(text, "layer of {} gates", layer.gates),
        };
    }
    let _ = writeln!(
        text,
        "{} gates are evaluated for an example, {} of which do more than pass an input on",
        shape.evaluations(),
        circuit.active_gates()
    );
    let _ = writeln!(text, "{} steps on {} examples", state.step, preparation.rows);
    let classes = preparation.classes.iter().take(LINES).cloned().collect::<Vec<_>>().join(", ");
    let more = if preparation.classes.len() > LINES { ", ..." } else { "" };
    let _ = write!(text, "{} classes of `{}`: {classes}{more}", shape.classes, preparation.target);
    text
}

/// A line for each class: how often it is right, and for what it is mostly taken otherwise. Of many
/// classes the worst are shown.
pub(crate) fn table(classes: &[String], confusion: &Confusion, of: &str) -> String {
    let share = |class: usize| confusion.count(class, class) as f64 / confusion.rows(class).max(1) as f64;
    let mut shown: Vec<usize> = (0..classes.len()).collect();
    if classes.len() > LINES {
        shown.sort_by(|&a, &b| share(a).total_cmp(&share(b)));
        shown.truncate(LINES);
    }
    let width =
        shown.iter().map(|&class| classes[class].chars().count()).max().unwrap_or(0).max("class".len());
    let mut text = format!("{:width$}  {of} examples  accuracy  mostly taken for", "class");
    for class in shown {
        let rows_width = of.len() + " examples".len();
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

/// How many examples of a part are right.
pub(crate) fn accuracy(confusion: &Confusion, part: &str) -> String {
    let (right, rows) = (confusion.right(), confusion.all());
    format!("{part}: {right} of {rows} examples are right, {:.2} %", 100.0 * confusion.accuracy())
}

/// The classes that examples of a class are mostly taken for, and how often.
fn taken_for(confusion: &Confusion, class: usize, classes: usize) -> impl Iterator<Item = (usize, u64)> {
    let mut others: Vec<(usize, u64)> = (0..classes)
        .filter(|&other| other != class)
        .map(|other| (other, confusion.count(class, other)))
        .filter(|&(_, count)| count > 0)
        .collect();
    others.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    others.into_iter().take(CONFUSIONS)
}
