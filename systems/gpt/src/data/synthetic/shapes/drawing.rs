//! Shapes as pixels.

use super::{Colour, Description, Form, Place, SIDE, Size};
use crate::model::codebook::Pixel;

/// What is around a shape.
pub(super) const PAPER: Pixel = [255; 3];

/// What of a picture nobody speaks of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Variant {
    /// Pixels by which its half is longer: 0 or 1.
    pub larger: usize,
    /// Pixels to the right: 0 to 4.
    pub right: usize,
    /// Pixels down: 0 to 4.
    pub down: usize,
}

impl Colour {
    pub(super) fn pixel(self) -> Pixel {
        match self {
            Self::Red => [220, 40, 40],
            Self::Green => [40, 160, 60],
            Self::Blue => [40, 80, 220],
            Self::Yellow => [230, 200, 30],
            Self::Violet => [150, 50, 180],
            Self::Black => [20, 20, 20],
        }
    }
}

impl Place {
    /// The middle of the shape, less what it is moved: column and row.
    pub(super) fn centre(self) -> [usize; 2] {
        match self {
            Self::TopLeft => [6, 6],
            Self::TopRight => [21, 6],
            Self::BottomLeft => [6, 21],
            Self::BottomRight => [21, 21],
            Self::Middle => [14, 14],
        }
    }
}

impl Form {
    /// Whether it covers a pixel, by its distance to the right and down from the middle, where it reaches `half` pixels to
    /// each side.
    pub(super) fn covers(self, half: i64, [right, down]: [i64; 2]) -> bool {
        let is_within = right.abs() <= half && down.abs() <= half;
        is_within
            && match self {
                Self::Square => true,
                Self::Circle => right * right + down * down <= half * half + half / 2,
                Self::Triangle => 2 * right.abs() <= down + half,
                Self::Cross => right.abs() <= half / 3 || down.abs() <= half / 3,
            }
    }
}

/// A picture of a shape.
pub(super) fn pixels(description: Description, Variant { larger, right, down }: Variant) -> Vec<Pixel> {
    let Description { size, colour, form, place } = description;
    let half = larger as i64 + if size == Size::Small { 2 } else { 5 };
    let [column, row] = place.centre();
    let centre = [column + right, row + down].map(|place| place as i64);
    let pixel = |index: usize| {
        let [x, y] = [index % SIDE, index / SIDE].map(|place| place as i64);
        let is_covered = form.covers(half, [x - centre[0], y - centre[1]]);
        if is_covered { colour.pixel() } else { PAPER }
    };
    (0..SIDE * SIDE).map(pixel).collect()
}
