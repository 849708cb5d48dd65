//! Signals save: one, the same twice, and that of a terminal that closes. Only who presses again leaves
//! without.

#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::common::{Outcome, World, ignores_hang_up, last_json, outcome};
use serde_json::Value;

const ENDLESS: &str = "train small.yaml --run r --json --set training.epochs=100000000";
/// One step of it takes hours.
const ENDLESS_STEP: &str = "train gpt.yaml --run r --quiet --set training.pretraining.accumulate=65536";

/// Waits until the run has its first checkpoint, and trains.
fn wait_for_training(world: &World) {
    while !world.path("r/commits/000000000000.json").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(50));
}

fn start(world: &World, words: &str) -> Child {
    let child = world.command(words).spawn().unwrap();
    wait_for_training(world);
    child
}

/// Sends signals to a process, one right behind the other.
fn send(child: &Child, signals: &[&str]) {
    let pid = child.id();
    let script: Vec<String> = signals.iter().map(|signal| format!("kill {signal} {pid}")).collect();
    assert!(Command::new("sh").args(["-c", &script.join("; ")]).status().unwrap().success());
}

fn end(child: Child) -> Outcome {
    outcome(child.wait_with_output().unwrap())
}

/// The newest checkpoint, and that nobody writes the run any more.
fn durable_step(world: &World) -> u64 {
    let status = world.json("status r");
    assert_eq!(status["holder"], Value::Null);
    status["step"].as_u64().unwrap()
}

#[test]
fn a_signal_saves_and_stops() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129)] {
        if signal == "-HUP" && ignores_hang_up() {
            continue;
        }
        let world = World::new();
        let child = start(&world, ENDLESS);
        send(&child, &[signal]);
        let ended = end(child);
        assert_eq!(ended.code, code, "{}", ended.stderr);
        assert!(ended.stderr.contains("saving"), "{signal}: {}", ended.stderr);
        let stopped = last_json(&ended.stdout);
        let step = stopped["step"].as_u64().unwrap();
        assert_eq!(durable_step(&world), step);
        assert_eq!(world.json("status r")["state_hash"], stopped["state_hash"]);
        // Going on for three steps is as if it had never been stopped.
        let resumed = world.json(&format!("resume r --stop-at {}", step + 3));
        assert_eq!(resumed["resumed_from"], step);
    }
}

/// Telling takes as long as whoever is told; saving does not wait for it.
#[test]
fn a_signal_saves_though_nobody_takes_what_is_told() {
    let world = World::new();
    let (reader, mut writer) = std::io::pipe().unwrap();
    // As much as a pipe holds.
    std::io::Write::write_all(&mut writer, &[b' '; 1 << 16]).unwrap();
    let child = world.command(&format!("{ENDLESS} -q")).stderr(writer).spawn().unwrap();
    wait_for_training(&world);
    send(&child, &["-INT"]);
    let ended = end(child);
    drop(reader);
    assert_eq!(ended.code, 130);
    assert_eq!(durable_step(&world), last_json(&ended.stdout)["step"].as_u64().unwrap());
}

#[test]
fn signals_in_quick_succession_are_one() {
    for signals in [&["-INT", "-INT"][..], &["-INT", "-INT", "-INT", "-HUP"], &["-TERM", "-INT"]] {
        let world = World::new();
        let child = start(&world, ENDLESS);
        send(&child, signals);
        let ended = end(child);
        // Of signals that come at the same time, the system chooses the first.
        let code = |signal: &&str| match *signal {
            "-HUP" => 129,
            "-INT" => 130,
            _ => 143,
        };
        assert!(signals.iter().map(code).any(|code| code == ended.code), "{signals:?}: {}", ended.code);
        let said = ended.stderr.lines().filter(|line| line.starts_with("saving")).count();
        assert_eq!(said, 1, "{}", ended.stderr);
        assert_eq!(last_json(&ended.stdout)["step"], durable_step(&world));
        assert!(durable_step(&world) > 0);
    }
}

/// The first line of a process that is still at work.
fn said_at_once(child: &mut Child) -> String {
    let begun = Instant::now();
    let mut line = String::new();
    let mut lines = BufReader::new(child.stderr.as_mut().unwrap());
    while !line.contains("saving") {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "it ended without a word");
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "it was said late");
    assert!(child.try_wait().unwrap().is_none(), "the step is not yet done");
    line
}

#[test]
fn pressing_again_leaves_without_saving() {
    let world = World::new();
    let mut child = start(&world, ENDLESS_STEP);
    send(&child, &["-INT"]);
    assert_eq!(said_at_once(&mut child), "saving; press again to leave without saving\n");
    std::thread::sleep(Duration::from_millis(1100));
    // Neither a scheduler nor a terminal presses anything.
    send(&child, &["-TERM", "-HUP"]);
    std::thread::sleep(Duration::from_millis(200));
    assert!(child.try_wait().unwrap().is_none());
    send(&child, &["-INT"]);
    assert_eq!(end(child).code, 4);
    assert_eq!(durable_step(&world), 0);
    world.ok("verify r");
}

#[test]
fn a_terminal_that_closes_loses_nothing() {
    if ignores_hang_up() {
        return;
    }
    let world = World::new();
    let mut child = start(&world, ENDLESS);
    // Nobody reads what it says any more.
    drop((child.stdout.take(), child.stderr.take()));
    send(&child, &["-HUP", "-HUP"]);
    assert_eq!(end(child).code, 129);
    assert!(durable_step(&world) > 0);
    world.ok("verify r");
}

#[test]
fn nohup_outlives_the_terminal() {
    let world = World::new();
    let binary = world.command(ENDLESS);
    let mut command = Command::new("nohup");
    command.arg(binary.get_program()).args(binary.get_args()).current_dir(world.path(""));
    command.stdin(std::process::Stdio::null());
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    wait_for_training(&world);
    send(&child, &["-HUP"]);
    std::thread::sleep(Duration::from_millis(300));
    assert!(child.try_wait().unwrap().is_none());
    send(&child, &["-INT"]);
    assert_eq!(end(child).code, 130);
}
