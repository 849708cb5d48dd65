//! What a picture of a shape shows, found by measuring it.

use super::drawing::PAPER;
use super::{Colour, Description, Form, Place, SIDE, Size};
use crate::model::codebook::Pixel;

/// A pixel of less difference to the paper, in the sum over its colours, is taken for paper.
const FAINT: u32 = 120;
/// A shape whose sides are longer than this is large.
const SMALL: usize = 9;
/// A form is none of the known ones when more than this share of its box differs from them.
const UNLIKE: f64 = 0.25;

/// A part of a picture: its first and last columns and rows.
struct Extent {
    columns: [usize; 2],
    rows: [usize; 2],
}

/// What a picture of `SIDE` x `SIDE` pixels shows; none where it is nothing that has a name.
pub fn recognise(pixels: &[Pixel]) -> Option<Description> {
    let inked: Vec<usize> =
        (0..pixels.len()).filter(|&index| difference(pixels[index], PAPER) > FAINT).collect();
    let extent = extent(&inked)?;
    let sides = [extent.columns, extent.rows].map(|[first, last]| last - first + 1);
    let size = if sides[0].max(sides[1]) > SMALL { Size::Large } else { Size::Small };
    Some(Description {
        size,
        colour: colour(&inked.iter().map(|&index| pixels[index]).collect::<Vec<_>>())?,
        form: form(&inked, &extent)?,
        place: place(&extent)?,
    })
}

fn extent(inked: &[usize]) -> Option<Extent> {
    let range = |of: fn(usize) -> usize| {
        let places = || inked.iter().map(|&index| of(index));
        Some([places().min()?, places().max()?])
    };
    Some(Extent { columns: range(|index| index % SIDE)?, rows: range(|index| index / SIDE)? })
}

/// The colour that is nearest to the mean.
fn colour(inked: &[Pixel]) -> Option<Colour> {
    let count = inked.len().max(1) as u32;
    let mean = [0, 1, 2]
        .map(|channel| (inked.iter().map(|pixel| u32::from(pixel[channel])).sum::<u32>() / count) as u8);
    Colour::ALL.iter().copied().min_by_key(|colour| difference(colour.pixel(), mean))
}

/// The form that differs least when it is as large as the box.
fn form(inked: &[usize], Extent { columns, rows }: &Extent) -> Option<Form> {
    let half = ((columns[1] - columns[0]).max(rows[1] - rows[0])).div_ceil(2) as i64;
    let centre = [columns, rows].map(|[first, last]| (first + last).div_ceil(2) as i64);
    let is_inked = |x: i64, y: i64| {
        let inside = (0..SIDE as i64).contains(&x) && (0..SIDE as i64).contains(&y);
        inside && inked.binary_search(&(y as usize * SIDE + x as usize)).is_ok()
    };
    let unlike = |form: Form| {
        let cells = (-half..=half).flat_map(|down| (-half..=half).map(move |right| [right, down]));
        cells
            .filter(|&[right, down]| {
                form.covers(half, [right, down]) != is_inked(centre[0] + right, centre[1] + down)
            })
            .count()
    };
    let (form, differing) =
        Form::ALL.iter().map(|&form| (form, unlike(form))).min_by_key(|(_, differing)| *differing)?;
    let cells = (2 * half + 1).pow(2) as f64;
    (differing as f64 <= UNLIKE * cells).then_some(form)
}

/// The place whose middle is nearest.
fn place(Extent { columns, rows }: &Extent) -> Option<Place> {
    let centre = [columns, rows].map(|[first, last]| (first + last) / 2);
    let distance = |place: &Place| {
        // Shapes are moved by two pixels in the mean.
        let middle = place.centre().map(|centre| centre + 2);
        centre.iter().zip(middle).map(|(a, b)| a.abs_diff(b).pow(2)).sum::<usize>()
    };
    Place::ALL.iter().copied().min_by_key(distance)
}

fn difference(a: Pixel, b: Pixel) -> u32 {
    a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(b))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_and_scribbles_have_no_name() {
        assert_eq!(recognise(&[PAPER; SIDE * SIDE]), None);
        let scattered: Vec<Pixel> =
            (0..SIDE * SIDE).map(|index| if index % 37 == 0 { [0; 3] } else { PAPER }).collect();
        assert_eq!(recognise(&scattered), None);
    }
}
