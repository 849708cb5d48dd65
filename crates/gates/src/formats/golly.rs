//! Golly, the simulator of cellular automata.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rekindle_compute::KernelPath;

use crate::circuit::{Circuit, expect};
use crate::error::CircuitError;
use crate::program::Program;
use crate::proof::values_of;

/// Words of a rule's table.
const WORDS: usize = 8;

/// Writes a rule of one bit a cell as an empty pattern of that rule, in Golly's RLE format.
///
/// # Errors
/// The circuit has not nine inputs and one output.
pub fn write(circuit: &Circuit) -> Result<String, CircuitError> {
    Ok(format!("x = 0, y = 0, rule = {}\n!\n", rule(circuit)?))
}

/// The name that Golly knows the rule by: `MAP` and the values of all 512 neighbourhoods in base64. In the number
/// of a neighbourhood the upper left cell is the highest bit, and the lower right one the lowest.
///
/// # Errors
/// The circuit has not nine inputs and one output.
pub fn rule(circuit: &Circuit) -> Result<String, CircuitError> {
    expect("inputs", circuit.inputs(), 9)?;
    expect("outputs", circuit.outputs().len(), 1)?;
    let plane =
        |input: usize| -> Vec<u64> { (0..WORDS as u64).map(|word| values_of(8 - input, word)).collect() };
    let inputs: Vec<Vec<u64>> = (0..9).map(plane).collect();
    let mut table = [[0; WORDS]];
    Program::new(circuit).run(KernelPath::best(), &inputs, &mut table)?;
    let bytes = table[0].iter().flat_map(|word| word.to_le_bytes().map(u8::reverse_bits));
    Ok(format!("MAP{}", STANDARD_NO_PAD.encode(bytes.collect::<Vec<u8>>())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::life;

    #[test]
    fn life_has_the_name_that_golly_gives_it() {
        let name =
            "MAPARYXfhZofugWaH7oaIDogBZofuhogOiAaIDogIAAgAAWaH7oaIDogGiA6ICAAIAAaIDogIAAgACAAIAAAAAAAA";
        assert_eq!(rule(&life()).unwrap(), name);
    }
}
