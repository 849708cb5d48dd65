//! Cellular automata: circuits of 3x3 neighbourhoods, run on whole boards.
//!
//! A board is worked off in strips that fit a near cache: a few words wide, many rows high. In a strip
//! every value is a column of rows, so that a value of the row above or below is the same column read a row higher or
//! lower: what depends on one row only is computed once and used for three.

use rekindle_compute::{KernelPath, kernel};

use crate::circuit::{Circuit, expect};
use crate::cover::cover;
use crate::error::CircuitError;
use crate::lattice::{Lattice, Plane};
use crate::lut::{Tile, VECTOR, Vector, execute};
use crate::net::Net;
use crate::program::{CACHE, Program};
use crate::proof::values_of;
use crate::schedule::{Code, CodeOutput, Load};
use crate::symmetric::counting_rows;
use crate::xag::Xag;

/// Vectors of a strip from left to right: so many that a row is worth a loop.
const MOST_COLUMNS: usize = 8;

/// A circuit as the rule of a cellular automaton. Its inputs are the neighbourhoods of each channel, input
/// `9 channel + 3 row + column`, from the upper left to the lower right; its outputs are the next state.
#[derive(Clone, Debug)]
pub struct Automaton {
    channels: usize,
    code: Code,
}

impl Automaton {
    /// Brings a circuit with nine inputs for each output into the form it is run in.
    ///
    /// # Errors
    /// The circuit has more or fewer inputs, or no outputs.
    pub fn new(circuit: &Circuit) -> Result<Self, CircuitError> {
        let channels = circuit.outputs().len();
        expect("outputs", channels, channels.max(1))?;
        expect("inputs", circuit.inputs(), channels.saturating_mul(9))?;
        let code = |graph: &Xag| Code::new(cover(&Net::automaton(graph)));
        let as_it_is = code(&Xag::of(circuit));
        let by_rows = if channels == 1 { counting_rows(&truth_table(circuit)) } else { None };
        let code = by_rows.map(|graph| code(&graph)).filter(|code| code.accesses() < as_it_is.accesses());
        Ok(Self { channels, code: code.unwrap_or(as_it_is) })
    }

    /// Bits that a cell holds.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Functions of three inputs at most that are computed for a cell.
    pub fn functions(&self) -> usize {
        self.code.operations.len()
    }

    /// Takes a board through so many steps.
    ///
    /// # Errors
    /// The board has another number of channels.
    pub fn run(&self, lattice: &mut Lattice, steps: usize, path: KernelPath) -> Result<(), CircuitError> {
        expect("outputs", self.channels, lattice.channels())?;
        let columns = lattice.row_words().div_ceil(VECTOR);
        let fitting = CACHE / size_of::<Vector>() / self.code.slots.max(1);
        let mut strip = Strip::new(columns.min(MOST_COLUMNS), fitting, lattice.height(), self.code.slots);
        let mut next = lattice.clone();
        for _ in 0..steps {
            self.step(lattice, &mut next, &mut strip, path);
            std::mem::swap(lattice, &mut next);
        }
        Ok(())
    }

    fn step(&self, lattice: &Lattice, next: &mut Lattice, strip: &mut Strip, path: KernelPath) {
        let columns = lattice.row_words().div_ceil(VECTOR);
        for column in (0..columns).step_by(strip.columns) {
            for row in (0..lattice.height()).step_by(strip.rows) {
                let tile = Tile {
                    stride: strip.stride,
                    columns: strip.columns.min(columns - column),
                    rows: strip.rows.min(lattice.height() - row),
                };
                let corner = Corner { row, word: column * VECTOR };
                load(path, &self.code.loads, lattice.planes(), &tile, corner, &mut strip.slots);
                execute(path, &self.code.runs, &self.code.operations, &tile, &mut strip.slots);
                store(path, &self.code.outputs, &strip.slots, &tile, corner, next.planes_mut());
            }
        }
        (0..self.channels).for_each(|channel| next.close(channel));
    }
}

/// The value of a rule for each of the 512 neighbourhoods, 64 a word.
fn truth_table(circuit: &Circuit) -> [u64; 8] {
    let settings: Vec<[u64; 8]> =
        (0..9).map(|input| std::array::from_fn(|word| values_of(input, word as u64))).collect();
    let mut values = [[0; 8]];
    // Cannot fail: there are as many words of each input as of the output.
    let _ = Program::new(circuit).run(KernelPath::best(), &settings, &mut values);
    values[0]
}

/// The slots, and the largest strip that they hold.
struct Strip {
    columns: usize,
    rows: usize,
    stride: usize,
    slots: Vec<Vector>,
}

impl Strip {
    fn new(columns: usize, fitting: usize, height: usize, slots: usize) -> Self {
        // A row is read above and one below those that are computed.
        let rows = (fitting / columns).saturating_sub(2).clamp(8, 128).min(height.max(1));
        // Slots at an odd distance do not compete for the same sets of a cache.
        let stride = ((rows + 2) * columns) | 1;
        Self { columns, rows, stride, slots: vec![Vector::default(); stride * slots] }
    }
}

/// Where a strip begins on the board.
#[derive(Clone, Copy)]
struct Corner {
    row: usize,
    word: usize,
}

kernel! {
    /// Puts what is read of the board into its slots, moved by one cell where it is to the left or to the right.
    fn load(loads: &[Load], planes: &[Plane], tile: &Tile, corner: Corner, slots: &mut [Vector]) {
        for load in loads {
            let (channel, column) = (load.source as usize / 3, load.source % 3);
            let first = load.place.first(tile);
            let rows = tile.rows + load.extra as usize;
            let slot = &mut slots[first..first + rows * tile.columns];
            for (row, slot) in slot.chunks_exact_mut(tile.columns).enumerate() {
                let before = planes[channel].before_row(corner.row + load.row as usize + row);
                let words = tile.columns * VECTOR;
                // The first one is the word before the first of the strip.
                let words = &before[corner.word + VECTOR - 1..corner.word + VECTOR + 1 + words];
                match column {
                    0 => from_the_left(words, slot),
                    1 => as_it_is(words, slot),
                    _ => from_the_right(words, slot),
                }
            }
        }
    }
}

#[inline(always)]
fn from_the_left(words: &[u64], slot: &mut [Vector]) {
    for (index, vector) in slot.iter_mut().enumerate() {
        let words = &words[index * VECTOR..index * VECTOR + VECTOR + 1];
        let mut moved = [0; VECTOR];
        for word in 0..VECTOR {
            moved[word] = words[word + 1] << 1 | words[word] >> 63;
        }
        vector.0 = moved;
    }
}

#[inline(always)]
fn as_it_is(words: &[u64], slot: &mut [Vector]) {
    for (index, vector) in slot.iter_mut().enumerate() {
        let words = &words[index * VECTOR + 1..index * VECTOR + VECTOR + 1];
        vector.0.copy_from_slice(words);
    }
}

#[inline(always)]
fn from_the_right(words: &[u64], slot: &mut [Vector]) {
    for (index, vector) in slot.iter_mut().enumerate() {
        let words = &words[index * VECTOR + 1..index * VECTOR + VECTOR + 2];
        let mut moved = [0; VECTOR];
        for word in 0..VECTOR {
            moved[word] = words[word] >> 1 | words[word + 1] << 63;
        }
        vector.0 = moved;
    }
}

kernel! {
    /// Takes the next state out of its slots.
    fn store(outputs: &[CodeOutput], slots: &[Vector], tile: &Tile, corner: Corner, planes: &mut [Plane]) {
        for (output, plane) in outputs.iter().zip(planes) {
            for row in 0..tile.rows {
                let words = plane.row_mut(corner.row + row + 1);
                let words = &mut words[corner.word..corner.word + tile.columns * VECTOR];
                let (chunks, _) = words.as_chunks_mut::<VECTOR>();
                match *output {
                    CodeOutput::Constant(value) => chunks.fill([if value { !0 } else { 0 }; VECTOR]),
                    CodeOutput::Place { place, is_inverted } => {
                        let first = place.first(tile) + row * tile.columns;
                        let slot = &slots[first..first + tile.columns];
                        if is_inverted { inverted_out(slot, chunks) } else { out(slot, chunks) }
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn out(slot: &[Vector], words: &mut [[u64; VECTOR]]) {
    for (words, vector) in words.iter_mut().zip(slot) {
        *words = vector.0;
    }
}

#[inline(always)]
fn inverted_out(slot: &[Vector], words: &mut [[u64; VECTOR]]) {
    for (words, vector) in words.iter_mut().zip(slot) {
        let mut values = vector.0;
        values.iter_mut().for_each(|value| *value = !*value);
        *words = values;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::circuit::Gate;
    use crate::lattice::Boundary;
    use crate::testing::random_circuit;
    use proptest::prelude::*;
    use rekindle_compute::rng;

    /// One step, cell by cell.
    fn plain_step(
        circuit: &Circuit,
        cells: &[Vec<bool>],
        [width, height]: [usize; 2],
        wraps: bool,
    ) -> Vec<Vec<bool>> {
        let channels = cells.len();
        let at = |channel: usize, x: usize, y: usize, position: usize| {
            let (x, y) = (x + position % 3, y + position / 3);
            let inside = (1..=width).contains(&x) && (1..=height).contains(&y);
            let (x, y) = ((x + width - 1) % width, (y + height - 1) % height);
            (wraps || inside) && cells[channel][y * width + x]
        };
        let mut next = vec![Vec::new(); channels];
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            let inputs: Vec<bool> = (0..9 * channels).map(|input| at(input / 9, x, y, input % 9)).collect();
            let outputs = circuit.evaluate(&inputs).unwrap();
            next.iter_mut().zip(outputs).for_each(|(next, value)| next.push(value));
        }
        next
    }

    fn pack(cells: &[bool]) -> Vec<u64> {
        let word = |cells: &[bool]| cells.iter().rev().fold(0, |word, &cell| word << 1 | u64::from(cell));
        cells.chunks(64).map(word).collect()
    }

    fn check(circuit: &Circuit, seed: u64, [width, height]: [usize; 2], wraps: bool, path: KernelPath) {
        let automaton = Automaton::new(circuit).unwrap();
        let mut stream = rng::stream(seed, 3, 0);
        let mut cells: Vec<Vec<bool>> = (0..automaton.channels())
            .map(|_| (0..width * height).map(|_| stream.below(2) == 1).collect())
            .collect();
        let boundary = if wraps { Boundary::Periodic } else { Boundary::Zero };
        let mut lattice = Lattice::zeros(width, height, cells.len(), boundary);
        for (channel, cells) in cells.iter().enumerate() {
            lattice.read_bits(channel, &pack(cells), 0);
        }
        automaton.run(&mut lattice, 3, path).unwrap();
        for _ in 0..3 {
            cells = plain_step(circuit, &cells, [width, height], wraps);
        }
        for (channel, cells) in cells.iter().enumerate() {
            let mut plane = vec![0; (width * height).div_ceil(64)];
            lattice.write_bits(channel, &mut plane, 0);
            assert_eq!(plane, pack(cells), "seed {seed}, {width}x{height}, wraps {wraps}, on {path}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn an_automaton_computes_what_its_circuit_says_of_each_cell(
            seed: u64, channels in 1..3_usize, width in 1..150_usize, height in 1..20_usize, wraps: bool,
        ) {
            let circuit = random_circuit(seed, 9 * channels, 60, channels);
            for path in KernelPath::available() {
                check(&circuit, seed, [width, height], wraps, path);
            }
        }
    }

    #[test]
    fn boards_of_several_strips_are_joined_without_a_seam() {
        for (size, wraps) in [([1100, 150], true), ([1024, 40], true), ([1025, 131], false), ([512, 2], true)]
        {
            check(&random_circuit(7, 9, 80, 1), 7, size, wraps, KernelPath::best());
        }
    }

    #[test]
    fn what_depends_on_one_row_is_computed_once() {
        // Of each row whether all three cells live, and whether that is so in any of the rows.
        let mut gates = Vec::new();
        for row in 0..3 {
            gates.push(Gate { op: 1, a: 3 * row, b: 3 * row + 1 });
            gates.push(Gate { op: 1, a: 9 + 2 * row, b: 3 * row + 2 });
        }
        gates.push(Gate { op: 7, a: 10, b: 12 });
        gates.push(Gate { op: 7, a: 15, b: 14 });
        let circuit = Circuit::new(9, gates, vec![16]).unwrap();
        assert_eq!(Automaton::new(&circuit).unwrap().functions(), 2);
        check(&circuit, 1, [200, 30], true, KernelPath::best());
    }

    #[test]
    fn circuits_of_other_arity_are_refused() {
        let arity = Automaton::new(&random_circuit(1, 8, 20, 1)).unwrap_err();
        assert_eq!(arity, CircuitError::Arity { what: "inputs", found: 8, expected: 9 });
        assert!(Automaton::new(&random_circuit(1, 8, 20, 0)).is_err());
    }
}
