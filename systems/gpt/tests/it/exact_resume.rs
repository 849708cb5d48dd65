//! Training goes on to the same bits from any step, on any number of threads, while the vocabulary
//! grows and is pruned, numbers are left out, and gradients are stored in 16 bits.

use rekindle::{from_tree, hash_of, to_tree};
use rekindle_compute::rng::{self, Stream};
use rekindle_gpt::Gpt;
use rekindle_gpt::train::State;
use rekindle_train::{ConfigOf, System};

/// As [`crate::common::hashes`], from a state whose loss scale is so large that gradients overflow.
fn hashes(config: &ConfigOf<Gpt>, every: u64, threads: usize) -> (Vec<String>, State) {
    let mut state = crate::common::initial(config);
    state.scaler.as_mut().unwrap().scale = 16_777_216.0;
    crate::common::hashes(config, state, every, threads)
}

#[test]
fn every_step_can_be_gone_on_from_on_any_number_of_threads() {
    let config = crate::common::small(&[]);
    let (straight, state) = hashes(&config, u64::MAX, 1);
    assert_eq!(straight.len(), 40);
    assert!(hashes(&config, 1, 2).0 == straight);
    assert!(hashes(&config, 7, 3).0 == straight);

    let (added, removed) = state
        .vocabulary_changes
        .iter()
        .fold((0, 0), |(added, removed), change| (added + change.added, removed + change.removed));
    assert!(added > 40 && removed > 5, "{added} {removed}");
    assert!(state.vocabulary_changes.iter().any(|change| change.step > 24), "in the second phase too");
    assert!(state.scaler.is_some_and(|scaler| scaler.skipped > 0));
    assert!(state.model.network.vocabulary() <= 340);
}

#[test]
fn a_thousand_tokens_that_grew_in_use_are_there_after_a_resume() {
    let config = crate::common::small(&[
        "training.adapt.every=2000",
        "training.adapt.rows=mean",
        "training.adapt.policy={limit: 1400, least_count: 2, most_at_once: 500}",
        "training.pretraining.steps=50",
        "training.pretraining.batch=8",
    ]);
    let (straight, state) = hashes(&config, u64::MAX, 2);
    let added: u32 = state.vocabulary_changes.iter().map(|change| change.added).sum();
    assert!(added >= 1000, "{added}");
    assert_eq!(state.model.tokenizer().len(), state.model.network.vocabulary());
    assert!(hashes(&config, 10, 1).0 == straight);
}

#[test]
fn measuring_changes_nothing() {
    let config = crate::common::small(&[]);
    let mut state = crate::common::initial(&config);
    state.scaler.as_mut().unwrap().scale = 16_777_216.0;
    let mut runtime = crate::common::attach(&config, &state, 2);
    let mut measured = Vec::new();
    while !runtime.progress(&state).finished {
        runtime.step(&mut state).unwrap();
        measured.push(runtime.evaluate(&state).unwrap());
    }
    let (straight, expected) = hashes(&config, u64::MAX, 1);
    assert_eq!(hash_of(&state).unwrap().to_string(), *straight.last().unwrap());
    assert_eq!(state, expected);
    assert!(measured.iter().all(|metrics| metrics.keys().any(|name| name.ends_with("validation_loss"))));
}

#[test]
fn it_learns() {
    let config =
        crate::common::small(&["training.pretraining.steps=200", "training.adapt=null", "model.dropout=0"]);
    let mut state = crate::common::initial(&config);
    let mut runtime = crate::common::attach(&config, &state, 2);
    let before = runtime.evaluate(&state).unwrap()["pretraining.bits_per_byte"];
    while state.step < 200 {
        runtime.step(&mut state).unwrap();
    }
    // The phase that follows is another one.
    state.step -= 1;
    let after = runtime.evaluate(&state).unwrap()["pretraining.bits_per_byte"];
    assert!(after < 0.6 * before, "{before} {after}");
}

/// Dialogues of which some questions fill the context until tokens have grown.
const EPOCHS: &[&str] = &[
    "model={layers: 1, heads: 2, width: 16, context: 16}",
    "training.precision=f32",
    "training.pretraining.data={source: dialogues, count: 80, evaluation: 0.1}",
    "training.pretraining.steps=null",
    "training.pretraining.epochs=4",
    "training.pretraining.batch=2",
    "training.pretraining.accumulate=1",
    "training.tuning=null",
    "training.adapt.every=300",
    "training.adapt.rows=mean",
    "training.adapt.policy={limit: 420, least_count: 2, most_at_once: 30}",
];

/// The end of a run that is built anew at random steps with random numbers of threads; without draws it
/// is never interrupted. The hash of the state of every step.
fn run(config: &ConfigOf<Gpt>, mut draws: Option<&mut Stream>) -> (Vec<String>, State) {
    let mut state = crate::common::initial(config);
    let mut runtime = crate::common::attach(config, &state, 1);
    let mut hashes = Vec::new();
    while !runtime.progress(&state).finished {
        runtime.step(&mut state).unwrap();
        hashes.push(hash_of(&state).unwrap().to_string());
        let Some(draws) = draws.as_deref_mut() else { continue };
        if draws.below(4) > 0 {
            continue;
        }
        state = from_tree(&to_tree(&state).unwrap()).unwrap();
        runtime = crate::common::attach(config, &state, 1 + draws.below(3) as usize);
        if draws.below(2) == 0 {
            runtime.evaluate(&state).unwrap();
        }
    }
    (hashes, state)
}

#[test]
fn epochs_end_at_the_same_step_whatever_tokens_have_grown() {
    let config = crate::common::small(EPOCHS);
    let (straight, state) = run(&config, None);
    assert!(!state.vocabulary_changes.is_empty(), "the vocabulary grew");
    assert_eq!(run(&config, Some(&mut rng::stream(1, 0, 0))).0, straight);
}

#[test]
fn long_texts_are_learnt_in_windows_however_tokens_grow() {
    let directory = tempfile::tempdir().unwrap();
    let texts: Vec<String> =
        (0..12).map(|number| format!("{number} ") + &"A text that goes on. ".repeat(number)).collect();
    let path = directory.path().join("texts.json");
    rekindle_formats::files::write(&path, serde_json::to_string(&texts).unwrap().as_bytes()).unwrap();
    let data = format!("training.pretraining.data={{file: {}, evaluation: 0.1}}", path.display());
    let config = crate::common::small(&[&EPOCHS[..2], &[&data], &EPOCHS[3..]].concat());
    let (straight, state) = run(&config, None);
    assert!(!state.vocabulary_changes.is_empty());
    assert_eq!(run(&config, Some(&mut rng::stream(2, 0, 0))).0, straight);
}

#[test]
fn a_phase_ends_early_at_the_same_step_wherever_it_was_stopped() {
    let config = crate::common::small(&[
        "training.adapt=null",
        "training.precision=f32",
        "training.pretraining.steps=400",
        "training.pretraining.data={source: facts, count: 40, evaluation: 0.3}",
        "training.pretraining.early_stopping={every: 3, patience: 2, min_improvement: 0.02}",
    ]);
    let (straight, state) = run(&config, None);
    let plan = &state.plan.phases;
    assert!(plan[0].ended && plan[0].steps < 400 && plan[0].steps.is_multiple_of(3), "{plan:?}");
    assert_eq!((plan[1].steps, state.step), (16, plan[0].steps + 16));
    assert_eq!(state.patience, None);
    assert_eq!(run(&config, Some(&mut rng::stream(3, 0, 0))).0, straight);
}
