//! Networks of the original program become runs, and runs become its snapshots.

#![allow(clippy::disallowed_methods, reason = "a test looks at its files")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rekindle::storage::MemoryStorage;
use rekindle::{EntryPath, RunOptions, Store, from_tree, to_tree};
use rekindle_cascor::{Cascor, Model, State, Training};
use rekindle_formats::table::{Column, Table, Values};
use rekindle_formats::{Document, Format, detect};
use rekindle_train::{ConfigOf, Family, System, TrainingState};

type Saved = TrainingState<Model, Training, State>;

fn format() -> &'static Format {
    &Cascor::formats()[0]
}

fn import(path: &Path) -> (Document, Saved, ConfigOf<Cascor>) {
    let document = detect(Cascor::formats(), path).unwrap().read(path).unwrap();
    let state: Saved = from_tree(&document.tree).unwrap();
    let config = serde_json::from_value(document.about.config.clone()).unwrap();
    (document, state, config)
}

/// The run of a document.
fn store(document: &Document) -> Store {
    let storage = Arc::new(MemoryStorage::new());
    let mut run = RunOptions::new().system(Cascor::NAME).create_in(storage.clone()).unwrap();
    *run.about_mut() = document.about.clone();
    run.take_history(document.history.clone());
    run.save_tree(document.step, &document.tree).unwrap();
    drop(run);
    Store::open(storage).unwrap()
}

#[test]
fn an_imported_network_answers_as_the_original_does() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples/cascor");
    let Ok(expected) = std::fs::read_to_string(samples.join("expected.json")) else {
        eprintln!("skipped: there are no samples in {}", samples.display());
        return;
    };
    let expected: serde_json::Value = serde_json::from_str(&expected).unwrap();
    let rows = |name: &str| serde_json::from_value::<Vec<Vec<f64>>>(expected[name].clone()).unwrap();
    let (document, saved, config) = import(&samples.join(expected["file"].as_str().unwrap()));
    assert!(!document.warnings.is_empty());
    let column = |name: &str, index: usize| Column {
        name: name.to_owned(),
        values: Values::Numbers(rows("inputs").iter().map(|row| row[index]).collect()),
    };
    let table = Table::new(vec![column("x", 0), column("y", 1)]).unwrap();
    let answers = Cascor::capabilities().predict.unwrap()(&config, &saved.state, &table).unwrap();
    for (output, name) in ["output_0", "output_1"].into_iter().enumerate() {
        let Values::Numbers(found) = &answers.table.column(name).unwrap().values else { panic!() };
        for (found, row) in found.iter().zip(rows("outputs")) {
            assert!((found - row[output]).abs() <= 1e-6, "{found} {}", row[output]);
        }
    }
}

#[test]
fn a_network_goes_out_and_comes_back_to_the_bit() {
    let config = crate::common::small_juniper();
    let state = crate::common::train(&config, 7);
    assert!(!state.network.hidden.is_empty());
    let saved = Saved { seed: 7, model: config.model.clone(), training: config.training.clone(), state };
    let document = Document {
        tree: to_tree(&saved).unwrap(),
        step: saved.state.step,
        about: rekindle::records::About {
            system: Cascor::NAME.to_owned(),
            config: serde_json::to_value(&config).unwrap(),
            ..Default::default()
        },
        history: Vec::new(),
        warnings: Vec::new(),
    };
    let dir = tempfile::tempdir().unwrap();
    let path: PathBuf = dir.path().join("network.h5");
    let first = store(&document);
    format().write(&first.checkpoint(document.step).unwrap(), &path).unwrap();
    let (again, back, _) = import(&path);
    assert_eq!(back.state.network, saved.state.network);
    assert_eq!((back.model, back.seed), (saved.model, 7));
    // What a snapshot says about itself is kept.
    let second = store(&again);
    let path = dir.path().join("again.h5");
    format().write(&second.checkpoint(again.step).unwrap(), &path).unwrap();
    let (third, ..) = import(&path);
    assert_eq!(third.about.environment, again.about.environment);
    assert!(third.about.environment.contains_key("juniper_uuid"));
}

#[test]
fn what_a_snapshot_cannot_hold_is_refused() {
    let config = crate::common::spirals();
    let state = crate::common::initial(&config.model, &config.training, 1);
    let saved = Saved { seed: 1, model: config.model.clone(), training: config.training.clone(), state };
    let about = rekindle::records::About { system: Cascor::NAME.to_owned(), ..Default::default() };
    let tree = to_tree(&saved).unwrap();
    let document = Document { tree, step: 0, about, history: Vec::new(), warnings: Vec::new() };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("network.h5");
    let error = format().write(&store(&document).checkpoint(0).unwrap(), &path).unwrap_err().to_string();
    assert!(error.contains("Juniper variant"), "{error}");
    assert!(!path.exists());
    let whole = store(&document).checkpoint(0).unwrap().load(&EntryPath::root());
    assert!(whole.is_ok());
}
