//! A network as a circuit of two-input gates.

use std::collections::BTreeMap;

use rekindle_classify::{CircuitBuilder, Says};
use rekindle_gates::gate::{AND, FALSE, NOT_A, NOT_A_AND_B, OR, TRUE, XOR};
use rekindle_gates::{Circuit, CircuitError};

use crate::connections;
use crate::shape::Shape;
use crate::state::State;

/// The gate that is true where its first input is not or its second is.
const NOT_A_OR_B: u8 = 13;

/// The circuit of a state that fits the shape. Its inputs are the bits that the network reads.
///
/// # Errors
/// When it has more gates than circuits have.
pub(crate) fn circuit(shape: &Shape, state: &State, says: Says) -> Result<Circuit, CircuitError> {
    let mut builder = CircuitBuilder::new(shape.bits);
    let mut before: Vec<u32> = (0..shape.bits as u32).collect();
    for (layer, wires) in state.layers.iter().zip(connections::of_state(shape, state)) {
        let tables = wires.chunks_exact(shape.inputs).zip(layer.entries.chunks_exact(shape.entries()));
        let outputs = tables.map(|(wires, entries)| {
            let inputs: Vec<u32> = wires.iter().map(|&wire| before[wire as usize]).collect();
            Lowering { builder: &mut builder, inputs: &inputs, known: BTreeMap::new() }.table(packed(entries))
        });
        before = outputs.collect();
    }
    builder.finish(&before, shape.classes, says)
}

/// The entries of a table as the bits of a word.
pub(crate) fn packed(entries: &[f32]) -> u64 {
    let bit = |(entry, &value): (usize, &f32)| u64::from(value > 0.0) << entry;
    entries.iter().enumerate().map(bit).fold(0, |table, bit| table | bit)
}

/// A table that becomes gates, by Shannon's expansion: what it is where its last input is 0, what it is where
/// that is 1, and a choice between both. What occurs twice is made once.
struct Lowering<'a> {
    builder: &'a mut CircuitBuilder,
    inputs: &'a [u32],
    /// Signals by the number of inputs and the table.
    known: BTreeMap<(usize, u64), u32>,
}

impl Lowering<'_> {
    fn table(&mut self, table: u64) -> u32 {
        self.function(self.inputs.len(), table)
    }

    /// The signal of a function of so many of the first inputs.
    fn function(&mut self, inputs: usize, table: u64) -> u32 {
        if let Some(&signal) = self.known.get(&(inputs, table)) {
            return signal;
        }
        let signal = self.new_function(inputs, table);
        self.known.insert((inputs, table), signal);
        signal
    }

    fn new_function(&mut self, inputs: usize, table: u64) -> u32 {
        let all = ones(1 << inputs);
        if table == 0 {
            return self.builder.add(FALSE, 0, 0);
        }
        if table == all {
            return self.builder.add(TRUE, 0, 0);
        }
        // A table of no inputs is one of these two.
        let last = self.inputs[inputs - 1];
        let half = 1 << (inputs - 1);
        let (low, high) = (table & ones(half), table >> half);
        let (none, every) = (0, ones(half));
        if low == high {
            return self.function(inputs - 1, low);
        }
        match (low, high) {
            _ if low == none && high == every => last,
            _ if low == every && high == none => self.builder.add(NOT_A, last, last),
            _ if low == every ^ high => self.with(XOR, last, inputs, low),
            _ if low == none => self.with(AND, last, inputs, high),
            _ if low == every => self.with(NOT_A_OR_B, last, inputs, high),
            _ if high == none => self.with(NOT_A_AND_B, last, inputs, low),
            _ if high == every => self.with(OR, last, inputs, low),
            _ => {
                let (low, high) = (self.function(inputs - 1, low), self.function(inputs - 1, high));
                self.builder.add_choice(last, high, low)
            }
        }
    }

    /// A gate of the last input and of a function of those before it.
    fn with(&mut self, op: u8, last: u32, inputs: usize, rest: u64) -> u32 {
        let rest = self.function(inputs - 1, rest);
        self.builder.add(op, last, rest)
    }
}

/// So many bits that are 1.
fn ones(bits: u32) -> u64 {
    u64::MAX >> (64 - bits)
}

#[cfg(test)]
mod tests {
    use rekindle_compute::rng;

    use super::*;

    #[test]
    fn a_table_becomes_gates_that_say_the_same() {
        let mut stream = rng::stream(9, 0, 0);
        for inputs in 2..=6_usize {
            let all = ones(1 << inputs);
            let drawn: Vec<u64> = (0..200).map(|_| stream.bits() & all).collect();
            let sparse =
                drawn.iter().map(|&table| table & table.rotate_left(7) & table.rotate_left(21) & all);
            for table in drawn.iter().copied().chain(sparse).chain([0, all, 1, all - 1, 6, 9]) {
                let mut builder = CircuitBuilder::new(inputs);
                let wires: Vec<u32> = (0..inputs as u32).collect();
                let lowering = Lowering { builder: &mut builder, inputs: &wires, known: BTreeMap::new() };
                let output = { lowering }.table(table);
                let circuit = builder.finish(&[output], 2, Says::Outputs).unwrap();
                for entry in 0..1_usize << inputs {
                    let bits: Vec<bool> = (0..inputs).map(|place| entry >> place & 1 == 1).collect();
                    let expected = table >> entry & 1 == 1;
                    assert_eq!(circuit.evaluate(&bits).unwrap(), [expected], "{inputs} {table:x} {entry}");
                }
            }
        }
    }
}
