//! A model of RustGPT as JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle_fuzz::read_rustgpt;

fuzz_target!(|data: &[u8]| read_rustgpt(data));
