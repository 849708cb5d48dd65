//! What runs come from, as a graph: an arrow from each run to those that began with a state of it or learn from it.

use std::collections::BTreeMap;

use rekindle::Store;
use rekindle::records::Lineage;
use rekindle_pictures::{Anchor, Area, Colour, INK, PALETTE, Picture, Size, Stroke, Text, shortened};

const BOX: [f32; 2] = [190.0, 34.0];
const GAP: [f32; 2] = [120.0, 18.0];
const MARGIN: f32 = 12.0;
const FONT: f32 = 12.0;
/// Arrows, and runs that are known by name only.
const GREY: Colour = Colour::new([130, 130, 130]);

/// A run, in the report or known by name only.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    name: String,
    is_shown: bool,
}

/// An arrow between two places, with what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Arrow {
    from: usize,
    to: usize,
    label: String,
}

#[derive(Debug, Default)]
struct Graph {
    places: Vec<Place>,
    arrows: Vec<Arrow>,
}

/// The graph of runs; nothing where each stands for itself.
pub fn draw(runs: &[(&str, &Store)]) -> Option<Picture> {
    let graph = Graph::of(runs);
    (!graph.arrows.is_empty()).then(|| graph.draw())
}

impl Graph {
    fn of(runs: &[(&str, &Store)]) -> Self {
        let mut graph = Self::default();
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        for (name, store) in runs {
            known.insert(store.identity().run.clone(), graph.places.len());
            graph.places.push(Place { name: (*name).to_owned(), is_shown: true });
        }
        for (to, (_, store)) in runs.iter().enumerate() {
            let identity = store.identity();
            let origins = identity.lineage.iter().map(|lineage| (lineage, "begins"));
            for (lineage, verb) in origins.chain(identity.teachers.iter().map(|lineage| (lineage, "teaches")))
            {
                let from = graph.place(lineage, &mut known);
                let step = lineage.step.map_or_else(String::new, |step| format!(" at step {step}"));
                graph.arrows.push(Arrow { from, to, label: format!("{verb}{step}") });
            }
        }
        graph
    }

    /// Where a run stands that another comes from.
    fn place(&mut self, lineage: &Lineage, known: &mut BTreeMap<String, usize>) -> usize {
        // What is not a run is known by its name.
        let id = lineage.run.clone().unwrap_or_else(|| format!("file {}", lineage.source));
        *known.entry(id).or_insert_with(|| {
            let name = lineage.source.rsplit_once('@').map_or(lineage.source.as_str(), |(run, _)| run);
            self.places.push(Place { name: name.to_owned(), is_shown: false });
            self.places.len() - 1
        })
    }

    /// How many arrows lead to a place at most, one after the other.
    fn depths(&self) -> Vec<usize> {
        let mut depths = vec![0; self.places.len()];
        // A circle cannot be, but a record can say so: as many rounds as places are enough for all else.
        for _ in 0..self.places.len() {
            for Arrow { from, to, .. } in &self.arrows {
                depths[*to] = depths[*to].max(depths[*from] + 1).min(self.places.len() - 1);
            }
        }
        depths
    }

    fn draw(&self) -> Picture {
        let depths = self.depths();
        let mut filled = vec![0_usize; self.places.len()];
        let at = |depth: usize, row: usize| Area {
            left: MARGIN + depth as f32 * (BOX[0] + GAP[0]),
            top: MARGIN + row as f32 * (BOX[1] + GAP[1]),
            width: BOX[0],
            height: BOX[1],
        };
        let areas: Vec<Area> = depths
            .iter()
            .map(|&depth| {
                filled[depth] += 1;
                at(depth, filled[depth] - 1)
            })
            .collect();
        let right = areas.iter().map(Area::right).fold(0.0, f32::max) + MARGIN;
        let bottom = areas.iter().map(Area::bottom).fold(0.0, f32::max) + MARGIN;
        let mut picture = Picture::new(Size::pixels(right, bottom));
        for Arrow { from, to, label } in &self.arrows {
            arrow(&mut picture, &areas[*from], &areas[*to], label);
        }
        for (place, area) in self.places.iter().zip(&areas) {
            let colour = if place.is_shown { PALETTE[0] } else { GREY };
            picture.frame(*area, Stroke::new(colour, if place.is_shown { 2.0 } else { 1.0 }));
            let [x, y] = area.centre();
            let text = shortened(&place.name, FONT, area.width - 12.0);
            picture.text(Text {
                text,
                at: [x, y + FONT * 0.35],
                size: FONT,
                anchor: Anchor::Middle,
                turned: false,
                colour: INK,
            });
        }
        picture
    }
}

fn arrow(picture: &mut Picture, from: &Area, to: &Area, label: &str) {
    let (start, end) = ([from.right(), from.centre()[1]], [to.left, to.centre()[1]]);
    picture.line(vec![start, end], Stroke::new(GREY, 1.2));
    let (x, y) = (end[0], end[1]);
    picture.polygon(vec![[x, y], [x - 8.0, y - 4.0], [x - 8.0, y + 4.0]], GREY);
    let at = [f32::midpoint(start[0], end[0]), f32::midpoint(start[1], end[1]) - 5.0];
    let text = shortened(label, FONT - 2.0, GAP[0] - 16.0);
    picture.text(Text { text, at, size: FONT - 2.0, anchor: Anchor::Middle, turned: false, colour: INK });
}
