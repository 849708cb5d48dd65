//! What the classifier has in mind for each class: the counters, projected back to the inputs.

use rekindle_pictures::{Anchor, Area, INK, Image, Picture, Size, Stroke, Text, shortened, text_width};

use super::error::WisardError;
use super::state::State;

/// Images side by side.
const ACROSS: usize = 10;
/// The side of an image is at least this, as long as a pixel is a whole one: pixels.
const LEAST_SIDE: usize = 120;
/// Pixels around images, and those above one for its class.
const GAP: usize = 12;
const CAPTION: usize = 18;
/// Pixels of an em.
const LABEL: f32 = 13.0;
/// The scale of shades below all images: pixels.
const SCALE_WIDTH: f32 = 120.0;
const SCALE_HEIGHT: f32 = 12.0;
const SCALE_SPACE: usize = 56;
const SCALE_TITLE: &str = "share of the rows of a class that set the bits of an input";
const SHADES: usize = 256;
/// The picture never has more pixels.
const PIXELS_LIMIT: usize = 1 << 26;
const PAPER: u8 = 255;

/// An image for each class, under its name, in their order, ten in a row. An input is the darker, the more of
/// its bits were set in the rows of the class: the sum over all counters of the class whose address has
/// the bit, as a share of the rows (C. M. Soares et al., "Uma implementação em software do
/// classificador WISARD", 1998, call it mental images). Inputs are pixels row by row if their
/// number is a square, and fill a rectangle otherwise.
pub(super) fn draw(state: &State) -> Result<Picture, WisardError> {
    let (inputs, classes) = (state.preparation.inputs.len(), state.preparation.classes.len());
    let sheet = Sheet::of(inputs, classes);
    if sheet.total_x.saturating_mul(sheet.total_y) > PIXELS_LIMIT {
        return Err(WisardError::PictureTooLarge { inputs, classes });
    }
    let shades = shades(state);
    let mut picture = Picture::new(Size::pixels(sheet.total_x as f32, sheet.total_y as f32));
    for (class, name) in state.preparation.classes.iter().enumerate() {
        let area = sheet.area(class);
        picture.image(area, sheet.image(&shades[class * inputs..(class + 1) * inputs]));
        picture.frame(area, Stroke::new(INK, 1.0));
        let caption = shortened(name, LABEL, area.width);
        label(&mut picture, caption, [area.centre()[0], area.top - 5.0], Anchor::Middle);
    }
    draw_scale(&mut picture, &sheet);
    Ok(picture)
}

/// What the shades mean, below all images.
fn draw_scale(picture: &mut Picture, sheet: &Sheet) {
    let top = (sheet.total_y - SCALE_SPACE + GAP) as f32;
    let area = Area { left: GAP as f32, top, width: SCALE_WIDTH, height: SCALE_HEIGHT };
    let shades = (0..SHADES).map(|shade| [PAPER - shade as u8; 3]);
    picture.image(area, Image { pixels: shades.collect(), columns: SHADES as u32 });
    picture.frame(area, Stroke::new(INK, 1.0));
    for (value, share, anchor) in
        [("0", 0.0, Anchor::Start), ("0.5", 0.5, Anchor::Middle), ("1", 1.0, Anchor::End)]
    {
        let x = area.width.mul_add(share, area.left);
        picture.line(vec![[x, area.bottom()], [x, area.bottom() + 4.0]], Stroke::new(INK, 1.0));
        label(picture, value.to_owned(), [x, area.bottom() + 4.0 + LABEL], anchor);
    }
    let left = area.right() + GAP as f32;
    let title = shortened(SCALE_TITLE, LABEL, sheet.total_x as f32 - left - GAP as f32);
    label(picture, title, [left, area.bottom() - 1.0], Anchor::Start);
}

fn label(picture: &mut Picture, text: String, at: [f32; 2], anchor: Anchor) {
    picture.text(Text { text, at, size: LABEL, anchor, turned: false, colour: INK });
}

/// Bytes that drawing takes at most, the picture included.
pub(super) fn bytes(state: &State) -> u64 {
    let (inputs, classes) = (state.preparation.inputs.len(), state.preparation.classes.len());
    let Sheet { total_x, total_y, .. } = Sheet::of(inputs, classes);
    let pixels = total_x.saturating_mul(total_y);
    let pixels = if pixels > PIXELS_LIMIT { 0 } else { pixels as u64 };
    let projections = 8 * state.preparation.thermometers.encoded_bits() as u64 * classes as u64;
    // Four bytes a pixel, three once more, and the encoder holds rows and its output beside them.
    12 * pixels + projections + 20 * (inputs * classes) as u64 + (2 << 20)
}

/// The layout of the picture, in pixels.
struct Sheet {
    /// Inputs of an image, across and down.
    width: usize,
    height: usize,
    /// Pixels of an input, across and down.
    scale: usize,
    total_x: usize,
    total_y: usize,
}

impl Sheet {
    fn of(inputs: usize, classes: usize) -> Self {
        let width = (1..=inputs).find(|side| side * side >= inputs).unwrap_or(1);
        let height = inputs.div_ceil(width);
        let scale = LEAST_SIDE.div_ceil(width).max(1);
        let mut sheet = Self { width, height, scale, total_x: 0, total_y: 0 };
        let (across, down) = (classes.min(ACROSS), classes.div_ceil(ACROSS));
        // The scale is explained, however few images there are.
        let explained = SCALE_WIDTH + 3.0 * GAP as f32 + text_width(SCALE_TITLE, LABEL);
        sheet.total_x = (across * sheet.step_x() + GAP).max(explained.ceil() as usize);
        sheet.total_y = down * sheet.step_y() + SCALE_SPACE;
        sheet
    }

    /// From an image to the next.
    fn step_x(&self) -> usize {
        self.width * self.scale + GAP
    }

    fn step_y(&self) -> usize {
        self.height * self.scale + GAP + CAPTION
    }

    /// Where the image of a class is.
    fn area(&self, class: usize) -> Area {
        Area {
            left: (GAP + class % ACROSS * self.step_x()) as f32,
            top: (GAP + CAPTION + class / ACROSS * self.step_y()) as f32,
            width: (self.width * self.scale) as f32,
            height: (self.height * self.scale) as f32,
        }
    }

    /// The image of a class; what is behind its last input is paper.
    fn image(&self, shades: &[u8]) -> Image {
        let all = shades.iter().copied().chain(std::iter::repeat(PAPER));
        let pixels = all.take(self.width * self.height).map(|shade| [shade; 3]).collect();
        Image { pixels, columns: self.width as u32 }
    }
}

/// The shade of each input, by class.
fn shades(state: &State) -> Vec<u8> {
    let (inputs, classes) = (state.preparation.inputs.len(), state.learnt.len());
    let bits = state.preparation.thermometers.bits as usize;
    let (sums, mapped) = (projections(state), mapped_bits(state));
    let shade = |class: usize, input: usize| {
        let most = state.learnt[class].saturating_mul(mapped[input]);
        let sum: u64 = (input * bits..(input + 1) * bits).map(|bit| sums[bit * classes + class]).sum();
        let share = if most == 0 { 0.0 } else { (sum as f64 / most as f64).min(1.0) };
        (f64::from(PAPER) * (1.0 - share)).round() as u8
    };
    (0..classes)
        .flat_map(|class| (0..inputs).map(move |input| (class, input)))
        .map(|(c, i)| shade(c, i))
        .collect()
}

/// By bit and class, the sum of the counters whose address has the bit.
fn projections(state: &State) -> Vec<u64> {
    let classes = state.learnt.len();
    let mut sums = vec![0; state.preparation.thermometers.encoded_bits() * classes];
    for tuple in 0..state.mapping.tuples() {
        for (cell, address) in state.memory.cells(&state.mapping, tuple) {
            let counts = &state.memory.counts()[cell * classes..(cell + 1) * classes];
            if counts.iter().all(|&count| count == 0) {
                continue;
            }
            let bits = state.mapping.tuple(tuple).iter().enumerate();
            for (_, &bit) in bits.filter(|(index, _)| address >> index & 1 == 1) {
                let sums = &mut sums[bit as usize * classes..(bit as usize + 1) * classes];
                sums.iter_mut().zip(counts).for_each(|(sum, &count)| *sum += u64::from(count));
            }
        }
    }
    sums
}

/// How often a bit of each input is mapped.
fn mapped_bits(state: &State) -> Vec<u64> {
    let mut mapped = vec![0; state.preparation.inputs.len()];
    for &bit in &state.mapping.bits {
        mapped[(bit / state.preparation.thermometers.bits) as usize] += 1;
    }
    mapped
}
