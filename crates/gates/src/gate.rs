//! The sixteen gates with two inputs.
//!
//! A gate's number is its truth table: bit 3 is the output for inputs (0, 0), bit 2 for (0, 1),
//! bit 1 for (1, 0) and bit 0 for (1, 1). Between 0 and 1 a gate is the multilinear function
//! `c0 + c1 a + c2 b + c3 a b` through those four corners (Petersen et al., "Deep differentiable
//! logic gate networks", 2022). A mixture of gates is multilinear too, so a trained gate needs
//! these four numbers and not sixteen outputs.

/// How many gates there are.
pub const GATES: usize = 16;

/// The gate that is never true.
pub const FALSE: u8 = 0;

/// The gate that is true where both inputs are.
pub const AND: u8 = 1;

/// The gate that passes its first input on.
pub const PASS_A: u8 = 3;

/// The gate that is true where only the second input is.
pub const NOT_A_AND_B: u8 = 4;

/// The gate that passes its second input on.
pub const PASS_B: u8 = 5;

/// The gate that is true where one input is.
pub const XOR: u8 = 6;

/// The gate that is true where an input is.
pub const OR: u8 = 7;

/// The gate that is true where the inputs are equal.
pub const XNOR: u8 = 9;

/// The gate that is true where its first input is not.
pub const NOT_A: u8 = 12;

/// The gate that is always true.
pub const TRUE: u8 = 15;

/// Of each gate, the coefficients of `1`, `a`, `b` and `a b`.
pub const COEFFICIENTS: [[f32; 4]; GATES] = coefficients();

/// Of each gate, its formula.
pub const NAMES: [&str; GATES] = [
    "FALSE",
    "A AND B",
    "A AND NOT B",
    "A",
    "NOT A AND B",
    "B",
    "A XOR B",
    "A OR B",
    "A NOR B",
    "A XNOR B",
    "NOT B",
    "A OR NOT B",
    "NOT A",
    "NOT A OR B",
    "A NAND B",
    "TRUE",
];

/// Whether a gate of this number does more than pass an input on.
pub fn is_active(op: u8) -> bool {
    op != PASS_A && op != PASS_B
}

/// Whether the gate's output depends on its first and on its second input.
pub fn reads(op: u8) -> [bool; 2] {
    let [_, c1, c2, c3] = masks(op);
    [c1 | c3 != 0, c2 | c3 != 0]
}

/// The coefficients of the gate over the field of two elements, where `xor` adds and `and`
/// multiplies, as masks: `c0 ^ (c1 & a) ^ (c2 & b) ^ (c3 & a & b)` works on 64 cells at once.
pub fn masks(op: u8) -> [u64; 4] {
    let output = |a: u8, b: u8| (op >> (3 - 2 * a - b)) & 1;
    let bits = [
        output(0, 0),
        output(0, 0) ^ output(1, 0),
        output(0, 0) ^ output(0, 1),
        output(0, 0) ^ output(0, 1) ^ output(1, 0) ^ output(1, 1),
    ];
    bits.map(|bit| u64::from(bit).wrapping_neg())
}

const fn coefficients() -> [[f32; 4]; GATES] {
    let mut table = [[0.0; 4]; GATES];
    let mut op = 0;
    while op < GATES {
        let zero = ((op >> 3) & 1) as f32;
        let only_b = ((op >> 2) & 1) as f32;
        let only_a = ((op >> 1) & 1) as f32;
        let both = (op & 1) as f32;
        table[op] = [zero, only_a - zero, only_b - zero, both - only_a - only_b + zero];
        op += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The relaxed gates as the published code writes them.
    fn published(op: usize, a: f32, b: f32) -> f32 {
        match op {
            0 => 0.0,
            1 => a * b,
            2 => a - a * b,
            3 => a,
            4 => b - a * b,
            5 => b,
            6 => a + b - 2.0 * a * b,
            7 => a + b - a * b,
            8 => 1.0 - (a + b - a * b),
            9 => 1.0 - (a + b - 2.0 * a * b),
            10 => 1.0 - b,
            11 => 1.0 - b + a * b,
            12 => 1.0 - a,
            13 => 1.0 - a + a * b,
            14 => 1.0 - a * b,
            _ => 1.0,
        }
    }

    #[test]
    fn the_table_agrees_with_the_published_formulas() {
        for (op, [c0, c1, c2, c3]) in COEFFICIENTS.into_iter().enumerate() {
            for (a, b) in [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0), (0.3, 0.9)] {
                let value = c0 + c1 * a + c2 * b + c3 * a * b;
                assert!((value - published(op, a, b)).abs() < 1e-6, "{}", NAMES[op]);
            }
        }
    }

    #[test]
    fn the_masks_compute_the_same_gate() {
        for op in 0..GATES as u8 {
            let [c0, c1, c2, c3] = masks(op);
            let (a, b) = (0b0011, 0b0101);
            let word = (c0 ^ (c1 & a) ^ (c2 & b) ^ (c3 & a & b)) & 0b1111;
            // The corners (0,0) (0,1) (1,0) (1,1) stand in bits 3 to 0, as in the number itself.
            assert_eq!(word, u64::from(op), "{}", NAMES[usize::from(op)]);
        }
    }
}
