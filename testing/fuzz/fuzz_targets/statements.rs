//! Statements of first-order logic. What is read is the same when it is printed and read again, and every token has a place.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle_reason::syntax::{Spelling, Written, parse, tokens};
use rekindle_reason::tree::{Prefix, tree};
use rekindle_reason::{Knowledge, Symbols};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = Symbols::from_yaml(text);
    if let Ok(tokens) = tokens(text) {
        let mut prefix = Prefix::default();
        for spanned in &tokens {
            let place = prefix.push(&spanned.token);
            assert_eq!(place.path.len(), place.depth);
        }
    }
    if let Ok(formula) = parse(text) {
        for spelling in [Spelling::Ascii, Spelling::Unicode] {
            let printed = Written { what: &formula, spelling }.to_string();
            assert_eq!(parse(&printed).as_ref(), Ok(&formula), "{printed}");
        }
        tree(text).expect("a formula has a tree");
    }
    if let Ok(knowledge) = Knowledge::parse(text) {
        let printed: String = knowledge.statements().iter().map(|statement| format!("{statement}\n")).collect();
        let again = Knowledge::parse(&printed).expect("what was printed is read");
        assert_eq!((&again, again.digest()), (&knowledge, knowledge.digest()));
    }
});
