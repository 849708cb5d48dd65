//! Circuits in the form they are run in, for many settings of the inputs at once.

use rekindle_compute::KernelPath;

use crate::circuit::{Circuit, expect};
use crate::cover::cover;
use crate::error::CircuitError;
use crate::lut::{Tile, VECTOR, Vector, execute};
use crate::net::Net;
use crate::schedule::{Code, CodeOutput};
use crate::xag::Xag;

/// All slots together are not larger than this where they need not be: bytes. It fits a first-level cache.
pub(crate) const CACHE: usize = 32 << 10;

/// Vectors of a slot at most.
const MOST_COLUMNS: usize = 32;

/// A circuit in the form it is run in: without what no output depends on, of functions with three inputs, and
/// with slots that values share. Every kernel path computes the same bits.
///
/// ```
/// use rekindle_compute::KernelPath;
/// use rekindle_gates::{Circuit, Gate, Program};
///
/// let circuit = Circuit::new(2, vec![Gate { op: 6, a: 0, b: 1 }], vec![2])?;
/// let mut outputs = [[0_u64; 1]];
/// Program::new(&circuit).run(KernelPath::best(), &[[0b0101], [0b0011]], &mut outputs)?;
/// assert_eq!(outputs, [[0b0110]]);
/// # Ok::<(), rekindle_gates::CircuitError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Program {
    inputs: usize,
    code: Code,
}

impl Program {
    /// Brings a circuit into the form it is run in. Takes about a microsecond a gate.
    pub fn new(circuit: &Circuit) -> Self {
        Self::of_graph(&Xag::of(circuit))
    }

    pub(crate) fn of_graph(graph: &Xag) -> Self {
        Self { inputs: graph.inputs(), code: Code::new(cover(&Net::plain(graph))) }
    }

    /// How many inputs there are.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// How many outputs there are.
    pub fn outputs(&self) -> usize {
        self.code.outputs.len()
    }

    /// Functions of three inputs at most that are computed.
    pub fn functions(&self) -> usize {
        self.code.operations.len()
    }

    /// Values that are alive at a time.
    pub fn slots(&self) -> usize {
        self.code.slots
    }

    /// Computes the outputs of 64 settings a word: bit `i` of each input's words is its value in setting `i`, and
    /// bit `i` of each output's words becomes its value.
    ///
    /// # Errors
    /// There are more or fewer planes than inputs or outputs, or they are not all of one length.
    pub fn run(
        &self,
        path: KernelPath,
        inputs: &[impl AsRef<[u64]>],
        outputs: &mut [impl AsMut<[u64]>],
    ) -> Result<(), CircuitError> {
        expect("inputs", self.inputs, inputs.len())?;
        expect("outputs", self.outputs(), outputs.len())?;
        let input_words = inputs.iter().map(|plane| plane.as_ref().len());
        let mut lengths: Vec<usize> = input_words.collect();
        lengths.extend(outputs.iter_mut().map(|plane| plane.as_mut().len()));
        let expected = lengths.first().copied().unwrap_or(0);
        if let Some(&found) = lengths.iter().find(|&&found| found != expected) {
            return Err(CircuitError::PlaneLength { found, expected });
        }
        self.run_blocks(path, inputs, outputs, expected);
        Ok(())
    }

    fn run_blocks(
        &self,
        path: KernelPath,
        inputs: &[impl AsRef<[u64]>],
        outputs: &mut [impl AsMut<[u64]>],
        words: usize,
    ) {
        let code = &self.code;
        let fitting = CACHE / size_of::<Vector>() / code.slots.max(1);
        let columns = fitting.clamp(1, MOST_COLUMNS).min(words.div_ceil(VECTOR));
        let mut slots = vec![Vector::default(); code.slots * columns];
        for first in (0..words).step_by((columns * VECTOR).max(1)) {
            let used = (words - first).min(columns * VECTOR);
            let tile = Tile { stride: columns, columns: used.div_ceil(VECTOR), rows: 1 };
            for load in &code.loads {
                let plane = &inputs[load.source as usize].as_ref()[first..first + used];
                copy_in(plane, &mut slots[load.place.first(&tile)..][..tile.columns]);
            }
            execute(path, &code.runs, &code.operations, &tile, &mut slots);
            for (output, plane) in code.outputs.iter().zip(&mut *outputs) {
                let plane = &mut plane.as_mut()[first..first + used];
                match *output {
                    CodeOutput::Constant(value) => plane.fill(if value { !0 } else { 0 }),
                    CodeOutput::Place { place, is_inverted } => {
                        copy_out(&slots[place.first(&tile)..][..tile.columns], is_inverted, plane);
                    }
                }
            }
        }
    }
}

fn copy_in(plane: &[u64], slot: &mut [Vector]) {
    let (whole, rest) = plane.as_chunks::<VECTOR>();
    slot.iter_mut().zip(whole).for_each(|(slot, words)| slot.0 = *words);
    if let Some(last) = slot.get_mut(whole.len()) {
        last.0[..rest.len()].copy_from_slice(rest);
    }
}

fn copy_out(slot: &[Vector], is_inverted: bool, plane: &mut [u64]) {
    let flip = if is_inverted { !0 } else { 0 };
    for (words, slot) in plane.chunks_mut(VECTOR).zip(slot) {
        words.iter_mut().zip(&slot.0).for_each(|(word, value)| *word = value ^ flip);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::circuit::Gate;
    use crate::testing::{random_circuit, random_layers};
    use rekindle_compute::rng;

    fn planes(seed: u64, count: usize, words: usize) -> Vec<Vec<u64>> {
        let mut stream = rng::stream(seed, 2, 0);
        (0..count).map(|_| (0..words).map(|_| stream.bits()).collect()).collect()
    }

    fn check(circuit: &Circuit, seed: u64, words: usize) {
        let program = Program::new(circuit);
        let inputs = planes(seed, circuit.inputs(), words);
        let mut expected = vec![vec![0; words]; circuit.outputs().len()];
        program.run(KernelPath::Portable, &inputs, &mut expected).unwrap();
        for path in KernelPath::available() {
            let mut outputs = planes(seed + 1, circuit.outputs().len(), words);
            program.run(path, &inputs, &mut outputs).unwrap();
            assert_eq!(outputs, expected, "seed {seed} on {path}");
        }
        for setting in (0..words * 64).step_by(7) {
            let bit = |plane: &Vec<u64>| plane[setting / 64] >> (setting % 64) & 1 == 1;
            let inputs: Vec<bool> = inputs.iter().map(bit).collect();
            let outputs: Vec<bool> = expected.iter().map(bit).collect();
            assert_eq!(circuit.evaluate(&inputs).unwrap(), outputs, "seed {seed}, setting {setting}");
        }
    }

    #[test]
    fn a_program_computes_what_the_circuit_says_on_every_path() {
        for seed in 0..60 {
            check(&random_circuit(seed, 6, 5 + 3 * seed as usize, 5), seed, 1 + seed as usize);
        }
    }

    #[test]
    fn a_large_circuit_is_computed_level_by_level() {
        let circuit = random_layers(1, 200, 3, 3000);
        assert!(Program::new(&circuit).functions() > 1024);
        check(&circuit, 3, 3);
    }

    #[test]
    fn constants_and_copies_are_outputs_too() {
        let gates = vec![Gate { op: 15, a: 0, b: 0 }, Gate { op: 12, a: 1, b: 1 }];
        let circuit = Circuit::new(2, gates, vec![0, 2, 3, 3, 0]).unwrap();
        assert_eq!(Program::new(&circuit).functions(), 0);
        check(&circuit, 5, 11);
    }

    #[test]
    fn planes_that_do_not_fit_are_refused() {
        let program = Program::new(&random_circuit(1, 3, 9, 2));
        let path = KernelPath::best();
        let few = program.run(path, &[[0; 1]; 2], &mut [[0; 1]; 2]);
        assert_eq!(few, Err(CircuitError::Arity { what: "inputs", found: 3, expected: 2 }));
        let short = program.run(path, &[[0; 1]; 3], &mut [[0; 2]; 2]);
        assert_eq!(short, Err(CircuitError::PlaneLength { found: 2, expected: 1 }));
    }
}
