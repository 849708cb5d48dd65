//! Files of the formats that can be imported, each with a lie.

#![allow(clippy::disallowed_methods, reason = "the harness makes the files that are imported")]

use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use rekindle::Hash;
use rekindle_formats::{FORMATS, detect};

use super::runs::{Objects, run_of_nulls};

/// A file with a lie.
pub struct HostileFile {
    /// What is wrong with it.
    pub name: String,
    ending: &'static str,
    pub bytes: Vec<u8>,
}

impl HostileFile {
    /// Puts it on the disk.
    pub fn write(&self, dir: &Path) -> Result<PathBuf, String> {
        let path = dir.join(format!("hostile{}", self.ending));
        std::fs::write(&path, &self.bytes).map_err(|error| error.to_string())?;
        Ok(path)
    }
}

/// Nothing is read from the file, and the reason names it.
pub fn is_refused(path: &Path) -> Result<(), String> {
    match detect(FORMATS, path).and_then(|format| format.read(path)) {
        Ok(_) => Err("it was read".to_owned()),
        Err(error) if error.to_string().len() < 20 => Err(format!("it was refused with `{error}` only")),
        Err(_) => Ok(()),
    }
}

/// All of them.
pub fn all() -> Vec<HostileFile> {
    let mut all = Vec::new();
    let mut add = |kind: &str, ending, name: &str, bytes| {
        all.push(HostileFile { name: format!("{kind}: {name}"), ending, bytes });
    };
    archives().into_iter().for_each(|(name, bytes)| add("checkpoint file", ".rekindle", name, bytes));
    safetensors().into_iter().for_each(|(name, bytes)| add("safetensors", ".safetensors", name, bytes));
    json().into_iter().for_each(|(name, text)| add("JSON", ".json", name, text.into_bytes()));
    gzipped().into_iter().for_each(|(name, bytes)| add("gzipped JSON", ".json.gz", name, bytes));
    for (name, bytes) in [("empty", vec![]), ("one byte", vec![b'{']), ("zeros", vec![0; 100_000])] {
        add("a file", ".bin", name, bytes);
    }
    all
}

/// An archive with these bytes as its table.
fn archive_with(content: &[u8], table: &[u8]) -> Vec<u8> {
    let length = (table.len() as u64).to_le_bytes();
    [b"RKFILE\0\x01", content, table, &length, &Hash::of(table).0].concat()
}

/// An archive of these objects.
pub fn archive(objects: &Objects) -> Vec<u8> {
    let entries: Vec<_> =
        objects.iter().map(|(name, bytes)| serde_json::json!({"name": name, "len": bytes.len()})).collect();
    let content: Vec<u8> = objects.values().flatten().copied().collect();
    archive_with(&content, serde_json::Value::from(entries).to_string().as_bytes())
}

fn archives() -> Vec<(&'static str, Vec<u8>)> {
    let many: Vec<String> = (0..20_000).map(|i| format!("{{\"name\":\"packs/{i}\",\"len\":0}}")).collect();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let mut cut = archive(&run_of_nulls(10));
    cut.truncate(cut.len() - 9);
    let mut long = archive_with(b"", b"[]");
    let at = long.len() - 40;
    long[at..at + 8].fill(0xff);
    vec![
        ("only its first bytes", b"RKFILE\0\x01".to_vec()),
        ("a table of 2^64 - 1 bytes", long),
        ("a table of nonsense", archive_with(b"", b"nonsense")),
        ("a table 100,000 deep", archive_with(b"", deep.as_bytes())),
        ("an empty table", archive_with(b"", b"[]")),
        ("a name twice", archive_with(b"ab", br#"[{"name":"a","len":1},{"name":"a","len":1}]"#)),
        ("a length beyond the file", archive_with(b"", br#"[{"name":"rekindle.json","len":1000}]"#)),
        ("a length of 2^64 - 1", archive_with(b"", br#"[{"name":"a","len":18446744073709551615}]"#)),
        (
            "lengths that wrap",
            archive_with(b"ab", br#"[{"name":"a","len":9},{"name":"b","len":18446744073709551609}]"#),
        ),
        ("a negative length", archive_with(b"", br#"[{"name":"a","len":-1}]"#)),
        ("bytes of no object", archive_with(b"abcdef", br#"[{"name":"a","len":1}]"#)),
        ("a name that leads out", archive_with(b"x", br#"[{"name":"../x","len":1}]"#)),
        ("an absolute name", archive_with(b"x", br#"[{"name":"/etc/x","len":1}]"#)),
        ("20,000 objects of no bytes", archive_with(b"", format!("[{}]", many.join(",")).as_bytes())),
        ("cut off", cut),
        ("a list of 200,000 nulls in a few bytes", archive(&run_of_nulls(200_000))),
        ("a list of 4,000,000 nulls in a few bytes", archive(&run_of_nulls(4_000_000))),
    ]
}

fn safetensors() -> Vec<(&'static str, Vec<u8>)> {
    let file = |header: &str, data: usize| {
        let length = (header.len() as u64).to_le_bytes();
        [&length, header.as_bytes(), &vec![0; data]].concat()
    };
    let tensor =
        |shape: &str, offsets: &str| format!(r#"{{"dtype":"F32","shape":{shape},"data_offsets":{offsets}}}"#);
    let one =
        |shape: &str, offsets: &str, data| file(&format!(r#"{{"a":{}}}"#, tensor(shape, offsets)), data);
    let two = |first: &str, second: &str, data| {
        file(&format!(r#"{{"a":{},"b":{}}}"#, tensor("[2]", first), tensor("[2]", second)), data)
    };
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let many: Vec<String> = (0..20_000).map(|i| format!("\"t{i}\":{}", tensor("[1]", "[0,4]"))).collect();
    let inside = |text: &str| file(&format!(r#"{{"__metadata__":{{"rekindle":{text}}}}}"#), 0);
    let mut huge = 99_999_999u64.to_le_bytes().to_vec();
    huge.extend(b"{}");
    vec![
        ("a header of 100 MB in 10 bytes", huge),
        ("tensors that overlap", two("[0,8]", "[4,12]", 12)),
        ("a hole between tensors", two("[0,8]", "[12,20]", 20)),
        ("twice the same bytes", two("[0,8]", "[0,8]", 8)),
        ("a tensor beyond the file", one("[4]", "[0,16]", 8)),
        ("a tensor at 2^64 - 1", one("[1]", "[18446744073709551611,18446744073709551615]", 8)),
        ("bytes of no tensor", one("[1]", "[0,4]", 8)),
        ("a shape of other size", one("[3]", "[0,8]", 8)),
        ("an absurd shape", one("[4294967296,4294967296,4]", "[0,8]", 8)),
        ("a shape that wraps to its size", one("[9223372036854775808,2]", "[0,0]", 0)),
        ("offsets that go back", one("[2]", "[8,0]", 8)),
        ("a negative shape", one("[-1]", "[0,4]", 4)),
        ("an unknown type", file(r#"{"a":{"dtype":"F7","shape":[1],"data_offsets":[0,4]}}"#, 4)),
        ("no JSON", file("{nonsense", 0)),
        ("a header 100,000 deep", file(&deep, 0)),
        ("20,000 tensors at one place", file(&format!("{{{}}}", many.join(",")), 4)),
        ("a state of nothing", inside("\"{}\"")),
        ("a state that is not JSON", inside("\"{{{\"")),
        ("a state 50,000 deep", inside(&format!("\"{}\"", "[".repeat(50_000)))),
        ("metadata that are numbers", file(r#"{"__metadata__":{"a":1}}"#, 0)),
        ("metadata that are a list", file(r#"{"__metadata__":[]}"#, 0)),
    ]
}

/// A JSON file with that state.
pub fn json_with(state: &str) -> String {
    let zeros = "0".repeat(64);
    let header = format!(
        r#"{{"step":1,"state_hash":"{zeros}","system":"","schema":null,"metrics":{{}},"config":null,"environment":{{}},"changes":[],"history":[]}}"#
    );
    format!(r#"{{"rekindle": 1, "checkpoint": {header}, "state": {state}}}"#)
}

fn json() -> Vec<(&'static str, String)> {
    let states = [
        ("an array shorter than its shape", r#"{"$array": "f32", "shape": [3], "data": [1, 2]}"#),
        (
            "a shape beyond all numbers",
            r#"{"$array": "f32", "shape": [18446744073709551615, 8], "data": []}"#,
        ),
        ("a shape of 10^18", r#"{"$array": "u8", "shape": [1000000000000000000], "data": []}"#),
        ("a negative shape", r#"{"$array": "u8", "shape": [-1], "data": []}"#),
        ("an element out of range", r#"{"$array": "u8", "shape": [1], "data": [256]}"#),
        ("an element that is a text", r#"{"$array": "u8", "shape": [1], "data": ["x"]}"#),
        ("an unknown element type", r#"{"$array": "f7", "shape": [1], "data": [1]}"#),
        ("a number out of range", r#"{"$u8": 256}"#),
        ("a negative count", r#"{"$u64": -1}"#),
        ("a number of 400 digits", r#"{"$f64": 1e400}"#),
        ("two characters", r#"{"$char": "ab"}"#),
        ("an unknown mark", r#"{"$strange": 1}"#),
        ("a key twice", r#"{"$map": [[{"$u8": 1}, null], [{"$u8": 1}, null]]}"#),
        ("a key that is a list", r#"{"$map": [[[], null]]}"#),
        ("a map of no pairs", r#"{"$map": [1]}"#),
        ("a variant of no name", r#"{"$variant": 1, "content": null}"#),
        ("a number of no type", "5"),
        ("another state than its hash", "null"),
        ("half a character", r#""\ud800""#),
    ];
    let mut all: Vec<_> = states.map(|(name, state)| (name, json_with(state))).into();
    let deep = |open: &str, close: &str| format!("{}null{}", open.repeat(100_000), close.repeat(100_000));
    all.push(("lists 100,000 deep", json_with(&deep("[", "]"))));
    all.push(("structs 100,000 deep", json_with(&deep("{\"a\":", "}"))));
    all.push(("options 100,000 deep", json_with(&deep("{\"$some\":", "}"))));
    all.push(("a list of 100,000 nulls", json_with(&format!("[{}null]", "null,".repeat(100_000)))));
    all.push(("a number of 1 MB", json_with(&format!("{{\"$u64\": {}}}", "9".repeat(1 << 20)))));
    all.push(("no state", r#"{"rekindle": 1}"#.to_owned()));
    all.push(("cut off", json_with("null").split_at(200).0.to_owned()));
    all.push(("another version", r#"{"rekindle": 999, "new": true}"#.to_owned()));
    all
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(text).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}

fn gzipped() -> Vec<(&'static str, Vec<u8>)> {
    let mut cut = gzip(json_with(&format!("[{}null]", "null,".repeat(1000))).as_bytes());
    cut.truncate(cut.len() / 2);
    let mut garbled = gzip(json_with("null").as_bytes());
    let middle = garbled.len() / 2;
    garbled[middle] ^= 0xff;
    let spaces = format!("{{\"rekindle\": {}1}}", " ".repeat(4 << 20));
    let zeros = format!("{{\"$array\": \"u8\", \"shape\": [1], \"data\": [{}0]}}", "0,".repeat(2 << 20));
    let nulls = format!("[{}null]", "null,".repeat(1 << 20));
    vec![
        ("cut off", cut),
        ("garbled", garbled),
        ("4 MiB of spaces in a few bytes", gzip(spaces.as_bytes())),
        ("2,000,000 elements in a few bytes", gzip(json_with(&zeros).as_bytes())),
        ("1,000,000 nulls in a few bytes", gzip(json_with(&nulls).as_bytes())),
        ("gzip within gzip", gzip(&gzip(json_with("null").as_bytes()))),
        ("a state that is not its hash's", gzip(json_with("null").as_bytes())),
    ]
}
