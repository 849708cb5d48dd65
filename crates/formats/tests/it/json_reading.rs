//! JSON that other programs have written anew: keys in another order, keys twice; and what is said
//! of a file that cannot be understood.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests look at files directly")]

use rekindle::tree::{Array, DType, Scalar, state_hash};
use rekindle::{Node, Tree};
use rekindle_formats::{FORMATS, detect};

fn read(state: &str, hash: &str) -> Result<Tree, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.json");
    let header = format!(
        r#"{{"step":1,"state_hash":"{hash}","system":"","schema":null,"metrics":{{}},"config":null,"environment":{{}},"changes":[],"history":[]}}"#
    );
    std::fs::write(&path, format!("{{\"rekindle\": 1, \"state\":\n{state}\n, \"checkpoint\": {header}}}"))
        .unwrap();
    let document = detect(FORMATS, &path).and_then(|format| format.read(&path));
    document.map(|document| document.tree).map_err(|error| error.to_string())
}

fn reads_as(state: &str, tree: &Tree) {
    assert_eq!(read(state, &state_hash(tree).to_string()).as_ref(), Ok(tree), "{state}");
}

fn bytes(data: &[u8]) -> Tree {
    Node::Array(Array::new(DType::U8, vec![data.len() as u64], data.to_vec()).unwrap())
}

#[test]
fn sorted_keys_are_read() {
    reads_as(r#"{"$array": "u8", "data": [1, 2, 3], "shape": [3]}"#, &bytes(&[1, 2, 3]));
    let variant = Node::Variant("A".to_owned(), Box::new(Node::Null));
    reads_as(r#"{"$variant": "A", "content": null}"#, &variant);
}

#[test]
fn of_a_key_that_stands_twice_the_last_counts() {
    let two = Node::Scalar(Scalar::U8(2));
    reads_as(r#"{"$u8": 1, "$u8": 2}"#, &two);
    reads_as(r#"{"$u8": 2, "note": [1]}"#, &two);
    reads_as(r#"{"$array": "u8", "shape": [1], "data": [7], "data": [9]}"#, &bytes(&[9]));
    let fields = Node::Struct(vec![("$b".to_owned(), Node::Null), ("a".to_owned(), two)]);
    reads_as(r#"{"a": true, "$$b": null, "a": {"$u8": 2}}"#, &fields);
}

#[test]
fn half_precision_rounds_once_from_what_stands_there() {
    let data = [0x3c00u16, 0x8000, 0x7e01, 0xfc00].iter().flat_map(|bits| bits.to_le_bytes()).collect();
    let halves = Node::Array(Array::new(DType::F16, vec![4], data).unwrap());
    reads_as(r#"{"$array": "f16", "shape": [4], "data": [1, -0.0, "nan:7e01", "-inf"]}"#, &halves);
}

#[test]
fn an_error_says_where() {
    for (state, wanted) in [
        (r#"{"a": [null, {"$u8": 256}]}"#, "entry `a.1`: 256 is not a value of type u8 at line 2 column"),
        (r#"{"a": [null, {"$u8": 1]}"#, "entry `a.1`: expected `,` or `}` at line 2 column"),
        (
            r#"{"$array": "u8", "shape": [2], "data": [1, -1]}"#,
            "-1 is not an element of type u8 at line 2 column",
        ),
        (r#"{"$array": "u8", "shape": [2], "data": [1, null]}"#, "null, expected an element of an array"),
        (r#"{"$array": "u8", "shape": [2], "data": [1, 2, 3]}"#, "its data are longer at line 2 column"),
        (r#"{"$array": "u8", "shape": [2], "data": [1]}"#, "u8[2] takes 2 bytes, but 1 are there"),
        (r#"{"shape": [2], "$array": "u8"}"#, "entry `shape.0`: the number 2 has no type"),
        (r#"{"x": true, "$u8": 5}"#, "`$u8` must be the first key of its object"),
        (r#"{"$u8": 5, "$i8": 5}"#, "an object has both `$u8` and `$i8`"),
        (r#"{"$map": [["k", {"$strange": 1}]]}"#, "entry `k`: `$strange` is not a type"),
        (r#"{"$map": [["k", null, null]]}"#, "an entry of a map is not a pair"),
        (r#"{"$tensor": "a"}"#, "there is no tensor `a`"),
        (r#"{"$variant": "A"}"#, "a variant has no content"),
        ("5", "entry `(whole state)`: the number 5 has no type at line"),
    ] {
        let message = read(state, &"0".repeat(64)).unwrap_err();
        assert!(message.contains("JSON") && message.contains(wanted), "{state}: {message}");
    }
}
