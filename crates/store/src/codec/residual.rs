//! Floats by how far their magnitudes are from what is expected of them.
//!
//! The upper bits of that distance are symbols of one byte, which are coded by how often each
//! comes; the lower bits are noise and stored as they are.

use std::cell::Cell;
use std::slice::ChunksExact;

use super::bits::{self, BitReader, BitWriter};
use super::fit::{self, Fit, Fits};
use super::predictor::Predictor;
use super::{planes, section};

/// Flags of the head.
const SIGN_IN_SYMBOL: u8 = 1;
const RELATIVE_SIGN: u8 = 2;
/// The symbol of an element that is stored as it is, because its distance is too large.
const ESCAPE: u8 = 0;

/// Bytes of the head: width, flags, low bits, number of escapes.
const HEAD: usize = 3 + 4;

thread_local! {
    /// Symbols being written or read; kept, as fresh memory costs more than the work.
    static SYMBOLS: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// How distances are cut into symbols and low bits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Form {
    pub low_bits: u32,
    /// The sign is the highest bit of the symbol, and else the highest of the low bits.
    pub sign_in_symbol: bool,
    /// The sign is told as whether it differs from that of the base's element.
    pub relative_sign: bool,
}

impl Form {
    /// Bits of an element beside its symbol.
    pub fn field_bits(self) -> u32 {
        self.low_bits + u32::from(!self.sign_in_symbol)
    }

    /// Symbols stand for as many distances below zero.
    #[inline(always)]
    fn middle(self) -> i64 {
        if self.sign_in_symbol { 64 } else { 128 }
    }

    #[inline(always)]
    pub fn symbol(self, distance: i64, sign: u64) -> u8 {
        let step = (distance >> self.low_bits).wrapping_add(self.middle());
        if !(1..2 * self.middle()).contains(&step) {
            return ESCAPE;
        }
        if self.sign_in_symbol { step as u8 | (sign as u8) << 7 } else { step as u8 }
    }

    #[inline(always)]
    fn field(self, distance: i64, sign: u64) -> u64 {
        let low = distance as u64 & ((1 << self.low_bits) - 1);
        if self.sign_in_symbol { low } else { low | sign << self.low_bits }
    }

    /// The inverse of [`symbol`](Self::symbol) and [`field`](Self::field).
    #[inline(always)]
    fn distance(self, symbol: u8, field: u64) -> (i64, u64) {
        let (step, sign) = match self.sign_in_symbol {
            true => (symbol & 0x7f, u64::from(symbol >> 7)),
            false => (symbol, field >> self.low_bits),
        };
        let low = field & ((1 << self.low_bits) - 1);
        ((i64::from(step) - self.middle()) << self.low_bits | low as i64, sign)
    }

    /// The sign of an element as it is stored.
    #[inline(always)]
    pub fn sign<const W: usize>(self, element: u64, base: u64) -> u64 {
        let relative = if self.relative_sign { base } else { 0 };
        (element ^ relative) >> (8 * W - 1)
    }
}

/// An element of `W` bytes as an integer.
#[inline(always)]
pub(super) fn read<const W: usize>(element: &[u8]) -> u64 {
    let mut value = [0; 8];
    value[..W].copy_from_slice(element);
    u64::from_le_bytes(value)
}

/// The bits of an element without its sign.
#[inline(always)]
pub(super) fn magnitude<const W: usize>(element: u64) -> u64 {
    element & (u64::MAX >> (65 - 8 * W))
}

/// The best predictions of a chunk of floats of so many bytes in so many columns (0: not known).
pub(super) fn fits(raw: &[u8], base: Option<&[u8]>, width: usize, columns: usize) -> Option<Fits> {
    match width {
        2 => Some(fit::fits::<2>(raw, base, columns)),
        4 => Some(fit::fits::<4>(raw, base, columns)),
        8 => Some(fit::fits::<8>(raw, base, columns)),
        _ => None,
    }
}

pub(super) fn encode(raw: &[u8], base: Option<&[u8]>, fit: &Fit) -> Vec<u8> {
    let Fit { predictor, form, width, .. } = fit;
    let flags = if form.sign_in_symbol { SIGN_IN_SYMBOL } else { 0 };
    let flags = flags | if form.relative_sign { RELATIVE_SIGN } else { 0 };
    let mut out = Vec::with_capacity(raw.len());
    out.extend_from_slice(&[*width as u8, flags, form.low_bits as u8]);
    out.extend_from_slice(&[0; 4]);
    predictor.put(&mut out);
    let mut symbols = SYMBOLS.take();
    symbols.clear();
    let escapes = match *width {
        2 => put::<2>(raw, base, predictor, *form, &mut symbols, &mut out),
        4 => put::<4>(raw, base, predictor, *form, &mut symbols, &mut out),
        _ => put::<8>(raw, base, predictor, *form, &mut symbols, &mut out),
    };
    out[3..HEAD].copy_from_slice(&((escapes.len() / width) as u32).to_le_bytes());
    section::put_close(&symbols, &mut out);
    if !escapes.is_empty() {
        planes::put(&escapes, *width, true, &mut out);
    }
    SYMBOLS.set(symbols);
    out
}

/// Appends the fields to `out` and the symbols to theirs; gives the elements that escape.
fn put<const W: usize>(
    raw: &[u8],
    base: Option<&[u8]>,
    predictor: &Predictor,
    form: Form,
    symbols: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> Vec<u8> {
    let columns = predictor.columns();
    let writer = BitWriter::new(out, raw.len() / W, form.field_bits());
    let mut encoder = Encoder::<W> { predictor, form, writer, escapes: Vec::new() };
    for (number, row) in raw.chunks(W * columns.len()).enumerate() {
        let of_row = predictor.row(number);
        let elements = row.chunks_exact(W).map(read::<W>).zip(&columns);
        let expected = |column: &i64| of_row.wrapping_add(*column);
        match base {
            None => symbols.extend(elements.map(|(bits, column)| encoder.put(bits, 0, expected(column)))),
            Some(base) => {
                let base = base[number * W * columns.len()..].chunks_exact(W).map(read::<W>);
                let elements = elements.zip(base);
                symbols
                    .extend(elements.map(|((bits, column), base)| encoder.put(bits, base, expected(column))));
            }
        }
    }
    encoder.writer.finish();
    encoder.escapes
}

struct Encoder<'a, const W: usize> {
    predictor: &'a Predictor,
    form: Form,
    writer: BitWriter<'a>,
    escapes: Vec<u8>,
}

impl<const W: usize> Encoder<'_, W> {
    /// Appends the field of an element, or the element itself; gives its symbol.
    #[inline(always)]
    fn put(&mut self, element: u64, base: u64, expected: i64) -> u8 {
        let expected = self.predictor.of_base(magnitude::<W>(base)).wrapping_add(expected);
        let distance = (magnitude::<W>(element) as i64).wrapping_sub(expected);
        let sign = self.form.sign::<W>(element, base);
        let symbol = self.form.symbol(distance, sign);
        match symbol {
            ESCAPE => self.escapes.extend_from_slice(&element.to_le_bytes()[..W]),
            _ => self.writer.put(self.form.field(distance, sign)),
        }
        symbol
    }
}

pub(super) fn decode_into(mut stored: &[u8], base: Option<&[u8]>, raw: &mut [u8]) -> Option<()> {
    let (&[width, flags, low_bits, ref escapes @ ..], rest) = stored.split_first_chunk::<HEAD>()?;
    stored = rest;
    let escapes = u32::from_le_bytes(*escapes) as usize;
    let form = Form {
        low_bits: u32::from(low_bits),
        sign_in_symbol: flags & SIGN_IN_SYMBOL != 0,
        relative_sign: flags & RELATIVE_SIGN != 0,
    };
    if flags > SIGN_IN_SYMBOL | RELATIVE_SIGN || form.field_bits() > bits::WIDTH_MAX {
        return None;
    }
    if base.is_some_and(|base| base.len() != raw.len()) {
        return None;
    }
    let mut symbols = SYMBOLS.take();
    let taken = match width {
        2 => take::<2>(stored, base, form, escapes, &mut symbols, raw),
        4 => take::<4>(stored, base, form, escapes, &mut symbols, raw),
        8 => take::<8>(stored, base, form, escapes, &mut symbols, raw),
        _ => None,
    };
    SYMBOLS.set(symbols);
    taken
}

fn take<const W: usize>(
    mut stored: &[u8],
    base: Option<&[u8]>,
    form: Form,
    escapes: usize,
    symbols: &mut Vec<u8>,
    raw: &mut [u8],
) -> Option<()> {
    if raw.is_empty() || !raw.len().is_multiple_of(W) {
        return None;
    }
    let count = raw.len() / W;
    let predictor = Predictor::take(&mut stored, count)?;
    let (fields, rest) =
        stored.split_at_checked(bits::len(count.checked_sub(escapes)?, form.field_bits()))?;
    stored = rest;
    symbols.resize(count, 0);
    section::take(&mut stored, symbols)?;
    if symbols.iter().filter(|&&symbol| symbol == ESCAPE).count() != escapes {
        return None;
    }
    let mut escapes = vec![0; escapes * W];
    match escapes.is_empty() {
        true => stored.is_empty().then_some(())?,
        false => planes::decode_into(stored, &mut escapes)?,
    }
    let columns = predictor.columns();
    let fields = BitReader::new(fields, form.field_bits());
    let mut decoder = Decoder::<W> { predictor: &predictor, form, fields, escapes: escapes.chunks_exact(W) };
    for (number, row) in raw.chunks_mut(W * columns.len()).enumerate() {
        let of_row = predictor.row(number);
        let first = number * columns.len();
        let places = row.chunks_exact_mut(W).zip(&columns).zip(&symbols[first..]);
        let expected = |column: &i64| of_row.wrapping_add(*column);
        match base {
            None => places.for_each(|((place, column), &symbol)| {
                place.copy_from_slice(&decoder.take(symbol, 0, expected(column)).to_le_bytes()[..W]);
            }),
            Some(base) => {
                let base = base[first * W..].chunks_exact(W).map(read::<W>);
                places.zip(base).for_each(|(((place, column), &symbol), base)| {
                    place.copy_from_slice(&decoder.take(symbol, base, expected(column)).to_le_bytes()[..W]);
                });
            }
        }
    }
    Some(())
}

struct Decoder<'a, const W: usize> {
    predictor: &'a Predictor,
    form: Form,
    fields: BitReader<'a>,
    escapes: ChunksExact<'a, u8>,
}

impl<const W: usize> Decoder<'_, W> {
    /// The next element, of that symbol.
    #[inline(always)]
    fn take(&mut self, symbol: u8, base: u64, expected: i64) -> u64 {
        if symbol == ESCAPE {
            return self.escapes.next().map_or(0, read::<W>);
        }
        let expected = self.predictor.of_base(magnitude::<W>(base)).wrapping_add(expected);
        let (distance, sign) = self.form.distance(symbol, self.fields.next());
        let sign = self.form.sign::<W>(sign << (8 * W - 1), base);
        magnitude::<W>(distance.wrapping_add(expected) as u64) | sign << (8 * W - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chunk that was put together by hand from `docs/format.md`.
    #[test]
    fn the_layout_is_that_of_the_format() {
        let section = |bytes: &[u8]| [&[0], &(bytes.len() as u32).to_le_bytes()[..], bytes].concat();
        let predictor = [&[0][..], &1000i64.to_le_bytes(), &[3], &2u32.to_le_bytes()].concat();
        let offsets = [section(&[0, 1, 0xff]), section(&[0, 2])].concat();
        // Distances 5, -3 (negative), an escape, 40 and 0, in steps of 16.
        let fields = (5u32 | (13 | 16) << 5 | 8 << 10).to_le_bytes();
        let symbols = section(&[128, 127, 0, 130, 128]);
        let escape = [&[0x82], &section(&[0xfe])[..], &section(&[0xff])].concat();
        let head = [&[2, 0, 4][..], &1u32.to_le_bytes()].concat();
        let stored = [&head, &predictor, &offsets, &fields[..3], &symbols, &escape].concat();
        let mut raw = [0; 10];
        assert_eq!(decode_into(&stored, None, &mut raw), Some(()));
        let expected = [1005u16, 1013 | 0x8000, 0x7fff, 1064, 992];
        assert_eq!(raw, *expected.map(u16::to_le_bytes).as_flattened());

        // The same with half of a base, and signs relative to it.
        let mut related = stored.clone();
        related[1] = RELATIVE_SIGN;
        related[HEAD] = 8;
        let base = [3u16 | 0x8000, 200 | 0x8000, 7, 0, 1].map(u16::to_le_bytes);
        assert_eq!(decode_into(&related, Some(base.as_flattened()), &mut raw), Some(()));
        let expected = [1006u16 | 0x8000, 1113, 0x7fff, 1064, 992];
        assert_eq!(raw, *expected.map(u16::to_le_bytes).as_flattened());
    }
}
