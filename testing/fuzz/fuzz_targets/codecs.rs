//! Stored bytes of every codec, with a base and a length that have nothing to do with them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle::tree::state_hash;
use rekindle::{Hash, Tree};
use rekindle_fuzz::{Chunk, examine, examine_repair, pack, run, take_u8, take_u16};

fuzz_target!(|data: &[u8]| {
    let mut input = data;
    let choice = take_u8(&mut input);
    let codec = 1 + choice % 7;
    let raw_len = take_u16(&mut input);
    let base_len = take_u16(&mut input);
    let (seed, stored) = input.split_at((choice as usize / 8).min(input.len()));
    let base_len = if choice / 7 % 2 == 0 { raw_len.max(stored.len()) } else { base_len };
    let base: Vec<u8> = seed.iter().chain(&[1]).copied().cycle().take(base_len).collect();
    let base = Chunk::raw(&base);
    let chunk = Chunk {
        id: Hash::of(data),
        raw_len: raw_len.max(stored.len()) as u32,
        codec,
        stored: stored.to_vec(),
        base: matches!(codec, 4 | 5 | 7).then_some(base.id),
    };
    let objects = run(chunk.id, state_hash(&Tree::Null), [pack(&[base, chunk])]);
    examine(objects.clone());
    examine_repair(objects);
});
