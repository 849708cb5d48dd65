//! What training and measuring take is known before they begin.

#![allow(clippy::disallowed_methods, reason = "tests make files themselves")]

use rekindle_gpt::Gpt;
use rekindle_reliability::allocation::peak_of;
use rekindle_train::{ConfigOf, ConfigText, Family, Resources, System};

use crate::{alone, holds_in_some_try};

/// The most that is used beyond what was before.
fn peak(work: impl FnOnce()) -> u64 {
    peak_of(work).1 as u64
}

fn config(file: &str, settings: &[&str]) -> ConfigOf<Gpt> {
    let yaml = Gpt::presets().iter().find(|preset| preset.name == "gpt-shakespeare").unwrap().yaml.to_owned();
    let mut all = vec![format!("training.pretraining.data.file={file:?}")];
    all.extend(settings.iter().map(|setting| (*setting).to_owned()));
    ConfigText { origin: "test".to_owned(), yaml }.config(&all).unwrap()
}

#[test]
fn what_is_told_is_what_is_taken() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("text");
    std::fs::write(&file, "all work and no play makes Jack a dull boy. ".repeat(4000)).unwrap();
    let file = file.to_str().unwrap();
    // Of one long sequence, measured on many; of many short ones, with all that costs memory.
    let cases: [&[&str]; 3] = [
        &["model.context=512", "model.heads=16", "training.pretraining.batch=1"],
        &["model.context=48", "training.pretraining.batch=24", "training.parts=3", "model.dropout=0.2"],
        &["model.block=rustgpt", "model.heads=1", "model.context=300", "training.pretraining.batch=6"],
    ];
    for settings in cases {
        holds_in_some_try(|| measured(file, settings));
    }
}

/// The figures, if what is told does not hold.
fn measured(file: &str, settings: &[&str]) -> Result<(), String> {
    let config = config(file, settings);
    let mut state = None;
    let of_state = peak(|| state = Some(Gpt::build(&config).unwrap()));
    let mut state = state.unwrap();
    let need = Gpt::memory(&config, Some(&state)).unwrap();
    let mut gpt = None;
    let training = peak(|| {
        let mut system = Gpt::attach(&config, &state, &Resources::new(2)).unwrap();
        system.step(&mut state).unwrap();
        system.step(&mut state).unwrap();
        gpt = Some(system);
    });
    let mut gpt = gpt.unwrap();
    let evaluation = peak(|| {
        gpt.evaluate(&state).unwrap();
        gpt.conclude(&state).unwrap();
    });
    let holds = need.state <= of_state
        && training <= need.training
        && training * 2 > need.training
        && training + evaluation <= need.training + need.evaluation;
    if holds {
        return Ok(());
    }
    Err(format!(
        "{settings:?}: {need:?}, the state takes {of_state}, training {training}, measuring {evaluation}"
    ))
}
