//! A search as a user runs it: to the end, once more from a phase, in passes, in and out of files.

use crate::common::World;

const SMALL: &str = "--set training.data.vocabulary=300 --set training.data.train_tokens=5000 \
                     --set training.data.eval_tokens=1000 --set training.search.ga_generations=2 \
                     --set training.search.population_size=4 --set training.search.ts_iterations=2 \
                     --set training.search.neighbors_per_iter=10";

#[test]
fn a_search_is_gone_through_seeded_and_exchanged() {
    let world = World::new();
    let end = world.json(&format!("train wnn-search --run first {SMALL}"));
    for name in ["cross_entropy", "accuracy", "test_cross_entropy", "test_accuracy", "bigram_cross_entropy"] {
        assert!(end["metrics"][name].is_f64(), "{name}: {end}");
    }
    assert_eq!(end["metrics"]["rounds_of_3b"], 2.0);
    let history = world.read("first/metrics.jsonl");
    let history = String::from_utf8(history).unwrap();
    for phase in ["1a", "1b", "2a", "2b", "3a", "3b"] {
        assert!(history.contains(&format!("\"rounds_of_{phase}\"")), "phase {phase}: {history}");
    }
    let again =
        world.json(&format!("train wnn-search --run again --seed-from first --resume-from 2b {SMALL}"));
    assert_eq!(again["metrics"]["cross_entropy"], end["metrics"]["cross_entropy"]);
    assert!(again["step"].as_u64() < end["step"].as_u64(), "{again}");

    for (file, option) in [("a.genome.json.gz", ""), ("a.phase.json.gz", ""), ("a.results.json", "--pass 2")]
    {
        assert_eq!(world.run(&format!("export first {file}")).code, 0);
        let seeded = world
            .json(&format!("train wnn-search --without-run --stop-at 0 --seed-from {file} {option} {SMALL}"));
        assert_eq!(seeded["metrics"]["cross_entropy"], end["metrics"]["cross_entropy"], "{file}");
    }
    // Not everything is carried over, which the exit code says.
    assert_eq!(world.run("import a.phase.json.gz --run back").code, 3);
    let described = world.run("describe back").stdout;
    assert!(described.contains("300 classes"), "{described}");
    assert_eq!(world.run("resume back").code, 2);
}

#[test]
fn a_file_of_settings_is_read_and_the_command_line_wins() {
    let world = World::new();
    world.write("search.yaml", b"ga_generations: 7\npatience: 9\n");
    world.ok(&format!("train wnn-search --run r --stop-at 0 --search search.yaml {SMALL}"));
    let shown = world.ok("show-config r --json");
    let config: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let search = &config["training"]["search"];
    assert_eq!((search["patience"].as_u64(), search["ga_generations"].as_u64()), (Some(9), Some(2)));
    world.write("wrong.yaml", b"generations: 7\n");
    let refused = world.run("train wnn-search --search wrong.yaml");
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("unknown field `generations`"), "{}", refused.stderr);
}
