//! Index nodes: pieces of the input, each of which can refer to those before it; the last is the
//! root.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rekindle::tree::state_hash;
use rekindle::{Hash, Tree};
use rekindle_fuzz::{Chunk, examine, pack, record, record_name, run, state_of, take_u16, with_references};

fuzz_target!(|data: &[u8]| {
    static LARGE: LazyLock<Chunk> = LazyLock::new(|| Chunk::compressed(&vec![0; 1 << 20]));
    let mut chunks = vec![Chunk::raw(&[0]), Chunk::raw(&[7; 1024]), LARGE.clone()];
    let mut input = data;
    let mut root = Hash::of(&[0]);
    while input.len() > 2 {
        let len = take_u16(&mut input).min(input.len());
        let (piece, rest) = input.split_at(len);
        input = rest;
        let references: Vec<_> = chunks.iter().map(|chunk| chunk.id.0.to_vec()).collect();
        let chunk = Chunk::raw(&with_references(piece, &references));
        root = chunk.id;
        chunks.push(chunk);
    }
    // ReadSnapshot it takes far longer than all the rest.
    if !data.windows(3).any(|three| three == b"@#\x02") {
        chunks.remove(2);
    }
    let mut objects = run(root, state_hash(&Tree::Null), [pack(&chunks)]);
    examine(objects.clone());
    if data.len() <= 256
        && let Some(state) = state_of(objects.clone())
    {
        objects.insert(record_name(), record(root, state, None));
        examine(objects);
    }
});
