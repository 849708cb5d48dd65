//! What is done with runs beside training: encrypting, signing, repairing, copying, noting.

#![allow(clippy::disallowed_methods, reason = "tests look at files directly")]

use crate::common::{World, spoil};

/// A run of four checkpoints.
fn world() -> World {
    let world = World::new();
    world.ok("train small.yaml --run life --quiet --set checkpoint.keep_last=null");
    world
}

fn recipient(world: &World, file: &str) -> String {
    world.ok(&format!("keygen {file}")).trim().to_owned()
}

#[test]
fn an_encrypted_run_goes_on_to_the_same_bits() {
    let world = world();
    let to = recipient(&world, "me.key");
    world.ok(&format!("encrypt life safe --recipient {to}"));
    let set = "--set training.epochs=80 --quiet";
    let plain = world.json(&format!("resume life {set}"));
    let safe = world.json(&format!("resume safe --identity me.key {set}"));
    assert_eq!(plain["state_hash"], safe["state_hash"]);
    assert_eq!(safe["artifacts"].as_array().unwrap().len(), 0, "no file tells what the run keeps secret");
    for file in world.files("safe") {
        let bytes = world.read(file.to_str().unwrap());
        let text = String::from_utf8_lossy(&bytes);
        for secret in ["perception", "hard_loss", "logic", "learning_rate"] {
            assert!(!text.contains(secret), "{} tells `{secret}`", file.display());
        }
    }
    // A fork and a new run from it are encrypted with the same key.
    world.ok("resume safe@60 --fork forked --identity me.key --quiet --set training.epochs=70");
    assert!(world.fails(14, "ls forked").contains("is encrypted"));
    world.ok("ls forked --identity me.key");
}

#[test]
fn keys_and_what_is_said_without_them() {
    let world = world();
    let (to, other) = (recipient(&world, "me.key"), recipient(&world, "other.key"));
    world.ok(&format!("encrypt life safe --recipient {to}"));
    assert!(world.fails(14, "ls safe").contains("--identity FILE"));
    world.fails(14, "ls safe --identity other.key");
    assert!(world.fails(2, "encrypt life again").contains("say who may open it"));
    assert!(world.fails(2, &format!("encrypt life safe --recipient {to}")).contains("exists"));
    assert!(world.fails(14, "encrypt life again --recipient age1nonsense").contains("recipient"));
    // Without the key, every stored byte can be checked.
    assert!(world.ok("verify safe").contains("no damage"));
    assert!(world.ok("ls .").contains("encrypted"));

    world.ok(&format!("rekey safe --identity me.key --recipient {other}"));
    world.fails(14, "ls safe --identity me.key");
    world.ok("ls safe --identity other.key");
    world.write("phrase", b"correct horse\n");
    world.ok("rekey safe --identity other.key --new-passphrase-file phrase");
    assert_eq!(world.json("verify safe --passphrase-file phrase")["valid"].as_array().unwrap().len(), 4);
    let mut by_environment = world.command("ls safe");
    assert!(by_environment.env("REKINDLE_PASSPHRASE", "correct horse").status().unwrap().success());
    let mut wrong = world.command("ls safe");
    assert_eq!(wrong.env("REKINDLE_PASSPHRASE", "wrong").status().unwrap().code(), Some(14));
    assert!(world.fails(2, "keygen me.key").contains("me.key"), "a secret is never overwritten");
}

#[test]
fn a_checkpoint_file_is_encrypted_too() {
    let world = world();
    let to = recipient(&world, "me.key");
    world.ok("export life@latest plain.rekindle");
    world.ok(&format!("encrypt plain.rekindle safe.rekindle --recipient {to}"));
    world.fails(14, "inspect safe.rekindle");
    let safe = world.json("inspect safe.rekindle --identity me.key");
    assert_eq!(safe["state_hash"], world.json("inspect plain.rekindle")["state_hash"]);
    assert!(!String::from_utf8_lossy(&world.read("safe.rekindle")).contains("perception"));
}

#[test]
fn a_signature_covers_the_whole_checkpoint() {
    let world = world();
    let public = world.ok("keygen --signing sign.pem").trim().to_owned();
    let stranger = world.ok("keygen --signing other.pem").trim().to_owned();
    for step in [0, 20, 40, 60] {
        world.ok(&format!("sign life@{step} --key sign.pem"));
    }
    world.ok(&format!("verify life --signed-by {public}"));
    let report = world.run(&format!("verify life --signed-by {stranger}"));
    assert_eq!(report.code, 1);
    assert!(report.stdout.contains("NOT SIGNED"));
    // Another state at the same step is not what was signed.
    world.ok("resume life@40 --discard-later --quiet --set training.epochs=60");
    let report = world.run(&format!("verify life --signed-by {public}"));
    assert_eq!(report.code, 1, "{}", report.stdout);
    assert!(world.fails(14, "verify life --signed-by nonsense").contains("public key"));
}

#[test]
fn a_whole_run_is_signed_at_once() {
    let world = world();
    let public = world.ok("keygen --signing sign.pem").trim().to_owned();
    world.ok("sign life@20 --key sign.pem");
    let signed = world.json("sign life --key sign.pem");
    assert_eq!(signed["steps"], serde_json::json!([0, 40, 60]));
    world.ok(&format!("verify life --signed-by {public}"));
    assert!(world.ok("sign life --key sign.pem").contains("signed as ed25519:"));
    // What cannot be loaded is not signed, and that is told.
    world.ok("resume life --quiet --set training.epochs=65");
    let before = world.files("life/packs");
    world.ok("resume life --quiet --set training.epochs=70");
    spoil(&world.newest_pack("life", &before), 20);
    let partly = world.run("sign life --key sign.pem --json");
    assert_eq!(partly.code, 3, "{}", partly.stderr);
    let partly = crate::common::last_json(&partly.stdout);
    assert_eq!((&partly["steps"], &partly["damaged"]), (&serde_json::json!([65]), &serde_json::json!([70])));
}

#[test]
fn of_no_checkpoint_none_is_signed() {
    let world = world();
    let public = world.ok("keygen --signing sign.pem").trim().to_owned();
    for file in world.files("life/commits") {
        std::fs::remove_file(file).unwrap();
    }
    let report = world.run(&format!("verify life --signed-by {public}"));
    assert_eq!(report.code, 1, "{}", report.stdout);
    assert!(report.stdout.contains("there is no checkpoint"), "{}", report.stdout);
    assert!(world.fails(2, "sign life --key sign.pem").contains("no checkpoint"));
}

#[test]
fn an_unknown_metric_deletes_nothing() {
    let world = world();
    let files = world.files("life");
    for words in ["--keep-best hard_los:max", "--keep-last 1 --keep-best soft_loss --keep-best accurasy:max"]
    {
        for dry_run in ["", "--dry-run"] {
            let error = world.fails(2, &format!("prune life {words} --grace 0 {dry_run}"));
            assert!(error.contains("did you mean `") && error.contains("there are: "), "{error}");
        }
    }
    assert_eq!(world.files("life"), files);
    world.ok("prune life --keep-best hard_loss --grace 0");

    // In a training, too: all checkpoints stay until it is set right.
    let typo = "--set checkpoint.keep_last=1 --set best.metric=hard_los --set training.epochs=100";
    let run = world.run(&format!("train small.yaml --run typo {typo}"));
    assert!(run.stderr.contains("`hard_los` (best.metric), so no checkpoint is deleted"), "{}", run.stderr);
    assert_eq!(world.json("ls typo")["checkpoints"].as_array().unwrap().len(), 6);
    let keep = r#"--set checkpoint.keep_best=[{"metric":"acuracy"}] --set checkpoint.keep_last=1"#;
    world.ok(&format!("train small.yaml --run other {keep}"));
    assert_eq!(world.json("ls other")["checkpoints"].as_array().unwrap().len(), 4);
    world.ok("resume typo --set best.metric=hard_loss --set training.epochs=120");
    assert!(world.json("ls typo")["checkpoints"].as_array().unwrap().len() <= 3);
}

#[test]
fn repair_keeps_what_is_intact_and_names_what_is_lost() {
    let world = world();
    assert!(world.ok("repair life").contains("nothing was damaged"));
    let pack =
        world.files("life/packs").into_iter().max_by_key(|file| file.metadata().unwrap().len()).unwrap();
    spoil(&pack, 40);
    let dry = world.run("repair life --dry-run");
    assert_eq!((dry.code, world.run("verify life").code), (1, 1));
    let repaired = world.run("repair life --json");
    assert_eq!(repaired.code, 3, "{}{}", repaired.stdout, repaired.stderr);
    let report = crate::common::last_json(&repaired.stdout);
    assert_eq!(report["set_aside"].as_array().unwrap().len(), 1);
    let salvaged = &report["salvaged"][0];
    assert_eq!(salvaged["lost"].as_array().unwrap().len(), 1, "{salvaged}");
    assert!(salvaged["intact"].as_u64().unwrap() > 10);
    assert_eq!(world.run("verify life").code, 0);
    assert_eq!(world.run("verify life.salvaged").code, 0);
    assert!(world.ok("repair life").contains("nothing was damaged"));
    world.ok("resume life --quiet --set training.epochs=65");
}

#[test]
fn runs_are_copied_moved_and_deleted() {
    let world = world();
    world.ok("note life looks-good");
    world.ok("note life@20 early");
    world.ok("cp life backup/copy");
    let listed = world.json("ls backup");
    assert_eq!(listed["runs"][0]["note"], "looks-good");
    assert_eq!(world.json("ls backup/copy")["checkpoints"][1]["note"], "early");
    assert_eq!(world.run("verify backup/copy").code, 0);
    assert!(world.fails(2, "cp life backup/copy").contains("exists"));
    world.fails(10, "cp nothing other");
    world.ok("mv backup/copy elsewhere/copy");
    world.fails(10, "ls backup/copy");
    assert!(world.fails(2, "rm elsewhere/copy").contains("--yes"));
    world.ok("rm elsewhere/copy --yes");
    world.fails(10, "rm elsewhere/copy --yes");
    world.fails(10, "rm . --yes");
    assert!(world.path("small.yaml").exists());
}

#[test]
fn a_run_that_is_written_is_neither_moved_nor_deleted() {
    use rekindle::storage::{FileStorage, Holder, Storage};
    let world = world();
    let storage = FileStorage::new(world.path("life"));
    let _lease = storage.lease(&Holder::this_process("a training")).unwrap();
    for words in ["mv life other", "rm life --yes", "gc life", "repair life", "note life text"] {
        assert!(world.fails(11, words).contains("a training"), "{words}");
    }
    world.ok("cp life copy");
    assert_eq!(world.run("verify copy").code, 0);
}

#[test]
fn gc_and_depths_of_verification() {
    let world = world();
    world.ok("prune life --keep-last 1 --grace 0");
    let freed = world.json("gc life --grace 0");
    assert_eq!(freed["condemned_bytes"], 0);
    assert_eq!(world.json("verify life")["damage"].as_array().unwrap().len(), 0);
    assert_eq!(world.json("verify life --depth structure")["chunks"], 0);
    let all = world.json("verify life")["chunks"].as_u64().unwrap();
    let some = world.json("verify life --depth sample --sample 50%")["chunks"].as_u64().unwrap();
    assert!(some < all, "{some} of {all}");
    world.fails(2, "verify life --depth sample --sample 101%");
    let rows = world.json("inspect life state.perception.layers.0.logits --rows 1..4");
    assert!(rows["first"].as_array().unwrap().len() >= 3);
    assert!(world.fails(2, "inspect life state.perception.layers.0.logits --rows 5..9999").contains("rows"));
}
