//! A checkpoint goes out into a file and comes back: the same state hash, step, config, metrics and
//! history, whatever the format.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests look at files directly")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use rekindle::storage::MemoryStorage;
use rekindle::tree::state_hash;
use rekindle::upkeep::Depth;
use rekindle::{Run, RunOptions, Store, half};
use rekindle_formats::{FORMATS, detect, for_writing};
use serde::{Deserialize, Serialize};

const NAMES: [&str; 4] = ["x.rekindle", "x.safetensors", "x.json", "x.json.gz"];

#[derive(Serialize, Deserialize, Clone, Debug)]
struct State {
    wide: Vec<f64>,
    #[serde(with = "rekindle::array")]
    matrix: rekindle::Matrix<f32>,
    #[serde(with = "rekindle::array")]
    halves: Vec<half::f16>,
    #[serde(with = "rekindle::array")]
    brains: Vec<half::bf16>,
    flags: Vec<bool>,
    large: Vec<u64>,
    negative: Vec<i64>,
    #[serde(rename = "$odd")]
    odd: Option<Option<u8>>,
    by_name: BTreeMap<String, (u8, char)>,
    by_number: BTreeMap<i16, f32>,
    choice: Choice,
    empty: Vec<u8>,
    tail: u128,
}

#[derive(Serialize, Deserialize, Clone, Debug)]
enum Choice {
    Plain,
    Rich { rate: f32, name: String },
}

fn state(bits: &[u32]) -> State {
    let floats = || bits.iter().map(|&bits| f32::from_bits(bits));
    let mut matrix = rekindle::Matrix::zeros(bits.len(), 2);
    matrix.as_mut_slice().iter_mut().zip(floats()).for_each(|(to, from)| *to = from);
    State {
        wide: bits.iter().map(|&bits| f64::from_bits(u64::from(bits) << 32 | 7)).collect(),
        matrix,
        halves: bits.iter().map(|&bits| half::f16::from_bits(bits as u16)).collect(),
        brains: bits.iter().map(|&bits| half::bf16::from_bits((bits >> 16) as u16)).collect(),
        flags: bits.iter().map(|bits| bits & 1 == 1).collect(),
        large: bits.iter().map(|&bits| u64::MAX - u64::from(bits)).collect(),
        negative: bits.iter().map(|&bits| i64::MIN + i64::from(bits)).collect(),
        odd: Some(None),
        by_name: [("a.b".to_owned(), (1, '"')), ("$x".to_owned(), (2, 'é'))].into(),
        by_number: [(-3, f32::INFINITY), (2, -0.0)].into(),
        choice: if bits.len().is_multiple_of(2) {
            Choice::Plain
        } else {
            Choice::Rich { rate: f32::NAN, name: "line\nbreak".to_owned() }
        },
        empty: Vec::new(),
        tail: u128::MAX,
    }
}

fn saved(state: &State) -> Store {
    let storage = Arc::new(MemoryStorage::new());
    let mut run: Run = RunOptions::new().system("test").create_in(storage.clone()).unwrap();
    run.about_mut().config = serde_json::json!({"training": {"rate": 0.1}});
    run.log(41, &[("loss".to_owned(), 0.5)].into());
    run.log(42, &[("loss".to_owned(), 0.25)].into());
    run.save(42, state).unwrap();
    drop(run);
    Store::open(storage).unwrap()
}

fn check_all(state: &State, dir: &Path) {
    let store = saved(state);
    let checkpoint = store.checkpoint(42).unwrap();
    for name in NAMES {
        let path = dir.join(name);
        for_writing(FORMATS, &path).unwrap().write(&checkpoint, &path).unwrap();
        let document =
            detect(FORMATS, &path).unwrap().read(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(state_hash(&document.tree), checkpoint.record().state_hash, "{name}");
        assert_eq!((document.step, &document.about), (42, &checkpoint.record().about), "{name}");
        assert_eq!(document.history, checkpoint.history().0, "{name}");
        assert!(document.warnings.is_empty());
    }
}

#[test]
fn every_format_is_exact() {
    let dir = tempfile::tempdir().unwrap();
    let nans = [0x7fc0_0001, 0xffff_ffff, 0x7f80_0000, 0x8000_0000, 0x3f80_0000];
    check_all(&state(&nans), dir.path());
    check_all(
        &state(&(0..300_000u32).map(|i| i.wrapping_mul(2_654_435_761)).collect::<Vec<_>>()),
        dir.path(),
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_format_is_exact_for_any_bits(bits in proptest::collection::vec(any::<u32>(), 0..400)) {
        check_all(&state(&bits), tempfile::tempdir().unwrap().path());
    }
}

#[test]
fn the_same_checkpoint_gives_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (saved(&state(&[1, 2, 3])), saved(&state(&[1, 2, 3])));
    for name in ["x.safetensors", "x.json"] {
        let write = |store: &Store, path: &Path| {
            for_writing(FORMATS, path).unwrap().write(&store.checkpoint(42).unwrap(), path).unwrap();
            std::fs::read(path).unwrap()
        };
        assert_eq!(write(&one, &dir.path().join(name)), write(&other, &dir.path().join(name)), "{name}");
    }
}

#[test]
fn a_checkpoint_file_is_a_run_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.rekindle");
    let store = saved(&state(&[5; 2000]));
    for_writing(FORMATS, &path).unwrap().write(&store.checkpoint(42).unwrap(), &path).unwrap();
    let opened = Store::open(Arc::new(rekindle_formats::open_archive(&path).unwrap())).unwrap();
    assert_eq!(opened.steps(), [42]);
    assert!(opened.verify(Depth::Full).unwrap().damage.is_empty());
    assert_eq!(opened.identity().lineage.as_ref().unwrap().step, Some(42));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn any_changed_byte_of_a_checkpoint_file_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.rekindle");
    let store = saved(&state(&[5, 6, 7]));
    let hash = store.checkpoint(42).unwrap().record().state_hash;
    for_writing(FORMATS, &path).unwrap().write(&store.checkpoint(42).unwrap(), &path).unwrap();
    let good = std::fs::read(&path).unwrap();
    for position in 0..good.len() {
        let mut bad = good.clone();
        bad[position] ^= 0x10;
        std::fs::write(&path, &bad).unwrap();
        let Ok(archive) = rekindle_formats::open_archive(&path) else { continue };
        let Ok(store) = Store::open(Arc::new(archive)) else { continue };
        let report = store.verify(Depth::Full).unwrap();
        let loaded = store.checkpoint(42).and_then(|c| c.load(&rekindle::EntryPath::root()));
        assert!(!report.damage.is_empty(), "byte {position}");
        assert!(loaded.is_err() || state_hash(&loaded.unwrap()) == hash, "byte {position}");
    }
}
