//! Integers of a small range in as few bits as the range takes.
//!
//! Values are counted from the least. Each is cut into low bits, stored as they are, and a high
//! digit; digits of a radix that is no power of two share 64-bit words, so that a range of 10
//! takes 3.37 bits a value and not 4.

use super::sample::Sample;

/// Least value, low bits, radix of the high digit.
const HEAD: usize = 8 + 1 + 1 + 2;
/// Larger radices are never better than more low bits.
const RADIX_MAX: u64 = 64;

#[derive(Debug, Clone, Copy, PartialEq)]
struct Layout {
    least: u64,
    low_bits: u32,
    radix: u64,
}

impl Layout {
    /// The layout that takes the fewest bits for values from `least` to `least + span`.
    fn of(least: u64, span: u64) -> Self {
        let bits = u64::BITS - span.leading_zeros();
        // Of equally good ones the first counts, and low bits are packed faster than digits.
        let layouts = (bits.saturating_sub(6)..=bits).rev().map(|low_bits| {
            let radix = span.checked_shr(low_bits).unwrap_or(0) + 1;
            Self { least, low_bits, radix }
        });
        let fits = |layout: &Self| layout.radix <= RADIX_MAX;
        let best = layouts.filter(fits).min_by(|a, b| a.bits_a_value().total_cmp(&b.bits_a_value()));
        best.unwrap_or(Self { least, low_bits: bits, radix: 1 })
    }

    fn bits_a_value(self) -> f64 {
        let digit = if self.radix > 1 { 64.0 / self.digits_a_word() as f64 } else { 0.0 };
        f64::from(self.low_bits) + digit
    }

    /// Digits of the radix that fit a word of 64 bits; none are stored when there is only one.
    fn digits_a_word(self) -> usize {
        if self.radix < 2 {
            return 0;
        }
        let (mut digits, mut product) = (0, 1u128);
        while product * u128::from(self.radix) <= 1 << 64 {
            product *= u128::from(self.radix);
            digits += 1;
        }
        digits
    }

    fn low_len(self, count: usize) -> usize {
        (count as u64 * u64::from(self.low_bits)).div_ceil(8) as usize
    }

    fn words(self, count: usize) -> usize {
        if self.radix > 1 { count.div_ceil(self.digits_a_word()) } else { 0 }
    }

    fn stored_len(self, count: usize) -> usize {
        HEAD + self.low_len(count) + 8 * self.words(count)
    }
}

/// The share of its size that the sampled chunk would have.
pub(super) fn estimate(sample: &Sample<'_>, width: usize, signed: bool) -> f64 {
    let (least, span) = range(sample.bytes(), width, signed);
    Layout::of(least, span).bits_a_value() / (8 * width) as f64
}

/// Least value and the difference of the greatest from it; signed values are moved so that their
/// order is that of the unsigned.
fn range(bytes: &[u8], width: usize, signed: bool) -> (u64, u64) {
    if width == 1 && !signed {
        let least = bytes.iter().copied().min().unwrap_or(0);
        let greatest = bytes.iter().copied().max().unwrap_or(0);
        return (least.into(), (greatest - least).into());
    }
    let moved = values(bytes, width).map(|value| value ^ sign_bit(width, signed));
    let (least, greatest) = moved.fold((u64::MAX, 0), |(low, high), value| (low.min(value), high.max(value)));
    if least > greatest { (0, 0) } else { (least ^ sign_bit(width, signed), greatest - least) }
}

fn sign_bit(width: usize, signed: bool) -> u64 {
    if signed { 1 << (8 * width - 1) } else { 0 }
}

fn values(bytes: &[u8], width: usize) -> impl Iterator<Item = u64> {
    bytes.chunks_exact(width).map(move |element| {
        let mut value = [0; 8];
        value[..width].copy_from_slice(element);
        u64::from_le_bytes(value)
    })
}

pub(super) fn encode(raw: &[u8], width: usize, signed: bool) -> Option<Vec<u8>> {
    let (least, span) = range(raw, width, signed);
    let layout = Layout::of(least, span);
    let count = raw.len() / width;
    if layout.stored_len(count) >= raw.len() {
        return None;
    }
    let mut out = Vec::with_capacity(layout.stored_len(count));
    out.extend_from_slice(&least.to_le_bytes());
    out.extend_from_slice(&[width as u8, layout.low_bits as u8]);
    out.extend_from_slice(&(layout.radix as u16).to_le_bytes());
    if width == 1 && layout.radix == 1 {
        put_bytes(raw, least as u8, layout.low_bits, &mut out);
        return Some(out);
    }
    let mask = mask_of(8 * width as u32);
    let offsets = || values(raw, width).map(move |value| value.wrapping_sub(least) & mask);
    put_low_bits(offsets(), layout.low_bits, &mut out);
    if layout.radix > 1 {
        let digits: Vec<u64> = offsets().map(|offset| shift_right(offset, layout.low_bits)).collect();
        for word in digits.chunks(layout.digits_a_word()) {
            let packed = word.iter().rev().fold(0u64, |packed, digit| packed * layout.radix + digit);
            out.extend_from_slice(&packed.to_le_bytes());
        }
    }
    Some(out)
}

#[inline(always)]
fn mask_of(bits: u32) -> u64 {
    u64::MAX.checked_shr(64 - bits.min(64)).unwrap_or(0)
}

fn shift_right(value: u64, bits: u32) -> u64 {
    value.checked_shr(bits).unwrap_or(0)
}

fn put_low_bits(offsets: impl Iterator<Item = u64>, bits: u32, out: &mut Vec<u8>) {
    let (mut pending, mut filled) = (0u128, 0);
    for offset in offsets {
        pending |= u128::from(offset & mask_of(bits)) << filled;
        filled += bits;
        while filled >= 8 {
            out.push(pending as u8);
            pending >>= 8;
            filled -= 8;
        }
    }
    if filled > 0 {
        out.push(pending as u8);
    }
}

pub(super) fn decode_into(stored: &[u8], raw: &mut [u8]) -> Option<()> {
    let (head, body) = stored.split_first_chunk::<HEAD>()?;
    let least = u64::from_le_bytes(*head.first_chunk()?);
    let (width, low_bits) = (usize::from(head[8]), u32::from(head[9]));
    let radix = u64::from(u16::from_le_bytes([head[10], head[11]]));
    let layout = Layout { least, low_bits, radix };
    if !matches!(width, 1 | 2 | 4 | 8) || low_bits > 64 || !(1..=RADIX_MAX).contains(&radix) {
        return None;
    }
    let count = raw.len() / width;
    if !raw.len().is_multiple_of(width) || stored.len() != layout.stored_len(count) {
        return None;
    }
    let (low, words) = body.split_at(layout.low_len(count));
    if width == 1 && radix == 1 && low_bits <= 8 {
        take_bytes(low, least as u8, low_bits, raw);
        return Some(());
    }
    let mut low = LowBits { bytes: low, pending: 0, filled: 0 };
    // A radix of 1 has no digits and no words; any number of them would fit one.
    let in_a_word = if radix > 1 { layout.digits_a_word() } else { count.max(1) };
    let mut words = words.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap_or_default()));
    for elements in raw.chunks_mut(width * in_a_word) {
        let mut word = if radix > 1 { words.next()? } else { 0 };
        for element in elements.chunks_exact_mut(width) {
            let digit = word % radix;
            word /= radix;
            let offset = digit.checked_shl(low_bits).unwrap_or(0) | low.next(low_bits);
            element.copy_from_slice(&least.wrapping_add(offset).to_le_bytes()[..width]);
        }
    }
    Some(())
}

/// Packs bytes, eight at a time: neighbours are joined to pairs, pairs to fours, fours to eights. The
/// bits lie as [`put_low_bits`] would put them.
fn put_bytes(raw: &[u8], least: u8, bits: u32, out: &mut Vec<u8>) {
    let (eights, rest) = raw.as_chunks::<8>();
    let start = out.len();
    let used = bits as usize;
    // Each eight is written as a whole word; the next one overwrites what was not used of it.
    out.resize(start + eights.len() * used + 8, 0);
    with_constant_bits(bits, PutEights { eights, least, out: &mut out[start..] });
    out.truncate(start + eights.len() * used);
    put_low_bits(rest.iter().map(|byte| byte.wrapping_sub(least).into()), bits, out);
}

/// The inverse of [`put_bytes`]; `low` holds all the bits.
fn take_bytes(low: &[u8], least: u8, bits: u32, raw: &mut [u8]) {
    let used = bits as usize;
    let (eights, rest) = raw.as_chunks_mut::<8>();
    // A word is read for each eight: the last ones have none, and are taken bit by bit.
    let whole =
        low.len().saturating_sub(8).checked_div(used).map_or(eights.len(), |whole| eights.len().min(whole));
    let (eights, last) = eights.split_at_mut(whole);
    with_constant_bits(bits, TakeEights { low, least, eights });
    let mut low_bits = LowBits { bytes: &low[whole * used..], pending: 0, filled: 0 };
    for byte in last.as_flattened_mut().iter_mut().chain(rest) {
        *byte = least.wrapping_add(low_bits.next(bits) as u8);
    }
}

/// Work whose inner loop is compiled for each number of bits.
trait WithBits {
    fn run<const BITS: u32>(self);
}

fn with_constant_bits(bits: u32, work: impl WithBits) {
    match bits {
        0 => work.run::<0>(),
        1 => work.run::<1>(),
        2 => work.run::<2>(),
        3 => work.run::<3>(),
        4 => work.run::<4>(),
        5 => work.run::<5>(),
        6 => work.run::<6>(),
        7 => work.run::<7>(),
        _ => work.run::<8>(),
    }
}

struct PutEights<'a> {
    eights: &'a [[u8; 8]],
    least: u8,
    out: &'a mut [u8],
}

impl WithBits for PutEights<'_> {
    fn run<const BITS: u32>(self) {
        for (index, eight) in self.eights.iter().enumerate() {
            let offsets = u64::from_le_bytes(eight.map(|byte| byte.wrapping_sub(self.least)));
            let start = index * BITS as usize;
            self.out[start..start + 8].copy_from_slice(&joined(offsets, BITS).to_le_bytes());
        }
    }
}

struct TakeEights<'a> {
    low: &'a [u8],
    least: u8,
    eights: &'a mut [[u8; 8]],
}

impl WithBits for TakeEights<'_> {
    fn run<const BITS: u32>(self) {
        let mut low = self.low;
        for eight in self.eights {
            let word = low.first_chunk::<8>().map_or(0, |word| u64::from_le_bytes(*word));
            low = &low[BITS as usize..];
            let offsets = separated(word & mask_of(8 * BITS), BITS);
            *eight = offsets.to_le_bytes().map(|byte| byte.wrapping_add(self.least));
        }
    }
}

/// The low bits of eight bytes side by side.
#[inline(always)]
fn joined(bytes: u64, bits: u32) -> u64 {
    let gap = 8 - bits;
    let pairs = bytes & 0x00ff_00ff_00ff_00ff | (bytes & 0xff00_ff00_ff00_ff00) >> gap;
    let fours = pairs & 0x0000_ffff_0000_ffff | (pairs & 0xffff_0000_ffff_0000) >> (2 * gap);
    fours & 0xffff_ffff | fours >> 32 << (4 * bits)
}

/// The inverse of [`joined`].
#[inline(always)]
fn separated(joined: u64, bits: u32) -> u64 {
    let gap = 8 - bits;
    let fours = joined & mask_of(4 * bits) | joined.checked_shr(4 * bits).unwrap_or(0) << 32;
    let half = mask_of(2 * bits) * 0x0000_0001_0000_0001;
    let pairs = fours & half | (fours & !half) << (2 * gap);
    let quarter = mask_of(bits) * 0x0001_0001_0001_0001;
    pairs & quarter | (pairs & !quarter) << gap
}

struct LowBits<'a> {
    bytes: &'a [u8],
    pending: u128,
    filled: u32,
}

impl LowBits<'_> {
    /// The next `bits` bits; zeros after the end, whose place the caller has checked.
    fn next(&mut self, bits: u32) -> u64 {
        while self.filled < bits {
            match self.bytes.split_first_chunk::<8>() {
                Some((word, rest)) => {
                    self.pending |= u128::from(u64::from_le_bytes(*word)) << self.filled;
                    self.filled += 64;
                    self.bytes = rest;
                }
                None => {
                    let (&byte, rest) = self.bytes.split_first().unwrap_or((&0, &[]));
                    self.pending |= u128::from(byte) << self.filled;
                    self.filled += 8;
                    self.bytes = rest;
                }
            }
        }
        let value = self.pending as u64 & mask_of(bits);
        self.pending >>= bits;
        self.filled -= bits;
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_bytes_at_a_time_are_the_same_bits() {
        for bits in 0..=8 {
            for len in [0, 1, 7, 8, 9, 63, 64, 100] {
                let least = 37_u8;
                let raw: Vec<u8> = (0..len)
                    .map(|index: u32| {
                        least.wrapping_add((index.wrapping_mul(151) >> 1 & mask_of(bits) as u32) as u8)
                    })
                    .collect();
                let (mut fast, mut slow) = (Vec::new(), Vec::new());
                put_bytes(&raw, least, bits, &mut fast);
                put_low_bits(raw.iter().map(|byte| byte.wrapping_sub(least).into()), bits, &mut slow);
                assert_eq!(fast, slow, "{bits} bits, {len} bytes");
                let mut back = vec![0; raw.len()];
                take_bytes(&fast, least, bits, &mut back);
                assert_eq!(back, raw, "{bits} bits, {len} bytes");
            }
        }
    }

    /// The encoder never writes it, as planes hold such chunks better; the walk for the number of
    /// digits a word would have no end.
    #[test]
    fn values_without_digits_are_decoded() {
        let stored = [&7u64.to_le_bytes()[..], &[2, 0], &1u16.to_le_bytes()].concat();
        let mut raw = [0xa5; 6];
        assert_eq!(decode_into(&stored, &mut raw), Some(()));
        assert_eq!(raw, [7, 0, 7, 0, 7, 0]);
    }
}
