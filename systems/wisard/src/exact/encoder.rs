//! The entries of RAMs that count a row.

use rekindle_compute::rng;

use super::config::Model;
use super::error::ExactError;
use crate::planes::{BLOCK, Planes, transpose};
use crate::streams;

/// What rows become, by the config alone.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Encoder {
    rams: Vec<Ram>,
    /// Bits of an input.
    bits: usize,
    entry_bits: u32,
    counted: usize,
}

/// How a RAM reads a row.
#[derive(Debug, Clone, PartialEq)]
struct Ram {
    /// The bits of its tuple: input x bits of an input + bit.
    tuple: Vec<u32>,
    /// H3: by bit of the entries' numbers, which bits of the tuple are added modulo 2. Empty where the address is
    /// the number.
    matrix: Vec<u64>,
}

impl Encoder {
    /// That of rows with so many inputs, or of pictures of this size.
    pub fn new(
        model: &Model,
        seed: u64,
        inputs: usize,
        picture: Option<[usize; 2]>,
    ) -> Result<Self, ExactError> {
        let tuples = match picture.filter(|_| model.window > 0) {
            Some(picture) => within_windows(model, seed, picture)?,
            None => of_all_inputs(model, seed, inputs)?,
        };
        let ram = |(index, tuple)| Ram { tuple, matrix: matrix(model, seed, index) };
        let rams = (0..).zip(tuples).map(ram).collect();
        let (bits, counted) = (model.encoding.bits as usize, model.counted());
        Ok(Self { rams, bits, entry_bits: model.entry_bits, counted })
    }

    /// RAMs of a class.
    pub fn rams(&self) -> usize {
        self.rams.len()
    }

    /// Entries of a RAM.
    pub fn entries(&self) -> usize {
        1 << self.entry_bits
    }

    /// The bits of rows, whose levels are given row by row.
    pub fn planes(&self, levels: &[u8], inputs: usize) -> Planes {
        let mut planes = Planes::zeros(levels.len() / inputs.max(1), inputs * self.bits);
        for (block, levels) in levels.chunks(BLOCK * inputs).enumerate() {
            let words = planes.block_mut(block).chunks_exact_mut(self.bits);
            for (input, words) in words.enumerate() {
                let mut column = [0; BLOCK];
                let of_input = levels.iter().skip(input).step_by(inputs);
                column.iter_mut().zip(of_input).for_each(|(level, &of_row)| *level = of_row);
                words.iter_mut().zip(0..).for_each(|(word, bit)| *word = exceeding(&column, bit));
            }
        }
        planes
    }

    /// The numbers of the entries that count each row of a block, one behind the other in
    /// [`entry_bits`](Model::entry_bits) each.
    pub fn packed(&self, ram: usize, block: &[u64]) -> [u64; BLOCK] {
        let Ram { tuple, matrix } = &self.rams[ram];
        let mut read = [0; BLOCK];
        read.iter_mut().zip(tuple).for_each(|(word, &bit)| *word = block[bit as usize]);
        let mut words = read;
        if !matrix.is_empty() {
            words = [0; BLOCK];
            for (word, &row) in words.iter_mut().zip(matrix) {
                let mut left = row;
                while left != 0 {
                    *word ^= read[left.trailing_zeros() as usize];
                    left &= left - 1;
                }
            }
        }
        transpose(&mut words);
        words
    }

    /// The numbers of the entries that are packed in a word.
    #[inline]
    pub fn unpacked(&self, packed: u64) -> impl Iterator<Item = usize> + use<> {
        let (bits, mask) = (self.entry_bits, (1 << self.entry_bits) - 1);
        (0..self.counted as u32).map(move |hash| (packed >> (hash * bits) & mask) as usize)
    }
}

/// A bit for each level: whether it exceeds the bit's number.
fn exceeding(levels: &[u8; BLOCK], bit: u8) -> u64 {
    levels.iter().rev().fold(0, |word, &level| word << 1 | u64::from(level > bit))
}

/// Tuples of bits of a square of pixels each, which lies anywhere.
fn within_windows(
    model: &Model,
    seed: u64,
    [width, height]: [usize; 2],
) -> Result<Vec<Vec<u32>>, ExactError> {
    let (across, down) = (model.window.min(width), model.window.min(height));
    let (bits, length) = (model.encoding.bits, model.tuple_bits as usize);
    let there = across * down * bits as usize;
    if there < length {
        return Err(ExactError::TupleTooLarge { tuple_bits: model.tuple_bits, bits: there });
    }
    let tuple = |ram: usize| {
        let mut stream = rng::stream(seed, streams::EXACT_TUPLES, ram as u64);
        let left = stream.below((width - across + 1) as u64) as usize;
        let top = stream.below((height - down + 1) as u64) as usize;
        let mut tuple = Vec::with_capacity(length);
        while tuple.len() < length {
            let bit = stream.below(there as u64) as usize;
            let (pixel, bit) = (bit / bits as usize, (bit % bits as usize) as u32);
            let input = (top + pixel / across) * width + left + pixel % across;
            let bit = input as u32 * bits + bit;
            if !tuple.contains(&bit) {
                tuple.push(bit);
            }
        }
        tuple
    };
    Ok((0..model.rams).map(tuple).collect())
}

/// Tuples of bits of any inputs: all bits in random orders, each cut into tuples.
fn of_all_inputs(model: &Model, seed: u64, inputs: usize) -> Result<Vec<Vec<u32>>, ExactError> {
    let (bits, length) = (inputs * model.encoding.bits as usize, model.tuple_bits as usize);
    if bits < length {
        return Err(ExactError::TupleTooLarge { tuple_bits: model.tuple_bits, bits });
    }
    let orders = model.rams.div_ceil(bits / length) as u64;
    let mut tuples = Vec::with_capacity(model.rams);
    for index in 0..orders {
        let mut order: Vec<u32> = (0..bits as u32).collect();
        rng::stream(seed, streams::EXACT_TUPLES, index).shuffle(&mut order);
        tuples.extend(order.chunks_exact(length).take(model.rams - tuples.len()).map(<[u32]>::to_vec));
    }
    Ok(tuples)
}

fn matrix(model: &Model, seed: u64, ram: u64) -> Vec<u64> {
    if !model.is_hashed() {
        return Vec::new();
    }
    let mut stream = rng::stream(seed, streams::EXACT_HASHES, ram);
    let unused = 64 - model.tuple_bits;
    (0..model.hashes * model.entry_bits).map(|_| stream.bits() >> unused).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(settings: &str) -> Model {
        let yaml = format!("{{\"encoding\": {{\"kind\": \"linear\", \"bits\": 2}}, {settings}}}");
        serde_json::from_str(&yaml).unwrap()
    }

    /// Levels of rows, the encoder's planes of them, and the bits one by one.
    #[test]
    fn entries_are_addresses_or_their_hashes() {
        let mut stream = rng::stream(1, 0, 0);
        let levels: Vec<u8> = (0..100 * 9).map(|_| stream.below(3) as u8).collect();
        for (settings, picture) in [
            ("\"rams\": 3, \"tuple_bits\": 7, \"entry_bits\": 7", None),
            ("\"rams\": 5, \"tuple_bits\": 8, \"entry_bits\": 4, \"hashes\": 3, \"window\": 2", Some([3, 3])),
        ] {
            let model = model(settings);
            let encoder = Encoder::new(&model, 5, 9, picture).unwrap();
            let planes = encoder.planes(&levels, 9);
            for (ram, Ram { tuple, matrix }) in encoder.rams.iter().enumerate() {
                for row in 0..100 {
                    let is_set = |bit: u32| u64::from(levels[row * 9 + bit as usize / 2] > (bit % 2) as u8);
                    let address = tuple.iter().rev().fold(0, |address, &bit| address << 1 | is_set(bit));
                    let hash = |matrix: &[u64]| {
                        let parity = |row: &u64| u64::from((row & address).count_ones() % 2);
                        matrix.iter().rev().fold(0, |number, row| number << 1 | parity(row)) as usize
                    };
                    let expected: Vec<usize> = match matrix.is_empty() {
                        true => vec![address as usize],
                        false => matrix.chunks(model.entry_bits as usize).map(hash).collect(),
                    };
                    let packed = encoder.packed(ram, planes.block(row / BLOCK))[row % BLOCK];
                    assert_eq!(
                        encoder.unpacked(packed).collect::<Vec<_>>(),
                        expected,
                        "{settings} {ram} {row}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_tuple_has_different_bits_and_lies_in_its_window() {
        let model = model("\"rams\": 40, \"tuple_bits\": 6, \"entry_bits\": 6, \"window\": 2");
        let encoder = Encoder::new(&model, 5, 63, Some([9, 7])).unwrap();
        for Ram { tuple, .. } in &encoder.rams {
            let spread = |at: fn(u32) -> u32| {
                let places = || tuple.iter().map(|bit| at(bit / 2));
                places().max().unwrap() - places().min().unwrap()
            };
            assert!(spread(|input| input % 9) <= 1 && spread(|input| input / 9) <= 1, "{tuple:?}");
            let mut sorted = tuple.clone();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), 6);
        }
        let small = Model { tuple_bits: 9, ..model };
        assert!(matches!(
            Encoder::new(&small, 5, 63, Some([9, 7])),
            Err(ExactError::TupleTooLarge { bits: 8, .. })
        ));
    }
}
