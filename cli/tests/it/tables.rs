//! A table of one's own: learnt, asked, drawn and described.

use std::fmt::Write;

use crate::common::World;

const LEARN: &str = "--set training.data.targets=[kind] --set training.data.test=0.2 --quiet";

/// Points inside and outside of a ring.
fn points() -> String {
    let mut text = "x,y,kind\n".to_owned();
    for index in 0..200 {
        let (turn, radius) = (f64::from(index) * 0.7, 0.2 + f64::from(index % 10) / 5.0);
        let kind = if radius < 1.1 { "inside" } else { "outside" };
        writeln!(text, "{:.4},{:.4},{kind}", radius * turn.cos(), radius * turn.sin()).unwrap();
    }
    text
}

fn world() -> World {
    let world = World::new();
    world.write("points.csv", points().as_bytes());
    world.ok(&format!("train cascade --data points.csv --run ring {LEARN}"));
    world
}

#[test]
fn a_table_is_learnt_and_asked() {
    let world = world();
    world.write("ask.csv", b"y,x\n0.1,0.1\n1.9,0.2\n");
    let answers = world.ok("predict ring --data ask.csv");
    let kinds: Vec<&str> = answers.lines().map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(kinds, ["kind", "inside", "outside"]);
    let rows = world.json("predict ring --data ask.csv");
    assert_eq!(rows["answers"][1]["kind"], "outside");
    world.ok("predict ring --data ask.csv --out answers.csv");
    assert_eq!(String::from_utf8(world.read("answers.csv")).unwrap().trim(), answers.trim());
    // NPY holds numbers only, and the answers are words.
    assert!(world.fails(2, "predict ring --data ask.csv --out answers.npy").contains("write CSV instead"));
    assert!(world.fails(2, "predict ring --data ask.csv --out ask.csv").contains("would be lost"));
    let error = world.fails(2, "predict ring --data answers.csv");
    assert!(error.contains("there is no column `x`"), "{error}");
    assert!(world.fails(2, "predict ring --data none.csv").contains("cannot read `none.csv`"));
}

#[test]
fn a_trained_model_is_measured_on_a_table() {
    let world = world();
    let found = world.json("evaluate ring --data points.csv");
    assert_eq!((&found["rows"], &found["target"]), (&200.into(), &"kind".into()));
    assert!(found["accuracy"].as_f64().unwrap() > 0.8, "{found}");
    let counts = found["confusion"].as_array().unwrap().iter().flat_map(|row| row.as_array().unwrap());
    assert_eq!(counts.map(|count| count.as_u64().unwrap()).sum::<u64>(), 200);
    // What is learnt is known of each row here.
    let right = world.ok("predict ring --data points.csv");
    let right = right.lines().skip(1).zip(points().lines().skip(1).map(str::to_owned).collect::<Vec<_>>());
    let right = right.filter(|(answer, row)| answer.split(',').next() == row.rsplit(',').next()).count();
    assert_eq!(found["right"].as_u64().unwrap(), right as u64);
    let words = world.ok("evaluate ring --data points.csv");
    assert!(words.contains("as inside") && words.contains("of 200 rows"), "{words}");
    world.write("unknown.csv", b"x,y\n1,2\n");
    assert!(world.fails(2, "evaluate ring --data unknown.csv").contains("no column `kind`"));
}

#[test]
fn a_run_is_drawn_and_described() {
    let world = world();
    let words = world.ok("describe ring");
    assert!(words.contains("2 inputs") && words.contains("tells kind apart: inside, outside"), "{words}");
    assert!(world.json("describe ring@latest~1")["description"].is_string());
    world.ok("plot ring");
    let svg = String::from_utf8(world.read("learning.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("select loss") && svg.contains("test loss"));
    world.ok("plot ring --metric error_bits --out bits.svg");
    let one = String::from_utf8(world.read("bits.svg")).unwrap();
    assert!(one.contains("error bits") && !one.contains("select loss"));
    world.ok("plot ring --what boundary --out b.png");
    assert!(world.read("b.png").starts_with(b"\x89PNG"));
    world.ok("plot ring --what boundary --size 90x90mm --out b.svg");
    let boundary = String::from_utf8(world.read("b.svg")).unwrap();
    for told in ["width=\"90mm\"", ">kind: inside</text>", ">kind: outside</text>", "<image", "<circle"] {
        assert!(boundary.contains(told), "{told}");
    }
    world.ok("plot ring --size 400x300 --out learning.png");
    assert_eq!(world.read("learning.png")[16..24], [0, 0, 1, 144, 0, 0, 1, 44]);
    assert!(world.fails(2, "plot ring --what nothing").contains("there are: learning, boundary"));
    assert!(world.fails(2, "plot ring --metric nothing").contains("there is no metric `nothing`"));
    assert!(world.fails(2, "plot ring --out learning.gif").contains("written as .svg or .png"));
    assert!(world.fails(2, "plot ring --size 3x3").contains("WIDTHxHEIGHT"));
    assert!(world.fails(2, "plot ring ring --what boundary").contains("picture of one state"));
}

#[test]
fn seeds_are_drawn_as_their_mean_and_other_runs_beside_each_other() {
    let world = World::new();
    let train =
        |run: &str, setting: &str| world.ok(&format!("train small.yaml --quiet --run {run} {setting}"));
    train("a-1", "--set seed=1");
    train("a-2", "--set seed=2");
    train("wide", "--set seed=1 --set training.learning_rate=0.01");
    let svg = |words: &str| {
        world.ok(&format!("plot {words} --out p.svg --force"));
        String::from_utf8(world.read("p.svg")).unwrap()
    };
    let seeds = svg("a-1 a-2");
    assert!(seeds.contains("mean and range of 2 runs") && seeds.contains("<polygon"), "{seeds}");
    assert_eq!(seeds, svg("a-1 a-2"), "equal runs give equal bytes");
    let others = svg("a-1 wide");
    assert!(others.contains(">wide: ") && !others.contains("<polygon"), "{others}");
    assert!(svg("a-1 wide --mean").contains("mean and range of 2 runs"));
    // A run of one step.
    world.ok("train small.yaml --quiet --run new --stop-at 1 --set evaluate.every=0");
    assert!(svg("new").contains("<circle"));
}

#[test]
fn what_a_system_cannot_do_is_said() {
    let world = World::new();
    world.ok("train small.yaml --run life --quiet");
    world.write("points.csv", points().as_bytes());
    let error = world.fails(2, "train small.yaml --data points.csv --run other");
    assert!(error.contains("`logic` has no such option"), "{error}");
    assert!(world.fails(2, "predict life --data points.csv").contains("`logic` models cannot be asked"));
    assert!(world.fails(2, "plot life --what boundary").contains("there are: learning"));
    assert!(world.fails(2, "chat life").contains("not a language model"));
    world.ok("plot life");
}

#[test]
fn a_moved_table_is_found_and_another_refused() {
    let world = World::new();
    world.write("points.csv", points().as_bytes());
    world.ok(&format!("train cascade --data points.csv --run ring --stop-at 40 {LEARN}"));
    let straight = world.json(&format!("train cascade --data points.csv --run straight {LEARN}"));
    world.write("moved.csv", points().as_bytes());
    world.write("points.csv", points().replace("inside", "within").as_bytes());
    let error = world.fails(12, "resume ring --quiet");
    assert!(error.contains("other data") && error.contains("--data"), "{error}");
    let end = world.json("resume ring --data moved.csv --quiet");
    assert_eq!(end["step"], straight["step"]);
    assert_eq!(end["metrics"]["train_loss"], straight["metrics"]["train_loss"]);
}

#[test]
fn a_table_that_is_not_named_is_asked_for() {
    let world = World::new();
    for preset in ["cascade", "wisard"] {
        let error = world.fails(2, &format!("train {preset} --run r"));
        assert!(error.contains("training.data.file") && error.contains("hint: --data FILE"), "{error}");
    }
}

#[test]
fn two_spirals_to_the_end() {
    let world = World::new();
    let end = world.json("train spirals --run s --quiet");
    let metrics = &end["metrics"];
    assert_eq!((metrics["error_bits"].as_f64(), metrics["accuracy"].as_f64()), (Some(0.0), Some(1.0)));
    assert!(
        metrics["hidden_units"].as_f64().unwrap() >= 11.0 && metrics["epochs"].as_f64().unwrap() > 1000.0
    );
    assert!(world.read("s/artifacts/boundary.png").starts_with(b"\x89PNG"));
    let error = world.fails(2, "export s s.h5");
    assert!(error.contains("its outputs are sigmoids"), "{error}");
}
