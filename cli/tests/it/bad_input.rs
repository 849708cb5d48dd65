//! Whatever a user or a disk gets wrong: a clear error, its exit code, and nothing lost.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests look at files directly")]

use crate::common::{World, last_json};

/// A world with a small run `r` that was stopped at step 25.
fn with_run() -> World {
    let world = World::new();
    world.json("train small.yaml --run r --stop-at 25");
    world
}

/// The run is still what it was.
fn intact(world: &World) {
    assert_eq!(world.json("resume r")["resumed_from"], 25);
}

fn check(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

#[test]
fn a_missing_run() {
    let world = World::new();
    for words in [
        "resume nowhere",
        "status nowhere",
        "verify nowhere",
        "inspect nowhere",
        "tag nowhere",
        "diff nowhere a",
    ] {
        check(&world.fails(10, words), &["there is no run in `nowhere`"]);
    }
    check(&world.fails(10, "ls nowhere"), &["no run"]);
    assert!(!world.path("nowhere").exists(), "looking makes nothing");
}

#[test]
fn a_missing_checkpoint_or_tag() {
    let world = with_run();
    check(&world.fails(2, "inspect r@7"), &["no checkpoint at step 7", "0, 20, 25"]);
    check(&world.fails(2, "inspect r@latest~9"), &["only 3 checkpoints"]);
    world.ok("tag r@20 golden");
    check(&world.fails(2, "inspect r@goldne"), &["no tag `goldne`", "did you mean `golden`?"]);
    check(
        &world.fails(2, "inspect r state.updaet"),
        &["no entry `state.updaet`", "did you mean `state.update`?"],
    );
}

#[test]
fn a_run_damaged_beyond_use() {
    let world = with_run();
    for pack in world.files("r/packs") {
        crate::common::spoil(&pack, 20);
    }
    for record in world.files("r/commits") {
        crate::common::flip(&record, 30);
    }
    check(&world.fails(13, "resume r"), &["damaged"]);
    check(&world.run("verify r").stdout, &["DAMAGED"]);
    assert_eq!(world.run("verify r").code, 13);
}

#[test]
fn damaged_identity_is_reported_and_harmless() {
    let world = with_run();
    crate::common::flip(&world.path("r/rekindle.json"), 5);
    let verified = world.run("verify r");
    assert_eq!(verified.code, 1);
    check(&verified.stdout, &["`rekindle.json` is damaged"]);
    intact(&world);
}

#[test]
fn a_run_of_another_system() {
    let world = with_run();
    // A state of somebody's own, as any program could have saved it.
    let mut run = rekindle::RunOptions::new().system("somebody-elses").create(world.path("other")).unwrap();
    run.about_mut().config = serde_json::json!({"system": "somebody-elses"});
    run.save(3, &vec![1.0f32; 10]).unwrap();
    drop(run);
    check(&world.fails(2, "resume other"), &["there is no system `somebody-elses`", "logic"]);
    world
        .write("other.yaml", crate::common::SMALL_LIFE.replace("system: logic", "system: logics").as_bytes());
    check(&world.fails(2, "train other.yaml"), &["there is no system `logics`", "did you mean `logic`?"]);
    check(&world.fails(12, "train small.yaml --run new --from other"), &["a run of system `somebody-elses`"]);
    assert!(world.ok("inspect other").contains("f32[10]"), "it can be looked into all the same");
    check(
        &world.fails(2, "train small.yaml --run n --set system=other"),
        &["the system is what the config is for"],
    );
}

/// Seals a JSON object as `rekindle.json` and commit records are sealed.
fn sealed(body: &str) -> Vec<u8> {
    let body = body.trim_end().trim_end_matches('}').trim_end();
    let hash = rekindle::Hash::of(body.as_bytes());
    format!("{body},\n  \"blake3\": \"{hash}\"\n}}\n").into_bytes()
}

#[test]
fn a_newer_format() {
    let world = with_run();
    let record = "r/commits/000000000025.json";
    let text = String::from_utf8(world.read(record)).unwrap();
    let body = text.split(",\n  \"blake3\"").next().unwrap().replace("\"format\": 3", "\"format\": 9");
    world.write(record, &sealed(&format!("{body}\n}}")));
    for words in ["resume r", "verify r", "ls r"] {
        check(&world.fails(12, words), &["format 9", "reads up to 3", "use a newer version"]);
    }
}

#[test]
fn a_commit_record_with_absurd_sizes_or_a_path_that_leaves_the_run() {
    let original = with_run();
    let name = "r/commits/000000000025.json";
    let text = String::from_utf8(original.read(name)).unwrap();
    let body = text.split(",\n  \"blake3\"").next().unwrap();
    let replace_field = |field: &str, value: &str| {
        let lines = body.lines().map(|line| match line.trim_start().starts_with(&format!("\"{field}\"")) {
            true => format!("  \"{field}\": {value},"),
            false => line.to_owned(),
        });
        sealed(&format!("{}\n}}", lines.collect::<Vec<_>>().join("\n")))
    };
    let cases = [
        ("payload_bytes", "18446744073709551615"),
        ("history", "\"../../../../etc/passwd\""),
        ("history", "\"/etc/passwd\""),
        ("step", "18446744073709551615"),
        ("root", "\"0000000000000000000000000000000000000000000000000000000000000000\""),
        ("root", "\"../../x\""),
        ("state_hash", "\"0000000000000000000000000000000000000000000000000000000000000000\""),
    ];
    for (field, value) in cases {
        let world = with_run();
        world.write(name, &replace_field(field, value));
        let verified = world.run("verify r");
        assert!(!verified.stderr.contains("panicked"), "{field}={value}");
        if field != "payload_bytes" {
            assert_eq!(verified.code, 1, "{field}={value}: {}", verified.stdout);
        }
        assert_eq!(world.run("resume r --json").code, 0, "{field}={value}");
    }
    let world = with_run();
    world.write(name, &vec![b' '; 1 << 20]);
    check(&world.run("verify r").stdout, &["longer than its kind may be"]);
    assert_eq!(world.json("resume r")["resumed_from"], 20);
}

#[test]
fn a_config_with_a_misspelt_key_or_a_wrong_type() {
    let world = World::new();
    let text = crate::common::SMALL_LIFE;
    world.write("a.yaml", text.replace("learning_rate", "learning_rat").as_bytes());
    check(&world.fails(2, "train a.yaml"), &["a.yaml:16:3", "learning_rat", "did you mean `learning_rate`?"]);
    world.write("b.yaml", text.replace("epochs: 60", "epochs: sixty").as_bytes());
    check(&world.fails(2, "train b.yaml"), &["b.yaml:15:11", "u64"]);
    world.write("c.yaml", text.replace("life", "lief").as_bytes());
    check(&world.fails(2, "train c.yaml"), &["did you mean `life`?"]);
    world.write("d.yaml", text.replace("update_gates: [16,", "update_gates: [1,").as_bytes());
    check(&world.fails(2, "train d.yaml"), &["model.update_gates"]);
    world.write("e.yaml", b"system: [unclosed");
    world.fails(2, "train e.yaml");
    world.write("f.yaml", &[0xff, 0xfe, 0x00]);
    check(&world.fails(2, "train f.yaml"), &["cannot read `f.yaml`"]);
    std::fs::create_dir(world.path("dir")).unwrap();
    check(&world.fails(2, "train dir/"), &["is a directory", "rekindle resume dir"]);
    check(&world.fails(2, "train missing.yaml"), &["cannot read `missing.yaml`"]);
    check(&world.fails(2, "train chekcerboard"), &["did you mean `checkerboard`?"]);
    assert!(!world.path("runs").exists(), "nothing was made");
}

#[test]
fn a_changed_architecture_on_resume() {
    let world = with_run();
    check(&world.fails(2, "resume r --set model.kernels=9"), &["model.kernels cannot change", "--from"]);
    check(&world.fails(2, "resume r --set training.epohcs=90"), &["did you mean `epochs`?"]);
    let message = world.fails(12, "train small.yaml --run wide --from r --only state.update.layers.0.logits --set model.update_gates=[24,16,8,4,2,1]");
    check(&message, &["does not fit", "256", "384"]);
    let message =
        world.fails(12, "train small.yaml --run wide2 --from r --set model.update_gates=[24,16,8,4,2,1]");
    check(&message, &["does not fit"]);
    intact(&world);
}

#[cfg(unix)]
#[test]
fn a_directory_that_cannot_be_written() {
    let world = with_run();
    world.write("file", b"");
    check(&world.fails(2, "train small.yaml --run file/run"), &["cannot"]);
    check(&world.fails(2, "train small.yaml --run /proc/rekindle"), &["cannot", "/proc/rekindle"]);
    world.write("occupied.txt", b"mine");
    std::fs::create_dir(world.path("mine")).unwrap();
    world.write("mine/thesis.tex", b"years of work");
    check(&world.fails(2, "train small.yaml --run mine"), &["not empty"]);
    assert_eq!(world.read("mine/thesis.tex"), b"years of work");
    intact(&world);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_while_exporting() {
    let world = with_run();
    // Every write to this device fails with "no space left".
    let message = world.run("inspect r").stdout;
    assert!(!message.is_empty());
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = world.command("inspect r").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    check(&String::from_utf8(output.stderr).unwrap(), &["No space left"]);
}

#[test]
fn two_writers_at_once() {
    let world = with_run();
    let writer = rekindle::RunOptions::new().purpose("the other one").open(world.path("r")).unwrap();
    for words in ["resume r", "tag r x", "prune r --keep-last 1"] {
        check(&world.fails(11, words), &["is being written by process", "the other one"]);
    }
    // Whoever only reads is not in the way.
    world.ok("verify r");
    assert_eq!(world.json("status r")["holder"]["purpose"], "the other one");
    drop(writer);
    intact(&world);
}

#[test]
fn files_that_cannot_be_imported() {
    let world = with_run();
    world.write("x.bin", b"something else");
    check(&world.fails(2, "import x.bin --run n"), &["no known format", "safetensors", "JSON"]);
    let header = br#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#;
    let overlapping = [&(header.len() as u64).to_le_bytes()[..], header, &[0; 12]].concat();
    world.write("x.safetensors", &overlapping);
    check(&world.fails(2, "import x.safetensors --run n"), &["header is not valid", "`b`"]);
    check(&world.fails(2, "import missing.json --run n"), &["cannot read"]);
    check(&world.fails(2, "export r x.docx"), &["cannot tell the format", ".safetensors"]);
    world.ok("export r good.rekindle");
    let good = world.read("good.rekindle");
    world.write("cut.rekindle", &good[..good.len() / 2]);
    world.fails(2, "import cut.rekindle --run n");
    world.fails(2, "inspect cut.rekindle");
    assert!(!world.path("n").exists(), "nothing was made");
    check(&world.fails(2, "resume good.rekindle"), &["rekindle import good.rekindle --run DIR"]);
    check(&world.fails(10, "resume x.bin"), &["there is no run"]);
    check(&world.fails(2, "import good.rekindle --run r"), &["holds a run already"]);
    intact(&world);
}

#[test]
fn wrong_usage() {
    let world = with_run();
    for words in
        ["", "trian", "train", "prune r", "train small.yaml --threads 0", "tag r@20 latest", "tag r@20 12"]
    {
        assert!(!world.fails(2, words).is_empty(), "{words}");
    }
    check(&world.fails(2, "prove small.yaml --steps 3 --kills 5"), &["only 3 steps"]);
    check(&world.fails(2, "inspect r a..b"), &["not a path"]);
    intact(&world);
}

#[test]
fn errors_for_scripts() {
    let world = World::new();
    let message = world.fails(10, "status nowhere --json");
    let error = last_json(&message);
    assert_eq!(error["code"], 10);
    check(error["error"].as_str().unwrap(), &["no run"]);
}

#[test]
fn kernels_that_the_machine_lacks() {
    let world = World::new();
    let output =
        world.command("train small.yaml --run r").env("REKINDLE_KERNELS", "abacus").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    check(&String::from_utf8(output.stderr).unwrap(), &["abacus", "scalar"]);
}

#[test]
fn a_change_that_no_step_follows_is_not_claimed_to_be_saved() {
    let world = with_run();
    let config = world.read("r/config.yaml");
    let before = world.json("status r")["state_hash"].clone();
    let idle = world.run("resume r --stop-at 25 --set training.learning_rate=0.001");
    check(&idle.stdout, &["nothing to do at step 25", before.as_str().unwrap()]);
    assert_eq!(world.read("r/config.yaml"), config);
    intact(&world);
}

#[test]
fn a_config_that_was_edited_in_an_export() {
    let world = with_run();
    world.ok("export r x.json");
    let text = String::from_utf8(world.read("x.json")).unwrap();
    world.write("x.json", text.replace("\"learning_rate\": 0.05,", "\"learning_rate\": 0.06,").as_bytes());
    world.ok("import x.json --run edited");
    check(&world.fails(12, "resume edited"), &["differ in `training`", "edited"]);
}

#[test]
fn a_failed_start_leaves_no_run_behind() {
    let world = with_run();
    let wide = "--set model.update_gates=[24,16,8,4,2,1]";
    world.fails(12, &format!("train small.yaml --run new --from r {wide}"));
    assert!(!world.path("new").exists());
    check(
        &world.fails(2, "train small.yaml --run new --from r --only training"),
        &["no entry `state.training`"],
    );
    assert!(!world.path("new").exists());
}

#[test]
fn a_damaged_part_of_the_history_does_not_take_the_rest_away() {
    let world = World::new();
    world.json("train small.yaml --run r --stop-at 20");
    world.json("resume r --stop-at 40");
    world.json("resume r --stop-at 45");
    let segments = world.files("r/metrics");
    crate::common::flip(segments.last().unwrap(), 100);
    let history = world.run("inspect r --history");
    check(&history.stdout, &["step 20", "step 40"]);
    check(&history.stderr, &["history is not complete"]);
    check(&world.run("resume r --stop-at 46").stderr, &["history is not complete"]);
    assert_eq!(world.run("verify r").code, 1);
}

#[test]
fn an_address_where_a_run_is_expected() {
    let world = with_run();
    for words in ["verify r@20", "ls r@latest", "status r@best"] {
        check(&world.fails(2, words), &["is the address of a checkpoint", "whole run: `r`"]);
    }
    world.ok("export r x.safetensors");
    check(
        &world.fails(2, "train small.yaml --from x.safetensors"),
        &["rekindle import x.safetensors --run DIR"],
    );
}
