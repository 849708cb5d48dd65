//! Files that the original program wrote, and what it computed. They are not part of this project:
//! set `REKINDLE_SAMPLES` to their directory, or put it beside the checkout as `shared/samples`.

use std::path::PathBuf;

use rekindle_compute::KernelPath;
use rekindle_wnn::config::Search;
use rekindle_wnn::original::{self, OriginalFile};
use rekindle_wnn::{
    Assignment, Backoff, Corpus, Evaluator, Gene, Genome, LocalEvaluator, Phase, Scoring, TokenPart,
};
use serde_json::Value;

fn samples() -> Option<PathBuf> {
    let beside = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/samples"));
    let samples = std::env::var_os("REKINDLE_SAMPLES").map_or(beside, PathBuf::from).join("wnn");
    if !samples.is_dir() {
        eprintln!("SKIPPED: there are no files of the original program at {}", samples.display());
        return None;
    }
    Some(samples)
}

fn json(path: PathBuf) -> Value {
    let text = rekindle_formats::files::read_text(&path, 1 << 26).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn genome(path: PathBuf) -> Genome {
    let OriginalFile::Genome { best, .. } = original::read(&path).unwrap() else { panic!("no genome") };
    best.to_genome(|_, _| panic!("no connections")).unwrap()
}

/// The original's own figures for its own tokens. Where clusters differ in size, it assigned
/// connections to other clusters than the file says; the figure for what the file says is from its
/// evaluator with the connections in its order, and that of its evaluator is in the file.
#[test]
fn votes_are_scored_as_in_the_original() {
    let Some(samples) = samples() else { return };
    let tokens = json(samples.join("tokens.json"));
    let list = |name: &str| -> Vec<u32> { serde_json::from_value(tokens[name].clone()).unwrap() };
    let corpus = Corpus::new(list("train_tokens"), list("eval_tokens"), Vec::new(), 64, 4, false);
    let (backoff, path) = (Backoff::default(), KernelPath::best());
    let mut evaluator = LocalEvaluator::new(&corpus, 3, Scoring::Votes, &backoff, 1, path).unwrap();
    let expected = json(samples.join("expected.json"));
    let figures = &expected["genomes"][0];
    let a = genome(samples.join("genome_A.json.gz"));
    let all = evaluator.evaluate(TokenPart::All, std::slice::from_ref(&a)).unwrap()[0];
    assert!((all.cross_entropy - figures["full_empty0"][0].as_f64().unwrap()).abs() < 1e-6, "{all:?}");
    assert!((all.accuracy - figures["full_empty0"][1].as_f64().unwrap()).abs() < 1e-12, "{all:?}");
    for part in 0..3 {
        let found = evaluator.evaluate(TokenPart::Of(part), std::slice::from_ref(&a)).unwrap()[0];
        let expected = figures["train_parts_0_1_2_full_eval"][part as usize][0].as_f64().unwrap();
        assert!((found.cross_entropy - expected).abs() < 1e-6, "part {part}: {found:?}, {expected}");
    }
    let b = genome(samples.join("genome_B.json.gz"));
    let found = evaluator.evaluate(TokenPart::All, std::slice::from_ref(&b)).unwrap()[0];
    assert!((found.cross_entropy - 3.42834).abs() < 1e-5, "{found:?}");

    let mut evaluator = evaluator.with_assignment(Assignment::Grouped);
    let figures = &expected["genomes"][1];
    let found = evaluator.evaluate(TokenPart::All, std::slice::from_ref(&b)).unwrap()[0];
    assert!((found.cross_entropy - figures["full_empty0"][0].as_f64().unwrap()).abs() < 1e-6, "{found:?}");
    assert!((found.accuracy - figures["full_empty0"][1].as_f64().unwrap()).abs() < 1e-12, "{found:?}");
    for part in 0..3 {
        let found = evaluator.evaluate(TokenPart::Of(part), std::slice::from_ref(&b)).unwrap()[0];
        let expected = figures["train_parts_0_1_2_full_eval"][part as usize][0].as_f64().unwrap();
        assert!((found.cross_entropy - expected).abs() < 1e-6, "part {part}: {found:?}, {expected}");
    }
    // Genomes that differ in one cluster are measured as by themselves.
    let gene = Gene { bits: 4, neurons: 2, connections: vec![0; 8] };
    let changes = vec![(3, gene)];
    let whole = evaluator.evaluate(TokenPart::All, &[b.with(&changes)]).unwrap();
    assert_eq!(evaluator.evaluate_changes(TokenPart::All, &b, &[changes]).unwrap(), whole);
}

#[test]
fn all_files_are_read_or_refused_with_the_reason() {
    let Some(samples) = samples() else { return };
    for (name, phase) in [
        ("phase_1a_ga_neurons", Phase::GeneticNeurons),
        ("phase_1b_ts_neurons", Phase::TabuNeurons),
        ("phase_2a_ga_bits", Phase::GeneticBits),
        ("phase_2b_ts_bits", Phase::TabuBits),
    ] {
        let OriginalFile::Phase(found) = original::read(&samples.join(format!("{name}.json.gz"))).unwrap()
        else {
            panic!("{name} is not a phase");
        };
        assert_eq!((found.phase, found.rotation_seed, found.population.len()), (phase, Some(42), 4));
        for genome in found.population.iter().chain([&found.best]) {
            assert_eq!(genome.to_genome(|_, _| panic!()).unwrap().check(64, 24), Ok(()));
        }
    }
    let OriginalFile::Results { best: Some(best), fitness, .. } =
        original::read(&samples.join("results_pass1.json")).unwrap()
    else {
        panic!("no results");
    };
    assert_eq!(best.to_genome(|_, _| panic!()).unwrap().check(64, 24), Ok(()));
    assert!((fitness.cross_entropy - 3.454_862_581_760_003_6).abs() < 1e-12);
    let OriginalFile::Results { best: None, fitness: early, test: None } =
        original::read(&samples.join("quick_test.json")).unwrap()
    else {
        panic!("no early results");
    };
    assert!((early.cross_entropy - 10.436).abs() < 1e-3 && early.known_accuracy().is_none(), "{early:?}");
    let wide = samples.join("bitwise_optimization_results.best_genome.json.gz");
    let wide = genome(wide);
    assert_eq!(wide.neurons.iter().max(), Some(&200));
    assert_eq!(wide.check(16, 256), Ok(()));
    let sweep = original::read(&samples.join("tier_bits_sweep.json")).unwrap_err();
    assert!(sweep.contains("neither a genome"), "{sweep}");
}

#[test]
fn the_settings_are_read() {
    let Some(samples) = samples() else { return };
    let text = |name: &str| rekindle_formats::files::read_text(&samples.join(name), 1 << 20).unwrap();
    let example = Search::from_yaml(&text("example_search.yaml")).unwrap();
    assert_eq!((example.patience, example.ts_iterations, example.ce_percentile), (Some(4), 200, None));
    let other = Search::from_yaml(&text("phased_search_config.yaml")).unwrap();
    assert_eq!((other.rotation_seed, other.population_size), (Some(42), 4));
}
