//! A `.rekindle` file: as it is, or with the hash of its table made good.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle::Hash;
use rekindle_fuzz::{read_format, take_u8, take_u16};

fuzz_target!(|data: &[u8]| {
    let mut input = data;
    if take_u8(&mut input) % 2 == 0 {
        let len = take_u16(&mut input).min(input.len());
        let table = &input[input.len() - len..];
        let end = [&(len as u64).to_le_bytes()[..], &Hash::of(table).0].concat();
        read_format("checkpoint file", &[b"RKFILE\0\x01", input, &end].concat());
    } else {
        read_format("checkpoint file", input);
    }
});
