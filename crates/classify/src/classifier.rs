//! The circuit of a network in the form it is run in, asked about examples.

use rekindle_compute::{KernelPath, Pool, math};
use rekindle_data::{Answers, Probabilities};
use rekindle_formats::table::Table;
use rekindle_gates::{Circuit, Program};
use rekindle_train::StateMismatch;

use crate::circuit::{Says, sum_bits};
use crate::dataset::Examples;
use crate::error::ClassifyError;
use crate::preparation::Preparation;

/// Examples that a thread is asked about at a time.
const EXAMPLES: usize = 1024;

/// A circuit that is ready to be asked. Its inputs are the bits of [`Preparation::used`].
#[derive(Debug)]
pub struct Classifier<'a> {
    path: KernelPath,
    preparation: &'a Preparation,
    says: Says,
    /// Outputs of the network that are summed.
    outputs: usize,
    program: Program,
}

impl<'a> Classifier<'a> {
    /// The circuit of a network with so many outputs, as [`CircuitBuilder::finish`](crate::CircuitBuilder::finish)
    /// gives it for the same `says`.
    pub fn new(
        path: KernelPath,
        preparation: &'a Preparation,
        circuit: &Circuit,
        outputs: usize,
        says: Says,
    ) -> Self {
        Self { path, preparation, says, outputs, program: Program::new(circuit) }
    }

    /// The class of each example, by a circuit that says it.
    ///
    /// # Errors
    /// When the circuit reads more or fewer bits than examples have.
    pub fn classes(&self, pool: &Pool, examples: &Examples) -> Result<Vec<u16>, ClassifyError> {
        debug_assert_eq!(self.says, Says::Class);
        let numbers = self.numbers(pool, examples, &[self.program.outputs()])?;
        Ok(numbers.into_iter().map(|class| class as u16).collect())
    }

    /// The sum of each class for each example, example by class, by a circuit that says them.
    ///
    /// # Errors
    /// When the circuit reads more or fewer bits than examples have.
    pub fn sums(&self, pool: &Pool, examples: &Examples) -> Result<Vec<u32>, ClassifyError> {
        debug_assert_eq!(self.says, Says::Sums);
        self.numbers(pool, examples, &sum_bits(self.outputs, self.preparation.classes.len()))
    }

    /// What a circuit answers that says sums about the rows of a table, with the sums divided by the temperature
    /// as logits.
    ///
    /// # Errors
    /// When the table is not one of such rows.
    pub fn answers(&self, table: &Table, temperature: f64) -> Result<Answers, ClassifyError> {
        let preparation = self.preparation;
        let (examples, notes) = preparation.encode(table)?;
        let sums = self.sums(&Pool::new(1)?, &examples)?;
        let mut classes = Vec::with_capacity(examples.len());
        let mut scores = vec![Vec::with_capacity(examples.len()); preparation.classes.len()];
        for sums in sums.chunks_exact(preparation.classes.len()) {
            let best = largest(sums);
            let most = sums[usize::from(best)];
            for (scores, &sum) in scores.iter_mut().zip(sums) {
                let logit = (f64::from(sum) - f64::from(most)) / temperature;
                scores.push(f64::from(math::exp(logit as f32)));
            }
            classes.push(best);
        }
        let table = Table::new(vec![preparation.answers(&classes)]).map_err(StateMismatch::Contradiction)?;
        let probabilities = Some(Probabilities::of_scores(preparation.classes.clone(), scores));
        Ok(Answers { table, probabilities }.with_notes(notes))
    }

    /// What the circuit says, as numbers of so many bits each; example by number.
    fn numbers(&self, pool: &Pool, examples: &Examples, bits: &[usize]) -> Result<Vec<u32>, ClassifyError> {
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
    ) -> Result<(), ClassifyError> {
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
fn largest(sums: &[u32]) -> u16 {
    let mut best = 0;
    for (class, sum) in sums.iter().enumerate() {
        if *sum > sums[best] {
            best = class;
        }
    }
    best as u16
}
