//! Training: digits are learnt, and the bits depend on nothing but the config.

use rekindle::{from_tree, hash_of, to_tree};
use rekindle_compute::KernelPath;
use rekindle_lgn::{Lgn, Says, State, presets};
use rekindle_train::{ConfigOf, Family, System};

use crate::support::{SMALL, attach, config, train};

const TREES: &str = "model.convolutions=[{kernels: 12, window: 3, depth: 3, padding: 1, pool: 2}, \
                     {kernels: 20, window: 2, depth: 2}]";

#[test]
fn digits_are_learnt_shown_and_described() {
    let config = config(presets::DIGITS, &["training.epochs=8", "training.learning_rate=0.1"]);
    let state = train(&config);
    let mut lgn = attach(&config, &state, 2);
    let metrics = lgn.evaluate(&state).unwrap();
    assert!(metrics["select_accuracy"] > 0.9 && metrics["select_soft_accuracy"] > 0.92, "{metrics:?}");
    assert!(!metrics.contains_key("test_accuracy"), "nothing is to be chosen by it: {metrics:?}");
    let conclusion = lgn.conclude(&state).unwrap();
    assert!(conclusion.metrics["test_accuracy"] > 0.9, "{:?}", conclusion.metrics);
    assert!(conclusion.text.contains("of 400 examples are right"), "{}", conclusion.text);
    let described = Lgn::capabilities().describe.unwrap()(&config, &state).unwrap();
    assert!(described.contains("pictures of 8 by 8 pixels") && described.contains("layer of 1000 gates"));
    assert!(conclusion.text.starts_with(&described), "{}", conclusion.text);
}

#[test]
fn convolutions_learn_digits() {
    let settings = [
        TREES,
        "model.layers=[600]",
        "training.epochs=12",
        "training.learning_rate=0.05",
        "training.shift=1",
    ];
    let config = config(presets::DIGITS, &settings);
    let state = train(&config);
    let metrics = attach(&config, &state, 2).evaluate(&state).unwrap();
    assert!(metrics["select_accuracy"] > 0.8, "{metrics:?}");
}

/// The state after each step, when everything but the state is built anew every `every` steps.
fn hashes(config: &ConfigOf<Lgn>, every: u64, threads: usize) -> Vec<String> {
    let mut state = Lgn::build(config).unwrap();
    let mut lgn = attach(config, &state, threads);
    let mut hashes = Vec::new();
    while !lgn.progress(&state).finished {
        lgn.step(&mut state).unwrap();
        hashes.push(hash_of(&state).unwrap().to_string());
        assert_eq!(lgn.progress(&state).step, hashes.len() as u64);
        if state.step.is_multiple_of(every) {
            lgn.evaluate(&state).unwrap();
            state = from_tree(&to_tree(&state).unwrap()).unwrap();
            lgn = attach(config, &state, threads);
        }
    }
    assert_eq!(lgn.progress(&state).total, Some(hashes.len() as u64));
    hashes
}

#[test]
fn training_goes_on_to_the_same_bits_from_any_step_on_any_number_of_threads() {
    for model in [&["model.start=normal"][..], &[TREES, "training.shift=2"]] {
        let config = config(presets::DIGITS, &[&SMALL[..], model].concat());
        let straight = hashes(&config, u64::MAX, 1);
        assert_eq!(straight.len(), 3 * (400 / 70), "what does not fill a batch is left out");
        assert_eq!(hashes(&config, 1, 2), straight);
        assert_eq!(hashes(&config, 4, 3), straight);
    }
}

/// A state is loaded into a blank one: that must have the form of any.
#[test]
fn a_blank_state_has_the_form_of_a_trained_one() {
    let config = config(presets::DIGITS, &SMALL);
    let (blank, state) = (Lgn::blank(&config).unwrap(), Lgn::build(&config).unwrap());
    assert_eq!(blank.layers.len(), state.layers.len());
    assert_eq!(blank.preparation.fillings.is_some(), state.preparation.fillings.is_some());
}

#[test]
fn a_circuit_says_what_its_sums_say() {
    let config = config(presets::DIGITS, &[&SMALL[..], &[TREES]].concat());
    let state = train(&config);
    let circuit = |says| state.circuit(&config.model, says).unwrap();
    let (outputs, sums, class) = (circuit(Says::Outputs), circuit(Says::Sums), circuit(Says::Class));
    let mut stream = rekindle_compute::rng::stream(1, 0, 0);
    let mut answers = [0; 10];
    for _ in 0..50 {
        let inputs: Vec<bool> = (0..outputs.inputs()).map(|_| stream.below(3) == 0).collect();
        let mut expected = [0_usize; 10];
        for (output, value) in outputs.evaluate(&inputs).unwrap().into_iter().enumerate() {
            expected[output % 10] += usize::from(value);
        }
        let number = |bits: &[bool]| bits.iter().rev().fold(0, |number, &bit| 2 * number + usize::from(bit));
        let bits = sums.evaluate(&inputs).unwrap();
        let found: Vec<usize> = bits.chunks_exact(bits.len() / 10).map(number).collect();
        assert_eq!(found, expected);
        let most = expected.iter().max().unwrap();
        let first = expected.iter().position(|sum| sum == most).unwrap();
        assert_eq!(number(&class.evaluate(&inputs).unwrap()), first);
        answers[first] += 1;
    }
    assert!(answers.iter().filter(|&&count| count > 0).count() > 1, "{answers:?}");
}

#[test]
fn a_state_that_does_not_fit_is_refused() {
    let config = config(presets::DIGITS, &SMALL);
    let whole = Lgn::build(&config).unwrap();
    let refused = |spoil: fn(&mut State)| {
        let mut state = whole.clone();
        spoil(&mut state);
        match Lgn::attach(&config, &state, &rekindle_train::Resources::new(1)) {
            Ok(_) => panic!("it was not noticed"),
            Err(error) => error.to_string(),
        }
    };
    let message = refused(|state| state.layers[1].wires[3] = 300);
    assert!(message.contains("`layers.1.wires` reads 300 of 300"), "{message}");
    let message = refused(|state| state.layers[0].logits.truncate(7));
    assert!(message.contains("`layers.0.logits` holds 7 elements, not 4800"), "{message}");
    let message = refused(|state| state.preparation.used[0] = 5000);
    assert!(message.contains("reads other bits"), "{message}");
    let message = refused(|state| state.preparation.identity.push('0'));
    assert!(message.contains("other data"), "{message}");
}

#[test]
fn settings_out_of_range_are_refused() {
    for (setting, expected) in [
        ("model.layers=[]", "model.layers"),
        ("model.layers=[100,5]", "5 gates for 10 classes"),
        ("model.temperature=0", "model.temperature"),
        ("model.encoding.bits=0", "model.encoding.bits"),
        ("model.convolutions=[{kernels: 4, window: 9, depth: 1}]", "a window of 9"),
        ("model.convolutions=[{kernels: 4, window: 3, depth: 4}]", "model.convolutions.0.depth"),
        ("training.batch=0", "training.batch"),
        ("training.learning_rate=-1", "training.learning_rate"),
        ("training.data.select=0.95", "together less than 1"),
        ("training.data.images=a", "`training.data.labels` is needed beside it"),
    ] {
        let message = crate::support::refused(&config(presets::DIGITS, &[setting]));
        assert!(message.contains(expected), "{setting}: {message}");
    }
    let moved = ["training.shift=1", "model.encoding.kind=gaussian"];
    let message = crate::support::refused(&config(presets::DIGITS, &moved));
    assert!(message.contains("with `training.shift` pixels must all be encoded alike"), "{message}");
}

/// The environment variable that chooses kernels is read once by each runtime, so that all paths are tried in
/// one test.
#[test]
fn all_kernels_compute_the_same_bits() {
    let settings = [&SMALL[..], &[TREES, "training.epochs=1", "training.data.rows=150"]].concat();
    let config = config(presets::DIGITS, &settings);
    let expected = hashes(&config, u64::MAX, 1);
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

/// What [`all_kernels_compute_the_same_bits`] calls; by itself it checks nothing.
#[test]
fn hash_of_the_chosen_kernels() {
    let Ok(expected) = std::env::var("EXPECTED_HASH") else { return };
    let settings = [&SMALL[..], &[TREES, "training.epochs=1", "training.data.rows=150"]].concat();
    let config = config(presets::DIGITS, &settings);
    assert_eq!(hashes(&config, u64::MAX, 1).last(), Some(&expected));
}
