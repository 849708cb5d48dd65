//! Runs that older programs made go on, and end with the state hash that the program of that time ended with.
//! (`moved_data` has those that hold names of files.)

#![allow(clippy::disallowed_methods, reason = "a test copies its files")]

use std::path::Path;

use crate::common::{World, copy};

#[test]
fn weightless_runs_from_before_there_was_a_test_part_end_with_the_same_bits() {
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/old_runs");
    for (system, file, step, expected) in [
        ("wnn", "book.txt", 18, "c11a0cde1ec91a28a72b83bdbd8b210386518314aa1ecf2a98ca37b1aa03ef04"),
        ("wisard", "points.csv", 5, "db0cd7ec4790d12308ee028fd6099bcfd5f5c717f015ed921b603a7658011631"),
    ] {
        let world = World::new();
        std::fs::copy(old.join(file), world.path(file)).unwrap();
        copy(&old.join(system), &world.path("r"));
        // They can be asked before they go on, too; that they are old is said.
        let noted = world.run("ls r").stderr;
        assert!(noted.contains("the run is of format 2"), "{noted}");
        world.ok("describe r");
        let ended = world.json("resume r -q");
        assert_eq!((&ended["step"], &ended["state_hash"]), (&step.into(), &expected.into()), "{system}");
        assert!(
            ended["metrics"]["test_cross_entropy"].is_null() && ended["metrics"]["test_accuracy"].is_null()
        );
        world.ok("describe r");
    }
}

/// A run of a circuit from before the loop told an observer, the reader of a run was a type and systems declared
/// their options.
#[test]
fn a_run_of_a_circuit_goes_on_to_the_same_bits() {
    let world = World::new();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/old_runs/logic"), &world.path("r"));
    let ended = world.json("resume r -q --threads 2");
    assert_eq!((&ended["resumed_from"], &ended["step"]), (&20.into(), &60.into()));
    assert_eq!(ended["state_hash"], "89c7bb801efe3bbad5fee365720ed1d41584766ba1696131c285bc354d54ed6a");
}
