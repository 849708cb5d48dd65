//! Making a circuit right, and small, by changing the functions of single gates.
//!
//! Gradients leave circuits whose gates are nearly what they should be: mixtures carry a part of the
//! function, and the likeliest functions alone do not. Simulated annealing over the circuit itself repairs
//! many of them, and it takes gates away that a circuit can do without on the boards that matter, which no
//! simplification finds that keeps the circuit the same on all boards.

mod live;
mod search;

use serde::{Deserialize, Serialize};

use crate::error::LogicError;
use crate::hard_circuit::HardCircuit;
use rekindle_gates::gate::GATES;

pub(crate) use search::{Judge, Leanings};

/// Searches that go on side by side, whatever the number of threads.
const SEARCHES: usize = 2;

/// A circuit while it is refined.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refined {
    /// Whether the circuit is right and loses gates; otherwise it is repaired.
    pub pruning: bool,
    /// Steps done of that.
    pub steps: u64,
    /// The searches.
    pub searches: Vec<Search>,
}

/// One of the searches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Search {
    /// The function of each gate: every kernel's, then the update network's.
    pub functions: Vec<u8>,
    /// Cells that they get wrong on the boards that changes are judged by.
    pub wrong_cells: u64,
    /// Gates that a cell's next state depends on.
    pub gates: u64,
    /// The best functions so far.
    pub best: Vec<u8>,
    /// Cells that these get wrong.
    pub best_wrong_cells: u64,
    /// Their gates.
    pub best_gates: u64,
}

impl Refined {
    /// The beginning of the refinement of a circuit.
    pub(crate) fn begin(circuit: &HardCircuit, judge: &Judge, pruning: bool) -> Self {
        let functions: Vec<u8> = circuit.gates().map(|gate| gate.op).collect();
        let compiled = circuit.trace();
        let wrong_cells = judge.wrong_cells(&compiled, usize::MAX) as u64;
        let gates = compiled.gates() as u64;
        let search = Search {
            best: functions.clone(),
            best_wrong_cells: wrong_cells,
            best_gates: gates,
            functions,
            wrong_cells,
            gates,
        };
        Self { pruning, steps: 0, searches: vec![search; SEARCHES] }
    }

    /// The functions of the best circuit so far.
    pub(crate) fn best(&self) -> &[u8] {
        self.best_search().map_or(&[], |search| &search.best)
    }

    /// The search with the best circuit so far, the first of equals.
    pub(crate) fn best_search(&self) -> Option<&Search> {
        self.searches.iter().min_by_key(|search| (search.best_wrong_cells, search.best_gates))
    }

    /// Checks that there is a function for each of so many gates.
    pub(crate) fn validate(&self, gates: usize) -> Result<(), LogicError> {
        if self.searches.len() != SEARCHES {
            let problem = format!("holds {} elements, not {SEARCHES}", self.searches.len());
            return Err(LogicError::state("refined.searches", problem));
        }
        for (index, search) in self.searches.iter().enumerate() {
            for (field, functions) in [("functions", &search.functions), ("best", &search.best)] {
                let entry = format!("refined.searches.{index}.{field}");
                if functions.len() != gates {
                    let problem = format!("holds {} elements, not {gates}", functions.len());
                    return Err(LogicError::state(entry, problem));
                }
                if let Some(function) = functions.iter().find(|&&function| usize::from(function) >= GATES) {
                    return Err(LogicError::state(
                        entry,
                        format!("has {function}, not one of the 16 functions"),
                    ));
                }
            }
        }
        Ok(())
    }
}
