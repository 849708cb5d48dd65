//! A gzipped JSON file of a checkpoint: as it is, or compressed here.
#![no_main]

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use libfuzzer_sys::fuzz_target;
use rekindle_fuzz::{read_format, take_u8};

fuzz_target!(|data: &[u8]| {
    let mut input = data;
    if take_u8(&mut input) % 2 == 0 {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(input).expect("memory can be written");
        read_format("gzipped JSON", &encoder.finish().expect("memory can be written"));
    } else {
        read_format("gzipped JSON", input);
    }
});
