//! Vocabularies of tokens: made, used and measured.

use std::io::Write;
use std::process::Stdio;

use crate::common::{Outcome, World, outcome};
use serde_json::Value;

const STORY: &str = "The quick brown fox jumps over the lazy dog. The quick dog sleeps; the fox is quick.\n";

/// A world with a text and the vocabularies that were made of it.
fn world() -> World {
    let world = World::new();
    world.write("story.txt", STORY.repeat(20).as_bytes());
    world.ok("tokenizer build story.txt --out pairs.json --vocabulary 290 --special <|end|>");
    world
}

/// Runs a command with this on its standard input.
fn with_input(world: &World, words: &str, input: &[u8]) -> std::process::Output {
    let mut child = world.command(words).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn a_vocabulary_of_each_kind_is_made() {
    let world = world();
    world.write("more.txt", b"Another text.");
    for (kind, tokens, rest) in [
        ("byte-pairs", 291, "--vocabulary 290 --special <|end|>"),
        ("words", 270, "--vocabulary 270"),
        ("bytes", 258, "--special <|end|> --special <|user|>"),
    ] {
        let words = format!("tokenizer build story.txt more.txt --out {kind}.json --kind {kind} {rest}");
        let made = world.json(&words);
        assert_eq!(made["tokens"], tokens);
        assert_eq!(made["text_bytes"], STORY.len() * 20 + 13);
        assert_eq!(made["bytes"].as_u64().unwrap(), world.read(&format!("{kind}.json")).len() as u64);
        assert!(made["bytes_per_token"].as_f64().unwrap() >= 1.0);
        let file: Value = serde_json::from_slice(&world.read(&format!("{kind}.json"))).unwrap();
        assert_eq!(file["model"]["type"], "BPE");
    }
    let said = world.ok("tokenizer build more.txt --out small.json");
    assert!(said.contains("wrote 256 tokens to small.json"), "{said}");
    assert!(said.contains("8192 were asked for, but the text has no more to learn"), "{said}");
    assert!(said.contains("bytes a token"), "{said}");
}

#[test]
fn what_cannot_be_made_is_said_and_nothing_is_written() {
    let world = world();
    let before = world.read("pairs.json");
    world.write("empty.txt", b"");
    for (rest, expected) in [
        ("story.txt --out pairs.json", "`pairs.json` is there already; --force replaces it"),
        ("story.txt --out story.txt --force", "would be lost"),
        ("empty.txt --out x.json", "nothing to learn from: `empty.txt` is empty"),
        ("empty.txt empty.txt --out x.json", "`empty.txt`, `empty.txt` are empty"),
        ("none.txt --out x.json", "cannot read `none.txt`"),
        (". --out x.json", "`.` is a directory"),
        ("story.txt --out .", "`.` is a directory"),
        ("story.txt --out nowhere/x.json", "cannot write `nowhere/x.json`"),
        ("story.txt --out x.json --vocabulary 255", "at least 256 tokens, 255 were asked for"),
        ("story.txt --out x.json --vocabulary 9999999", "at most 1048576"),
        ("story.txt --out x.json --kind bytes --vocabulary 300", "--kind bytes has 256 tokens, not 300"),
        ("story.txt --out x.json --special a", "\"a\" cannot be a special token"),
        ("story.txt --out x.json --kind letters", "possible values: byte-pairs, words, bytes"),
        ("--out x.json", "<FILES>..."),
        ("story.txt", "--out <FILE>"),
    ] {
        let error = world.fails(2, &format!("tokenizer build {rest}"));
        assert!(error.contains(expected), "{rest}: {error}");
        assert!(!world.path("x.json").exists(), "{rest}");
    }
    assert_eq!(world.read("pairs.json"), before);
    world.ok("tokenizer build story.txt --out pairs.json --kind bytes --force");
    assert_ne!(world.read("pairs.json"), before);
}

/// What is there may be a device, which a file in its place would not be.
#[cfg(unix)]
#[test]
fn only_a_file_is_replaced() {
    let world = world();
    let socket = std::os::unix::net::UnixListener::bind(world.path("socket")).unwrap();
    let error = world.fails(2, "tokenizer build story.txt --out socket --force");
    assert!(error.contains("`socket` is not a regular file"), "{error}");
    drop(socket);
    assert!(!world.path("socket").is_file());
}

#[test]
fn a_text_comes_back() {
    let world = world();
    let ids = world.ok("tokenizer encode pairs.json story.txt");
    assert_eq!(
        with_input(&world, "tokenizer decode pairs.json", ids.as_bytes()).stdout,
        world.read("story.txt")
    );
    assert_eq!(world.ok(&format!("tokenizer decode pairs.json {ids}")), STORY.repeat(20));
    // Bytes that are no text, and half a character.
    let bytes: Vec<u8> = (0..=255).collect();
    let ids = with_input(&world, "tokenizer encode pairs.json", &bytes).stdout;
    assert_eq!(with_input(&world, "tokenizer decode pairs.json", &ids).stdout, bytes);
    assert_eq!(world.ok("tokenizer encode pairs.json --text="), "\n");
    assert_eq!(with_input(&world, "tokenizer decode pairs.json", b"").stdout, b"");
    assert_eq!(world.ok("tokenizer decode pairs.json 65,66, 290"), "AB<|end|>");
    assert_eq!(world.json("tokenizer decode pairs.json 65 226")["bytes"], Value::from(vec![65, 226]));
}

#[test]
fn the_pieces_of_a_text_are_shown() {
    let world = world();
    world.write("short.txt", b"The quick fox<|end|>\n\xff|");
    assert_eq!(
        world.ok("tokenizer encode pairs.json short.txt --show"),
        "The| quick| fox|<|end|>|\\n|\\xff|\\|\n"
    );
    let pieces = world.json("tokenizer encode pairs.json short.txt")["tokens"].clone();
    assert_eq!(pieces[1]["text"], " quick");
    assert_eq!(pieces[3], serde_json::json!({"id": 290, "text": "<|end|>"}));
    assert_eq!(pieces[5], serde_json::json!({"id": 255, "text": "\u{fffd}", "bytes": [255]}));
    assert_eq!(world.json("tokenizer encode pairs.json --text=")["tokens"], serde_json::json!([]));
}

#[test]
fn a_vocabulary_is_measured() {
    let world = world();
    world.write("other.txt", b"A dog\xff");
    let table = world.ok("tokenizer stats pairs.json story.txt other.txt");
    for expected in ["bytes/token", "together", "of 291 (", "most frequent", "\" quick\"", "longest"] {
        assert!(table.contains(expected), "{expected} is not in\n{table}");
    }
    let measured = world.json("tokenizer stats pairs.json story.txt other.txt");
    assert_eq!(measured["vocabulary"], 291);
    let other = &measured["files"][1]["use"];
    assert_eq!((&other["bytes"], &other["words"]), (&Value::from(6), &Value::from(2)));
    let whole = measured["together"]["tokens"].as_u64().unwrap();
    assert_eq!(
        measured["files"][0]["use"]["tokens"].as_u64().unwrap() + other["tokens"].as_u64().unwrap(),
        whole
    );
    let counts: Vec<u64> = measured["most_frequent"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["count"].as_u64().unwrap())
        .collect();
    assert_eq!(counts.len(), 10);
    assert!(counts.is_sorted_by(|one, next| one >= next));
    world.write("empty.txt", b"");
    let table = world.ok("tokenizer stats pairs.json empty.txt");
    assert!(table.contains("0 of 291 (0.0%)"), "{table}");
    assert_eq!(
        world.json("tokenizer stats pairs.json empty.txt")["together"]["bytes_per_token"],
        Value::Null
    );
}

#[test]
fn wrong_vocabularies_and_numbers_are_said() {
    let world = world();
    world.write("torn.json", &world.read("pairs.json")[..1000]);
    world.write("other.json", br#"{"model": {"type": "Unigram", "vocab": []}}"#);
    for (words, expected) in [
        ("encode none.json --text a", "cannot read `none.json`"),
        ("encode . --text a", "`.` is a directory"),
        ("encode torn.json --text a", "`torn.json`: the tokenizer.json cannot be read"),
        ("encode other.json --text a", "`other.json`: the tokenizer.json has \"Unigram\""),
        ("encode story.txt --text a", "`story.txt`: the tokenizer.json cannot be read"),
        ("encode pairs.json none.txt", "cannot read `none.txt`"),
        ("encode pairs.json story.txt --text a", "cannot be used with"),
        ("decode pairs.json 1 x", "`x` is not the number of a token"),
        ("decode pairs.json 99999999999", "`99999999999` is not the number of a token"),
        ("decode pairs.json 65 291", "291, at position 1, is not a token of this vocabulary"),
        ("stats pairs.json", "<FILES>..."),
        ("stats pairs.json story.txt none.txt", "cannot read `none.txt`"),
        ("", "Usage: rekindle tokenizer"),
    ] {
        let error = world.fails(2, &format!("tokenizer {words}"));
        assert!(error.contains(expected), "{words}: {error}");
    }
    let Outcome { code, stderr, .. } =
        outcome(with_input(&world, "tokenizer decode pairs.json", b"1 \x1b\xff"));
    assert_eq!(code, 2);
    assert!(stderr.contains("`\\u{1b}\\xff` is not the number of a token"), "{stderr}");
    let error = world.fails(2, "tokenizer decode pairs.json x --json");
    assert_eq!(crate::common::last_json(&error)["code"], 2);
}

/// A reader that goes away is no error.
#[test]
fn a_pipe_may_close_early() {
    let world = world();
    world.write("long.txt", STORY.repeat(20_000).as_bytes());
    for words in [
        "encode pairs.json long.txt",
        "encode pairs.json long.txt --json",
        "encode pairs.json long.txt --show",
    ] {
        let mut child = world.command(&format!("tokenizer {words}")).spawn().unwrap();
        drop(child.stdout.take());
        let Outcome { code, stderr, .. } = outcome(child.wait_with_output().unwrap());
        assert_eq!((code, stderr.as_str()), (0, ""), "{words}");
    }
}
