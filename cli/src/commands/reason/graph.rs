//! What depends on what, drawn: layers of boxes, what something follows from below it.

use std::path::Path;

use anyhow::bail;
use rekindle_pictures::{Anchor, Area, INK, PALE, Picture, Size, Stroke, Text, text_width};
use rekindle_reason::{Dependency, Graph};

use crate::picture_file::{self, PictureKind};

/// Pixels of letters, around them, and between boxes.
const LETTERS: f32 = 13.0;
const PADDING: f32 = 10.0;
const HEIGHT: f32 = 28.0;
const GAP: [f32; 2] = [24.0, 52.0];
const MARGIN: f32 = 20.0;
/// Pixels of an arrow's head.
const HEAD: f32 = 7.0;
/// More predicates make no picture that can be read.
const MOST: usize = 500;

/// Writes a graph as what the ending of the file says.
pub fn write(file: &Path, graph: &Graph) -> anyhow::Result<()> {
    if file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("dot")) {
        return picture_file::write(file, graph.dot().as_bytes());
    }
    if PictureKind::of_still(file).is_none() {
        bail!("`{}`: graphs are written as .svg, .png or .dot", file.display());
    }
    if graph.vertices.len() > MOST {
        bail!("a picture of {} predicates could not be read; .dot takes them", graph.vertices.len());
    }
    picture_file::write_picture(file, &draw(graph))
}

fn draw(graph: &Graph) -> Picture {
    let (boxes, [width, height]) = boxes(graph);
    let mut picture = Picture::new(Size::pixels(width.max(100.0), height.max(100.0)));
    for (&(from, to), dependency) in &graph.edges {
        // Of two that are in one statement each depends on the other: one line is enough.
        if *dependency == Dependency::Rule || from < to {
            arrow(&mut picture, boxes[to], boxes[from], *dependency);
        }
    }
    for (vertex, area) in graph.vertices.iter().zip(&boxes) {
        picture.fill(*area, PALE);
        picture.frame(*area, Stroke::new(INK, if vertex.facts > 0 { 2.0 } else { 1.0 }));
        let [x, y] = area.centre();
        picture.text(Text {
            text: vertex.name.clone(),
            at: [x, y + LETTERS / 3.0],
            size: LETTERS,
            anchor: Anchor::Middle,
            turned: false,
            colour: INK,
        });
    }
    picture
}

/// The box of each predicate, and how large the sheet is.
fn boxes(graph: &Graph) -> (Vec<Area>, [f32; 2]) {
    let layers = graph.vertices.iter().map(|vertex| vertex.layer + 1).max().unwrap_or(0);
    let mut right = vec![MARGIN; layers];
    let mut boxes = Vec::new();
    for vertex in &graph.vertices {
        let width = text_width(&vertex.name, LETTERS) + 2.0 * PADDING;
        let top = MARGIN + (layers - 1 - vertex.layer) as f32 * (HEIGHT + GAP[1]);
        boxes.push(Area { left: right[vertex.layer], top, width, height: HEIGHT });
        right[vertex.layer] += width + GAP[0];
    }
    let width = right.iter().fold(0.0_f32, |most, &right| most.max(right)) - GAP[0] + MARGIN;
    // Each layer in the middle.
    for (vertex, area) in graph.vertices.iter().zip(&mut boxes) {
        area.left += (width - (right[vertex.layer] - GAP[0] + MARGIN)) / 2.0;
    }
    (boxes, [width, 2.0 * MARGIN + layers as f32 * (HEIGHT + GAP[1]) - GAP[1]])
}

fn arrow(picture: &mut Picture, from: Area, to: Area, dependency: Dependency) {
    let mut stroke = Stroke::new(INK, 1.0);
    if dependency == Dependency::Statement {
        stroke.dashes = vec![4.0, 3.0];
    }
    if from == to {
        let (right, middle) = (from.right(), from.centre()[1]);
        let loops = [
            [right, middle - 6.0],
            [right + 14.0, middle - 6.0],
            [right + 14.0, middle + 6.0],
            [right, middle + 6.0],
        ];
        return picture.line(loops.to_vec(), stroke);
    }
    let is_up = from.top > to.top;
    let begin = [from.centre()[0], if is_up { from.top } else { from.bottom() }];
    let end = [to.centre()[0], if is_up { to.bottom() } else { to.top }];
    picture.line(vec![begin, end], stroke);
    if dependency == Dependency::Rule {
        let (x, y) = (end[0] - begin[0], end[1] - begin[1]);
        let length = x.hypot(y).max(1.0);
        let (x, y) = (x / length * HEAD, y / length * HEAD);
        let points = vec![
            end,
            [end[0] - x - y / 2.0, end[1] - y + x / 2.0],
            [end[0] - x + y / 2.0, end[1] - y - x / 2.0],
        ];
        picture.polygon(points, INK);
    }
}
