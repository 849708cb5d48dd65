//! Runs of weightless networks that were made before there was a part to report on: they go on, and end
//! with the state hash that the program of that time ended with.

#![allow(clippy::disallowed_methods, reason = "a test copies its files")]

use std::path::Path;

use crate::common::{World, copy};

#[test]
fn runs_from_before_there_was_test_end_with_the_same_bits() {
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/old_runs");
    for (system, file, step, expected) in [
        ("wnn", "book.txt", 18, "c11a0cde1ec91a28a72b83bdbd8b210386518314aa1ecf2a98ca37b1aa03ef04"),
        ("wisard", "points.csv", 5, "db0cd7ec4790d12308ee028fd6099bcfd5f5c717f015ed921b603a7658011631"),
    ] {
        let world = World::new();
        std::fs::copy(old.join(file), world.path(file)).unwrap();
        copy(&old.join(system), &world.path("r"));
        // They can be asked before they go on, too.
        world.ok("describe r");
        let ended = world.json("resume r -q");
        assert_eq!((&ended["step"], &ended["state_hash"]), (&step.into(), &expected.into()), "{system}");
        assert!(ended["test_cross_entropy"].is_null() && ended["test_accuracy"].is_null());
        world.ok("describe r");
    }
}
