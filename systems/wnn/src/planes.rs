//! Examples in bit planes, and the walks of a neuron's cells over them.
//!
//! A row holds one bit for each example of a block. A plane is the row of one input bit. The
//! examples at an address are the AND of its planes (negated where the address has a 0), so a
//! neuron is asked about all examples of a block at once; addresses that begin alike share the
//! ANDs of their beginning.

use rekindle_compute::kernel;

use crate::examples::Examples;
use crate::genome::MOST_BITS;
use crate::memory::Neuron;

/// 64-bit words of a row.
pub(crate) const WORDS: usize = 64;
/// Examples of a block: small enough for the planes of a block to stay in the cache of a core.
pub(crate) const BLOCK: usize = WORDS * 64;
/// Words that are worked on together; they fit the registers.
const CHUNK: usize = 16;

/// One bit for each example of a block.
pub(crate) type Row = [u64; WORDS];

/// The planes of up to [`BLOCK`] examples.
pub(crate) struct Block {
    /// The first example.
    pub(crate) start: usize,
    /// How many there are.
    pub(crate) len: usize,
    /// One for each input bit.
    pub(crate) planes: Vec<Row>,
}

/// Cuts examples into blocks.
pub(crate) fn blocks(examples: &Examples, inputs: usize) -> Vec<Block> {
    let starts = (0..examples.len()).step_by(BLOCK);
    starts.map(|start| Block::new(examples, inputs, start)).collect()
}

impl Block {
    fn new(examples: &Examples, inputs: usize, start: usize) -> Self {
        let len = BLOCK.min(examples.len() - start);
        let mut planes = vec![[0; WORDS]; inputs];
        for example in 0..len {
            let input = examples.input(start + example);
            for (bit, plane) in planes.iter_mut().enumerate() {
                plane[example / 64] |= (input[bit / 64] >> (bit % 64) & 1) << (example % 64);
            }
        }
        Self { start, len, planes }
    }

    /// The row with a bit for every example.
    pub(crate) fn all(&self) -> Row {
        std::array::from_fn(|word| match self.len.saturating_sub(word * 64) {
            0 => 0,
            rest @ 1..64 => (1 << rest) - 1,
            _ => u64::MAX,
        })
    }
}

/// The positions of the ones in a row, ascending.
pub(crate) fn ones(row: &Row) -> impl Iterator<Item = usize> {
    row.iter().enumerate().flat_map(|(word, &bits)| {
        let mut bits = bits;
        std::iter::from_fn(move || {
            let position = (bits != 0).then(|| word * 64 + bits.trailing_zeros() as usize)?;
            bits &= bits - 1;
            Some(position)
        })
    })
}

/// The rows of the beginnings of an address, by their length.
pub(crate) type Beginnings = [Row; MOST_BITS as usize + 1];

/// What each example of a block adds up to.
pub(crate) type Sums = [u64; BLOCK];

/// Which planes a neuron looks at.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    /// The planes of a block.
    pub(crate) planes: &'a [Row],
    /// The plane of each address bit, the most significant first.
    pub(crate) connections: &'a [u8],
}

/// A level at which a neuron's counts are read: the length of the beginning of an address, and
/// the weight of a count there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Level {
    /// Address bits, from the first.
    pub(crate) length: usize,
    /// The weight of each example seen there.
    pub(crate) weight: u64,
    /// What is taken off for a position that was seen at all.
    pub(crate) discount: u64,
}

impl Level {
    /// The weight of `count` examples.
    #[inline(always)]
    pub(crate) fn weight_of(&self, count: u64) -> u64 {
        self.weight * count - self.discount
    }
}

/// How many leading bits two different addresses of `bits` bits share.
#[inline(always)]
fn shared(a: u64, b: u64, bits: usize) -> usize {
    bits - (64 - (a ^ b).leading_zeros() as usize)
}

/// The plane of bit `depth` of an address is used as it is or negated.
#[inline(always)]
fn negation(address: u64, bits: usize, depth: usize) -> u64 {
    (address >> (bits - 1 - depth) & 1).wrapping_sub(1)
}

/// ANDs the planes of address bits `from..to` onto the words of `row` that begin at `chunk`.
#[inline(always)]
fn narrow(row: &Row, chunk: usize, view: View<'_>, address: u64, from: usize, to: usize) -> [u64; CHUNK] {
    let View { planes, connections } = view;
    let mut words: [u64; CHUNK] = std::array::from_fn(|word| row[chunk + word]);
    for depth in from..to {
        let plane = &planes[usize::from(connections[depth])];
        let negation = negation(address, connections.len(), depth);
        for word in 0..CHUNK {
            words[word] &= plane[chunk + word] ^ negation;
        }
    }
    words
}

/// Makes the row of the beginning of an address that is one bit longer than `depth` bits.
#[inline(always)]
fn extend(beginnings: &mut Beginnings, view: View<'_>, address: u64, depth: usize) {
    let plane = &view.planes[usize::from(view.connections[depth])];
    let negation = negation(address, view.connections.len(), depth);
    let (shorter, longer) = beginnings.split_at_mut(depth + 1);
    for ((longer, shorter), plane) in longer[0].iter_mut().zip(&shorter[depth]).zip(plane) {
        *longer = shorter & (plane ^ negation);
    }
}

/// Adds a weight to the sums of the examples of a row.
#[inline(always)]
fn add_to_examples(sums: &mut Sums, touched: &mut Row, row: &Row, weight: u64) {
    for (word, (touched, &examples)) in touched.iter_mut().zip(row).enumerate() {
        *touched |= examples;
        let mut examples = examples;
        while examples != 0 {
            sums[word * 64 + examples.trailing_zeros() as usize] += weight;
            examples &= examples - 1;
        }
    }
}

kernel! {
    /// Adds to `seen` the examples whose address was seen. `beginnings[0]` holds the examples that
    /// are asked about; the others are scratch.
    pub(crate) fn cover(
        seen: &mut Row,
        beginnings: &mut Beginnings,
        view: View<'_>,
        addresses: &[u64],
    ) {
        let bits = view.connections.len();
        let (mut next, mut valid) = (0, 0);
        while next < addresses.len() {
            let address = addresses[next];
            // Addresses that differ in their last bits only, in every way, are one shorter address.
            let mut free = 0;
            while free < bits && address & ((2 << free) - 1) == 0 {
                let last = next + (2 << free) - 1;
                if last >= addresses.len() || addresses[last] != address + (2 << free) - 1 {
                    break;
                }
                free += 1;
            }
            next += 1 << free;
            let common = addresses.get(next).map_or(0, |&after| shared(address, after, bits));
            for depth in valid..common {
                extend(beginnings, view, address, depth);
            }
            let from = valid.max(common);
            for chunk in (0..WORDS).step_by(CHUNK) {
                let words = narrow(&beginnings[from], chunk, view, address, from, bits - free);
                for word in 0..CHUNK {
                    seen[chunk + word] |= words[word];
                }
            }
            valid = common;
        }
    }
}

kernel! {
    /// Adds to `sums` the weights of the neuron's counts at each level, and to `touched` the examples
    /// that got anything. `beginnings[0]` holds the examples that are asked about; the others are
    /// scratch. Levels ascend, and the last is the whole address.
    pub(crate) fn add_weights(
        sums: &mut Sums,
        touched: &mut Row,
        beginnings: &mut Beginnings,
        view: View<'_>,
        neuron: Neuron<'_>,
        levels: &[Level],
    ) {
        let bits = view.connections.len();
        let addresses = neuron.addresses;
        // Rows of beginnings up to `valid` bits are those of the address at hand; from `dead` bits on
        // none of the examples has them.
        let (mut valid, mut dead) = (0, usize::MAX);
        for (index, &address) in addresses.iter().enumerate() {
            let common = addresses.get(index + 1).map_or(0, |&after| shared(address, after, bits));
            if dead <= valid {
                valid = common;
                continue;
            }
            dead = usize::MAX;
            let mut built = valid;
            for level in levels {
                if level.length <= valid {
                    continue;
                }
                // What the next address shares is built row by row, the rest in one go.
                while built < common.min(level.length) {
                    extend(beginnings, view, address, built);
                    built += 1;
                }
                let mut any = 0;
                for chunk in (0..WORDS).step_by(CHUNK) {
                    let words = narrow(&beginnings[built], chunk, view, address, built, level.length);
                    for word in 0..CHUNK {
                        beginnings[level.length][chunk + word] = words[word];
                        any |= words[word];
                    }
                }
                built = level.length;
                if any == 0 {
                    dead = built;
                    break;
                }
                let count = neuron.count(index, bits - level.length);
                add_to_examples(sums, touched, &beginnings[built], level.weight_of(count));
            }
            valid = common;
        }
    }
}
