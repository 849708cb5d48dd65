//! A picture of what a network of two inputs says everywhere.

use rekindle_compute::KernelPath;
use rekindle_formats::png;

use crate::columns::Columns;
use crate::config::Model;
use crate::data::{Examples, Preparation, Target};
use crate::error::CascorError;
use crate::state::State;

/// Pixels of a side.
const SIDE: usize = 640;
/// Colours of classes, told apart by people who see colours differently (Okabe and Ito, 2008).
const COLOURS: [[u8; 3]; 7] = [
    [0, 114, 178],
    [230, 159, 0],
    [0, 158, 115],
    [204, 121, 167],
    [86, 180, 233],
    [213, 94, 0],
    [240, 228, 66],
];
const WHITE: [u8; 3] = [255; 3];
const BLACK: [u8; 3] = [20; 3];

/// The part of the plane that is shown, as the network sees it.
struct Frame {
    low: [f32; 2],
    high: [f32; 2],
}

/// Draws the picture: a colour for each class, paler where the network is less sure, and the
/// examples as dots.
pub(crate) fn draw(
    state: &State,
    model: &Model,
    examples: Option<&Examples>,
    path: KernelPath,
) -> Result<Vec<u8>, CascorError> {
    let inputs = state.preparation.inputs.len();
    if inputs != 2 {
        return Err(CascorError::NoBoundary { inputs });
    }
    let frame = Frame::around(examples);
    let outputs = state.network.outputs(path, model.output, &frame.grid());
    let colour = |case| colour(&state.preparation, &outputs, case);
    let mut pixels: Vec<[u8; 3]> = (0..SIDE * SIDE).map(colour).collect();
    for example in examples.into_iter().flat_map(|examples| dots(&frame, examples, &state.preparation)) {
        dot(&mut pixels, example);
    }
    Ok(png::rgb(&pixels, SIDE as u32)?)
}

/// Bytes that drawing takes at most, of a network of so many units and outputs; nothing where it cannot be
/// drawn.
pub(crate) fn bytes(inputs: u64, units: u64, outputs: u64) -> u64 {
    if inputs != 2 {
        return 0;
    }
    let pixels = (SIDE * SIDE) as u64;
    // The values of units in a list that grows by doubling, and is moved as it does; pixels and their file.
    pixels.saturating_mul(4 * (8 + 3 * units + 2 * outputs) + 4 * 3)
}

impl Frame {
    /// All examples and a margin; the usual range of scaled inputs without any.
    fn around(examples: Option<&Examples>) -> Self {
        let range = |input: usize| match examples {
            None => [-3.0, 3.0],
            Some(examples) => {
                let values = || examples.units.column(1 + input);
                let low = values().fold(f32::INFINITY, f32::min);
                let high = values().fold(f32::NEG_INFINITY, f32::max);
                let margin = 0.05 * (high - low).max(1e-6);
                [low - margin, high + margin]
            }
        };
        let [x, y] = [range(0), range(1)];
        Self { low: [x[0], y[0]], high: [x[1], y[1]] }
    }

    /// Bias and inputs of every pixel, row by row from the top.
    fn grid(&self) -> Columns {
        let at =
            |input: usize, share: f32| (self.high[input] - self.low[input]).mul_add(share, self.low[input]);
        let centre = |pixel: usize| (pixel as f32 + 0.5) / SIDE as f32;
        let mut columns = Columns::new(SIDE * SIDE);
        columns.push(std::iter::repeat_n(1.0, SIDE * SIDE));
        columns.push((0..SIDE * SIDE).map(|pixel| at(0, centre(pixel % SIDE))));
        columns.push((0..SIDE * SIDE).map(|pixel| at(1, 1.0 - centre(pixel / SIDE))));
        columns
    }

    /// The pixel of a point.
    fn pixel(&self, point: [f32; 2]) -> [usize; 2] {
        let share = |input: usize| (point[input] - self.low[input]) / (self.high[input] - self.low[input]);
        let pixel = |share: f32| (share * SIDE as f32).clamp(0.0, SIDE as f32 - 1.0) as usize;
        [pixel(share(0)), pixel(1.0 - share(1))]
    }
}

/// The colour of what the outputs say at a case.
fn colour(preparation: &Preparation, outputs: &Columns, case: usize) -> [u8; 3] {
    let (class, sureness) = match &preparation.target {
        Target::Classes { one_hot: false, levels, .. } => {
            let middle = (levels[0] + levels[1]) / 2.0;
            let distance = (outputs.get(0, case) - middle) / (levels[1] - middle);
            (preparation.class_of(outputs, case), distance.abs())
        }
        Target::Classes { .. } => {
            let best = preparation.class_of(outputs, case);
            let others = (0..outputs.len()).filter(|&output| output != best);
            let second = others.map(|output| outputs.get(output, case)).fold(f32::NEG_INFINITY, f32::max);
            (best, outputs.get(best, case) - second)
        }
        // A number is shown as how far it is from the mean, on either side.
        Target::Numbers(_) => {
            let value = outputs.get(0, case) / 2.0;
            (usize::from(value > 0.0), value.abs())
        }
    };
    mix(WHITE, COLOURS[class % COLOURS.len()], 0.15 + 0.55 * sureness.clamp(0.0, 1.0))
}

fn mix(from: [u8; 3], to: [u8; 3], share: f32) -> [u8; 3] {
    std::array::from_fn(|channel| {
        let (from, to) = (f32::from(from[channel]), f32::from(to[channel]));
        (to - from).mul_add(share, from).round() as u8
    })
}

/// Pixel and colour of each example.
fn dots<'a>(
    frame: &'a Frame,
    examples: &'a Examples,
    preparation: &'a Preparation,
) -> impl Iterator<Item = ([usize; 2], [u8; 3])> + 'a {
    (0..examples.units.cases()).map(move |case| {
        let point = [examples.units.get(1, case), examples.units.get(2, case)];
        let class = match &preparation.target {
            Target::Classes { .. } => preparation.class_of(&examples.targets, case),
            Target::Numbers(_) => usize::from(examples.targets.get(0, case) > 0.0),
        };
        (frame.pixel(point), COLOURS[class % COLOURS.len()])
    })
}

/// A disc with a dark rim.
fn dot(pixels: &mut [[u8; 3]], ([x, y], colour): ([usize; 2], [u8; 3])) {
    const RADIUS: isize = 4;
    for dy in -RADIUS..=RADIUS {
        for dx in -RADIUS..=RADIUS {
            let square = dx * dx + dy * dy;
            let (Some(x), Some(y)) = (x.checked_add_signed(dx), y.checked_add_signed(dy)) else { continue };
            if square > RADIUS * RADIUS || x >= SIDE || y >= SIDE {
                continue;
            }
            let rim = square > (RADIUS - 1) * (RADIUS - 1);
            pixels[y * SIDE + x] = if rim { BLACK } else { colour };
        }
    }
}
