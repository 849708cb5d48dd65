//! Codecs of chunks, chosen for each by measuring a sample of it.
//!
//! A stored chunk is never larger than the raw one, decoding gives exactly the bytes that were
//! encoded, and never allocates more than the length that the pack index states, which is bounded.
//! The bytes of each codec are described in `docs/format.md`, section "Codecs".

mod delta;
mod packed;
mod patch;
mod planes;
mod sample;
mod section;
mod zstd_frames;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::dtype::DType;
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
}

impl Codec {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Raw => 0,
            Self::Zstd => 1,
            Self::Planes => 2,
            Self::Packed => 3,
            Self::Delta => 4,
            Self::Patch => 5,
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        [Self::Raw, Self::Zstd, Self::Planes, Self::Packed, Self::Delta, Self::Patch]
            .into_iter()
            .find(|codec| codec.code() == code)
    }

    /// True when decoding takes the bytes of another chunk.
    pub fn has_base(self) -> bool {
        matches!(self, Self::Delta | Self::Patch)
    }
}

/// How much work a save spends on making chunks smaller. It changes no state and no hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Compresses what shrinks by a quarter or more: as fast as writing the bytes as they are. Once
    /// a run's state is known to be small, it is compressed as with [`Small`](Self::Small).
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
    /// Floats of so many bytes.
    Floats { width: usize },
}

impl Content {
    pub fn of(dtype: DType) -> Self {
        let width = dtype.size();
        match dtype {
            DType::F16 | DType::BF16 | DType::F32 | DType::F64 => Self::Floats { width },
            DType::I8 | DType::I16 | DType::I32 | DType::I64 => Self::Integers { width, signed: true },
            _ => Self::Integers { width, signed: false },
        }
    }

    fn width(self) -> usize {
        match self {
            Self::Bytes => 1,
            Self::Integers { width, .. } | Self::Floats { width } => width,
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
    /// The chunk that stood at the same place of the state before.
    Before(&'a [u8]),
    /// A chunk with parts in common.
    Similar(&'a [u8]),
}

/// Shorter chunks are stored as they are: bytes.
const ENCODE_FROM: usize = 64;

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
    let (mut codec, mut share) = best_alone(&sample, content, compression.worthwhile());
    if let Some(Base::Before(base)) = base
        && base.len() == raw.len()
    {
        let with_base = delta::estimate(&sample, &Sample::of(base, content), content);
        if with_base < 0.9 * share {
            (codec, share) = (Codec::Delta, with_base);
        }
    }
    let patch = match base {
        Some(Base::Similar(base)) => patch::encode(raw, base),
        _ => None,
    };
    let alone = (share <= compression.worthwhile()).then(|| run(codec, raw, content, base)).flatten();
    let smallest = match (alone, patch) {
        (Some(alone), Some(patch)) if patch.len() < alone.len() => Some((Codec::Patch, patch)),
        (None, Some(patch)) => Some((Codec::Patch, patch)),
        (alone, _) => alone.map(|bytes| (codec, bytes)),
    };
    match smallest {
        Some((codec, bytes)) if bytes.len() < raw.len() => (codec, Cow::Owned(bytes)),
        _ => (Codec::Raw, Cow::Borrowed(raw)),
    }
}

/// The codec without a base that promises most, and the share of the raw size that it leaves.
fn best_alone(sample: &Sample<'_>, content: Content, worthwhile: f64) -> (Codec, f64) {
    let mut best = (Codec::Planes, planes::estimate(sample, content, worthwhile));
    let mut offer = |codec, share| {
        if share < best.1 {
            best = (codec, share);
        }
        best.1
    };
    if let Content::Integers { width, signed } = content {
        offer(Codec::Packed, packed::estimate(sample, width, signed));
    }
    // Floats whose lower planes are noise hold nothing that a zstd frame could find.
    if !matches!(content, Content::Floats { .. }) || offer(Codec::Raw, 1.0) < 0.5 {
        offer(Codec::Zstd, zstd_frames::share(sample.bytes()));
    }
    best
}

fn run(codec: Codec, raw: &[u8], content: Content, base: Option<Base<'_>>) -> Option<Vec<u8>> {
    match (codec, content, base) {
        (Codec::Zstd, ..) => zstd_frames::compress(raw),
        (Codec::Planes, ..) => Some(planes::encode(raw, content)),
        (Codec::Packed, Content::Integers { width, signed }, _) => packed::encode(raw, width, signed),
        (Codec::Delta, _, Some(Base::Before(base))) => Some(delta::encode(raw, base, content)),
        _ => None,
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
    }
}

#[cfg(test)]
mod tests {
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
            Base::Before(bytes) | Base::Similar(bytes) => bytes,
        });
        let mut back = vec![0xa5; raw.len()];
        assert_eq!(decode_into(codec, &stored, bytes, &mut back), Some(()), "{codec:?}");
        assert!(back == raw, "{codec:?} {content:?} changed the bytes");
        (codec, stored.len())
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
    fn weights_are_split_into_planes() {
        let weights = gaussians(1, 1 << 18);
        let f32s: &[u8] = bytemuck::cast_slice(&weights);
        let (codec, len) = round_trip(f32s, Content::Floats { width: 4 }, None);
        assert_eq!(codec, Codec::Planes);
        assert!(len as f64 <= f32s.len() as f64 / 1.18, "{len}");
        let bf16s: Vec<half::bf16> = weights.iter().map(|&w| half::bf16::from_f32(w)).collect();
        let bf16s: &[u8] = bytemuck::cast_slice(&bf16s);
        let (codec, len) = round_trip(bf16s, Content::Floats { width: 2 }, None);
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
        let (codec, len) = round_trip(after, Content::Floats { width: 4 }, Some(Base::Before(before)));
        assert_eq!(codec, Codec::Delta);
        assert!(len < after.len() / 2, "{len}");
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
                0 => Content::Floats { width: width.max(2) },
                1 => Content::Integers { width, signed: seed % 2 == 0 },
                _ => Content::Bytes,
            };
            let raw = &raw[..raw.len() - raw.len() % 8];
            round_trip(raw, content, None);
            let mut base = raw.to_vec();
            base.iter_mut().step_by(97).for_each(|byte| *byte = byte.wrapping_add(1));
            round_trip(raw, content, Some(Base::Before(&base)));
            let turn = seed as usize % (base.len() + 1);
            base.rotate_left(turn);
            round_trip(raw, content, Some(Base::Similar(&base)));
        }

        #[test]
        fn no_stored_bytes_make_a_decoder_panic(
            code in 0u8..6,
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
