//! The circuit of a network in the form it is run in, asked about examples.

use rekindle_compute::{KernelPath, Pool, kernel};
use rekindle_gates::Circuit;
use rekindle_gates::gate::masks;

use crate::circuit::{self, Says};
use crate::data::{Examples, Preparation};
use crate::error::LgnError;
use crate::shape::Shape;
use crate::state::State;

/// Examples that a thread is asked about at a time.
const EXAMPLES: usize = 64 * WORDS;
/// Words of a signal at once, each with a bit of 64 examples.
const WORDS: usize = 8;

/// The values of a signal.
type Words = [u64; WORDS];

/// A circuit that is ready to be asked.
pub(crate) struct Classifier<'a> {
    path: KernelPath,
    shape: &'a Shape,
    preparation: &'a Preparation,
    says: Says,
    circuit: Circuit,
    /// Of each gate, the coefficients of its function over the field of two elements.
    masks: Vec<[u64; 4]>,
}

impl<'a> Classifier<'a> {
    /// The circuit of a state that fits the shape.
    ///
    /// # Errors
    /// When it has more gates than circuits have.
    pub fn new(path: KernelPath, shape: &'a Shape, state: &'a State, says: Says) -> Result<Self, LgnError> {
        let circuit = circuit::circuit(shape, state, says)?;
        let masks = circuit.gates().iter().map(|gate| masks(gate.op)).collect();
        Ok(Self { path, shape, preparation: &state.preparation, says, circuit, masks })
    }

    /// The class of each example.
    pub fn classes(&self, pool: &Pool, examples: &Examples) -> Vec<u16> {
        debug_assert_eq!(self.says, Says::Class);
        let numbers = self.numbers(pool, examples, &[self.circuit.outputs().len()]);
        numbers.into_iter().map(|class| class as u16).collect()
    }

    /// The sum of each class for each example, example by class.
    pub fn sums(&self, pool: &Pool, examples: &Examples) -> Vec<u32> {
        debug_assert_eq!(self.says, Says::Sums);
        self.numbers(pool, examples, &circuit::sum_bits(self.shape))
    }

    /// What the circuit says, as numbers of so many bits each; example by number.
    fn numbers(&self, pool: &Pool, examples: &Examples, bits: &[usize]) -> Vec<u32> {
        let mut numbers = vec![0; examples.len() * bits.len()];
        let mut parts: Vec<_> = numbers.chunks_mut(EXAMPLES * bits.len()).collect();
        pool.for_each(&mut parts, |index, numbers| self.answer(examples, index * EXAMPLES, bits, numbers));
        numbers
    }

    fn answer(&self, examples: &Examples, first: usize, bits: &[usize], numbers: &mut [u32]) {
        let mut signals = vec![[0; WORDS]; self.circuit.signals()];
        for example in 0..numbers.len() / bits.len() {
            self.set(&mut signals, example, examples.row(first + example));
        }
        evaluate(self.path, &self.circuit, &self.masks, &mut signals);
        let mut outputs = self.circuit.outputs().iter();
        for (number, &width) in bits.iter().enumerate() {
            for (bit, &signal) in outputs.by_ref().take(width).enumerate() {
                let words = &signals[signal as usize];
                let of_examples = numbers.iter_mut().skip(number).step_by(bits.len());
                for (example, value) in of_examples.enumerate() {
                    *value |= ((words[example / 64] >> (example % 64) & 1) as u32) << bit;
                }
            }
        }
    }

    fn set(&self, signals: &mut [Words], example: usize, levels: &[u8]) {
        let bits = self.preparation.thermometers.bits;
        for (words, &used) in signals.iter_mut().zip(&self.preparation.used) {
            let is_set = u32::from(levels[(used / bits) as usize]) > used % bits;
            words[example / 64] |= u64::from(is_set) << (example % 64);
        }
    }
}

kernel! {
    /// Computes every gate.
    fn evaluate(circuit: &Circuit, masks: &[[u64; 4]], signals: &mut [Words]) {
        let inputs = circuit.inputs();
        for (index, (gate, &[c0, c1, c2, c3])) in circuit.gates().iter().zip(masks).enumerate() {
            let (known, output) = signals.split_at_mut(inputs + index);
            let (a, b) = (&known[gate.a as usize], &known[gate.b as usize]);
            for word in 0..WORDS {
                let slope = c1 ^ (c3 & b[word]);
                output[0][word] = c0 ^ (c2 & b[word]) ^ (a[word] & slope);
            }
        }
    }
}

/// The class with the largest sum, the first of equals.
pub(crate) fn largest(sums: &[u32]) -> u16 {
    let mut best = 0;
    for (class, sum) in sums.iter().enumerate() {
        if *sum > sums[best] {
            best = class;
        }
    }
    best as u16
}
