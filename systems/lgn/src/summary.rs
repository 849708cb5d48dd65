//! A network in words.

use std::fmt::Write;

use rekindle_data::ConfusionMatrix;
use rekindle_gates::Circuit;

use crate::shape::{Shape, StageShape};
use crate::state::State;

/// Classes that are named at most.
const LINES: usize = 32;

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

/// How many examples of a part are right.
pub(crate) fn accuracy(confusion: &ConfusionMatrix, part: &str) -> String {
    let (right, rows) = (confusion.right(), confusion.all());
    format!("{part}: {right} of {rows} examples are right, {:.2} %", 100.0 * confusion.accuracy())
}
