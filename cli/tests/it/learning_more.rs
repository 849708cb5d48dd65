//! Language models that learn from a teacher, and learn more after their training; pictures are shown to them.

#![allow(clippy::disallowed_methods, reason = "a test moves a run away")]

use serde_json::Value;

use crate::common::World;

const SMALL: &str = "--quiet --threads 1 --set model.layers=1 --set model.width=16 --set model.context=16 \
     --set training.tokenizer={\"kind\":\"byte_pairs\",\"vocabulary\":300} \
     --set training.pretraining.steps=8 --set training.pretraining.batch=2";

/// A world with two texts and a trained model `first`.
fn world() -> World {
    let world = World::new();
    world.write("a.txt", "The sun is hot, and the moon is cold. ".repeat(80).as_bytes());
    world.write("b.txt", "A bird can fly, and a fish can swim. ".repeat(80).as_bytes());
    world.ok(&format!("train gpt-shakespeare --data a.txt --run first {SMALL}"));
    world
}

fn newest(world: &World, run: &str) -> Value {
    world.json(&format!("status {run}"))
}

#[test]
fn a_run_learns_more_and_a_stopped_one_goes_on() {
    let world = world();
    let learnt = world.json("learn first --data b.txt --threads 1 --set steps=6 --set retain.examples=20");
    assert_eq!((&learnt["step"], &learnt["finished"]), (&14.into(), &true.into()), "{learnt}");
    let again = world.json("learn first --data a.txt --threads 1 --set steps=4 --set retain.replay=0");
    assert_eq!((&again["step"], &again["finished"]), (&18.into(), &true.into()), "{again}");
    let config = world.ok("show-config first");
    assert!(config.contains("continual:"), "{config}");

    // The same, in two processes.
    world.ok(&format!("train gpt-shakespeare --data a.txt --run second {SMALL}"));
    let set = "training.continual=[{\"data\":{\"file\":\"b.txt\",\"evaluation\":0.05},\"steps\":6,\"batch\":2,\
               \"learning_rate\":0.001,\"retain\":{\"replay\":0.3,\"self_replay\":0.2,\"ewc\":1,\"examples\":12}}]";
    let whole = world.json(&format!("resume second --threads 1 --fork whole --set {set}"));
    world.json(&format!("resume second --threads 2 --fork halves --stop-at 11 --set {set}"));
    let halves = world.json("resume halves --threads 1");
    assert_eq!(whole["state_hash"], halves["state_hash"]);
}

#[test]
fn what_cannot_be_learnt_later_is_refused_and_changes_nothing() {
    let world = world();
    let before = newest(&world, "first")["state_hash"].clone();
    let absent = world.fails(2, "learn first --data nowhere.txt");
    assert!(absent.contains("nowhere.txt"), "{absent}");
    let misspelt = world.fails(2, "learn first --data b.txt --set retain.replya=0.1");
    assert!(misspelt.contains("replay"), "{misspelt}");
    let much = world.fails(2, "learn first --data b.txt --set retain.replay=1.5");
    assert!(much.contains("from 0 to 0.9 is possible"), "{much}");
    let two = world.fails(2, "learn first --data a.txt --data b.txt");
    assert!(two.contains("one text is learnt at a time"), "{two}");
    assert_eq!(newest(&world, "first")["state_hash"], before);
    let unfinished = format!("train gpt-shakespeare --data a.txt --run half {SMALL} --stop-at 4");
    world.ok(&unfinished);
    let early = world.fails(2, "learn half --data b.txt");
    assert!(early.contains("training is not over: 4 of 8 steps are done"), "{early}");
    let forgets = world.fails(2, "forget first --data a.txt");
    assert!(forgets.contains("cannot forget"), "{forgets}");
}

#[test]
fn a_student_knows_its_teacher_by_its_state() {
    let world = world();
    let teacher = newest(&world, "first")["state_hash"].clone();
    let student = |run: &str, more: &str| {
        format!("train gpt-shakespeare --data a.txt --run {run} {SMALL} --teacher first {more}")
    };
    let whole = world.json(&student("whole", ""));
    assert!(whole["metrics"]["divergence"].is_f64(), "{whole}");
    let status = newest(&world, "whole");
    assert_eq!(status["teachers"][0]["state_hash"], teacher, "{status}");
    assert!(world.ok("status whole").contains("learns from"));

    // A teacher that learns more is still known as what it was, and may lie elsewhere.
    world.ok(&student("half", "--stop-at 5"));
    world.ok("learn first --data b.txt --threads 1 --set steps=2");
    std::fs::rename(world.path("first"), world.path("moved")).unwrap();
    let lost = world.fails(2, "resume half");
    assert!(lost.contains("training.distillation.teacher") && lost.contains("--teacher"), "{lost}");
    let other = world.fails(12, "resume half --teacher moved");
    assert!(other.contains("holds other data than the run was trained on"), "{other}");
    let resumed = world.json("resume half --threads 2 --teacher moved@8");
    assert_eq!(resumed["state_hash"], whole["state_hash"]);
}

#[test]
fn pictures_are_shown_and_asked_for() {
    let world = World::new();
    world.ok("train gpt-shapes --run shapes --quiet --threads 2 --set training.pretraining.steps=2 \
         --set training.pretraining.batch=2 --set training.pretraining.data.count=60 --set model.layers=1 \
         --set model.width=16");
    let picture = |side: u32| {
        let mut picture =
            rekindle_pictures::Picture::new(rekindle_pictures::Size::pixels(side as f32, side as f32));
        let pixels = vec![[255, 255, 255]; (side * side) as usize];
        picture.image(picture.area(), rekindle_pictures::Image { pixels, columns: side });
        picture.png().unwrap()
    };
    world.write("white.png", &picture(32));
    world.write("large.png", &picture(48));
    let answer = world.json("ask shapes what? --picture white.png --max-tokens 4");
    assert!(answer["text"].is_string(), "{answer}");
    let large = world.fails(2, "ask shapes what? --picture large.png");
    assert!(large.contains("48 x 48 pixels, the model sees pictures of 32 x 32"), "{large}");
    let none = world.fails(2, "ask shapes what? --picture nowhere.png");
    assert!(none.contains("nowhere.png"), "{none}");
    let words = world.fails(2, "ask shapes what? --out a.png --max-tokens 4");
    assert!(words.contains("the answer is no picture"), "{words}");
    assert!(!world.path("a.png").exists());
}
