//! Differences, element by element, from a chunk of the same length.
//!
//! Either the bits are compared (exclusive or), or the values are subtracted: floats as the
//! integers that have the same order, so that neighbours differ by one. The differences are
//! stored as byte planes.

use super::Content;
use super::planes;
use super::sample::Sample;

const XOR: u8 = 0;
const SUBTRACT: u8 = 1;
const SUBTRACT_FLOATS: u8 = 2;

/// The share of its size that the sampled chunk would have.
pub(super) fn estimate(sample: &Sample<'_>, base: &Sample<'_>, content: Content) -> f64 {
    best(sample.bytes(), base.bytes(), content).1
}

/// The better transformation for a sample, and the share that it leaves.
fn best(raw: &[u8], base: &[u8], content: Content) -> (u8, f64) {
    let share =
        |way: u8| planes::share(&differences(way, raw, base, content.width()), content.width(), false, 1.0);
    let subtract = if matches!(content, Content::Floats { .. }) { SUBTRACT_FLOATS } else { SUBTRACT };
    let (xor, subtracted) = (share(XOR), share(subtract));
    if subtracted < xor { (subtract, subtracted) } else { (XOR, xor) }
}

pub(super) fn encode(raw: &[u8], base: &[u8], content: Content) -> Vec<u8> {
    let width = content.width();
    let way = best(Sample::of(raw, content).bytes(), Sample::of(base, content).bytes(), content).0;
    let mut out = vec![way];
    planes::put(&differences(way, raw, base, width), width, false, &mut out);
    out
}

pub(super) fn decode_into(stored: &[u8], base: &[u8], raw: &mut [u8]) -> Option<()> {
    let (&way, stored) = stored.split_first()?;
    let width = usize::from(*stored.first()?);
    // Differences are of elements as they stand, not turned: `planes` refuses other widths.
    if base.len() != raw.len() || way > SUBTRACT_FLOATS {
        return None;
    }
    planes::decode_into(stored, raw)?;
    add(way, raw, base, width);
    Some(())
}

/// An element as an integer of its width.
trait Element: Copy {
    fn read(bytes: &[u8]) -> Self;
    fn write(self, bytes: &mut [u8]);
    fn xor(self, other: Self) -> Self;
    fn add(self, other: Self) -> Self;
    fn subtract(self, other: Self) -> Self;
    /// Numbers of either sign, small ones as small numbers.
    fn zigzag(self) -> Self;
    fn unzigzag(self) -> Self;
    /// The integer whose order among all is that of the float with these bits; its own inverse.
    fn ordered(self) -> Self;
}

macro_rules! element {
    ($number:ty, $signed:ty) => {
        impl Element for $number {
            fn read(bytes: &[u8]) -> Self {
                Self::from_le_bytes(bytes.try_into().unwrap_or_default())
            }

            fn write(self, bytes: &mut [u8]) {
                bytes.copy_from_slice(&self.to_le_bytes());
            }

            fn xor(self, other: Self) -> Self {
                self ^ other
            }

            fn add(self, other: Self) -> Self {
                self.wrapping_add(other)
            }

            fn subtract(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }

            fn zigzag(self) -> Self {
                (self << 1) ^ (self as $signed >> (Self::BITS - 1)) as Self
            }

            fn unzigzag(self) -> Self {
                (self >> 1) ^ (self & 1).wrapping_neg()
            }

            fn ordered(self) -> Self {
                // Negative floats count downwards.
                let sign = (self as $signed >> (Self::BITS - 1)) as Self;
                self ^ (sign >> 1)
            }
        }
    };
}
element!(u8, i8);
element!(u16, i16);
element!(u32, i32);
element!(u64, i64);

/// The differences of the elements of `raw` from those of `base`.
fn differences(way: u8, raw: &[u8], base: &[u8], width: usize) -> Vec<u8> {
    match width {
        2 => differences_of::<u16>(way, raw, base),
        4 => differences_of::<u32>(way, raw, base),
        8 => differences_of::<u64>(way, raw, base),
        _ => differences_of::<u8>(way, raw, base),
    }
}

fn differences_of<T: Element>(way: u8, raw: &[u8], base: &[u8]) -> Vec<u8> {
    let width = size_of::<T>();
    let mut out = vec![0; raw.len()];
    let mut each = |difference: fn(T, T) -> T| {
        let elements = raw.chunks_exact(width).zip(base.chunks_exact(width));
        for (out, (a, b)) in out.chunks_exact_mut(width).zip(elements) {
            difference(T::read(a), T::read(b)).write(out);
        }
    };
    match way {
        XOR => each(T::xor),
        SUBTRACT => each(|a, b| a.subtract(b).zigzag()),
        _ => each(|a, b| a.ordered().subtract(b.ordered()).zigzag()),
    }
    out
}

/// Adds the differences in `raw` to the elements of `base`: the inverse of [`differences`].
fn add(way: u8, raw: &mut [u8], base: &[u8], width: usize) {
    match width {
        2 => add_to::<u16>(way, raw, base),
        4 => add_to::<u32>(way, raw, base),
        8 => add_to::<u64>(way, raw, base),
        _ => add_to::<u8>(way, raw, base),
    }
}

fn add_to<T: Element>(way: u8, raw: &mut [u8], base: &[u8]) {
    let width = size_of::<T>();
    let mut each = |sum: fn(T, T) -> T| {
        for (element, b) in raw.chunks_exact_mut(width).zip(base.chunks_exact(width)) {
            sum(T::read(element), T::read(b)).write(element);
        }
    };
    match way {
        XOR => each(T::xor),
        SUBTRACT => each(|difference, b| b.add(difference.unzigzag())),
        _ => each(|difference, b| b.ordered().add(difference.unzigzag()).ordered()),
    }
}
