//! What people see: the text of each command, with what differs from run to run taken out.

use crate::common::World;

/// Replaces hashes, times, rates and sizes of compressed files, which depend on the machine.
fn stable(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let words = line.split(' ').map(|word| {
            let plain = word.trim_end_matches(',');
            let hex =
                plain.len() >= 12 && plain.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
            let time = plain.len() == 9 && plain.ends_with('Z') && plain.contains(':');
            let date = plain.len() == 10
                && plain.matches('-').count() == 2
                && plain.starts_with(|c: char| c.is_ascii_digit());
            match (hex && plain.bytes().any(|b| b.is_ascii_alphabetic()), time, date) {
                (true, ..) => "<hash>",
                (_, true, _) => "<time>",
                (_, _, true) => "<date>",
                _ => word,
            }
        });
        out += words.collect::<Vec<_>>().join(" ").trim_end();
        out.push('\n');
    }
    out
}

macro_rules! screen {
    ($name:expr, $text:expr) => {
        insta::assert_snapshot!($name, stable(&$text))
    };
}

#[test]
fn screens() {
    let world = World::new();
    screen!("help", world.ok("--help"));
    screen!("help_train", world.ok("train --help"));
    screen!("help_tokenizer", world.ok("tokenizer --help"));
    screen!("help_tokenizer_build", world.ok("tokenizer build --help"));
    screen!("help_circuit", world.ok("circuit --help"));
    screen!("help_circuit_simplify", world.ok("circuit simplify --help"));
    screen!("help_reason", world.ok("reason --help"));
    screen!("help_problems", world.ok("problems --help"));
    screen!("presets", world.ok("presets"));
    screen!("show_config", world.ok("show-config small.yaml --set training.epochs=5"));
    screen!("train", world.ok("train small.yaml --run r"));
    screen!("ls_checkpoints", world.ok("ls r"));
    world.ok("tag r@20 golden");
    screen!("tags", world.ok("tag r"));
    screen!("inspect", world.ok("inspect r@20"));
    screen!("inspect_array", world.ok("inspect r@20 state.update.layers.5.logits"));
    screen!("inspect_value", world.ok("inspect r@20 state.epoch"));
    screen!("inspect_history", world.ok("inspect r --history"));
    screen!("verify", world.ok("verify r"));
    let diff = world.run("diff r@20 r@40");
    assert_eq!(diff.code, 1);
    screen!("diff", diff.stdout);
    screen!("diff_identical", world.ok("diff r r@60"));
    screen!("prune_dry_run", world.ok("prune r --keep-last 1 --dry-run"));
    screen!("prune", world.ok("prune r --keep-last 1 --grace 0"));
}

#[test]
fn every_json_output_is_json() {
    let world = World::new();
    world.json("train small.yaml --run runs/r");
    for words in [
        "presets",
        "show-config small.yaml",
        "show-config runs/r",
        "ls",
        "ls runs/r",
        "status runs/r",
        "inspect runs/r",
        "inspect runs/r state.epoch",
        "inspect runs/r state.update.layers.0.logits",
        "inspect runs/r --history",
        "verify runs/r",
        "diff runs/r runs/r@60",
        "tag runs/r@20 x",
        "tag runs/r",
        "prune runs/r --keep-last 1 --dry-run",
        "prune runs/r --keep-last 1",
        "export runs/r x.json.gz",
        "import x.json.gz --run i",
    ] {
        world.json(words);
    }
}

#[test]
fn exports_come_back_and_every_reading_command_takes_a_checkpoint_file() {
    let world = World::new();
    let end = world.json("train small.yaml --run r");
    for name in ["x.rekindle", "x.safetensors", "x.json", "x.json.gz"] {
        world.ok(&format!("export r {name}"));
        let run = name.replace('.', "-");
        let imported = world.json(&format!("import {name} --run {run}"));
        assert_eq!(imported["state_hash"], end["state_hash"], "{name}");
        assert_eq!(world.json(&format!("resume {run}"))["state_hash"], end["state_hash"], "{name}");
        assert!(world.ok(&format!("inspect {name} state.epoch")).contains("state.epoch"), "{name}");
        assert!(world.ok(&format!("diff r {name}")).contains("identical"), "{name}");
    }
    for words in ["verify x.rekindle", "ls x.rekindle", "status x.rekindle", "export x.rekindle y.json"] {
        world.ok(words);
    }
    let from = world.json("train small.yaml --run n --from x.rekindle --set training.epochs=61");
    assert_eq!(from["steps_run"], 1);
    assert_eq!(world.json("prove x-json@60 --steps 0 --kills 0")["equal"], true);
}

#[test]
fn completions_for_every_shell() {
    let world = World::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(world.ok(&format!("completions {shell}")).contains("rekindle"));
    }
}
