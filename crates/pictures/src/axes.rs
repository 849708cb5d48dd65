//! Two axes with their titles and ticks.

use crate::colour::{INK, PALE};
use crate::font::{shortened, text_width};
use crate::picture::{Anchor, Area, Picture, Stroke, Text};
use crate::scale::{Scale, Tick, Ticks};

/// Pixels of an em.
const LABEL: f32 = 11.0;
const TITLE: f32 = 12.0;
/// Pixels of a tick, and of a small one.
const TICK: f32 = 4.0;
const SMALL_TICK: f32 = 2.0;
const GAP: f32 = 4.0;
/// How many ticks an axis has, more or less.
const TICKS: std::ops::RangeInclusive<usize> = 2..=10;

/// One of two axes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Axis {
    /// What is told along it, and its unit.
    pub title: String,
    /// Where numbers are.
    pub scale: Scale,
    /// Only whole numbers are told.
    pub whole: bool,
}

/// Two axes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Axes {
    /// From left to right.
    pub x: Axis,
    /// From bottom to top.
    pub y: Axis,
    /// A line on all sides, and none across: for what fills the area.
    pub boxed: bool,
}

/// The area between axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plot {
    /// Where it is.
    pub area: Area,
    x: Scale,
    y: Scale,
}

impl Plot {
    /// Where a point is; nothing of one that has no place on its axes.
    pub fn at(&self, [x, y]: [f64; 2]) -> Option<[f32; 2]> {
        let (x, y) = (self.x.share(x)? as f32, self.y.share(y)? as f32);
        Some([x.mul_add(self.area.width, self.area.left), (1.0 - y).mul_add(self.area.height, self.area.top)])
    }
}

impl Axes {
    /// Pixels that titles and labels take on the left at most.
    pub fn left(&self) -> f32 {
        let title = if self.y.title.is_empty() { 0.0 } else { TITLE + 2.0 * GAP };
        title + self.y.widest() + TICK + GAP
    }

    /// Pixels that the title and labels take below.
    pub fn below(&self) -> f32 {
        let title = if self.x.title.is_empty() { 0.0 } else { TITLE + 2.0 * GAP };
        TICK + LABEL + GAP + title
    }

    /// Pixels that labels take above at most.
    pub fn above(&self) -> f32 {
        if self.y.has_factor() { LABEL + 2.0 * GAP } else { LABEL / 2.0 }
    }

    /// Pixels that half of the last label takes on the right at most.
    pub fn right(&self) -> f32 {
        (self.x.widest() / 2.0).max(GAP)
    }

    /// Draws into an area, with so many pixels left free for what is on the left, and gives the part between
    /// the axes. No text is cut.
    pub fn draw(&self, picture: &mut Picture, area: Area, left: f32) -> Plot {
        let above = self.above();
        let inner = Area {
            left: area.left + left,
            top: area.top + above,
            width: (area.width - left - self.right()).max(1.0),
            height: (area.height - above - self.below()).max(1.0),
        };
        self.draw_around(picture, inner, area.left)
    }

    /// Draws around an area; titles and labels begin at `left`.
    pub fn draw_around(&self, picture: &mut Picture, inner: Area, left: f32) -> Plot {
        let plot = Plot { area: inner, x: self.x.scale, y: self.y.scale };
        self.draw_x(picture, &plot);
        self.draw_y(picture, &plot, left);
        if self.boxed {
            picture.frame(inner, Stroke::new(INK, 1.0));
        } else {
            let corner = [inner.left, inner.bottom()];
            let line = vec![[inner.left, inner.top], corner, [inner.right(), inner.bottom()]];
            picture.line(line, Stroke::new(INK, 1.0));
        }
        plot
    }

    fn draw_x(&self, picture: &mut Picture, plot: &Plot) {
        let area = plot.area;
        let ticks = self.x.ticks_across(area.width);
        let base = area.bottom() + TICK + LABEL;
        for Tick { at, label } in &ticks.ticks {
            let Some(x) = plot.x.share(*at) else { continue };
            let x = (x as f32).mul_add(area.width, area.left);
            let length = if label.is_some() { TICK } else { SMALL_TICK };
            picture.line(vec![[x, area.bottom()], [x, area.bottom() + length]], Stroke::new(INK, 1.0));
            let label = label.clone().unwrap_or_default();
            picture.text(words(label, [x, base], LABEL, Anchor::Middle));
        }
        let below = base + TITLE + GAP;
        let factor_width = text_width(&ticks.factor, LABEL);
        picture.text(words(ticks.factor, [area.right(), below], LABEL, Anchor::End));
        let title = shortened(&self.x.title, TITLE, area.width - 2.0 * factor_width);
        picture.text(words(title, [area.centre()[0], below], TITLE, Anchor::Middle));
    }

    fn draw_y(&self, picture: &mut Picture, plot: &Plot, left: f32) {
        let area = plot.area;
        let ticks = self.y.ticks_along(area.height);
        for Tick { at, label } in &ticks.ticks {
            let Some([_, y]) = plot.y.share(*at).map(|share| [0.0, (1.0 - share as f32)]) else { continue };
            let y = y.mul_add(area.height, area.top);
            if label.is_some() && !self.boxed {
                picture.line(vec![[area.left, y], [area.right(), y]], Stroke::new(PALE, 1.0));
            }
            let length = if label.is_some() { TICK } else { SMALL_TICK };
            picture.line(vec![[area.left - length, y], [area.left, y]], Stroke::new(INK, 1.0));
            let at = [area.left - TICK - GAP, y + LABEL * 0.36];
            picture.text(words(label.clone().unwrap_or_default(), at, LABEL, Anchor::End));
        }
        picture.text(words(ticks.factor.clone(), [area.left, area.top - GAP], LABEL, Anchor::Start));
        let title = shortened(&self.y.title, TITLE, area.height + LABEL);
        let at = [left + TITLE, area.centre()[1]];
        picture.text(Text { turned: true, ..words(title, at, TITLE, Anchor::Middle) });
    }
}

impl Axis {
    /// The width of the widest label, however many there are.
    fn widest(&self) -> f32 {
        let ticks = TICKS.flat_map(|most| self.scale.ticks(most, self.whole).ticks);
        ticks.filter_map(|tick| tick.label).map(|label| text_width(&label, LABEL)).fold(0.0, f32::max)
    }

    fn has_factor(&self) -> bool {
        TICKS.into_iter().any(|most| !self.scale.ticks(most, self.whole).factor.is_empty())
    }

    /// A label needs its height three times.
    fn ticks_along(&self, height: f32) -> Ticks {
        self.scale.ticks((height / (3.0 * LABEL)).clamp(2.0, 10.0) as usize, self.whole)
    }

    /// As many as there is room for beside each other.
    fn ticks_across(&self, width: f32) -> Ticks {
        let fits = |ticks: &Ticks| {
            let labels = ticks.ticks.iter().filter_map(|tick| tick.label.as_deref());
            labels.map(|label| text_width(label, LABEL) + 2.0 * LABEL).sum::<f32>() <= width
        };
        let mut tries = TICKS.rev().map(|most| self.scale.ticks(most, self.whole));
        tries.find(fits).unwrap_or_else(|| self.scale.ticks(2, self.whole))
    }
}

fn words(text: String, at: [f32; 2], size: f32, anchor: Anchor) -> Text {
    Text { text, at, size, anchor, turned: false, colour: INK }
}
