//! Circuits of two-input gates.

use serde::{Deserialize, Serialize};

use crate::error::CircuitError;
use crate::gate::{self, GATES, PASS_A, PASS_B};

/// A circuit has fewer inputs than this.
pub const MOST_INPUTS: u64 = 1 << 24;

/// A circuit has fewer gates than this.
pub const MOST_GATES: u64 = 1 << 28;

/// A circuit without memory: gates with two inputs each, in an order in which each reads only what is before
/// it.
///
/// Signals are numbered: first the inputs, then the gates.
///
/// ```
/// use rekindle_gates::{Circuit, Gate};
///
/// // A half adder: XOR and AND of two inputs.
/// let gates = vec![Gate { op: 6, a: 0, b: 1 }, Gate { op: 1, a: 0, b: 1 }];
/// let adder = Circuit::new(2, gates, vec![2, 3])?;
/// assert_eq!(adder.evaluate(&[true, true])?, [false, true]);
/// # Ok::<(), rekindle_gates::CircuitError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circuit {
    inputs: u32,
    gates: Vec<Gate>,
    outputs: Vec<u32>,
}

/// A gate with two inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// Its function: a number below 16, see [`gate::NAMES`].
    pub op: u8,
    /// The signal of its first input. Of a function that ignores it, any number.
    pub a: u32,
    /// The signal of its second input. Of a function that ignores it, any number.
    pub b: u32,
}

impl Gate {
    /// The signals that the output depends on.
    pub fn reads(self) -> impl Iterator<Item = u32> {
        let [a, b] = gate::reads(self.op);
        [(a, self.a), (b, self.b)].into_iter().filter_map(|(reads, signal)| reads.then_some(signal))
    }
}

impl Circuit {
    /// A circuit of so many inputs, with these gates and with these signals as outputs.
    ///
    /// # Errors
    /// The numbers contradict each other: a gate reads itself or a later one, a wire begins nowhere, a function
    /// is none of the sixteen, or there are too many inputs or gates.
    pub fn new(inputs: usize, gates: Vec<Gate>, outputs: Vec<u32>) -> Result<Self, CircuitError> {
        check_sizes(inputs as u64, gates.len() as u64)?;
        let circuit = Self { inputs: inputs as u32, gates, outputs };
        circuit.check_gates()?;
        let signals = circuit.signals();
        match circuit.outputs.iter().position(|&signal| signal as usize >= signals) {
            Some(output) => {
                let signal = circuit.outputs[output];
                Err(CircuitError::DanglingOutput { output, signal, signals })
            }
            None => Ok(circuit),
        }
    }

    /// A circuit of parts that are known to be sound, as [`Circuit::new`] finds it.
    ///
    /// # Panics
    /// In builds with assertions, if they are not; otherwise whatever the circuit is used for may panic.
    pub fn of_sound_parts(inputs: u32, gates: Vec<Gate>, outputs: Vec<u32>) -> Self {
        let circuit = Self { inputs, gates, outputs };
        debug_assert_eq!(circuit.check_gates(), Ok(()));
        circuit
    }

    /// The inputs that are read, by an output or by a gate that an output depends on, and the circuit of those inputs
    /// only.
    pub fn without_unread_inputs(&self) -> (Vec<u32>, Self) {
        let needed = self.needed();
        let reads: Vec<u32> = (0..self.inputs).filter(|&input| needed[input as usize]).collect();
        let mut signals = vec![0; self.signals()];
        for (place, &input) in reads.iter().enumerate() {
            signals[input as usize] = place as u32;
        }
        let mut gates = Vec::new();
        for (index, gate) in self.gates.iter().enumerate() {
            if needed[self.inputs() + index] {
                signals[self.inputs() + index] = (reads.len() + gates.len()) as u32;
                let signal = |signal: u32| signals.get(signal as usize).copied().unwrap_or(0);
                gates.push(Gate { op: gate.op, a: signal(gate.a), b: signal(gate.b) });
            }
        }
        let outputs = self.outputs.iter().map(|&signal| signals[signal as usize]).collect();
        let narrow = Self::of_sound_parts(reads.len() as u32, gates, outputs);
        (reads, narrow)
    }

    /// The circuit of more inputs, of which those named are its own.
    pub(crate) fn with_inputs(&self, places: &[u32], inputs: usize) -> Self {
        let moved = |signal: u32| match places.get(signal as usize) {
            Some(&place) => place,
            None => (signal as usize - self.inputs() + inputs) as u32,
        };
        // What a function ignores may be any number.
        let read = |signal: u32| if (signal as usize) < self.signals() { moved(signal) } else { 0 };
        let gates = self.gates.iter().map(|gate| {
            if gate.reads().next().is_none() {
                return Gate { a: 0, b: 0, ..*gate };
            }
            Gate { op: gate.op, a: read(gate.a), b: read(gate.b) }
        });
        let outputs = self.outputs.iter().map(|&signal| moved(signal)).collect();
        Self::of_sound_parts(inputs as u32, gates.collect(), outputs)
    }

    fn check_gates(&self) -> Result<(), CircuitError> {
        let signals = self.signals();
        for (index, gate) in self.gates.iter().enumerate() {
            if usize::from(gate.op) >= GATES {
                return Err(CircuitError::Function { gate: index, op: gate.op });
            }
            for signal in gate.reads() {
                if signal as usize >= signals {
                    return Err(CircuitError::Dangling { gate: index, signal, signals });
                }
                if signal as usize >= self.inputs() + index {
                    return Err(CircuitError::Order { gate: index, signal });
                }
            }
        }
        Ok(())
    }

    /// How many inputs there are.
    pub fn inputs(&self) -> usize {
        self.inputs as usize
    }

    /// The gates, each before those that read it.
    pub fn gates(&self) -> &[Gate] {
        &self.gates
    }

    /// The signals that are outputs.
    pub fn outputs(&self) -> &[u32] {
        &self.outputs
    }

    /// Inputs and gates.
    pub fn signals(&self) -> usize {
        self.inputs() + self.gates.len()
    }

    /// What the circuit says to one setting of its inputs. For many, see [`Program`](crate::Program).
    ///
    /// # Errors
    /// There are more or fewer values than inputs.
    pub fn evaluate(&self, inputs: &[bool]) -> Result<Vec<bool>, CircuitError> {
        expect("inputs", self.inputs(), inputs.len())?;
        let mut values = inputs.to_vec();
        for gate in &self.gates {
            // A function that ignores an input may name any signal for it.
            let value = |signal: u32| values.get(signal as usize).copied().unwrap_or(false);
            let (a, b) = (value(gate.a), value(gate.b));
            values.push(gate.op >> (3 - 2 * u8::from(a) - u8::from(b)) & 1 == 1);
        }
        Ok(self.outputs.iter().map(|&signal| values[signal as usize]).collect())
    }

    /// Gates on the longest way from an input to an output; a gate that passes an input on counts.
    pub fn depth(&self) -> usize {
        let mut depths = vec![0_u32; self.signals()];
        for (index, gate) in self.gates.iter().enumerate() {
            let deepest = gate.reads().map(|signal| depths[signal as usize]).max().unwrap_or(0);
            depths[self.inputs() + index] = deepest + 1;
        }
        self.outputs.iter().map(|&signal| depths[signal as usize]).max().unwrap_or(0) as usize
    }

    /// Gates that do more than pass an input on, whether or not anything depends on them.
    pub fn active_gates(&self) -> usize {
        self.gates.iter().filter(|gate| gate::is_active(gate.op)).count()
    }

    /// Active gates that an output depends on by its wires.
    pub fn needed_gates(&self) -> usize {
        let needed = self.needed();
        let gates = self.gates.iter().zip(&needed[self.inputs()..]);
        gates.filter(|(gate, needed)| **needed && gate::is_active(gate.op)).count()
    }

    /// Of each signal, whether an output depends on it by its wires.
    fn needed(&self) -> Vec<bool> {
        let mut needed = vec![false; self.signals()];
        self.outputs.iter().for_each(|&signal| needed[signal as usize] = true);
        for (index, gate) in self.gates.iter().enumerate().rev() {
            if needed[self.inputs() + index] {
                gate.reads().for_each(|signal| needed[signal as usize] = true);
            }
        }
        needed
    }

    /// How many gates have each of the sixteen functions.
    pub fn functions(&self) -> [usize; GATES] {
        let mut counts = [0; GATES];
        self.gates.iter().for_each(|gate| counts[usize::from(gate.op)] += 1);
        counts
    }

    /// Where a gate passes an input on, the signal that it passes; otherwise the signal itself.
    pub fn source(&self, mut signal: u32) -> u32 {
        while let Some(gate) = (signal as usize).checked_sub(self.inputs()).map(|gate| self.gates[gate]) {
            signal = match gate.op {
                PASS_A => gate.a,
                PASS_B => gate.b,
                _ => return signal,
            };
        }
        signal
    }
}

/// Refuses sizes before anything is allocated for them.
pub(crate) fn check_sizes(inputs: u64, gates: u64) -> Result<(), CircuitError> {
    for (what, found, most) in [("inputs", inputs, MOST_INPUTS - 1), ("gates", gates, MOST_GATES - 1)] {
        if found > most {
            return Err(CircuitError::TooLarge { what, found, most });
        }
    }
    Ok(())
}

/// Checks a number of inputs or outputs.
pub(crate) fn expect(what: &'static str, found: usize, expected: usize) -> Result<(), CircuitError> {
    if found == expected { Ok(()) } else { Err(CircuitError::Arity { what, found, expected }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(op: u8, a: u32, b: u32) -> Gate {
        Gate { op, a, b }
    }

    #[test]
    fn a_cycle_and_a_wire_from_nowhere_are_told_apart() {
        let cycle = Circuit::new(1, vec![gate(1, 0, 2), gate(1, 1, 0)], vec![2]);
        assert_eq!(cycle, Err(CircuitError::Order { gate: 0, signal: 2 }));
        let itself = Circuit::new(1, vec![gate(1, 0, 1)], vec![1]);
        assert_eq!(itself, Err(CircuitError::Order { gate: 0, signal: 1 }));
        let dangling = Circuit::new(1, vec![gate(1, 0, 9)], vec![1]);
        assert_eq!(dangling, Err(CircuitError::Dangling { gate: 0, signal: 9, signals: 2 }));
        let output = Circuit::new(1, vec![], vec![1]);
        assert_eq!(output, Err(CircuitError::DanglingOutput { output: 0, signal: 1, signals: 1 }));
        let function = Circuit::new(1, vec![gate(16, 0, 0)], vec![1]);
        assert_eq!(function, Err(CircuitError::Function { gate: 0, op: 16 }));
    }

    #[test]
    fn stated_sizes_are_refused_before_anything_is_allocated() {
        assert!(matches!(check_sizes(2, 1 << 31), Err(CircuitError::TooLarge { what: "gates", .. })));
        assert!(matches!(check_sizes(1 << 31, 2), Err(CircuitError::TooLarge { what: "inputs", .. })));
    }

    #[test]
    fn what_a_function_ignores_may_be_any_number() {
        let circuit = Circuit::new(0, vec![gate(15, 7, 9), gate(0, 8, 8)], vec![0, 1]).unwrap();
        assert_eq!(circuit.evaluate(&[]).unwrap(), [true, false]);
        assert_eq!(
            circuit.evaluate(&[true]),
            Err(CircuitError::Arity { what: "inputs", found: 0, expected: 1 })
        );
    }

    #[test]
    fn gates_are_counted_by_what_they_do() {
        let gates = vec![gate(PASS_A, 0, 1), gate(6, 2, 1), gate(1, 0, 1), gate(PASS_B, 0, 3)];
        let circuit = Circuit::new(2, gates, vec![5]).unwrap();
        assert_eq!((circuit.depth(), circuit.active_gates(), circuit.needed_gates()), (3, 2, 1));
        assert_eq!((circuit.source(5), circuit.source(3)), (3, 3));
        assert_eq!(circuit.functions()[1], 1);
    }
}
