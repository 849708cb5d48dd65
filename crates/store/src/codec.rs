//! Codecs of chunks: as is, or zstd, whichever a sample shows to be worth it.
//!
//! A stored chunk is never larger than the raw one, and decoding never allocates more than the
//! length that the pack index states, which is bounded.

use std::borrow::Cow;

/// How the bytes of a chunk are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Codec {
    /// As they are.
    Raw,
    /// One zstd frame.
    Zstd,
}

/// zstd's level for chunks: the fastest; higher ones gain little on floats.
const LEVEL: i32 = 1;
/// Chunks from this length on are sampled before they are compressed: bytes.
const SAMPLE_FROM: usize = 64 << 10;
/// Number and length of the sampled pieces.
const SAMPLES: (usize, usize) = (4, 4 << 10);
/// Compression has to save at least one part in this many.
const WORTHWHILE: usize = 16;

impl Codec {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Raw => 0,
            Self::Zstd => 1,
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Raw),
            1 => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// The stored form of `raw` and its codec.
pub(crate) fn encode(raw: &[u8]) -> (Codec, Cow<'_, [u8]>) {
    match worth_compressing(raw).then(|| compress(raw)).flatten() {
        Some(frame) => (Codec::Zstd, Cow::Owned(frame)),
        None => (Codec::Raw, Cow::Borrowed(raw)),
    }
}

fn worth_compressing(raw: &[u8]) -> bool {
    if raw.len() < SAMPLE_FROM {
        return raw.len() >= 64;
    }
    let (count, len) = SAMPLES;
    let stride = (raw.len() - len) / (count - 1);
    let pieces = (0..count).map(|i| &raw[i * stride..i * stride + len]);
    compress(&pieces.collect::<Vec<_>>().concat()).is_some()
}

/// A zstd frame of `raw`, if it is smaller by a worthwhile part.
fn compress(raw: &[u8]) -> Option<Vec<u8>> {
    let frame = zstd::bulk::compress(raw, LEVEL).ok()?;
    (frame.len() <= raw.len() - raw.len() / WORTHWHILE).then_some(frame)
}

/// The raw bytes of a stored chunk, or `None` when it does not decode to exactly `raw_len` bytes.
/// The caller has bounded `raw_len`.
pub(crate) fn decode(codec: Codec, stored: Vec<u8>, raw_len: usize) -> Option<Vec<u8>> {
    let raw = match codec {
        Codec::Raw => stored,
        Codec::Zstd => zstd::bulk::decompress(&stored, raw_len).ok()?,
    };
    (raw.len() == raw_len).then_some(raw)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn noise_stays_raw_and_zeros_shrink() {
        let mut state = 1u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .take(100_000)
        .collect();
        assert_eq!(encode(&noise).0, Codec::Raw);
        let (codec, stored) = encode(&[0; 100_000]);
        assert_eq!(codec, Codec::Zstd);
        assert!(stored.len() < 1000);
    }

    #[test]
    fn a_bomb_is_cut_off_at_the_stated_length() {
        let bomb = zstd::bulk::compress(&vec![0; 1 << 20], 1).unwrap();
        assert_eq!(decode(Codec::Zstd, bomb, 100), None);
    }

    proptest! {
        #[test]
        fn round_trip(raw in proptest::collection::vec(0u8..4, 0..3000)) {
            let (codec, stored) = encode(&raw);
            prop_assert!(stored.len() <= raw.len());
            prop_assert_eq!(decode(codec, stored.into_owned(), raw.len()), Some(raw));
        }
    }
}
