//! BLIF, the Berkeley Logic Interchange Format, which ABC, SIS and Yosys read.

use std::fmt::Write;

use crate::circuit::Circuit;
use crate::gate;

use super::name;

/// Writes a circuit: inputs `i0`, `i1` …, outputs `o0`, `o1` …
pub fn write(circuit: &Circuit) -> String {
    let list =
        |letter: char, count: usize| -> String { (0..count).map(|i| format!(" {letter}{i}")).collect() };
    let mut text = format!(
        ".model circuit\n.inputs{}\n.outputs{}\n",
        list('i', circuit.inputs()),
        list('o', circuit.outputs().len())
    );
    for (index, gate) in circuit.gates().iter().enumerate() {
        let reads: String = gate.reads().map(|signal| format!(" {}", name(circuit, signal))).collect();
        // Writing to a text cannot fail.
        let _ = writeln!(text, ".names{reads} g{index}");
        text.push_str(&rows(gate.op));
    }
    for (index, &signal) in circuit.outputs().iter().enumerate() {
        let _ = writeln!(text, ".names {} o{index}\n1 1", name(circuit, signal));
    }
    text + ".end\n"
}

/// The settings of what is read in which the output is 1.
fn rows(op: u8) -> String {
    let [reads_a, reads_b] = gate::reads(op);
    let is_set = |a: u8, b: u8| op >> (3 - 2 * a - b) & 1 == 1;
    match (reads_a, reads_b) {
        (false, false) => {
            if is_set(0, 0) {
                "1\n".to_owned()
            } else {
                String::new()
            }
        }
        (true, false) => format!("{} 1\n", u8::from(is_set(1, 0))),
        (false, true) => format!("{} 1\n", u8::from(is_set(0, 1))),
        (true, true) => {
            let rows = [(0, 0), (0, 1), (1, 0), (1, 1)].into_iter().filter(|&(a, b)| is_set(a, b));
            rows.map(|(a, b)| format!("{a}{b} 1\n")).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::circuit::Gate;

    #[test]
    fn a_half_adder() {
        let gates = vec![Gate { op: 6, a: 0, b: 1 }, Gate { op: 12, a: 0, b: 9 }];
        let circuit = Circuit::new(2, gates, vec![2, 3]).unwrap();
        let expected = ".model circuit\n.inputs i0 i1\n.outputs o0 o1\n.names i0 i1 g0\n01 1\n10 1\n.names i0 g1\n0 1\n\
                        .names g0 o0\n1 1\n.names g1 o1\n1 1\n.end\n";
        assert_eq!(write(&circuit), expected);
    }
}
