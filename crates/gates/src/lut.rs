//! Functions of three inputs, and the kernel that computes lists of them over tiles of bits.
//!
//! A function's table has the value for `(a, b, c)` in bit `a + 2 b + 4 c`. Only functions are computed that are 0
//! where all inputs are 0, and of those that differ in the order of their inputs only the one with the
//! smallest table: 38 of the 256.

use rekindle_compute::kernel;

/// Eight words, as one register of the widest kind holds them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(align(64))]
pub(crate) struct Vector(pub [u64; VECTOR]);

/// Words of a vector.
pub(crate) const VECTOR: usize = 8;

/// A place in the slots: the number of a slot times 4, and the row of the tile that is begun at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(pub u32);

impl Place {
    pub fn new(slot: u32, row: u32) -> Self {
        Self(slot << 2 | row)
    }

    #[inline(always)]
    fn slot(self) -> usize {
        (self.0 >> 2) as usize
    }

    #[inline(always)]
    pub fn first(self, tile: &Tile) -> usize {
        self.slot() * tile.stride + (self.0 & 3) as usize * tile.columns
    }
}

/// One function to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    pub output: Place,
    pub inputs: [Place; 3],
}

/// What operations compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Function {
    /// A function of three inputs: its smallest table.
    Table(u8),
    /// The sum and the carry of three bits: two operations with the same inputs, one behind the other. What both
    /// read is read once.
    Adder,
}

/// Tables of the two outputs of [`Function::Adder`].
pub(crate) const SUM: u8 = 0x96;
pub(crate) const CARRY: u8 = 0xe8;

/// Operations of the same function over the same number of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub function: Function,
    /// Rows beyond those of the tile.
    pub extra: u32,
    pub first: u32,
    pub end: u32,
}

/// The shape of the slots: how many vectors each has, and the rows and columns of vectors that are computed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tile {
    pub stride: usize,
    pub columns: usize,
    pub rows: usize,
}

/// The smallest table of those that differ from this one in the order of the inputs, and the inputs in its
/// order.
pub(crate) fn canonical(table: u8) -> (u8, [usize; 3]) {
    const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let reordered = ORDERS.map(|order| (reorder(table, order), order));
    reordered.into_iter().min().unwrap_or((table, ORDERS[0]))
}

/// The table of the function whose first input is that of number `order[0]`, and so on.
fn reorder(table: u8, order: [usize; 3]) -> u8 {
    let mut reordered = 0;
    for row in 0..8_usize {
        let before = (0..3).fold(0, |before, place| before | (row >> place & 1) << order[place]);
        reordered |= (table >> before & 1) << row;
    }
    reordered
}

/// The value of a function of two inputs, of which bit `a + 2 b` of the table is the value.
#[inline(always)]
fn of_two(table: u8, a: u64, b: u64) -> u64 {
    match table {
        0 => 0,
        1 => !(a | b),
        2 => a & !b,
        3 => !b,
        4 => !a & b,
        5 => !a,
        6 => a ^ b,
        7 => !(a & b),
        8 => a & b,
        9 => !(a ^ b),
        10 => a,
        11 => a | !b,
        12 => b,
        13 => !a | b,
        14 => a | b,
        _ => !0,
    }
}

/// The value of a function of three inputs: what it is where `c` is 0, changed where `c` is 1 and it differs.
#[inline(always)]
pub(crate) fn of_three<const TABLE: u8>(a: u64, b: u64, c: u64) -> u64 {
    let low = TABLE & 15;
    let high = TABLE >> 4;
    match (low, high) {
        _ if low == high => of_two(low, a, b),
        (0, _) => c & of_two(high, a, b),
        (_, 0) => !c & of_two(low, a, b),
        (_, 15) => c | of_two(low, a, b),
        _ => of_two(low, a, b) ^ (c & of_two(low ^ high, a, b)),
    }
}

/// Calls a function that is generic over the table with the table of a run.
macro_rules! dispatch {
    ($table:expr, $compute:ident, $arguments:tt; $($known:literal)*) => {
        match $table {
            $($known => dispatch!(@call $compute, $known, $arguments),)*
            _ => {}
        }
    };
    (@call $compute:ident, $known:literal, ($($argument:expr),*)) => {
        $compute::<$known>($($argument),*)
    };
}

kernel! {
    /// Computes lists of functions over a tile.
    pub(crate) fn execute(runs: &[Run], operations: &[Operation], tile: &Tile, slots: &mut [Vector]) {
        // Slots of one vector need no loops and no slices.
        let is_single = tile.stride == 1;
        for run in runs {
            let list = &operations[run.first as usize..run.end as usize];
            let length = (tile.rows + run.extra as usize) * tile.columns;
            let table = match run.function {
                Function::Table(table) => table,
                Function::Adder => {
                    if is_single { add_single(list, slots) } else { add(list, tile, length, slots) }
                    continue;
                }
            };
            dispatch!(
                table, choose, (is_single, list, tile, length, slots);
                0x02 0x06 0x08 0x0a 0x0e 0x16 0x18 0x1a 0x1e 0x28 0x2a 0x2c 0x2e 0x3c 0x3e 0x68 0x6a 0x6e 0x7e
                0x80 0x82 0x86 0x88 0x8a 0x8e 0x96 0x98 0x9a 0x9e 0xa8 0xac 0xae 0xbc 0xbe 0xe8 0xea 0xee 0xfe
            );
        }
    }
}

#[inline(always)]
fn choose<const TABLE: u8>(
    is_single: bool,
    list: &[Operation],
    tile: &Tile,
    length: usize,
    slots: &mut [Vector],
) {
    if is_single {
        compute_single::<TABLE>(list, slots);
    } else {
        compute::<TABLE>(list, tile, length, slots);
    }
}

/// The values of a function for all bits of a vector.
#[inline(always)]
fn vector_of<const TABLE: u8>([a, b, c]: [Vector; 3]) -> Vector {
    Vector(std::array::from_fn(|word| of_three::<TABLE>(a.0[word], b.0[word], c.0[word])))
}

#[inline(always)]
fn compute_single<const TABLE: u8>(list: &[Operation], slots: &mut [Vector]) {
    for operation in list {
        let inputs = operation.inputs.map(|input| slots[input.slot()]);
        slots[operation.output.slot()] = vector_of::<TABLE>(inputs);
    }
}

#[inline(always)]
fn add_single(list: &[Operation], slots: &mut [Vector]) {
    let (pairs, _) = list.as_chunks::<2>();
    for [sum, carry] in pairs {
        let inputs = sum.inputs.map(|input| slots[input.slot()]);
        slots[sum.output.slot()] = vector_of::<SUM>(inputs);
        slots[carry.output.slot()] = vector_of::<CARRY>(inputs);
    }
}

#[inline(always)]
fn compute<const TABLE: u8>(list: &[Operation], tile: &Tile, length: usize, slots: &mut [Vector]) {
    for operation in list {
        let first = operation.output.first(tile);
        let (low, rest) = slots.split_at_mut(first);
        let (output, high) = rest.split_at_mut(length);
        let [a, b, c] = operation.inputs;
        let a = &beside(low, high, a.first(tile), first + length)[..length];
        let b = &beside(low, high, b.first(tile), first + length)[..length];
        let c = &beside(low, high, c.first(tile), first + length)[..length];
        for (((output, a), b), c) in output.iter_mut().zip(a).zip(b).zip(c) {
            // All is read before anything is written, so that it is one register's work.
            *output = vector_of::<TABLE>([*a, *b, *c]);
        }
    }
}

#[inline(always)]
fn add(list: &[Operation], tile: &Tile, length: usize, slots: &mut [Vector]) {
    let (pairs, _) = list.as_chunks::<2>();
    for [sum, carry] in pairs {
        let outputs = [sum.output.first(tile), carry.output.first(tile)];
        let [first, second] = if outputs[0] < outputs[1] { outputs } else { [outputs[1], outputs[0]] };
        let (low, rest) = slots.split_at_mut(first);
        let (first_output, rest) = rest.split_at_mut(length);
        let (middle, rest) = rest.split_at_mut(second - first - length);
        let (second_output, high) = rest.split_at_mut(length);
        let (middle_begins, high_begins) = (first + length, second + length);
        let input = |place: Place| {
            let place = place.first(tile);
            let slots = match place {
                _ if place < first => &low[place..],
                _ if place < second => &middle[place - middle_begins..],
                _ => &high[place - high_begins..],
            };
            &slots[..length]
        };
        let [a, b, c] = sum.inputs.map(input);
        let (sums, carries) =
            if first == outputs[0] { (first_output, second_output) } else { (second_output, first_output) };
        let outputs = sums.iter_mut().zip(carries);
        for ((((sum, carry), a), b), c) in outputs.zip(a).zip(b).zip(c) {
            let inputs = [*a, *b, *c];
            (*sum, *carry) = (vector_of::<SUM>(inputs), vector_of::<CARRY>(inputs));
        }
    }
}

/// What is read is in other slots than the output: as a whole before it, or as a whole behind it.
#[inline(always)]
fn beside<'a>(low: &'a [Vector], high: &'a [Vector], place: usize, high_begins: usize) -> &'a [Vector] {
    if place < high_begins { &low[place..] } else { &high[place - high_begins..] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rekindle_compute::KernelPath;

    #[test]
    fn every_function_is_computed_on_every_path() {
        for wished in (0..=255_u8).filter(|table| table & 1 == 0 && ![0, 0xaa, 0xcc, 0xf0].contains(table)) {
            let (table, order) = canonical(wished);
            let words = [0xaaaa_aaaa_aaaa_aaaa, 0xcccc_cccc_cccc_cccc, 0xf0f0_f0f0_f0f0_f0f0];
            for path in KernelPath::available() {
                let mut slots: Vec<Vector> = words.iter().map(|&word| Vector([word; VECTOR])).collect();
                slots.push(Vector([7; VECTOR]));
                let inputs = order.map(|input| Place::new(input as u32, 0));
                let operations = [Operation { output: Place::new(3, 0), inputs }];
                let runs = [Run { function: Function::Table(table), extra: 0, first: 0, end: 1 }];
                execute(path, &runs, &operations, &Tile { stride: 1, columns: 1, rows: 1 }, &mut slots);
                let expected = u64::from_ne_bytes([wished; 8]);
                assert_eq!(slots[3].0, [expected; VECTOR], "table {wished:#x} on {path}");
            }
        }
    }

    #[test]
    fn sums_and_carries_are_computed_together_wherever_they_stand() {
        let words = [0xaaaa_aaaa_aaaa_aaaa, 0xcccc_cccc_cccc_cccc, 0xf0f0_f0f0_f0f0_f0f0];
        for slots in [[0, 1, 2, 3, 4], [3, 4, 2, 1, 0], [1, 2, 4, 3, 0], [0, 2, 4, 1, 3]] {
            let [a, b, c, sum, carry] = slots;
            let inputs = [a, b, c].map(|slot| Place::new(slot, 0));
            let operations = [sum, carry].map(|slot| Operation { output: Place::new(slot, 0), inputs });
            let runs = [Run { function: Function::Adder, extra: 0, first: 0, end: 2 }];
            for path in KernelPath::available() {
                let mut values = vec![Vector([7; VECTOR]); 5];
                for (slot, word) in [a, b, c].into_iter().zip(words) {
                    values[slot as usize] = Vector([word; VECTOR]);
                }
                execute(path, &runs, &operations, &Tile { stride: 1, columns: 1, rows: 1 }, &mut values);
                for (slot, table) in [(sum, SUM), (carry, CARRY)] {
                    assert_eq!(values[slot as usize].0, [u64::from_ne_bytes([table; 8]); VECTOR], "{path}");
                }
            }
        }
    }
}
