//! A picture as pixels.

use tiny_skia::{
    Color, FillRule, FilterQuality, IntSize, LineJoin, Paint, Path, PathBuilder, Pixmap, PixmapPaint, Rect,
    StrokeDash, Transform,
};

use crate::colour::Colour;
use crate::font;
use crate::picture::{Anchor, Area, Image, Picture, Shape, Stroke, Text};

/// Draws a picture with `density` pixels for each of its sheet, row by row; nothing where there is no
/// memory for so many.
pub(crate) fn draw(picture: &Picture, width: u32, height: u32, density: f32) -> Option<Vec<[u8; 3]>> {
    let mut sheet =
        Sheet { pixels: Pixmap::new(width, height)?, to_pixels: Transform::from_scale(density, density) };
    sheet.pixels.fill(Color::WHITE);
    picture.shapes.iter().for_each(|shape| sheet.draw(shape));
    Some(sheet.pixels.pixels().iter().map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]).collect())
}

struct Sheet {
    pixels: Pixmap,
    to_pixels: Transform,
}

impl Sheet {
    /// What has no extent is not drawn.
    fn draw(&mut self, shape: &Shape) {
        match shape {
            Shape::Box { area, fill } => {
                if let Some(path) = rect(area).map(PathBuilder::from_rect) {
                    self.fill(&path, *fill);
                }
            }
            Shape::Line { points, stroke } => {
                if let Some(path) = path(points, false) {
                    self.stroke(&path, stroke);
                }
            }
            Shape::Polygon { points, fill } => {
                if let Some(path) = path(points, true) {
                    self.fill(&path, *fill);
                }
            }
            Shape::Disc { centre: [x, y], radius, fill, rim } => {
                if let Some(path) = PathBuilder::from_circle(*x, *y, *radius) {
                    self.fill(&path, *fill);
                    self.stroke(&path, rim);
                }
            }
            Shape::Text(text) => self.text(text),
            Shape::Image { area, image } => self.image(area, image),
        }
    }

    fn fill(&mut self, path: &Path, colour: Colour) {
        if colour.opacity > 0 {
            self.pixels.fill_path(path, &paint(colour), FillRule::Winding, self.to_pixels, None);
        }
    }

    fn stroke(&mut self, path: &Path, stroke: &Stroke) {
        if stroke.width <= 0.0 || stroke.colour.opacity == 0 {
            return;
        }
        let dash = StrokeDash::new(stroke.dashes.clone(), 0.0);
        let line = tiny_skia::Stroke {
            width: stroke.width,
            line_join: LineJoin::Round,
            dash,
            ..tiny_skia::Stroke::default()
        };
        self.pixels.stroke_path(path, &paint(stroke.colour), &line, self.to_pixels, None);
    }

    fn text(&mut self, text: &Text) {
        let Some(outline) = font::outline(&text.text, text.size) else { return };
        let before = match text.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => 0.5,
            Anchor::End => 1.0,
        };
        let start = Transform::from_translate(-before * font::text_width(&text.text, text.size), 0.0);
        let turn = Transform::from_rotate(if text.turned { -90.0 } else { 0.0 });
        let place = Transform::from_translate(text.at[0], text.at[1]);
        let placed = outline.transform(start.post_concat(turn).post_concat(place));
        if let Some(path) = placed {
            self.fill(&path, text.colour);
        }
    }

    fn image(&mut self, area: &Area, image: &Image) {
        let (columns, rows) = (image.columns, image.rows());
        let bytes = image.pixels.iter().flat_map(|[red, green, blue]| [*red, *green, *blue, 255]).collect();
        let pixels = IntSize::from_wh(columns, rows).and_then(|size| Pixmap::from_vec(bytes, size));
        let Some(pixels) = pixels else { return };
        let how = PixmapPaint { quality: FilterQuality::Nearest, ..PixmapPaint::default() };
        let scale = Transform::from_scale(area.width / columns as f32, area.height / rows as f32);
        let place = scale.post_concat(Transform::from_translate(area.left, area.top));
        self.pixels.draw_pixmap(0, 0, pixels.as_ref(), &how, place.post_concat(self.to_pixels), None);
    }
}

fn paint(Colour { rgb: [red, green, blue], opacity }: Colour) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(red, green, blue, opacity);
    paint
}

fn rect(area: &Area) -> Option<Rect> {
    Rect::from_xywh(area.left, area.top, area.width, area.height)
}

fn path(points: &[[f32; 2]], closed: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for (index, [x, y]) in points.iter().enumerate() {
        match index {
            0 => builder.move_to(*x, *y),
            _ => builder.line_to(*x, *y),
        }
    }
    if closed {
        builder.close();
    }
    builder.finish()
}
