//! Text, vocabularies, configs and files that cannot be used are refused with the reason.

use std::io::Write;
use std::path::{Path, PathBuf};

use rekindle_train::{Resources, System};
use rekindle_wnn::{Genome, Wnn, original};

fn write(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(name);
    rekindle_formats::files::write(&path, bytes).unwrap();
    path
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn of_file(path: &Path, more: &[&str]) -> String {
    let file = format!("training.data.file={}", path.display());
    let mut settings = vec![file.as_str()];
    settings.extend(more);
    crate::common::refused(&crate::common::small(&settings))
}

#[test]
fn text_that_cannot_be_learnt() {
    let dir = tempfile::tempdir().unwrap();
    let empty = of_file(&write(dir.path(), "empty.txt", b""), &[]);
    assert!(empty.contains("empty.txt") && empty.contains("is empty"), "{empty}");
    let short = of_file(&write(dir.path(), "short.txt", b"a few words"), &[]);
    assert!(short.contains("needs at least"), "{short}");
    let missing = of_file(&dir.path().join("missing.txt"), &[]);
    assert!(missing.contains("missing.txt") && missing.contains("No such file"), "{missing}");
    assert!(of_file(dir.path(), &[]).contains("directory"));
}

#[test]
fn vocabularies_that_do_not_fit() {
    let refused = |settings: &[&str]| crate::common::refused(&crate::common::small(settings));
    let small = refused(&["training.data.vocabulary=100"]);
    assert!(small.contains("at least 256 tokens, 100 were asked for"), "{small}");
    let wide = refused(&["training.search.context_size=40"]);
    assert!(wide.contains("training.search.context_size") && wide.contains("leaves room for 28"), "{wide}");
    let dir = tempfile::tempdir().unwrap();
    let path = write(dir.path(), "tokenizer.json", b"{\"model\": {\"type\": \"Unigram\", \"vocab\": []}}");
    let unigram = refused(&[&format!("training.data.tokenizer={}", path.display())]);
    assert!(unigram.contains("tokenizer.json") && unigram.contains("Unigram"), "{unigram}");
}

#[test]
fn settings_out_of_range() {
    for (setting, expected) in [
        ("training.search.token_parts=0", "`training.search.token_parts` is 0"),
        ("training.search.population_size=1", "must be from 2"),
        ("training.search.ce_percentile=1.5", "`training.search.ce_percentile` is 1.5"),
        ("training.search.default_bits=60", "`training.search.default_bits` is 60"),
        ("training.search.log_path=x.log", "redirecting the output"),
        ("model.bits={least: 9, most: 8}", "`model.bits` is 9 to 8"),
        ("model.neurons={least: 0, most: 64}", "from 1 to 255"),
        ("model.frequent_neurons=9", "`model.frequent_neurons` is 9"),
        ("model.backoff.gain=0.5", "`model.backoff.gain` is 0.5"),
        ("training.tabu.clusters=0", "`training.tabu.clusters` is 0"),
    ] {
        let error = crate::common::refused(&crate::common::small(&[setting]));
        assert!(error.contains(expected), "{setting}: {error}");
    }
}

#[test]
fn files_of_the_original_schema_that_are_broken() {
    let dir = tempfile::tempdir().unwrap();
    let read = |bytes: &[u8]| original::read(&write(dir.path(), "file", bytes)).unwrap_err();
    let genome = br#"{"genome": {"bits_per_cluster": [8], "neurons_per_cluster": [1], "connections": [1]}}"#;
    assert!(read(&genome[..40]).contains("torn"), "{}", read(&genome[..40]));
    let packed = gzip(genome);
    assert!(read(&packed[..packed.len() / 2]).contains("torn"));
    assert!(
        read(b"{\"genome\": 3}").contains("expected struct GenomeMember")
            || read(b"{\"genome\": 3}").contains("invalid type")
    );
    assert!(read(b"{}").contains("neither a genome"));
    assert!(read(b"{\"genome\": {\"bits_per_cluster\": [NaN]}}").contains("expected value"));
    assert!(read(b"{\"genome\": {\"bits_per_cluster\": [-1]}}").contains("invalid value"));
    let deep = format!("{{\"x\": {}", "[".repeat(100_000));
    assert!(read(deep.as_bytes()).contains("torn"), "{}", read(deep.as_bytes()));
    let phase = br#"{"phase_result": {"phase_name": "Phase 9", "strategy_type": "GA", "final_fitness": 1.0,
        "iterations_run": 1, "best_genome": {"bits_per_cluster": [], "neurons_per_cluster": []}}}"#;
    assert!(read(phase).contains("`Phase 9` is not a phase"));

    let seed = |bytes: &[u8]| {
        let path = write(dir.path(), "seed.json", bytes);
        crate::common::refused(&crate::common::small(&[&format!("training.seed_from={}", path.display())]))
    };
    assert!(
        seed(genome).contains("there are 300 classes") || seed(genome).contains("clusters"),
        "{}",
        seed(genome)
    );
    let many =
        br#"{"genome": {"bits_per_cluster": [8], "neurons_per_cluster": [70000], "connections": [1]}}"#;
    assert!(seed(many).contains("a number of neurons of 70000"), "{}", seed(many));
    assert!(seed(br#"{"phase1_ga": {}, "final": {"fitness": 1.0}}"#).contains("hold no genome"));
}

#[test]
fn states_that_contradict_themselves() {
    let config = crate::common::small(&[]);
    let state = crate::common::initial(&config);
    let refused = |change: &dyn Fn(&mut rekindle_wnn::State)| {
        let mut state = state.clone();
        change(&mut state);
        match Wnn::attach(&config, &state, &Resources::new(1)) {
            Ok(_) => panic!("it was not refused"),
            Err(error) => {
                assert!(error.is_mismatch());
                error.to_string()
            }
        }
    };
    assert!(refused(&|state| state.best.genome.neurons[7] = 0).contains("cluster 7 has no neurons"));
    assert!(
        refused(&|state| state.best.genome.connections.truncate(5)).contains("connections, and it has 5")
    );
    assert!(refused(&|state| state.text.hash = String::new()).contains("its tokens are others"));
    assert!(refused(&|state| state.inputs = 7).contains("contexts have 7 bits"));
    assert!(
        refused(&|state| state.search.as_mut().unwrap().phase = rekindle_wnn::Phase::TabuBits)
            .contains("does the work of another")
    );
    assert!(
        refused(&|state| {
            let rekindle_wnn::Work::Genetic(generation) = &mut state.search.as_mut().unwrap().work else {
                return;
            };
            generation.unmeasured[0] = Genome::with_capacity(0, 0);
        })
        .contains("phase 1a")
    );
}
