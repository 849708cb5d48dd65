//! A phase that is not over gets more steps, or fewer.

use rekindle::hash_of;
use rekindle_gpt::Gpt;
use rekindle_gpt::train::State;
use rekindle_train::{ConfigOf, Resources, System};

/// 24 steps, then as many more as are said.
fn config(tuning: u64) -> ConfigOf<Gpt> {
    let steps = format!("training.tuning.steps={tuning}");
    crate::common::small(&["training.adapt=null", "training.precision=f32", &steps])
}

fn trained(config: &ConfigOf<Gpt>, state: &mut State, until: u64) {
    let mut runtime = crate::common::attach(config, state, 1);
    while state.step < until && !runtime.progress(state).finished {
        runtime.step(state).unwrap();
    }
}

fn change_told(runtime: &Gpt) -> Option<String> {
    runtime.warnings().into_iter().find(|warning| warning.contains("in place of"))
}

fn refused(config: &ConfigOf<Gpt>, state: &State) -> String {
    Gpt::attach(config, state, &Resources::new(1)).err().unwrap().to_string()
}

#[test]
fn a_run_that_has_ended_goes_on_and_says_what_the_learning_rate_does() {
    let mut state = crate::common::initial(&config(16));
    trained(&config(16), &mut state, u64::MAX);
    assert_eq!(state.step, 40);
    let longer = config(32);
    let runtime = crate::common::attach(&longer, &state, 1);
    assert!(!runtime.progress(&state).finished);
    let told = change_told(&runtime).unwrap();
    assert!(told.contains("`training.tuning` has 32 steps in place of 16"), "{told}");
    // Half of the way down from 0.005 to a tenth of it.
    assert!(told.contains("0.002750 where it was 5.000e-4"), "{told}");
    let mut again = state.clone();
    trained(&longer, &mut state, u64::MAX);
    assert_eq!((state.step, state.plan.phases[1].steps), (56, 32));
    // It may be stopped as ever, and is only told once.
    trained(&longer, &mut again, 47);
    assert_eq!(change_told(&crate::common::attach(&longer, &again, 1)), None);
    trained(&longer, &mut again, u64::MAX);
    assert_eq!(hash_of(&again).unwrap(), hash_of(&state).unwrap());
}

#[test]
fn a_change_before_the_phase_begins_is_the_same_as_one_from_the_beginning() {
    let mut state = crate::common::initial(&config(16));
    trained(&config(16), &mut state, 10);
    trained(&config(20), &mut state, u64::MAX);
    let mut straight = crate::common::initial(&config(20));
    trained(&config(20), &mut straight, u64::MAX);
    assert_eq!(hash_of(&state).unwrap(), hash_of(&straight).unwrap());
}

#[test]
fn what_is_done_cannot_be_planned_anew() {
    let mut state = crate::common::initial(&config(16));
    trained(&config(16), &mut state, 34);
    let error = refused(&config(9), &state);
    assert!(error.contains("`training.tuning.steps` is 9") && error.contains("10 steps"), "{error}");
    let other = crate::common::small(&[
        "training.adapt=null",
        "training.precision=f32",
        "training.pretraining.steps=30",
    ]);
    let error = refused(&other, &state);
    assert!(error.contains("`training.pretraining.steps` is 30: the phase is over after 24"), "{error}");
    trained(&config(10), &mut state, u64::MAX);
    assert_eq!(state.step, 34);
}
