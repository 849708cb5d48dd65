//! The search of a weightless language model in YAML, such as a file of the original program. The whole
//! search that comes out can be read again and is the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle_wnn::config::Search;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = str::from_utf8(data) else { return };
    if let Ok(search) = Search::from_yaml(text) {
        let whole = search.to_yaml().expect("numbers and texts can be written");
        let again = Search::from_yaml(&whole).expect("what was written can be read");
        assert_eq!(again.to_yaml().ok(), Some(whole));
    }
});
