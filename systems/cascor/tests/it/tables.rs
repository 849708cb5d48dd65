//! Examples of one's own: what is learnt, what is answered, and what is refused.

#![allow(clippy::disallowed_methods, reason = "a test makes its files")]

use std::fmt::Write;

use rekindle_cascor::{Cascor, Dataset, Ending, presets};
use rekindle_compute::KernelPath;
use rekindle_formats::table::{Table, Values};
use rekindle_train::{ConfigOf, Family, Resources, System};

/// Two clouds and a useless text column; `settings` on top.
fn of_file(text: &str, settings: &[&str]) -> (tempfile::TempDir, ConfigOf<Cascor>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("table.csv");
    std::fs::write(&path, text).unwrap();
    let mut all = Cascor::options()[0].settings(&[path.to_str().unwrap().to_owned()]).unwrap();
    all.extend(settings.iter().map(|&setting| setting.to_owned()));
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let config = crate::common::config(presets::CASCADE, &all);
    (dir, config)
}

/// Split as of old.
const SELECT: &str = "training.data.select=null";
const TEST: &str = "training.data.test=null";

fn refusal(text: &str, settings: &[&str]) -> String {
    let (_dir, config) = of_file(text, settings);
    Cascor::build(&config).map(drop).unwrap_err().to_string()
}

/// A flower's kind by two lengths, three kinds.
fn flowers() -> String {
    let mut text = "length,width,kind\n".to_owned();
    for index in 0..150 {
        let (kind, spread) = (index % 3, f64::from(index % 7) / 10.0);
        let name = ["iris", "lily", "rose"][kind as usize];
        writeln!(text, "{},{},{name}", f64::from(kind) * 10.0 + spread, 300.0 - spread * f64::from(kind))
            .unwrap();
    }
    text
}

#[test]
fn classes_are_learnt_and_answered() {
    let (_dir, config) = of_file(&flowers(), &["training.data.targets=[kind]"]);
    let state = crate::common::train(&config, 0);
    let table = Table::read(config.training.data.file.as_ref().unwrap().as_ref()).unwrap();
    let answers = Cascor::capabilities().predict.unwrap()(&config, &state, &table).unwrap();
    assert_eq!(answers.table.columns().len(), 4);
    assert_eq!(answers.table.column("kind").unwrap().values, table.column("kind").unwrap().values);
}

#[test]
fn classes_that_are_numbers_are_answered_with_numbers() {
    let text = flowers().replace("iris", "1").replace("lily", "2").replace("rose", "7");
    let (dir, config) = of_file(&text, &["training.data.targets=[kind]"]);
    let state = crate::common::train(&config, 0);
    let table = Table::read(config.training.data.file.as_ref().unwrap().as_ref()).unwrap();
    let answers = Cascor::capabilities().predict.unwrap()(&config, &state, &table).unwrap();
    assert_eq!(answers.table.column("kind").unwrap().values, table.column("kind").unwrap().values);
    // So they can be written as NPY.
    answers.table.write(&dir.path().join("answers.npy")).unwrap();
}

#[test]
fn numbers_are_learnt_and_answered() {
    let mut text = "a,b,sum\n".to_owned();
    for index in 0..100 {
        let (a, b) = (f64::from(index % 10), f64::from(index / 10));
        writeln!(text, "{a},{b},{}", 1000.0 + a + 3.0 * b).unwrap();
    }
    let settings = [
        "training.data.targets=[sum]",
        "training.data.task=regression",
        "model.output=linear",
        "model.max_hidden=3",
    ];
    let (_dir, config) = of_file(&text, &settings);
    let state = crate::common::train(&config, 0);
    let table = Table::read(config.training.data.file.as_ref().unwrap().as_ref()).unwrap();
    let answers = Cascor::capabilities().predict.unwrap()(&config, &state, &table).unwrap();
    let (Values::Numbers(found), Values::Numbers(expected)) =
        (&answers.table.columns()[0].values, &table.column("sum").unwrap().values)
    else {
        panic!("numbers are answered with numbers")
    };
    let worst = found.iter().zip(expected).map(|(f, e)| (f - e).abs()).fold(0.0, f64::max);
    assert!(worst < 5.0, "{worst}");
}

#[test]
fn what_cannot_be_learnt_is_refused_with_the_reason() {
    let target = "training.data.targets=[kind]";
    for (text, settings, expected) in [
        (flowers(), &[][..], "no column is named to be learnt"),
        (
            flowers(),
            &["training.data.targets=[kin]"],
            "there is no column `kin` (did you mean `kind`?); there are: length, width, kind",
        ),
        ("a,kind\n1,x\n2,x\n".to_owned(), &[target], "only the class `x`"),
        (
            "a,b,kind\n1,7,x\n2,7,y\n".to_owned(),
            &[target, "training.data.select=0", "training.data.test=0"],
            "column `b` is 7 throughout",
        ),
        ("a,b,kind\n1,5,x\n2,word,y\n".to_owned(), &[target], "column `b` has `word` in row 2"),
        ("a,kind\n1,x\nNaN,y\n".to_owned(), &[target], "column `a` has no value in row 2"),
        ("a;kind\n1,234;x\n".to_owned(), &[target], "say which with training.data.decimal: point or comma"),
        (flowers(), &[target, "training.data.target=kind"], "set only one of the two"),
        ("a,kind\n1,x\n2\n".to_owned(), &[target], "line 3 has 1 fields"),
        (flowers(), &[target, "training.data.ignore=[length,width]"], "no column is left"),
        (flowers(), &[target, "training.data.task=regression", "model.output=linear"], "is not a number"),
        (
            flowers(),
            &[
                "training.data.targets=[width]",
                "training.data.ignore=[kind]",
                "training.data.task=regression",
            ],
            "model.output=linear",
        ),
        (flowers(), &[target, SELECT, TEST, "training.data.validation=0.995"], "none is of class"),
        (flowers(), &[target, "training.data.validation=0.2"], "already"),
        (flowers(), &[target, "training.data.select=0.9"], "together less than 1"),
        (flowers(), &[target, "training.data.ignore=[kind]"], "to be learnt and to be left out"),
        (
            "a,kind\n1,x\n1e300,y\n".to_owned(),
            &[target, "training.data.select=0", "training.data.test=0"],
            "numbers that can be learnt are at most",
        ),
        (flowers(), &[target, SELECT, TEST, "training.data.validation=1.5"], "training.data.validation"),
        (flowers(), &[target, "training.method.fahlman.pool=0"], "pool"),
        (flowers(), &[target, "training.data.file=/nowhere/x.csv"], "cannot read `/nowhere/x.csv`"),
    ] {
        let message = refusal(&text, settings);
        assert!(message.contains(expected), "{expected}: {message}");
    }
}

#[test]
fn the_preset_for_tables_needs_one() {
    let error =
        Cascor::build(&crate::common::config(presets::CASCADE, &[])).map(drop).unwrap_err().to_string();
    assert!(error.contains("training.data.file"), "{error}");
}

#[test]
fn a_question_without_a_column_is_refused() {
    let (dir, config) = of_file(&flowers(), &["training.data.targets=[kind]"]);
    let state = crate::common::train(&config, 0);
    let path = dir.path().join("question.csv");
    std::fs::write(&path, "length\n5\n").unwrap();
    let error = Cascor::capabilities().predict.unwrap()(&config, &state, &Table::read(&path).unwrap())
        .unwrap_err()
        .to_string();
    assert_eq!(error, "the table: there is no column `width`; there are: length");
}

#[test]
fn a_run_goes_on_only_with_its_own_data() {
    let (dir, config) = of_file(&flowers(), &["training.data.targets=[kind]"]);
    let state = crate::common::initial(&config.model, &config.training, 0);
    let path = dir.path().join("table.csv");
    let other = flowers().replace("rose", "tulip");
    std::fs::write(&path, other).unwrap();
    let resources = rekindle_train::Resources::new(1);
    let error = Cascor::attach(&config, &state, &resources).map(drop).unwrap_err();
    assert!(error.is_mismatch());
    assert!(error.to_string().contains("training.data.file"), "{error}");
    let dataset = Dataset::load(&config.training.data, config.model.output, 0).unwrap();
    assert_ne!(dataset.preparation, state.preparation);
}

/// Numbers that follow from two others but for noise, each row twice; the rows in `spoilt` say otherwise.
fn noisy_sums(spoilt: impl Fn(usize) -> bool) -> String {
    let mut text = "a,b,sum\n".to_owned();
    for index in 0..120 {
        let (a, b) = (f64::from(index % 12) / 6.0, f64::from(index / 12) / 5.0);
        let noise = f64::from(index * 7919 % 101) / 50.0;
        for copy in 0..2 {
            let sum = if spoilt(2 * index as usize + copy) { 1e3 } else { a * b + noise };
            writeln!(text, "{a},{b},{sum}").unwrap();
        }
    }
    text
}

const SUMS: [&str; 5] = [
    "training.data.targets=[sum]",
    "training.data.task=regression",
    "model.output=linear",
    "training.data.select=0.25",
    "training.data.test=0.25",
];

/// The rows of the inputs, as bits.
fn rows(examples: &rekindle_cascor::Examples) -> Vec<Vec<u32>> {
    let units = &examples.units;
    (0..units.cases())
        .map(|case| (0..units.len()).map(|unit| units.get(unit, case).to_bits()).collect())
        .collect()
}

#[test]
fn no_example_is_in_two_parts() {
    let (_dir, config) = of_file(&noisy_sums(|_| false), &SUMS);
    let dataset = Dataset::load(&config.training.data, config.model.output, 1).unwrap();
    let parts =
        [&dataset.training, dataset.select.as_ref().unwrap(), dataset.test.as_ref().unwrap()].map(rows);
    assert_eq!(parts.each_ref().map(Vec::len), [120, 60, 60]);
    for (index, part) in parts.iter().enumerate() {
        let others = parts.iter().enumerate().filter(|(other, _)| *other != index);
        assert!(others.flat_map(|(_, part)| part).all(|row| !part.contains(row)));
    }
}

#[test]
fn every_part_has_its_share_of_every_class() {
    let (_dir, config) = of_file(&flowers(), &["training.data.targets=[kind]", "training.data.test=0.3"]);
    let dataset = Dataset::load(&config.training.data, config.model.output, 1).unwrap();
    let test = dataset.test.unwrap().targets;
    for class in 0..3 {
        assert!(test.column(class).any(|value| value > 0.0), "class {class} is in the test");
    }
}

#[test]
fn growing_ends_by_what_is_chosen_by_and_not_by_what_is_reported() {
    let settings = [&SUMS[..], &["training.method.fahlman.patience=2"]].concat();
    let (_dir, config) = of_file(&noisy_sums(|_| false), &settings);
    let state = crate::common::train(&config, 1);
    assert_eq!(state.ending, Some(Ending::Patience));
    let best = state.growth.iter().map(|growth| growth.select_loss.unwrap()).fold(f64::MAX, f64::min);
    let last = &state.growth[state.growth.len() - 1];
    assert!(state.growth.len() < 50 && last.select_loss.unwrap() > best, "{best}: {last:?}");

    // The rows of the test say something else: nothing of the training changes.
    let rows: Vec<usize> = {
        let dataset = Dataset::load(&config.training.data, config.model.output, 1).unwrap();
        let test = rows(dataset.test.as_ref().unwrap());
        let table = Table::read(config.training.data.file.as_ref().unwrap().as_ref()).unwrap();
        let all = rows_of_inputs(&dataset, &table);
        (0..all.len()).filter(|&row| test.contains(&all[row])).collect()
    };
    assert_eq!(rows.len(), 60);
    let (_dir, config) = of_file(&noisy_sums(|row| rows.contains(&row)), &settings);
    let spoilt = crate::common::train(&config, 1);
    assert_eq!((&spoilt.network, &spoilt.growth, spoilt.step), (&state.network, &state.growth, state.step));
    let evaluate =
        |state| crate::common::attach(&config, 1, state, 1, KernelPath::best()).evaluate_test(state);
    assert!(evaluate(&spoilt).unwrap().loss > 1e3, "the test is of the spoilt rows");
}

fn rows_of_inputs(dataset: &Dataset, table: &Table) -> Vec<Vec<u32>> {
    let (units, _) = dataset.preparation.inputs_of(table).unwrap();
    let targets = units.clone();
    rows(&rekindle_cascor::Examples { units, targets })
}

#[test]
fn nothing_is_chosen_by_what_is_reported() {
    for best in ["best.metric=test_loss", "checkpoint.keep_best=[{metric: test_accuracy, goal: max}]"] {
        let (_dir, config) = of_file(&noisy_sums(|_| false), &[&SUMS[..], &[best]].concat());
        let state = Cascor::build(&config).unwrap();
        let refused = Cascor::attach(&config, &state, &Resources::new(1)).err().unwrap().to_string();
        assert!(refused.contains("take select_loss"), "{refused}");
    }
}

#[test]
fn a_state_to_be_loaded_into_needs_no_file() {
    let (_dir, config) = of_file("", &["training.data.targets=[kind]", "training.data.file=/nowhere/x.csv"]);
    let state = Cascor::blank(&config).unwrap();
    assert_eq!((state.step, state.preparation.examples), (0, 0));
    assert!(Cascor::build(&config).is_err());
}

/// The settings of options, and others.
fn of_options(text: &str, options: &[(&str, &str)], more: &[&str]) -> (tempfile::TempDir, ConfigOf<Cascor>) {
    let settings = options.iter().flat_map(|(name, value)| {
        let option = Cascor::options().iter().find(|option| option.name == *name).unwrap();
        option.settings(&[(*value).to_owned()]).unwrap()
    });
    let settings: Vec<String> = settings.chain(more.iter().map(|&setting| setting.to_owned())).collect();
    of_file(text, &settings.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn the_column_to_learn_is_an_option_and_has_two_spellings() {
    let rows = flowers();
    let text: String = rows.lines().zip(0..).map(|(line, id)| format!("{id},{line}\n")).collect();
    let text = text.replacen('0', "id", 1);
    let (_dir, by_option) = of_options(&text, &[("target", "kind"), ("ignore", "id")], &[]);
    let (_before_dir, as_before) =
        of_file(&text, &["training.data.targets=[kind]", "training.data.ignore=[id]"]);
    assert_eq!(by_option.training.data.target, ["kind"]);
    assert_eq!(as_before.training.data.targets, ["kind"]);
    let state = Cascor::build(&by_option).unwrap();
    assert_eq!(state.preparation, Cascor::build(&as_before).unwrap().preparation);
    let inputs: Vec<&str> = state.preparation.inputs.iter().map(|input| input.name.as_str()).collect();
    assert_eq!(inputs, ["length", "width"]);
    // A run goes on from what it recorded.
    let tree = rekindle::to_tree(&by_option.training).unwrap();
    assert_eq!(rekindle::from_tree::<rekindle_cascor::Training>(&tree).unwrap(), by_option.training);
}

#[test]
fn missing_values_are_filled_in_training_and_in_questions_alike() {
    let text = flowers().replace("10,", ",").replace("20,", "NA,");
    assert!(refusal(&text, &["training.data.target=kind"]).contains("training.data.missing=drop"));
    let (_dir, config) = of_file(&text, &["training.data.target=kind", "training.data.missing=mean"]);
    let state = crate::common::train(&config, 0);
    let runtime = Cascor::attach(&config, &state, &Resources::new(1)).unwrap();
    let notes = runtime.warnings().join(" ");
    assert!(notes.contains("missing values are filled with the mean of what was learnt"), "{notes}");
    let table = Table::read(config.training.data.file.as_ref().unwrap().as_ref()).unwrap();
    let answers = Cascor::capabilities().predict.unwrap()(&config, &state, &table).unwrap();
    assert!(answers.table.notes()[0].contains("in `length`"), "{:?}", answers.table.notes());
    assert_eq!(answers.table.rows(), 150);

    let (_dir, dropping) = of_file(&text, &["training.data.target=kind", "training.data.missing=drop"]);
    let dropped = Cascor::build(&dropping).unwrap();
    assert_eq!(
        dropped.preparation.examples
            + dropped.preparation.select_examples
            + dropped.preparation.test_examples,
        150 - text.matches("\n,").count() as u64 - text.matches("NA").count() as u64
    );
    let error = Cascor::capabilities().predict.unwrap()(&dropping, &dropped, &table).unwrap_err().to_string();
    assert!(error.contains("column `length` has no value in row"), "{error}");
}

#[test]
fn a_table_without_names_is_asked_by_position() {
    let (dir, config) = of_file(&flowers(), &["training.data.target=kind"]);
    let state = crate::common::train(&config, 0);
    let table = Table::read(config.training.data.file.as_ref().unwrap().as_ref()).unwrap();
    let predict = Cascor::capabilities().predict.unwrap();
    let expected = predict(&config, &state, &table).unwrap();
    let inputs = Table::new(table.columns()[..2].to_vec()).unwrap();
    let path = dir.path().join("inputs.npy");
    inputs.write(&path).unwrap();
    let answers = predict(&config, &state, &Table::read(&path).unwrap()).unwrap();
    assert_eq!(answers.table.columns(), expected.table.columns());
    assert!(answers.table.notes()[0].contains("for length, width"), "{:?}", answers.table.notes());
    let one = Table::new(table.columns()[..1].to_vec()).unwrap().without_names();
    let error = predict(&config, &state, &one).unwrap_err().to_string();
    assert!(error.contains("1 columns without names, and 2 are asked for: length, width"), "{error}");
}

#[test]
fn tables_of_other_countries_are_learnt_and_said() {
    let text = flowers().replace(',', ";").replace('.', ",");
    let (_dir, config) = of_file(&text, &["training.data.target=kind"]);
    let state = crate::common::train(&config, 0);
    let (_plain_dir, plain) = of_file(&flowers(), &["training.data.target=kind"]);
    assert_eq!(state, crate::common::train(&plain, 0));
    let runtime = Cascor::attach(&config, &state, &Resources::new(1)).unwrap();
    assert_eq!(runtime.warnings(), ["columns are separated by `;`, numbers have a decimal comma"]);
    let (_dir, said) = of_file(
        &text,
        &["training.data.target=kind", "training.data.separator=semicolon", "training.data.decimal=comma"],
    );
    assert_eq!(Cascor::build(&said).unwrap().preparation, state.preparation);
}
