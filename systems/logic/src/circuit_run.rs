//! Running a circuit on boards of any size, 64 cells to a word.
//!
//! Wide boards are run row by row, as [`rekindle_gates::Automaton`] does it. Of narrow ones many share a word; there
//! the planes of the neighbours are made first, and the circuit is a plain function of them.

use rekindle_compute::KernelPath;
use rekindle_gates::{self as gates, Automaton, Circuit, Lattice, Program};

use crate::boards::{Boards, clear_beyond};
use crate::config::Boundary;
use crate::error::LogicError;
use crate::grid::Grid;
use crate::hard_circuit::{HardCircuit, HardLayer};

/// Boards of this width or more are run row by row.
const WIDE: usize = 64;

/// A circuit in the form it is run in.
#[derive(Clone, Debug)]
pub struct CompiledCircuit {
    channels: usize,
    gates: usize,
    program: Program,
    /// Which neighbourhood bits are read, as channel x 9 + position: the inputs of the program.
    reads: Vec<u32>,
    circuit: Circuit,
}

impl HardCircuit {
    /// Brings the circuit into the form it is run in.
    ///
    /// # Errors
    /// The circuit is damaged; see [`HardCircuit::validate`].
    pub fn compile(&self) -> Result<CompiledCircuit, LogicError> {
        self.validate()?;
        Ok(self.trace())
    }

    /// As [`HardCircuit::compile`], of a circuit that is known to be sound.
    pub(crate) fn trace(&self) -> CompiledCircuit {
        CompiledCircuit::new(self.unrolled())
    }

    /// The circuit of one cell: input `9 channel + position` is a bit of its neighbourhood, and the outputs are its
    /// next state.
    ///
    /// # Errors
    /// The circuit is damaged; see [`HardCircuit::validate`].
    pub fn circuit(&self) -> Result<Circuit, LogicError> {
        self.validate()?;
        Ok(self.unrolled())
    }

    fn unrolled(&self) -> Circuit {
        Unroller { gates: Vec::new(), inputs: 9 * self.channels as u32 }.unroll(self)
    }
}

impl CompiledCircuit {
    fn new(circuit: Circuit) -> Self {
        let (reads, narrow) = circuit.without_unread_inputs();
        let (channels, gates) = (circuit.outputs().len(), circuit.needed_gates());
        Self { channels, gates, program: Program::new(&narrow), reads, circuit }
    }

    /// Gates of one cell that its next state depends on.
    pub fn gates(&self) -> usize {
        self.gates
    }

    /// Takes boards through so many steps.
    ///
    /// # Errors
    /// The boards have another number of channels than the circuit.
    pub fn run(
        &self,
        boards: &Boards,
        boundary: Boundary,
        steps: usize,
        path: KernelPath,
    ) -> Result<Boards, LogicError> {
        if boards.channels() != self.channels {
            let (expected, found) = (self.channels, boards.channels());
            return Err(LogicError::Channels { expected, found });
        }
        let grid = Grid { width: boards.width(), height: boards.height(), boundary };
        if boards.width() >= WIDE {
            return self.run_rows(boards, &grid, steps, path);
        }
        Ok(self.advance(&Shifts::new(boards.count(), &grid), boards, steps, path))
    }

    fn run_rows(
        &self,
        boards: &Boards,
        grid: &Grid,
        steps: usize,
        path: KernelPath,
    ) -> Result<Boards, LogicError> {
        let automaton = Automaton::new(&self.circuit)?;
        let boundary = match grid.boundary {
            Boundary::Periodic => gates::Boundary::Periodic,
            Boundary::Zero => gates::Boundary::Zero,
        };
        let mut lattice = Lattice::zeros(grid.width, grid.height, self.channels, boundary);
        let mut found = boards.clone();
        for board in 0..boards.count() {
            let first = board * grid.cells();
            for (channel, plane) in boards.planes().iter().enumerate() {
                lattice.read_bits(channel, plane, first);
            }
            automaton.run(&mut lattice, steps, path)?;
            for (channel, plane) in found.planes_mut().iter_mut().enumerate() {
                lattice.write_bits(channel, plane, first);
            }
        }
        Ok(found)
    }

    /// As [`CompiledCircuit::run`], of boards that are known to fit, and with the shifts of so many of
    /// their size.
    pub(crate) fn advance(&self, shifts: &Shifts, boards: &Boards, steps: usize, path: KernelPath) -> Boards {
        let (mut current, mut next) = (boards.clone(), boards.clone());
        let (words, cells) = (boards.planes()[0].len(), boards.cells());
        let mut inputs = vec![vec![0; words]; self.reads.len()];
        for _ in 0..steps {
            for (&read, input) in self.reads.iter().zip(&mut inputs) {
                shifts.apply(read as usize % 9, &current.planes()[read as usize / 9], input);
            }
            let ran = self.program.run(path, &inputs, next.planes_mut());
            debug_assert_eq!(ran, Ok(()), "the planes are made to fit");
            next.planes_mut().iter_mut().for_each(|plane| clear_beyond(plane, cells));
            std::mem::swap(&mut current, &mut next);
        }
        current
    }
}

/// How the bits of a plane move to show every cell one of its neighbours.
pub(crate) struct Shifts {
    /// For each position, each distance a bit moves by and the cells whose neighbour comes so.
    positions: Vec<Vec<(isize, Vec<u64>)>>,
}

impl Shifts {
    pub(crate) fn new(boards: usize, grid: &Grid) -> Self {
        Self { positions: (0..9).map(|position| distances(boards, grid, position)).collect() }
    }

    /// The plane of the neighbours at a position.
    fn apply(&self, position: usize, plane: &[u64], output: &mut Vec<u64>) {
        output.clear();
        output.resize(plane.len(), 0);
        for (distance, cells) in &self.positions[position] {
            let (words, bits) = (distance.div_euclid(64), distance.rem_euclid(64));
            let word = |index: isize| usize::try_from(index).ok().and_then(|i| plane.get(i)).copied();
            for (index, (output, cells)) in output.iter_mut().zip(cells).enumerate() {
                let low = word(index as isize + words).unwrap_or(0) >> bits;
                let high = match bits {
                    0 => 0,
                    _ => word(index as isize + words + 1).unwrap_or(0) << (64 - bits),
                };
                *output |= (low | high) & cells;
            }
        }
    }
}

fn distances(boards: usize, grid: &Grid, position: usize) -> Vec<(isize, Vec<u64>)> {
    let mut distances: Vec<(isize, Vec<u64>)> = Vec::new();
    let words = (boards * grid.cells()).div_ceil(64);
    for cell in 0..grid.cells() {
        let Some(other) = grid.neighbour(cell, position) else { continue };
        let distance = other as isize - cell as isize;
        let found = distances.iter().position(|(known, _)| *known == distance);
        let index = found.unwrap_or_else(|| {
            distances.push((distance, vec![0; words]));
            distances.len() - 1
        });
        for board in 0..boards {
            let bit = board * grid.cells() + cell;
            distances[index].1[bit / 64] |= 1 << (bit % 64);
        }
    }
    distances
}

/// Writes the kernels out for each channel.
struct Unroller {
    gates: Vec<gates::Gate>,
    inputs: u32,
}

impl Unroller {
    fn unroll(mut self, circuit: &HardCircuit) -> Circuit {
        let perceived = self.perceive(circuit);
        let outputs = self.layers(&circuit.update.layers, perceived);
        Circuit::of_sound_parts(self.inputs, self.gates, outputs)
    }

    /// The inputs of the update network: the cell's own channels, then the kernels' outputs,
    /// channel outermost, kernel innermost.
    fn perceive(&mut self, circuit: &HardCircuit) -> Vec<u32> {
        let channels = circuit.channels as u32;
        let mut perceived: Vec<u32> = (0..channels).map(|channel| channel * 9 + 4).collect();
        for channel in 0..channels {
            let inputs: Vec<u32> = (0..9).map(|position| channel * 9 + position).collect();
            let kernels = circuit.perception.kernels.iter();
            let outputs: Vec<_> = kernels.map(|kernel| self.layers(&kernel.layers, inputs.clone())).collect();
            let count = outputs.first().map_or(0, Vec::len);
            for output in 0..count {
                perceived.extend(outputs.iter().map(|kernel| kernel[output]));
            }
        }
        perceived
    }

    fn layers(&mut self, layers: &[HardLayer], mut values: Vec<u32>) -> Vec<u32> {
        for layer in layers {
            let first = self.inputs + self.gates.len() as u32;
            let gates = layer.gates.iter().map(|gate| gates::Gate {
                op: gate.op,
                a: values[gate.wire_a as usize],
                b: values[gate.wire_b as usize],
            });
            self.gates.extend(gates);
            values = (first..first + layer.gates.len() as u32).collect();
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Model;
    use crate::hard_circuit::Gate;
    use crate::state::State;
    use proptest::prelude::*;
    use rekindle_compute::rng;

    /// A circuit whose gates are drawn at random.
    fn random_circuit(seed: u64) -> HardCircuit {
        let model = Model {
            channels: 2,
            kernels: 2,
            kernel_gates: vec![8, 5, 3],
            update_gates: vec![9, 7, 4, 2],
            pass_logit: 10.0,
            identity_start: false,
        };
        let mut circuit = HardCircuit::harden(&model, &State::new(&model, seed).unwrap());
        let mut stream = rng::stream(seed, 77, 0);
        let kernels = circuit.perception.kernels.iter_mut().flat_map(|kernel| &mut kernel.layers);
        for layer in kernels.chain(&mut circuit.update.layers) {
            layer.gates.iter_mut().for_each(|gate| gate.op = stream.below(16) as u8);
        }
        circuit
    }

    fn evaluate_layers(layers: &[HardLayer], mut values: Vec<bool>) -> Vec<bool> {
        for layer in layers {
            let output = |gate: &Gate| {
                let (a, b) = (values[gate.wire_a as usize], values[gate.wire_b as usize]);
                gate.op >> (3 - 2 * u8::from(a) - u8::from(b)) & 1 == 1
            };
            values = layer.gates.iter().map(output).collect();
        }
        values
    }

    /// One step, cell by cell and gate by gate.
    fn plain_step(circuit: &HardCircuit, boards: &Boards, grid: &Grid) -> Boards {
        let mut next = boards.clone();
        for index in 0..boards.cells() {
            let (board, cell) = (index / grid.cells(), index % grid.cells());
            let mut inputs: Vec<bool> =
                (0..circuit.channels).map(|channel| boards.bit(channel, index)).collect();
            for channel in 0..circuit.channels {
                let bit = |position| {
                    let other = grid.neighbour(cell, position);
                    other.is_some_and(|other| boards.bit(channel, board * grid.cells() + other))
                };
                let patch: Vec<bool> = (0..9).map(bit).collect();
                let kernels = circuit.perception.kernels.iter();
                let outputs: Vec<_> =
                    kernels.map(|kernel| evaluate_layers(&kernel.layers, patch.clone())).collect();
                for output in 0..outputs[0].len() {
                    inputs.extend(outputs.iter().map(|kernel| kernel[output]));
                }
            }
            for (channel, value) in evaluate_layers(&circuit.update.layers, inputs).into_iter().enumerate() {
                next.set_bit(channel, index, value);
            }
        }
        next
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn the_short_form_computes_what_the_circuit_says(
            seed: u64, count in 1..4_usize, width in 1..20_usize, height in 1..20_usize, torus: bool,
        ) {
            let circuit = random_circuit(seed);
            let boundary = if torus { Boundary::Periodic } else { Boundary::Zero };
            let grid = Grid { width, height, boundary };
            let mut boards = Boards::zeros(count, width, height, 2);
            boards.randomize(2, &mut rng::stream(seed, 78, 0));
            let found = circuit.compile().unwrap().run(&boards, boundary, 3, KernelPath::best()).unwrap();
            let mut expected = boards;
            for _ in 0..3 {
                expected = plain_step(&circuit, &expected, &grid);
            }
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_circuit_of_constants_needs_one_gate_each() {
        let mut circuit = random_circuit(1);
        for gate in &mut circuit.update.layers[3].gates {
            gate.op = 15;
        }
        let compiled = circuit.compile().unwrap();
        assert_eq!(compiled.gates(), 2);
        let boards = Boards::zeros(1, 5, 5, 2);
        let found = compiled.run(&boards, Boundary::Zero, 1, KernelPath::best()).unwrap();
        assert!((0..25).all(|cell| found.bit(0, cell) && found.bit(1, cell)));
    }

    #[test]
    fn boards_of_other_channels_are_refused() {
        let boards = Boards::zeros(1, 5, 5, 3);
        let compiled = random_circuit(1).compile().unwrap();
        let error = compiled.run(&boards, Boundary::Zero, 1, KernelPath::best()).unwrap_err();
        assert_eq!(error.to_string(), "the board has 3 channels, the circuit 2");
    }
}
