//! A picture: shapes on a sheet.

use std::fmt;
use std::str::FromStr;

use crate::colour::{Colour, PAPER};
use crate::{png_file, raster, svg};

/// No picture has more pixels as PNG.
const PIXELS_LIMIT: f64 = (1u32 << 26) as f64;
/// Pixels of an inch: what browsers and SVG take it for.
const PER_INCH: f32 = 96.0;
/// Pixels of an inch on paper.
const PRINTED_PER_INCH: f32 = 300.0;

/// Why a picture cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// It has too many pixels, or none.
    #[error("a picture of {width} by {height} pixels cannot be written as PNG")]
    TooLarge {
        /// Pixels across.
        width: f32,
        /// Pixels down.
        height: f32,
    },
    /// The PNG cannot be encoded.
    #[error("the picture cannot be written: {0}")]
    Png(#[from] png::EncodingError),
}

/// What lengths of a sheet are told in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unit {
    /// Pixels of a screen.
    #[default]
    Pixels,
    /// Millimetres of paper.
    Millimetres,
    /// Inches of paper.
    Inches,
}

impl Unit {
    fn suffix(self) -> &'static str {
        match self {
            Self::Pixels => "",
            Self::Millimetres => "mm",
            Self::Inches => "in",
        }
    }

    /// Pixels that one of these is.
    fn pixels(self) -> f32 {
        match self {
            Self::Pixels => 1.0,
            Self::Millimetres => PER_INCH / 25.4,
            Self::Inches => PER_INCH,
        }
    }
}

/// How large a sheet is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    /// In `unit`.
    pub width: f32,
    /// In `unit`.
    pub height: f32,
    /// What they are told in.
    pub unit: Unit,
}

impl Size {
    /// A size in pixels.
    pub const fn pixels(width: f32, height: f32) -> Self {
        Self { width, height, unit: Unit::Pixels }
    }

    fn in_pixels(self) -> [f32; 2] {
        [self.width, self.height].map(|length| length * self.unit.pixels())
    }
}

/// A text is no size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a size is WIDTHxHEIGHT, such as 800x500, 160x100mm or 6.5x4in, from 100 to 20000 pixels a side")]
pub struct SizeError;

impl FromStr for Size {
    type Err = SizeError;

    /// `800x500`, `160x100mm`, `6.5x4in`.
    fn from_str(text: &str) -> Result<Self, SizeError> {
        let units = [("mm", Unit::Millimetres), ("in", Unit::Inches), ("px", Unit::Pixels)];
        let unit = units.into_iter().find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, unit)));
        let (lengths, unit) = unit.unwrap_or((text, Unit::Pixels));
        let (width, height) = lengths.split_once('x').ok_or(SizeError)?;
        let length = |text: &str| text.trim().parse::<f32>().map_err(|_| SizeError);
        let size = Self { width: length(width)?, height: length(height)?, unit };
        let is_sound = size.in_pixels().into_iter().all(|length| (100.0..=20_000.0).contains(&length));
        if is_sound { Ok(size) } else { Err(SizeError) }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}{}", self.width, self.height, self.unit.suffix())
    }
}

/// A rectangle of a sheet: pixels from its left upper corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    /// Its left side.
    pub left: f32,
    /// Its upper side.
    pub top: f32,
    /// From left to right.
    pub width: f32,
    /// From top to bottom.
    pub height: f32,
}

impl Area {
    /// Its right side.
    pub fn right(&self) -> f32 {
        self.left + self.width
    }

    /// Its lower side.
    pub fn bottom(&self) -> f32 {
        self.top + self.height
    }

    /// Its middle.
    pub fn centre(&self) -> [f32; 2] {
        [self.left + self.width / 2.0, self.top + self.height / 2.0]
    }
}

/// How a line is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Stroke {
    /// Its colour.
    pub colour: Colour,
    /// Pixels.
    pub width: f32,
    /// Pixels that are drawn, and left out, in turn; unbroken when empty.
    pub dashes: Vec<f32>,
}

impl Stroke {
    /// An unbroken line.
    pub const fn new(colour: Colour, width: f32) -> Self {
        Self { colour, width, dashes: Vec::new() }
    }
}

/// Which part of a text is at its place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Anchor {
    /// Its beginning.
    #[default]
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

/// A line of text.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// What it says.
    pub text: String,
    /// Where its base line is.
    pub at: [f32; 2],
    /// Pixels of an em.
    pub size: f32,
    /// What of it is there.
    pub anchor: Anchor,
    /// It goes up.
    pub turned: bool,
    /// Its colour.
    pub colour: Colour,
}

/// Pixels that fill an area, row by row from the top; they are seen as they are, however large.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// Red, green and blue of each.
    pub pixels: Vec<[u8; 3]>,
    /// Pixels of a row.
    pub columns: u32,
}

impl Image {
    pub(crate) fn rows(&self) -> u32 {
        self.pixels.len() as u32 / self.columns.max(1)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Box { area: Area, fill: Colour },
    Line { points: Vec<[f32; 2]>, stroke: Stroke },
    Polygon { points: Vec<[f32; 2]>, fill: Colour },
    Disc { centre: [f32; 2], radius: f32, fill: Colour, rim: Stroke },
    Text(Text),
    Image { area: Area, image: Image },
}

/// Shapes on a sheet, later ones over earlier ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    pub(crate) width: f32,
    pub(crate) height: f32,
    unit: Unit,
    /// Pixels of the PNG for each of the sheet.
    density: f32,
    pub(crate) shapes: Vec<Shape>,
}

impl Picture {
    /// An empty sheet. Of one in pixels, a PNG has just these; of one on paper, 300 an inch.
    pub fn new(size: Size) -> Self {
        let [width, height] = size.in_pixels();
        let density = if size.unit == Unit::Pixels { 1.0 } else { PRINTED_PER_INCH / PER_INCH };
        let paper = Shape::Box { area: Area { left: 0.0, top: 0.0, width, height }, fill: PAPER };
        Self { width, height, unit: size.unit, density, shapes: vec![paper] }
    }

    /// The whole sheet.
    pub fn area(&self) -> Area {
        Area { left: 0.0, top: 0.0, width: self.width, height: self.height }
    }

    /// A PNG of it has so many pixels for each of the sheet.
    #[must_use]
    pub fn with_density(self, density: f32) -> Self {
        Self { density, ..self }
    }

    /// Fills an area.
    pub fn fill(&mut self, area: Area, fill: Colour) {
        self.shapes.push(Shape::Box { area, fill });
    }

    /// A line from point to point.
    pub fn line(&mut self, points: Vec<[f32; 2]>, stroke: Stroke) {
        self.shapes.push(Shape::Line { points, stroke });
    }

    /// The sides of an area.
    pub fn frame(&mut self, area: Area, stroke: Stroke) {
        let (left, top, right, bottom) = (area.left, area.top, area.right(), area.bottom());
        self.line(vec![[left, top], [right, top], [right, bottom], [left, bottom], [left, top]], stroke);
    }

    /// Fills what points enclose.
    pub fn polygon(&mut self, points: Vec<[f32; 2]>, fill: Colour) {
        self.shapes.push(Shape::Polygon { points, fill });
    }

    /// A disc with a rim.
    pub fn disc(&mut self, centre: [f32; 2], radius: f32, fill: Colour, rim: Stroke) {
        self.shapes.push(Shape::Disc { centre, radius, fill, rim });
    }

    /// A line of text.
    pub fn text(&mut self, text: Text) {
        if !text.text.is_empty() {
            self.shapes.push(Shape::Text(text));
        }
    }

    /// Pixels that fill an area.
    pub fn image(&mut self, area: Area, image: Image) {
        self.shapes.push(Shape::Image { area, image });
    }

    /// The same picture as large as fits into a sheet of another size, in its middle.
    #[must_use]
    pub fn fitted(self, size: Size) -> Self {
        let mut sheet = Self::new(size);
        let scale = (sheet.width / self.width).min(sheet.height / self.height);
        let shift = [(sheet.width - self.width * scale) / 2.0, (sheet.height - self.height * scale) / 2.0];
        sheet.shapes.extend(self.shapes.into_iter().map(|shape| shape.moved(scale, shift)));
        sheet
    }

    /// As SVG. Texts stay texts.
    ///
    /// # Errors
    /// When an image in it cannot be encoded.
    pub fn svg(&self) -> Result<String, PictureError> {
        let length =
            |pixels: f32| format!("{}{}", svg::number(pixels / self.unit.pixels()), self.unit.suffix());
        svg::write(self, &length(self.width), &length(self.height))
    }

    /// As PNG.
    ///
    /// # Errors
    /// When it has too many pixels.
    pub fn png(&self) -> Result<Vec<u8>, PictureError> {
        let [width, height] = [self.width, self.height].map(|length| (length * self.density).round());
        let is_sound = width >= 1.0 && height >= 1.0 && f64::from(width) * f64::from(height) <= PIXELS_LIMIT;
        let too_large = || PictureError::TooLarge { width, height };
        if !is_sound {
            return Err(too_large());
        }
        let pixels = raster::draw(self, width as u32, height as u32, self.density).ok_or_else(too_large)?;
        let per_metre = (self.unit != Unit::Pixels).then_some(self.density * PER_INCH / 0.0254);
        png_file::rgb(&pixels, width as u32, per_metre)
    }
}

impl Shape {
    fn moved(self, scale: f32, shift: [f32; 2]) -> Self {
        let at = |point: [f32; 2]| [point[0].mul_add(scale, shift[0]), point[1].mul_add(scale, shift[1])];
        let all = |points: Vec<[f32; 2]>| points.into_iter().map(at).collect();
        let moved = |area: Area| {
            let [left, top] = at([area.left, area.top]);
            Area { left, top, width: area.width * scale, height: area.height * scale }
        };
        let line = |stroke: Stroke| {
            let dashes = stroke.dashes.iter().map(|dash| dash * scale).collect();
            Stroke { width: stroke.width * scale, dashes, ..stroke }
        };
        match self {
            Self::Box { area, fill } => Self::Box { area: moved(area), fill },
            Self::Line { points, stroke } => Self::Line { points: all(points), stroke: line(stroke) },
            Self::Polygon { points, fill } => Self::Polygon { points: all(points), fill },
            Self::Disc { centre, radius, fill, rim } => {
                Self::Disc { centre: at(centre), radius: radius * scale, fill, rim: line(rim) }
            }
            Self::Text(text) => Self::Text(Text { at: at(text.at), size: text.size * scale, ..text }),
            Self::Image { area, image } => Self::Image { area: moved(area), image },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::{INK, PALETTE};

    #[test]
    fn sizes_are_read() {
        let size = |text: &str| text.parse::<Size>();
        assert_eq!(size("800x500"), Ok(Size::pixels(800.0, 500.0)));
        assert_eq!(size("160x100mm"), Ok(Size { width: 160.0, height: 100.0, unit: Unit::Millimetres }));
        assert_eq!(size("6.5x4in").unwrap().to_string(), "6.5x4in");
        for wrong in ["", "800", "x", "800x", "1e9x1e9", "0x0", "-800x500", "NaNxNaN", "800x500cm", "3x3"] {
            assert_eq!(size(wrong), Err(SizeError), "{wrong}");
        }
    }

    #[test]
    fn a_sheet_on_paper_has_the_pixels_of_print() {
        let header = |size: &str| {
            let png = Picture::new(size.parse().unwrap()).png().unwrap();
            let info = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap().info().clone();
            (info.width, info.height, info.pixel_dims.map(|dims| dims.xppu))
        };
        assert_eq!(header("300x200"), (300, 200, None));
        assert_eq!(header("2x1.5in"), (600, 450, Some(11811)));
        assert!(Picture::new("160x100mm".parse().unwrap()).svg().unwrap().contains(r#"width="160mm""#));
        let huge = Picture::new(Size::pixels(20_000.0, 20_000.0)).png();
        assert!(matches!(huge, Err(PictureError::TooLarge { .. })));
    }

    #[test]
    fn a_fitted_picture_is_the_same_but_larger() {
        let mut small = Picture::new(Size::pixels(100.0, 100.0));
        small.fill(Area { left: 25.0, top: 25.0, width: 50.0, height: 50.0 }, PALETTE[0]);
        small.disc([50.0, 50.0], 10.0, INK, Stroke::new(INK, 0.0));
        let png = small.fitted(Size::pixels(400.0, 200.0)).png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        let at = |x: usize, y: usize| &pixels[3 * (400 * y + x)..][..3];
        assert_eq!(at(200, 100), INK.rgb);
        assert_eq!(at(155, 55), PALETTE[0].rgb);
        assert_eq!(at(145, 45), PAPER.rgb);
    }
}
