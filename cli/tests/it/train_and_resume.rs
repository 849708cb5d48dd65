//! A user trains, stops, lights the run again, goes back, forks, starts from another run: the bits
//! are always those of a run never stopped.

use crate::common::{World, last_json, outcome};
use serde_json::Value;

#[test]
fn training_ends_with_a_result_for_scripts_and_files_for_people() {
    let world = World::new();
    let result = world.json("train small.yaml --run r");
    assert_eq!(result["run"], "r");
    assert_eq!((&result["step"], &result["steps_run"]), (&Value::from(60), &Value::from(60)));
    assert_eq!((&result["resumed_from"], &result["seed"]), (&Value::Null, &Value::from(1)));
    assert_eq!(result["state_hash"].as_str().unwrap().len(), 64);
    assert!(result["metrics"]["accuracy"].is_f64() && result["metrics"]["hard_loss"].is_f64(), "{result}");
    let circuit: Value = serde_json::from_slice(&world.read("r/artifacts/circuit.json")).unwrap();
    assert_eq!(circuit["channels"], 1);
    let rows = String::from_utf8(world.read("r/metrics.jsonl")).unwrap();
    let steps: Vec<Value> =
        rows.lines().map(|row| serde_json::from_str::<Value>(row).unwrap()["step"].clone()).collect();
    assert_eq!(steps, [20, 40, 60]);
    assert!(String::from_utf8(world.read("r/config.yaml")).unwrap().contains("system: logic"));
}

#[test]
fn stopped_and_resumed_is_bit_for_bit_the_straight_run() {
    let world = World::new();
    let straight = world.json("train small.yaml --run straight");
    world.json("train small.yaml --run parts --stop-at 7");
    world.json("resume parts --stop-at 33");
    let parts = world.json("resume parts");
    assert_eq!(parts["state_hash"], straight["state_hash"]);
    assert_eq!((&parts["resumed_from"], &parts["steps_run"]), (&Value::from(33), &Value::from(27)));
    world.ok("diff straight parts");
}

#[test]
fn a_finished_run_resumes_with_the_same_result() {
    let world = World::new();
    let first = world.json("train small.yaml --run r");
    let files = world.files("r");
    let again = world.json("resume r");
    for field in ["state_hash", "step", "metrics"] {
        assert_eq!(again[field], first[field], "{field}");
    }
    assert_eq!((&again["steps_run"], &again["resumed_from"]), (&Value::from(0), &Value::from(60)));
    assert_eq!(world.files("r"), files, "nothing was written");
}

#[test]
fn when_it_is_measured_and_saved_does_not_change_the_state() {
    let world = World::new();
    let reference = world.json("train small.yaml --run a");
    for (run, settings) in [
        ("b", "--set evaluate.every=7 --set checkpoint.every_steps=3"),
        ("c", "--set evaluate.every=0 --set checkpoint.every_steps=null"),
        ("d", "--set checkpoint.keep_last=1 --set best.metric=soft_loss --threads 1"),
    ] {
        let other = world.json(&format!("train small.yaml --run {run} {settings}"));
        assert_eq!(other["state_hash"], reference["state_hash"], "{settings}");
    }
    let other_seed = world.json("train small.yaml --run e --set seed=2");
    assert_ne!(other_seed["state_hash"], reference["state_hash"]);
}

#[test]
fn going_on_from_an_earlier_checkpoint_needs_a_word() {
    let world = World::new();
    let end = world.json("train small.yaml --run r");
    let message = world.fails(2, "resume r@20");
    assert!(message.contains("--fork DIR") && message.contains("--discard-later"), "{message}");
    let forked = world.json("resume r@20 --fork f");
    assert_eq!(forked["state_hash"], end["state_hash"]);
    assert_eq!(forked["resumed_from"], 20);
    let lineage = world.json("status f")["lineage"].clone();
    assert_eq!((&lineage["source"], &lineage["step"]), (&Value::from("r@20"), &Value::from(20)));
    let again = world.json("resume r@20 --discard-later");
    assert_eq!((&again["state_hash"], &again["steps_run"]), (&end["state_hash"], &Value::from(40)));
}

#[test]
fn more_steps_can_be_asked_for_and_are_recorded() {
    let world = World::new();
    world.json("train small.yaml --run r");
    let more = world.json("resume r --set training.epochs=80");
    assert_eq!((&more["step"], &more["steps_run"]), (&Value::from(80), &Value::from(20)));
    assert!(world.ok("inspect r").contains("changed at step 60: training.epochs: 60 -> 80"));
    let straight = world.json("train small.yaml --run s --set training.epochs=80");
    assert_eq!(straight["state_hash"], more["state_hash"], "equal training means equal state hash");
}

#[test]
fn a_new_run_starts_from_anothers_state_and_says_so() {
    let world = World::new();
    world.json("train small.yaml --run old");
    let tuned = world.json("train small.yaml --run new --from old@40 --set training.epochs=50");
    assert_eq!((&tuned["step"], &tuned["steps_run"]), (&Value::from(50), &Value::from(10)));
    assert_eq!(world.json("status new")["lineage"]["source"], "old@40");

    world.json("train small.yaml --run part --from old --only state.perception --stop-at 0");
    let diff = world.run("diff old part@0 --json");
    let different = last_json(&diff.stdout)["different"].to_string();
    assert!(!different.contains("state.perception") && different.contains("state.update"), "{different}");
}

#[test]
fn a_run_directory_is_never_reused() {
    let world = World::new();
    world.json("train small.yaml --run r --stop-at 1");
    let message = world.fails(2, "train small.yaml --run r");
    assert!(message.contains("holds a run already"), "{message}");
    // Without --run, another directory is found.
    assert_eq!(world.json("train small.yaml --stop-at 1")["run"], "runs/small");
    assert_eq!(world.json("train small.yaml --stop-at 1")["run"], "runs/small-2");
}

#[test]
fn a_damaged_checkpoint_is_passed_over_and_training_ends_with_the_same_bits() {
    let world = World::new();
    let straight = world.json("train small.yaml --run straight");
    world.json("train small.yaml --run r --stop-at 40");
    let before = world.files("r/packs");
    world.json("resume r --stop-at 41");
    crate::common::spoil(&world.newest_pack("r", &before), 20);
    let verified = world.run("verify r");
    assert_eq!(verified.code, 1);
    assert!(verified.stdout.contains("step 41: DAMAGED"), "{}", verified.stdout);
    let resumed = world.run("resume r --json");
    assert_eq!(resumed.code, 0, "{}", resumed.stderr);
    assert!(
        resumed.stdout.contains("the checkpoint at step 41 is damaged and was passed over"),
        "{}",
        resumed.stdout
    );
    let result = last_json(&resumed.stdout);
    assert_eq!((&result["resumed_from"], &result["state_hash"]), (&Value::from(40), &straight["state_hash"]));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let world = World::new();
    world.json("train small.yaml --run r");
    for words in ["ls r", "inspect r", "inspect r --history", "completions bash", "verify r"] {
        let mut child = world.command(words).spawn().unwrap();
        drop(child.stdout.take());
        let ended = outcome(child.wait_with_output().unwrap());
        assert!(ended.code == 0 && !ended.stderr.contains("panicked"), "{words}: {}", ended.stderr);
    }
}
