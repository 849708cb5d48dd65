//! zstd frames, with contexts that each thread keeps.

use std::cell::RefCell;

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::{CParameter, ParamSwitch};

/// zstd's fastest positive level; higher ones gain little on numbers.
const LEVEL: i32 = 1;
/// A level so low that hardly any repetition is looked for.
const ENTROPY_LEVEL: i32 = -50;

struct Contexts {
    compress: Option<Compressor<'static>>,
    entropy: Option<Compressor<'static>>,
    decompress: Option<Decompressor<'static>>,
}

thread_local! {
    static CONTEXTS: RefCell<Contexts> =
        const { RefCell::new(Contexts { compress: None, entropy: None, decompress: None }) };
}

/// A frame of `bytes`; `None` when zstd has no memory.
pub(super) fn compress(bytes: &[u8]) -> Option<Vec<u8>> {
    CONTEXTS.with_borrow_mut(|contexts| {
        if contexts.compress.is_none() {
            contexts.compress = Compressor::new(LEVEL).ok();
        }
        contexts.compress.as_mut()?.compress(bytes).ok()
    })
}

/// A frame of `bytes` that uses how often each value comes, and hardly any repetition: twice as
/// fast as [`compress`], and smaller where there is none.
pub(super) fn compress_entropy(bytes: &[u8]) -> Option<Vec<u8>> {
    CONTEXTS.with_borrow_mut(|contexts| {
        if contexts.entropy.is_none() {
            let mut compressor = Compressor::new(ENTROPY_LEVEL).ok()?;
            let huffman = CParameter::LiteralCompressionMode(ParamSwitch::Enable);
            compressor.set_parameter(huffman).ok()?;
            contexts.entropy = Some(compressor);
        }
        contexts.entropy.as_mut()?.compress(bytes).ok()
    })
}

/// The share of its size that a frame of `bytes` would have.
pub(super) fn share(bytes: &[u8]) -> f64 {
    compress(bytes).map_or(1.0, |frame| frame.len() as f64 / bytes.len().max(1) as f64)
}

/// Fills `raw` with the content of a frame, which must have just that length.
pub(super) fn decompress_into(frame: &[u8], raw: &mut [u8]) -> Option<()> {
    CONTEXTS.with_borrow_mut(|contexts| {
        if contexts.decompress.is_none() {
            contexts.decompress = Decompressor::new().ok();
        }
        let len = contexts.decompress.as_mut()?.decompress_to_buffer(frame, raw).ok()?;
        (len == raw.len()).then_some(())
    })
}
