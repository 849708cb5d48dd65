//! The container of later versions of RustGPT: as it is, or around a model, with its checksum made good.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle_fuzz::{read_rustgpt, take_u8};
use sha2::{Digest, Sha256};

fuzz_target!(|data: &[u8]| {
    let mut input = data;
    let form = match take_u8(&mut input) % 4 {
        0 => return read_rustgpt(input),
        1 => "",
        2 => r#""data_format": "json", "#,
        _ => r#""data_format": "bincode2", "#,
    };
    let sum: String = Sha256::digest(input).iter().map(|byte| format!("{byte:02x}")).collect();
    let container = format!(
        r#"{{"version": 2, "checksum": "{sum}", {form}"data": {input:?}, "metadata": {{"architecture": "fuzz"}}}}"#
    );
    read_rustgpt(container.as_bytes());
});
