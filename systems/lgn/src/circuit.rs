//! A trained network as a circuit, in which each gate is its likeliest function.

use rekindle_gates::gate::GATES;
use rekindle_gates::{Circuit, CircuitError, Gate};

use crate::shape::{Shape, StageShape, TreesShape};
use crate::state::State;

/// Functions of two inputs, by number.
const FALSE: u8 = 0;
const AND: u8 = 1;
const NOT_A_AND_B: u8 = 4;
const XOR: u8 = 6;
const OR: u8 = 7;
const XNOR: u8 = 9;

/// What a circuit says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// The outputs of the last stage, which are summed class by class.
    Outputs,
    /// The sums, class by class, each with its bits from the lowest.
    Sums,
    /// The number of the class with the largest sum, the first of equals: its bits from the lowest.
    Class,
}

/// The circuit of a state that fits the shape. Its inputs are the bits that the network reads.
///
/// # Errors
/// When it has more gates than circuits have.
pub(crate) fn circuit(shape: &Shape, state: &State, says: Says) -> Result<Circuit, CircuitError> {
    let mut builder = Builder { inputs: shape.inputs, gates: Vec::new() };
    let outputs = builder.add_network(shape, state);
    let outputs = match says {
        Says::Outputs => outputs,
        Says::Sums => builder.add_sums(&outputs, shape.classes).concat(),
        Says::Class => {
            let sums = builder.add_sums(&outputs, shape.classes);
            builder.add_largest(&sums)
        }
    };
    Circuit::new(shape.inputs, builder.gates, outputs)
}

/// Bits of the sum of each class.
pub(crate) fn sum_bits(shape: &Shape) -> Vec<usize> {
    let of = |class: usize| (shape.outputs() - class).div_ceil(shape.classes);
    (0..shape.classes).map(|class| bits(of(class))).collect()
}

/// Bits of the number of a class.
pub(crate) fn class_bits(classes: usize) -> usize {
    bits(classes - 1)
}

/// Bits of a number.
fn bits(number: usize) -> usize {
    (usize::BITS - number.leading_zeros()) as usize
}

/// A circuit to which gates are added.
struct Builder {
    inputs: usize,
    gates: Vec<Gate>,
}

impl Builder {
    fn add(&mut self, op: u8, a: u32, b: u32) -> u32 {
        self.gates.push(Gate { op, a, b });
        (self.inputs + self.gates.len() - 1) as u32
    }

    fn add_network(&mut self, shape: &Shape, state: &State) -> Vec<u32> {
        let mut before: Vec<u32> = (0..shape.inputs as u32).collect();
        for (stage, layer) in shape.stages.iter().zip(&state.layers) {
            let functions: Vec<u8> = layer.logits.chunks_exact(GATES).map(likeliest).collect();
            before = match stage {
                StageShape::Trees(trees) => self.add_trees(trees, &before, &layer.wires, &functions),
                StageShape::Layer(_) => self.add_layer(&before, &layer.wires, &functions),
            };
        }
        before
    }

    fn add_layer(&mut self, before: &[u32], wires: &[u32], functions: &[u8]) -> Vec<u32> {
        let gates = wires.as_chunks::<2>().0.iter().zip(functions);
        gates.map(|(&[a, b], &op)| self.add(op, before[a as usize], before[b as usize])).collect()
    }

    fn add_trees(&mut self, trees: &TreesShape, before: &[u32], wires: &[u32], functions: &[u8]) -> Vec<u32> {
        let convolution = trees.convolution;
        let (leaves, gates, pool) = (convolution.leaves(), convolution.gates(), convolution.pool);
        // What is around the maps.
        let around = self.add(FALSE, 0, 0);
        let mut outputs = Vec::with_capacity(trees.to.len());
        for (wires, functions) in wires.chunks_exact(leaves).zip(functions.chunks_exact(gates)) {
            for place in 0..trees.to.width * trees.to.height {
                let (line, column) = (place / trees.to.width * pool, place % trees.to.width * pool);
                let mut output = None;
                for part in 0..pool * pool {
                    let corner = [line + part / pool, column + part % pool];
                    let source = |&wire| trees.source(wire, corner).map_or(around, |source| before[source]);
                    let leaves: Vec<u32> = wires.iter().map(source).collect();
                    let root = self.add_tree(leaves, functions);
                    output = Some(output.map_or(root, |output| self.add(OR, output, root)));
                }
                outputs.extend(output);
            }
        }
        outputs
    }

    fn add_tree(&mut self, mut level: Vec<u32>, functions: &[u8]) -> u32 {
        let mut functions = functions.iter();
        while level.len() > 1 {
            let pairs = level.as_chunks::<2>().0.iter().zip(&mut functions);
            level = pairs.map(|(&[a, b], &op)| self.add(op, a, b)).collect();
        }
        level[0]
    }

    /// The sum of the outputs of each class, which are dealt to the classes in turn.
    fn add_sums(&mut self, outputs: &[u32], classes: usize) -> Vec<Vec<u32>> {
        let of_class = |class: usize| outputs.iter().copied().skip(class).step_by(classes).collect();
        (0..classes).map(|class| self.add_sum(of_class(class))).collect()
    }

    /// How many of some signals are true, bit by bit from the lowest. Three signals of a weight become one, and
    /// one of twice the weight, until there is one of each.
    fn add_sum(&mut self, signals: Vec<u32>) -> Vec<u32> {
        let (mut sum, mut column) = (Vec::new(), signals);
        while !column.is_empty() {
            let mut carries = Vec::with_capacity(column.len() / 2);
            // The last ones are added first, so that few values are alive at a time.
            while let [.., c, b, a] = column[..] {
                column.truncate(column.len() - 3);
                let different = self.add(XOR, a, b);
                let (both, one) = (self.add(AND, a, b), self.add(AND, different, c));
                column.push(self.add(XOR, different, c));
                carries.push(self.add(OR, both, one));
            }
            if let [a, b] = column[..] {
                column = vec![self.add(XOR, a, b)];
                carries.push(self.add(AND, a, b));
            }
            sum.extend(column);
            carries.reverse();
            column = carries;
        }
        sum
    }

    /// The number of the largest of some numbers, the first of equals.
    fn add_largest(&mut self, numbers: &[Vec<u32>]) -> Vec<u32> {
        let no = self.add(FALSE, 0, 0);
        let mut best = numbers[0].clone();
        let mut index = vec![no; class_bits(numbers.len())];
        for (number, challenger) in numbers.iter().enumerate().skip(1) {
            let is_larger = self.add_is_larger(challenger, &best, no);
            let bit = |bits: &[u32], place: usize| bits.get(place).copied().unwrap_or(no);
            for place in 0..best.len().max(challenger.len()) {
                let chosen = self.add_choice(is_larger, bit(challenger, place), bit(&best, place));
                match best.get_mut(place) {
                    Some(best) => *best = chosen,
                    None => best.push(chosen),
                }
            }
            for (place, index) in index.iter_mut().enumerate() {
                *index = match number >> place & 1 {
                    1 => self.add(OR, is_larger, *index),
                    _ => self.add(NOT_A_AND_B, is_larger, *index),
                };
            }
        }
        index
    }

    /// Whether a number is larger than another.
    fn add_is_larger(&mut self, number: &[u32], other: &[u32], no: u32) -> u32 {
        let mut is_larger = no;
        for place in 0..number.len().max(other.len()) {
            let (a, b) = (number.get(place).copied().unwrap_or(no), other.get(place).copied().unwrap_or(no));
            let (decides, equal) = (self.add(NOT_A_AND_B, b, a), self.add(XNOR, a, b));
            let keeps = self.add(AND, equal, is_larger);
            is_larger = self.add(OR, decides, keeps);
        }
        is_larger
    }

    fn add_choice(&mut self, condition: u32, yes: u32, no: u32) -> u32 {
        let (first, second) = (self.add(AND, condition, yes), self.add(NOT_A_AND_B, condition, no));
        self.add(OR, first, second)
    }
}

impl TreesShape {
    /// The input that a leaf reads where the window's corner is at a line and a column; none around the maps.
    fn source(&self, wire: u32, [line, column]: [usize; 2]) -> Option<usize> {
        let (window, padding) = (self.convolution.window, self.convolution.padding);
        let wire = wire as usize;
        let line = (line + wire / window % window).checked_sub(padding)?;
        let column = (column + wire % window).checked_sub(padding)?;
        let is_inside = line < self.from.height && column < self.from.width;
        is_inside.then(|| (wire / (window * window) * self.from.height + line) * self.from.width + column)
    }
}

/// The function with the largest logit, the first of equals.
fn likeliest(logits: &[f32]) -> u8 {
    let mut best = 0;
    for (function, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = function;
        }
    }
    best as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bits of a number, as signals of a builder whose inputs are `no` and `yes`.
    fn number(number: usize, bits: usize) -> Vec<u32> {
        (0..bits).map(|bit| (number >> bit & 1) as u32).collect()
    }

    fn value(builder: Builder, outputs: Vec<u32>) -> usize {
        let circuit = Circuit::new(2, builder.gates, outputs).unwrap();
        let bits = circuit.evaluate(&[false, true]).unwrap();
        bits.into_iter().rev().fold(0, |value, bit| 2 * value + usize::from(bit))
    }

    #[test]
    fn sums_are_how_many_signals_are_true() {
        for (count, ones) in [(1, 0), (1, 1), (2, 2), (3, 1), (7, 7), (8, 8), (100, 37), (800, 800)] {
            let mut builder = Builder { inputs: 2, gates: Vec::new() };
            let signals = (0..count).map(|signal| u32::from(signal * 7 % count < ones)).collect();
            let expected = (0..count).filter(|signal| signal * 7 % count < ones).count();
            let sum = builder.add_sum(signals);
            assert_eq!(sum.len(), bits(count), "{count}");
            assert_eq!(value(builder, sum), expected, "{count} {ones}");
        }
    }

    #[test]
    fn the_first_of_the_largest_numbers_is_named() {
        for numbers in
            [vec![3, 5, 2], vec![7, 7, 0, 7], vec![0, 0], vec![1, 2, 3, 4, 5, 6, 7, 6, 5], vec![4, 1]]
        {
            let mut builder = Builder { inputs: 2, gates: Vec::new() };
            let signals: Vec<Vec<u32>> = numbers.iter().map(|&value| number(value, 3)).collect();
            let index = builder.add_largest(&signals);
            let most = numbers.iter().max().unwrap();
            let expected = numbers.iter().position(|number| number == most).unwrap();
            assert_eq!(value(builder, index), expected, "{numbers:?}");
        }
    }
}
