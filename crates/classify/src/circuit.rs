//! Circuits that add up the outputs of each class, and say which sum is the largest.

use rekindle_gates::gate::{AND, FALSE, NOT_A_AND_B, OR, XNOR, XOR};
use rekindle_gates::{Circuit, CircuitError, Gate};

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

/// Bits of the sum of each class.
pub(crate) fn sum_bits(outputs: usize, classes: usize) -> Vec<usize> {
    let of = |class: usize| (outputs - class).div_ceil(classes);
    (0..classes).map(|class| bits(of(class))).collect()
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
#[derive(Debug, Clone)]
pub struct CircuitBuilder {
    inputs: usize,
    gates: Vec<Gate>,
}

impl CircuitBuilder {
    /// A circuit of so many inputs, and no gates.
    pub fn new(inputs: usize) -> Self {
        Self { inputs, gates: Vec::new() }
    }

    /// Adds a gate with this function and these inputs, and gives its signal.
    pub fn add(&mut self, op: u8, a: u32, b: u32) -> u32 {
        self.gates.push(Gate { op, a, b });
        (self.inputs + self.gates.len() - 1) as u32
    }

    /// The circuit whose network has these outputs, which are dealt to the classes in turn.
    ///
    /// # Errors
    /// When it has more gates than circuits have.
    pub fn finish(mut self, outputs: &[u32], classes: usize, says: Says) -> Result<Circuit, CircuitError> {
        let outputs = match says {
            Says::Outputs => outputs.to_vec(),
            Says::Sums => self.add_sums(outputs, classes).concat(),
            Says::Class => {
                let sums = self.add_sums(outputs, classes);
                self.add_largest(&sums)
            }
        };
        Circuit::new(self.inputs, self.gates, outputs)
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

    /// One signal where a condition holds, another where not.
    pub fn add_choice(&mut self, condition: u32, yes: u32, no: u32) -> u32 {
        let (first, second) = (self.add(AND, condition, yes), self.add(NOT_A_AND_B, condition, no));
        self.add(OR, first, second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bits of a number, as signals of a builder whose inputs are `no` and `yes`.
    fn number(number: usize, bits: usize) -> Vec<u32> {
        (0..bits).map(|bit| (number >> bit & 1) as u32).collect()
    }

    fn value(builder: CircuitBuilder, outputs: Vec<u32>) -> usize {
        let circuit = Circuit::new(2, builder.gates, outputs).unwrap();
        let bits = circuit.evaluate(&[false, true]).unwrap();
        bits.into_iter().rev().fold(0, |value, bit| 2 * value + usize::from(bit))
    }

    #[test]
    fn sums_are_how_many_signals_are_true() {
        for (count, ones) in [(1, 0), (1, 1), (2, 2), (3, 1), (7, 7), (8, 8), (100, 37), (800, 800)] {
            let mut builder = CircuitBuilder::new(2);
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
            let mut builder = CircuitBuilder::new(2);
            let signals: Vec<Vec<u32>> = numbers.iter().map(|&value| number(value, 3)).collect();
            let index = builder.add_largest(&signals);
            let most = numbers.iter().max().unwrap();
            let expected = numbers.iter().position(|number| number == most).unwrap();
            assert_eq!(value(builder, index), expected, "{numbers:?}");
        }
    }
}
