//! Spans of a run that are computed again: with other threads and kernels, after changes of the config, by programs of
//! somebody else.

#![allow(clippy::disallowed_methods, reason = "tests look at files directly")]

use serde_json::{Value, json};

use crate::common::{Outcome, World, last_json, outcome, proven};

fn spans(audit: &Value) -> Vec<(u64, u64)> {
    let step = |span: &Value, name: &str| span[name].as_u64().unwrap();
    let audited = audit["audited"].as_array().unwrap();
    audited.iter().map(|span| (step(span, "from"), step(span, "to"))).collect()
}

#[test]
fn the_spans_of_a_run_come_out_as_they_are_recorded() {
    let world = World::new();
    world.ok("train small.yaml --run r --threads 2 --quiet");
    let files = world.files("r");
    let mut command = world.command("audit r --spans 9 --threads 1 --json");
    let ended = outcome(command.env("REKINDLE_KERNELS", "scalar").output().unwrap());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let audit = last_json(&ended.stdout);
    assert_eq!((&audit["equal"], &audit["spans"]), (&true.into(), &2.into()));
    assert_eq!(spans(&audit), [(20, 40), (40, 60)]);
    assert_eq!(audit["audited"][1]["recorded"], audit["audited"][1]["computed"]);
    assert_eq!(world.files("r"), files, "the run is as it was");
    let text = world.ok("audit r --spans 1 --seed 4");
    assert!(text.contains("audited: 1 span of 2, 20 steps computed again, the same bits"), "{text}");
}

#[test]
fn what_differs_is_told_with_its_entry() {
    let world = World::new();
    world.ok("train small.yaml --run r --quiet");
    let Outcome { code, stdout, .. } = world.run("audit r --spans 1 --set training.learning_rate=0.06");
    assert_eq!(code, 1, "{stdout}");
    assert!(stdout.contains("NOT EQUAL: 1 of 1 span ended with another state"), "{stdout}");
    assert!(stdout.contains(", first in `training.learning_rate`"), "{stdout}");
}

#[test]
fn settings_that_were_changed_on_the_way_are_changed_again() {
    let world = World::new();
    world.ok("train small.yaml --run r --stop-at 20 --quiet");
    world.ok("resume r --set training.learning_rate=0.02 --stop-at 40 --quiet");
    world.ok("resume r --set checkpoint.every_steps=1000 --stop-at 50 --quiet");
    // Not at a checkpoint that is still there, as `prune` has deleted it.
    world.ok("resume r --set training.learning_rate=0.01 --quiet");
    let audit = world.json("audit r --spans 9");
    assert_eq!((&audit["equal"], spans(&audit)), (&true.into(), vec![(20, 40), (40, 50), (50, 60)]));
    world.ok("prune r --keep-every 40 --keep-last 1 --grace 0");
    let Outcome { code, stdout, stderr } = world.run("audit r --json");
    assert_eq!(code, 0, "{stderr}");
    let audit = last_json(&stdout);
    let reason = "step 50: training.learning_rate: 0.02 -> 0.01";
    assert_eq!(audit["skipped"][0], json!({"from": 40, "to": 60, "reason": reason}), "{audit}");
}

#[test]
fn what_is_learnt_and_forgotten_later_is_no_training() {
    let world = World::new();
    world.write("first.csv", b"x,kind\n1,a\n2,b\n3,a\n");
    world.write("more.csv", b"x,kind\n4,a\n9,b\n");
    world.ok(
        "train wisard-exact --target kind --data first.csv --set model.ranges={\"x\":[0,10]} --set model.tuple_bits=3 --run r --quiet",
    );
    world.ok("learn r --data more.csv");
    let text = world.ok("audit r");
    assert!(
        text.contains("step 1 to 2: left out, as it is no training alone: step 1: learnt 2 rows"),
        "{text}"
    );
}

#[test]
fn a_program_computes_its_run_again() {
    let world = World::new();
    let program = proven();
    let ended =
        std::process::Command::new(&program).arg("run").current_dir(world.path(".")).status().unwrap();
    assert!(ended.success());
    let audit = last_json(&world.ok(&format!("audit run --json -- {program} run")));
    assert_eq!(audit["equal"], true, "{audit}");
    let Outcome { code, stdout, .. } = world.run(&format!("audit run -- {program} run forget"));
    assert_eq!(code, 1, "{stdout}");
    assert!(stdout.contains("first in `random`") || stdout.contains("first in `weights`"), "{stdout}");
    let said = world.fails(2, "audit run");
    assert!(said.contains("`rekindle audit run -- COMMAND`"), "{said}");
    let said = world.fails(2, "audit run -- true");
    assert!(said.contains("`true` ended with exit status: 0 and opened no run"), "{said}");
}

#[test]
fn where_there_is_nothing_to_audit_it_is_said() {
    let world = World::new();
    world.ok("train small.yaml --run r --stop-at 0 --quiet");
    let said = world.fails(10, "audit r");
    assert!(said.contains("`r` has 1 checkpoints, and no two"), "{said}");
    world.fails(10, "audit nowhere");
    world.fails(2, "audit r --spans 0");
}
