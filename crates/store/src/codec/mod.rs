//! Codecs of chunks, chosen for each by measuring a sample of it.
//!
//! A stored chunk is never larger than the raw one, decoding gives exactly the bytes that were
//! encoded, and never allocates more than the length that the pack index states, which is bounded.
//! The bytes of each codec are described in `docs/format.md`, section "Codecs".

mod bits;
mod delta;
mod fit;
mod frequencies;
mod grid;
mod packed;
mod patch;
mod planes;
mod predictor;
mod rans;
mod residual;
mod sample;
mod section;
mod zstd_frames;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::state::dtype::DType;
use crate::state::tree::ArrayType;
use fit::{Fit, Fits};
use sample::Sample;

pub(crate) use patch::features;

/// How the bytes of a chunk are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// As they are.
    Raw,
    /// One zstd frame.
    Zstd,
    /// Split by the significance of the bytes of each element, every plane coded for itself.
    Planes,
    /// Integers of a small range, in as few bits as the range takes.
    Packed,
    /// Differences, element by element, from another chunk of the same length.
    Delta,
    /// Differences, byte by byte, from another chunk along which the bytes were aligned.
    Patch,
    /// Floats, by how far their magnitudes are from what their rows and columns let expect.
    Residual,
    /// The same, where another chunk of the same length is part of what is expected.
    RelativeResidual,
}

/// All codecs, by their code.
const CODECS: [Codec; 8] = [
    Codec::Raw,
    Codec::Zstd,
    Codec::Planes,
    Codec::Packed,
    Codec::Delta,
    Codec::Patch,
    Codec::Residual,
    Codec::RelativeResidual,
];

impl Codec {
    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        CODECS.get(usize::from(code)).copied()
    }

    /// True when decoding takes the bytes of another chunk.
    pub fn has_base(self) -> bool {
        matches!(self, Self::Delta | Self::Patch | Self::RelativeResidual)
    }
}

/// How much work a save spends on making chunks smaller. It changes no state and no hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Compresses what shrinks by a quarter or more: as fast as writing the bytes as they are.
    #[default]
    Fast,
    /// Compresses whatever shrinks.
    Small,
}

impl Compression {
    /// The largest estimated share of the raw size at which chunks are encoded.
    fn worthwhile(self) -> f64 {
        match self {
            Self::Fast => 0.75,
            Self::Small => 0.97,
        }
    }
}

/// What the bytes of a chunk are, as far as codecs care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Text, index nodes, anything.
    Bytes,
    /// Integers of so many bytes.
    Integers { width: usize, signed: bool },
    /// Floats of so many bytes, in so many columns; 0 when these are not known.
    Floats { width: usize, columns: usize },
}

impl Content {
    pub fn of(kind: &ArrayType) -> Self {
        let width = kind.dtype.size();
        match kind.dtype {
            DType::F16 | DType::BF16 | DType::F32 | DType::F64 => {
                let columns = if let [_, .., columns] = kind.shape[..] { columns } else { 0 };
                Self::Floats { width, columns: usize::try_from(columns).unwrap_or(0) }
            }
            DType::I8 | DType::I16 | DType::I32 | DType::I64 => Self::Integers { width, signed: true },
            _ => Self::Integers { width, signed: false },
        }
    }

    fn width(self) -> usize {
        match self {
            Self::Bytes => 1,
            Self::Integers { width, .. } | Self::Floats { width, .. } => width,
        }
    }

    /// True when similar chunks are looked for by content: their elements are single bytes.
    pub fn takes_patches(self) -> bool {
        matches!(self, Self::Integers { width: 1, .. })
    }
}

/// A chunk that could serve as a base, with its bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Base<'a> {
    /// The chunk that stood at the same place of the state before; a difference from it is worth
    /// storing up to that share of the raw size.
    Before { bytes: &'a [u8], worth: f64 },
    /// A chunk with parts in common.
    Similar(&'a [u8]),
}

/// Shorter chunks are stored as they are: bytes.
const ENCODE_FROM: usize = 64;

/// Differences are stored that are smaller by this factor than the chunk alone: each keeps its base
/// from being deleted.
const DIFFERENCE_WORTHWHILE: f64 = 0.97;
/// Floats are predicted unless byte planes promise to be smaller by this factor: they are where
/// elements are equal, and else keep less than they promise.
const PLANES_WORTHWHILE: f64 = 0.9;
/// Of short floats planes are several times as fast, and may be larger by this factor.
const SHORT_PLANES_WORTHWHILE: f64 = 1.07;

/// The stored form of `raw` and its codec. The base is used only where that pays.
pub(crate) fn encode<'a>(
    raw: &'a [u8],
    content: Content,
    base: Option<Base<'_>>,
    compression: Compression,
) -> (Codec, Cow<'a, [u8]>) {
    if raw.len() < ENCODE_FROM || !raw.len().is_multiple_of(content.width()) {
        return (Codec::Raw, Cow::Borrowed(raw));
    }
    let sample = Sample::of(raw, content);
    let before = match base {
        Some(Base::Before { bytes, worth }) if bytes.len() == raw.len() => Some((bytes, worth)),
        _ => None,
    };
    let fits = fits(raw, before.map(|before| before.0), content, compression);
    let (alone, related) = fits.map_or((None, None), |Fits { alone, related }| (Some(alone), related));
    // Where it comes to speed, prediction takes too long for what it gains alone.
    let alone = alone.filter(|_| compression == Compression::Small);
    let mut choice = best_alone(&sample, content, compression, alone);
    if let Some((base, worth)) = before {
        let related = best_related(&sample, &Sample::of(base, content), content, related);
        if related.share < worth.min(DIFFERENCE_WORTHWHILE * choice.share) {
            choice = related;
        }
    }
    let patch = match base {
        Some(Base::Similar(base)) => patch::encode(raw, base),
        _ => None,
    };
    let worthwhile = choice.share <= compression.worthwhile();
    let alone = worthwhile.then(|| choice.run(raw, content, base)).flatten();
    let smallest = match (alone, patch) {
        (Some(alone), Some(patch)) if patch.len() < alone.len() => Some((Codec::Patch, patch)),
        (None, Some(patch)) => Some((Codec::Patch, patch)),
        (alone, _) => alone.map(|bytes| (choice.codec, bytes)),
    };
    match smallest {
        Some((codec, bytes)) if bytes.len() < raw.len() => (codec, Cow::Owned(bytes)),
        _ => (Codec::Raw, Cow::Borrowed(raw)),
    }
}

/// A codec, and the share of the raw size that it promises to leave.
struct Choice {
    codec: Codec,
    share: f64,
    /// How elements are predicted, where they are.
    fit: Option<Fit>,
}

impl Choice {
    fn new(codec: Codec, share: f64) -> Self {
        Self { codec, share, fit: None }
    }

    fn predicted(codec: Codec, fit: Fit) -> Self {
        Self { codec, share: fit.share, fit: Some(fit) }
    }

    fn run(&self, raw: &[u8], content: Content, base: Option<Base<'_>>) -> Option<Vec<u8>> {
        let before = match base {
            Some(Base::Before { bytes, .. }) => Some(bytes),
            _ => None,
        };
        match (self.codec, content) {
            (Codec::Zstd, _) => zstd_frames::compress(raw),
            (Codec::Planes, _) => Some(planes::encode(raw, content)),
            (Codec::Packed, Content::Integers { width, signed }) => packed::encode(raw, width, signed),
            (Codec::Delta, _) => Some(delta::encode(raw, before?, content)),
            (Codec::Residual, _) => Some(residual::encode(raw, None, self.fit.as_ref()?)),
            (Codec::RelativeResidual, _) => Some(residual::encode(raw, Some(before?), self.fit.as_ref()?)),
            _ => None,
        }
    }
}

/// How floats are best predicted, where that could be of use.
fn fits(raw: &[u8], base: Option<&[u8]>, content: Content, compression: Compression) -> Option<Fits> {
    match content {
        Content::Floats { width, columns } if base.is_some() || compression == Compression::Small => {
            residual::fits(raw, base, width, columns)
        }
        _ => None,
    }
}

/// The codec without a base that promises most.
fn best_alone(sample: &Sample<'_>, content: Content, compression: Compression, fit: Option<Fit>) -> Choice {
    // What planes have to be below to be chosen.
    let factor = if content.width() > 2 { PLANES_WORTHWHILE } else { SHORT_PLANES_WORTHWHILE };
    let limit = fit.as_ref().map_or(1.0, |fit| factor * fit.share);
    let planes = planes::estimate(sample, content, limit.min(compression.worthwhile()));
    let mut best = Choice::new(Codec::Planes, planes);
    let mut offer = |codec, share| {
        if share < best.share {
            best = Choice::new(codec, share);
        }
        best.share
    };
    if let Content::Integers { width, signed } = content {
        offer(Codec::Packed, packed::estimate(sample, width, signed));
    }
    // Floats whose lower planes are noise hold nothing that a zstd frame could find.
    if !matches!(content, Content::Floats { .. }) || offer(Codec::Raw, 1.0) < 0.5 {
        offer(Codec::Zstd, zstd_frames::share(sample.bytes()));
    }
    match fit {
        Some(fit) if best.share >= limit => Choice::predicted(Codec::Residual, fit),
        _ => best,
    }
}

/// The codec that promises most with a base of the same length.
fn best_related(sample: &Sample<'_>, base: &Sample<'_>, content: Content, fit: Option<Fit>) -> Choice {
    let difference = || Choice::new(Codec::Delta, delta::estimate(sample, base, content));
    match fit {
        // Differences of floats are smaller than predictions only where many are none.
        Some(fit) if !sample.has_equals(base) => Choice::predicted(Codec::RelativeResidual, fit),
        Some(fit) => {
            let difference = difference();
            let worthwhile = difference.share < PLANES_WORTHWHILE * fit.share;
            if worthwhile { difference } else { Choice::predicted(Codec::RelativeResidual, fit) }
        }
        None => difference(),
    }
}

/// Decodes a stored chunk into `raw`, whose length is that of the raw chunk; `None` when the
/// stored bytes do not make exactly that many. `base` is there when the codec has one.
pub(crate) fn decode_into(codec: Codec, stored: &[u8], base: Option<&[u8]>, raw: &mut [u8]) -> Option<()> {
    match codec {
        Codec::Raw => (stored.len() == raw.len()).then(|| raw.copy_from_slice(stored)),
        Codec::Zstd => zstd_frames::decompress_into(stored, raw),
        Codec::Planes => planes::decode_into(stored, raw),
        Codec::Packed => packed::decode_into(stored, raw),
        Codec::Delta => delta::decode_into(stored, base?, raw),
        Codec::Patch => patch::decode_into(stored, base?, raw),
        Codec::Residual => residual::decode_into(stored, None, raw),
        Codec::RelativeResidual => residual::decode_into(stored, Some(base?), raw),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Numbers from a fixed stream: xorshift.
    pub(crate) fn noise(seed: u64) -> impl Iterator<Item = u64> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        std::iter::repeat_with(move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        })
    }

    fn round_trip(raw: &[u8], content: Content, base: Option<Base<'_>>) -> (Codec, usize) {
        let (codec, stored) = encode(raw, content, base, Compression::Small);
        assert!(stored.len() <= raw.len());
        let bytes = base.map(|base| match base {
            Base::Before { bytes, .. } | Base::Similar(bytes) => bytes,
        });
        let mut back = vec![0xa5; raw.len()];
        assert_eq!(decode_into(codec, &stored, bytes, &mut back), Some(()), "{codec:?}");
        assert!(back == raw, "{codec:?} {content:?} changed the bytes");
        (codec, stored.len())
    }

    fn before_it(bytes: &[u8]) -> Base<'_> {
        Base::Before { bytes, worth: 1.0 }
    }

    fn gaussians(seed: u64, count: usize) -> Vec<f32> {
        let sum = |numbers: &[u64]| numbers.iter().map(|n| (n >> 40) as f32).sum::<f32>();
        let mut stream = noise(seed);
        let mut next = || sum(&[0; 12].map(|_: u64| stream.next().unwrap_or_default()));
        (0..count).map(|_| (next() / (1 << 24) as f32 - 6.0) * 0.02).collect()
    }

    #[test]
    fn noise_stays_raw_and_zeros_shrink() {
        let noise: Vec<u8> = noise(1).map(|n| n as u8).take(100_000).collect();
        assert_eq!(round_trip(&noise, Content::Bytes, None), (Codec::Raw, 100_000));
        assert!(round_trip(&[0; 100_000], Content::Bytes, None).1 < 1000);
    }

    #[test]
    fn weights_take_little_more_than_their_entropy() {
        let weights = gaussians(1, 1 << 18);
        let f32s: &[u8] = bytemuck::cast_slice(&weights);
        let (codec, len) = round_trip(f32s, Content::Floats { width: 4, columns: 0 }, None);
        assert_eq!(codec, Codec::Residual);
        // Of normal numbers: 26.46 of 32 bits.
        assert!(len as f64 <= f32s.len() as f64 * 0.8285, "{len}");
        let bf16s: Vec<half::bf16> = weights.iter().map(|&w| half::bf16::from_f32(w)).collect();
        let bf16s: &[u8] = bytemuck::cast_slice(&bf16s);
        let (codec, len) = round_trip(bf16s, Content::Floats { width: 2, columns: 0 }, None);
        assert_eq!(codec, Codec::Planes);
        assert!(len as f64 <= bf16s.len() as f64 / 1.45, "{len}");
    }

    #[test]
    fn small_ranges_are_packed_close_to_their_entropy() {
        for (range, limit) in [(2u64, 1.01), (3, 1.03), (5, 1.03), (10, 1.03), (64, 1.01), (100, 1.03)] {
            let values: Vec<u8> = noise(range).map(|n| (7 + n % range) as u8).take(200_000).collect();
            let (_, len) = round_trip(&values, Content::Integers { width: 1, signed: false }, None);
            let bound = values.len() as f64 * (range as f64).log2() / 8.0;
            assert!((len as f64) < bound * limit + 64.0, "range {range}: {len} of {bound}");
        }
    }

    #[test]
    fn a_step_of_training_is_stored_as_a_difference() {
        let before = gaussians(1, 1 << 17);
        let moved = before.iter().zip(noise(5)).map(|(w, n)| w + w * 1e-5 * (n % 7) as f32);
        let after: Vec<f32> = moved.collect();
        let (before, after) = (bytemuck::cast_slice(&before), bytemuck::cast_slice(&after));
        let (codec, len) =
            round_trip(after, Content::Floats { width: 4, columns: 0 }, Some(before_it(before)));
        assert_eq!(codec, Codec::RelativeResidual);
        assert!(len < after.len() / 2, "{len}");
    }

    #[test]
    fn a_few_changes_are_stored_as_differences() {
        let before = gaussians(1, 1 << 17);
        let mut after = before.clone();
        after.iter_mut().step_by(50).for_each(|weight| *weight *= 1.5);
        let (before, after) = (bytemuck::cast_slice(&before), bytemuck::cast_slice(&after));
        let content = Content::Floats { width: 4, columns: 0 };
        let (_, len) = round_trip(after, content, Some(before_it(before)));
        assert!(len < after.len() / 25, "{len}");
    }

    #[test]
    fn sizes_of_rows_and_columns_are_told_once() {
        let size = |seed: u64| {
            gaussians(seed, 500).into_iter().map(|size| (100.0 * size).exp2()).collect::<Vec<_>>()
        };
        let (rows, columns) = (size(3), size(4));
        let numbers = gaussians(5, 500 * 200);
        let squares =
            numbers.iter().enumerate().map(|(i, w)| (1.0 + w * w) * rows[i / 200] * columns[i % 200]);
        let squares: Vec<f32> = squares.collect();
        let raw: &[u8] = bytemuck::cast_slice(&squares);
        for columns in [200, 0] {
            let (codec, len) = round_trip(raw, Content::Floats { width: 4, columns }, None);
            assert_eq!(codec, Codec::Residual);
            assert!(len < raw.len() * 68 / 100, "{columns}: {len} of {}", raw.len());
        }
    }

    #[test]
    fn predictions_are_not_tried_where_it_comes_to_speed() {
        let weights = vec![1e-3f32; 1 << 10].into_iter().zip(noise(1));
        let weights: Vec<f32> = weights.map(|(w, n)| w * (1.0 + (n % 1024) as f32 * 1e-5)).collect();
        let content = Content::Floats { width: 4, columns: 0 };
        let codec = |compression| encode(bytemuck::cast_slice(&weights), content, None, compression).0;
        assert_eq!(codec(Compression::Small), Codec::Residual);
        assert_ne!(codec(Compression::Fast), Codec::Residual);
    }

    #[test]
    fn a_changed_and_shifted_copy_is_stored_as_a_patch() {
        let base: Vec<u8> = noise(1).map(|n| (n % 64) as u8).take(1 << 19).collect();
        let mut changed = Vec::new();
        for (position, (&byte, n)) in base.iter().zip(noise(9)).enumerate() {
            match n % 100 {
                0..8 => changed.push((byte + (n >> 8) as u8 % 3) % 64),
                _ => changed.push(byte),
            }
            if position % 251 == 250 {
                changed.extend([1, 2, 3, 4, 5, 6, 7].iter().take((n >> 32) as usize % 8));
            }
        }
        changed.truncate(1 << 19);
        let content = Content::Integers { width: 1, signed: false };
        assert!(features(&changed).iter().any(|feature| features(&base).contains(feature)));
        let (codec, len) = round_trip(&changed, content, Some(Base::Similar(&base)));
        assert_eq!(codec, Codec::Patch);
        assert!(len < changed.len() / 6, "{len} of {}", changed.len());
    }

    #[test]
    fn a_bomb_is_cut_off_at_the_stated_length() {
        let bomb = zstd::bulk::compress(&vec![0; 1 << 20], 1).unwrap();
        assert_eq!(decode_into(Codec::Zstd, &bomb, None, &mut [0; 100]), None);
    }

    proptest! {
        #[test]
        fn every_chunk_comes_back(
            seed in any::<u64>(),
            len in 0usize..40_000,
            range in prop_oneof![Just(1u64), Just(4), Just(1000), Just(1 << 40), Just(u64::MAX)],
            width in prop_oneof![Just(1usize), Just(2), Just(4), Just(8)],
            kind in 0..3,
        ) {
            let values = noise(seed).flat_map(|n| (n % range).to_le_bytes()[..width].to_vec());
            let raw: Vec<u8> = values.take(len * width).collect();
            let content = match kind {
                0 => Content::Floats { width: width.max(2), columns: 0 },
                1 => Content::Integers { width, signed: seed % 2 == 0 },
                _ => Content::Bytes,
            };
            let raw = &raw[..raw.len() - raw.len() % 8];
            round_trip(raw, content, None);
            let mut base = raw.to_vec();
            base.iter_mut().step_by(97).for_each(|byte| *byte = byte.wrapping_add(1));
            round_trip(raw, content, Some(before_it(&base)));
            let turn = seed as usize % (base.len() + 1);
            base.rotate_left(turn);
            round_trip(raw, content, Some(Base::Similar(&base)));
        }

        #[test]
        fn every_float_comes_back(
            seed in any::<u64>(),
            count in 16usize..6000,
            width in prop_oneof![Just(2usize), Just(4), Just(8)],
            columns in prop_oneof![Just(0usize), 2usize..300],
            special in prop_oneof![Just(1u64), Just(3), Just(100)],
            steps in 0u32..62,
        ) {
            // Infinities, NaNs with payloads, zeros of both signs, subnormal numbers, and others.
            let mut draws = noise(seed);
            let float = |(i, n): (usize, u64)| {
                let chosen = draws.next().unwrap_or(0);
                let smooth = (1.0 + (n >> 44) as f64) * (i % 7 + 1) as f64 * (i % columns.max(1) + 1) as f64;
                let value = if chosen.is_multiple_of(special) { f64::from_bits(n) } else { smooth };
                let specials = [0.0, -0.0, f64::INFINITY, f64::NAN, f64::MIN_POSITIVE / 2.0];
                let value = if chosen % (7 * special) == 1 { specials[i % 5] } else { value };
                match width {
                    2 => half::bf16::from_f64(value).to_le_bytes().to_vec(),
                    4 => ((value as f32).to_bits() ^ u32::from(chosen.is_multiple_of(31))).to_le_bytes().to_vec(),
                    _ => value.to_le_bytes().to_vec(),
                }
            };
            let raw: Vec<u8> = noise(seed ^ 1).take(count).enumerate().flat_map(float).collect();
            let content = Content::Floats { width, columns };
            round_trip(&raw, content, None);
            let nearby = |element: &[u8], n: u64| {
                let mut value = [0; 8];
                value[..width].copy_from_slice(element);
                let moved = u64::from_le_bytes(value).wrapping_add(n >> (2 + steps));
                moved.to_le_bytes()[..width].to_vec()
            };
            let base: Vec<u8> =
                raw.chunks(width).zip(noise(seed ^ 2)).flat_map(|(element, n)| nearby(element, n)).collect();
            round_trip(&raw, content, Some(before_it(&base)));
            // Whatever the choice, each prediction keeps every bit.
            if let Some(fits) = residual::fits(&raw, Some(&base), width, columns) {
                let mut back = vec![0xa5; raw.len()];
                let stored = residual::encode(&raw, None, &fits.alone);
                prop_assert_eq!(residual::decode_into(&stored, None, &mut back), Some(()));
                prop_assert!(back == raw);
                let stored = residual::encode(&raw, Some(&base), fits.related.as_ref().unwrap());
                back.fill(0xa5);
                prop_assert_eq!(residual::decode_into(&stored, Some(&base), &mut back), Some(()));
                prop_assert!(back == raw);
            }
        }

        #[test]
        fn no_damage_makes_a_decoder_panic(
            seed in any::<u64>(),
            count in 64usize..600,
            base in any::<bool>(),
            place in 0.0f64..1.0,
            byte in any::<u8>(),
            cut in any::<bool>(),
        ) {
            let values = gaussians(seed, count);
            let raw: &[u8] = bytemuck::cast_slice(&values);
            let before = base.then(|| raw.iter().map(|byte| byte ^ 1).collect::<Vec<u8>>());
            let content = Content::Floats { width: 4, columns: 16 };
            let (codec, stored) = encode(raw, content, before.as_deref().map(before_it), Compression::Small);
            // The head is where damage is the worst.
            let at = (place * place * stored.len() as f64) as usize;
            let mut stored = stored.into_owned();
            stored[at] = byte;
            stored.truncate(if cut { at } else { stored.len() });
            let _ = decode_into(codec, &stored, before.as_deref(), &mut vec![0; raw.len()]);
        }

        #[test]
        fn no_stored_bytes_make_a_decoder_panic(
            code in 0u8..8,
            stored in proptest::collection::vec(any::<u8>(), 0..300),
            len in 0usize..500,
        ) {
            if let Some(codec) = Codec::from_code(code) {
                let base = codec.has_base().then(|| vec![7; len]);
                let _ = decode_into(codec, &stored, base.as_deref(), &mut vec![0; len]);
            }
        }
    }
}
