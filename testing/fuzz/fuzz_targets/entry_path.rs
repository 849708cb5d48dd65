//! Paths of entries, hashes and element types as text. What is read is the same when it is written
//! and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle::tree::DType;
use rekindle::{EntryPath, Hash};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = str::from_utf8(data) else { return };
    if let Ok(path) = text.parse::<EntryPath>() {
        assert!(path.is_root() || path.to_string().parse().as_ref() == Ok(&path));
    }
    if let Ok(hash) = text.parse::<Hash>() {
        assert_eq!(hash.to_string(), text);
    }
    if let Ok(dtype) = text.parse::<DType>() {
        assert_eq!(dtype.name(), text);
    }
});
