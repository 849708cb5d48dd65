//! Circuits become runs, and checkpoints become circuits.

#![allow(clippy::disallowed_methods, reason = "a test looks at its files")]

use std::path::Path;
use std::sync::Arc;

use rekindle::records::About;
use rekindle::storage::MemoryStorage;
use rekindle::{RunOptions, Store, from_tree, to_tree};
use rekindle_compute::KernelPath;
use rekindle_formats::{Document, Format, detect, for_writing};
use rekindle_logic::{
    Automaton, Gate, HardCircuit, HardLayer, Kernel, Logic, Model, Perception, State, Task, Training, Update,
    presets,
};
use rekindle_train::{ConfigOf, ConfigText, Family, System, TrainingState};

type Saved = TrainingState<Model, Training, State>;

fn import(path: &Path) -> (Document, Saved, ConfigOf<Logic>) {
    let document = detect(Logic::formats(), path).unwrap().read(path).unwrap();
    let saved: Saved = from_tree(&document.tree).unwrap();
    let config = serde_json::from_value(document.about.config.clone()).unwrap();
    (document, saved, config)
}

/// Writes a state as a circuit, and gives the warnings.
fn export(config: &ConfigOf<Logic>, state: State, path: &Path) -> Vec<String> {
    let (model, training, seed) = (config.model.clone(), config.training.clone(), config.seed);
    let step = state.epoch;
    let storage = Arc::new(MemoryStorage::new());
    let mut run = RunOptions::new().system(Logic::NAME).create_in(storage.clone()).unwrap();
    *run.about_mut() = About { system: Logic::NAME.to_owned(), ..About::default() };
    run.save_tree(step, &to_tree(&Saved { seed, model, training, state }).unwrap()).unwrap();
    drop(run);
    let store = Store::open(storage).unwrap();
    let format: &Format = for_writing(Logic::formats(), path).unwrap();
    format.write(&store.checkpoint(step).unwrap(), path).unwrap()
}

fn small_life() -> ConfigOf<Logic> {
    let text = ConfigText { origin: "test".to_owned(), yaml: presets::LIFE.to_owned() };
    let settings =
        ["model.kernels=2", "model.kernel_gates=[8,4]", "model.update_gates=[6,3,2,1]", "training.epochs=9"];
    text.config(&settings.map(str::to_owned)).unwrap()
}

fn train(config: &ConfigOf<Logic>, state: &mut State) {
    let path = KernelPath::best();
    let mut automaton =
        Automaton::attach(&config.model, &config.training, config.seed, state, 1, path).unwrap();
    while !automaton.is_finished(state) {
        automaton.step(state);
    }
}

fn layer(gates: &[(u8, u32, u32)]) -> HardLayer {
    HardLayer { gates: gates.iter().map(|&(op, wire_a, wire_b)| Gate { op, wire_a, wire_b }).collect() }
}

/// The Game of Life in 55 gates: the neighbours are passed on, and added up in pairs.
fn life() -> HardCircuit {
    const AND: u8 = 1;
    const AND_NOT: u8 = 2;
    const PASS: u8 = 3;
    const XOR: u8 = 6;
    const OR: u8 = 7;
    let neighbours = [0, 1, 2, 3, 5, 6, 7, 8].map(|position| (PASS, position, 4));
    let update = vec![
        // The cell, and the sum and the carry of each pair of neighbours.
        layer(&[
            (PASS, 0, 1),
            (XOR, 1, 2),
            (AND, 1, 2),
            (XOR, 3, 4),
            (AND, 3, 4),
            (XOR, 5, 6),
            (AND, 5, 6),
            (XOR, 7, 8),
            (AND, 7, 8),
        ]),
        // Pairs of pairs: the lowest bit and its carry, the sum of the carries and their carry.
        layer(&[
            (PASS, 0, 1),
            (XOR, 1, 3),
            (AND, 1, 3),
            (XOR, 2, 4),
            (AND, 2, 4),
            (XOR, 5, 7),
            (AND, 5, 7),
            (XOR, 6, 8),
            (AND, 6, 8),
        ]),
        layer(&[
            (PASS, 0, 1),
            (PASS, 1, 2),
            (XOR, 2, 3),
            (AND, 2, 3),
            (PASS, 4, 5),
            (PASS, 5, 6),
            (XOR, 6, 7),
            (AND, 6, 7),
            (PASS, 8, 7),
        ]),
        // Two numbers of three bits.
        layer(&[
            (PASS, 0, 1),
            (PASS, 1, 2),
            (PASS, 2, 3),
            (OR, 3, 4),
            (PASS, 5, 4),
            (PASS, 6, 5),
            (OR, 7, 8),
        ]),
        layer(&[(PASS, 0, 1), (XOR, 1, 4), (AND, 1, 4), (XOR, 2, 5), (AND, 2, 5), (OR, 3, 6)]),
        // Alive or an odd number; the second bit; and what makes the number 4 or more.
        layer(&[(OR, 0, 1), (XOR, 2, 3), (AND, 2, 3), (OR, 4, 5)]),
        layer(&[(AND, 0, 1), (OR, 2, 3)]),
        layer(&[(AND_NOT, 0, 1)]),
    ];
    HardCircuit {
        perception: Perception {
            kernels: vec![Kernel { layers: vec![layer(&neighbours)], input_size: 9 }],
            channels: 1,
        },
        update: Update { layers: update, input_size: 9, output_size: 1 },
        channels: 1,
    }
}

fn json(circuit: &HardCircuit) -> Vec<u8> {
    let mut json = Vec::new();
    circuit.write(&mut json).unwrap();
    json
}

#[test]
fn every_checkpoint_has_a_circuit() {
    let config = small_life();
    let dir = tempfile::tempdir().unwrap();
    for name in ["before.circuit.json", "circuit.json"] {
        let mut state = State::new(&config.model, config.seed).unwrap();
        if name == "circuit.json" {
            train(&config, &mut state);
        }
        let path = dir.path().join(name);
        let warnings = export(&config, state.clone(), &path);
        assert!(warnings[0].contains("Only the circuit is written"), "{warnings:?}");
        let circuit = HardCircuit::from_state(&config.model, &state).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), json(&circuit));
        // It comes back, and goes out again.
        let (_, saved, imported) = import(&path);
        assert_eq!(HardCircuit::from_state(&imported.model, &saved.state).unwrap(), circuit);
        export(&imported, saved.state, &path);
        assert_eq!(std::fs::read(&path).unwrap(), json(&circuit));
    }
}

#[test]
fn a_circuit_of_a_known_task_is_described_drawn_and_trained_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("life.json");
    std::fs::write(&path, json(&life())).unwrap();
    let (document, mut saved, mut config) = import(&path);
    let told = &document.warnings[1];
    assert!(told.contains("training.task=life: the circuit is right on 512 of 512 rows"), "{told}");
    assert_eq!(config.training.task, Task::Life);
    let capabilities = Logic::capabilities();
    let words = capabilities.describe.unwrap()(&config, &saved.state).unwrap();
    for part in [
        "1 bit to a cell; 1 kernel of 8 gates; 9-9-9-7-6-4-2-1 gates",
        "55 gates, 34 of which",
        "depends on 34",
        "right on 512 of 512 rows of the truth table",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
    let picture = (capabilities.pictures[0].draw)(&config, &saved.state).unwrap();
    assert!(picture.png().unwrap().starts_with(b"\x89PNG"));
    // Nothing is left to train unless more is asked for.
    let mut automaton_of = |epochs| {
        config.training.epochs = epochs;
        train(&config, &mut saved.state);
        saved.state.epoch
    };
    assert_eq!(automaton_of(0), 0);
    assert_eq!(automaton_of(3), 3);
}

#[test]
fn a_circuit_of_an_unknown_task_is_described_drawn_and_not_trained() {
    let mut circuit = life();
    circuit.update.layers[7] = layer(&[(8, 0, 1)]);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("unknown.json");
    std::fs::write(&path, json(&circuit)).unwrap();
    let (document, saved, config) = import(&path);
    assert!(document.warnings[1].contains("none of the tasks that are known"), "{:?}", document.warnings);
    let capabilities = Logic::capabilities();
    let words = capabilities.describe.unwrap()(&config, &saved.state).unwrap();
    assert!(words.ends_with("what it is for is not known"), "{words}");
    assert!(
        (capabilities.pictures[0].draw)(&config, &saved.state)
            .unwrap()
            .png()
            .unwrap()
            .starts_with(b"\x89PNG")
    );
    let attached =
        Automaton::attach(&config.model, &config.training, 0, &saved.state, 1, KernelPath::best()).map(drop);
    assert!(attached.unwrap_err().to_string().contains("`training.task` is Unknown"));
    assert!(circuit.check(&config.training, 0, KernelPath::best()).is_err());
}

#[test]
fn a_circuit_of_many_bits_is_read_without_being_tried() {
    let model = Model {
        channels: 300,
        kernels: 1,
        kernel_gates: vec![8, 4, 2, 1],
        update_gates: vec![300],
        pass_logit: 10.0,
        identity_start: false,
    };
    let circuit = HardCircuit::from_state(&model, &State::new(&model, 1).unwrap()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("wide.json");
    std::fs::write(&path, json(&circuit)).unwrap();
    let (_, saved, config) = import(&path);
    assert_eq!(config.training.task, Task::Unknown);
    assert_eq!(HardCircuit::from_state(&config.model, &saved.state).unwrap(), circuit);
}

#[test]
fn a_circuit_that_no_model_has_is_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("odd.json");
    let refused = |spoil: fn(&mut HardCircuit)| {
        let mut circuit = life();
        spoil(&mut circuit);
        std::fs::write(&path, json(&circuit)).unwrap();
        detect(Logic::formats(), &path).unwrap().read(&path).unwrap_err().to_string()
    };
    let message = refused(|circuit| circuit.update.layers[3].gates[0].wire_a = 9);
    assert!(message.contains("`update.layers.3.gates.0.wire_a` reads input 9 of 9"), "{message}");
    let message = refused(|circuit| {
        let mut kernel = circuit.perception.kernels[0].clone();
        kernel.layers[0].gates.swap(0, 1);
        circuit.perception.kernels.push(kernel);
        circuit.update.input_size = 17;
    });
    assert!(message.contains("kernel 1 of the circuit is wired unlike kernel 0"), "{message}");
    let message = refused(|circuit| circuit.perception.kernels[0].layers.clear());
    assert!(message.contains("update.input_size"), "{message}");
    std::fs::write(&path, b"{\"perception\": 7}").unwrap();
    let message = detect(Logic::formats(), &path).unwrap().read(&path).unwrap_err().to_string();
    assert!(message.contains("not valid HardCircuit JSON: invalid type"), "{message}");
}

/// The file is not part of this project; where it is missing the test says so and passes.
#[test]
fn a_circuit_of_logicars_is_recognized_and_goes_out_as_it_came() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/samples/logicars/checkerboard_model.json");
    if !sample.exists() {
        eprintln!("skipped: {} is not here", sample.display());
        return;
    }
    let (document, saved, config) = import(&sample);
    assert!(document.warnings[1].contains("training.task=checkerboard"), "{:?}", document.warnings);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("again.circuit.json");
    export(&config, saved.state, &path);
    assert_eq!(std::fs::read(&path).unwrap(), std::fs::read(&sample).unwrap());
}
