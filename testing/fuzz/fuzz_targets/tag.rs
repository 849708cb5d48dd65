//! A tag: its name, a line break, and its object, as it is and with its seal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle_fuzz::{examine, examine_repair, run_of_nothing, seal};

fuzz_target!(|data: &[u8]| {
    let end = data.iter().position(|&byte| byte == b'\n').unwrap_or(0);
    let name = String::from_utf8_lossy(&data[..end]);
    let body = data.get(end + 1..).unwrap_or_default();
    for bytes in [body.to_vec(), seal(body)] {
        let mut objects = run_of_nothing();
        objects.insert(format!("refs/tags/{name}"), bytes);
        examine(objects.clone());
        examine_repair(objects);
    }
});
