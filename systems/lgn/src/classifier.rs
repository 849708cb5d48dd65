//! The circuit of a network in the form it is run in, asked about examples.

use rekindle_compute::{KernelPath, Pool};
use rekindle_gates::Program;

use crate::circuit::{self, Says};
use crate::data::{Examples, Preparation};
use crate::error::LgnError;
use crate::shape::Shape;
use crate::state::State;

/// Examples that a thread is asked about at a time.
const EXAMPLES: usize = 1024;

/// A circuit that is ready to be asked.
pub(crate) struct Classifier<'a> {
    path: KernelPath,
    shape: &'a Shape,
    preparation: &'a Preparation,
    says: Says,
    program: Program,
}

impl<'a> Classifier<'a> {
    /// The circuit of a state that fits the shape.
    ///
    /// # Errors
    /// When it has more gates than circuits have.
    pub fn new(path: KernelPath, shape: &'a Shape, state: &'a State, says: Says) -> Result<Self, LgnError> {
        let program = Program::new(&circuit::circuit(shape, state, says)?);
        Ok(Self { path, shape, preparation: &state.preparation, says, program })
    }

    /// The class of each example.
    pub fn classes(&self, pool: &Pool, examples: &Examples) -> Result<Vec<u16>, LgnError> {
        debug_assert_eq!(self.says, Says::Class);
        let numbers = self.numbers(pool, examples, &[self.program.outputs()])?;
        Ok(numbers.into_iter().map(|class| class as u16).collect())
    }

    /// The sum of each class for each example, example by class.
    pub fn sums(&self, pool: &Pool, examples: &Examples) -> Result<Vec<u32>, LgnError> {
        debug_assert_eq!(self.says, Says::Sums);
        self.numbers(pool, examples, &circuit::sum_bits(self.shape))
    }

    /// What the circuit says, as numbers of so many bits each; example by number.
    fn numbers(&self, pool: &Pool, examples: &Examples, bits: &[usize]) -> Result<Vec<u32>, LgnError> {
        let mut numbers = vec![0; examples.len() * bits.len()];
        let parts = numbers.chunks_mut(EXAMPLES * bits.len());
        let mut parts: Vec<_> = parts.map(|numbers| (numbers, Ok(()))).collect();
        pool.for_each(&mut parts, |index, (numbers, result)| {
            *result = self.answer(examples, index * EXAMPLES, bits, numbers);
        });
        parts.into_iter().try_for_each(|(_, result)| result)?;
        Ok(numbers)
    }

    fn answer(
        &self,
        examples: &Examples,
        first: usize,
        bits: &[usize],
        numbers: &mut [u32],
    ) -> Result<(), LgnError> {
        let count = numbers.len() / bits.len();
        let words = count.div_ceil(64);
        let mut inputs = vec![vec![0_u64; words]; self.program.inputs()];
        for example in 0..count {
            self.set(&mut inputs, example, examples.row(first + example));
        }
        let mut outputs = vec![vec![0_u64; words]; self.program.outputs()];
        self.program.run(self.path, &inputs, &mut outputs)?;
        let mut planes = outputs.iter();
        for (number, &width) in bits.iter().enumerate() {
            for (bit, plane) in planes.by_ref().take(width).enumerate() {
                let of_examples = numbers.iter_mut().skip(number).step_by(bits.len());
                for (example, value) in of_examples.enumerate() {
                    *value |= ((plane[example / 64] >> (example % 64) & 1) as u32) << bit;
                }
            }
        }
        Ok(())
    }

    fn set(&self, planes: &mut [Vec<u64>], example: usize, levels: &[u8]) {
        let bits = self.preparation.thermometers.bits;
        for (plane, &used) in planes.iter_mut().zip(&self.preparation.used) {
            let is_set = u32::from(levels[(used / bits) as usize]) > used % bits;
            plane[example / 64] |= u64::from(is_set) << (example % 64);
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
