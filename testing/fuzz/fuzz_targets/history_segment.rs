//! Segments of the metrics history, with an empty line between them. Each can refer to those before
//! it, and to one that is not there; the last is the newest.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle::Hash;
use rekindle_fuzz::{examine, examine_repair, record, record_name, run_of_nothing, with_references};

fuzz_target!(|data: &[u8]| {
    let mut objects = run_of_nothing();
    let mut names = vec![format!("metrics/{:012}-{}.jsonl", 9, Hash([0; 32])).into_bytes()];
    let text = String::from_utf8_lossy(data);
    for (step, segment) in (1..9).zip(text.split("\n\n")) {
        let bytes = with_references(segment.as_bytes(), &names);
        let name = format!("metrics/{step:012}-{}.jsonl", Hash::of(&bytes));
        names.push(name.clone().into_bytes());
        objects.insert(name, bytes);
    }
    let last = String::from_utf8_lossy(names.last().expect("there is one")).into_owned();
    let (root, state) = (Hash::of(&[0]), rekindle::tree::state_hash(&rekindle::Tree::Null));
    objects.insert(record_name(), record(root, state, Some(&last)));
    examine(objects.clone());
    examine_repair(objects);
});
