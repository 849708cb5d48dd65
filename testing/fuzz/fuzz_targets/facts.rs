//! Facts that are kept, as JSON: whatever they are, they are checked or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle_reason::FactCache;

fuzz_target!(|data: &[u8]| {
    if let Ok(cache) = serde_json::from_slice::<FactCache>(data) {
        let _ = cache.verify();
    }
});
