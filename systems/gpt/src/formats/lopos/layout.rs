//! What stands where in the files.

use std::path::Path;

use flate2::Crc;
use sha2::{Digest, Sha256};

use super::super::LAYER_LIMIT;
use super::super::bytes::{Bytes, hex};
use super::super::error::ModelFileError;
use super::super::mapping::TensorMapping;
use super::super::pre_norm::PreNorm;
use super::EPSILON;
use crate::model::network::Activation;

pub(super) const MAGIC: &[u8; 5] = b"LOPOS";
/// The newest version.
pub(super) const NEWEST: u32 = 2;
/// Length of what all layouts begin with: bytes.
pub(super) const HEADER: usize = 33;
/// Matrices of version 2 begin at multiples of it: bytes.
pub(super) const ALIGNMENT: usize = 64;
/// No extent is larger.
const EXTENT_LIMIT: i32 = 1 << 24;

/// True for the first bytes of a LOPOS file.
pub fn is_lopos(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

/// How it is checked that a file is as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checksum {
    /// CRC-32 (IEEE 802.3): finds accidents.
    Crc32,
    /// SHA-256: finds any change by somebody who cannot change the sum too.
    Sha256,
}

impl Checksum {
    pub(super) const ALL: [Self; 2] = [Self::Crc32, Self::Sha256];

    pub(super) fn code(self) -> u8 {
        match self {
            Self::Crc32 => 1,
            Self::Sha256 => 2,
        }
    }

    /// Bytes.
    pub(super) fn len(self) -> usize {
        match self {
            Self::Crc32 => 4,
            Self::Sha256 => 32,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC-32",
            Self::Sha256 => "SHA-256",
        }
    }

    /// Checks that the last bytes are the checksum of those before, and gives those.
    pub(super) fn check(self, path: &Path, bytes: &[u8]) -> Result<usize, ModelFileError> {
        let end = bytes.len() - self.len();
        let mut sum = Sum::new(self);
        sum.update(&bytes[..end]);
        let (computed, stated) = (hex(&sum.finish()), hex(&bytes[end..]));
        if computed != stated {
            return Err(ModelFileError::Checksum {
                path: path.to_owned(),
                kind: self.name(),
                stated,
                computed,
            });
        }
        Ok(end)
    }
}

/// A checksum being computed.
pub(super) enum Sum {
    Crc32(Crc),
    Sha256(Sha256),
}

impl Sum {
    pub fn new(checksum: Checksum) -> Self {
        match checksum {
            Checksum::Crc32 => Self::Crc32(Crc::new()),
            Checksum::Sha256 => Self::Sha256(Sha256::new()),
        }
    }

    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc32(sum) => sum.update(bytes),
            Self::Sha256(sum) => sum.update(bytes),
        }
    }

    /// As it stands in a file.
    pub fn finish(self) -> Vec<u8> {
        match self {
            Self::Crc32(sum) => sum.sum().to_le_bytes().to_vec(),
            Self::Sha256(sum) => sum.finalize().to_vec(),
        }
    }
}

/// The extents in the header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extents {
    pub width: u64,
    pub heads: u64,
    pub layers: u64,
    pub inner: u64,
    pub vocabulary: u64,
    pub context: u64,
}

impl Extents {
    pub fn read(bytes: &mut Bytes<'_>) -> Result<Self, ModelFileError> {
        let mut extent = |name: &str, most: i32| {
            let value = bytes.u32(&|| format!("the header's {name}"))? as i32;
            if !(1..=most).contains(&value) {
                let location = format!("the header's {name}");
                return Err(ModelFileError::malformed(
                    bytes.path,
                    location,
                    value,
                    format!("1 to {most} is possible"),
                ));
            }
            Ok(value as u64)
        };
        let extents = Self {
            width: extent("width", EXTENT_LIMIT)?,
            heads: extent("number of heads", EXTENT_LIMIT)?,
            layers: extent("number of layers", LAYER_LIMIT as i32)?,
            inner: extent("inner width", EXTENT_LIMIT)?,
            vocabulary: extent("vocabulary", EXTENT_LIMIT)?,
            context: extent("context", EXTENT_LIMIT)?,
        };
        if !extents.width.is_multiple_of(extents.heads) {
            let expected = format!("it must divide the width of {}", extents.width);
            let location = "the header's number of heads";
            return Err(ModelFileError::malformed(bytes.path, location, extents.heads, expected));
        }
        Ok(extents)
    }

    pub fn of(stack: &PreNorm) -> Self {
        Self {
            width: stack.width as u64,
            heads: stack.heads.into(),
            layers: stack.blocks as u64,
            inner: stack.inner as u64,
            vocabulary: stack.vocabulary as u64,
            context: stack.context as u64,
        }
    }

    pub fn in_order(&self) -> [u64; 6] {
        [self.width, self.heads, self.layers, self.inner, self.vocabulary, self.context]
    }

    /// The stack, once the length of the file has shown that the extents are true.
    pub fn stack(&self) -> PreNorm {
        PreNorm {
            vocabulary: self.vocabulary as usize,
            context: self.context as usize,
            width: self.width as usize,
            blocks: self.layers as usize,
            heads: self.heads as u32,
            inner: self.inner as usize,
            activation: Activation::Gelu,
            epsilon: EPSILON,
            attention_biases: false,
            tied: false,
        }
    }

    /// Numbers of all matrices.
    pub fn numbers(&self) -> u128 {
        let [width, _, layers, inner, vocabulary, context] = self.in_order().map(u128::from);
        let of_layer = 4 * width * width + 2 * width * inner + inner + 5 * width;
        2 * vocabulary * width + context * width + layers * of_layer + 2 * width
    }

    pub fn matrices(&self) -> u128 {
        5 + 10 * u128::from(self.layers)
    }
}

/// The matrices in their order.
pub(super) fn mappings(stack: &PreNorm) -> Vec<TensorMapping> {
    let PreNorm { vocabulary, context, width, inner, blocks, .. } = *stack;
    let mut mappings = vec![
        TensorMapping::new("token_emb", "token_embedding", &[vocabulary, width]),
        TensorMapping::new("pos_emb", "position_embedding", &[context, width]),
    ];
    for block in 0..blocks {
        let (attention, feed_forward) =
            (format!("layers/{}/attention", 2 * block), format!("layers/{}/feed_forward", 2 * block + 1));
        let mut add = |name: &str, layer: &str, array: &str, rows: usize, columns: usize| {
            mappings.push(TensorMapping::new(
                format!("layers.{block}.{name}"),
                format!("{layer}/{array}"),
                &[rows, columns],
            ));
        };
        add("W_qkv", &attention, "joined/weight", width, 3 * width);
        add("W_o", &attention, "output/weight", width, width);
        add("W1", &feed_forward, "up/weight", width, inner);
        add("b1", &feed_forward, "up/bias", 1, inner);
        add("W2", &feed_forward, "down/weight", inner, width);
        add("b2", &feed_forward, "down/bias", 1, width);
        add("norm1.gamma", &attention, "norm/gain", 1, width);
        add("norm1.beta", &attention, "norm/bias", 1, width);
        add("norm2.gamma", &feed_forward, "norm/gain", 1, width);
        add("norm2.beta", &feed_forward, "norm/bias", 1, width);
    }
    mappings.push(TensorMapping::new(
        "final_norm.gamma",
        format!("layers/{}/norm/gain", 2 * blocks),
        &[1, width],
    ));
    mappings.push(TensorMapping::new(
        "final_norm.beta",
        format!("layers/{}/norm/bias", 2 * blocks),
        &[1, width],
    ));
    mappings.push(TensorMapping::new("W_out", "output/weight", &[width, vocabulary]).transposed());
    mappings
}

/// Length of the table of version 2: bytes.
pub(super) fn table_len(mappings: &[TensorMapping]) -> usize {
    mappings.iter().map(|location| 2 + location.name.len() + 16).sum()
}
