//! A JSON file is read with no more memory than its state takes, and a small file that inflates to
//! much is refused.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests look at files directly")]

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use flate2::{Compression, write::GzEncoder};
use rekindle::storage::MemoryStorage;
use rekindle::tree::state_hash;
use rekindle::{RunOptions, Store};
use rekindle_formats::{Document, FORMATS, FormatError, detect, for_writing};
use rekindle_reliability::allocation::peak_of;
use serde::{Serialize, de::DeserializeOwned};

use crate::alone;

const MIB: usize = 1 << 20;

/// What the file holds, and the most memory that was in use beyond what was before.
fn read(path: &Path) -> (Result<Document, FormatError>, usize) {
    let format = detect(FORMATS, path).unwrap();
    peak_of(|| format.read(path))
}

fn reads_in_little_more_than(state: &(impl Serialize + DeserializeOwned), bytes: usize, name: &str) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    let storage = Arc::new(MemoryStorage::new());
    RunOptions::new().create_in(storage.clone()).unwrap().save(1, state).unwrap();
    let store = Store::open(storage).unwrap();
    let checkpoint = store.checkpoint(1).unwrap();
    for_writing(FORMATS, &path).unwrap().write(&checkpoint, &path).unwrap();
    let (document, peak) = read(&path);
    assert_eq!(state_hash(&document.unwrap().tree), checkpoint.record().state_hash);
    assert!(peak <= bytes + 2 * MIB, "{name}: {peak} bytes for a state of {bytes}");
}

fn refuse(name: &str, pieces: &[(&str, usize)]) -> (String, usize) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    let mut file = GzEncoder::new(std::fs::File::create(&path).unwrap(), Compression::fast());
    let header = r#"{"step":1,"state_hash":"0000000000000000000000000000000000000000000000000000000000000000","system":"","schema":null,"metrics":{},"config":null,"environment":{},"changes":[],"history":[]}"#;
    write!(file, r#"{{"rekindle": 1, "checkpoint": {header}, "state": "#).unwrap();
    for (text, count) in pieces {
        file.write_all(text.repeat(*count).as_bytes()).unwrap();
    }
    file.write_all(b"}").unwrap();
    file.finish().unwrap();
    let (document, peak) = read(&path);
    (document.map(|document| document.step).unwrap_err().to_string(), peak)
}

#[test]
fn an_array_takes_its_own_bytes() {
    let _alone = alone();
    let noise: Vec<f32> = (0..1_250_000u32).map(|i| (i.wrapping_mul(2_654_435_761) as f32).sqrt()).collect();
    reads_in_little_more_than(&noise, 5_000_000, "x.json");
    reads_in_little_more_than(&noise, 5_000_000, "x.json.gz");
}

#[test]
fn zeros_take_what_they_hold_although_their_file_is_small() {
    let _alone = alone();
    reads_in_little_more_than(&vec![0.0f64; 1_000_000], 8_000_000, "zeros.json.gz");
}

#[test]
fn nothing_is_reserved_for_data_that_do_not_come() {
    let _alone = alone();
    let array = r#"{"$array": "f64", "shape": [100000000, 1000], "data": [1, 2]}"#;
    let (message, peak) = refuse("short.json.gz", &[(array, 1)]);
    assert!(message.contains("f64[100000000, 1000]"), "{message}");
    assert!(peak < MIB, "{peak}");
}

#[test]
fn data_longer_than_the_shape_are_refused_at_once() {
    let _alone = alone();
    let array = r#"{"$array": "u8", "shape": [3], "data": [1"#;
    let (message, peak) = refuse("long.json.gz", &[(array, 1), (",1", 4_000_000), ("]}", 1)]);
    assert!(message.contains("says 3 elements, but its data are longer at line 1 column"), "{message}");
    assert!(peak < MIB, "{peak}");
}

#[test]
fn a_small_file_cannot_inflate_to_much() {
    let _alone = alone();
    let limit = "64 MiB and 16 times the file's length";
    for (pieces, wanted) in [
        (&[("[null", 1), (",null", 4_000_000), ("]", 1)][..], "the state takes more than"),
        (&[(r#"{"a":{}"#, 1), (r#","a":{}"#, 4_000_000), ("}", 1)], "the state takes more than"),
        (&[("\"", 1), ("aaaaaaaaaaaaaaaa", 8_000_000), ("\"", 1)], "a single text"),
        (&[("{\"$u8\": ", 1), ("1111111111111111", 8_000_000), ("}", 1)], "a single text, number"),
    ] {
        let (message, peak) = refuse("bomb.json.gz", pieces);
        assert!(message.contains(wanted) && message.contains(limit), "{message}");
        assert!(peak < 256 * MIB, "{message}: {peak}");
    }
}
