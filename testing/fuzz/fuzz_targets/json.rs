//! A JSON file of a checkpoint.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle_fuzz::read_format;

fuzz_target!(|data: &[u8]| read_format("JSON", data));
