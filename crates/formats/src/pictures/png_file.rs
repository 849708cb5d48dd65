//! Single PNG files.

use std::io::BufReader;
use std::path::Path;

use super::{PictureError, Pictures};
use crate::files;

const PNG: &str = "a PNG picture";
/// A PNG file never takes more memory: bytes.
const PNG_LIMIT: usize = 1 << 28;

/// A picture in colours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Colours {
    /// Pixels of a line.
    pub width: usize,
    /// Line by line, each pixel's red, green, blue and opacity.
    pub pixels: Vec<[u8; 4]>,
}

/// A PNG file with its colours.
///
/// # Errors
/// When the file cannot be read, or is no PNG file.
pub fn read_colours(path: &Path) -> Result<Colours, PictureError> {
    let Decoded { width, samples, bytes, .. } = decode(path)?;
    let pixel = |samples: &[u8]| match *samples {
        [grey] => [grey, grey, grey, 255],
        [grey, opacity] => [grey, grey, grey, opacity],
        [red, green, blue] => [red, green, blue, 255],
        [red, green, blue, opacity, ..] => [red, green, blue, opacity],
        [] => [0; 4],
    };
    Ok(Colours { width, pixels: bytes.chunks_exact(samples).map(pixel).collect() })
}

/// A PNG file in grey: what it says of transparency is left out.
pub(super) fn read_grey(path: &Path) -> Result<Pictures, PictureError> {
    let Decoded { width, height, samples, bytes } = decode(path)?;
    Ok(Pictures { width, height, pixels: bytes.chunks_exact(samples).map(grey).collect() })
}

struct Decoded {
    width: usize,
    height: usize,
    /// Bytes of a pixel.
    samples: usize,
    bytes: Vec<u8>,
}

fn decode(path: &Path) -> Result<Decoded, PictureError> {
    let malformed = |error: png::DecodingError| PictureError::malformed(path, PNG, error.to_string());
    let file = files::open(path).map_err(PictureError::io(path))?;
    let limits = png::Limits { bytes: PNG_LIMIT };
    let mut decoder = png::Decoder::new_with_limits(BufReader::new(file), limits);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(malformed)?;
    let size = reader.output_buffer_size().filter(|&size| size <= PNG_LIMIT);
    let Some(size) = size else {
        return Err(PictureError::malformed(path, PNG, format!("it takes more than {PNG_LIMIT} bytes")));
    };
    let mut bytes = vec![0; size];
    let frame = reader.next_frame(&mut bytes).map_err(malformed)?;
    bytes.truncate(frame.buffer_size());
    let samples = frame.color_type.samples();
    Ok(Decoded { width: frame.width as usize, height: frame.height as usize, samples, bytes })
}

/// The luminance of a pixel.
fn grey(samples: &[u8]) -> u8 {
    match *samples {
        [red, green, blue, ..] => {
            let sum = 299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue);
            ((sum + 500) / 1000) as u8
        }
        [grey, ..] => grey,
        [] => 0,
    }
}
