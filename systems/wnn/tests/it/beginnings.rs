//! What a search can begin with: passes, seeds, phases of other runs, files of settings.

use std::path::Path;

use rekindle::RunOptions;
use rekindle_formats::files::NewFile;
use rekindle_train::{ConfigOf, Family, System, TrainingState};
use rekindle_wnn::config::Search;
use rekindle_wnn::original::{PhaseSummary, write_genome, write_phase};
use rekindle_wnn::{Fitness, Phase, State, Wnn, presets};

fn saved(config: &ConfigOf<Wnn>, state: State, path: &Path) {
    let (model, training, seed) = (config.model.clone(), config.training.clone(), config.seed);
    let mut run = RunOptions::new().create(path).unwrap();
    run.save(state.step, &TrainingState { seed, model, training, state }).unwrap();
}

fn from(origin: &Path, more: &[&str]) -> ConfigOf<Wnn> {
    let seed = format!("training.seed_from={}", origin.display());
    let mut settings = vec![seed.as_str()];
    settings.extend(more);
    crate::common::small(&settings)
}

#[test]
fn patience_doubles_with_each_pass_and_a_set_one_does_not() {
    let patience = |settings: &[&str]| crate::common::small(settings).training.patience();
    assert_eq!(patience(&[]), 2);
    assert_eq!(patience(&["training.pass=2"]), 4);
    assert_eq!(patience(&["training.pass=3", "training.base_patience=3"]), 12);
    assert_eq!(patience(&["training.pass=3", "training.search.patience=5"]), 5);
}

#[test]
fn a_second_pass_begins_with_the_genomes_of_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("first");
    let config = crate::common::small(&[]);
    let first = crate::common::search(&config);
    saved(&config, first.clone(), &run);
    let second = from(&run, &["training.pass=2"]);
    assert_eq!(crate::common::beginning(&second), first.best);
    assert!(crate::common::initial(&second).results.is_empty());
    let step = format!("{}@{}", run.display(), first.step);
    assert_eq!(crate::common::beginning(&from(Path::new(&step), &[])), first.best);
}

#[test]
fn a_phase_is_done_again_from_what_the_one_before_came_to() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let config = crate::common::small(&[]);
    let whole = crate::common::search(&config);
    saved(&config, whole.clone(), &run);
    let again = crate::common::search(&from(&run, &["training.resume_from=2b"]));
    // The same phases from the same genomes: the same outcome.
    assert_eq!((again.best, again.results), (whole.best, whole.results));
}

#[test]
fn files_of_the_original_schema_are_seeds_compressed_or_not() {
    let dir = tempfile::tempdir().unwrap();
    let config = crate::common::small(&[]);
    let state = crate::common::search(&config);
    let result = &state.results[3];
    let genome = dir.path().join("a.json.gz");
    let mut file = NewFile::create(&genome).unwrap();
    write_genome(&mut file, &result.best.genome, result.best.fitness, result.test).unwrap();
    file.finish().unwrap();
    assert_eq!(crate::common::beginning(&from(&genome, &[])), result.best);

    let phase = dir.path().join("whatever");
    let summary = PhaseSummary {
        phase: Phase::TabuBits,
        fitness: result.best.fitness,
        initial: result.initial,
        iterations: result.iterations,
        threshold: Some(result.threshold),
        rotation_seed: None,
    };
    let mut file = NewFile::create(&phase).unwrap();
    let population: Vec<_> = result.population.iter().map(|genome| (genome, Fitness::UNKNOWN)).collect();
    write_phase(&mut file, &summary, &result.best.genome, &population).unwrap();
    file.finish().unwrap();
    let begun = from(&phase, &["training.resume_from=3a"]);
    assert_eq!(crate::common::beginning(&begun), result.best);
    let search = crate::common::initial(&begun).search.unwrap();
    assert_eq!((search.phase, search.threshold), (Phase::GeneticConnections, result.threshold));
    assert!(
        crate::common::refused(&from(&phase, &["training.resume_from=2a"])).contains("this is of phase 2b")
    );
}

#[test]
fn a_search_that_cannot_begin_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let resumed = |phase: &str| {
        crate::common::refused(&crate::common::small(&[&format!("training.resume_from={phase}")]))
    };
    assert!(resumed("2a").contains("needs the phase before"), "{}", resumed("2a"));

    let config = crate::common::small(&[]);
    let run = dir.path().join("run");
    saved(&config, crate::common::initial(&config), &run);
    let refused =
        |phase: &str| crate::common::refused(&from(&run, &[&format!("training.resume_from={phase}")]));
    assert!(refused("1a").contains("leave out training.resume_from"), "{}", refused("1a"));
    assert!(refused("3b").contains("begins from what phase 3a came to"), "{}", refused("3b"));

    let missing = crate::common::refused(&from(&dir.path().join("nothing"), &[]));
    assert!(missing.starts_with("cannot begin with `"), "{missing}");
    let other = crate::common::refused(&from(&run, &["training.data.vocabulary=280"]));
    assert!(other.contains("the genome does not fit the text and the context"), "{other}");
}

/// What a run that goes on is loaded into: neither text nor seed are read, and nothing is measured.
#[test]
fn a_state_to_be_loaded_into_needs_no_file_and_no_measurement() {
    let config = from(Path::new("/nowhere/run"), &["training.data.file=/nowhere/text"]);
    let state = Wnn::blank(&config).unwrap();
    assert_eq!((state.step, state.text.training, state.search), (0, 0, None));
    assert!(!state.best.fitness.is_known() && state.best.genome.bits.is_empty());
    assert!(Wnn::build(&config).is_err());
}

/// A state is built without a measurement: the first step makes it.
#[test]
fn the_genome_that_a_search_begins_with_is_measured_by_the_first_step() {
    let config = crate::common::small(&[]);
    let state = crate::common::initial(&config);
    assert!(!state.best.fitness.is_known());
    assert!(crate::common::beginning(&config).fitness.is_known());
}

#[test]
fn settings_of_the_original_are_read_and_written_and_unknown_keys_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("search.yaml");
    let file = path.to_str().unwrap();
    let settings_of = |file: &str| Wnn::options()[0].settings(&[file.to_owned()]);
    let text = "# a comment\nga_generations: 7\nce_percentile: 0.75\nrotation_seed: null\n";
    rekindle_formats::files::write(&path, text.as_bytes()).unwrap();
    let settings = settings_of(file).unwrap();
    let mut all: Vec<&str> = settings.iter().map(String::as_str).collect();
    // The command line wins over the file.
    all.push("training.search.ce_percentile=0.5");
    let search = crate::common::config(presets::SEARCH_50K, &all).training.search;
    assert_eq!((search.ga_generations, search.ce_percentile, search.rotation_seed), (7, Some(0.5), None));
    assert_eq!(search.population_size, 50);
    assert_eq!(Search::from_yaml(&search.to_yaml().unwrap()).unwrap(), search);

    rekindle_formats::files::write(&path, b"ga_generation: 7\n").unwrap();
    let error = settings_of(file).unwrap_err().to_string();
    assert!(error.contains("ga_generation"), "{error}");
}
