//! A pack: as it is, or with an end, an index and hashes that are made good.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle::tree::state_hash;
use rekindle::{Hash, Tree};
use rekindle_fuzz::{Chunk, examine, examine_repair, pack, repaired_pack, run, take_u8, take_u16};

fuzz_target!(|data: &[u8]| {
    let mut input = data;
    let mode = take_u8(&mut input);
    let (name, bytes, names) = if mode & 1 == 0 {
        let index_len = take_u16(&mut input).min(input.len());
        let (stored, index) = input.split_at(input.len() - index_len);
        repaired_pack(stored, index)
    } else {
        let name = input.last_chunk().map_or(Hash([0; 32]), |name| Hash(*name));
        (format!("packs/{name}.pack"), input.to_vec(), Vec::new())
    };
    let root = names.get(usize::from(mode >> 2)).copied().unwrap_or(Hash::of(&[0]));
    // Sometimes another pack has a good copy of the root.
    let other = (mode & 2 != 0).then(|| pack(&[Chunk::raw(&[0])]));
    let objects = run(root, state_hash(&Tree::Null), [(name, bytes)].into_iter().chain(other));
    examine(objects.clone());
    examine_repair(objects);
});
