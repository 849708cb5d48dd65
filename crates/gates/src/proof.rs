//! Proofs that two circuits compute the same.
//!
//! Up to 24 inputs all settings are tried. Beyond, a solver looks for a setting in which an output differs; it is
//! helped by first making one what is equal inside. Where it finds none within its limits, nothing is said.

use rekindle_compute::KernelPath;
use serde::{Deserialize, Serialize};

use crate::circuit::{Circuit, expect};
use crate::error::CircuitError;
use crate::program::Program;
use crate::sweep::{Answer, Limits, Swept, sweep};
use crate::xag::{Literal, Xag, moved};

/// All settings of so many inputs are tried.
pub const MOST_EXHAUSTIVE: usize = 24;

/// Words of settings that are tried at once.
const BLOCK: usize = 512;

/// How two circuits were compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// All settings of the inputs were tried.
    Exhaustive,
    /// A solver showed that there is no setting in which they differ.
    Sat,
}

/// What was found out about two circuits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They compute the same.
    Equal {
        /// How that was shown.
        method: Method,
        /// Settings that were tried, or conflicts that the solver had.
        effort: u64,
    },
    /// They do not.
    Different {
        /// The inputs of a case in which they differ.
        setting: Vec<bool>,
        /// An output that differs.
        output: usize,
    },
    /// Neither was shown within the limits.
    NotProven {
        /// Conflicts that the solver had.
        conflicts: u64,
    },
}

/// Compares two circuits.
///
/// # Errors
/// They have different numbers of inputs or outputs.
pub fn prove(a: &Circuit, b: &Circuit, limits: Limits) -> Result<Verdict, CircuitError> {
    expect("inputs", b.inputs(), a.inputs())?;
    expect("outputs", b.outputs().len(), a.outputs().len())?;
    let verdict = match a.inputs() <= MOST_EXHAUSTIVE {
        true => try_all(a, b)?,
        false => by_solver(a, b, limits),
    };
    Ok(verdict)
}

fn try_all(a: &Circuit, b: &Circuit) -> Result<Verdict, CircuitError> {
    let programs = [Program::new(a), Program::new(b)];
    let settings = 1_u64 << a.inputs();
    let all = settings.div_ceil(64);
    let words = all.min(BLOCK as u64) as usize;
    let mut inputs = vec![vec![0; words]; a.inputs()];
    let mut found = [(); 2].map(|()| vec![vec![0; words]; a.outputs().len()]);
    for first in (0..all).step_by(words) {
        for (input, plane) in inputs.iter_mut().enumerate() {
            let words = plane.iter_mut().enumerate();
            words.for_each(|(word, value)| *value = values_of(input, first + word as u64));
        }
        for (program, found) in programs.iter().zip(&mut found) {
            program.run(KernelPath::best(), &inputs, found)?;
        }
        if let Some((output, setting)) = first_difference(&found, settings.min(64) as u32) {
            let setting = first * 64 + setting;
            let setting = (0..a.inputs()).map(|input| setting >> input & 1 == 1).collect();
            return Ok(Verdict::Different { setting, output });
        }
    }
    Ok(Verdict::Equal { method: Method::Exhaustive, effort: settings })
}

/// The values of an input in 64 settings, of which that of number `i` has the bits of `i` as inputs.
pub(crate) fn values_of(input: usize, word: u64) -> u64 {
    const LOW: [u64; 6] = [
        0xaaaa_aaaa_aaaa_aaaa,
        0xcccc_cccc_cccc_cccc,
        0xf0f0_f0f0_f0f0_f0f0,
        0xff00_ff00_ff00_ff00,
        0xffff_0000_ffff_0000,
        0xffff_ffff_0000_0000,
    ];
    match LOW.get(input) {
        Some(&low) => low,
        None => (word >> (input - 6) & 1).wrapping_neg(),
    }
}

fn first_difference([a, b]: &[Vec<Vec<u64>>; 2], settings: u32) -> Option<(usize, u64)> {
    let mask = !0 >> (64 - settings);
    for (output, (a, b)) in a.iter().zip(b).enumerate() {
        for (word, (a, b)) in a.iter().zip(b).enumerate() {
            let difference = (a ^ b) & mask;
            if difference != 0 {
                return Some((output, word as u64 * 64 + u64::from(difference.trailing_zeros())));
            }
        }
    }
    None
}

fn by_solver(a: &Circuit, b: &Circuit, limits: Limits) -> Verdict {
    let outputs = a.outputs().len();
    let Swept { graph, mut oracle } = sweep(&joined(a, b), limits);
    for output in 0..outputs {
        let (one, other) = (graph.outputs[output], graph.outputs[outputs + output]);
        if one == other {
            continue;
        }
        match oracle.differ(&graph, one, other) {
            Answer::Never => {}
            Answer::Sometimes(setting) => return Verdict::Different { setting, output },
            Answer::Unknown => return Verdict::NotProven { conflicts: oracle.conflicts() },
        }
    }
    Verdict::Equal { method: Method::Sat, effort: oracle.conflicts() }
}

/// Both circuits in one graph, which has first the outputs of the one, then those of the other.
fn joined(a: &Circuit, b: &Circuit) -> Xag {
    let mut graph = Xag::of(a);
    let other = Xag::of(b);
    let mut literals: Vec<Literal> = (0..other.first_node()).map(|v| Literal::of(v as u32)).collect();
    for &node in other.nodes() {
        let literal = graph.copy(node, |read| moved(&literals, read));
        literals.push(literal);
    }
    let outputs = other.outputs.iter().map(|&output| moved(&literals, output));
    graph.outputs.extend(outputs);
    graph
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::circuit::Gate;
    use crate::testing::{random_circuit, random_layers};

    /// The circuit with the function of one gate changed.
    fn spoilt(circuit: &Circuit, gate: usize) -> Circuit {
        let mut gates = circuit.gates().to_vec();
        gates[gate].op ^= 1;
        Circuit::new(circuit.inputs(), gates, circuit.outputs().to_vec()).unwrap()
    }

    #[test]
    fn what_differs_in_a_single_setting_is_found_by_both_methods() {
        for inputs in [5, 9, 30] {
            // All inputs together, and nothing.
            let mut gates = vec![Gate { op: 1, a: 0, b: 1 }];
            gates.extend((2..inputs).map(|input| Gate { op: 1, a: input + inputs - 2, b: input }));
            let last = 2 * inputs - 2;
            let all = Circuit::new(inputs as usize, gates, vec![last]).unwrap();
            let none = Circuit::new(inputs as usize, vec![Gate { op: 0, a: 0, b: 0 }], vec![inputs]).unwrap();
            let setting = vec![true; inputs as usize];
            let verdict = prove(&all, &none, Limits::default()).unwrap();
            assert_eq!(verdict, Verdict::Different { setting, output: 0 });
        }
    }

    #[test]
    fn a_counterexample_is_one() {
        for seed in 0..20 {
            for circuit in [random_circuit(seed, 8, 60, 3), random_layers(seed, 40, 4, 60)] {
                let other = spoilt(&circuit, circuit.gates().len() / 2);
                match prove(&circuit, &other, Limits::default()).unwrap() {
                    Verdict::Different { setting, output } => {
                        let [one, two] = [&circuit, &other].map(|of| of.evaluate(&setting).unwrap()[output]);
                        assert_ne!(one, two);
                    }
                    verdict => assert!(matches!(verdict, Verdict::Equal { .. }), "{verdict:?}"),
                }
            }
        }
    }

    #[test]
    fn a_circuit_equals_its_graph_whatever_its_size() {
        for circuit in [random_circuit(3, 12, 200, 5), random_layers(4, 60, 3, 400)] {
            let other = Xag::of(&circuit).to_circuit();
            assert!(matches!(prove(&circuit, &other, Limits::default()).unwrap(), Verdict::Equal { .. }));
        }
    }

    #[test]
    fn without_conflicts_nothing_is_said() {
        // Parities in two orders, which hashing does not find to be equal.
        let parity = |order: &mut dyn Iterator<Item = u32>| {
            let first = order.next().unwrap();
            let mut gates: Vec<Gate> = Vec::new();
            let mut last = first;
            for input in order {
                gates.push(Gate { op: 6, a: last, b: input });
                last = 30 + gates.len() as u32 - 1;
            }
            Circuit::new(30, gates, vec![last]).unwrap()
        };
        let (a, b) = (parity(&mut (0..30)), parity(&mut (0..30).rev()));
        let none = Limits { question: 0, ..Limits::default() };
        assert_eq!(prove(&a, &b, none).unwrap(), Verdict::NotProven { conflicts: 0 });
    }
}
