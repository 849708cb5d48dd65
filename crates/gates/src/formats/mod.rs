//! Circuits as files of other programs.
//!
//! | format | read | written |
//! |---|---|---|
//! | [AIGER](aiger), text and binary | yes | yes |
//! | [BLIF](blif::write) | | yes |
//! | [Verilog](verilog::write) | | yes |
//! | [C](c::write), 64 settings a word | | yes |
//! | [Graphviz](dot::write) | | yes |
//! | [Golly](golly::write), of one-bit rules of 3x3 neighbourhoods | | yes |
//! | [ONNX](onnx::write) | | yes |

pub mod aiger;
pub mod blif;
pub mod c;
pub mod dot;
pub mod golly;
pub mod onnx;
pub mod verilog;

use crate::circuit::Circuit;
use crate::error::CircuitError;

/// A format that circuits are written in.
#[derive(Clone, Copy, Debug)]
pub struct Writing {
    /// Its name.
    pub name: &'static str,
    /// The ending of its files.
    pub ending: &'static str,
    /// Makes a file of a circuit.
    pub write: fn(&Circuit) -> Result<Vec<u8>, CircuitError>,
}

/// All formats that circuits are written in.
pub const FORMATS: &[Writing] = &[
    Writing { name: "AIGER (text)", ending: ".aag", write: |circuit| Ok(aiger::write_text(circuit)) },
    Writing { name: "AIGER (binary)", ending: ".aig", write: |circuit| Ok(aiger::write_binary(circuit)) },
    Writing { name: "BLIF", ending: ".blif", write: |circuit| Ok(blif::write(circuit).into_bytes()) },
    Writing { name: "Verilog", ending: ".v", write: |circuit| Ok(verilog::write(circuit).into_bytes()) },
    Writing { name: "C", ending: ".c", write: |circuit| Ok(c::write(circuit).into_bytes()) },
    Writing { name: "Graphviz", ending: ".dot", write: |circuit| Ok(dot::write(circuit).into_bytes()) },
    Writing { name: "Golly", ending: ".rle", write: |circuit| Ok(golly::write(circuit)?.into_bytes()) },
    Writing { name: "ONNX", ending: ".onnx", write: onnx::write },
];

/// The name of a signal in texts: `i` and the number of an input, or `g` and that of a gate.
fn name(circuit: &Circuit, signal: u32) -> String {
    match (signal as usize).checked_sub(circuit.inputs()) {
        None => format!("i{signal}"),
        Some(gate) => format!("g{gate}"),
    }
}

/// A gate as C and Verilog write it.
fn expression(op: u8, a: &str, b: &str, constants: [&str; 2]) -> String {
    match op {
        0 => constants[0].to_owned(),
        1 => format!("{a} & {b}"),
        2 => format!("{a} & ~{b}"),
        3 => a.to_owned(),
        4 => format!("~{a} & {b}"),
        5 => b.to_owned(),
        6 => format!("{a} ^ {b}"),
        7 => format!("{a} | {b}"),
        8 => format!("~({a} | {b})"),
        9 => format!("~({a} ^ {b})"),
        10 => format!("~{b}"),
        11 => format!("{a} | ~{b}"),
        12 => format!("~{a}"),
        13 => format!("~{a} | {b}"),
        14 => format!("~({a} & {b})"),
        _ => constants[1].to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{life, random_circuit};

    #[test]
    fn every_format_writes_every_circuit_of_its_kind_and_the_same_each_time() {
        for format in FORMATS {
            let file = (format.write)(&life()).unwrap();
            assert!(!file.is_empty() && file == (format.write)(&life()).unwrap(), "{}", format.name);
            let other = (format.write)(&random_circuit(1, 7, 30, 4));
            assert_eq!(other.is_err(), format.name == "Golly", "{}", format.name);
        }
    }
}
