//! Automata on boards of their own, and what they learn from files.

use crate::common::World;

const RULE: &str = "rule: B36/S23\n";
const PICTURE: &str = "picture:\n  - '...'\n  - '.#.'\n  - '...'\n";

#[test]
fn an_automaton_runs_on_boards_of_any_size() {
    let world = World::new();
    world.ok("train small.yaml --run r");
    let text =
        world.ok("simulate r --board 20x9 --steps 12 --damage 5:3 --out boards.png --curves curves.svg");
    assert!(text.contains("r: 20 x 9 cells, 12 steps\n  wrong at the end: "), "{text}");
    assert!(text.contains("after 3 x 3 cells were cleared at step 5"), "{text}");
    assert!(text.ends_with("wrote boards.png\nwrote curves.svg\n"), "{text}");
    assert!(world.read("boards.png").starts_with(b"\x89PNG"));
    world.ok("simulate r --board 20x9 --steps 12 --out boards.gif");
    assert!(world.read("boards.gif").starts_with(b"GIF89a"));
    let json = world.json("simulate r r@20 --steps 7 --bombing 2 --seed 4");
    assert_eq!(json["simulations"][1]["wrong"].as_array().map(Vec::len), Some(8));
}

#[test]
fn what_no_automaton_can_do_is_said() {
    let world = World::new();
    world.ok("train small.yaml --run r");
    world.write("there.gif", b"mine");
    for (words, said) in [
        ("simulate r --board 20", "a board is WIDTHxHEIGHT, such as 64x64"),
        ("simulate r --board 0x4", "0 x 4 cells"),
        ("simulate r --board 9999999x9999999", "there can be from 1 to"),
        ("simulate r --damage 3", "damage is STEP:SIDE, such as 300:20"),
        ("simulate r --fire-rate 1.5", "at most 1, not 1.5"),
        ("simulate r --out boards.txt", "boards are drawn as .gif, .png or .svg"),
        ("simulate r r --out boards.gif", "an animation shows one automaton; 2 were named"),
        ("simulate r --curves curves.gif", "curves are written as .svg or .png"),
        ("simulate r --out there.gif", "there.gif"),
    ] {
        let outcome = world.run(words);
        assert_eq!(outcome.code, 2, "{words}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(said), "{words}: {}", outcome.stderr);
    }
    assert_eq!(world.read("there.gif"), b"mine");
}

#[test]
fn a_file_says_what_is_learnt() {
    let world = World::new();
    world.write("rule.yaml", RULE.as_bytes());
    world.write("picture.yaml", PICTURE.as_bytes());
    world.write("gaps.yaml", b"rule: '0110'\n");
    world.ok("train small.yaml --run rule --target rule.yaml");
    assert!(world.ok("show-config rule").contains("B36/S23"));
    world.ok("train small.yaml --run picture --target picture.yaml");
    assert!(world.ok("show-config picture").contains("task: picture"));
    // It stands in the config: the file is not needed again.
    world.write("picture.yaml", b"not one any more");
    world.ok("resume picture --set training.epochs=65");
    let outcome = world.run("train small.yaml --run gaps --target gaps.yaml");
    assert_eq!(outcome.code, 2);
    assert!(outcome.stderr.contains("nothing is said of the neighbourhoods 4 to 511"), "{}", outcome.stderr);
    let outcome = world.run("train small.yaml --run gaps --target picture.png");
    assert!(outcome.stderr.contains("picture.png"), "{}", outcome.stderr);
}
