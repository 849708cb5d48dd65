//! Files that lie about themselves, are cut off, or are something else: each is refused with a
//! reason, and nothing large is allocated.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests look at files directly")]

use std::path::PathBuf;

use rekindle_formats::{FORMATS, detect};

fn refuse(name: &str, bytes: &[u8]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path: PathBuf = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let result = detect(FORMATS, &path).and_then(|format| format.read(&path));
    let message = result.map(|document| document.step).unwrap_err().to_string();
    assert!(message.contains(name), "{message}");
    message
}

fn safetensors(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

#[test]
fn safetensors_that_contradict_themselves() {
    let tensor =
        |shape: &str, offsets: &str| format!(r#"{{"dtype":"F32","shape":{shape},"data_offsets":{offsets}}}"#);
    let cases = [
        ("overlap", format!(r#"{{"a":{},"b":{}}}"#, tensor("[2]", "[0,8]"), tensor("[2]", "[4,12]")), 12),
        ("hole", format!(r#"{{"a":{},"b":{}}}"#, tensor("[1]", "[0,4]"), tensor("[1]", "[8,12]")), 12),
        ("beyond the file", format!(r#"{{"a":{}}}"#, tensor("[4]", "[0,16]")), 8),
        ("bytes after the end", format!(r#"{{"a":{}}}"#, tensor("[1]", "[0,4]")), 8),
        ("shape against offsets", format!(r#"{{"a":{}}}"#, tensor("[3]", "[0,8]")), 8),
        ("absurd shape", format!(r#"{{"a":{}}}"#, tensor("[4294967296,4294967296,4]", "[0,8]")), 8),
        ("backwards", format!(r#"{{"a":{}}}"#, tensor("[2]", "[8,0]")), 8),
        ("no JSON", "{nonsense".to_owned(), 0),
        ("unknown type", r#"{"a":{"dtype":"F7","shape":[1],"data_offsets":[0,4]}}"#.to_owned(), 4),
        ("reference to nothing", r#"{"__metadata__":{"rekindle":"{}"}}"#.to_owned(), 0),
    ];
    for (what, header, data) in cases {
        let message = refuse("bad.safetensors", &safetensors(&header, data));
        assert!(message.len() > 30, "{what}: {message}");
    }
    let mut huge = (99_999_999u64).to_le_bytes().to_vec();
    huge.extend_from_slice(b"{}");
    assert!(refuse("huge.safetensors", &huge).contains("99999999 bytes of 10"));
}

#[test]
fn something_unknown_names_what_is_known() {
    let message = refuse("picture.png", b"\x89PNG\r\n\x1a\n and so on");
    assert!(message.contains("no known format") && message.contains("safetensors"), "{message}");
    refuse("empty.json", b"");
    refuse("other.json", br#"{"weights": [1, 2]}"#);
}

#[test]
fn json_that_does_not_hold_what_it_says() {
    let file = |state: &str| {
        let header = r#"{"step":1,"state_hash":"0000000000000000000000000000000000000000000000000000000000000000","system":"","schema":null,"metrics":{},"config":null,"environment":{},"changes":[],"history":[]}"#;
        format!(r#"{{"rekindle": 1, "checkpoint": {header}, "state": {state}}}"#).into_bytes()
    };
    for state in [
        r#"{"$array": "f32", "shape": [3], "data": [1, 2]}"#,
        r#"{"$array": "f32", "shape": [18446744073709551615, 8], "data": []}"#,
        r#"{"$array": "u8", "shape": [1], "data": [256]}"#,
        r#"{"$u8": -1}"#,
        r#"{"$strange": 1}"#,
        r#"{"$map": [[{"$u8": 1}, null], [{"$u8": 1}, null]]}"#,
        "5",
        "null",
    ] {
        let message = refuse("bad.json", &file(state));
        assert!(message.contains("JSON") || message.contains("hash"), "{state}: {message}");
    }
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    refuse("deep.json", &file(&deep));
}

#[test]
fn a_cut_off_checkpoint_file() {
    refuse("short.rekindle", b"RKFILE\x00\x01");
    refuse("lies.rekindle", &[b"RKFILE\x00\x01".as_slice(), &[0xff; 40]].concat());
}
