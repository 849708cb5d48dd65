//! A network goes to the original program's snapshots and comes back bit for bit; files that the
//! original wrote are read with every checksum held; files that were torn or changed are refused.
//!
//! The original's files are not part of this project; where they are missing the tests that use them
//! say so and pass.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests look at files directly")]

use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::*;
use rekindle_cascor::snapshot::{
    HiddenUnit, History, Identity, OutputLayer, Problem, ReadSnapshot, Settings, Snapshot, SnapshotError,
    matches, read, write,
};
use serde_json::{Value, json};

/// A network whose numbers are all different.
fn network(inputs: usize, outputs: usize, hidden: usize) -> Snapshot {
    let mut next = 0.0f32;
    let mut numbers = |count: usize| -> Vec<f32> {
        let number = |_| {
            next += 0.37;
            next.sin()
        };
        (0..count).map(number).collect()
    };
    let output = OutputLayer { weights: numbers((inputs + hidden) * outputs), bias: numbers(outputs) };
    let unit = |index: usize| HiddenUnit {
        weights: numbers(inputs + index),
        bias: numbers(1)[0],
        activation: if index.is_multiple_of(2) { "tanh" } else { "sigmoid" }.to_owned(),
        correlation: 0.5 / (1.0 + index as f64),
    };
    let hidden: Vec<HiddenUnit> = (0..hidden).map(unit).collect();
    let mut snapshot = Snapshot {
        identity: Identity {
            uuid: Some("584e311a-18db-4633-be22-054a719a536f".to_owned()),
            created: Some("2026-01-02T03:04:05.678901".to_owned()),
            snapshot_counter: 3,
            current_epoch: 7,
            patience_counter: 2,
            best_value_loss: 0.125,
        },
        config: Default::default(),
        activation: "tanh".to_owned(),
        settings: Settings::default(),
        inputs,
        outputs,
        output,
        history: History {
            train_loss: vec![0.5, 0.25, 0.125],
            value_loss: vec![0.75],
            train_accuracy: vec![0.5, 0.625, 1.0],
            value_accuracy: vec![0.25],
            units_added: hidden.iter().map(|unit| unit.correlation).collect(),
        },
        hidden,
    };
    agree(&mut snapshot);
    snapshot
}

/// Sets in the configuration what `write` sets there.
fn agree(snapshot: &mut Snapshot) {
    let settings = &snapshot.settings;
    let told = json!({
        "input_size": snapshot.inputs,
        "output_size": snapshot.outputs,
        "learning_rate": settings.learning_rate,
        "candidate_learning_rate": settings.candidate_learning_rate,
        "max_hidden_units": settings.max_hidden_units,
        "candidate_pool_size": settings.candidate_pool_size,
        "patience": settings.patience,
        "correlation_threshold": settings.correlation_threshold,
        "random_seed": settings.random_seed,
    });
    snapshot.config.extend(told.as_object().unwrap().clone());
    let spelled = match snapshot.activation.as_str() {
        "tanh" => "Tanh",
        "relu" => "ReLU",
        "leakyrelu" => "LeakyReLU",
        other => other,
    };
    snapshot.config.entry("activation_function_name").or_insert(json!(spelled));
}

fn written(snapshot: &Snapshot) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("network.h5");
    write(snapshot, &path).unwrap();
    std::fs::read(&path).unwrap()
}

fn read_bytes(bytes: &[u8]) -> Result<ReadSnapshot, SnapshotError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hostile.h5");
    std::fs::write(&path, bytes).unwrap();
    let result = read(&path);
    if let Err(error) = &result {
        let message = error.to_string();
        assert!(message.contains("hostile.h5") && message.contains("nothing was imported"), "{message}");
        assert!(!panicked(error), "the parser panicked");
    }
    result
}

fn panicked(error: &SnapshotError) -> bool {
    matches!(error, SnapshotError::Refused { problem: Problem::Parser, .. })
}

fn refused(result: Result<ReadSnapshot, SnapshotError>) -> (String, Problem) {
    match result.unwrap_err() {
        SnapshotError::Refused { object, problem, .. } => (object, problem),
        other => panic!("{other}"),
    }
}

/// The bits, so that 0.0 and -0.0 differ.
fn bits(snapshot: &Snapshot) -> Vec<u32> {
    let units = snapshot.hidden.iter().flat_map(|unit| unit.weights.iter().chain([&unit.bias]));
    let all = snapshot.output.weights.iter().chain(&snapshot.output.bias).chain(units);
    all.map(|value| value.to_bits()).collect()
}

#[test]
fn a_network_comes_back() {
    for (inputs, outputs, hidden) in [(2, 2, 0), (1, 1, 1), (2, 3, 12), (700, 400, 2)] {
        let snapshot = network(inputs, outputs, hidden);
        let bytes = written(&snapshot);
        assert!(matches(&bytes));
        let reading = read_bytes(&bytes).unwrap();
        assert_eq!(reading.snapshot, snapshot);
        assert_eq!(bits(&reading.snapshot), bits(&snapshot));
        assert_eq!(reading.warnings, Vec::<String>::new());
    }
}

#[test]
fn the_same_snapshot_makes_the_same_file() {
    assert_eq!(written(&network(2, 2, 3)), written(&network(2, 2, 3)));
}

#[test]
fn a_network_that_never_met_the_original_is_made_known_to_it() {
    let mut snapshot = network(2, 1, 1);
    snapshot.config.clear();
    snapshot.identity = Identity::default();
    snapshot.history = History::default();
    let reading = read_bytes(&written(&snapshot)).unwrap();
    agree(&mut snapshot);
    assert_eq!(reading.snapshot, snapshot);
}

#[test]
fn the_snapshot_holds_where_the_configuration_says_otherwise() {
    let mut snapshot = network(2, 1, 1);
    snapshot.config.insert("patience".to_owned(), json!(9999));
    snapshot.config.insert("learning_rate".to_owned(), json!("fast"));
    let reading = read_bytes(&written(&snapshot)).unwrap();
    agree(&mut snapshot);
    assert_eq!(reading.snapshot, snapshot);
}

#[test]
fn no_secret_is_written() {
    let mut snapshot = network(2, 1, 1);
    let secret = "the secret of the worker processes";
    snapshot.config.insert("candidate_training_queue_authkey".to_owned(), json!(secret));
    let bytes = written(&snapshot);
    assert!(!contains(&bytes, secret.as_bytes()));
    snapshot.config.remove("candidate_training_queue_authkey");
    assert_eq!(read_bytes(&bytes).unwrap().snapshot, snapshot);
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Any finite number, subnormal ones and both zeros among them.
fn finite_f32() -> impl Strategy<Value = f32> {
    any::<u32>().prop_map(f32::from_bits).prop_filter("finite", |value| value.is_finite())
}

fn finite_f64() -> impl Strategy<Value = f64> {
    any::<u64>().prop_map(f64::from_bits).prop_filter("finite", |value| value.is_finite())
}

fn any_network() -> impl Strategy<Value = Snapshot> {
    let sizes = (1usize..5, 1usize..5, 0usize..13);
    let counts = prop::array::uniform6(0..=i64::MAX as u64);
    let series = || prop::collection::vec(finite_f64(), 0..20);
    let numbers = (prop::array::uniform4(finite_f64()), prop::array::uniform5(series()));
    let activations = prop::sample::select(vec!["tanh", "relu", "leakyrelu", "mish"]);
    (sizes, counts, numbers, activations, any::<bool>()).prop_flat_map(
        |((inputs, outputs, hidden), counts, (measures, series), activation, known)| {
            let values =
                (inputs + hidden) * outputs + outputs + (0..hidden).map(|i| inputs + i + 1).sum::<usize>();
            prop::collection::vec(finite_f32(), values).prop_map(move |values| {
                let mut snapshot = network(inputs, outputs, hidden);
                fill(&mut snapshot, &values);
                let [train_loss, value_loss, train_accuracy, value_accuracy, units_added] = series.clone();
                snapshot.history =
                    History { train_loss, value_loss, train_accuracy, value_accuracy, units_added };
                let [learning_rate, candidate_learning_rate, correlation_threshold, best_value_loss] =
                    measures;
                let [counter, patience_counter, max_hidden_units, pool, patience, random_seed] = counts;
                snapshot.identity.best_value_loss = if known { best_value_loss } else { f64::INFINITY };
                snapshot.identity.snapshot_counter = counter;
                snapshot.identity.patience_counter = patience_counter;
                snapshot.settings = Settings {
                    learning_rate,
                    candidate_learning_rate,
                    max_hidden_units,
                    candidate_pool_size: pool,
                    patience,
                    correlation_threshold,
                    random_seed,
                };
                snapshot.activation = activation.to_owned();
                snapshot.config.clear();
                agree(&mut snapshot);
                snapshot
            })
        },
    )
}

fn fill(snapshot: &mut Snapshot, values: &[f32]) {
    let mut values = values.iter().copied();
    let units = snapshot.hidden.iter_mut().flat_map(|unit| unit.weights.iter_mut().chain([&mut unit.bias]));
    let all = snapshot.output.weights.iter_mut().chain(&mut snapshot.output.bias).chain(units);
    for (weight, value) in all.zip(&mut values) {
        *weight = value;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_network_comes_back_bit_for_bit(snapshot in any_network()) {
        let reading = read_bytes(&written(&snapshot)).unwrap();
        prop_assert_eq!(bits(&reading.snapshot), bits(&snapshot));
        prop_assert_eq!(reading.snapshot, snapshot);
    }
}

#[test]
fn what_contradicts_itself_is_not_written() {
    type Spoil = fn(&mut Snapshot);
    let spoils: [(&str, Spoil); 14] = [
        ("arch/@input_size", |snapshot| snapshot.inputs = 0),
        ("history/hidden_units_added", |snapshot| snapshot.history.units_added = vec![0.5; 20_001]),
        ("params/output_layer/weights", |snapshot| snapshot.output.weights[3] = f32::NAN),
        ("params/output_layer/weights", |snapshot| snapshot.output.weights.push(0.0)),
        ("params/output_layer/bias", |snapshot| snapshot.output.bias[0] = f32::INFINITY),
        ("params/output_layer/bias", |snapshot| snapshot.output.bias.clear()),
        ("hidden_units/unit_1/weights", |snapshot| snapshot.hidden[1].weights = vec![1.0]),
        ("hidden_units/unit_1/bias", |snapshot| snapshot.hidden[1].bias = f32::NAN),
        ("hidden_units/unit_0/@correlation", |snapshot| snapshot.hidden[0].correlation = f64::NAN),
        ("history/train_loss", |snapshot| snapshot.history.train_loss[1] = f64::NAN),
        ("config/@learning_rate", |snapshot| snapshot.settings.learning_rate = f64::INFINITY),
        ("meta/@best_value_loss", |snapshot| snapshot.identity.best_value_loss = f64::NAN),
        ("meta/@uuid", |snapshot| snapshot.identity.uuid = Some("ü".to_owned())),
        ("config/@random_seed", |snapshot| snapshot.settings.random_seed = u64::MAX),
    ];
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("network.h5");
    for (expected, spoil) in spoils {
        let mut snapshot = network(2, 2, 2);
        spoil(&mut snapshot);
        match write(&snapshot, &path).unwrap_err() {
            SnapshotError::Inconsistent { object, .. } => assert_eq!(object, expected),
            other => panic!("{other}"),
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is left behind");
    }
}

#[test]
fn a_write_that_fails_leaves_the_file_that_was_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("network.h5");
    write(&network(2, 2, 1), &path).unwrap();
    let mut spoilt = network(2, 2, 2);
    spoilt.output.bias[0] = f32::NAN;
    write(&spoilt, &path).unwrap_err();
    assert_eq!(read(&path).unwrap().snapshot, network(2, 2, 1));
    let missing = dir.path().join("nowhere").join("network.h5");
    assert!(matches!(write(&network(2, 2, 1), &missing), Err(SnapshotError::Write { .. })));
    assert!(matches!(read(&missing), Err(SnapshotError::Read { .. })));
}

#[test]
fn a_file_that_was_cut_off_is_refused() {
    let mut files = vec![written(&network(2, 2, 3))];
    files.extend(samples().into_iter().map(|(_, bytes)| bytes));
    for bytes in files {
        for part in 0..50 {
            let torn = &bytes[..bytes.len() * part / 50];
            let (object, problem) = refused(read_bytes(torn));
            match part {
                0 => assert!(matches!(problem, Problem::NotHdf5), "{problem}"),
                _ => assert_eq!(object, "/", "{part}: {problem}"),
            }
        }
        let (_, problem) = refused(read_bytes(&bytes[..bytes.len() - 1]));
        assert!(matches!(problem, Problem::CutOff { .. }), "{problem}");
    }
}

/// What is read is what was written, or nothing is. Every byte was tried once; a file is mostly room
/// for more text, where nothing can be noticed, so that every 11th is enough from then on.
#[test]
fn a_flipped_bit_is_noticed_or_does_not_matter() {
    let snapshot = network(2, 1, 1);
    let bytes = written(&snapshot);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("flipped.h5");
    let mut noticed = 0;
    for place in (0..bytes.len()).step_by(11) {
        let mut flipped = bytes.clone();
        flipped[place] ^= 1 << (place % 8);
        std::fs::write(&path, &flipped).unwrap();
        match read(&path) {
            Ok(reading) => assert_eq!(reading.snapshot, snapshot, "byte {place}"),
            Err(error) => {
                noticed += 1;
                assert!(!panicked(&error), "the parser panicked at {place}");
            }
        }
    }
    assert!(noticed > 200, "{noticed}");
}

/// The checksums lie in the file as text; a changed one stands for changed weights.
#[test]
fn a_checksum_that_does_not_hold_is_an_error() {
    let bytes = written(&network(2, 2, 2));
    let expected = [
        ("\"output_weights\":\"", "params/output_layer/weights"),
        ("\"output_bias\":\"", "params/output_layer/bias"),
        ("\"weights\":\"", "hidden_units/unit_0/weights"),
        ("\"bias\":\"", "hidden_units/unit_0/bias"),
        ("\"config_json\":\"", "config/config_json"),
    ];
    for (name, expected) in expected {
        let name = name.as_bytes();
        let place = bytes.windows(name.len()).position(|window| window == name).unwrap() + name.len();
        let mut changed = bytes.clone();
        changed[place] = if changed[place] == b'0' { b'1' } else { b'0' };
        let (object, problem) = refused(read_bytes(&changed));
        assert_eq!(object, expected);
        assert!(matches!(problem, Problem::Checksum { .. }), "{problem}");
    }
}

#[test]
fn what_is_no_snapshot_is_refused() {
    assert!(!matches(b"PK\x03\x04"));
    for bytes in [b"".as_slice(), b"not HDF5 at all", b"\x89HDF\r\n\x1a", &[0; 4096]] {
        assert!(matches!(refused(read_bytes(bytes)).1, Problem::NotHdf5));
    }
    read_bytes(b"\x89HDF\r\n\x1a\n").unwrap_err();
}

/// Files that the original wrote, by name; none where they are missing.
fn samples() -> Vec<(String, Vec<u8>)> {
    let dir = sample_dir();
    let Ok(entries) = std::fs::read_dir(&dir) else {
        eprintln!("skipped: {} is not here", dir.display());
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    let paths = paths.filter(|path| path.extension().is_some_and(|extension| extension == "h5"));
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    paths.map(|path| (name(&path), std::fs::read(&path).unwrap())).collect()
}

fn sample_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples/cascor")
}

fn sample(part_of_name: &str) -> Option<Vec<u8>> {
    samples().into_iter().find(|(name, _)| name.contains(part_of_name)).map(|(_, bytes)| bytes)
}

#[test]
fn every_file_of_the_original_is_read_or_refused_with_the_reason() {
    for (name, bytes) in samples() {
        match read_bytes(&bytes) {
            Ok(reading) => {
                assert!(reading.warnings.iter().any(|warning| warning.contains("secret")), "{name}");
                assert!(!reading.snapshot.config.keys().any(|key| key.contains("authkey")), "{name}");
                let again = read_bytes(&written(&reading.snapshot)).unwrap();
                let mut expected = reading.snapshot;
                agree(&mut expected);
                assert_eq!(again.snapshot, expected, "{name}");
                assert_eq!(again.warnings, Vec::<String>::new(), "{name}");
            }
            Err(error) => {
                let (_, problem) = refused(Err(error));
                match name.contains("165658") {
                    true => assert!(matches!(problem, Problem::Empty), "{name}: {problem}"),
                    false => {
                        assert!(name.contains("170019"), "{name}: {problem}");
                        let expected = "the file holds no network: without `params`, `arch`, `random`";
                        assert_eq!(problem.to_string(), expected);
                    }
                }
            }
        }
    }
}

#[test]
fn an_early_file_tells_that_it_has_no_checksums() {
    let Some(bytes) = sample("170103") else { return };
    let ReadSnapshot { snapshot, warnings } = read_bytes(&bytes).unwrap();
    assert!(warnings[0].contains("no checksums"), "{warnings:?}");
    assert_eq!((snapshot.inputs, snapshot.outputs, snapshot.hidden.len()), (2, 1, 0));
    assert_eq!(snapshot.output.weights, [0.102530815, 0.016706154]);
    assert_eq!(snapshot.settings.max_hidden_units, 200);
    assert_eq!(snapshot.activation, "tanh");
    assert_eq!(snapshot.identity.best_value_loss, f64::INFINITY);
}

#[test]
fn a_trained_network_is_read_as_the_original_saw_it() {
    let Some(bytes) = sample("with_hidden") else { return };
    let expected = std::fs::read(sample_dir().join("expected.json")).unwrap();
    let expected: Value = serde_json::from_slice(&expected).unwrap();
    let ReadSnapshot { snapshot, warnings } = read_bytes(&bytes).unwrap();
    assert_eq!(snapshot.output.weights, numbers(&expected["output_weights"]));
    assert_eq!(snapshot.output.bias, numbers(&expected["output_bias"]));
    let units = expected["hidden_units"].as_array().unwrap();
    assert_eq!(snapshot.hidden.len(), units.len());
    for (unit, expected) in snapshot.hidden.iter().zip(units) {
        assert_eq!(unit.weights, numbers(&expected["weights"]));
        assert_eq!(vec![unit.bias], numbers(&expected["bias"]));
        assert_eq!(unit.correlation, expected["correlation"].as_f64().unwrap());
        assert_eq!(unit.activation, "tanh");
    }
    let loss: Vec<f64> = serde_json::from_value(expected["train"]["train_loss"].clone()).unwrap();
    assert_eq!(snapshot.history.train_loss, loss);
    let correlations: Vec<f64> = snapshot.hidden.iter().map(|unit| unit.correlation).collect();
    assert_eq!(snapshot.history.units_added, correlations);
    for part in ["pickle", "NumPy", "PyTorch", "optimiser", "secret"] {
        assert!(warnings.iter().any(|warning| warning.contains(part)), "{part}: {warnings:?}");
    }
    assert!(warnings.iter().all(|warning| !warning.contains("Juniper_Cascade")), "{warnings:?}");
}

/// The numbers of nested lists, in order.
fn numbers(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().unwrap() as f32],
    }
}

/// In the files of the original, names lie open in the bytes: one that is changed is one that is
/// missing.
#[test]
fn a_file_of_the_original_without_a_required_group_is_refused() {
    let Some(bytes) = sample("with_hidden") else { return };
    for name in ["random", "config", "params"] {
        let mut changed = bytes.clone();
        let link = format!("{name}\0");
        let places = (1..changed.len() - link.len())
            .filter(|&place| changed[place - 1] == 0 && changed[place..].starts_with(link.as_bytes()));
        for place in places.collect::<Vec<_>>() {
            changed[place] ^= 0x20;
        }
        let (_, problem) = refused(read_bytes(&changed));
        assert_eq!(problem.to_string(), format!("the file holds no network: without `{name}`"));
    }
}

/// h5py, over the C library of the HDF Group, finds in a written file what was written.
///
/// Run it with `cargo test -p rekindle-cascor --test it snapshots -- --ignored`, and `PYTHON` set to an
/// interpreter that has h5py unless `python3` has.
#[test]
#[ignore = "needs python3 with h5py"]
fn h5py_finds_the_same_weights() {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tools/check_snapshot.py");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("network.h5");
    for (inputs, outputs, hidden) in [(2, 2, 0), (2, 3, 12), (700, 400, 2)] {
        let snapshot = network(inputs, outputs, hidden);
        write(&snapshot, &path).unwrap();
        let output = Command::new(&python).arg(&script).arg(&path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        let mut found_bits = as_bits(&found["output_weights"]);
        found_bits.extend(as_bits(&found["output_bias"]));
        for unit in found["hidden_units"].as_array().unwrap() {
            found_bits.extend(as_bits(&unit["weights"]));
            found_bits.extend(as_bits(&unit["bias"]));
        }
        assert_eq!(found_bits, bits(&snapshot));
    }
}

fn as_bits(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|bits| bits.as_u64().unwrap() as u32).collect()
}
