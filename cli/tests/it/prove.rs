//! The proof of exact resume in short form: one state hash for all threads and kernels. The long
//! form stands in `docs/benchmarks.md`.

#![cfg(unix)]
#![allow(clippy::disallowed_methods, reason = "tests look at files directly")]

use std::io::{BufRead, BufReader};
use std::process::Command;
use std::time::Duration;

use crate::common::{Outcome, World, last_json, outcome, proven};

/// The kernel paths that this machine has; the others are named.
fn kernels(world: &World) -> Vec<&'static str> {
    let has = |name: &&str| {
        let mut command = world.command("train small.yaml --without-run --stop-at 0");
        let here = command.env("REKINDLE_KERNELS", name).status().unwrap().success();
        if !here {
            eprintln!("skipped: this machine has no {name} kernels");
        }
        here
    };
    ["avx512", "avx2", "scalar"].into_iter().filter(has).collect()
}

fn prove(world: &World, words: &str, kernels: &str) -> serde_json::Value {
    let mut command = world.command(&format!("prove {words} --json"));
    let ended = outcome(command.env("REKINDLE_KERNELS", kernels).output().unwrap());
    assert_eq!(ended.code, 0, "{words} with {kernels}\n{}{}", ended.stdout, ended.stderr);
    last_json(&ended.stdout)
}

fn one_hash_for_all(world: &World, subject: &str, kills: usize) {
    let mut hashes = Vec::new();
    for kernels in kernels(world) {
        for threads in [1, 2] {
            let proof = prove(world, &format!("{subject} --kills {kills} --threads {threads}"), kernels);
            assert_eq!(proof["kills"].as_array().unwrap().len(), kills);
            hashes.push(proof["straight"].clone());
        }
    }
    assert!(hashes.windows(2).all(|pair| pair[0] == pair[1]), "{subject}: {hashes:?}");
}

#[test]
fn the_whole_of_a_small_life() {
    one_hash_for_all(&World::new(), "small.yaml", 5);
}

#[test]
fn the_first_steps_of_the_presets() {
    let world = World::new();
    one_hash_for_all(&world, "life --steps 6", 2);
    one_hash_for_all(&world, "checkerboard --steps 2", 1);
    one_hash_for_all(&world, "spirals --steps 300", 3);
    one_hash_for_all(&world, "glyphs", 2);
    let search = "--set training.data.vocabulary=300 --set training.data.train_tokens=5000 \
                  --set training.data.eval_tokens=1000 --set training.search.token_parts=3";
    one_hash_for_all(&world, &format!("wnn-search {search} --steps 30"), 3);
}

#[test]
fn from_a_checkpoint_of_a_run() {
    let world = World::new();
    let end = world.json("train small.yaml --run r");
    let files = world.files("r");
    let proof = prove(&world, "r@20 --kills 3", "scalar");
    assert_eq!(proof["straight"], end["state_hash"]);
    assert_eq!(world.files("r"), files, "the run is as it was");
}

#[test]
fn stopping_leaves_nothing_behind() {
    let world = World::new();
    let scratch = world.path("scratch");
    std::fs::create_dir(&scratch).unwrap();
    let words = "prove small.yaml --kills 2 --set training.epochs=100000000";
    let child = world.command(words).env("TMPDIR", &scratch).spawn().unwrap();
    let entries = || std::fs::read_dir(&scratch).unwrap().count();
    while entries() == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(300));
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let ended = outcome(child.wait_with_output().unwrap());
    assert_eq!(ended.code, 130, "{}", ended.stderr);
    assert!(ended.stderr.contains("nothing is left of it"), "{}", ended.stderr);
    assert_eq!(entries(), 0);
}

#[test]
fn a_long_proof_tells_how_far_it_is() {
    let world = World::new();
    let words = "prove small.yaml --kills 0 --set training.epochs=100000000";
    let mut child = world.command(words).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "straight run: one process, no checkpoints");
    let line = lines.next().unwrap().unwrap();
    assert!(line.starts_with("  step ") && line.contains("/100000000"), "{line}");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn any_program_that_uses_the_library() {
    let world = World::new();
    let proof = last_json(&world.ok(&format!("prove --json --kills 6 --seed 3 -- {} run", proven())));
    assert_eq!((&proof["equal"], &proof["step"]), (&true.into(), &200.into()));
    assert_eq!(proof["straight"], proof["killed"]);
    assert_eq!(proof["kills"].as_array().unwrap().len(), 6);
    assert!(!world.path("run").exists(), "the proof has runs of its own");
}

#[test]
fn a_program_that_forgets_is_shown_where() {
    let world = World::new();
    let Outcome { code, stdout, .. } = world.run(&format!("prove --kills 3 -- {} run forget", proven()));
    assert_eq!(code, 1, "{stdout}");
    assert!(stdout.starts_with("NOT EQUAL at step 200 after 3 kills"), "{stdout}");
    // The first step after the first kill is computed from the stream's beginning.
    assert!(stdout.contains("the states part at step"), "{stdout}");
    assert!(stdout.contains("first in `weights`") || stdout.contains("first in `random`"), "{stdout}");
}

#[test]
fn a_program_that_does_not_do_its_part_is_told_so() {
    let world = World::new();
    let said = world.fails(2, "prove -- true");
    assert!(said.contains("`true` ended with exit status: 0 and opened no run"), "{said}");
    let said = world.fails(2, "prove -- no-such-program --fast");
    assert!(said.contains("cannot start `no-such-program --fast`"), "{said}");
    let said = world.fails(2, &format!("prove --kills 300 -- {} run", proven()));
    assert!(said.contains("only 200 steps"), "{said}");
    world.fails(2, "prove");
    world.fails(2, "prove life -- true");
}
