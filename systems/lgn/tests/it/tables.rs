//! Tables: learnt, asked and refused.

use std::fmt::Write;

use rekindle_formats::table::{Column, Table, Values};
use rekindle_lgn::Lgn;
use rekindle_train::{ConfigOf, System};

use crate::support::{attach, of_files, predict, refused, train};

/// A flower's kind by two lengths, three kinds.
fn flowers() -> String {
    let mut text = "length,width,kind\n".to_owned();
    for index in 0..300 {
        let (kind, spread) = (index % 3, f64::from(index % 7) / 10.0);
        let name = ["iris", "lily", "rose"][kind as usize];
        writeln!(text, "{},{},{name}", f64::from(kind) * 10.0 + spread, 300.0 - spread * f64::from(kind))
            .unwrap();
    }
    text
}

fn of_text(text: &str, settings: &[&str]) -> (tempfile::TempDir, ConfigOf<Lgn>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("table.csv");
    std::fs::write(&path, text).unwrap();
    let file = path.to_str().unwrap();
    let config = of_files(&[file], &[&["training.data.target=kind", "training.batch=32"], settings].concat());
    (dir, config)
}

#[test]
fn a_table_is_learnt_and_asked() {
    let settings = ["model.encoding={kind: quantile, bits: 6}", "training.epochs=60"];
    let (_dir, config) = of_text(&flowers(), &settings);
    let state = train(&config);
    let metrics = attach(&config, &state, 1).conclude(&state).unwrap().metrics;
    assert!(metrics["test_accuracy"] > 0.95, "{metrics:?}");
    let numbers = |name: &str, values: [f64; 3]| Column {
        name: name.to_owned(),
        values: Values::Numbers(values.to_vec()),
    };
    let table =
        Table::new(vec![numbers("width", [300.0, 299.7, 299.4]), numbers("length", [0.2, 10.3, 20.1])])
            .unwrap();
    let answers = predict(&config, &state, &table).unwrap();
    let kinds = ["iris", "lily", "rose"].map(str::to_owned).to_vec();
    assert_eq!(answers.class_column().unwrap().values, Values::Text(kinds));
    let shares = answers.probabilities.unwrap().shares;
    let sum: f64 = shares.iter().map(|shares| shares[1]).sum();
    assert!((sum - 1.0).abs() < 1e-9 && shares[1][1] > 0.5, "{shares:?}");
    let error = predict(&config, &state, &Table::new(vec![numbers("width", [1.0; 3])]).unwrap());
    assert!(error.unwrap_err().to_string().contains("no column `length`"));
}

#[test]
fn gaps_are_refused_by_row_and_column_left_out_or_filled() {
    let text = flowers().replace("0.1,", ",");
    let (_dir, config) = of_text(&text, &[]);
    let message = refused(&config);
    assert!(message.contains("column `length` has no value in row"), "{message}");
    let (_dir, config) = of_text(&text, &["training.data.missing=drop"]);
    let state = train(&config);
    let warnings = attach(&config, &state, 1).warnings();
    assert!(warnings[0].contains("rows are left out, as a value is missing"), "{warnings:?}");
    let (_dir, config) = of_text(&text, &["training.data.missing=mean"]);
    let state = train(&config);
    assert!(state.preparation.fillings.is_some());
    let gap = |name: &str, value: f64| Column { name: name.to_owned(), values: Values::Numbers(vec![value]) };
    let table = Table::new(vec![gap("length", f64::NAN), gap("width", 299.0)]).unwrap();
    assert_eq!(predict(&config, &state, &table).unwrap().table.rows(), 1);
}

#[test]
fn what_is_for_pictures_is_refused_for_tables() {
    let (_dir, config) = of_text(&flowers(), &["model.convolutions=[{kernels: 4, window: 1, depth: 1}]"]);
    assert!(refused(&config).contains("`model.convolutions` is for pictures"), "{}", refused(&config));
    let (_dir, config) = of_text(&flowers(), &["training.shift=1"]);
    assert!(refused(&config).contains("`training.shift` is for pictures"), "{}", refused(&config));
    let (_dir, config) = of_text(&flowers(), &["training.data.picture=[2,3]"]);
    assert!(refused(&config).contains("2 columns of inputs, and a picture of 2 by 3 pixels has 6"));
}

#[test]
fn rows_of_a_table_can_be_pictures() {
    let settings = [
        "training.data.picture=[2,1]",
        "training.shift=1",
        "model.convolutions=[{kernels: 30, window: 1, depth: 2}]",
    ];
    let (_dir, config) = of_text(&flowers(), &settings);
    let state = train(&config);
    assert_eq!((state.preparation.width, state.preparation.height), (2, 1));
}

#[test]
fn other_data_is_refused_when_a_run_goes_on() {
    let (dir, config) = of_text(&flowers(), &[]);
    let state = Lgn::build(&config).unwrap();
    std::fs::write(dir.path().join("table.csv"), flowers().replace("20.", "27.")).unwrap();
    let error = Lgn::attach(&config, &state, &rekindle_train::Resources::new(1));
    let message = error.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(message.contains("other data"), "{message}");
}
