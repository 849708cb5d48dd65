//! The font: DejaVu Sans, which comes with the crate.

use std::sync::OnceLock;

use tiny_skia::{Path, PathBuilder, Transform};
use ttf_parser::{Face, GlyphId, OutlineBuilder};

/// The font that ships is whole; where it were not, texts would be left out.
fn face() -> Option<&'static Face<'static>> {
    static FACE: OnceLock<Option<Face<'static>>> = OnceLock::new();
    FACE.get_or_init(|| Face::parse(dejavu::sans::regular(), 0).ok()).as_ref()
}

/// The width of a text: in the unit of `size`, which is that of an em.
pub fn text_width(text: &str, size: f32) -> f32 {
    let Some(face) = face() else { return 0.0 };
    let advance = |character| face.glyph_hor_advance(glyph(face, character)).map_or(0, u32::from);
    text.chars().map(advance).sum::<u32>() as f32 * size / f32::from(face.units_per_em())
}

/// The text, or as much of its beginning as fits into `width`, with dots.
pub fn shortened(text: &str, size: f32, width: f32) -> String {
    if text_width(text, size) <= width {
        return text.to_owned();
    }
    let mut kept: String = text.to_owned();
    while kept.pop().is_some() {
        let with_dots = format!("{}…", kept.trim_end());
        if text_width(&with_dots, size) <= width {
            return with_dots;
        }
    }
    String::new()
}

/// The outline of a text that begins at the origin, on its base line.
pub(crate) fn outline(text: &str, size: f32) -> Option<Path> {
    let face = face()?;
    let scale = size / f32::from(face.units_per_em());
    let mut outline = Outline { builder: PathBuilder::new(), scale, x: 0.0 };
    for character in text.chars() {
        let glyph = glyph(face, character);
        face.outline_glyph(glyph, &mut outline);
        outline.x += face.glyph_hor_advance(glyph).map_or(0.0, f32::from) * scale;
    }
    outline.builder.finish()?.transform(Transform::identity())
}

/// A character that the font has not is an empty box.
fn glyph(face: &Face<'_>, character: char) -> GlyphId {
    face.glyph_index(character).unwrap_or(GlyphId(0))
}

/// Glyphs have their origin on the base line, and their y goes up.
struct Outline {
    builder: PathBuilder,
    scale: f32,
    x: f32,
}

impl Outline {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (x.mul_add(self.scale, self.x), -y * self.scale)
    }
}

impl OutlineBuilder for Outline {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.builder.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.builder.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.builder.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.builder.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.builder.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_as_wide_as_its_glyphs() {
        // The advance of `i` in the font is 569 of 2048 units, that of `m` 1995.
        assert_eq!(text_width("im", 2048.0), 569.0 + 1995.0);
        let bounds = outline("im", 2048.0).unwrap().bounds();
        assert!(bounds.left() > 0.0 && bounds.right() < 2564.0 && bounds.bottom() <= 0.0);
        assert!(outline("", 12.0).is_none());
    }

    #[test]
    fn what_is_too_long_ends_with_dots() {
        let text = "a very long name of a run";
        let short = shortened(text, 12.0, 80.0);
        assert!(short.ends_with('…') && short.len() > 5 && text_width(&short, 12.0) <= 80.0, "{short}");
        assert_eq!(shortened(text, 12.0, 800.0), text);
        assert_eq!(shortened(text, 12.0, 1.0), "");
    }
}
