//! An HDF5 snapshot of the original cascade-correlation program.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle_cascor::snapshot;
use rekindle_formats::files;

fuzz_target!(|data: &[u8]| {
    let path = std::env::temp_dir().join(format!("rekindle-fuzz-snapshot-{}", std::process::id()));
    files::write(&path, data).expect("a temporary file can be written");
    let _ = snapshot::read(&path);
});
