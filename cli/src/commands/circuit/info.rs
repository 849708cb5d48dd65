//! `circuit info`: what a circuit is made of.

use std::collections::BTreeMap;

use rekindle_gates::{Limits, gate};
use rekindle_train::Registry;
use serde_json::json;

use crate::output;

use super::load::load;

pub fn info(registry: &Registry, text: &str, json: bool) -> anyhow::Result<u8> {
    let circuit = load(registry, text)?;
    let simplified = rekindle_gates::simplify(&circuit, Limits::default())?;
    let useful = simplified.circuit.active_gates();
    let mut functions: Vec<(usize, &str)> = circuit.functions().into_iter().zip(gate::NAMES).collect();
    functions.retain(|(count, _)| *count > 0);
    functions.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    if json {
        let functions: BTreeMap<&str, usize> =
            functions.into_iter().map(|(count, name)| (name, count)).collect();
        output::print_json(&json!({
            "inputs": circuit.inputs(), "outputs": circuit.outputs().len(), "gates": circuit.gates().len(),
            "depth": circuit.depth(), "active": circuit.active_gates(), "needed": circuit.needed_gates(),
            "useful": useful, "functions": functions,
        }))?;
        return Ok(0);
    }
    let functions: Vec<String> = functions.iter().map(|(count, name)| format!("{count} {name}")).collect();
    output::print(&format!(
        "{} inputs, {} outputs, {} gates, {} deep\n{} gates do more than pass an input on; the outputs depend on {} \
         of them, and on {useful} after simplification\nfunctions: {}",
        circuit.inputs(),
        circuit.outputs().len(),
        circuit.gates().len(),
        circuit.depth(),
        circuit.active_gates(),
        circuit.needed_gates(),
        functions.join(", ")
    ))?;
    Ok(0)
}
