//! Sentences. What is read has the same statements when they are printed and read again, and a verdict that can be shown.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle_fuzz::reason;
use rekindle_reason::read::Format;

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(document) = Format::English.read(text)
    {
        reason(document);
    }
});
