//! Networks of the original program become runs, and runs become its snapshots.

#![allow(clippy::disallowed_methods, reason = "a test looks at its files")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rekindle::records::About;
use rekindle::storage::MemoryStorage;
use rekindle::{RunOptions, Store, from_tree, to_tree};
use rekindle_cascor::snapshot::{self, HiddenUnit, Identity, OutputLayer, Settings, Snapshot};
use rekindle_cascor::{Activation, Cascor, Method, Model, State, Training, presets};
use rekindle_compute::KernelPath;
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

/// The document of a state.
fn document(config: &ConfigOf<Cascor>, state: State) -> Document {
    let saved =
        Saved { seed: config.seed, model: config.model.clone(), training: config.training.clone(), state };
    Document {
        tree: to_tree(&saved).unwrap(),
        step: saved.state.step,
        about: About {
            system: Cascor::NAME.to_owned(),
            config: serde_json::to_value(config).unwrap(),
            ..Default::default()
        },
        history: Vec::new(),
        warnings: Vec::new(),
    }
}

/// Writes a document, and gives the warnings.
fn export(document: &Document, path: &Path) -> Vec<String> {
    format().write(&store(document).checkpoint(document.step).unwrap(), path).unwrap()
}

fn refusal(document: &Document) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("network.h5");
    let error = format().write(&store(document).checkpoint(document.step).unwrap(), &path).unwrap_err();
    assert!(!path.exists());
    error.to_string()
}

/// The numbers that a network answers with to rows of two inputs.
fn answers(config: &ConfigOf<Cascor>, state: &State, names: [&str; 2], rows: &[[f64; 2]]) -> Vec<Vec<f64>> {
    let column = |index: usize| Column {
        name: names[index].to_owned(),
        values: Values::Numbers(rows.iter().map(|row| row[index]).collect()),
    };
    let table = Table::new(vec![column(0), column(1)]).unwrap();
    let found = Cascor::capabilities().predict.unwrap()(config, state, &table).unwrap();
    let numbers =
        found.table.columns().iter().filter(|column| !["class", "spiral"].contains(&column.name.as_str()));
    let numbers = numbers.filter_map(|column| match &column.values {
        Values::Numbers(numbers) => Some(numbers.clone()),
        Values::Text(_) => None,
    });
    numbers.collect()
}

const ROWS: [[f64; 2]; 5] = [[0.0, 0.0], [1.0, -2.0], [-0.3, 0.7], [4.0, 5.0], [-6.0, 0.1]];

fn assert_near(found: &[Vec<f64>], expected: &[Vec<f64>]) {
    assert!(!expected.is_empty() && found.len() == expected.len(), "{found:?} {expected:?}");
    for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
        assert!((found - expected).abs() <= 1e-5 * expected.abs().max(1.0), "{found} {expected}");
    }
}

#[test]
fn a_network_goes_out_and_comes_back_to_the_bit() {
    let config = ConfigOf::<Cascor> { seed: 7, ..crate::common::small_juniper() };
    let state = crate::common::train(&config, 7);
    assert!(!state.network.hidden.is_empty());
    let dir = tempfile::tempdir().unwrap();
    let path: PathBuf = dir.path().join("network.h5");
    let warnings = export(&document(&config, state.clone()), &path);
    for part in ["random generators", "patience of candidates", "How the network grew"] {
        assert!(warnings.iter().any(|warning| warning.contains(part)), "{part}: {warnings:?}");
    }
    let (again, back, _) = import(&path);
    assert_eq!(back.state.network, state.network);
    assert_eq!((back.model, back.seed), (config.model, 7));
    assert_eq!(again.warnings, Vec::<String>::new());
    let correlations = again.history.iter().filter_map(|row| row.get("correlation"));
    assert_eq!(correlations.count(), state.network.hidden.len());
    // What a snapshot says about itself is kept.
    let path = dir.path().join("again.h5");
    export(&again, &path);
    let (third, ..) = import(&path);
    assert_eq!(third.about.environment, again.about.environment);
    assert!(third.about.environment.contains_key("juniper_uuid"));
}

/// The original builds its settings of the names in the file, and fails at one that it does not know.
#[test]
fn settings_have_the_names_of_the_original() {
    let config = crate::common::config(
        presets::SPIRALS_JUNIPER,
        &["training.method.juniper.target_accuracy=0.9", "training.method.juniper.patience=0"],
    );
    let state = crate::common::initial(&config.model, &config.training, config.seed);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("network.h5");
    let warnings = export(&document(&config, state), &path);
    assert!(warnings.iter().any(|warning| warning.ends_with("instead: patience.")), "{warnings:?}");
    let mut snapshot = snapshot::read(&path).unwrap().snapshot;
    assert_eq!(snapshot.config["candidate_training_target_accuracy"], 0.9);
    assert!(!snapshot.config.contains_key("target_accuracy"));
    let accuracy = |path: &Path| match import(path).1.training.method {
        Method::Juniper(method) => method.target_accuracy,
        Method::Fahlman(_) => panic!(),
    };
    assert_eq!(accuracy(&path), 0.9);
    // As files of this program were once.
    snapshot.config.remove("candidate_training_target_accuracy");
    snapshot.config.insert("target_accuracy".to_owned(), 0.75.into());
    snapshot.config.insert("of_another_version".to_owned(), 1.into());
    snapshot::write(&snapshot, &path).unwrap();
    assert_eq!(accuracy(&path), 0.75);
    let (old, ..) = import(&path);
    let warnings = export(&old, &path);
    assert!(warnings.iter().any(|warning| warning.contains("left out: of_another_version.")), "{warnings:?}");
    assert_eq!(accuracy(&path), 0.75);
    assert!(!snapshot::read(&path).unwrap().snapshot.config.contains_key("of_another_version"));
}

#[test]
fn networks_of_all_activations_of_the_original_come_and_go() {
    const NAMES: [&str; 12] = [
        "Tanh",
        "Sigmoid",
        "ReLU",
        "LeakyReLU",
        "ELU",
        "SELU",
        "GELU",
        "Softplus",
        "Hardtanh",
        "Softshrink",
        "Tanhshrink",
        "Identity",
    ];
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("network.h5");
    let numbers =
        |count: usize| (0..count).map(|index| ((index * 7 % 5) as f32 - 2.0) / 4.0).collect::<Vec<_>>();
    let unit = |(index, name): (usize, &&str)| HiddenUnit {
        weights: numbers(2 + index),
        bias: 0.25,
        activation: (*name).to_owned(),
        correlation: 0.5,
    };
    for activation in NAMES {
        let snapshot = Snapshot {
            identity: Identity::default(),
            config: Default::default(),
            activation: activation.to_owned(),
            settings: Settings::default(),
            inputs: 2,
            outputs: 2,
            output: OutputLayer { weights: numbers(2 * (2 + NAMES.len())), bias: vec![0.5, -0.5] },
            hidden: NAMES.iter().enumerate().map(unit).collect(),
            history: Default::default(),
        };
        snapshot::write(&snapshot, &path).unwrap();
        let (document, saved, config) = import(&path);
        assert_eq!(document.warnings, Vec::<String>::new());
        assert!(Cascor::capabilities().describe.unwrap()(&config, &saved.state).is_ok());
        let before = answers(&config, &saved.state, ["x", "y"], &ROWS);
        assert!(before.iter().flatten().all(|answer| answer.is_finite()));
        export(&document, &path);
        let again = snapshot::read(&path).unwrap().snapshot;
        let names =
            |units: &[HiddenUnit]| units.iter().map(|unit| unit.activation.clone()).collect::<Vec<_>>();
        let lower: Vec<String> = NAMES.iter().map(|name| name.to_lowercase()).collect();
        assert_eq!((again.activation, names(&again.hidden)), (activation.to_lowercase(), lower));
        let (_, saved_again, config) = import(&path);
        assert_eq!(saved_again.state.network, saved.state.network);
        assert_eq!(answers(&config, &saved_again.state, ["x", "y"], &ROWS), before);
    }
}

#[test]
fn an_activation_that_the_original_has_not_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("network.h5");
    let snapshot = |activation: &str| Snapshot {
        identity: Identity::default(),
        config: Default::default(),
        activation: activation.to_owned(),
        settings: Settings::default(),
        inputs: 2,
        outputs: 1,
        output: OutputLayer { weights: vec![1.0, 2.0], bias: vec![0.5] },
        hidden: Vec::new(),
        history: Default::default(),
    };
    snapshot::write(&snapshot("mish"), &path).unwrap();
    let error = format().read(&path).unwrap_err().to_string();
    assert!(error.contains("its activation is `mish`"), "{error}");
    // Of this one the original has networks without units only.
    snapshot::write(&snapshot("Softmax"), &path).unwrap();
    let (document, saved, config) = import(&path);
    assert!(document.warnings[0].contains("softmax"), "{:?}", document.warnings);
    assert_eq!(answers(&config, &saved.state, ["x", "y"], &[[1.0, 1.0]]), [[3.5]]);
}

#[test]
fn what_is_imported_can_be_trained_on_with_its_activation() {
    for activation in ["logistic", "relu", "gelu"] {
        let model = format!("model.hidden={activation}");
        let config = crate::common::small_juniper_with(&[&model]);
        let state = crate::common::train(&config, 3);
        assert!(!state.network.hidden.is_empty());
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("network.h5");
        export(&document(&config, state.clone()), &path);
        let (_, back, _) = import(&path);
        assert_eq!((&back.state.network, back.model.hidden), (&state.network, config.model.hidden));
        let more = crate::common::small_juniper_with(&[&model, "model.max_hidden=5"]);
        let mut next = crate::common::initial(&more.model, &more.training, 4);
        next.network = back.state.network;
        let mut trainer = crate::common::attach(&more, 4, &next, 1, KernelPath::best());
        while !trainer.is_finished(&next) {
            assert!(trainer.step(&mut next).train_loss.is_finite());
        }
        assert_eq!(next.network.hidden.len(), 5, "{activation}");
    }
}

#[test]
fn a_network_of_another_method_goes_out_as_one_that_answers_the_same() {
    let config = crate::common::config(presets::SPIRALS, &["model.output=linear", "model.max_hidden=3"]);
    let state = crate::common::train(&config, 1);
    assert_eq!(state.network.hidden.len(), 3);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("network.h5");
    let warnings = export(&document(&config, state.clone()), &path);
    for part in ["quickprop", "within rounding", "names of inputs and classes"] {
        assert!(warnings.iter().any(|warning| warning.contains(part)), "{part}: {warnings:?}");
    }
    let (_, back, back_config) = import(&path);
    assert!(back.state.network.hidden.iter().all(|unit| unit.activation == Activation::Logistic));
    let expected = answers(&config, &state, ["x", "y"], &ROWS);
    assert_near(&answers(&back_config, &back.state, ["x", "y"], &ROWS), &expected);
}

#[test]
fn scales_of_columns_go_into_the_weights() {
    let mut text = "length,width,area\n".to_owned();
    for index in 0..60 {
        let (length, width) = (f64::from(index % 10), 100.0 + f64::from(index % 7));
        text += &format!("{length},{width},{}\n", length * width);
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("table.csv");
    std::fs::write(&file, text).unwrap();
    let file = serde_json::to_string(file.to_str().unwrap()).unwrap();
    let config = crate::common::small_juniper_with(&[
        &format!("training.data.file={file}"),
        "training.data.targets=[area]",
        "training.data.task=regression",
    ]);
    let state = crate::common::train(&config, 1);
    assert!(!state.network.hidden.is_empty());
    let path = dir.path().join("network.h5");
    export(&document(&config, state.clone()), &path);
    let (_, back, back_config) = import(&path);
    let rows = [[0.0, 100.0], [3.0, 104.5], [9.0, 106.0]];
    let expected = answers(&config, &state, ["length", "width"], &rows);
    assert_near(&answers(&back_config, &back.state, ["x", "y"], &rows), &expected);
}

#[test]
fn what_a_snapshot_cannot_hold_is_refused() {
    let refused = |settings: &[&str]| {
        let config = crate::common::config(presets::SPIRALS, settings);
        refusal(&document(&config, crate::common::initial(&config.model, &config.training, 1)))
    };
    let error = refused(&[]);
    assert!(error.contains("its outputs are sigmoids"), "{error}");
    let error = refused(&["model.output=linear", "model.hidden=gaussian"]);
    assert!(error.contains("the original has no gaussian units"), "{error}");
}
