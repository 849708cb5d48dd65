//! Tables and pictures: learnt, asked and refused.

use std::fmt::Write;
use std::path::Path;

use rekindle_dwn::Dwn;
use rekindle_formats::table::{Column, Table, Values};
use rekindle_train::{ConfigOf, Resources, System};

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

fn of_text(text: &str, settings: &[&str]) -> (tempfile::TempDir, ConfigOf<Dwn>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("table.csv");
    std::fs::write(&path, text).unwrap();
    let table = ["training.data.target=kind", "training.batch=32", "model.inputs=3"];
    let config = of_files(&[path.to_str().unwrap()], &[&table[..], settings].concat());
    (dir, config)
}

fn numbers(name: &str, values: &[f64]) -> Column {
    Column { name: name.to_owned(), values: Values::Numbers(values.to_vec()) }
}

#[test]
fn a_table_is_learnt_and_asked_and_other_columns_are_refused() {
    let settings = ["model.encoding={kind: quantile, bits: 6}", "training.epochs=30"];
    let (_dir, config) = of_text(&flowers(), &settings);
    let state = train(&config);
    let metrics = attach(&config, &state, 1).conclude(&state).unwrap().metrics;
    assert!(metrics["test_accuracy"] > 0.95, "{metrics:?}");
    let columns = vec![numbers("width", &[300.0, 299.7, 299.4]), numbers("length", &[0.2, 10.3, 20.1])];
    let answers = predict(&config, &state, &Table::new(columns).unwrap()).unwrap();
    let kinds = ["iris", "lily", "rose"].map(str::to_owned).to_vec();
    assert_eq!(answers.class_column().unwrap().values, Values::Text(kinds));
    let shares = answers.probabilities.unwrap().shares;
    let sum: f64 = shares.iter().map(|shares| shares[1]).sum();
    assert!((sum - 1.0).abs() < 1e-9 && shares[1][1] > 0.5, "{shares:?}");
    let other = Table::new(vec![numbers("width", &[1.0; 3]), numbers("height", &[1.0; 3])]).unwrap();
    let message = predict(&config, &state, &other).unwrap_err().to_string();
    assert!(message.contains("no column `length`"), "{message}");
}

#[test]
fn other_data_is_refused_when_a_run_goes_on() {
    let (dir, config) = of_text(&flowers(), &["model.encoding={kind: quantile, bits: 6}"]);
    let state = Dwn::build(&config).unwrap();
    std::fs::write(dir.path().join("table.csv"), flowers().replace("20.", "27.")).unwrap();
    let error = Dwn::attach(&config, &state, &Resources::new(1));
    let message = error.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(message.contains("other data"), "{message}");
}

#[test]
fn a_table_that_tells_nothing_is_refused() {
    let same: String = (0..60).fold("length,kind\n".to_owned(), |mut text, row| {
        writeln!(text, "{},{}", if row == 0 { 9 } else { 1 }, ["iris", "lily"][row % 2]).unwrap();
        text
    });
    let (_dir, config) = of_text(&same, &["model.encoding={kind: quantile, bits: 2}"]);
    let message = refused(&config);
    assert!(
        message.contains("bits of the inputs differ between the rows, and lookup tables read 3"),
        "{message}"
    );
}

const SIDE: usize = 6;

/// A picture of a line: across, down, or from corner to corner.
fn picture(number: usize) -> Vec<u8> {
    let (class, at, shade) = (number % 3, number / 3 % SIDE, 100 + (number * 7 % 150) as u8);
    let is_on = |y: usize, x: usize| [y == at, x == at, y == x][class];
    (0..SIDE * SIDE).map(|pixel| if is_on(pixel / SIDE, pixel % SIDE) { shade } else { 0 }).collect()
}

/// An IDX file of these sizes and values.
fn idx(dir: &Path, name: &str, sizes: &[usize], values: &[u8]) -> String {
    let mut bytes = vec![0, 0, 8, sizes.len() as u8];
    sizes.iter().for_each(|&size| bytes.extend((size as u32).to_be_bytes()));
    bytes.extend(values);
    let path = dir.join(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

fn images(dir: &Path, name: &str, count: usize) -> String {
    idx(dir, name, &[count, SIDE, SIDE], &(0..count).flat_map(picture).collect::<Vec<u8>>())
}

fn labels(dir: &Path, name: &str, count: usize) -> String {
    idx(dir, name, &[count], &(0..count).map(|number| 4 + (number % 3) as u8).collect::<Vec<u8>>())
}

#[test]
fn pictures_are_learnt_with_thresholds_of_their_own_for_each_pixel() {
    let dir = tempfile::tempdir().unwrap();
    let files = [images(dir.path(), "images", 240), labels(dir.path(), "labels", 240)];
    let settings = ["model.encoding={kind: quantile, bits: 3}", "training.epochs=20", "model.inputs=4"];
    let config = of_files(&files.each_ref().map(String::as_str), &settings);
    let state = train(&config);
    let thresholds = &state.preparation.thermometers.thresholds;
    assert!(thresholds[..3] != thresholds[3..6], "{thresholds:?}");
    let metrics = attach(&config, &state, 1).conclude(&state).unwrap().metrics;
    assert!(metrics["test_accuracy"] > 0.9, "{metrics:?}");
    let table = Table::read(Path::new(&files[0])).unwrap();
    assert_eq!(predict(&config, &state, &table).unwrap().table.rows(), 240);
}

#[test]
fn pictures_and_labels_that_do_not_fit_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (good, right) = (images(dir, "images", 60), labels(dir, "labels", 60));
    let few = labels(dir, "few", 59);
    let message = refused(&of_files(&[&good, &few], &[]));
    assert!(
        message.contains("images` has 60 pictures, and") && message.contains("few` 59 labels"),
        "{message}"
    );
    let other = idx(dir, "other", &[60, 5, 5], &[0; 1500]);
    let message = refused(&of_files(&[&good, &right, &other, &right], &[]));
    assert!(message.contains("have 5 by 5 pixels, those that are learnt 6 by 6"), "{message}");
    let unknown = idx(dir, "unknown", &[60], &[9; 60]);
    let message = refused(&of_files(&[&good, &right, &good, &unknown], &[]));
    assert!(message.contains("has the class `9`, which is none of those that are learnt"), "{message}");
    let huge = idx(dir, "huge", &[1 << 31, SIDE, SIDE], &[0; 36]);
    let message = refused(&of_files(&[&huge, &right], &[]));
    assert!(message.contains("states 2147483648 pictures"), "{message}");
}
