//! What training takes that learns a table or a text by search is known before it begins.

#![allow(clippy::disallowed_methods, reason = "tests make files themselves")]

use std::fmt::Write;

use rekindle_cascor::Cascor;
use rekindle_dwn::Dwn;
use rekindle_reliability::allocation::peak_of;
use rekindle_train::{ConfigOf, ConfigText, Family, Resources, System};
use rekindle_wisard::Wisard;
use rekindle_wisard::exact::WisardExact;
use rekindle_wnn::Wnn;

use crate::{alone, holds_in_some_try};

fn config<S: Family>(preset: &str, settings: &[&str]) -> ConfigOf<S> {
    let preset = S::presets().iter().find(|known| known.name == preset).unwrap();
    let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
    ConfigText { origin: "test".to_owned(), yaml: preset.yaml.to_owned() }.config(&settings).unwrap()
}

/// Trains to the end: what is told is an upper bound, and of training at most twice what is taken.
fn check<S: Family>(preset: &str, settings: &[&str]) {
    let _alone = alone();
    holds_in_some_try(|| measured::<S>(preset, settings));
}

/// The figures, if what is told does not hold.
fn measured<S: Family>(preset: &str, settings: &[&str]) -> Result<(), String> {
    let config = config::<S>(preset, settings);
    let mut state = None;
    let of_state = peak_of(|| state = Some(S::build(&config).unwrap())).1 as u64;
    let mut state = state.unwrap();
    let need = S::memory(&config, Some(&state)).unwrap();
    // What a state gains as it is trained is a part of the state.
    let grown = if S::NAME == Wisard::NAME { 0 } else { need.state };
    let mut system = None;
    let training = peak_of(|| {
        let mut runtime = S::attach(&config, &state, &Resources::new(2)).unwrap();
        while !runtime.progress(&state).finished {
            runtime.step(&mut state).unwrap();
        }
        system = Some(runtime);
    });
    let (training, mut system) = (training.1 as u64, system.unwrap());
    let evaluation = peak_of(|| {
        system.evaluate(&state).unwrap();
        system.conclude(&state).unwrap();
    });
    let evaluation = evaluation.1 as u64;
    let figures = format!(
        "{preset} {settings:?}: {need:?}, the state {of_state}, training {training}, measuring {evaluation}"
    );
    let holds = training <= need.training + grown
        && 2 * training > need.training
        && training + evaluation <= need.training + grown + need.evaluation;
    if holds { Ok(()) } else { Err(figures) }
}

/// A table of random numbers and three classes.
fn table(rows: usize, columns: usize) -> String {
    let mut stream = rekindle_compute::rng::stream(1, 2, 3);
    let mut text = String::new();
    (0..columns).for_each(|column| write!(text, "c{column},").unwrap());
    text.push_str("kind\n");
    for row in 0..rows {
        (0..columns).for_each(|_| write!(text, "{:.4},", stream.uniform()).unwrap());
        writeln!(text, "{}", ["iris", "lily", "rose"][row % 3]).unwrap();
    }
    text
}

fn with_table(rows: usize, columns: usize, check: impl FnOnce(&str)) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("table.csv");
    std::fs::write(&path, table(rows, columns)).unwrap();
    check(&format!("training.data.file={}", path.display()));
}

#[test]
fn cascade_correlation_takes_what_it_tells() {
    let short = [
        "training.method.juniper.output_epochs=4",
        "training.method.juniper.candidate_epochs=4",
        "training.method.juniper.target_accuracy=1",
    ];
    let of = |settings: &[&'static str]| check::<Cascor>("spirals-juniper", &[&short[..], settings].concat());
    of(&["model.max_hidden=9", "training.method.juniper.pool=8", "training.data.points=6000"]);
    of(&["model.max_hidden=3", "training.method.juniper.pool=40", "training.data.points=3000"]);
    let quick = [
        "training.data.targets=[kind]",
        "training.method.fahlman.output.epochs=2",
        "training.method.fahlman.candidates.epochs=2",
        "model.max_hidden=2",
        "training.method.fahlman.pool=4",
        "training.method.fahlman.patience=0",
    ];
    for (rows, columns) in [(5000, 3), (1100, 40)] {
        with_table(rows, columns, |file| check::<Cascor>("cascade", &[&quick[..], &[file]].concat()));
    }
}

#[test]
fn wisard_takes_what_it_tells() {
    check::<Wisard>("glyphs", &["training.data.rows=5000"]);
    check::<Wisard>("glyphs", &["training.data.rows=3000", "model.encoding.bits=200", "model.tuple_bits=30"]);
    for (rows, columns) in [(5000, 3), (1100, 40)] {
        with_table(rows, columns, |file| check::<Wisard>("wisard", &["training.data.target=kind", file]));
    }
}

#[test]
fn an_exact_wisard_takes_what_it_tells() {
    check::<WisardExact>("wisard-exact", &["training.data.rows=5000"]);
    check::<WisardExact>("wisard-exact", &["model.rams=900", "model.entry_bits=9", "training.data.rows=900"]);
    let ranges = |columns: usize| {
        let ranges: Vec<String> = (0..columns).map(|column| format!("c{column}: [0, 1]")).collect();
        format!("model.ranges={{{}}}", ranges.join(", "))
    };
    for (rows, columns) in [(5000, 3), (1100, 40)] {
        let target = "training.data.target=kind";
        with_table(rows, columns, |file| {
            check::<WisardExact>("wisard-exact", &[target, &ranges(columns), file])
        });
    }
}

#[test]
fn learnt_tables_take_what_they_tell() {
    check::<Dwn>("dwn", &["training.data.rows=5000", "training.epochs=1"]);
    let wide = ["model.layers=[900,700]", "training.batch=500", "training.epochs=1"];
    check::<Dwn>("dwn", &[&wide[..], &["model.candidates=4096", "training.data.rows=2000"]].concat());
    let of_table =
        ["training.data.target=kind", "training.epochs=1", "model.encoding={kind: quantile, bits: 4}"];
    for (rows, columns) in [(5000, 3), (1100, 40)] {
        with_table(rows, columns, |file| check::<Dwn>("dwn", &[&of_table[..], &[file]].concat()));
    }
}

#[test]
fn a_search_takes_what_it_tells() {
    let small = [
        "training.search.population_size=3",
        "training.search.ga_generations=1",
        "training.search.ts_iterations=1",
        "training.search.neighbors_per_iter=4",
        "training.finalists=1",
    ];
    let of = |preset: &str, settings: &[&'static str]| check::<Wnn>(preset, &[&small[..], settings].concat());
    of(
        "wnn-search",
        &[
            "training.data.source=zipf",
            "training.data.vocabulary=400",
            "training.data.train_tokens=80000",
            "model.neurons={least: 1, most: 1}",
        ],
    );
    of(
        "wnn-search-50k",
        &[
            "training.data.vocabulary=1000",
            "training.data.train_tokens=30000",
            "training.data.eval_tokens=6000",
            "training.search.default_bits=25",
            "training.search.default_neurons=8",
            "model.neurons={least: 3, most: 9}",
        ],
    );
}
