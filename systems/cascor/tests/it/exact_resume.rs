//! Training goes on to the same bits from any epoch, on any number of threads, on any kernel path.

use rekindle::{from_tree, hash_of, to_tree};
use rekindle_cascor::{Cascor, Ending, Method, State, presets};
use rekindle_compute::KernelPath;
use rekindle_train::ConfigOf;

/// The state after each step, when everything but the state is built anew every `every` steps.
fn hashes(
    config: &ConfigOf<Cascor>,
    steps: u64,
    every: u64,
    threads: usize,
    path: KernelPath,
) -> Vec<String> {
    let mut state = crate::common::initial(&config.model, &config.training, 1);
    let mut trainer = crate::common::attach(config, 1, &state, threads, path);
    let mut hashes = Vec::new();
    for step in 1..=steps {
        trainer.step(&mut state);
        hashes.push(hash_of(&state).unwrap().to_string());
        if step % every == 0 {
            state = from_tree(&to_tree(&state).unwrap()).unwrap();
            trainer = crate::common::attach(config, 1, &state, threads, path);
        }
        if trainer.is_finished(&state) {
            break;
        }
    }
    hashes
}

#[test]
fn every_epoch_of_every_phase_can_be_gone_on_from() {
    for (config, steps) in [(crate::common::spirals(), 500), (crate::common::small_juniper(), 300)] {
        let straight = hashes(&config, steps, u64::MAX, 1, KernelPath::best());
        assert_eq!(hashes(&config, steps, 1, 1, KernelPath::best()), straight);
        assert!(straight.len() > 250);
    }
}

#[test]
fn threads_and_kernel_paths_change_nothing() {
    for (config, steps) in [(crate::common::spirals(), 300), (crate::common::small_juniper(), 200)] {
        let expected = hashes(&config, steps, u64::MAX, 1, KernelPath::best());
        for path in KernelPath::available() {
            for threads in [1, 2, 3] {
                assert_eq!(hashes(&config, steps, 100, threads, path), expected, "{path}, {threads} threads");
            }
        }
    }
}

/// So many examples that they are split and handed to threads.
#[test]
fn large_data_is_split_and_the_result_is_the_same() {
    let config = crate::common::config(
        rekindle_cascor::presets::SPIRALS_JUNIPER,
        &[
            "training.data.points=5000",
            "training.method.juniper.output_epochs=5",
            "training.method.juniper.candidate_epochs=5",
            "training.method.juniper.pool=10",
        ],
    );
    let expected = hashes(&config, 30, u64::MAX, 1, KernelPath::best());
    assert_eq!(hashes(&config, 30, 7, 2, KernelPath::best()), expected);
}

#[test]
fn a_network_that_ended_may_grow_on() {
    let mut config = crate::common::spirals();
    config.model.max_hidden = 3;
    let state: State = crate::common::train(&config, 1);
    assert_eq!(state.network.hidden.len(), 3);
    config.model.max_hidden = 25;
    let mut grown = state;
    let mut trainer = crate::common::attach(&config, 1, &grown, 1, KernelPath::best());
    while !trainer.is_finished(&grown) {
        trainer.step(&mut grown);
    }
    let straight = crate::common::train(&crate::common::spirals(), 1);
    // One more epoch of the output layer comes first, so that the next units are others.
    assert_eq!(grown.network.hidden[..3], straight.network.hidden[..3]);
    assert_eq!(grown.ending, Some(Ending::Solved));
}

#[test]
fn a_state_that_does_not_fit_is_refused() {
    let config = crate::common::spirals();
    let mut state = crate::common::initial(&config.model, &config.training, 1);
    let mut trainer = crate::common::attach(&config, 1, &state, 1, KernelPath::best());
    for _ in 0..150 {
        trainer.step(&mut state);
    }
    let refuse = |change: &dyn Fn(&mut State)| {
        let mut changed = state.clone();
        change(&mut changed);
        changed.validate(&config.model, &config.training).unwrap_err().to_string()
    };
    assert!(refuse(&|state| state.network.output_weights.push(0.0)).contains("output layer"));
    assert!(refuse(&|state| state.network.output_weights[0] = f32::NAN).contains("not finite"));
    assert!(refuse(&|state| state.network.inputs = 3).contains("weights"));
    assert!(refuse(&|state| state.preparation.inputs.clear()).contains("0 and 1"));
    let other = crate::common::small_juniper();
    let error = state.validate(&other.model, &other.training).unwrap_err().to_string();
    assert!(error.contains("another method"), "{error}");
}

/// What is not a number is reported, in whatever phase it comes about: the loop stops at it.
#[test]
fn numbers_that_are_none_are_told() {
    // Outputs between -1/2 and 1/2 stay there.
    let mut fahlman = crate::common::config(presets::SPIRALS, &["model.output=linear"]);
    let mut of_candidates = crate::common::spirals();
    if let (Method::Fahlman(method), Method::Fahlman(other)) =
        (&mut fahlman.training.method, &mut of_candidates.training.method)
    {
        method.output.epsilon = 1e38;
        other.candidates.epsilon = 1e300;
    }
    let mut juniper = crate::common::small_juniper();
    if let Method::Juniper(method) = &mut juniper.training.method {
        method.candidate_learning_rate = 1e300;
    }
    for config in [fahlman, of_candidates, juniper] {
        let mut state = crate::common::initial(&config.model, &config.training, 1);
        let mut trainer = crate::common::attach(&config, 1, &state, 1, KernelPath::best());
        let reported = (0..400).any(|_| {
            let metrics = trainer.step(&mut state);
            !metrics.train_loss.is_finite() || metrics.correlation.is_some_and(|value| !value.is_finite())
        });
        assert!(reported, "{:?}", config.training.method);
    }
}
