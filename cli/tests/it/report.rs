//! Runs on one page, which needs nothing but itself.

#![allow(clippy::disallowed_methods, reason = "tests look at files directly")]

use crate::common::{World, proven};

fn page(world: &World, words: &str) -> String {
    world.ok(words);
    String::from_utf8(world.read("report.html")).unwrap()
}

#[test]
fn a_run_is_told_as_a_whole() {
    let world = World::new();
    let end = world.json("train small.yaml --run r");
    world.ok("note r <b>mine</b>");
    let first = page(&world, "report r");
    for told in ["id=\"summary\"", "id=\"curves\"", "id=\"configs\"", "id=\"checkpoints\"", "id=\"repeat\""] {
        assert!(first.contains(told), "{told}");
    }
    assert!(first.contains(&format!("<code>{}</code>", end["state_hash"].as_str().unwrap())));
    assert!(first.contains("<svg class=\"curves\"") && first.contains("learning_rate: 0.05"));
    assert!(first.contains("&lt;b&gt;mine&lt;/b&gt;") && !first.contains("<b>mine"));
    assert!(first.contains("rekindle train again.yaml --run again --stop-at 60"));
    // Nothing is fetched, and nothing runs.
    for foreign in ["<script", "src=\"http", "href=\"http", "url(", "@import"] {
        assert!(!first.contains(foreign), "{foreign}");
    }
    assert_eq!(page(&world, "report r --force"), first, "the same run, the same page");
}

#[test]
fn several_runs_are_compared() {
    let world = World::new();
    world.ok("train small.yaml --run a --quiet");
    world.ok("resume a@20 --fork b --set training.learning_rate=0.02 --quiet");
    let page = page(&world, "report a b@40 --title both");
    assert!(page.contains("<title>both</title>"));
    assert!(
        page.contains("<td><code>training.learning_rate</code></td><td>0.05</td><td>0.02</td>"),
        "{page}"
    );
    assert!(page.contains("id=\"lineage\"") && page.contains(">begins at step 20</text>"));
    assert!(page.contains("step 20: training.learning_rate"), "what was changed on the way");
    // A run up to a checkpoint knows nothing of later ones.
    assert!(page.contains("40 of 60"));
    let report = world.json("report a b --out other.html");
    assert_eq!((&report["file"], report["runs"].as_array().unwrap().len()), (&"other.html".into(), 2));
}

#[test]
fn a_run_of_a_program_of_its_own_is_told_as_far_as_it_is_known() {
    let world = World::new();
    let ended =
        std::process::Command::new(proven()).arg("run").current_dir(world.path(".")).status().unwrap();
    assert!(ended.success());
    let page = page(&world, "report run");
    assert!(page.contains("by a program of its own") && page.contains("rekindle audit run -- COMMAND"));
}

#[test]
fn what_cannot_be_reported_is_said_and_no_file_is_lost() {
    let world = World::new();
    world.fails(10, "report nowhere");
    assert!(!world.path("report.html").exists());
    world.ok("train small.yaml --run r --stop-at 0 --quiet");
    world.write("report.html", b"mine");
    world.fails(2, "report r");
    assert_eq!(world.read("report.html"), b"mine");
}
