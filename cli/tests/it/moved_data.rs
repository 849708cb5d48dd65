//! Data is what it contains: a state knows no name and no place of a file. A run goes on from any
//! directory, wherever its files lie by then, and refuses others.

#![allow(clippy::disallowed_methods, reason = "tests look at files directly")]

use std::fmt::Write;
use std::path::Path;

use crate::common::{World, copy};
use serde_json::Value;

/// A system that learns files: what to train, but for the files themselves.
struct Case {
    system: &'static str,
    train: &'static str,
    /// A name of a file, and its bytes.
    data: Vec<(&'static str, String)>,
    stop_at: u64,
}

fn points() -> String {
    let mut text = "x,y,kind\n".to_owned();
    for index in 0..24 {
        let kind = if index % 3 == 0 { "outside" } else { "inside" };
        writeln!(
            text,
            "{:.1},{:.1},{kind}",
            f64::from(index * 37 % 24) / 10.0,
            f64::from(index * 11 % 24) / 10.0
        )
        .unwrap();
    }
    text
}

fn book() -> String {
    let mut text = String::new();
    for _ in 0..6 {
        for animal in ["cat", "dog", "bird", "cow", "hen", "fox"] {
            for place in ["tree", "stone", "river"] {
                write!(text, "the {animal} sees a {place}. ").unwrap();
            }
        }
    }
    text
}

fn dialogues() -> String {
    let dialogue = |name: &str| {
        format!(
            r#"{{"messages":[{{"role":"user","content":"who?"}},{{"role":"assistant","content":"{name}"}}]}}"#
        )
    };
    let names = ["Anna", "Tom", "Lena", "Peter", "Maria", "the cook", "a farmer", "the girl"];
    format!("[{}]", names.map(dialogue).join(","))
}

const CASCADE: &str = "train cascade --set training.data.targets=[\"kind\"] --set evaluate.every=5";
const WISARD: &str =
    "train wisard --set training.data.target=kind --set training.rows_per_step=4 --set model.tuple_bits=3";
const WNN: &str = "train wnn-search --set training.data.vocabulary=280 --set training.search.population_size=2 \
    --set training.search.ga_generations=1 --set training.search.ts_iterations=1 \
    --set training.search.neighbors_per_iter=2";
const GPT: &str = "train gpt-shakespeare --set model.layers=1 --set model.width=4 --set model.heads=1 \
    --set model.context=8 --set training.pretraining.steps=4 --set training.pretraining.batch=2 \
    --set training.tokenizer.kind=bytes";
const CHAT: &str = "train gpt --set model.layers=1 --set model.width=8 --set model.heads=1 --set model.context=16 \
    --set training.pretraining.steps=3 --set training.pretraining.batch=2 --set training.pretraining.warmup=0 \
    --set training.tuning.steps=3 --set training.tuning.batch=2 --set training.tokenizer.vocabulary=300 \
    --set training.tuning.data.evaluation=0.2";

fn cases() -> Vec<Case> {
    let case = |system, train, data, stop_at| Case { system, train, data, stop_at };
    vec![
        case("cascor", CASCADE, vec![("a.csv", points())], 5),
        case("wisard", WISARD, vec![("a.csv", points())], 2),
        case("wnn", WNN, vec![("a.txt", book())], 1),
        case("gpt", GPT, vec![("a.txt", book())], 2),
        case("gpt with dialogues", CHAT, vec![("a.txt", book()), ("b.json", dialogues())], 4),
    ]
}

impl Case {
    /// Writes the files into a directory, under names that begin like this.
    fn write(&self, world: &World, directory: &str, names: &str) {
        std::fs::create_dir_all(world.path(directory)).unwrap();
        for (name, text) in &self.data {
            world.write(&format!("{directory}/{names}{name}"), text.as_bytes());
        }
    }

    fn options(&self, directory: &str, names: &str) -> String {
        let options = self.data.iter().map(|(name, _)| format!(" --data {directory}/{names}{name}"));
        options.collect()
    }

    /// Settings of the preset that are others than when the old runs were made.
    fn as_of_old(&self) -> &'static str {
        match self.system {
            "cascor" => {
                "--set training.data.select=null --set training.data.test=null --set training.data.validation=0.2 \
                 --set training.method.fahlman.patience=0 --set best.metric=validation_loss"
            }
            "wisard" => {
                "--set training.data.select=null --set training.data.test=null --set training.data.validation=0.2"
            }
            "wnn" => {
                "--set training.data.select=null --set training.data.test=null --set training.data.evaluation=0.1"
            }
            _ => "",
        }
    }

    /// Cascades of so few rows grow for long: a few steps are enough.
    fn end(&self) -> &'static str {
        if self.system == "cascor" { "--stop-at 40" } else { "" }
    }
}

fn hash(result: &Value) -> &str {
    result["state_hash"].as_str().unwrap()
}

#[test]
fn names_and_places_of_files_are_no_part_of_a_state() {
    for case in cases() {
        let world = World::new();
        case.write(&world, ".", "");
        case.write(&world, "far/away", "other-");
        let here = world.json(&format!("{} --run a {} {}", case.train, case.options(".", ""), case.end()));
        let there = format!("{} --run b {} {}", case.train, case.options("far/away", "other-"), case.end());
        assert_eq!(hash(&world.json(&there)), hash(&here), "{}", case.system);
        let state = world.json("inspect a --depth 99")["state"].to_string();
        assert!(!state.contains("a.csv") && !state.contains("a.txt"), "{}: {state}", case.system);
        assert!(state.contains("sha256:"), "{}: {state}", case.system);
    }
}

#[test]
fn a_run_goes_on_from_any_directory() {
    for case in cases() {
        let world = World::new();
        case.write(&world, ".", "");
        let (data, stop) = (case.options(".", ""), case.stop_at);
        let straight = world.json(&format!("{} --run straight {data} {}", case.train, case.end()));
        world.ok(&format!("{} --run r {data} --stop-at {stop} -q", case.train));
        std::fs::create_dir(world.path("elsewhere")).unwrap();
        let run = world.path("r");
        let words = format!("resume {} --json {}", run.display(), case.end());
        let output = world.command(&words).current_dir(world.path("elsewhere")).output().unwrap();
        let ended = crate::common::outcome(output);
        assert_eq!(ended.code, 0, "{}: {}", case.system, ended.stderr);
        assert_eq!(hash(&crate::common::last_json(&ended.stdout)), hash(&straight), "{}", case.system);
    }
}

#[test]
fn a_run_goes_on_with_files_that_were_moved_and_with_no_others() {
    for case in cases() {
        let world = World::new();
        case.write(&world, ".", "");
        let (data, stop) = (case.options(".", ""), case.stop_at);
        let straight = world.json(&format!("{} --run straight {data} {}", case.train, case.end()));
        world.ok(&format!("{} --run r {data} --stop-at {stop} -q", case.train));
        std::fs::create_dir(world.path("far")).unwrap();
        for (name, _) in &case.data {
            std::fs::rename(world.path(name), world.path(&format!("far/moved-{name}"))).unwrap();
        }
        let system = case.system;
        let gone = world.fails(2, "resume r -q");
        assert!(gone.contains("cannot read") && gone.contains("sha256:"), "{system}: {gone}");
        assert!(gone.contains("--data FILE"), "{system}: {gone}");

        // The same but for one letter.
        let (name, text) = &case.data[0];
        world.write("other", text.replacen('s', "S", 1).as_bytes());
        let others = case.options("far", "moved-").replace(&format!("far/moved-{name}"), "other");
        let refused = world.fails(12, &format!("resume r -q {others}"));
        assert!(refused.contains("`other` holds other data"), "{system}: {refused}");
        assert_eq!(refused.matches("sha256:").count(), 2, "{system}: {refused}");
        assert_eq!(refused.matches(&format!("({} bytes)", text.len())).count(), 2, "{system}: {refused}");

        // Neither leaves a fork behind.
        world.fails(2, "resume r -q --fork f");
        world.fails(12, &format!("resume r -q --fork f {others}"));
        assert!(!world.path("f").exists(), "{system}");

        let moved = case.options("far", "moved-");
        let resumed = world.json(&format!("resume r -q {moved} {}", case.end()));
        assert_eq!(hash(&resumed), hash(&straight), "{system}");
        // From now on it knows where they lie.
        world.ok("resume r -q --stop-at 1");
    }
}

#[test]
fn a_tokenizer_is_in_the_state_and_only_another_is_refused() {
    for (train, setting) in [(GPT, "training.tokenizer.file"), (WNN, "training.data.tokenizer")] {
        let world = World::new();
        world.write("a.txt", book().as_bytes());
        world.ok("tokenizer build a.txt --out t.json --vocabulary 270");
        world.ok("tokenizer build a.txt --out u.json --vocabulary 265");
        let train = format!("{train} --data a.txt --tokenizer t.json -q");
        let straight = world.json(&format!("{train} --run straight"));
        world.ok(&format!("{train} --run r --stop-at 1"));
        std::fs::rename(world.path("t.json"), world.path("v.json")).unwrap();
        let refused = world.fails(12, &format!("resume r -q --set {setting}=u.json"));
        assert!(refused.contains("`u.json` holds other data"), "{refused}");
        assert!(
            world.fails(2, &format!("resume r -q --set {setting}=t.json")).contains("cannot read `t.json`")
        );
        let renamed = world.json(&format!("resume r -q --fork f --set {setting}=v.json"));
        assert_eq!(hash(&renamed), hash(&straight));
        // Without a word about it, it is not even looked for.
        assert_eq!(hash(&world.json("resume r -q")), hash(&straight));
    }
}

/// Runs that version 0.1.0 made where it still held the names of files in the state.
#[test]
fn runs_that_hold_names_of_files_go_on() {
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/old_runs");
    for case in &cases()[..4] {
        let world = World::new();
        for file in ["points.csv", "book.txt"] {
            std::fs::copy(old.join(file), world.path(file)).unwrap();
        }
        copy(&old.join(case.system), &world.path("r"));
        let file = if case.data[0].0 == "a.csv" { "points.csv" } else { "book.txt" };
        assert_eq!(world.read(file), case.data[0].1.as_bytes(), "the same as that of this test");
        let state = world.json("inspect r --depth 99")["state"].to_string();
        assert!(state.contains(file), "{}: {state}", case.system);

        world.write("other", case.data[0].1.replacen("see", "saw", 1).replacen("2.3", "2.2", 1).as_bytes());
        let refused = world.fails(12, "resume r -q --data other");
        assert!(refused.contains("other data"), "{}: {refused}", case.system);
        let straight =
            world.json(&format!("{} {} --run s --data {file} {}", case.train, case.as_of_old(), case.end()));
        let resumed = world.json(&format!("resume r -q {}", case.end()));
        assert_eq!(resumed["resumed_from"], case.stop_at);
        if case.system == "gpt" {
            // One that is begun now cuts its text otherwise; what the program measured at the end which
            // began that run is known.
            assert_eq!(resumed["metrics"]["validation_loss"], 5.550090881494375);
        } else {
            assert_eq!(hash(&resumed), hash(&straight), "{}", case.system);
        }
    }
}

/// Dialogues and facts that are generated, a vocabulary that grows with distilled rows, dropout and f16: all
/// as it was when the run was begun.
#[test]
fn a_run_that_was_begun_with_other_generated_text_goes_on_with_it() {
    let world = World::new();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/old_runs/gpt-dialogues"), &world.path("r"));
    let resumed = world.json("resume r -q --threads 2");
    assert_eq!((&resumed["resumed_from"], &resumed["step"]), (&Value::from(8), &Value::from(26)));
    // What the program measured at the end which began the run.
    assert_eq!(resumed["metrics"]["validation_loss"], 5.846613190390847);
    // A new run can begin with such a state.
    let settings = [
        "model.layers=1",
        "model.width=16",
        "model.heads=2",
        "model.context=24",
        "model.dropout=0.1",
        "training.precision=f16",
        "training.pretraining.steps=6",
        "training.pretraining.data.count=60",
        "training.tuning.steps=20",
        "training.tuning.data.count=60",
        "training.tokenizer.vocabulary=300",
        r#"training.adapt={"every":200,"policy":{"limit":340}}"#,
    ];
    let settings: String = settings.iter().map(|setting| format!(" --set {setting}")).collect();
    let anew = world.json(&format!("train gpt --run anew --from r@8 --stop-at 10 -q{settings}"));
    assert_eq!((&anew["step"], &anew["steps_run"]), (&Value::from(10), &Value::from(2)));
}
