//! Curves over a common axis, one panel below the other.

use crate::axes::{Axes, Axis, Plot};
use crate::colour::{INK, PAPER};
use crate::font::shortened;
use crate::legend::{Entry, Legend, Swatch};
use crate::picture::{Anchor, Area, Picture, Size, Stroke, Text};
use crate::scale::Scale;

/// Pixels of a chart, when nothing else is asked for.
const WIDTH: f32 = 800.0;
const PANEL: f32 = 220.0;
/// What is left of a legend, more or less.
const LEFT: f32 = 100.0;
const MARGIN: f32 = 10.0;
const TITLE: f32 = 14.0;
const GAP: f32 = 8.0;
/// A margin of the values: a share.
const ROOM: f64 = 0.05;
/// Opacity of a band.
const BAND: u8 = 50;

/// Panels of curves.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Chart {
    /// What it is a picture of.
    pub title: String,
    /// The title of the common axis.
    pub x: String,
    /// From top to bottom.
    pub panels: Vec<Panel>,
}

/// Curves of one quantity.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Panel {
    /// The quantity and its unit.
    pub title: String,
    /// By the logarithms of values; those that have none are left out.
    pub logarithmic: bool,
    /// The curves, later ones over earlier ones.
    pub curves: Vec<Curve>,
    /// Points that are marked.
    pub marks: Vec<Mark>,
}

/// Values of a quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// What it is of; the legend leaves out one without a name.
    pub name: String,
    /// From left to right.
    pub points: Vec<[f64; 2]>,
    /// The least and the greatest value at places: a band.
    pub spread: Vec<[f64; 3]>,
    /// Its line.
    pub stroke: Stroke,
    /// Each point is a disc too.
    pub dotted: bool,
}

/// A point with a ring around it.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// What it is.
    pub label: String,
    /// Where it is.
    pub at: [f64; 2],
    /// Its ring.
    pub stroke: Stroke,
}

impl Curve {
    /// A line through points.
    pub fn new(name: &str, points: Vec<[f64; 2]>, stroke: Stroke) -> Self {
        Self { name: name.to_owned(), points, spread: Vec::new(), stroke, dotted: false }
    }

    fn band(&self) -> crate::Colour {
        self.stroke.colour.with_opacity(BAND)
    }

    fn entry(&self) -> Entry {
        let stroke = self.stroke.clone();
        let swatch = match self.spread.is_empty() {
            true if self.points.len() == 1 => Swatch::Disc(stroke.colour, Stroke::new(PAPER, 0.0)),
            true => Swatch::Line(stroke),
            false => Swatch::Band(stroke, self.band()),
        };
        Entry { swatch, label: self.name.clone() }
    }
}

impl Panel {
    fn legend(&self) -> Legend {
        let mark = |mark: &Mark| Entry {
            swatch: Swatch::Disc(PAPER.with_opacity(0), mark.stroke.clone()),
            label: mark.label.clone(),
        };
        let named = self.curves.iter().filter(|curve| !curve.name.is_empty());
        Legend(named.map(Curve::entry).chain(self.marks.iter().map(mark)).collect())
    }

    fn axes(&self, x: Axis) -> Axes {
        let values = self.curves.iter().flat_map(|curve| {
            let spread = curve.spread.iter().flat_map(|[_, low, high]| [*low, *high]);
            curve.points.iter().map(|point| point[1]).chain(spread)
        });
        let scale =
            if self.logarithmic { Scale::logarithmic(values, ROOM) } else { Scale::linear(values, ROOM) };
        Axes { x, y: Axis { title: self.title.clone(), scale, whole: false }, boxed: false }
    }
}

impl Chart {
    /// The size that its panels need.
    pub fn size(&self) -> Size {
        let legends = self.panels.iter().map(|panel| panel.legend().height(WIDTH - LEFT));
        let panels = PANEL * self.panels.len().max(1) as f32 + legends.sum::<f32>();
        Size::pixels(WIDTH, self.above() + panels + MARGIN)
    }

    /// Draws it on a sheet of this size.
    pub fn draw(&self, size: Size) -> Picture {
        let mut picture = Picture::new(size);
        let sheet = picture.area();
        let across = sheet.width - 2.0 * MARGIN;
        let text = shortened(&self.title, TITLE, across);
        let at = [sheet.centre()[0], MARGIN + TITLE];
        picture.text(Text { text, at, size: TITLE, anchor: Anchor::Middle, turned: false, colour: INK });
        // Panels share what the legends leave.
        let legends: Vec<f32> =
            self.panels.iter().map(|panel| panel.legend().height(across - LEFT)).collect();
        let free = sheet.height - self.above() - MARGIN - legends.iter().sum::<f32>();
        let each = free.max(0.0) / self.panels.len().max(1) as f32;
        let mut top = self.above();
        let scale = self.scale();
        let last = self.panels.len().saturating_sub(1);
        let axes = self.panels.iter().enumerate().map(|(index, panel)| {
            let title = if index == last { self.x.clone() } else { String::new() };
            panel.axes(Axis { title, scale, whole: true })
        });
        let axes: Vec<Axes> = axes.collect();
        // Panels are aligned.
        let left = axes.iter().map(Axes::left).fold(0.0, f32::max);
        for ((panel, axes), legend) in self.panels.iter().zip(&axes).zip(legends) {
            let down = each + legend;
            panel.draw(
                &mut picture,
                axes,
                Area { left: MARGIN, top, width: across, height: down - GAP },
                left,
            );
            top += down;
        }
        picture
    }

    fn above(&self) -> f32 {
        if self.title.is_empty() { MARGIN } else { MARGIN + TITLE + GAP }
    }

    fn scale(&self) -> Scale {
        let curves = self.panels.iter().flat_map(|panel| &panel.curves);
        Scale::linear(curves.flat_map(|curve| curve.points.iter().map(|point| point[0])), 0.0)
    }
}

impl Panel {
    fn draw(&self, picture: &mut Picture, axes: &Axes, area: Area, left: f32) {
        let legend = self.legend();
        let inside = Area { left: area.left + left, width: area.width - left, ..area };
        legend.draw(picture, inside);
        let above = legend.height(inside.width) + GAP / 2.0;
        let below = Area { top: area.top + above, height: area.height - above, ..area };
        let plot = axes.draw(picture, below, left);
        for curve in &self.curves {
            curve.draw_spread(picture, &plot);
        }
        for curve in &self.curves {
            curve.draw_line(picture, &plot);
        }
        for mark in &self.marks {
            if let Some(centre) = plot.at(mark.at) {
                picture.disc(centre, 5.0, PAPER.with_opacity(0), mark.stroke.clone());
            }
        }
    }
}

impl Curve {
    fn draw_spread(&self, picture: &mut Picture, plot: &Plot) {
        let side = |which: usize| {
            let points = self.spread.iter().map(move |ends| [ends[0], ends[which]]);
            thinned(points.filter_map(|point| plot.at(point)).collect())
        };
        let (low, high) = (side(1), side(2));
        if low.len() > 1 && high.len() > 1 {
            picture.polygon(low.into_iter().chain(high.into_iter().rev()).collect(), self.band());
        }
    }

    fn draw_line(&self, picture: &mut Picture, plot: &Plot) {
        let points: Vec<[f32; 2]> = self.points.iter().filter_map(|&point| plot.at(point)).collect();
        if self.dotted || points.len() == 1 {
            let radius = self.stroke.width + 1.0;
            for &centre in &points {
                picture.disc(centre, radius, self.stroke.colour, Stroke::new(PAPER, 0.0));
            }
        }
        if points.len() > 1 {
            picture.line(thinned(points), self.stroke.clone());
        }
    }
}

/// Of points in the same half of a pixel column, the first and the last, the highest and the lowest: what is
/// seen is the same.
fn thinned(points: Vec<[f32; 2]>) -> Vec<[f32; 2]> {
    let column = |point: &[f32; 2]| (2.0 * point[0]).floor();
    let mut kept = Vec::new();
    for column in points.chunk_by(|a, b| column(a) == column(b)) {
        let by_height = |a: &&[f32; 2], b: &&[f32; 2]| a[1].total_cmp(&b[1]);
        let place =
            |point: Option<&[f32; 2]>| point.and_then(|point| column.iter().position(|at| at == point));
        let ends = [column.iter().min_by(by_height), column.iter().max_by(by_height)].map(place);
        let mut indices: Vec<usize> = ends.into_iter().flatten().chain([0, column.len() - 1]).collect();
        indices.sort_unstable();
        indices.dedup();
        kept.extend(indices.into_iter().map(|index| column[index]));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::PALETTE;

    fn chart(points: Vec<[f64; 2]>) -> Chart {
        let curve = Curve::new("training", points, Stroke::new(PALETTE[0], 1.5));
        let panel = Panel { title: "loss".to_owned(), curves: vec![curve], ..Panel::default() };
        Chart { title: "a run".to_owned(), x: "training step".to_owned(), panels: vec![panel] }
    }

    #[test]
    fn thinning_keeps_what_is_seen() {
        let wave = |index: u32| [index as f32 / 1000.0, ((index * 7919) % 1000) as f32];
        let points: Vec<[f32; 2]> = (0..20_000).map(wave).collect();
        let thin = thinned(points.clone());
        assert!(thin.len() <= 160, "{}", thin.len());
        let highest = |points: &[[f32; 2]]| points.iter().map(|point| point[1]).fold(0.0, f32::max);
        assert_eq!(
            (highest(&thin), thin.first(), thin.last()),
            (highest(&points), points.first(), points.last())
        );
        assert!(thin.is_sorted_by_key(|point| point[0]));
        assert_eq!(thinned(points[..1].to_vec()), points[..1]);
    }

    #[test]
    fn a_single_point_is_a_disc() {
        let svg = chart(vec![[40.0, 0.5]]).draw(Size::pixels(400.0, 300.0)).svg().unwrap();
        assert!(
            svg.contains("<circle") && svg.contains(">40</text>") && svg.contains(">training step</text>")
        );
    }

    #[test]
    fn every_text_is_on_the_sheet() {
        let long = "x".repeat(300);
        let mut chart = chart((1..=4600).map(|step| [f64::from(step), 1e-7 * f64::from(step)]).collect());
        chart.title.clone_from(&long);
        chart.x.clone_from(&long);
        chart.panels[0].title.clone_from(&long);
        chart.panels[0].curves[0].name = long;
        for size in ["120x120", "400x150", "160x100mm", "3000x200"] {
            let picture = chart.draw(size.parse().unwrap());
            let sheet = picture.area();
            let mut texts = 0;
            for shape in &picture.shapes {
                let crate::picture::Shape::Text(text) = shape else { continue };
                let width = crate::text_width(&text.text, text.size);
                let before = match text.anchor {
                    Anchor::Start => 0.0,
                    Anchor::Middle => width / 2.0,
                    Anchor::End => width,
                };
                let (along, length) = if text.turned {
                    (sheet.height - text.at[1], sheet.height)
                } else {
                    (text.at[0], sheet.width)
                };
                assert!(along - before >= 0.0 && along - before + width <= length + 0.01, "{size}: {text:?}");
                texts += 1;
            }
            assert!(texts > 3, "{size}");
        }
    }

    #[test]
    fn numbers_that_have_no_place_are_left_out() {
        let mut chart = chart(vec![[1.0, 0.0], [2.0, 0.1], [3.0, f64::NAN], [4.0, 10.0]]);
        chart.panels[0].logarithmic = true;
        let svg = chart.draw(chart.size()).svg().unwrap();
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
        let line = svg.lines().find(|line| line.contains("#0072b2") && line.contains("points=")).unwrap();
        assert_eq!(line.split("points=\"").nth(1).unwrap().split('"').next().unwrap().split(' ').count(), 2);
    }
}
