//! A user trains a language model, asks it, talks with it, teaches it something else, and carries it to
//! other programs and back.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests look at files directly")]

use std::path::Path;
use std::process::Stdio;

use crate::common::{Outcome, World, last_json, outcome};
use serde_json::Value;

const SHORT: &str = "--max-tokens 12 --threads 1";

/// A world with a finished run `r`, and what training it said.
fn with_run() -> (World, Value) {
    let world = World::new();
    let end = world.json("train gpt.yaml --run r --threads 2");
    (world, end)
}

fn check(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

/// How often the optimiser has updated the parameters.
fn updates(world: &World, address: &str) -> String {
    world.ok(&format!("inspect {address} state.optimizer.updates"))
}

/// What a model says to a text when it always takes the most probable.
fn greedy(world: &World, model: &str, prompt: &str) -> Value {
    let mut command = world.command(&format!("generate {model} {SHORT} --temperature 0 --json --prompt"));
    let Outcome { code, stdout, stderr } = outcome(command.arg(prompt).output().unwrap());
    assert_eq!(code, 0, "{model}: {stdout}{stderr}");
    last_json(&stdout)["text"].clone()
}

#[test]
fn a_model_is_trained_validated_and_asked() {
    let (world, end) = with_run();
    assert_eq!((&end["step"], &end["resumed_from"]), (&Value::from(16), &Value::Null));
    for name in ["loss", "validation_loss", "vocabulary"] {
        assert!(end["metrics"][name].is_f64(), "{name}: {end}");
    }

    let found = world.json("validate r");
    assert_eq!((&found["layers"], &found["context"]), (&Value::from(2), &Value::from(48)));
    assert_eq!(found["vocabulary"].as_f64(), end["metrics"]["vocabulary"].as_f64());
    check(&world.ok("validate r@8"), &["every logit is finite", "is a whole language model"]);

    let ask = |seed| {
        let answer = world.json(&format!("generate r --prompt Rain --seed {seed} {SHORT}"));
        assert!(answer["text"].is_string() && answer["stopped_by"].is_string(), "{answer}");
        assert!(answer["tokens"].as_array().unwrap().len() <= 12, "{answer}");
        answer["tokens"].clone()
    };
    assert_eq!(ask(7), ask(7));
    assert_ne!(ask(7), ask(8));
    let text = world.ok(&format!("generate r --prompt Rain --seed 7 {SHORT}"));
    assert_eq!(text, world.ok(&format!("generate r --prompt Rain --seed 7 {SHORT}")));
    let piped = world.told(&format!("generate r --prompt - --seed 7 {SHORT}"), "Rain");
    assert_eq!((piped.code, piped.stdout), (0, text));
}

#[test]
fn a_model_is_measured_on_a_text() {
    let (world, _) = with_run();
    world.write("text.txt", "Rain is water. Is it wet? ".repeat(40).as_bytes());
    let found = world.json("evaluate r --data text.txt");
    let of = |name: &str| found[name].as_f64().unwrap();
    assert!((of("loss").exp() - of("perplexity")).abs() < 1e-9 * of("perplexity"), "{found}");
    let bits = of("loss") * of("tokens") / std::f64::consts::LN_2 / of("bytes");
    assert!((of("bits_per_byte") - bits).abs() < 1e-9 && of("bytes") == 26.0 * 40.0, "{found}");
    assert!(world.ok("evaluate r --data text.txt").contains("bits per byte"));
    world.write("short.txt", b"a");
    assert!(world.fails(2, "evaluate r --data short.txt").contains("fewer than two tokens"));
}

#[test]
fn a_chat_goes_on_where_it_was_left() {
    let (world, _) = with_run();
    let chat = format!("chat r {SHORT}");
    let lines = "/help\nWhat is rain?\n\n/stats\n/save talk.json\n/clear\n/load talk.json\n/config\n\
                 /set temperature 0\n/set max_tokens 3\nIs it wet?\n/bye\nnever read\n";
    let talk = world.told(&chat, lines);
    assert_eq!(talk.code, 0, "{}{}", talk.stdout, talk.stderr);
    check(
        &talk.stdout,
        &[
            "/save [FILE]",
            "1 answers",
            "2 turns so far",
            "saved in talk.json",
            "forgotten",
            "2 turns from talk.json",
            "repetition_penalty",
            "temperature is 0",
            "max_tokens is 3",
        ],
    );
    let saved: Value = serde_json::from_slice(&world.read("talk.json")).unwrap();
    let messages = |saved: &Value| saved["conversations"][0]["messages"].as_array().unwrap().len();
    assert_eq!((&saved["version"], messages(&saved)), (&Value::from(1), 2));

    // A file of its own is saved after every answer, and the next chat goes on with it.
    for (question, said) in [("What is rain?\n", 2), ("Why?\n", 4)] {
        assert_eq!(world.told(&format!("{chat} --file own.json"), question).code, 0);
        assert_eq!(messages(&serde_json::from_slice(&world.read("own.json")).unwrap()), said);
    }
    let stats = world.told(&format!("{chat} --file own.json"), "/stats\n").stdout;
    check(&stats, &["0 answers", "4 turns so far"]);
    // What was said can be learnt.
    let data = "--set training.tuning.data.file=own.json --set training.tuning.data.evaluation=0";
    world.json(&format!("train gpt.yaml --run taught --stop-at 9 {data}"));
}

#[test]
fn wrong_commands_in_a_chat_are_named() {
    let (world, _) = with_run();
    world.write("torn.json", b"{\"version\": 1, \"conver");
    for (line, parts) in [
        ("/sing", &["there is no command /sing", "/help"][..]),
        ("/", &["/help"]),
        ("/save", &["name a file", "/save FILE"]),
        ("/load", &["name the file", "/load FILE"]),
        ("/load missing.json", &["`missing.json`"]),
        ("/load torn.json", &["`torn.json`", "not a saved chat"]),
        ("/save no/such/place.json", &["no/such/place.json"]),
        ("/set", &["name a setting and its value"]),
        ("/set volume 11", &["there is no setting `volume`", "/config"]),
        ("/set temperature hot", &["`hot` is not a value of temperature"]),
        ("/set top_p 2", &["top_p", "from 0 to 1"]),
        ("/set top_k -1", &["`-1` is not a value of top_k"]),
    ] {
        let said = world.told(&format!("chat r {SHORT}"), &format!("{line}\n"));
        assert_eq!(said.code, 2, "{line}: {}{}", said.stdout, said.stderr);
        check(&said.stderr, parts);
    }
    // For a program, every line is JSON.
    let said = world.told("chat r --json", "/help\n/config\n/stats\n/set seed 2\n").stdout;
    assert!(said.lines().all(|line| serde_json::from_str::<Value>(line).is_ok_and(|line| line.is_object())));
    assert_eq!(said.lines().count(), 4);
    let question = "word ".repeat(500);
    check(
        &world.told(&format!("chat r {SHORT}"), &question).stderr,
        &["the question has", "ask a shorter one"],
    );
}

#[test]
fn a_listener_that_goes_away_is_no_error() {
    let (world, _) = with_run();
    for words in ["chat r --max-tokens 20", "generate r --prompt Rain --max-tokens 20", "chat r --json"] {
        let mut child = world.command(words).stdin(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut input = child.stdin.take().unwrap();
        let _ = std::io::Write::write_all(&mut input, b"What is rain?\n/stats\nAnd snow?\n");
        drop(input);
        let ended = outcome(child.wait_with_output().unwrap());
        assert_eq!((ended.code, ended.stderr.contains("panicked")), (0, false), "{words}: {}", ended.stderr);
    }
}

#[test]
fn it_can_be_asked_while_it_trains() {
    let world = World::new();
    let settings = "--set checkpoint.every_steps=1 --set checkpoint.keep_last=3 --threads 1 \
                    --set training.pretraining.steps=20 --set training.tuning.steps=20";
    let alone = world.json(&format!("train gpt.yaml --run alone {settings}"));
    let mut training = world.command(&format!("train gpt.yaml --run r --json {settings}")).spawn().unwrap();
    while !world.path("r/commits/000000000001.json").exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let mut asked = 0;
    while training.try_wait().unwrap().is_none() && asked < 10 {
        let answer = world.json(&format!("generate r --prompt Rain --seed 1 {SHORT}"));
        assert!(answer["text"].is_string(), "{answer}");
        asked += 1;
    }
    assert!(asked > 0);
    let ended = outcome(training.wait_with_output().unwrap());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(last_json(&ended.stdout)["state_hash"], alone["state_hash"]);
    world.ok("verify r");
}

#[test]
fn another_text_is_learnt_by_a_model_that_is_there() {
    let (world, end) = with_run();
    let text = "The quick brown fox jumps over the lazy dog. ".repeat(40);
    world.write("fox.txt", text.as_bytes());
    world.write(
        "other.yaml",
        b"system: gpt
seed: 5
model: {layers: 2, heads: 2, width: 32, context: 48}
training:
  pretraining: {data: {file: fox.txt}, steps: 4, batch: 2, learning_rate: 0.001}
",
    );
    let tuned = world.json("train other.yaml --run tuned --from r --only model --threads 1");
    assert_eq!((&tuned["step"], &tuned["steps_run"]), (&Value::from(4), &Value::from(4)));
    assert_eq!(world.json("status tuned")["lineage"]["source"], "r");
    // Vocabulary and network are those of the other run, the optimiser begins anew.
    let (old, new) = (world.json("validate r"), world.json("validate tuned@0"));
    assert_eq!(old, new);
    assert_eq!(new["vocabulary"].as_f64(), end["metrics"]["vocabulary"].as_f64());
    assert_eq!(greedy(&world, "r", "Rain is"), greedy(&world, "tuned@0", "Rain is"));
    check(&updates(&world, "r"), &[" 16 (u64)"]);
    check(&updates(&world, "tuned"), &[" 4 (u64)"]);
    let named = world.json("train other.yaml --run named --from r --only state.model --threads 2");
    assert_eq!(named["state_hash"], tuned["state_hash"]);
    // The whole state says at which step it is.
    let whole = world.json("train gpt.yaml --run whole --from r@8 --threads 2");
    assert_eq!((&whole["steps_run"], &whole["state_hash"]), (&Value::from(8), &end["state_hash"]));
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let (world, end) = with_run();
    world.json("train gpt.yaml --run parts --threads 1 --stop-at 5");
    world.json("resume parts --threads 3 --stop-at 11");
    let parts = world.json("resume parts --threads 2");
    assert_eq!(parts["state_hash"], end["state_hash"]);
    assert_eq!(parts["metrics"]["validation_loss"], end["metrics"]["validation_loss"]);
    world.ok("diff r parts");
}

#[test]
fn exact_resume_is_proved_with_all_that_a_run_can_have() {
    let world = World::new();
    let settings = "--set training.adapt.every=200 --set training.adapt.policy.limit=310";
    let proof = world.json(&format!("prove gpt.yaml --kills 2 --threads 2 {settings}"));
    assert_eq!((&proof["equal"], &proof["step"]), (&Value::from(true), &Value::from(16)));
    // The vocabulary did grow and shrink.
    let end = world.json(&format!("train gpt.yaml --run r {settings}"));
    assert_eq!(end["state_hash"], proof["straight"]);
    let growth = world.ok("inspect r state.growth --depth 9");
    assert!(growth.contains("added") && growth.contains("removed"), "{growth}");
}

/// Nothing of this name, nor beside it, was left.
fn nothing_left(world: &World, name: &str) {
    let left: Vec<_> = std::fs::read_dir(world.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|found| found.contains(Path::new(name).file_stem().unwrap().to_str().unwrap()))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_model_is_carried_to_other_programs_and_back() {
    let (world, _) = with_run();
    let text = greedy(&world, "r", "Rain is");
    for file in ["m.hf", "m.rekindle", "m.lopos", "m.v1.lopos", "m.gguf", "m.q8_0.gguf", "m.safetensors"] {
        let exported = world.json(&format!("export r {file}"));
        assert!(exported["bytes"].as_u64().unwrap() > 1000, "{file}: {exported}");
    }
    for file in ["m.hf", "m.rekindle", "m.gguf"] {
        assert_eq!(greedy(&world, file, "Rain is"), text, "{file}");
    }
    for (file, code) in [
        ("m.hf", 3),
        ("m.rekindle", 0),
        ("m.safetensors", 0),
        ("m.lopos", 3),
        ("m.v1.lopos", 3),
        ("m.gguf", 3),
    ] {
        let run = format!("{file}.back");
        let imported = world.run(&format!("import {file} --run {run}"));
        assert_eq!(imported.code, code, "{file}: {}{}", imported.stdout, imported.stderr);
        world.ok(&format!("validate {run}"));
        if !file.ends_with(".lopos") {
            assert_eq!(greedy(&world, &run, "Rain is"), text, "{file}");
        }
    }
    check(&world.ok("validate m.lopos"), &["is a whole language model"]);
    // A model without words speaks in the numbers of its tokens.
    let numbers = greedy(&world, "m.lopos", "<1> <2>");
    assert!(numbers.as_str().unwrap().contains('<'), "{numbers}");
    // What was imported can be begun from.
    let biases = "--set model.attention_biases=true --stop-at 1 --json";
    let tuned = world.run(&format!("train gpt.yaml --run tuned --from m.hf.back --only model {biases}"));
    assert_eq!(tuned.code, 0, "{}", tuned.stderr);
    assert_eq!(world.run("resume m.hf.back").code, 12);
    let refused = world.run("generate m.safetensors --prompt Rain");
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    check(&refused.stderr, &["m.safetensors"]);
}

#[test]
fn a_model_of_rustgpt_is_carried_there_and_back() {
    let world = World::new();
    world.write("texts.json", b"[\"the sun rises in the east </s>\", \"water flows downhill </s>\"]");
    world.write("talks.json", b"[\"User: what rises ? Assistant: the sun rises </s>\"]");
    let small = "--set model.layers=1 --set model.width=16 --set model.feed_forward=32 \
                 --set training.pretraining.epochs=6 --set training.tuning.epochs=6 --threads 1";
    world.json(&format!("train rustgpt --run r --data texts.json --data talks.json {small}"));
    let text = greedy(&world, "r", "the sun");
    for file in ["m.rustgpt.json", "m.rustgpt.bin", "m.rekindle"] {
        world.ok(&format!("export r {file}"));
        assert_eq!(greedy(&world, file, "the sun"), text, "{file}");
        let run = format!("{file}.back");
        // Files of RustGPT have no checksum, which the exit code says.
        let code = if file == "m.rekindle" { 0 } else { 3 };
        let imported = world.run(&format!("import {file} --run {run}"));
        assert_eq!(imported.code, code, "{file}: {}{}", imported.stdout, imported.stderr);
        assert_eq!(greedy(&world, &run, "the sun"), text, "{file}");
        // The optimiser comes along.
        assert_eq!(updates(&world, &run), updates(&world, "r"), "{file}");
    }
    check(
        &world.told("chat m.rustgpt.json --temperature 0", "what rises ?\n/stats\n").stdout,
        &["1 answers"],
    );
    for (file, parts) in [
        ("no.hf", &["cannot hold this model"][..]),
        ("no.lopos", &["cannot hold this model"]),
        ("no.v1.lopos", &["cannot hold this model"]),
        ("no.gguf", &["cannot hold this model"]),
        ("no.q8_0.gguf", &["cannot hold this model"]),
        ("no.onnx", &["no logic circuits"]),
        ("no.xyz", &["no.xyz", ".hf", ".rekindle"]),
    ] {
        check(&world.fails(2, &format!("export r {file}")), parts);
        nothing_left(&world, "no.x");
    }
}

#[test]
fn what_a_format_cannot_hold_is_refused_and_leaves_nothing() {
    let (world, _) = with_run();
    for file in ["no.rustgpt.json", "no.rustgpt.bin"] {
        check(&world.fails(2, &format!("export r {file}")), &["cannot hold this model", "whole words"]);
        nothing_left(&world, file);
    }
    // What is there already is not written over.
    std::fs::create_dir(world.path("taken.hf")).unwrap();
    world.write("taken.hf/mine.txt", b"mine");
    check(&world.fails(2, "export r taken.hf"), &["taken.hf"]);
    assert_eq!(world.files("taken.hf").len(), 1);
    check(&world.fails(2, "export r missing/m.gguf"), &["missing/m.gguf"]);
}

#[test]
fn what_cannot_be_trained_is_named_and_makes_no_run() {
    let world = World::new();
    world.write("text.txt", "water flows downhill. ".repeat(30).as_bytes());
    world.write("empty.txt", b"");
    world.write("empty.json", b"[]");
    world.write("wrong.json", b"{\"talks\": []}");
    for (words, parts) in [
        ("gpt-shakespeare", &["training.pretraining.data.file", "name a text", "--data FILE"][..]),
        ("rustgpt --data text.txt", &["training.tuning.data.file", "--data FILE"]),
        ("gpt --data a --data b --data c", &["--data", "2 at most"]),
        ("gpt-shakespeare --data missing.txt", &["`missing.txt`"]),
        ("gpt-shakespeare --data empty.txt", &["`empty.txt`", "nothing to learn"]),
        ("gpt-shakespeare --data empty.json", &["`empty.json`", "the list is empty"]),
        ("gpt-shakespeare --data wrong.json", &["`wrong.json`", "`conversations`"]),
        ("rustgpt --data text.txt --data text.txt", &["training.pretraining.epochs", "running text"]),
        ("gpt.yaml --set training.pretraining.epochs=2", &["training.pretraining.epochs", "`steps`"]),
        ("gpt.yaml --set model.heads=5", &["model.heads", "divisible"]),
        ("gpt.yaml --set training.adapt.policy.limit=290", &["training.adapt", "limit", "290"]),
        ("gpt.yaml --set model.haeds=2", &["haeds", "`heads`"]),
        ("gpt.yaml --set training.pretraining.data.source=fact", &["fact"]),
        ("gpt.yaml --tokenizer text.txt", &["`text.txt`"]),
        ("gpt.yaml --pass 2", &["--pass 2", "no such option"]),
    ] {
        check(&world.fails(2, &format!("train {words} --run r")), parts);
        assert!(!world.path("r").exists(), "{words}");
    }
}

#[test]
fn a_model_that_does_not_fit_is_named_and_leaves_the_old_one() {
    let (world, end) = with_run();
    for (settings, parts) in [
        ("--set model.layers=3", &["does not fit"][..]),
        ("--set model.width=64", &["does not fit", "token_embedding"]),
        ("--set model.heads=4", &["does not fit", "heads"]),
        ("--set training.adapt.policy.limit=301 --set training.tokenizer.vocabulary=260", &["limit", "301"]),
    ] {
        let refused = world.run(&format!("train gpt.yaml --run new --from r --only model {settings}"));
        assert!([2, 12].contains(&refused.code), "{settings}: {}{}", refused.stdout, refused.stderr);
        check(&refused.stderr, parts);
        assert!(!world.path("new").exists(), "{settings}");
    }
    for words in ["resume r --set model.layers=3", "resume r --set training.adapt.every=5"] {
        check(&world.fails(2, words), &["cannot change", "--from"]);
    }
    assert_eq!(world.json("resume r")["state_hash"], end["state_hash"]);
}

#[test]
fn a_text_that_was_changed_since_the_run_began() {
    let world = World::new();
    let text = "water flows downhill. ".repeat(60);
    world.write("text.txt", text.as_bytes());
    let small = "--set model.layers=1 --set model.width=16 --set model.context=16 --threads 1";
    world.json(&format!("train gpt-shakespeare --run r --data text.txt --stop-at 2 {small}"));
    world.write("text.txt", text.replace("down", "up").as_bytes());
    check(&world.fails(12, "resume r"), &["text.txt`", "holds other data", "--data"]);
    // It may lie elsewhere.
    world.write("moved.txt", text.as_bytes());
    let resumed = world.json("resume r --data moved.txt --stop-at 4 --threads 1");
    assert_eq!((&resumed["resumed_from"], &resumed["step"]), (&Value::from(2), &Value::from(4)));
}

#[test]
fn questions_that_cannot_be_asked() {
    let (world, _) = with_run();
    let long = "word ".repeat(200);
    for (words, input, parts) in [
        ("--prompt -", "", &["the prompt has no token"][..]),
        ("--prompt -", &long, &["the prompt has", "at most 48", "--slide"]),
        ("--prompt Rain --top-p 2", "", &["top_p", "from 0 to 1"]),
        ("--prompt Rain --temperature nan", "", &["temperature"]),
        ("--prompt Rain --repetition-penalty 0", "", &["repetition_penalty"]),
        ("--prompt Rain --threads 0", "", &["--threads"]),
        ("--prompt Rain --max-tokens -1", "", &["`-1`"]),
    ] {
        let said = world.told(&format!("generate r {words}"), input);
        assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{words}: {}", said.stderr);
        check(&said.stderr, parts);
    }
    assert_eq!(world.told("generate r --prompt - --slide --max-tokens 60", &long).code, 0);
    check(&world.fails(10, "generate nowhere --prompt Rain"), &["no run in `nowhere`"]);
    world.json("train small.yaml --run life --stop-at 1");
    for words in ["generate life --prompt Rain", "chat life", "validate life", "export life m.gguf"] {
        check(&world.fails(2, words), &["not a language model", "`logic`"]);
    }
    std::fs::create_dir(world.path("m.hf")).unwrap();
    let config = r#"{"model_type": "gpt2", "n_embd": 10, "n_head": 3, "n_layer": 1, "vocab_size": 5}"#;
    world.write("m.hf/config.json", config.as_bytes());
    for words in ["validate m.hf", "generate m.hf --prompt Rain", "import m.hf --run new"] {
        check(&world.fails(2, words), &["config.json", "model.heads", "divisible"]);
    }
    assert!(!world.path("new").exists());
}

#[test]
fn what_can_never_fit_into_memory_is_refused_before_it_begins() {
    let world = World::new();
    let huge = "--set model.width=16384 --set model.layers=256 --set model.context=65536";
    let begun = std::time::Instant::now();
    let error = world.fails(2, &format!("train gpt {huge} --run r"));
    assert!(error.contains("of memory is needed") && error.contains("to measure"), "{error}");
    assert!(begun.elapsed().as_secs() < 20 && !world.path("r").exists());
    let begins = json_line(&world.ok("train gpt.yaml --stop-at 1 --json -q"), 0);
    assert!(begins["memory_bytes"].as_u64().is_some_and(|bytes| bytes > 1 << 16), "{begins}");
}

fn json_line(stdout: &str, index: usize) -> serde_json::Value {
    serde_json::from_str(stdout.lines().nth(index).unwrap()).unwrap()
}
