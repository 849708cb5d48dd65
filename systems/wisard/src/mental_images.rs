//! What the classifier has in mind for each class: the counters, projected back to the inputs.

use rekindle_formats::png;

use super::error::WisardError;
use super::state::State;

/// Images side by side.
const ACROSS: usize = 10;
/// The side of an image is at least this, as long as a pixel is a whole one: pixels.
const LEAST_SIDE: usize = 120;
/// Pixels between images.
const GAP: usize = 8;
/// The picture never has more pixels.
const PIXELS_LIMIT: usize = 1 << 26;
const PAPER: u8 = 255;
const FRAME: u8 = 200;

/// An image for each class, in their order, ten in a row. An input is the darker, the more of its
/// bits were set in the rows of the class: the sum over all counters of the class whose address has
/// the bit, as a share of the rows (C. M. Soares et al., "Uma implementação em software do
/// classificador WISARD", 1998, call it mental images). Inputs are pixels row by row if their
/// number is a square, and fill a rectangle otherwise.
pub(super) fn draw(state: &State) -> Result<Vec<u8>, WisardError> {
    let (inputs, classes) = (state.preparation.inputs.len(), state.preparation.classes.len());
    let Sheet { width, height, scale, step_x, step_y, total_x, total_y } = Sheet::of(inputs, classes);
    if total_x.saturating_mul(total_y) > PIXELS_LIMIT {
        return Err(WisardError::PictureTooLarge { inputs, classes });
    }
    let shades = shades(state);
    let mut pixels = vec![FRAME; total_x * total_y];
    for class in 0..classes {
        let corner = [GAP + class % ACROSS * step_x, GAP + class / ACROSS * step_y];
        for y in 0..height * scale {
            let line = (corner[1] + y) * total_x + corner[0];
            for x in 0..width * scale {
                let input = y / scale * width + x / scale;
                pixels[line + x] = if input < inputs { shades[class * inputs + input] } else { FRAME };
            }
        }
    }
    Ok(png::grayscale(&pixels, total_x as u32)?)
}

/// Bytes that drawing takes at most, the picture included.
pub(super) fn bytes(state: &State) -> u64 {
    let (inputs, classes) = (state.preparation.inputs.len(), state.preparation.classes.len());
    let Sheet { total_x, total_y, .. } = Sheet::of(inputs, classes);
    let pixels = total_x.saturating_mul(total_y);
    let pixels = if pixels > PIXELS_LIMIT { 0 } else { pixels as u64 };
    let projections = 8 * state.preparation.thermometers.encoded_bits() as u64 * classes as u64;
    // The encoder holds rows and its output beside the pixels.
    4 * pixels + projections + 10 * (inputs * classes) as u64 + (1 << 20)
}

/// The layout of the picture, in pixels.
struct Sheet {
    /// Inputs of an image, across and down.
    width: usize,
    height: usize,
    /// Pixels of an input, across and down.
    scale: usize,
    /// From an image to the next.
    step_x: usize,
    step_y: usize,
    total_x: usize,
    total_y: usize,
}

impl Sheet {
    fn of(inputs: usize, classes: usize) -> Self {
        let width = (1..=inputs).find(|side| side * side >= inputs).unwrap_or(1);
        let height = inputs.div_ceil(width);
        let scale = LEAST_SIDE.div_ceil(width).max(1);
        let (across, down) = (classes.min(ACROSS), classes.div_ceil(ACROSS));
        let (step_x, step_y) = (width * scale + GAP, height * scale + GAP);
        let (total_x, total_y) = (across * step_x + GAP, down * step_y + GAP);
        Self { width, height, scale, step_x, step_y, total_x, total_y }
    }
}

/// The shade of each input, by class.
fn shades(state: &State) -> Vec<u8> {
    let (inputs, classes) = (state.preparation.inputs.len(), state.learnt.len());
    let bits = state.preparation.thermometers.bits as usize;
    let (sums, mapped) = (projections(state), mapped_bits(state));
    let shade = |class: usize, input: usize| {
        let most = state.learnt[class].saturating_mul(mapped[input]);
        let sum: u64 = (input * bits..(input + 1) * bits).map(|bit| sums[bit * classes + class]).sum();
        let share = if most == 0 { 0.0 } else { (sum as f64 / most as f64).min(1.0) };
        (f64::from(PAPER) * (1.0 - share)).round() as u8
    };
    (0..classes)
        .flat_map(|class| (0..inputs).map(move |input| (class, input)))
        .map(|(c, i)| shade(c, i))
        .collect()
}

/// By bit and class, the sum of the counters whose address has the bit.
fn projections(state: &State) -> Vec<u64> {
    let classes = state.learnt.len();
    let mut sums = vec![0; state.preparation.thermometers.encoded_bits() * classes];
    for tuple in 0..state.mapping.tuples() {
        for (cell, address) in state.memory.cells(&state.mapping, tuple) {
            let counts = &state.memory.counts()[cell * classes..(cell + 1) * classes];
            if counts.iter().all(|&count| count == 0) {
                continue;
            }
            let bits = state.mapping.tuple(tuple).iter().enumerate();
            for (_, &bit) in bits.filter(|(index, _)| address >> index & 1 == 1) {
                let sums = &mut sums[bit as usize * classes..(bit as usize + 1) * classes];
                sums.iter_mut().zip(counts).for_each(|(sum, &count)| *sum += u64::from(count));
            }
        }
    }
    sums
}

/// How often a bit of each input is mapped.
fn mapped_bits(state: &State) -> Vec<u64> {
    let mut mapped = vec![0; state.preparation.inputs.len()];
    for &bit in &state.mapping.bits {
        mapped[(bit / state.preparation.thermometers.bits) as usize] += 1;
    }
    mapped
}
