//! A commit record: as it is, and with its seal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle_fuzz::{examine, examine_repair, record_name, run_of_nothing, seal};

fuzz_target!(|data: &[u8]| {
    for bytes in [data.to_vec(), seal(data)] {
        let mut objects = run_of_nothing();
        objects.insert(record_name(), bytes);
        examine(objects.clone());
        examine_repair(objects);
    }
});
