//! Pictures as PNG files.

use png::{BitDepth, ColorType, Encoder};

/// A picture cannot be written as PNG.
#[derive(Debug, thiserror::Error)]
#[error("the picture cannot be written: {0}")]
pub struct PngError(#[from] png::EncodingError);

/// An image of three bytes (red, green, blue) a pixel, `width` pixels a row, from the top.
///
/// # Errors
/// When the pixels do not fill rows, or are too many for the format.
pub fn rgb(pixels: &[[u8; 3]], width: u32) -> Result<Vec<u8>, PngError> {
    encode(pixels.as_flattened(), 3, width, ColorType::Rgb)
}

/// An image of shades, a byte a pixel from black to white, `width` pixels a row, from the top.
///
/// # Errors
/// When the pixels do not fill rows, or are too many for the format.
pub fn grayscale(pixels: &[u8], width: u32) -> Result<Vec<u8>, PngError> {
    encode(pixels, 1, width, ColorType::Grayscale)
}

fn encode(bytes: &[u8], channels: usize, width: u32, color: ColorType) -> Result<Vec<u8>, PngError> {
    let height = bytes.len() / channels / (width as usize).max(1);
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, width, height as u32);
    encoder.set_color(color);
    encoder.set_depth(BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(bytes)?;
    writer.finish()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_come_back() {
        let decoded = |file: Vec<u8>| {
            let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            let info = reader.next_frame(&mut pixels).unwrap();
            (info.width, info.height, pixels)
        };
        assert_eq!(decoded(grayscale(&[0, 90, 255, 7, 8, 9], 3).unwrap()), (3, 2, vec![0, 90, 255, 7, 8, 9]));
        assert_eq!(decoded(rgb(&[[1, 2, 3], [4, 5, 6]], 1).unwrap()), (1, 2, vec![1, 2, 3, 4, 5, 6]));
        assert!(grayscale(&[1, 2, 3], 2).is_err());
    }
}
