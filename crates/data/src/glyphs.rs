//! Images of digits, drawn with strokes by an unsteady hand.

use rekindle_compute::rng::{self, Stream};

use crate::origin::Origin;
use crate::table::{ClassColumn, NumberColumn, TableExamples, TableTarget};

/// Pixels of a side.
pub const SIDE: usize = 8;
/// Half the width of a stroke, and how far its edge is blurred: in sides of the image.
const HALF_WIDTH: f64 = 0.055;
const BLUR: f64 = 0.11;
/// Full ink.
const INK: f64 = 16.0;

type Point = [f64; 2];

/// The strokes of each digit: lines from point to point, x to the right and y down, within a square
/// of side 1.
const DIGITS: [&[&[Point]]; 10] = [
    &[&[[0.5, 0.1], [0.75, 0.25], [0.75, 0.75], [0.5, 0.9], [0.25, 0.75], [0.25, 0.25], [0.5, 0.1]]],
    &[&[[0.35, 0.3], [0.55, 0.1], [0.55, 0.9]]],
    &[&[[0.25, 0.25], [0.45, 0.1], [0.7, 0.2], [0.7, 0.4], [0.25, 0.9], [0.78, 0.9]]],
    &[&[[0.27, 0.15], [0.7, 0.15], [0.45, 0.45], [0.72, 0.62], [0.65, 0.85], [0.27, 0.88]]],
    &[&[[0.6, 0.9], [0.6, 0.1], [0.22, 0.62], [0.8, 0.62]]],
    &[&[[0.72, 0.1], [0.32, 0.1], [0.28, 0.45], [0.65, 0.45], [0.74, 0.68], [0.55, 0.9], [0.25, 0.85]]],
    &[&[[0.65, 0.1], [0.3, 0.45], [0.27, 0.75], [0.5, 0.9], [0.73, 0.75], [0.65, 0.53], [0.3, 0.58]]],
    &[&[[0.22, 0.12], [0.76, 0.12], [0.42, 0.9]], &[[0.35, 0.5], [0.7, 0.5]]],
    &[
        &[[0.5, 0.48], [0.3, 0.3], [0.5, 0.1], [0.7, 0.3], [0.5, 0.48]],
        &[[0.5, 0.48], [0.25, 0.7], [0.5, 0.9], [0.75, 0.7], [0.5, 0.48]],
    ],
    &[&[[0.7, 0.35], [0.5, 0.5], [0.3, 0.32], [0.5, 0.1], [0.7, 0.3], [0.65, 0.9]]],
];

/// So many digits, one after the other, as tables of [`SIDE`] by [`SIDE`] pixels, row by row; each pixel is
/// changed by up to `noise` of full ink, which is 16. `stream` is the random stream of whoever learns them.
pub fn generate(rows: u32, noise: f64, seed: u64, stream: u64) -> TableExamples {
    let mut columns: Vec<_> = (0..SIDE * SIDE).map(|_| Vec::with_capacity(rows as usize)).collect();
    let labels: Vec<usize> = (0..rows as usize).map(|row| row % DIGITS.len()).collect();
    for (row, &digit) in labels.iter().enumerate() {
        let mut stream = rng::stream(seed, stream, row as u64);
        let strokes = unsteady(DIGITS[digit], &mut stream);
        for (pixel, column) in columns.iter_mut().enumerate() {
            let centre = |index: usize| (index as f64 + 0.5) / SIDE as f64;
            let ink = ink([centre(pixel % SIDE), centre(pixel / SIDE)], &strokes);
            let shade = ink + noise * (2.0 * stream.uniform_f64() - 1.0);
            column.push((shade.clamp(0.0, 1.0) * INK).round());
        }
    }
    let name = |pixel: usize| format!("y{}x{}", pixel / SIDE, pixel % SIDE);
    let input = |(pixel, values)| NumberColumn { name: name(pixel), values };
    TableExamples {
        origin: Origin::Named("the glyphs"),
        inputs: columns.into_iter().enumerate().map(input).collect(),
        target: TableTarget::Classes(ClassColumn {
            name: "digit".to_owned(),
            classes: (0..DIGITS.len()).map(|digit| digit.to_string()).collect(),
            labels,
        }),
        notes: Vec::new(),
    }
}

/// The strokes shifted, stretched and slanted as a whole, and each point moved a little.
fn unsteady(strokes: &[&[Point]], stream: &mut Stream) -> Vec<Vec<Point>> {
    let mut within = |range: f64| range * (2.0 * stream.uniform_f64() - 1.0);
    let shift = [within(0.09), within(0.07)];
    let stretch = [1.0 + within(0.18), 1.0 + within(0.12)];
    let (slant, tilt) = (within(0.25), within(0.15));
    let mut moved = |[x, y]: Point| {
        let (x, y) = ((x - 0.5) * stretch[0] + within(0.04), (y - 0.5) * stretch[1] + within(0.04));
        [0.5 + x + slant * y + shift[0], 0.5 + y + tilt * x + shift[1]]
    };
    strokes.iter().map(|stroke| stroke.iter().map(|&point| moved(point)).collect()).collect()
}

/// How much ink is at a point: 0 to 1.
fn ink(point: Point, strokes: &[Vec<Point>]) -> f64 {
    let lines = strokes.iter().flat_map(|stroke| stroke.windows(2));
    let square = lines.map(|line| squared_distance(point, [line[0], line[1]])).fold(f64::INFINITY, f64::min);
    (1.0 - (square.sqrt() - HALF_WIDTH) / BLUR).clamp(0.0, 1.0)
}

fn squared_distance(point: Point, [from, to]: [Point; 2]) -> f64 {
    let line = [to[0] - from[0], to[1] - from[1]];
    let way = [point[0] - from[0], point[1] - from[1]];
    let length = line[0] * line[0] + line[1] * line[1];
    let share = ((way[0] * line[0] + way[1] * line[1]) / length.max(1e-12)).clamp(0.0, 1.0);
    let beside = [way[0] - share * line[0], way[1] - share * line[1]];
    beside[0] * beside[0] + beside[1] * beside[1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glyphs_are_the_same_for_the_same_seed_and_have_ink() {
        let glyphs = generate(20, 0.0, 3, 1);
        assert_eq!(glyphs, generate(20, 0.0, 3, 1));
        assert_ne!(glyphs.inputs, generate(20, 0.0, 4, 1).inputs);
        for row in 0..20 {
            let ink: f64 = glyphs.inputs.iter().map(|input| input.values[row]).sum();
            assert!((50.0..600.0).contains(&ink), "{row}: {ink}");
        }
    }
}
