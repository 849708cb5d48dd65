//! Verilog.

use std::fmt::Write;

use crate::circuit::Circuit;

use super::expression;

/// Writes a circuit as a module with a vector of inputs `i` and one of outputs `o`.
pub fn write(circuit: &Circuit) -> String {
    let range = |count: usize| format!("[{}:0]", count.max(1) - 1);
    let (inputs, outputs) = (range(circuit.inputs()), range(circuit.outputs().len()));
    let mut text = format!("module circuit(input wire {inputs} i, output wire {outputs} o);\n");
    let name = |signal: u32| match (signal as usize).checked_sub(circuit.inputs()) {
        None => format!("i[{signal}]"),
        Some(gate) => format!("g{gate}"),
    };
    for (index, gate) in circuit.gates().iter().enumerate() {
        let value = expression(gate.op, &name(gate.a), &name(gate.b), ["1'b0", "1'b1"]);
        // Writing to a text cannot fail.
        let _ = writeln!(text, "  wire g{index} = {value};");
    }
    for (index, &signal) in circuit.outputs().iter().enumerate() {
        let _ = writeln!(text, "  assign o[{index}] = {};", name(signal));
    }
    text + "endmodule\n"
}
