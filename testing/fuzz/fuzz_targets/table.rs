//! A table as CSV or NPY.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle_formats::table::Table;
use rekindle_fuzz::with_file;

fuzz_target!(|data: &[u8]| {
    if let Ok(table) = with_file(data, Table::read) {
        assert!(!table.columns().is_empty());
        let _ = table.to_csv();
    }
});
