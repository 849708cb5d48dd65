//! What was measured, in files for programs that draw.

use serde_json::Value;

use crate::common::World;

#[test]
fn what_was_measured_is_a_table() {
    let world = World::new();
    world.ok("train small.yaml --run r --quiet");
    let written = world.json("export r@40 metrics.csv");
    assert_eq!((&written["format"], &written["step"]), (&"metrics in CSV".into(), &40.into()));
    let csv = String::from_utf8(world.read("metrics.csv")).unwrap();
    let head: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    let last: Vec<&str> = csv.lines().last().unwrap().split(',').collect();
    assert_eq!(
        (csv.lines().count(), head[0], last[0]),
        (1 + 40, "step", "40"),
        "a row a step, and no later ones"
    );
    world.ok("export r@40 metrics.jsonl");
    let text = String::from_utf8(world.read("metrics.jsonl")).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 40);
    for (name, value) in head.iter().zip(&last) {
        assert_eq!(rows[39][*name].as_f64(), value.parse().ok(), "{name}");
    }
    assert!(head.contains(&"hard_loss") && head.contains(&"training.train_loss"), "{head:?}");
    let said = world.fails(2, "export r metrics.csv");
    assert!(said.contains("`metrics.csv` is there already"), "{said}");
}

#[test]
fn what_was_measured_is_events() {
    let world = World::new();
    world.ok("train small.yaml --run r --quiet");
    world.ok("export r a.tfevents");
    let events = world.read("a.tfevents");
    let has = |name: &[u8]| events.windows(name.len()).any(|bytes| bytes == name);
    for name in ["brain.Event:2", "training.train_loss", "hard_loss", "boards", "learning_rate: 0.05"] {
        assert!(has(name.as_bytes()), "{name}");
    }
    // An array of the state, and the head of a picture of it.
    assert!(has(b"state.") && has(b"\x89PNG"));
    world.ok("export r b.tfevents");
    assert_eq!(world.read("b.tfevents"), events, "the same run, the same file");
}
