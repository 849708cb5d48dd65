//! A safetensors file: as it is, or with a length of its header that fits the file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle_fuzz::{read_format, take_u8, take_u16};

fuzz_target!(|data: &[u8]| {
    let mut input = data;
    if take_u8(&mut input) % 2 == 0 {
        let len = take_u16(&mut input).min(input.len()) as u64;
        read_format("safetensors", &[&len.to_le_bytes(), input].concat());
    } else {
        read_format("safetensors", input);
    }
});
