//! The phases of the search.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A phase: what it changes, and how it looks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Phase {
    /// Numbers of neurons, by a genetic algorithm.
    #[serde(rename = "1a")]
    GeneticNeurons,
    /// Numbers of neurons, by tabu search.
    #[serde(rename = "1b")]
    TabuNeurons,
    /// Address bits, by a genetic algorithm.
    #[serde(rename = "2a")]
    GeneticBits,
    /// Address bits, by tabu search.
    #[serde(rename = "2b")]
    TabuBits,
    /// Connections, by a genetic algorithm.
    #[serde(rename = "3a")]
    GeneticConnections,
    /// Connections, by tabu search.
    #[serde(rename = "3b")]
    TabuConnections,
}

/// What a phase changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trait {
    /// How many neurons a cluster has.
    Neurons,
    /// How many bits they address their memories with.
    Bits,
    /// Which bits those are.
    Connections,
}

impl Phase {
    /// All of them in their order.
    pub const ALL: [Self; 6] = [
        Self::GeneticNeurons,
        Self::TabuNeurons,
        Self::GeneticBits,
        Self::TabuBits,
        Self::GeneticConnections,
        Self::TabuConnections,
    ];

    /// Its short name, such as `1a`.
    pub fn key(self) -> &'static str {
        ["1a", "1b", "2a", "2b", "3a", "3b"][self as usize]
    }

    /// The phase of a short name.
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.key() == key)
    }

    /// Its name in the files of the original program.
    pub fn name(self) -> &'static str {
        [
            "Phase 1a: GA Neurons Only",
            "Phase 1b: TS Neurons Only (refine)",
            "Phase 2a: GA Bits Only",
            "Phase 2b: TS Bits Only (refine)",
            "Phase 3a: GA Connections Only",
            "Phase 3b: TS Connections Only (refine)",
        ][self as usize]
    }

    /// Its name in results files of the original program.
    pub fn results_key(self) -> &'static str {
        ["phase1_ga", "phase1_ts", "phase2_ga", "phase2_ts", "phase3_ga", "phase3_ts"][self as usize]
    }

    /// What it changes.
    pub fn changes(self) -> Trait {
        match self {
            Self::GeneticNeurons | Self::TabuNeurons => Trait::Neurons,
            Self::GeneticBits | Self::TabuBits => Trait::Bits,
            Self::GeneticConnections | Self::TabuConnections => Trait::Connections,
        }
    }

    /// True for a genetic algorithm, false for a tabu search.
    pub fn is_genetic(self) -> bool {
        matches!(self, Self::GeneticNeurons | Self::GeneticBits | Self::GeneticConnections)
    }

    /// The phase after it.
    pub fn next(self) -> Option<Self> {
        Self::ALL.get(self as usize + 1).copied()
    }

    /// The phase before it.
    pub fn previous(self) -> Option<Self> {
        (self as usize).checked_sub(1).map(|before| Self::ALL[before])
    }
}
