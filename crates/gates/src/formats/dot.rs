//! Graphviz.

use std::fmt::Write;

use crate::circuit::Circuit;
use crate::gate;

use super::name;

/// Writes a circuit as a graph from left to right; the wire of a first input is drawn bold.
pub fn write(circuit: &Circuit) -> String {
    let mut text = "digraph circuit {\n  rankdir=LR;\n  node [shape=box];\n".to_owned();
    for input in 0..circuit.inputs() {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "  i{input} [shape=plaintext];");
    }
    for (index, gate) in circuit.gates().iter().enumerate() {
        let _ = writeln!(text, "  g{index} [label=\"{}\"];", gate::NAMES[usize::from(gate.op)]);
        for ((reads, signal), style) in
            gate::reads(gate.op).into_iter().zip([gate.a, gate.b]).zip([" [style=bold]", ""])
        {
            if reads {
                let _ = writeln!(text, "  {} -> g{index}{style};", name(circuit, signal));
            }
        }
    }
    for (index, &signal) in circuit.outputs().iter().enumerate() {
        let _ = writeln!(text, "  o{index} [shape=plaintext];\n  {} -> o{index};", name(circuit, signal));
    }
    text + "}\n"
}
