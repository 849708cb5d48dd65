//! The classifier that learns and forgets exactly: one state in any order, and what is refused.

use std::fmt::Write;
use std::path::Path;

use rekindle::{from_tree, hash_of, to_tree};
use rekindle_compute::rng;
use rekindle_formats::table::Table;
use rekindle_train::{ConfigOf, ConfigText, Family, Learnt, Resources, System, SystemError};
use rekindle_wisard::exact::{State, WisardExact};
use rekindle_wisard::presets;

type Config = ConfigOf<WisardExact>;

pub const OF_FLOWERS: [&str; 7] = [
    "model.ranges={length: [0, 30], width: [280, 300]}",
    "model.encoding.bits=12",
    "model.window=0",
    "model.rams=12",
    "model.tuple_bits=7",
    "model.entry_bits=6",
    "training.data.target=kind",
];

fn config(settings: &[&str]) -> Config {
    let text = ConfigText { origin: "test".to_owned(), yaml: presets::EXACT.to_owned() };
    text.config(&settings.iter().map(|&setting| setting.to_owned()).collect::<Vec<_>>()).unwrap()
}

/// A config for tables of flowers, with this file.
fn of_flowers(file: &Path, settings: &[&str]) -> Config {
    let data = WisardExact::options()[0].settings(&[file.to_str().unwrap().to_owned()]).unwrap();
    let all: Vec<&str> = OF_FLOWERS.iter().chain(settings).copied().chain([data[0].as_str()]).collect();
    config(&all)
}

fn built(config: &Config) -> Result<State, String> {
    WisardExact::build(config).map_err(|error| error.to_string())
}

fn trained(config: &Config) -> State {
    let mut state = built(config).unwrap();
    let mut system = WisardExact::attach(config, &state, &Resources::new(1)).unwrap();
    while !system.progress(&state).finished {
        system.step(&mut state).unwrap();
    }
    state
}

fn names(file: &Path) -> Vec<String> {
    vec![file.to_str().unwrap().to_owned()]
}

fn learn(config: &Config, state: &mut State, file: &Path) -> Result<Learnt, SystemError> {
    WisardExact::capabilities().learn.unwrap()(config, state, &names(file), &Resources::new(2))
}

fn forget(config: &Config, state: &mut State, file: &Path) -> Result<Learnt, SystemError> {
    (WisardExact::capabilities().forget.unwrap().forget)(config, state, &names(file), &Resources::new(2))
}

/// Lines of a table: a flower's kind by two lengths, three kinds; some are equal.
pub fn flowers() -> Vec<String> {
    let row = |index: u32| {
        let (kind, spread) = (index % 3, f64::from(index % 7) / 10.0);
        let name = ["iris", "lily", "rose"][kind as usize];
        format!("{},{},{name}", f64::from(kind) * 10.0 + spread, 300.0 - spread * f64::from(kind))
    };
    (0..90).map(row).collect()
}

/// A table of these lines.
pub fn write<T: AsRef<str>>(folder: &Path, name: &str, lines: &[T]) -> std::path::PathBuf {
    let mut text = "length,width,kind\n".to_owned();
    lines.iter().for_each(|line| writeln!(text, "{}", line.as_ref()).unwrap());
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_hundred_orders_and_splits_give_one_state() {
    let dir = tempfile::tempdir().unwrap();
    let lines = flowers();
    let together = trained(&of_flowers(&write(dir.path(), "all.csv", &lines), &[]));
    assert_eq!((together.rows(), together.classes().len(), &together.pending), (90, 3, &None));
    let expected = hash_of(&together).unwrap();
    for order in 0..100 {
        let mut stream = rng::stream(7, 0, order);
        let mut lines = lines.clone();
        stream.shuffle(&mut lines);
        let (begin, middle) = (1 + stream.below(40) as usize, 41 + stream.below(48) as usize);
        let parts = [&lines[..begin], &lines[begin..middle], &lines[middle..]];
        let files = [0, 1, 2].map(|part| write(dir.path(), &format!("{part}.csv"), parts[part]));
        let rows_per_step = format!("training.rows_per_step={}", 1 + stream.below(100));
        let config = of_flowers(&files[0], &[&rows_per_step]);
        let mut state = trained(&config);
        for file in &files[1..] {
            learn(&config, &mut state, file).unwrap();
        }
        assert_eq!(hash_of(&state).unwrap(), expected, "order {order}");
    }
}

#[test]
fn what_is_forgotten_was_never_there() {
    let dir = tempfile::tempdir().unwrap();
    let lines = flowers();
    let file = |name: &str, lines: &[String]| write(dir.path(), name, lines);
    let config = of_flowers(&file("all.csv", &lines), &[]);
    let mut state = trained(&config);
    let without = trained(&of_flowers(&file("few.csv", &lines[20..]), &[]));
    let forgotten = forget(&config, &mut state, &file("gone.csv", &lines[..20])).unwrap();
    assert_eq!((forgotten.count, forgotten.unit, state == without), (20, "rows", true));
    // A class without a row is none, and one that comes back is what it was.
    let roses: Vec<String> = lines[20..].iter().filter(|line| line.ends_with("rose")).cloned().collect();
    let roses = file("roses.csv", &roses);
    forget(&config, &mut state, &roses).unwrap();
    assert_eq!(state.classes(), ["iris", "lily"]);
    learn(&config, &mut state, &roses).unwrap();
    assert_eq!(state, without);
    // Forgetting all leaves nothing, and nothing can be asked.
    forget(&config, &mut state, &file("few.csv", &lines[20..])).unwrap();
    assert_eq!((state.rows(), state.discriminators.len()), (0, 0));
    let table = Table::read(&roses).unwrap();
    let error = WisardExact::capabilities().predict.unwrap()(&config, &state, &table).unwrap_err();
    assert!(error.to_string().contains("no row is learnt"), "{error}");
}

#[test]
fn a_run_goes_on_from_any_step_and_on_any_number_of_threads() {
    let config = config(&["training.data.rows=300", "training.rows_per_step=17", "model.hashes=2"]);
    let hashes = |again: bool, threads: usize| {
        let mut state = built(&config).unwrap();
        let mut system = WisardExact::attach(&config, &state, &Resources::new(threads)).unwrap();
        let mut hashes = Vec::new();
        while !system.progress(&state).finished {
            system.step(&mut state).unwrap();
            hashes.push(hash_of(&state).unwrap());
            assert_eq!(system.progress(&state).step, hashes.len() as u64);
            if again {
                state = from_tree(&to_tree(&state).unwrap()).unwrap();
                let mut resources = Resources::new(threads);
                resources.step = hashes.len() as u64;
                system = WisardExact::attach(&config, &state, &resources).unwrap();
            }
        }
        assert_eq!(system.progress(&state).total, Some(18));
        hashes
    };
    assert_eq!(hashes(false, 1), hashes(true, 3));
}

#[test]
fn glyphs_are_told_apart_and_described() {
    let config = config(&[]);
    let state = trained(&config);
    let mut system = WisardExact::attach(&config, &state, &Resources::new(2)).unwrap();
    let conclusion = system.conclude(&state).unwrap();
    assert!(conclusion.metrics["test_accuracy"] > 0.95, "{:?}", conclusion.metrics);
    assert!(conclusion.text.contains("of 500 rows are right"), "{}", conclusion.text);
    let text = WisardExact::capabilities().describe.unwrap()(&config, &state).unwrap();
    assert!(text.contains("10 classes of 128 RAMs") && text.contains("column `digit`"), "{text}");
}

#[test]
fn what_was_never_learnt_cannot_be_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let lines = flowers();
    let config = of_flowers(&write(dir.path(), "all.csv", &lines), &[]);
    let mut state = trained(&config);
    let before = state.clone();
    let mut refused = |lines: &[&str]| {
        let error =
            forget(&config, &mut state, &write(dir.path(), "gone.csv", lines)).unwrap_err().to_string();
        assert_eq!(state, before);
        error
    };
    // The thresholds that a value exceeds are the same; the value is not.
    let message = refused(&[&lines[0], "0.001,300,iris", &lines[1]]);
    assert!(message.contains("1 of 3 rows cannot be forgotten") && message.contains("is row 2"), "{message}");
    let other_class = lines[0].replace("iris", "lily");
    assert!(refused(&[&other_class]).contains("1 of 1 rows"), "the row is of another class");
    let times = lines.iter().filter(|line| **line == lines[0]).count();
    let message = refused(&vec![lines[0].as_str(); times + 2]);
    assert!(message.contains(&format!("2 of {} rows", times + 2)), "{message}");
}

#[test]
fn rows_of_other_columns_and_pictures_of_another_size_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let config = of_flowers(&write(dir.path(), "all.csv", &flowers()), &[]);
    let mut state = trained(&config);
    let before = state.clone();
    let other = dir.path().join("other.csv");
    for (text, expected) in [
        ("length,height,kind\n1,290,iris\n2,280,lily\n", "no range is stated for the column `height`"),
        ("length,kind\n1,iris\n2,lily\n", "its inputs are length, those of the run are length, width"),
        ("length,width\n1,290\n2,280\n", "there is no column `kind`"),
        ("length,width,kind\n1,x,iris\n", "not a number"),
        ("length,width,kind\n1,,iris\n2,3,lily\n", "has no value in row 1"),
    ] {
        std::fs::write(&other, text).unwrap();
        for message in [learn(&config, &mut state, &other), forget(&config, &mut state, &other)]
            .map(|outcome| outcome.unwrap_err().to_string())
        {
            assert!(message.contains(expected), "{expected}: {message}");
            assert_eq!(state, before);
        }
    }
    let glyphs = self::config(&["training.data.rows=40"]);
    let mut state = trained(&glyphs);
    let folder = dir.path().join("pictures");
    std::fs::create_dir_all(folder.join("7")).unwrap();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 5, 4);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(&[0; 20]).unwrap();
    std::fs::write(folder.join("7/a.png"), bytes).unwrap();
    let message = learn(&glyphs, &mut state, &folder).unwrap_err().to_string();
    assert!(message.contains("have 5 by 4 pixels, those that are learnt 8 by 8"), "{message}");
    let files = ["a", "b", "c"].map(str::to_owned);
    let three = WisardExact::capabilities().learn.unwrap()(&glyphs, &mut state, &files, &Resources::new(1));
    assert!(three.unwrap_err().to_string().contains("3 files are named"));
}

#[test]
fn settings_that_break_the_promise_are_refused_by_name() {
    for (setting, expected) in [
        (
            "model.encoding.kind=gaussian",
            "`model.encoding.kind` is gaussian: its thresholds would lie by the rows",
        ),
        ("model.encoding.kind=quantile", "`model.encoding.kind` is quantile"),
        ("training.data.missing=mean", "`training.data.missing` is mean: a mean depends on all rows"),
        ("model.range=[16, 0]", "`model.range` is [16, 0]"),
        ("model.ranges={x: [1, 1]}", "`model.ranges.x` is [1, 1]"),
        ("model.hashes=9", "`model.hashes` is 9: it must be 1 to 8"),
        ("model.rams=0", "`model.rams` is 0"),
        ("model.tuple_bits=49", "only 48 bits to draw from"),
        ("model.smoothing=0", "`model.smoothing` is 0"),
        ("training.data.images=x", "`training.data.labels` is needed beside it"),
        ("training.rows_per_step=0", "at least 1 row"),
    ] {
        let message = built(&config(&[setting])).unwrap_err();
        assert!(message.contains(expected), "{expected}: {message}");
    }
    let message = built(&config(&["model.hashes=5", "model.entry_bits=13"])).unwrap_err();
    assert!(message.contains("with `model.entry_bits` bits each"), "{message}");
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "all.csv", &flowers());
    let message = built(&of_flowers(&file, &["model.ranges={length: [0, 30]}"])).unwrap_err();
    assert!(message.contains("model.ranges, such as {length: [0, 20.6], width: ["), "{message}");
}

#[test]
fn a_run_that_has_not_ended_learns_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "all.csv", &flowers());
    let config = of_flowers(&file, &["training.rows_per_step=40"]);
    let mut state = built(&config).unwrap();
    let mut system = WisardExact::attach(&config, &state, &Resources::new(1)).unwrap();
    system.step(&mut state).unwrap();
    let message = learn(&config, &mut state, &file).unwrap_err().to_string();
    assert!(message.contains("has learnt 40 of 90 rows of its training"), "{message}");
}
