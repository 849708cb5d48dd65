//! Simulated annealing over the functions of a circuit's gates.

use rekindle_compute::rng::{self, Stream};
use rekindle_compute::{KernelPath, Pool, math};
use rekindle_gates::gate::{GATES, PASS_A, PASS_B};

use super::live::live_gates;
use super::{Refined, Search};
use crate::circuit_run::CompiledCircuit;
use crate::config::Refinement;
use crate::hard_circuit::HardCircuit;
use crate::select::SelectBoards;
use crate::state::State;
use crate::streams;

/// Changes that each search tries in a step.
const PROPOSALS: u64 = 64;

/// Boards that a change is judged by, unless there are fewer. A circuit is held right when it is on all.
const JUDGED_CELLS: usize = 1 << 14;

/// At the beginning of a repair, so many cells of those judged may get wrong by one change.
const REPAIR_TEMPERATURE: f32 = 1.0 / 512.0;

/// At the beginning and at the end of pruning, so many gates may be added by one change.
const PRUNE_TEMPERATURE: [f32; 2] = [0.65, 0.05];

/// How often a repair draws any function, whatever the mixture tends to.
const ANY_FUNCTION: f32 = 0.15;

/// The chance that is left to gates whose mixtures are sure of a function.
const LEAST_DOUBT: f32 = 1e-4;

/// What changes are judged by.
pub(crate) struct Judge<'a> {
    pub(crate) select: &'a SelectBoards,
    pub(crate) path: KernelPath,
}

impl Judge<'_> {
    /// Cells that a circuit gets wrong on the boards that changes are judged by: all, or so many as are more
    /// than `limit`.
    pub(crate) fn wrong_cells(&self, circuit: &CompiledCircuit, limit: usize) -> usize {
        let groups = self.select.groups();
        let judged = (JUDGED_CELLS * groups).div_ceil(self.select.cells()).clamp(1, groups);
        self.select.wrong_cells_within(judged, limit, circuit, self.path)
    }

    fn is_right(&self, circuit: &CompiledCircuit) -> bool {
        self.select.wrong_cells_within(self.select.groups(), 0, circuit, self.path) == 0
    }
}

/// What the mixtures tend to: for each gate, its functions' shares.
pub(crate) struct Leanings {
    shares: Vec<[f32; GATES]>,
}

impl Leanings {
    /// Those of a state, in the order of [`HardCircuit::gates`].
    pub(crate) fn of(state: &State) -> Self {
        let mut shares = Vec::new();
        let perception = &state.perception.layers;
        let kernels = perception.first().map_or(0, |layer| layer.logits.len() / GATES / layer.wire_a.len());
        for kernel in 0..kernels {
            for layer in perception {
                let gates = layer.wire_a.len();
                shares.extend(layer.logits.as_chunks().0[kernel * gates..][..gates].iter().map(softmax));
            }
        }
        for layer in &state.update.layers {
            shares.extend(layer.logits.as_chunks().0.iter().map(softmax));
        }
        Self { shares }
    }

    /// How far a gate is from being sure of a function.
    fn doubt(&self, gate: usize) -> f32 {
        let largest = self.shares[gate].iter().fold(0.0_f32, |a, &b| if b > a { b } else { a });
        1.0 - largest + LEAST_DOUBT
    }
}

fn softmax(logits: &[f32; GATES]) -> [f32; GATES] {
    let largest = logits.iter().fold(f32::MIN, |a, &b| if b > a { b } else { a });
    let shares = logits.map(|logit| math::exp(logit - largest));
    let sum: f32 = shares.iter().sum();
    shares.map(|share| share / sum)
}

/// A draw by weights.
fn weighted(weights: impl Iterator<Item = f32> + Clone, stream: &mut Stream) -> usize {
    let total: f32 = weights.clone().sum();
    let mut rest = stream.uniform() * total;
    let mut last = 0;
    for (index, weight) in weights.enumerate().filter(|(_, weight)| *weight > 0.0) {
        last = index;
        if rest < weight {
            break;
        }
        rest -= weight;
    }
    last
}

impl Refined {
    /// One step of every search.
    pub(crate) fn step(
        &mut self,
        (seed, step): (u64, u64),
        refinement: &Refinement,
        circuit: &HardCircuit,
        leanings: &Leanings,
        judge: &Judge,
        pool: &Pool,
    ) {
        let Self { pruning, steps, searches } = self;
        let total = if *pruning { refinement.prune_steps } else { refinement.repair_steps };
        let phase = Phase { pruning: *pruning, first: *steps * PROPOSALS, all: total * PROPOSALS };
        pool.for_each(searches, |index, search| {
            let stream = rng::stream(seed, streams::REFINEMENT + index as u64, step);
            let mut work = Work::new(search, circuit, leanings, judge, stream);
            for proposal in 0..PROPOSALS {
                work.propose(&phase, proposal);
            }
        });
        *steps += 1;
    }

    /// The functions of a circuit that a repair has made right.
    pub(crate) fn repaired(&self, circuit: &HardCircuit, judge: &Judge) -> Option<HardCircuit> {
        let mut circuit = circuit.clone();
        self.searches.iter().find_map(|search| {
            circuit.set_functions(&search.best);
            (search.best_wrong_cells == 0 && judge.is_right(&circuit.trace())).then(|| circuit.clone())
        })
    }
}

/// Where in the cooling a step stands.
struct Phase {
    pruning: bool,
    first: u64,
    all: u64,
}

impl Phase {
    /// The part of the cooling that is left: 1 to 0.
    fn left(&self, proposal: u64) -> f32 {
        1.0 - (self.first + proposal) as f32 / self.all.max(1) as f32
    }
}

/// A search at work.
struct Work<'a> {
    search: &'a mut Search,
    circuit: HardCircuit,
    live: Vec<usize>,
    leanings: &'a Leanings,
    judge: &'a Judge<'a>,
    stream: Stream,
}

impl<'a> Work<'a> {
    fn new(
        search: &'a mut Search,
        circuit: &HardCircuit,
        leanings: &'a Leanings,
        judge: &'a Judge<'a>,
        stream: Stream,
    ) -> Self {
        let mut circuit = circuit.clone();
        circuit.set_functions(&search.functions);
        let live = live_gates(&circuit);
        Self { search, circuit, live, leanings, judge, stream }
    }

    /// Tries another function for one gate.
    fn propose(&mut self, phase: &Phase, proposal: u64) {
        let left = phase.left(proposal);
        let (gate, function) = if phase.pruning { self.draw_simpler() } else { self.draw_likely() };
        // Drawn even where it is not needed, so that what follows does not depend on it.
        let chance = -math::ln(self.stream.uniform().max(f32::MIN_POSITIVE));
        let before = self.search.functions[gate];
        if before == function {
            return;
        }
        self.search.functions[gate] = function;
        self.circuit.set_functions(&self.search.functions);
        let compiled = self.circuit.trace();
        let accepted = match phase.pruning {
            true => self.judge_pruned(&compiled, left, chance),
            false => self.judge_repaired(&compiled, left, chance),
        };
        match accepted {
            true => self.live = live_gates(&self.circuit),
            false => self.search.functions[gate] = before,
        }
    }

    /// A gate that is in doubt, and a function that its mixture tends to.
    fn draw_likely(&mut self) -> (usize, u8) {
        let Self { live, leanings, stream, search, .. } = self;
        let gate = live[weighted(live.iter().map(|&gate| leanings.doubt(gate)), stream)];
        if stream.uniform() < ANY_FUNCTION {
            return (gate, stream.below(GATES as u64) as u8);
        }
        let present = usize::from(search.functions[gate]);
        let others = leanings.shares[gate].iter().enumerate();
        let others = others.map(|(function, &share)| if function == present { 0.0 } else { share });
        (gate, weighted(others, stream) as u8)
    }

    /// Any gate, and in half of all cases a function that needs no gate.
    fn draw_simpler(&mut self) -> (usize, u8) {
        const SIMPLE: [u8; 4] = [PASS_A, PASS_B, 0, GATES as u8 - 1];
        let gate = self.live[self.stream.below(self.live.len() as u64) as usize];
        let function = match self.stream.uniform() < 0.5 {
            true => SIMPLE[self.stream.below(4) as usize],
            false => self.stream.below(GATES as u64) as u8,
        };
        (gate, function)
    }

    fn judge_repaired(&mut self, compiled: &CompiledCircuit, left: f32, chance: f32) -> bool {
        let judged = self.judge.select.cells().min(JUDGED_CELLS) as f32;
        let temperature = (judged * REPAIR_TEMPERATURE * left * left).max(0.01);
        let limit = self.search.wrong_cells as usize + (temperature * chance) as usize;
        let wrong = self.judge.wrong_cells(compiled, limit);
        if wrong > limit {
            return false;
        }
        self.search.wrong_cells = wrong as u64;
        self.search.gates = compiled.gates() as u64;
        if self.search.wrong_cells < self.search.best_wrong_cells {
            self.search.keep_best();
        }
        true
    }

    fn judge_pruned(&mut self, compiled: &CompiledCircuit, left: f32, chance: f32) -> bool {
        let [warm, cold] = PRUNE_TEMPERATURE;
        let temperature = (warm - cold).mul_add(left, cold);
        let gates = compiled.gates() as u64;
        if gates > self.search.gates + (temperature * chance) as u64
            || self.judge.wrong_cells(compiled, 0) > 0
        {
            return false;
        }
        (self.search.wrong_cells, self.search.gates) = (0, gates);
        if gates < self.search.best_gates && self.judge.is_right(compiled) {
            self.search.keep_best();
        }
        true
    }
}

impl Search {
    fn keep_best(&mut self) {
        self.best.clone_from(&self.functions);
        (self.best_wrong_cells, self.best_gates) = (self.wrong_cells, self.gates);
    }
}
