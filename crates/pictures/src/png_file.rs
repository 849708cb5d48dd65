//! Pixels as a PNG file.

use png::{BitDepth, ColorType, Encoder, PixelDimensions, Unit};

use crate::picture::PictureError;

/// An image of three bytes (red, green, blue) a pixel, `width` pixels a row, from the top; on paper, so
/// many of them a metre.
pub(crate) fn rgb(pixels: &[[u8; 3]], width: u32, per_metre: Option<f32>) -> Result<Vec<u8>, PictureError> {
    let height = pixels.len() as u32 / width.max(1);
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, width, height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    let dims = |per_metre: f32| per_metre.round() as u32;
    encoder.set_pixel_dims(per_metre.map(|per_metre| PixelDimensions {
        xppu: dims(per_metre),
        yppu: dims(per_metre),
        unit: Unit::Meter,
    }));
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels.as_flattened())?;
    writer.finish()?;
    Ok(file)
}
