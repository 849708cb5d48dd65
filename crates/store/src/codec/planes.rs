//! Byte planes: the bytes of equal significance of all elements side by side, every plane coded
//! for itself.
//!
//! Floats are turned by one bit to the left first, so that the exponent fills bytes of its own
//! and the sign goes with the mantissa: exponents repeat, mantissas hardly do.

use std::cell::RefCell;

use super::Content;
use super::sample::Sample;
use super::section;

/// Added to the width in the first byte when elements are turned.
const TURNED: u8 = 0x80;

thread_local! {
    /// Planes being filled or read; kept, as fresh memory costs more than the work.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The share of its size that the sampled chunk would have; 1 when it is certain to be more than
/// `worthwhile`.
pub(super) fn estimate(sample: &Sample<'_>, content: Content, worthwhile: f64) -> f64 {
    let (width, turned) = shape(content);
    share(sample.bytes(), width, turned, worthwhile)
}

pub(super) fn share(bytes: &[u8], width: usize, turned: bool, worthwhile: f64) -> f64 {
    let bytes = &bytes[..bytes.len() - bytes.len() % width];
    let plane_len = (bytes.len() / width).max(1);
    let each = |planes: &[u8]| {
        let noise = planes.chunks(plane_len).filter(|plane| section::is_noise(plane)).count();
        if noise as f64 >= worthwhile * width as f64 {
            return 1.0;
        }
        planes.chunks(plane_len).map(section::estimate).sum::<f64>() / width as f64
    };
    SCRATCH.with_borrow_mut(|planes| {
        planes.resize(bytes.len(), 0);
        split(bytes, width, turned, planes);
        each(planes)
    })
}

fn shape(content: Content) -> (usize, bool) {
    (content.width(), matches!(content, Content::Floats { .. }))
}

pub(super) fn encode(raw: &[u8], content: Content) -> Vec<u8> {
    let (width, turned) = shape(content);
    let mut out = Vec::with_capacity(raw.len());
    put(raw, width, turned, &mut out);
    out
}

/// Appends the planes of `raw`, whose length is a multiple of `width`.
pub(super) fn put(raw: &[u8], width: usize, turned: bool, out: &mut Vec<u8>) {
    out.push(width as u8 | if turned { TURNED } else { 0 });
    SCRATCH.with_borrow_mut(|planes| {
        planes.resize(raw.len(), 0);
        split(raw, width, turned, planes);
        planes.chunks(raw.len() / width).for_each(|plane| section::put(plane, out));
    });
}

pub(super) fn decode_into(mut stored: &[u8], raw: &mut [u8]) -> Option<()> {
    let (&first, rest) = stored.split_first()?;
    stored = rest;
    let (width, turned) = (usize::from(first & !TURNED), first & TURNED != 0);
    if !matches!(width, 1 | 2 | 4 | 8) || raw.is_empty() || !raw.len().is_multiple_of(width) {
        return None;
    }
    SCRATCH.with_borrow_mut(|planes| {
        planes.resize(raw.len(), 0);
        for plane in planes.chunks_mut(raw.len() / width) {
            section::take(&mut stored, plane)?;
        }
        join(planes, width, turned, raw);
        stored.is_empty().then_some(())
    })
}

/// Fills `planes` from the elements of `raw`, the least significant plane first.
fn split(raw: &[u8], width: usize, turned: bool, planes: &mut [u8]) {
    macro_rules! split {
        ($number:ty, $width:literal) => {{
            let count = raw.len() / $width;
            let mut planes: [&mut [u8]; $width] = cut(planes, count);
            for i in 0..count {
                let bytes: [u8; $width] = raw[i * $width..(i + 1) * $width].try_into().unwrap_or_default();
                let value = <$number>::from_le_bytes(bytes);
                let value = if turned { value.rotate_left(1) } else { value };
                for (plane, byte) in planes.iter_mut().zip(value.to_le_bytes()) {
                    plane[i] = byte;
                }
            }
        }};
    }
    match width {
        2 => split!(u16, 2),
        4 => split!(u32, 4),
        8 => split!(u64, 8),
        _ => planes.copy_from_slice(raw),
    }
}

/// The inverse of [`split`].
fn join(planes: &[u8], width: usize, turned: bool, raw: &mut [u8]) {
    macro_rules! join {
        ($number:ty, $width:literal) => {{
            let count = raw.len() / $width;
            let planes: [&[u8]; $width] = std::array::from_fn(|k| &planes[k * count..(k + 1) * count]);
            for (i, element) in raw.chunks_exact_mut($width).enumerate() {
                let value = <$number>::from_le_bytes(std::array::from_fn(|k| planes[k][i]));
                let value = if turned { value.rotate_right(1) } else { value };
                element.copy_from_slice(&value.to_le_bytes());
            }
        }};
    }
    match width {
        2 => join!(u16, 2),
        4 => join!(u32, 4),
        8 => join!(u64, 8),
        _ => raw.copy_from_slice(planes),
    }
}

fn cut<const N: usize>(mut planes: &mut [u8], len: usize) -> [&mut [u8]; N] {
    std::array::from_fn(|_| {
        let (plane, rest) = std::mem::take(&mut planes).split_at_mut(len);
        planes = rest;
        plane
    })
}
