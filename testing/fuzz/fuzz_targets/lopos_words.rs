//! The words of a LOPOS file. What is read is the same when it is written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle_fuzz::with_file;
use rekindle_gpt::formats::lopos::{read_vocabulary, write_vocabulary};

fuzz_target!(|data: &[u8]| {
    with_file(data, |path| {
        let Ok(words) = read_vocabulary(path) else { return };
        if write_vocabulary(path, &words).is_ok() {
            let again = read_vocabulary(path).expect("what was written can be read");
            assert_eq!(again, words);
        }
    });
});
