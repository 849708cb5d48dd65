//! A table as CSV or NPY. What is read is read again from what is written as CSV.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle_formats::table::Table;

fuzz_target!(|data: &[u8]| {
    let _ = Table::parse(data);
});
