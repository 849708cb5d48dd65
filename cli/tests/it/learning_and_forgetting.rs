//! A run that learns more and forgets: one state whatever the order, and nothing changed where it is refused.

#![allow(clippy::disallowed_methods, reason = "a test takes a file away")]

use serde_json::Value;

use crate::common::World;

const TRAIN: &str = "train wisard-exact --target kind --set model.window=0 --set model.rams=8 \
     --set model.tuple_bits=6 --set model.entry_bits=6 --set model.ranges={\"x\":[0,10],\"y\":[0,20]} --quiet";

/// A world with a table of all rows, and its two halves.
fn world() -> World {
    let row =
        |index: u32| format!("{},{},{}\n", index % 7, index % 11, ["a", "b", "c"][(index % 3) as usize]);
    let rows: Vec<String> = (0..60).map(row).collect();
    let world = World::new();
    let table = |rows: &[String]| format!("x,y,kind\n{}", rows.concat());
    for (name, rows) in [("all.csv", &rows[..]), ("first.csv", &rows[..35]), ("rest.csv", &rows[35..])] {
        world.write(name, table(rows).as_bytes());
    }
    world
}

fn train(world: &World, run: &str, file: &str) -> Value {
    world.json(&format!("{TRAIN} --data {file} --run {run}"))
}

#[test]
fn what_is_learnt_and_forgotten_leaves_the_state_of_the_rest() {
    let world = world();
    let (all, first) = (train(&world, "all", "all.csv"), train(&world, "first", "first.csv"));
    let rest = train(&world, "rest", "rest.csv");
    for (run, more) in [("first", "rest.csv"), ("rest", "first.csv")] {
        let learnt = world.json(&format!("learn {run} --data {more}"));
        assert_eq!(learnt["state_hash"], all["state_hash"], "{learnt}");
    }
    let text = world.ok("forget first --data rest.csv");
    assert!(text.starts_with("forgot 25 rows\n"), "{text}");
    assert!(text.contains("earlier checkpoints still know them: 2\n"), "{text}");
    let status = world.json("ls first");
    let newest = status["checkpoints"].as_array().and_then(|all| all.last()).cloned().unwrap_or_default();
    assert_eq!(newest["state_hash"], first["state_hash"], "{status}");
    let forgotten = world.json("forget rest --data first.csv --erase");
    assert_eq!(forgotten["state_hash"], rest["state_hash"], "{forgotten}");
    assert_eq!(forgotten["erased"], serde_json::json!([2]), "{forgotten}");
    world.ok("verify rest");
    // Training has ended: there is nothing to go on with, whatever became of its file.
    std::fs::remove_file(world.path("all.csv")).unwrap();
    let resumed = world.json("resume all");
    assert_eq!((&resumed["state_hash"], &resumed["finished"]), (&all["state_hash"], &true.into()));
    assert_eq!(world.json("status first")["state"], "finished");
}

#[test]
fn what_is_erased_is_nowhere_in_the_run() {
    let world = world();
    train(&world, "r", "first.csv");
    let before = world.json("learn r --data rest.csv");
    world.ok("forget r --data rest.csv --erase");
    let counts = |step: &Value| world.run(&format!("inspect r@{step} state.discriminators.0.rows")).code;
    assert_ne!(counts(&before["step"]), 0);
    // No byte of the run is left over from it: what it holds is what a copy of its checkpoints holds.
    world.ok("cp r copy");
    let length = |run: &str| world.json(&format!("gc {run} --grace 0"))["freed_bytes"].clone();
    assert_eq!((length("r"), length("copy")), (0.into(), 0.into()));
}

#[test]
fn what_is_refused_changes_nothing() {
    let world = world();
    train(&world, "r", "first.csv");
    world.write("other.csv", b"x,z,kind\n1,2,a\n3,4,b\n");
    world.ok("train wisard --data all.csv --target kind --set model.tuple_bits=4 --run gaussian -q");
    world.ok("train small.yaml --run life -q");
    let before = (world.json("ls r"), world.json("ls gaussian"));
    for (words, said) in [
        ("forget r --data rest.csv", "25 of 25 rows cannot be forgotten, as they were never learnt"),
        ("learn r --data other.csv", "no range is stated for the column `z`"),
        ("forget r --data other.csv", "no range is stated for the column `z`"),
        ("learn r --data none.csv", "cannot read `none.csv`"),
        ("learn r --data a --data b --data c", "3 files are named"),
        ("learn gaussian --data rest.csv", "`model.encoding.kind` is gaussian: its thresholds"),
        ("forget gaussian --data rest.csv", "runs of the preset `wisard-exact` learn more and forget"),
        ("learn life --data rest.csv", "`logic` models cannot learn more after their training"),
        ("forget life --data rest.csv", "`logic` models cannot forget"),
    ] {
        let error = world.fails(2, words);
        assert!(error.contains(said), "{words}: {error}");
    }
    assert_eq!((world.json("ls r"), world.json("ls gaussian")), before);
    world.fails(10, "learn nowhere --data rest.csv");
}
