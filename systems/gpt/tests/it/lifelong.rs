//! Learning from a teacher, and learning more without forgetting: to the same bits after any stop.

use std::path::Path;

use rekindle::{Run, RunOptions, hash_of};
use rekindle_gpt::Gpt;
use rekindle_gpt::train::State;
use rekindle_train::{ConfigOf, ConfigText, Resources, System, TrainingState};

/// Two phases, the second of which rehearses the first in every way.
const RETAINING: &[&str] = &[
    "training.adapt=null",
    "training.precision=f32",
    "training.tuning.retain={replay: 0.3, self_replay: 0.2, ewc: 2.0, examples: 20}",
];

fn retaining(settings: &[&str]) -> ConfigOf<Gpt> {
    crate::common::small(&[RETAINING, settings].concat())
}

fn train(config: &ConfigOf<Gpt>, state: State) -> State {
    crate::common::hashes(config, state, u64::MAX, 2).1
}

fn trained(config: &ConfigOf<Gpt>) -> State {
    train(config, crate::common::initial(config))
}

/// A run that holds a state, to learn from.
fn teacher(directory: &Path, config: &ConfigOf<Gpt>, state: State) -> String {
    let path = directory.join("teacher");
    let mut run: Run = RunOptions::new().system(Gpt::NAME).versions(Gpt::versions()).create(&path).unwrap();
    let ConfigOf::<Gpt> { seed, model, training, .. } = config.clone();
    run.save(state.step, &TrainingState { seed, model, training, state }).unwrap();
    path.display().to_string()
}

#[test]
fn what_is_retained_is_in_the_state() {
    let config = retaining(&[]);
    let initial = || crate::common::initial(&config);
    let (straight, state) = crate::common::hashes(&config, initial(), u64::MAX, 1);
    assert!(crate::common::hashes(&config, initial(), 1, 2).0 == straight);
    assert!(crate::common::hashes(&config, initial(), 5, 3).0 == straight);
    let retained = state.retained.unwrap();
    assert_eq!((retained.replay.phases, retained.replay.examples.0.len()), (2, 20), "of both phases");
    assert_eq!(retained.generated.0.len(), 20);
    assert!(retained.consolidation.is_some());
}

#[test]
fn each_way_of_retaining_changes_what_is_learnt() {
    let hash = |retain: &str| {
        let config = retaining(&[&format!("training.tuning.retain={retain}")]);
        hash_of(&trained(&config).model).unwrap()
    };
    let plain = hash("null");
    let ways =
        ["{replay: 0.3, examples: 20}", "{self_replay: 0.3, examples: 20}", "{ewc: 5.0, examples: 20}"];
    let hashes = ways.map(hash);
    for (way, found) in ways.iter().zip(hashes) {
        assert_ne!(found, plain, "{way}");
    }
    assert_eq!(hash("{examples: 20}"), plain, "nothing is asked for");
}

#[test]
fn parameters_that_matter_stay_where_they_were() {
    let moved = |strength: &str| {
        let config = retaining(&[&format!("training.tuning.retain={{ewc: {strength}, examples: 50}}")]);
        let state = trained(&config);
        let held = state.retained.unwrap().consolidation.unwrap();
        let numbers = |network: &rekindle_gpt::model::Network| -> Vec<f32> {
            network.arrays().into_iter().flat_map(|(_, _, array)| array.to_vec()).collect()
        };
        let (now, anchor, importance) =
            (numbers(&state.model.network), numbers(&held.anchor), numbers(&held.importance));
        let moves = now.iter().zip(&anchor).zip(&importance);
        moves.map(|((now, anchor), importance)| f64::from((now - anchor).powi(2) * importance)).sum::<f64>()
    };
    let (loose, tight) = (moved("1e-6"), moved("1000.0"));
    assert!(tight < 0.5 * loose, "{tight} {loose}");
}

#[test]
fn a_run_that_is_over_learns_another_text_and_needs_the_earlier_ones_no_more() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        rekindle_formats::files::write(&path, text.repeat(60).as_bytes()).unwrap();
        path.display().to_string()
    };
    let (first, second, third) = (
        write("first.txt", "The sun is hot. The moon is cold. "),
        write("second.txt", "A bird can fly and a fish can swim. "),
        write("third.txt", "Red and blue make violet. "),
    );
    let base = [
        "training.adapt=null".to_owned(),
        "training.precision=f32".to_owned(),
        "training.tuning=null".to_owned(),
        format!("training.pretraining.data={{file: {first}, evaluation: 0.1}}"),
    ];
    let phase = |file: &str| {
        format!(
            "{{data: {{file: {file}, evaluation: 0.1}}, steps: 8, batch: 4, learning_rate: 0.01, \
             retain: {{replay: 0.3, examples: 10}}}}"
        )
    };
    let config = |files: &[&str]| {
        let phases: Vec<String> = files.iter().map(|file| phase(file)).collect();
        let setting = format!("training.continual=[{}]", phases.join(", "));
        let settings: Vec<&str> = base.iter().map(String::as_str).chain([setting.as_str()]).collect();
        crate::common::small(&settings)
    };
    let mut state = trained(&config(&[]));
    assert_eq!(state.step, 24);

    let more = config(&[&second]);
    Gpt::extend(&more, &mut state).unwrap();
    assert_eq!((state.texts.len(), state.plan.phases.len()), (2, 2));
    let (straight, learnt) = crate::common::hashes(&more, state.clone(), u64::MAX, 1);
    assert!(crate::common::hashes(&more, state, 3, 2).0 == straight);
    assert_eq!(learnt.step, 32);

    // What is kept stands for the texts before, of which nothing is left.
    rekindle_formats::files::write(first.as_ref(), b"").unwrap();
    rekindle_formats::files::write(second.as_ref(), b"").unwrap();
    let mut state = learnt;
    let still_more = config(&[&second, &third]);
    Gpt::extend(&still_more, &mut state).unwrap();
    let (straight, learnt) = crate::common::hashes(&still_more, state.clone(), u64::MAX, 1);
    assert!(crate::common::hashes(&still_more, state, 3, 2).0 == straight);
    assert_eq!((learnt.step, learnt.retained.unwrap().replay.phases), (40, 3));
}

#[test]
fn nothing_more_is_learnt_before_training_is_over() {
    let config = retaining(&["training.tuning=null"]);
    let mut state = crate::common::initial(&config);
    let before = state.clone();
    let phase =
        "training.continual=[{data: {source: facts, count: 50}, steps: 4, batch: 4, learning_rate: 0.01}]";
    let more = crate::common::small(&[
        "training.adapt=null",
        "training.precision=f32",
        "training.tuning=null",
        phase,
    ]);
    let error = Gpt::extend(&more, &mut state).unwrap_err().to_string();
    assert!(error.contains("training is not over: 0 of 24 steps are done"), "{error}");
    assert!(state == before, "nothing changed");
}

#[test]
fn a_model_of_texts_learns_dialogues_with_tokens_that_it_did_not_have() {
    let plain = ["training.adapt=null", "training.precision=f32", "training.tuning=null"];
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.txt");
    rekindle_formats::files::write(&path, "Birds fly. Fish swim. ".repeat(50).as_bytes()).unwrap();
    let data = format!("training.pretraining.data={{file: {}}}", path.display());
    let mut state = trained(&crate::common::small(&[&plain[..], &[&data]].concat()));
    let before = state.model.network.vocabulary();
    let phase = "training.continual=[{data: {source: dialogues, count: 50}, steps: 6, batch: 4, learning_rate: 0.01}]";
    let more = crate::common::small(&[&plain[..], &[&data, phase]].concat());
    Gpt::extend(&more, &mut state).unwrap();
    assert_eq!(state.model.network.vocabulary(), before + 3);
    assert_eq!(state.vocabulary_changes.last().unwrap().added, 3);
    let learnt = train(&more, state);
    assert_eq!(learnt.step, 30);
}

/// A teacher, and the settings of its students.
fn taught(directory: &Path, settings: &[&str]) -> (String, Vec<String>) {
    let config =
        crate::common::small(&["training.adapt=null", "training.precision=f32", "training.tuning=null"]);
    let address = teacher(directory, &config, trained(&config));
    let mut all = vec![
        "training.adapt=null".to_owned(),
        "training.precision=f32".to_owned(),
        "training.tuning=null".to_owned(),
        "model={layers: 1, heads: 2, width: 16, context: 24}".to_owned(),
        format!("training.distillation={{teacher: {address}}}"),
    ];
    all.extend(settings.iter().map(|&setting| setting.to_owned()));
    (address, all)
}

fn student(settings: &[String]) -> ConfigOf<Gpt> {
    crate::common::small(&settings.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_student_learns_to_the_same_bits_and_nearer_to_its_teacher() {
    let directory = tempfile::tempdir().unwrap();
    let mapped: &[&str] = &["training.distillation.vocabulary=mapped", "training.tokenizer.vocabulary=270"];
    for settings in [&[][..], mapped] {
        let (_, settings) = taught(&directory.path().join(settings.len().to_string()), settings);
        let config = student(&settings);
        let initial = || crate::common::initial(&config);
        let (straight, _) = crate::common::hashes(&config, initial(), u64::MAX, 1);
        assert!(crate::common::hashes(&config, initial(), 5, 3).0 == straight);
        let mut state = initial();
        let mut runtime = crate::common::attach(&config, &state, 2);
        let mut divergences = Vec::new();
        while !runtime.progress(&state).finished {
            divergences.push(runtime.step(&mut state).unwrap()["divergence"]);
        }
        assert!(divergences[23] < 0.8 * divergences[0], "{divergences:?}");
        let is_told = runtime.warnings().iter().any(|warning| warning.contains("are compared on those"));
        assert_eq!(is_told, settings.len() > 5);
    }
}

#[test]
fn a_teacher_that_cannot_teach_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (address, settings) = taught(directory.path(), &[]);
    let refused = |changes: &[&str]| {
        let all: Vec<String> =
            settings.iter().cloned().chain(changes.iter().map(|&text| text.to_owned())).collect();
        crate::common::refused(&student(&all))
    };
    let nowhere = refused(&["training.distillation.teacher=runs/nowhere@best"]);
    assert!(nowhere.contains("cannot read the checkpoint `runs/nowhere@best`"), "{nowhere}");
    let long = refused(&["model={layers: 1, heads: 2, width: 16, context: 32}"]);
    assert!(long.contains("has 32 tokens, but the model sees at most 24"), "{long}");
    let absent = refused(&["training.distillation={temperature: 2.0}"]);
    assert!(absent.contains("name a checkpoint of another run"), "{absent}");
    let cold = refused(&["training.distillation.temperature=0"]);
    assert!(cold.contains("from 0.1 to 100 is possible"), "{cold}");

    // A student with tokens of its own.
    let own: Vec<String> = settings.iter().filter(|text| !text.contains("distillation")).cloned().collect();
    let state = crate::common::initial(&student(
        &[&own[..], &["training.tokenizer.vocabulary=270".to_owned()]].concat(),
    ));
    let config =
        ConfigText { origin: "x".to_owned(), yaml: serde_json::to_string(&student(&settings)).unwrap() };
    let config: ConfigOf<Gpt> = config.config(&[]).unwrap();
    let error = Gpt::attach(&config, &state, &Resources::new(1)).err().unwrap().to_string();
    assert!(error.contains("`mapped` compares them on those that both have"), "{error}");

    let run = RunOptions::new().system("logic").create(directory.path().join("other")).unwrap();
    drop(run);
    let empty =
        refused(&[&format!("training.distillation.teacher={}", directory.path().join("other").display())]);
    assert!(empty.contains("has no checkpoint yet"), "{empty}");
    assert!(!address.is_empty());
}
