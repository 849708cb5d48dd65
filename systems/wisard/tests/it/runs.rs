//! Runs that learn more and forget: what becomes of their checkpoints.

use std::path::Path;

use rekindle::storage::FileStorage;
use rekindle::{Hash, Store, Writer};
use rekindle_train::{
    AnySystem, Change, ConfigText, Family, Onto, Options, Report, Revised, Revision, Start, TrainError,
};
use rekindle_wisard::exact::{self, WisardExact};
use rekindle_wisard::presets;

use crate::exact::{OF_FLOWERS, flowers, write};

const FORGET: Change = Change::Forget { erase: false };

fn train(run: &Path, file: &Path) -> Report {
    let mut settings: Vec<String> = OF_FLOWERS.iter().map(|&setting| setting.to_owned()).collect();
    settings.extend(WisardExact::options()[0].settings(&[file.to_str().unwrap().to_owned()]).unwrap());
    settings.push("training.rows_per_step=20".to_owned());
    let checkpoint = "checkpoint={every_steps: 1, every_seconds: null, background: false, keep_last: 20}";
    settings.push(checkpoint.to_owned());
    let text = ConfigText { origin: "test".to_owned(), yaml: presets::EXACT.to_owned() };
    let start = Start::New { text, settings, run: Some(run.to_owned()), from: None };
    exact::system().train(start, &Options::default()).unwrap()
}

fn storage(run: &Path) -> std::sync::Arc<FileStorage> {
    std::sync::Arc::new(FileStorage::new(run))
}

fn revise(system: &dyn AnySystem, run: &Path, file: &Path, change: Change) -> Result<Revised, TrainError> {
    let files = vec![file.to_str().unwrap().to_owned()];
    let access = storage(run).into();
    system.revise(Revision { run: run.to_owned(), access, files, change, threads: 1 })
}

/// The steps of a run and their state hashes.
fn checkpoints(run: &Path) -> Vec<(u64, Hash)> {
    let store = Store::open(storage(run)).unwrap();
    store.records().map(|record| (record.step, record.state_hash)).collect()
}

#[test]
fn a_run_that_learns_and_forgets_has_the_hash_of_one_that_only_learnt_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let lines = flowers();
    let file = |name: &str, lines: &[String]| write(dir.path(), name, lines);
    let (all, first, rest) =
        (file("all.csv", &lines), file("first.csv", &lines[..50]), file("rest.csv", &lines[50..]));
    let run = |name: &str| dir.path().join(name);
    let whole = train(&run("all"), &all);
    let part = train(&run("part"), &first);
    assert_eq!((whole.step, part.step), (5, 3));
    let system = exact::system();
    let learnt = revise(&*system, &run("part"), &rest, Change::Learn).unwrap();
    assert_eq!((learnt.state_hash, learnt.state_hash_before), (whole.state_hash, part.state_hash));
    assert_eq!((learnt.count, learnt.step_before, learnt.step, learnt.metrics["rows"]), (40, 3, 4, 90.0));
    let forgotten = revise(&*system, &run("part"), &rest, FORGET).unwrap();
    assert_eq!((forgotten.state_hash, forgotten.step, forgotten.known_at), (part.state_hash, 5, vec![4]));
    // Where the rows are of a training in steps, those checkpoints know a part of them.
    let forgotten = revise(&*system, &run("all"), &rest, FORGET).unwrap();
    assert_eq!((forgotten.state_hash, forgotten.known_at), (part.state_hash, vec![3, 4, 5]));
    // A resume of it has nothing to do, though its file is gone.
    std::fs::remove_file(&first).unwrap();
    let start = Start::Resume {
        run: run("part"),
        access: storage(&run("part")).into(),
        step: None,
        settings: Vec::new(),
        onto: Onto::Same,
    };
    let resumed = system.train(start, &Options::default()).unwrap();
    assert_eq!((resumed.state_hash, resumed.step, resumed.finished), (part.state_hash, 5, true));
    assert_eq!(checkpoints(&run("part")).len(), 6);
}

#[test]
fn what_is_erased_is_gone_and_a_tag_keeps_it() {
    let dir = tempfile::tempdir().unwrap();
    let lines = flowers();
    let (first, rest) = (write(dir.path(), "a.csv", &lines[..50]), write(dir.path(), "b.csv", &lines[50..]));
    let (run, system) = (dir.path().join("run"), exact::system());
    let before = train(&run, &first).state_hash;
    revise(&*system, &run, &rest, Change::Learn).unwrap();
    let there = checkpoints(&run);
    Writer::open(storage(&run), "a test").unwrap().set_tag("kept", 4, false).unwrap();
    let erase = Change::Forget { erase: true };
    let refused = revise(&*system, &run, &rest, erase).unwrap_err().to_string();
    assert!(refused.contains("`kept`") && checkpoints(&run) == there, "{refused}");
    Writer::open(storage(&run), "a test").unwrap().delete_tag("kept").unwrap();
    let erased = revise(&*system, &run, &rest, erase).unwrap();
    assert_eq!((erased.erased, erased.known_at.len(), erased.state_hash), (vec![4], 0, before));
    let steps: Vec<u64> = checkpoints(&run).into_iter().map(|(step, _)| step).collect();
    assert_eq!(steps, [0, 1, 2, 3, 5]);
}

#[test]
fn what_is_refused_leaves_the_run_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let lines = flowers();
    let (first, rest) = (write(dir.path(), "a.csv", &lines[..50]), write(dir.path(), "b.csv", &lines[50..]));
    let (run, system) = (dir.path().join("run"), exact::system());
    train(&run, &first);
    let there = checkpoints(&run);
    let strangers = write(dir.path(), "c.csv", &["1,290,iris", lines[0].as_str()]);
    let error = revise(&*system, &run, &strangers, FORGET).unwrap_err().to_string();
    assert!(error.contains("1 of 2 rows cannot be forgotten"), "{error}");
    let error = revise(&*system, &run, dir.path(), Change::Learn).unwrap_err().to_string();
    assert!(error.contains("no folders with PNG files"), "{error}");
    assert_eq!(checkpoints(&run), there);
    // A run of the other classifier is one of another system; and that one says what breaks the promise.
    let of_other = revise(&*rekindle_wisard::system(), &run, &rest, Change::Learn).unwrap_err();
    assert!(matches!(of_other, TrainError::OtherSystem { .. }), "{of_other}");
}

#[test]
fn threads_and_steps_leave_no_trace_in_the_state_of_the_preset() {
    let hash = |threads: usize, rows_per_step: &str| {
        let text = ConfigText { origin: "preset".to_owned(), yaml: presets::EXACT.to_owned() };
        let settings = vec![format!("training.rows_per_step={rows_per_step}")];
        let start = Start::New { text, settings, run: None, from: None };
        let report = exact::system().train(start, &Options { threads, ..Options::default() }).unwrap();
        assert!(report.metrics["test_accuracy"] > 0.95, "{:?}", report.metrics);
        report.state_hash
    };
    let (one, two) = (hash(1, "500"), hash(2, "4000"));
    assert_eq!(one, two);
}
