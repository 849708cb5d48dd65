//! What the colours and lines of a picture mean.

use crate::colour::{Colour, INK, PAPER};
use crate::font::{shortened, text_width};
use crate::picture::{Anchor, Area, Picture, Stroke, Text};

/// Pixels of an em.
const SIZE: f32 = 11.0;
/// Pixels of a row.
const ROW: f32 = 17.0;
/// Pixels of a sample, and those behind it and behind a text.
const SAMPLE: f32 = 22.0;
const GAP: f32 = 6.0;
const BETWEEN: f32 = 16.0;

/// A sample of what is explained.
#[derive(Debug, Clone, PartialEq)]
pub enum Swatch {
    /// A line.
    Line(Stroke),
    /// A line in a band.
    Band(Stroke, Colour),
    /// A disc with a rim.
    Disc(Colour, Stroke),
    /// A filled box.
    Box(Colour),
}

/// A sample and what it means.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The sample.
    pub swatch: Swatch,
    /// What it means.
    pub label: String,
}

/// Entries beside each other, in as many rows as they need.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Legend(pub Vec<Entry>);

impl Legend {
    /// Pixels that it needs in an area of this width.
    pub fn height(&self, width: f32) -> f32 {
        self.places(width).last().map_or(0.0, |[_, row]| row + ROW)
    }

    /// Draws it from the left upper corner of an area on, no wider than it.
    pub fn draw(&self, picture: &mut Picture, area: Area) {
        for (entry, [x, y]) in self.0.iter().zip(self.places(area.width)) {
            let (left, middle) = (area.left + x, area.top + y + ROW / 2.0);
            sample(picture, &entry.swatch, left, middle);
            let at = [left + SAMPLE + GAP, middle + SIZE * 0.36];
            let text = shortened(&entry.label, SIZE, area.width - SAMPLE - GAP);
            picture.text(Text { text, at, size: SIZE, anchor: Anchor::Start, turned: false, colour: INK });
        }
    }

    /// The left upper corner of each entry.
    fn places(&self, width: f32) -> Vec<[f32; 2]> {
        let (mut x, mut y) = (0.0, 0.0);
        let mut places = Vec::new();
        for entry in &self.0 {
            let needed = SAMPLE + GAP + text_width(&entry.label, SIZE);
            if x > 0.0 && x + needed > width {
                (x, y) = (0.0, y + ROW);
            }
            places.push([x, y]);
            x += needed + BETWEEN;
        }
        places
    }
}

fn sample(picture: &mut Picture, swatch: &Swatch, left: f32, middle: f32) {
    let line = vec![[left, middle], [left + SAMPLE, middle]];
    let filled = Area { left, top: middle - SIZE / 2.0, width: SAMPLE, height: SIZE };
    match swatch {
        Swatch::Line(stroke) => picture.line(line, stroke.clone()),
        Swatch::Band(stroke, colour) => {
            picture.fill(filled, *colour);
            picture.line(line, stroke.clone());
        }
        Swatch::Disc(colour, rim) => {
            let centre = [left + SAMPLE / 2.0, middle];
            picture.disc(centre, 4.0, *colour, rim.clone());
        }
        Swatch::Box(colour) => {
            picture.fill(filled, PAPER);
            picture.fill(filled, *colour);
            picture.frame(filled, Stroke::new(INK.with_opacity(90), 0.5));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_that_do_not_fit_go_to_the_next_row() {
        let entry = |label: &str| Entry { swatch: Swatch::Box(INK), label: label.to_owned() };
        let legend = Legend(["training", "validation", "test"].map(entry).to_vec());
        assert_eq!(legend.height(1000.0), ROW);
        assert_eq!(legend.height(110.0), 3.0 * ROW);
        assert_eq!(Legend::default().height(10.0), 0.0);
    }
}
