//! WiSARD: what is learnt and answered, exact resume, and what is refused.

#![allow(clippy::disallowed_methods, reason = "a test makes its files")]

mod exact;
mod runs;

use std::fmt::Write;
use std::path::Path;

use rekindle::{from_tree, hash_of, to_tree};
use rekindle_data::Answers;
use rekindle_formats::table::{Column, Table, Values};
use rekindle_pictures::Picture;
use rekindle_train::{ConfigOf, ConfigText, Family, Resources, System, SystemError};
use rekindle_wisard::{Encoding, EncodingKind, Memory, Model, State, Wisard, presets};

const TARGET: &str = "training.data.target=kind";
const NO_SELECT: &str = "training.data.select=0";
const NO_TEST: &str = "training.data.test=0";

fn config(yaml: &str, settings: &[&str]) -> ConfigOf<Wisard> {
    let text = ConfigText { origin: "test".to_owned(), yaml: yaml.to_owned() };
    let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
    text.config(&settings).unwrap()
}

fn attach(config: &ConfigOf<Wisard>, state: &State, threads: usize) -> Wisard {
    Wisard::attach(config, state, &Resources::new(threads)).unwrap()
}

fn train(config: &ConfigOf<Wisard>) -> State {
    let mut state = Wisard::build(config).unwrap();
    let mut wisard = attach(config, &state, 1);
    while !wisard.progress(&state).finished {
        wisard.step(&mut state).unwrap();
    }
    state
}

/// The preset for tables with this file and these settings.
fn of_file(path: &Path, settings: &[&str]) -> ConfigOf<Wisard> {
    let mut all = Wisard::options()[0].settings(&[path.to_str().unwrap().to_owned()]).unwrap();
    // Few bits differ between the rows of the small tables here.
    all.push("model.tuple_bits=4".to_owned());
    all.extend(settings.iter().map(|&setting| setting.to_owned()));
    config(presets::WISARD, &all.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The same with a file of this text.
fn of_text(text: &str, settings: &[&str]) -> (tempfile::TempDir, ConfigOf<Wisard>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("table.csv");
    std::fs::write(&path, text).unwrap();
    let config = of_file(&path, settings);
    (dir, config)
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

fn table_of(config: &ConfigOf<Wisard>) -> Table {
    Table::read(config.training.data.file.as_ref().unwrap().as_ref()).unwrap()
}

fn predict(config: &ConfigOf<Wisard>, state: &State, table: &Table) -> Result<Answers, SystemError> {
    Wisard::capabilities().predict.unwrap()(config, state, table)
}

fn describe(config: &ConfigOf<Wisard>, state: &State) -> Result<String, SystemError> {
    Wisard::capabilities().describe.unwrap()(config, state)
}

fn draw(config: &ConfigOf<Wisard>, state: &State) -> Result<Picture, SystemError> {
    (Wisard::capabilities().pictures[0].draw)(config, state)
}

#[test]
fn generated_glyphs_are_learnt_shown_and_described() {
    let config = config(presets::GLYPHS, &[]);
    let state = train(&config);
    let mut wisard = attach(&config, &state, 2);
    let metrics = wisard.evaluate(&state).unwrap();
    assert!(metrics["accuracy"] > 0.97 && metrics["select_accuracy"] > 0.93, "{metrics:?}");
    assert!(!metrics.contains_key("test_accuracy"), "nothing is to be chosen by it: {metrics:?}");
    let conclusion = wisard.conclude(&state).unwrap();
    assert!(conclusion.text.contains("3200 of 3200 rows learnt"), "{}", conclusion.text);
    assert!(conclusion.metrics["test_accuracy"] > 0.93, "{:?}", conclusion.metrics);
    assert!(conclusion.text.contains("test rows  accuracy  mostly taken for"), "{}", conclusion.text);
    assert!(conclusion.text.contains("of 400 rows are right"), "{}", conclusion.text);
    let (name, image) = &conclusion.artifacts[0];
    assert_eq!(name, "mental-images.png");
    let picture = draw(&config, &state).unwrap();
    assert_eq!(image, &picture.png().unwrap());
    let svg = picture.svg().unwrap();
    assert_eq!(svg.matches("<image").count(), 11, "ten digits and the scale");
    assert!((0..10).all(|digit| svg.contains(&format!(">{digit}</text>"))), "{svg}");
    let mut reader = png::Decoder::new(std::io::Cursor::new(image)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    assert!(pixels.contains(&255) && pixels.iter().any(|&shade| shade < 60));
    assert!(conclusion.text.starts_with(&describe(&config, &state).unwrap()));
}

/// The state after each step, when everything but the state is built anew every `every` steps.
fn hashes(config: &ConfigOf<Wisard>, every: u64, threads: usize) -> Vec<String> {
    let mut state = Wisard::build(config).unwrap();
    let mut wisard = attach(config, &state, threads);
    let mut hashes = Vec::new();
    while !wisard.progress(&state).finished {
        wisard.step(&mut state).unwrap();
        hashes.push(hash_of(&state).unwrap().to_string());
        assert_eq!(wisard.progress(&state).step, hashes.len() as u64);
        if state.step.is_multiple_of(every) {
            state = from_tree(&to_tree(&state).unwrap()).unwrap();
            wisard = attach(config, &state, threads);
        }
    }
    assert_eq!(wisard.progress(&state).total, Some(hashes.len() as u64));
    hashes
}

#[test]
fn training_goes_on_to_the_same_bits_from_any_step_on_any_number_of_threads() {
    for tuple_bits in ["model.tuple_bits=7", "model.tuple_bits=40"] {
        let settings = [tuple_bits, "training.data.rows=300", "training.rows_per_step=17"];
        let config = config(presets::GLYPHS, &settings);
        let straight = hashes(&config, u64::MAX, 1);
        assert_eq!(straight.len(), 15);
        assert_eq!(hashes(&config, 1, 1), straight);
        assert_eq!(hashes(&config, 4, 2), straight);
    }
}

#[test]
fn what_is_learnt_depends_neither_on_rows_per_step_nor_on_threads() {
    for tuple_bits in ["model.tuple_bits=8", "model.tuple_bits=30"] {
        let of = |rows: &str, threads: usize| {
            let config = config(presets::GLYPHS, &[tuple_bits, rows]);
            let mut state = Wisard::build(&config).unwrap();
            let mut wisard = attach(&config, &state, threads);
            while !wisard.progress(&state).finished {
                wisard.step(&mut state).unwrap();
            }
            let metrics = wisard.evaluate(&state).unwrap();
            state.step = 0;
            (state, metrics)
        };
        let expected = of("training.rows_per_step=1", 1);
        assert_eq!(of("training.rows_per_step=100000", 2), expected);
        assert_eq!(of("training.rows_per_step=65", 3), expected);
    }
}

#[test]
fn rows_per_step_may_change_within_a_run() {
    let slow = config(presets::GLYPHS, &["training.rows_per_step=63"]);
    let mut state = Wisard::build(&slow).unwrap();
    attach(&slow, &state, 1).step(&mut state).unwrap();
    let fast = config(presets::GLYPHS, &["training.rows_per_step=3000"]);
    let mut wisard = attach(&fast, &state, 1);
    assert_eq!(wisard.progress(&state).total, Some(3));
    wisard.step(&mut state).unwrap();
    wisard.step(&mut state).unwrap();
    assert_eq!(state.memory, train(&fast).memory);
    let finished = state.clone();
    wisard.step(&mut state).unwrap();
    assert_eq!(state, finished);
}

#[test]
fn classes_of_a_table_are_learnt_and_answered() {
    for kind in ["linear", "gaussian", "quantile"] {
        let kind = format!("model.encoding.kind={kind}");
        let (_dir, config) = of_text(&flowers(), &[TARGET, &kind, NO_SELECT, NO_TEST]);
        let state = train(&config);
        let table = table_of(&config);
        let answers = predict(&config, &state, &table).unwrap();
        assert_eq!(answers.table.column("kind").unwrap().values, table.column("kind").unwrap().values);
        let answers = answers.with_probabilities().unwrap();
        let names: Vec<&str> = answers.columns().iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["kind", "kind_confidence", "kind_is_iris", "kind_is_lily", "kind_is_rose"]);
        let shares = answers.columns()[1..].iter().map(|column| match &column.values {
            Values::Numbers(shares) => shares,
            Values::Text(_) => panic!("shares are numbers"),
        });
        let shares: Vec<&Vec<f64>> = shares.collect();
        assert!(shares.iter().all(|shares| shares.iter().all(|share| (0.0..=1.0).contains(share))));
        let sum = |row: usize| shares[1..].iter().map(|shares| shares[row]).sum::<f64>();
        assert!((0..answers.rows()).all(|row| (sum(row) - 1.0).abs() < 1e-12));
    }
}

#[test]
fn classes_that_are_numbers_are_answered_with_numbers_and_npy_is_read_and_written() {
    let text = flowers().replace("iris", "10").replace("lily", "2").replace("rose", "-7.5");
    let (dir, config) = of_text(&text, &[TARGET]);
    let state = train(&config);
    assert_eq!(state.preparation.classes, ["-7.5", "2", "10"]);
    let table = table_of(&config);
    let answers = predict(&config, &state, &table).unwrap();
    assert_eq!(answers.table.column("kind").unwrap().values, table.column("kind").unwrap().values);
    let path = dir.path().join("table.npy");
    table.write(&path).unwrap();
    answers.table.write(&dir.path().join("answers.npy")).unwrap();
    // Columns of an NPY file are named by their numbers.
    let config = of_file(&path, &["training.data.target=\"3\""]);
    let of_npy = train(&config);
    assert_eq!(of_npy.memory, state.memory);
    assert_eq!(of_npy.preparation.inputs, ["1", "2"]);
}

#[test]
fn a_table_in_memory_is_learnt_as_a_run_that_keeps_none_back_learns_it() {
    let (_dir, config) = of_text(&flowers(), &[TARGET, NO_SELECT, NO_TEST]);
    let (run, table) = (train(&config), table_of(&config));
    let state = State::learn(&config.model, &table, "kind", config.seed, 2).unwrap();
    assert_eq!(state, run);
    assert!(attach(&config, &state, 1).evaluate(&state).unwrap()["accuracy"] > 0.99);
}

#[test]
fn memory_is_dense_for_short_tuples_and_sparse_for_long_ones() {
    for (tuple_bits, dense) in [(1, true), (10, true), (20, false), (64, false)] {
        let setting = format!("model.tuple_bits={tuple_bits}");
        let config = config(presets::GLYPHS, &[&setting, "training.data.rows=1000"]);
        let state = train(&config);
        assert_eq!(matches!(state.memory, Memory::Dense { .. }), dense, "{tuple_bits}");
        state.validate(&config.model, &config.training).unwrap();
    }
}

#[test]
fn each_order_of_the_bits_is_cut_into_tuples_of_its_own() {
    let of = |orders: &str| train(&config(presets::GLYPHS, &["training.data.rows=2000", orders]));
    let (one, three) = (of("model.orders=1"), of("model.orders=3"));
    assert_eq!(three.mapping.tuples(), 3 * one.mapping.tuples());
    assert_eq!(three.mapping.bits[..one.mapping.bits.len()], one.mapping.bits);
    for tuple in 0..three.mapping.tuples() {
        let mut bits = three.mapping.tuple(tuple).to_vec();
        bits.sort_unstable();
        bits.dedup();
        assert_eq!(bits.len(), 12, "no bit is in a tuple twice");
    }
}

#[test]
fn what_cannot_be_learnt_is_refused_with_the_reason() {
    for (text, settings, expected) in [
        (flowers(), &[][..], "set training.data.target=\"kind\""),
        (
            flowers(),
            &["training.data.target=kin"],
            "there is no column `kin` (did you mean `kind`?); there are: length, width, kind",
        ),
        (flowers(), &[TARGET, "training.data.ignore=[depth]"], "there is no column `depth`"),
        (flowers(), &[TARGET, "training.data.ignore=[kind]"], "to be learnt and to be left out"),
        (flowers(), &[TARGET, "training.data.ignore=[length,width]"], "no column is left"),
        ("a,kind\n1,x\n2,x\n".to_owned(), &[TARGET], "only the class `x`"),
        (flowers(), &[TARGET, NO_SELECT, "training.data.test=1"], "together less than 1"),
        (flowers(), &[TARGET, "training.data.validation=0.2"], "`select` and `test` are in its place"),
        (
            "a,kind\n1,x\n1,y\n2,x\n3,x\n4,x\n5,x\n6,x\n7,x\n8,x\n9,x\n".to_owned(),
            &[TARGET, NO_SELECT, "training.data.test=0.9"],
            "too few rows: of 1 for training none is of class `y`",
        ),
        (
            "a,kind\n1,x\nword,y\n".to_owned(),
            &[TARGET],
            "column `a` has `word` in row 2, which is not a number",
        ),
        ("a,kind\n1,x\n1e300,y\n".to_owned(), &[TARGET], "numbers that can be learnt are at most"),
        ("a,kind\n1,x\nNaN,y\n".to_owned(), &[TARGET], "column `a` has no value in row 2"),
        ("a,kind\n1,x\n,y\n".to_owned(), &[TARGET], "training.data.missing=mean"),
        (flowers(), &[TARGET, "model.tuple_bits=33"], "bits of the inputs differ"),
        (flowers(), &[TARGET, "model.tuple_bits=65"], "`model.tuple_bits` is 65: it must be 1 to 64"),
        (flowers(), &[TARGET, "model.orders=0"], "`model.orders` is 0"),
        (flowers(), &[TARGET, "model.encoding.bits=0"], "`model.encoding.bits` is 0"),
        (flowers(), &[TARGET, "training.data.select=1.5"], "training.data.select and test` is 1.5 and 0.1"),
        (flowers(), &[TARGET, "training.rows_per_step=0"], "training.rows_per_step"),
        (flowers(), &[TARGET, "training.data.file=/nowhere/x.csv"], "cannot read `/nowhere/x.csv`"),
        (flowers(), &[TARGET, "training.data.file=/dev/null"], "not a regular file"),
    ] {
        let (_dir, config) = of_text(&text, settings);
        let message = Wisard::build(&config).map(drop).unwrap_err().to_string();
        assert!(message.contains(expected), "{expected}: {message}");
    }
    let error = Wisard::build(&config(presets::WISARD, &[])).map(drop).unwrap_err().to_string();
    assert!(error.contains("training.data.file"), "{error}");
}

#[test]
fn the_column_of_the_classes_is_an_option() {
    let options = |name: &str, values: &[&str]| {
        let option = Wisard::options().iter().find(|option| option.name == name).unwrap();
        option.settings(&values.iter().map(|&value| value.to_owned()).collect::<Vec<_>>()).unwrap()
    };
    let target = options("target", &["kind"]);
    let ignore = options("ignore", &["width , depth", "height"]);
    assert_eq!(ignore, ["training.data.ignore=[\"width\",\"depth\",\"height\"]"]);
    let (_dir, config) =
        of_text(&flowers(), &[&target[0], "training.data.ignore=width", "model.tuple_bits=2"]);
    assert_eq!(config.training.data.target.as_deref(), Some("kind"));
    assert_eq!(Wisard::build(&config).unwrap().preparation.inputs, ["length"]);
    let two = ConfigText { origin: "test".to_owned(), yaml: presets::WISARD.to_owned() };
    let error =
        two.config::<Model, rekindle_wisard::Training>(&options("target", &["kind,width"])).unwrap_err();
    assert!(error.to_string().contains("classes are learnt of one column, and 2 are named"), "{error}");
}

#[test]
fn missing_values_are_filled_or_left_out_as_the_config_says() {
    let text = flowers().replace("10,", ",").replace("20,", "NA,");
    let gaps = text.matches("\n,").count() + text.matches("NA").count();
    let (_dir, config) = of_text(&text, &[TARGET, "training.data.missing=mean"]);
    let state = train(&config);
    assert_eq!(state.preparation.fillings.as_ref().unwrap().values.len(), 2);
    let notes = attach(&config, &state, 1).warnings();
    assert!(notes[0].contains(&format!("{gaps} missing values are filled")), "{notes:?}");
    let answers = predict(&config, &state, &table_of(&config)).unwrap();
    assert!(answers.table.notes()[0].contains(&format!("{gaps} in `length`")), "{:?}", answers.table.notes());
    assert_eq!(from_tree::<State>(&to_tree(&state).unwrap()).unwrap(), state);
    let mut other = state.clone();
    other.preparation.fillings.as_mut().unwrap().values.pop();
    assert!(other.validate(&config.model, &config.training).is_err());

    let (_dropped, config) = of_text(&text, &[TARGET, "training.data.missing=drop"]);
    let state = train(&config);
    let rows = state.preparation.rows + state.preparation.select_rows + state.preparation.test_rows.unwrap();
    assert_eq!(rows, 150 - gaps as u64);
    let error = predict(&config, &state, &table_of(&config)).unwrap_err().to_string();
    assert!(error.contains("column `length` has no value in row"), "{error}");
}

#[test]
fn a_table_without_names_is_asked_by_position() {
    let (dir, config) = of_text(&flowers(), &[TARGET]);
    let state = train(&config);
    let table = table_of(&config);
    let path = dir.path().join("inputs.npy");
    Table::new(table.columns()[..2].to_vec()).unwrap().write(&path).unwrap();
    let answers = predict(&config, &state, &Table::read(&path).unwrap()).unwrap();
    assert_eq!(answers.table.columns(), predict(&config, &state, &table).unwrap().table.columns());
    assert!(
        answers.table.notes()[0].contains("in their order, for length, width"),
        "{:?}",
        answers.table.notes()
    );
}

#[test]
fn a_table_with_other_separators_is_the_same_table() {
    let (_dir, plain) = of_text(&flowers(), &[TARGET]);
    let (_other, config) = of_text(&flowers().replace(',', "\t").replace('.', ","), &[TARGET]);
    let state = train(&config);
    assert_eq!(state, train(&plain));
    let notes = attach(&config, &state, 1).warnings();
    assert_eq!(notes, ["columns are separated by tabs, numbers have a decimal comma"]);
}

#[test]
fn numbers_are_not_taken_for_classes() {
    let mut text = "a,kind\n".to_owned();
    (0..1001).for_each(|row| writeln!(text, "{row},{row}.5").unwrap());
    let (_dir, config) = of_text(&text, &[TARGET]);
    let error = Wisard::build(&config).map(drop).unwrap_err().to_string();
    assert!(error.contains("1001 different values, too many for classes: at most 1000"), "{error}");
}

#[test]
fn a_question_that_does_not_fit_is_refused() {
    let (_dir, config) = of_text(&flowers(), &[TARGET]);
    let state = train(&config);
    for (text, expected) in [
        ("length\n5\n", "the table: there is no column `width`; there are: length"),
        ("length,width\n5,x\n", "column `width` has `x` in row 1, which is not a number"),
    ] {
        let (_question, question) = of_text(text, &[]);
        let error = predict(&config, &state, &table_of(&question)).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_run_goes_on_only_with_its_own_data() {
    let (dir, config) = of_text(&flowers(), &[TARGET]);
    let state = Wisard::build(&config).unwrap();
    for (other, expected) in [
        (flowers().replace("rose", "tulip"), "its values"),
        (flowers().replace("width", "depth"), "its inputs are length, depth, those of the run length, width"),
        (flowers() + "1,2,iris\n", "it has 151 rows, the run 150"),
    ] {
        std::fs::write(dir.path().join("table.csv"), other).unwrap();
        let error = Wisard::attach(&config, &state, &Resources::new(1)).map(drop).unwrap_err();
        assert!(error.is_mismatch());
        let message = error.to_string();
        assert!(message.contains(expected) && message.contains("training.data.file"), "{message}");
    }
}

/// Changes the starts, addresses and counters of a sparse memory.
type Change<'a> = &'a dyn Fn(&mut Vec<u64>, &mut Vec<u64>, &mut Vec<u16>);

/// Every refused state would otherwise be indexed out of range.
#[test]
fn a_state_that_does_not_fit_is_refused() {
    let refuse = |tuple_bits: &str, change: &dyn Fn(&mut State)| {
        let config = config(presets::GLYPHS, &[tuple_bits, "training.data.rows=400"]);
        let mut state = train(&config);
        change(&mut state);
        let error = Wisard::attach(&config, &state, &Resources::new(1)).map(drop).unwrap_err();
        assert!(error.is_mismatch());
        assert!(describe(&config, &state).is_err());
        assert!(draw(&config, &state).is_err());
        error.to_string()
    };
    let dense = |change: &dyn Fn(&mut State)| refuse("model.tuple_bits=8", change);
    assert!(dense(&|state| state.mapping.bits[0] = 256).contains("bit 256 is mapped"));
    assert!(dense(&|state| state.mapping.bits.clear()).contains("0 bits are mapped"));
    assert!(dense(&|state| state.mapping.bits.truncate(9)).contains("9 bits are mapped"));
    assert!(dense(&|state| state.mapping.tuple_bits = 0).contains("tuples have 0 bits"));
    assert!(dense(&|state| state.preparation.thermometers.bits = 0).contains("thresholds"));
    assert!(dense(&|state| state.preparation.thermometers.thresholds[3] = f64::NAN).contains("not finite"));
    assert!(dense(&|state| state.preparation.inputs.truncate(3)).contains("for 3 inputs"));
    assert!(dense(&|state| state.preparation.classes.clear()).contains("0 classes"));
    assert!(dense(&|state| state.preparation.classes.push("x".to_owned())).contains("counters for"));
    assert!(dense(&|state| state.learnt.truncate(2)).contains("rows learnt"));
    assert!(dense(&|state| state.learnt = vec![u64::MAX; 10]).contains("rows learnt"));
    assert!(dense(&|state| state.step = u64::MAX).contains("steps"));
    assert!(
        dense(&|state| {
            state.rows += 1;
            state.learnt[0] += 1;
        })
        .contains("321 rows of 320")
    );
    assert!(dense(&|state| state.memory = Memory::Dense { counts: vec![0; 7] }).contains("7 counters"));
    let sparse = |change: Change<'_>| {
        refuse("model.tuple_bits=20", &|state| match &mut state.memory {
            Memory::Sparse { starts, addresses, counts } => change(starts, addresses, counts),
            Memory::Dense { .. } => panic!("long tuples have sparse memory"),
        })
    };
    assert!(sparse(&|starts, _, _| starts.clear()).contains("not cut"));
    assert!(sparse(&|starts, _, _| starts[1] = u64::MAX).contains("not cut"));
    assert!(sparse(&|starts, _, _| starts[0] = 1).contains("not cut"));
    assert!(sparse(&|_, addresses, _| addresses[1] = addresses[0]).contains("not in order"));
    assert!(sparse(&|_, addresses, _| *addresses.last_mut().unwrap() = 1 << 20).contains("not in order"));
    assert!(sparse(&|_, _, counts| counts.push(0)).contains("counters for"));
    let memory = Memory::Sparse { starts: vec![0], addresses: Vec::new(), counts: Vec::new() };
    assert!(dense(&|state| state.memory = memory.clone()).contains("not of the kind"));
}

#[test]
fn sizes_are_checked_before_memory_is_taken() {
    let mut text = (0..200).map(|column| format!("c{column},")).collect::<String>() + "kind\n";
    let mut stream = rekindle_compute::rng::stream(0, 0, 0);
    for row in 0..2000 {
        (0..200).for_each(|_| write!(text, "{},", stream.below(1000)).unwrap());
        writeln!(text, "{}", row % 1000).unwrap();
    }
    let settings = [TARGET, "model.tuple_bits=64", "model.encoding.bits=256", NO_SELECT, NO_TEST];
    let (_dir, config) = of_text(&text, &settings);
    let error = Wisard::build(&config).map(drop).unwrap_err().to_string();
    assert!(error.contains("the counters would take") && error.contains("at most"), "{error}");
}

#[test]
fn a_row_unlike_all_is_answered_with_the_largest_class() {
    let text = "a,kind\n1,x\n2,x\n3,y\n4,y\n5,y\n";
    let (_dir, config) =
        of_text(text, &[TARGET, NO_SELECT, NO_TEST, "model.tuple_bits=1", "model.encoding.bits=1"]);
    let mut state = Wisard::build(&config).unwrap();
    let question = table_of(&config);
    let before = predict(&config, &state, &question).unwrap();
    assert_eq!(before.table.columns()[0].values.text(4), "x", "nothing is learnt: the first class");
    assert_eq!(before.table.columns()[1].values.text(4), "0");
    attach(&config, &state, 1).step(&mut state).unwrap();
    let after = predict(&config, &state, &question).unwrap();
    assert_eq!(after.table.columns()[0].values.text(4), "y");
}

#[test]
fn models_and_tables_are_checked_outside_of_runs_too() {
    let model =
        Model { encoding: Encoding { kind: EncodingKind::Linear, bits: 8 }, tuple_bits: 0, orders: 1 };
    let (_dir, config) = of_text(&flowers(), &[TARGET]);
    let error = State::learn(&model, &table_of(&config), "kind", 0, 1).unwrap_err().to_string();
    assert!(error.contains("model.tuple_bits"), "{error}");
    let column = |name: &str, numbers| Column { name: name.to_owned(), values: Values::Numbers(numbers) };
    let table = Table::new(vec![column("a", vec![1.0, f64::NAN]), column("kind", vec![0.0, 1.0])]).unwrap();
    let error = State::learn(&config.model, &table, "kind", 0, 1).unwrap_err().to_string();
    assert!(error.contains("column `a` has no value in row 2"), "{error}");
}

/// Rows of two classes, one of them rare, each row three times.
fn repeated() -> String {
    let mut text = "a,b,kind\n".to_owned();
    for row in 0..300 {
        let (content, kind) = (row % 100, if row % 100 < 20 { "rare" } else { "common" });
        writeln!(text, "{},{},{kind}", content % 20, 50 - content / 20).unwrap();
    }
    text
}

#[test]
fn rows_are_divided_by_what_they_contain_with_their_share_of_each_class() {
    let settings = [TARGET, "training.data.select=0.2", "training.data.test=0.1", "model.tuple_bits=3"];
    let (_dir, config) = of_text(&repeated(), &settings);
    let state = train(&config);
    // Equal rows lie together: 30 contents of 100 are kept back, three rows each.
    let preparation = &state.preparation;
    assert_eq!((preparation.rows, preparation.select_rows, preparation.test_rows), (210, 60, Some(30)));
    assert_eq!(state.learnt, [168, 42], "each class has its share: common, rare");

    // In which order the rows come makes no difference to what is learnt.
    let text = repeated();
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1..].reverse();
    let (_dir, turned) = of_text(&(lines.join("\n") + "\n"), &settings);
    assert_eq!(train(&turned).learnt, state.learnt);
    assert_eq!(train(&turned).preparation.thermometers, state.preparation.thermometers);
}

#[test]
fn a_config_with_validation_means_what_it_meant() {
    let before =
        ["training.data.select=null", "training.data.test=null", "training.data.validation=0.2", TARGET];
    let (_dir, config) = of_text(&flowers(), &before);
    let state = train(&config);
    let preparation = &state.preparation;
    assert_eq!((preparation.rows, preparation.select_rows, preparation.test_rows), (120, 30, None));
    let mut wisard = attach(&config, &state, 1);
    assert!(wisard.evaluate(&state).unwrap().contains_key("validation_accuracy"));
    let text = wisard.conclude(&state).unwrap().text;
    assert!(text.contains("validation rows  accuracy"), "{text}");
}

#[test]
fn a_state_to_be_loaded_into_needs_no_file() {
    let config = of_file(Path::new("/nowhere/x.csv"), &[TARGET]);
    let state = Wisard::blank(&config).unwrap();
    assert_eq!((state.step, state.preparation.rows), (0, 0));
    assert!(Wisard::build(&config).is_err());
}
