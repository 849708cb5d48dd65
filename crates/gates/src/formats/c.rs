//! C.

use std::fmt::Write;

use crate::circuit::Circuit;

use super::expression;

/// Writes a circuit as a C99 function that computes 64 settings of the inputs at once.
pub fn write(circuit: &Circuit) -> String {
    let (inputs, outputs) = (circuit.inputs(), circuit.outputs().len());
    let mut text = format!(
        "#include <stdint.h>\n\n/* {inputs} inputs, {outputs} outputs; bit k of each word belongs to setting k. */\n\
         void circuit(const uint64_t *in, uint64_t *out)\n{{\n"
    );
    let name = |signal: u32| match (signal as usize).checked_sub(inputs) {
        None => format!("in[{signal}]"),
        Some(gate) => format!("g{gate}"),
    };
    for (index, gate) in circuit.gates().iter().enumerate() {
        let value = expression(gate.op, &name(gate.a), &name(gate.b), ["0", "~(uint64_t)0"]);
        // Writing to a text cannot fail.
        let _ = writeln!(text, "    const uint64_t g{index} = {value};");
    }
    // Outputs may stand where inputs were: all are computed before the first is written.
    let signals = circuit.outputs().iter().enumerate();
    for (index, &signal) in signals.clone() {
        let _ = writeln!(text, "    const uint64_t o{index} = {};", name(signal));
    }
    for (index, _) in signals {
        let _ = writeln!(text, "    out[{index}] = o{index};");
    }
    text + "}\n"
}
