//! Training: digits are learnt, and the bits depend on nothing but the config.

use rekindle::{from_tree, hash_of, to_tree};
use rekindle_compute::{KernelPath, rng};
use rekindle_dwn::{Dwn, Says, State, presets};
use rekindle_train::{ConfigOf, Family, Resources, System};

use crate::support::{SMALL, attach, config, refused, train};

#[test]
fn digits_are_learnt_shown_and_described() {
    let config = config(presets::DWN, &["training.epochs=6"]);
    let state = train(&config);
    let mut dwn = attach(&config, &state, 2);
    let metrics = dwn.evaluate(&state).unwrap();
    assert!(metrics["select_accuracy"] > 0.9, "{metrics:?}");
    assert!(!metrics.contains_key("test_accuracy"), "nothing is to be chosen by it: {metrics:?}");
    let conclusion = dwn.conclude(&state).unwrap();
    assert!(conclusion.metrics["test_accuracy"] > 0.9, "{:?}", conclusion.metrics);
    assert!(conclusion.text.contains("of 400 examples are right"), "{}", conclusion.text);
    let described = Dwn::capabilities().describe.unwrap()(&config, &state).unwrap();
    assert!(described.contains("pictures of 8 by 8 pixels"), "{described}");
    assert!(described.contains("300 lookup tables with 6 inputs, each learnt among 64 bits"), "{described}");
    assert!(conclusion.text.starts_with(&described), "{}", conclusion.text);
}

/// With as many tables, connections that are learnt tell more than drawn ones.
#[test]
fn learnt_connections_are_worth_more_than_drawn_ones() {
    let loss = |candidates: &str| {
        let settings = ["model.layers=[60]", "training.epochs=8", "training.data.rows=1500", candidates];
        let config = config(presets::DWN, &settings);
        let state = train(&config);
        attach(&config, &state, 1).evaluate(&state).unwrap()["select_loss"]
    };
    let (learnt, drawn) = (loss("model.candidates=4096"), loss("model.candidates=0"));
    assert!(learnt < 0.9 * drawn, "{learnt} {drawn}");
}

/// The state after each step, when everything but the state is built anew every `every` steps.
fn hashes(config: &ConfigOf<Dwn>, every: u64, threads: usize) -> Vec<String> {
    let mut state = Dwn::build(config).unwrap();
    let mut dwn = attach(config, &state, threads);
    let mut hashes = Vec::new();
    while !dwn.progress(&state).finished {
        dwn.step(&mut state).unwrap();
        hashes.push(hash_of(&state).unwrap().to_string());
        assert_eq!(dwn.progress(&state).step, hashes.len() as u64);
        if state.step.is_multiple_of(every) {
            dwn.evaluate(&state).unwrap();
            state = from_tree(&to_tree(&state).unwrap()).unwrap();
            dwn = attach(config, &state, threads);
        }
    }
    assert_eq!(dwn.progress(&state).total, Some(hashes.len() as u64));
    hashes
}

#[test]
fn training_goes_on_to_the_same_bits_from_any_step_on_any_number_of_threads() {
    for model in [&["model.inputs=4", "model.candidates=0"][..], &["training.shift=2", "training.spectral=1"]]
    {
        let config = config(presets::DWN, &[&SMALL[..], model].concat());
        let straight = hashes(&config, u64::MAX, 1);
        assert_eq!(straight.len(), 3 * (400 / 70), "what does not fill a batch is left out");
        assert_eq!(hashes(&config, 1, 2), straight);
        assert_eq!(hashes(&config, 4, 3), straight);
    }
}

/// A state is loaded into a blank one: that must have the form of any.
#[test]
fn a_blank_state_has_the_form_of_a_trained_one() {
    let config = config(presets::DWN, &SMALL);
    let (blank, state) = (Dwn::blank(&config).unwrap(), Dwn::build(&config).unwrap());
    assert_eq!(blank.layers.len(), state.layers.len());
    assert_eq!(blank.preparation.fillings.is_some(), state.preparation.fillings.is_some());
}

/// The network in the plainest form: what each layer says of some bits.
fn outputs(config: &ConfigOf<Dwn>, state: &State, bits: &[bool]) -> Vec<bool> {
    let inputs = config.model.inputs;
    let mut before = bits.to_vec();
    for (index, layer) in state.layers.iter().enumerate() {
        let tables = layer.entries.chunks_exact(1 << inputs);
        let read = |table: usize, place: usize| match layer.wires.is_empty() {
            false => layer.wires[table * inputs + place] as usize,
            true => chosen(state, table, inputs, place) % bits.len(),
        };
        let output = |(table, entries): (usize, &[f32])| {
            let entry =
                (0..inputs).map(|place| usize::from(before[read(table, place)]) << place).sum::<usize>();
            entries[entry] > 0.0
        };
        assert!(index == 0 || !layer.wires.is_empty());
        before = tables.enumerate().map(output).collect();
    }
    before
}

/// The column of the candidate with the largest weight, the first of equals.
fn chosen(state: &State, table: usize, inputs: usize, place: usize) -> usize {
    let blocks = state.mapping.blocks.len() / (state.layers[0].entries.len() >> inputs);
    let candidates = blocks * 16;
    let weights = &state.mapping.weights[(table * inputs + place) * candidates..][..candidates];
    let most = weights.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let candidate = weights.iter().position(|&weight| weight == most).unwrap();
    state.mapping.blocks[table * blocks + candidate / 16] as usize * 16 + candidate % 16
}

#[test]
fn a_circuit_says_what_the_tables_say() {
    for settings in [["model.inputs=6", "model.candidates=32"], ["model.inputs=3", "model.candidates=0"]] {
        let config = config(presets::DWN, &[&SMALL[..], &settings].concat());
        let state = train(&config);
        let circuit = |says| state.circuit(&config.model, says).unwrap();
        let (outputs_of, sums, class) = (circuit(Says::Outputs), circuit(Says::Sums), circuit(Says::Class));
        let mut stream = rng::stream(1, 0, 0);
        let mut answers = [0; 10];
        for _ in 0..50 {
            let bits: Vec<bool> = (0..outputs_of.inputs()).map(|_| stream.below(3) == 0).collect();
            let expected = outputs(&config, &state, &bits);
            assert_eq!(outputs_of.evaluate(&bits).unwrap(), expected);
            let mut votes = [0_usize; 10];
            expected.iter().enumerate().for_each(|(output, &vote)| votes[output % 10] += usize::from(vote));
            let number =
                |bits: &[bool]| bits.iter().rev().fold(0, |number, &bit| 2 * number + usize::from(bit));
            let bits_of_sums = sums.evaluate(&bits).unwrap();
            let found: Vec<usize> = bits_of_sums.chunks_exact(bits_of_sums.len() / 10).map(number).collect();
            assert_eq!(found, votes);
            let most = votes.iter().max().unwrap();
            let first = votes.iter().position(|votes| votes == most).unwrap();
            assert_eq!(number(&class.evaluate(&bits).unwrap()), first);
            answers[first] += 1;
        }
        assert!(answers.iter().filter(|&&count| count > 0).count() > 1, "{answers:?}");
    }
}

/// The network that is trained and the circuit that answers are right equally often.
#[test]
fn what_is_measured_in_training_is_what_the_circuit_answers() {
    let config = config(presets::DWN, &[&SMALL[..], &["training.data.select=0.3"]].concat());
    let state = train(&config);
    let mut dwn = attach(&config, &state, 2);
    let accuracy = dwn.evaluate(&state).unwrap()["select_accuracy"];
    let text = dwn.conclude(&state).unwrap().text;
    let right = (accuracy * 150.0).round();
    assert!(text.contains(&format!("select: {right} of 150 examples are right")), "{accuracy}: {text}");
}

#[test]
fn spectral_regularisation_makes_coefficients_smaller() {
    let entries = |spectral: &str| {
        let state = train(&config(presets::DWN, &[&SMALL[..], &[spectral]].concat()));
        state.layers.iter().flat_map(|layer| &layer.entries).map(|entry| entry * entry).sum::<f32>()
    };
    assert!(entries("training.spectral=1") < 0.95 * entries("training.spectral=0"));
}

#[test]
fn a_state_that_does_not_fit_is_refused() {
    let config = config(presets::DWN, &SMALL);
    let whole = Dwn::build(&config).unwrap();
    let refused = |spoil: fn(&mut State)| {
        let mut state = whole.clone();
        spoil(&mut state);
        match Dwn::attach(&config, &state, &Resources::new(1)) {
            Ok(_) => panic!("it was not noticed"),
            Err(error) => error.to_string(),
        }
    };
    let message = refused(|state| state.layers[1].wires[3] = 60);
    assert!(message.contains("`layers.1.wires` reads 60 of 60"), "{message}");
    let message = refused(|state| state.layers[0].entries.truncate(7));
    assert!(message.contains("`layers.0.entries` holds 7 elements, not 3840"), "{message}");
    let message = refused(|state| state.mapping.blocks[0] = 5000);
    assert!(message.contains("`mapping.blocks` reads 5000 of"), "{message}");
    let message = refused(|state| state.mapping.weights.push(0.0));
    assert!(message.contains("`mapping.weights` holds"), "{message}");
    let message = refused(|state| state.preparation.used[0] = 5000);
    assert!(message.contains("reads other bits"), "{message}");
    let message = refused(|state| state.preparation.identity.push('0'));
    assert!(message.contains("other data"), "{message}");
}

#[test]
fn settings_out_of_range_are_refused() {
    for (setting, expected) in [
        ("model.layers=[]", "model.layers"),
        ("model.layers=[100,5]", "5 lookup tables for 10 classes"),
        ("model.layers=[100000000000]", "model.layers.0"),
        ("model.inputs=7", "it must be 2 to 6"),
        ("model.candidates=100", "a multiple of 16"),
        ("model.candidates=1600000", "a multiple of 16 and at most 65536"),
        ("model.temperature=0", "model.temperature"),
        ("model.encoding.bits=0", "model.encoding.bits"),
        ("training.batch=0", "training.batch"),
        ("training.batch=100000", "training.batch"),
        ("training.learning_rate=-1", "training.learning_rate"),
        ("training.spectral=-1", "training.spectral"),
        ("training.data.select=0.95", "together less than 1"),
        ("training.data.images=a", "`training.data.labels` is needed beside it"),
    ] {
        let message = refused(&config(presets::DWN, &[setting]));
        assert!(message.contains(expected), "{setting}: {message}");
    }
    let moved = ["training.shift=1", "model.encoding.kind=quantile"];
    let message = refused(&config(presets::DWN, &moved));
    assert!(message.contains("with `training.shift` pixels must all be encoded alike"), "{message}");
}

/// Sizes that are allowed by themselves, and too large together: nothing is taken for them.
#[test]
fn networks_that_are_too_large_are_refused_before_anything_is_taken() {
    let many = [
        "model.layers=[1000000,1000000,1000000,1000000,1000000,1000000,1000000,1000000,\
                 1000000,1000000,1000000,1000000,1000000,1000000,1000000,1000000]",
        "model.inputs=6",
    ];
    let message = refused(&config(presets::DWN, &[&many[..], &["model.encoding.bits=9"]].concat()));
    assert!(message.contains("would have more than 268435456"), "{message}");
    let message = refused(&config(presets::DWN, &["model.layers=[1000000,20]", "model.candidates=65536"]));
    assert!(message.contains("would have more than 268435456 candidates"), "{message}");
}

/// The environment variable that chooses kernels is read once by each runtime, so that all paths are tried in
/// one test.
#[test]
fn all_kernels_compute_the_same_bits() {
    let expected = hashes(&for_kernels(), u64::MAX, 1);
    for path in KernelPath::available() {
        let run = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "learning::hash_of_the_chosen_kernels", "--nocapture"])
            .env(rekindle_compute::KERNELS_VARIABLE, path.name())
            .env("EXPECTED_HASH", expected.last().unwrap())
            .output()
            .unwrap();
        assert!(run.status.success(), "{path}: {}", String::from_utf8_lossy(&run.stdout));
    }
}

fn for_kernels() -> ConfigOf<Dwn> {
    let settings =
        ["training.epochs=1", "training.data.rows=150", "training.shift=1", "training.spectral=0.1"];
    config(presets::DWN, &[&SMALL[..], &settings].concat())
}

/// What [`all_kernels_compute_the_same_bits`] calls; by itself it checks nothing.
#[test]
fn hash_of_the_chosen_kernels() {
    let Ok(expected) = std::env::var("EXPECTED_HASH") else { return };
    assert_eq!(hashes(&for_kernels(), u64::MAX, 1).last(), Some(&expected));
}
