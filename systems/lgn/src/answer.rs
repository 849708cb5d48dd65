//! What the circuit of a network answers: the sums of its outputs, class by class.

use rekindle_compute::{KernelPath, Pool, kernel};
use rekindle_data::Thermometers;
use rekindle_gates::gate::masks;

use crate::data::Examples;
use crate::hard::HardNetwork;

/// Words of a signal at once, each with a bit of 64 examples.
const WORDS: usize = 8;
/// Examples at once.
const EXAMPLES: usize = 64 * WORDS;

type Words = [u64; WORDS];

/// A gate with the coefficients of its function over the field of two elements.
struct MaskedGate {
    a: u32,
    b: u32,
    masks: [u64; 4],
}

/// A circuit that is ready to be asked.
pub(crate) struct Answerer<'a> {
    path: KernelPath,
    thermometers: &'a Thermometers,
    used: &'a [u32],
    gates: Vec<MaskedGate>,
    outputs: Vec<u32>,
    classes: usize,
}

kernel! {
    /// Computes every gate.
    fn evaluate(gates: &[MaskedGate], inputs: usize, slots: &mut [Words]) {
        for (index, gate) in gates.iter().enumerate() {
            let (known, output) = slots.split_at_mut(inputs + index);
            let (a, b) = (&known[gate.a as usize], &known[gate.b as usize]);
            let [c0, c1, c2, c3] = gate.masks;
            for word in 0..WORDS {
                let slope = c1 ^ (c3 & b[word]);
                output[0][word] = c0 ^ (c2 & b[word]) ^ (a[word] & slope);
            }
        }
    }
}

impl<'a> Answerer<'a> {
    pub fn new(
        path: KernelPath,
        network: &HardNetwork,
        thermometers: &'a Thermometers,
        used: &'a [u32],
        classes: usize,
    ) -> Self {
        let gates = network.gates.iter();
        let gates = gates.map(|gate| MaskedGate { a: gate.a, b: gate.b, masks: masks(gate.op) }).collect();
        Self { path, thermometers, used, gates, outputs: network.outputs.clone(), classes }
    }

    /// The sum of each class for each example, example by class.
    pub fn sums(&self, pool: &Pool, examples: &Examples) -> Vec<u32> {
        let mut sums = vec![0; examples.len() * self.classes];
        let mut parts: Vec<_> = sums.chunks_mut(EXAMPLES * self.classes).collect();
        pool.for_each(&mut parts, |index, sums| self.answer(examples, index * EXAMPLES, sums));
        sums
    }

    fn answer(&self, examples: &Examples, first: usize, sums: &mut [u32]) {
        let inputs = self.used.len();
        let mut slots = vec![[0; WORDS]; inputs + self.gates.len()];
        for (example, _) in sums.chunks_exact(self.classes).enumerate() {
            self.set(&mut slots, example, examples.row(first + example));
        }
        evaluate(self.path, &self.gates, inputs, &mut slots);
        for (output, &signal) in self.outputs.iter().enumerate() {
            let words = &slots[signal as usize];
            let of_class = sums.iter_mut().skip(output % self.classes).step_by(self.classes);
            for (example, sum) in of_class.enumerate() {
                *sum += (words[example / 64] >> (example % 64) & 1) as u32;
            }
        }
    }

    fn set(&self, slots: &mut [Words], example: usize, levels: &[u8]) {
        let bits = self.thermometers.bits;
        for (slot, &used) in slots.iter_mut().zip(self.used) {
            let is_set = u32::from(levels[(used / bits) as usize]) > used % bits;
            slot[example / 64] |= u64::from(is_set) << (example % 64);
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
