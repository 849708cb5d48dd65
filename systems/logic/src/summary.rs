//! A circuit in words.

use crate::check::Check;
use crate::config::{Model, Training};
use crate::hard_circuit::HardCircuit;
use rekindle_gates::gate::{GATES, NAMES};

/// The shape of a circuit, its gates, and how well it does its task where that is known.
pub(crate) fn summary(
    model: &Model,
    training: &Training,
    circuit: &HardCircuit,
    needed: usize,
    check: Option<Check>,
) -> String {
    let mut lines = vec![
        format!(
            "{} to a cell; {} of {} gates; {} gates make the next state",
            counted(model.channels, "bit"),
            counted(model.kernels, "kernel"),
            shape(&model.kernel_gates),
            shape(&model.update_gates)
        ),
        format!(
            "{} gates, {} of which do more than pass an input on; the next state of a cell depends on {needed}",
            model.gates(),
            circuit.active_gates()
        ),
        format!("functions: {}", functions(circuit)),
    ];
    lines.push(match check {
        Some(check) => check.verdict(training),
        None => "what it is for is not known".to_owned(),
    });
    lines.join("\n")
}

fn shape(gates: &[usize]) -> String {
    gates.iter().map(usize::to_string).collect::<Vec<_>>().join("-")
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// How many gates have each function that occurs, the commonest first.
fn functions(circuit: &HardCircuit) -> String {
    let mut counts = [0usize; GATES];
    circuit.gates().for_each(|gate| counts[usize::from(gate.op)] += 1);
    let mut used: Vec<(usize, &str)> =
        counts.into_iter().zip(NAMES).filter(|(count, _)| *count > 0).collect();
    used.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    used.iter().map(|(count, name)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
}
