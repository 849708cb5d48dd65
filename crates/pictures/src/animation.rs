//! Moving pictures of few colours.

use std::borrow::Cow;

use crate::colour::Colour;

/// Pixels of a side at most: what the format can say.
const MOST_SIDE: usize = u16::MAX as usize;

/// Why an animation cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnimationError {
    /// It is too large, or it has no pixels, colours or frames.
    #[error("an animation of {width} by {height} pixels and {colours} colours cannot be written as GIF")]
    Shape {
        /// Pixels across.
        width: usize,
        /// Pixels down.
        height: usize,
        /// How many colours.
        colours: usize,
    },
    /// It cannot be encoded.
    #[error("the animation cannot be written: {0}")]
    Gif(#[from] gif::EncodingError),
}

/// Frames of equal size, whose pixels are numbers of colours.
#[derive(Debug, Clone, PartialEq)]
pub struct Animation {
    /// Pixels of a row.
    pub width: usize,
    /// The colours: 256 at most.
    pub colours: Vec<Colour>,
    /// The frames: pixels in reading order.
    pub frames: Vec<Vec<u8>>,
    /// How often each pixel stands beside itself, across and down.
    pub enlarged: usize,
    /// How long a frame is seen: hundredths of a second.
    pub delay: u16,
    /// How long the last one is: hundredths of a second.
    pub last_delay: u16,
}

impl Animation {
    /// The animation as a GIF file that begins anew when it ends.
    ///
    /// # Errors
    /// It is larger than the format allows, or empty.
    pub fn gif(&self) -> Result<Vec<u8>, AnimationError> {
        let height = self.frames.first().map_or(0, Vec::len) / self.width.max(1) * self.enlarged;
        let (width, colours) = (self.width * self.enlarged, self.colours.len());
        let sides = 1..=MOST_SIDE;
        if !sides.contains(&width) || !sides.contains(&height) || !(1..=256).contains(&colours) {
            return Err(AnimationError::Shape { width, height, colours });
        }
        let palette: Vec<u8> = self.colours.iter().flat_map(|colour| colour.rgb).collect();
        let mut file = Vec::new();
        let mut encoder = gif::Encoder::new(&mut file, width as u16, height as u16, &palette)?;
        encoder.set_repeat(gif::Repeat::Infinite)?;
        for (index, pixels) in self.frames.iter().enumerate() {
            let last = index + 1 == self.frames.len();
            encoder.write_frame(&gif::Frame {
                width: width as u16,
                height: height as u16,
                delay: if last { self.last_delay } else { self.delay },
                buffer: Cow::Owned(self.enlarge(pixels)),
                ..gif::Frame::default()
            })?;
        }
        drop(encoder);
        Ok(file)
    }

    fn enlarge(&self, pixels: &[u8]) -> Vec<u8> {
        let mut enlarged = Vec::with_capacity(pixels.len() * self.enlarged * self.enlarged);
        for row in pixels.chunks_exact(self.width) {
            for _ in 0..self.enlarged {
                enlarged.extend(row.iter().flat_map(|&pixel| std::iter::repeat_n(pixel, self.enlarged)));
            }
        }
        enlarged
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{INK, PAPER};

    #[test]
    fn a_gif_has_every_frame() {
        let frames = vec![vec![0, 1, 1, 0, 0, 0], vec![1, 1, 1, 1, 0, 1]];
        let animation =
            Animation { width: 3, colours: vec![PAPER, INK], frames, enlarged: 2, delay: 5, last_delay: 90 };
        let file = animation.gif().unwrap();
        let mut decoder = gif::DecodeOptions::new().read_info(file.as_slice()).unwrap();
        assert_eq!((decoder.width(), decoder.height()), (6, 4));
        let first = decoder.read_next_frame().unwrap().unwrap();
        assert_eq!(first.delay, 5);
        assert_eq!(first.buffer[..12], [0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1]);
        assert_eq!(decoder.read_next_frame().unwrap().unwrap().delay, 90);
        assert!(decoder.read_next_frame().unwrap().is_none());
    }

    #[test]
    fn what_no_gif_can_hold_is_refused() {
        let wide = Animation {
            width: 40_000,
            colours: vec![PAPER],
            frames: vec![vec![0; 40_000]],
            enlarged: 2,
            delay: 5,
            last_delay: 5,
        };
        assert!(wide.gif().unwrap_err().to_string().contains("80000 by 2 pixels"));
    }
}
