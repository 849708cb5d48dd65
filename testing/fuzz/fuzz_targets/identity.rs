//! `rekindle.json`: as it is, and with its seal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle_fuzz::{examine, examine_repair, run_of_nothing, seal};

fuzz_target!(|data: &[u8]| {
    for bytes in [data.to_vec(), seal(data)] {
        let mut objects = run_of_nothing();
        objects.insert("rekindle.json".to_owned(), bytes);
        examine(objects.clone());
        examine_repair(objects);
    }
});
