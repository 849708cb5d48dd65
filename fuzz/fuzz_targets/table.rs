//! A table as CSV or NPY.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle_formats::{files, table::Table};

fuzz_target!(|data: &[u8]| {
    let path = std::env::temp_dir().join(format!("rekindle-fuzz-table-{}", std::process::id()));
    files::write(&path, data).expect("a temporary file can be written");
    if let Ok(table) = Table::read(&path) {
        assert!(!table.columns().is_empty());
        let _ = table.to_csv();
    }
});
