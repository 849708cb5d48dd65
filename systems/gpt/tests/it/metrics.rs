//! Metrics mean what they say.

use std::collections::BTreeSet;

use rekindle_formats::files;
use rekindle_gpt::Gpt;
use rekindle_gpt::model::Layer;
use rekindle_gpt::train::State;
use rekindle_train::{ConfigOf, Metrics, System};

/// All metrics of a run, in their order, and its last state.
fn trained(config: &ConfigOf<Gpt>) -> (Vec<Metrics>, State) {
    let mut state = crate::common::initial(config);
    let mut runtime = crate::common::attach(config, &state, 2);
    let mut measured = Vec::new();
    while !runtime.progress(&state).finished {
        measured.push(runtime.step(&mut state).unwrap());
        measured.push(runtime.evaluate(&state).unwrap());
    }
    measured.push(runtime.conclude(&state).unwrap().metrics);
    (measured, state)
}

#[test]
fn what_is_measured_was_declared_and_phases_have_names_of_their_own() {
    let config = crate::common::small(&["training.tuning.data.test=0.1", "training.adapt.rows=mean"]);
    let (measured, _) = trained(&config);
    let names: BTreeSet<&String> = measured.iter().flat_map(Metrics::keys).collect();
    let declared = Gpt::measures(&config);
    assert_eq!(names, declared.iter().collect());
    // Of the 24 steps of pretraining, the last is followed by tuning.
    for metrics in measured.iter().take(2 * 23) {
        assert!(!metrics.contains_key("validation_loss") && !metrics.contains_key("loss"), "{metrics:?}");
    }
    for metrics in measured.iter().skip(2 * 24) {
        assert!(metrics.keys().all(|name| !name.starts_with("pretraining.")), "{metrics:?}");
    }
    let place = |name: &str| declared.iter().position(|declared| declared == name).unwrap();
    assert!(place("bits_per_byte") < place("validation_loss"), "a loss a token is not comparable here");
}

#[test]
fn a_loss_a_token_does_not_choose_where_the_vocabulary_changes() {
    let best = ["best.metric=validation_loss", "best.goal=min"];
    let message = crate::common::refused(&crate::common::small(&best));
    assert!(message.contains("best.metric") && message.contains("bits_per_byte"), "{message}");
    crate::common::initial(&crate::common::small(&[&best[..], &["training.adapt=null"]].concat()));
}

/// Learns files in both phases, as a user of the preset `gpt` does.
fn of_files(directory: &std::path::Path, settings: &[&str]) -> ConfigOf<Gpt> {
    let text = "A text of one's own about the sea. ".repeat(60);
    let dialogue = |number: usize| {
        format!(
            r#"{{"messages":[{{"role":"user","content":"Who is number {number}?"}},{{"role":"assistant","content":"Number {number} is a long answer that goes on."}}]}}"#
        )
    };
    let dialogues: Vec<String> = (0..20).map(dialogue).collect();
    let (a, b) = (directory.join("a.txt"), directory.join("b.json"));
    files::write(&a, text.as_bytes()).unwrap();
    files::write(&b, format!("[{}]", dialogues.join(",")).as_bytes()).unwrap();
    let (a, b) = (
        format!("training.pretraining.data.file={}", a.display()),
        format!("training.tuning.data.file={}", b.display()),
    );
    crate::common::small(&[&["training.adapt=null", &a[..], &b], settings].concat())
}

#[test]
fn a_text_of_ones_own_is_not_examined_about_another() {
    let directory = tempfile::tempdir().unwrap();
    let config = of_files(directory.path(), &["model.context=96"]);
    let (measured, _) = trained(&config);
    assert!(measured.iter().flat_map(Metrics::keys).all(|name| !name.contains("examination")));
    let generated = crate::common::small(&["training.adapt=null"]);
    let (measured, _) = trained(&generated);
    assert!(measured.last().unwrap().contains_key("examination"));
}

#[test]
fn what_does_not_fit_into_the_context_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let notices = |context: &str| {
        let config = of_files(directory.path(), &[context, "training.tokenizer.kind=bytes"]);
        let state = crate::common::initial(&config);
        crate::common::attach(&config, &state, 1).warnings()
    };
    assert!(notices("model.context=96").is_empty());
    let notices = notices("model.context=40");
    assert!(
        notices.len() == 1 && notices[0].contains("20 of 20") && notices[0].contains("context of 40"),
        "{notices:?}"
    );
}

#[test]
fn bits_a_byte_are_those_of_the_bytes_that_are_predicted() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("texts.json");
    let texts: Vec<String> =
        (0..30).map(|number| format!("{number}: ") + &"abc de".repeat(60 + number)).collect();
    files::write(&path, serde_json::to_string(&texts).unwrap().as_bytes()).unwrap();
    let data = format!("training.pretraining.data={{file: {}, evaluation: 0.2, test: 0.2}}", path.display());
    let config = crate::common::small(&[
        "model.context=32",
        "training.tokenizer.kind=bytes",
        "training.adapt=null",
        "training.tuning=null",
        &data,
    ]);
    let (measured, _) = trained(&config);
    // A byte is a token, and every text has one target more, its end.
    for metrics in measured.iter().filter(|metrics| metrics.contains_key("validation_loss")) {
        let ratio = metrics["bits_per_byte"] / (metrics["validation_loss"] / std::f64::consts::LN_2);
        assert!((1.0..1.01).contains(&ratio), "{ratio}");
    }
    assert!(measured.last().unwrap().contains_key("test_bits_per_byte"));
}

#[test]
fn a_gradient_that_is_not_finite_is_told() {
    let config = crate::common::small(&["training.adapt=null", "training.precision=f32", "model.dropout=0"]);
    let mut state = crate::common::initial(&config);
    let network = &mut state.model.network;
    // Scores stay as they are, but a map that is that small has a gradient that is that large.
    let Some(Layer::Norm(norm)) = network.layers.last_mut() else { panic!("the last layer is a norm") };
    norm.gain.iter_mut().for_each(|gain| *gain *= 1e25);
    let output = network.output.as_mut().unwrap();
    output.weight.as_mut_slice().iter_mut().for_each(|weight| *weight *= 1e-25);
    let mut runtime = crate::common::attach(&config, &state, 1);
    let metrics = runtime.step(&mut state).unwrap();
    assert!(metrics["pretraining.loss"].is_finite() && !metrics["gradient_norm"].is_finite(), "{metrics:?}");
}
