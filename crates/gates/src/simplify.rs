//! Circuits made smaller without changing what they compute, with a proof.

use crate::circuit::Circuit;
use crate::error::CircuitError;
use crate::proof::{Verdict, prove};
use crate::search;
use crate::sweep::{Limits, sweep};
use crate::xag::Xag;

/// A circuit that was made smaller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simplified {
    /// The smaller one.
    pub circuit: Circuit,
    /// What was shown about it and the one that it was made of.
    pub verdict: Verdict,
}

/// Makes a circuit smaller: constants, copies and inverters are absorbed, what no output depends on is left out,
/// gates that compute the same are made one; a circuit of few inputs is then searched for a smaller one that
/// computes the same. The same circuit always gives the same outcome.
///
/// # Errors
/// None is known; it has the form of [`prove`].
pub fn simplify(circuit: &Circuit, limits: Limits) -> Result<Simplified, CircuitError> {
    let (reads, narrow) = circuit.without_unread_inputs();
    let mut graph = Xag::of(&narrow).pruned();
    loop {
        let smaller = sweep(&graph, limits).graph.pruned();
        if smaller.nodes().len() >= graph.nodes().len() {
            break;
        }
        graph = smaller;
    }
    if search::can_search(&graph) {
        graph = search::smaller(&graph);
    }
    let smaller = graph.to_circuit().with_inputs(&reads, circuit.inputs());
    // Inverters in front of outputs may cost more than they did.
    let smaller = if smaller.gates().len() <= circuit.gates().len() { smaller } else { circuit.clone() };
    let verdict = prove(circuit, &smaller, limits)?;
    Ok(Simplified { circuit: smaller, verdict })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{life, random_circuit, random_layers};

    fn check(circuit: &Circuit) -> Circuit {
        let simplified = simplify(circuit, Limits::default()).unwrap();
        assert!(matches!(simplified.verdict, Verdict::Equal { .. }), "{:?}", simplified.verdict);
        assert!(simplified.circuit.gates().len() <= circuit.gates().len());
        simplified.circuit
    }

    #[test]
    fn life_needs_few_gates() {
        let simplified = check(&life());
        assert!(simplified.gates().len() <= 30, "{}", simplified.gates().len());
        assert_eq!(check(&life()), simplified);
    }

    #[test]
    fn random_circuits_become_smaller_and_stay_equal() {
        for seed in 0..4 {
            check(&random_circuit(seed, 7, 60, 2));
        }
        let layers = random_layers(1, 50, 4, 200);
        assert!(2 * check(&layers).gates().len() < layers.gates().len());
    }

    #[test]
    fn a_circuit_that_is_constant_inside_becomes_nothing() {
        // x and y, and x and not y: never both, though no gate says so.
        let gate = |op, a, b| crate::Gate { op, a, b };
        let gates =
            vec![gate(1, 0, 1), gate(2, 0, 2), gate(1, 3, 2), gate(2, 4, 3), gate(7, 5, 0), gate(1, 5, 6)];
        let circuit = Circuit::new(3, gates, vec![8]).unwrap();
        let simplified = check(&circuit);
        assert!(simplified.needed_gates() <= 2, "{simplified:?}");
    }
}
