//! A string of bytes coded the best of a few ways: how planes, masks and operations are stored
//! within a chunk.

use super::Content;
use super::rans;
use super::sample::{Histogram, Sample};
use super::zstd_frames;

const RAW: u8 = 0;
const ZSTD: u8 = 1;
const CONSTANT: u8 = 2;
const SPARSE: u8 = 3;
const RANS: u8 = 4;
const HEAD: usize = 5;

/// The share of its size that `bytes`, a sample, would have.
pub(super) fn estimate(bytes: &[u8]) -> f64 {
    plan(bytes, Entropy::Huffman).1
}

/// True when no way makes `bytes`, a sample, smaller.
pub(super) fn is_noise(bytes: &[u8]) -> bool {
    Histogram::of(bytes.iter().copied()).is_noise()
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    Raw,
    Entropy,
    Repetition,
    Sparse,
}

/// The way that promises most for `bytes`, a sample, and the share that it leaves.
fn plan(bytes: &[u8], entropy: Entropy) -> (Way, f64) {
    if bytes.iter().all(|byte| *byte == bytes[0]) {
        return (Way::Entropy, 0.0);
    }
    let histogram = Histogram::of(bytes.iter().copied());
    if histogram.is_noise() {
        return (Way::Raw, 1.0);
    }
    let alone = histogram.huffman_bits() / 8.0;
    let mut best = if alone < 0.98 { (Way::Entropy, alone) } else { (Way::Raw, 1.0) };
    if histogram.zeros() as usize * 2 > bytes.len() {
        let sparse = sparse_share(bytes, histogram.zeros() as usize);
        if sparse < best.1 {
            best = (Way::Sparse, sparse);
        }
    }
    // Where values are as frequent as each other, repetition is not looked for.
    if alone < 0.9 && entropy == Entropy::Huffman {
        let repetition = zstd_frames::share(bytes);
        if repetition < 0.95 * best.1 {
            best = (Way::Repetition, repetition);
        }
    }
    best
}

/// The share that a mask of the bytes that are not zero, and those bytes, would have.
fn sparse_share(bytes: &[u8], zeros: usize) -> f64 {
    let mask = Histogram::of(mask_of(bytes).into_iter()).huffman_bits() / 64.0;
    let present = Histogram::of(bytes.iter().copied().filter(|&byte| byte != 0));
    mask + present.huffman_bits() / 8.0 * (bytes.len() - zeros) as f64 / bytes.len() as f64
}

fn mask_of(bytes: &[u8]) -> Vec<u8> {
    let bit = |group: &[u8]| group.iter().enumerate().map(|(i, &byte)| u8::from(byte != 0) << i).sum();
    bytes.chunks(8).map(bit).collect()
}

/// Appends `bytes` in the way that a sample shows to be the best.
pub(super) fn put(bytes: &[u8], out: &mut Vec<u8>) {
    put_planned(bytes, Entropy::Huffman, true, out);
}

/// As [`put`], closer to the entropy, for bytes that do not repeat.
pub(super) fn put_close(bytes: &[u8], out: &mut Vec<u8>) {
    put_planned(bytes, Entropy::Rans, true, out);
}

/// How bytes are coded by how often each comes.
#[derive(Clone, Copy, PartialEq)]
enum Entropy {
    Huffman,
    Rans,
}

fn put_planned(bytes: &[u8], entropy: Entropy, may_be_sparse: bool, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[RAW; HEAD]);
    let mut mode = RAW;
    if let Some((&first, rest)) = bytes.split_first()
        && rest.iter().all(|byte| *byte == first)
    {
        mode = CONSTANT;
        out.push(first);
    } else if !bytes.is_empty() {
        let sample = Sample::of(bytes, Content::Bytes);
        let frame = match plan(sample.bytes(), entropy).0 {
            Way::Raw => None,
            Way::Sparse if may_be_sparse => {
                put_sparse(bytes, entropy, out);
                mode = SPARSE;
                None
            }
            Way::Entropy | Way::Sparse if entropy == Entropy::Rans => {
                rans::put(bytes, out);
                mode = RANS;
                None
            }
            Way::Repetition => zstd_frames::compress(bytes),
            Way::Entropy | Way::Sparse => zstd_frames::compress_entropy(bytes),
        };
        if let Some(frame) = frame.filter(|frame| frame.len() < bytes.len()) {
            mode = ZSTD;
            out.extend_from_slice(&frame);
        }
    }
    if mode == RAW || out.len() - start - HEAD > bytes.len() {
        mode = RAW;
        out.truncate(start + HEAD);
        out.extend_from_slice(bytes);
    }
    let len = (out.len() - start - HEAD) as u32;
    out[start] = mode;
    out[start + 1..start + HEAD].copy_from_slice(&len.to_le_bytes());
}

fn put_sparse(bytes: &[u8], entropy: Entropy, out: &mut Vec<u8>) {
    let present: Vec<u8> = bytes.iter().copied().filter(|&byte| byte != 0).collect();
    put_planned(&mask_of(bytes), entropy, false, out);
    put_planned(&present, entropy, false, out);
}

/// Takes the first section off `input` and fills `bytes` with its content, which must have just
/// that length.
pub(super) fn take(input: &mut &[u8], bytes: &mut [u8]) -> Option<()> {
    let (mode, content) = split(input)?;
    match mode {
        RAW => (content.len() == bytes.len()).then(|| bytes.copy_from_slice(content)),
        ZSTD => zstd_frames::decompress_into(content, bytes),
        CONSTANT => {
            let &[value] = content else { return None };
            bytes.fill(value);
            Some(())
        }
        SPARSE => take_sparse(content, bytes),
        RANS => rans::take(content, bytes),
        _ => None,
    }
}

fn split<'a>(input: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (&mode, rest) = input.split_first()?;
    let (len, rest) = rest.split_first_chunk()?;
    let (content, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
    *input = rest;
    Some((mode, content))
}

fn take_sparse(mut content: &[u8], bytes: &mut [u8]) -> Option<()> {
    // Only one level: neither the mask nor the values are sparse in turn.
    let mut plain = |bytes: &mut [u8]| match content.first() {
        Some(&SPARSE) | None => None,
        _ => take(&mut content, bytes),
    };
    let mut mask = vec![0; bytes.len().div_ceil(8)];
    plain(&mut mask)?;
    let count: u32 = mask.iter().map(|byte| byte.count_ones()).sum();
    if count as usize > bytes.len() {
        return None;
    }
    let mut values = vec![0; count as usize];
    plain(&mut values)?;
    let mut values = values.into_iter();
    for (position, byte) in bytes.iter_mut().enumerate() {
        let present = mask[position / 8] >> (position % 8) & 1 == 1;
        *byte = if present { values.next()? } else { 0 };
    }
    (content.is_empty() && values.next().is_none()).then_some(())
}
