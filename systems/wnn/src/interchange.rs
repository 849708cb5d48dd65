//! Files of the original program as file formats of the command line.
//!
//! They hold genomes, neither the text nor the state of the search: what is imported can be
//! described, exported, and given to a new search (`train CONFIG --seed-from RUN`).

use std::path::Path;

use rekindle::{About, Checkpoint, EntryPath, from_tree, to_tree};
use rekindle_formats::{Document, Format, FormatError, files};
use rekindle_train::{Checkpoints, ConfigOf, Evaluate, System, TrainingState};
use serde_json::{Map, Value, json};

use crate::config::{Bounds, Codes, Data, Model, Order, Search, Training};
use crate::corpus::Part;
use crate::genome::{Genome, MOST_BITS, MOST_INPUTS, MOST_NEURONS};
use crate::original::{self, OriginalFile, PhaseSummary};
use crate::rule::{Backoff, Scoring};
use crate::scorer::Fitness;
use crate::state::{Measured, PhaseResult, State, TextIdentity};
use crate::system::Wnn;

type SavedState = TrainingState<Model, Training, State>;

/// A phase checkpoint.
pub(crate) const PHASE: Format = Format {
    name: "WNN phase checkpoint",
    endings: &[".phase.json.gz"],
    matches: original::matches,
    read,
    write: Some(write_phase),
};

/// A genome.
pub(crate) const GENOME: Format = Format {
    name: "WNN genome",
    endings: &[".genome.json.gz"],
    matches: original::matches,
    read,
    write: Some(write_genome),
};

/// Results of a search.
pub(crate) const RESULTS: Format = Format {
    name: "WNN results",
    endings: &[".results.json"],
    matches: original::matches,
    read,
    write: Some(write_results),
};

fn read(path: &Path) -> Result<Document, FormatError> {
    let malformed = |reason: String| FormatError::malformed(path, reason);
    let file = original::read(path).map_err(malformed)?;
    let no_connections = |_: &[u8], _: &[u8]| Vec::new();
    let genome = |genome: &original::OriginalGenome| match genome.connections {
        None => Err("its genome has no connections; `train --seed-from` makes some".to_owned()),
        Some(_) => genome.to_genome(no_connections),
    };
    let measured = |genome, fitness: Option<Fitness>| Measured {
        genome,
        fitness: fitness.unwrap_or(Fitness::UNKNOWN),
        part: Part::All,
    };
    let rotation_seed = match &file {
        OriginalFile::Phase(phase) => phase.rotation_seed,
        OriginalFile::Genome(_) | OriginalFile::Results { .. } => None,
    };
    let test = match &file {
        OriginalFile::Results { test, .. } => *test,
        OriginalFile::Genome(_) | OriginalFile::Phase(_) => None,
    };
    let (best, results) = match &file {
        OriginalFile::Genome(best) => (measured(genome(best).map_err(malformed)?, None), Vec::new()),
        OriginalFile::Results { best: Some(best), fitness, .. } => {
            (measured(genome(best).map_err(malformed)?, *fitness), Vec::new())
        }
        OriginalFile::Results { best: None, .. } => {
            return Err(malformed(
                "these results hold no genome (files of the first versions do not)".to_owned(),
            ));
        }
        OriginalFile::Phase(phase) => {
            let best = measured(genome(&phase.best).map_err(malformed)?, Some(phase.fitness));
            let population: Result<Vec<_>, _> = phase.population.iter().map(genome).collect();
            let result = PhaseResult {
                phase: phase.phase,
                best: best.clone(),
                initial: phase.fitness,
                test: None,
                initial_test: None,
                iterations: phase.iterations,
                threshold: phase.threshold.unwrap_or(0.0),
                population: population.map_err(malformed)?,
            };
            (best, vec![result])
        }
    };
    let clusters = best.genome.bits.len();
    let all = results.iter().flat_map(|result| &result.population).chain([&best.genome]);
    if let Some(flaw) = all.into_iter().find_map(|genome: &Genome| genome.flaw(clusters, MOST_INPUTS)) {
        return Err(malformed(flaw));
    }
    let state = SavedState {
        seed: 0,
        model: Model {
            scoring: Scoring::Votes,
            codes: Codes::Token,
            order: Order::Random,
            bits: Bounds { least: 1, most: MOST_BITS },
            neurons: Bounds { least: 1, most: MOST_NEURONS },
            frequent_neurons: 0,
            backoff: Backoff::default(),
        },
        training: Training::new(Data::default(), Search { rotation_seed, ..Search::default() }),
        state: State {
            step: 0,
            text: TextIdentity {
                hash: String::new(),
                vocabulary: clusters as u32,
                training: 0,
                select: 0,
                test: None,
                tokenizer: None,
            },
            inputs: MOST_INPUTS as u32,
            best,
            test,
            results,
            search: None,
        },
    };
    let config = ConfigOf::<Wnn> {
        system: Wnn::NAME.to_owned(),
        seed: state.seed,
        model: state.model.clone(),
        training: state.training.clone(),
        evaluate: Evaluate::default(),
        checkpoint: Checkpoints::default(),
        best: None,
    };
    let about = About {
        system: Wnn::NAME.to_owned(),
        schema: Some(Wnn::versions().schema().clone()),
        config: serde_json::to_value(&config).unwrap_or_default(),
        ..About::default()
    };
    let tree = to_tree(&state).map_err(|error| malformed(error.to_string()))?;
    let warnings = vec!["the file holds genomes only: neither the text nor the state of a search".to_owned()];
    Ok(Document { tree, step: 0, about, history: Vec::new(), warnings })
}

/// The state of a checkpoint of this system.
fn state_of(checkpoint: &Checkpoint<'_>, path: &Path) -> Result<SavedState, FormatError> {
    let unsupported = |reason: String| FormatError::Unsupported { path: path.to_owned(), reason };
    if checkpoint.record().about.system != Wnn::NAME {
        return Err(unsupported(format!("this format holds `{}` genomes only", Wnn::NAME)));
    }
    let tree = checkpoint.load(&EntryPath::root())?;
    from_tree(&tree).map_err(|error| unsupported(error.to_string()))
}

fn write_genome(checkpoint: &Checkpoint<'_>, path: &Path) -> Result<(), FormatError> {
    let saved = state_of(checkpoint, path)?;
    let best = &saved.state.best;
    let failed = |error| FormatError::write(path, error);
    let mut out = files::NewFile::create(path).map_err(failed)?;
    original::write_genome(&mut out, &best.genome, best.fitness, saved.state.test).map_err(failed)?;
    out.finish().map_err(failed)
}

/// The phase that ended last.
fn write_phase(checkpoint: &Checkpoint<'_>, path: &Path) -> Result<(), FormatError> {
    let saved = state_of(checkpoint, path)?;
    let Some(result) = saved.state.results.last() else {
        let reason = "no phase is done yet; `.genome.json.gz` holds the best genome".to_owned();
        return Err(FormatError::Unsupported { path: path.to_owned(), reason });
    };
    let summary = PhaseSummary {
        phase: result.phase,
        fitness: result.best.fitness,
        initial: result.initial,
        iterations: result.iterations,
        threshold: result.threshold,
        rotation_seed: saved.training.search.rotation_seed.or(Some(saved.seed)),
    };
    let failed = |error| FormatError::write(path, error);
    let mut out = files::NewFile::create(path).map_err(failed)?;
    original::write_phase(&mut out, &summary, &result.best.genome, &result.population).map_err(failed)?;
    out.finish().map_err(failed)
}

fn write_results(checkpoint: &Checkpoint<'_>, path: &Path) -> Result<(), FormatError> {
    let saved = state_of(checkpoint, path)?;
    let text = format!("{:#}\n", results(&saved.training, &saved.state));
    files::write(path, text.as_bytes()).map_err(|error| FormatError::write(path, error))
}

/// The results of a search, with the keys of the original program: of what is reported on, and beside it of
/// what was selected by. Without anything to report on, of the latter alone.
pub(crate) fn results(training: &Training, state: &State) -> Value {
    let mut results = Map::new();
    for result in &state.results {
        let mut value = figures(result.best.fitness, result.test);
        value.insert("iterations".to_owned(), result.iterations.into());
        results.insert(result.phase.results_key().to_owned(), value.into());
    }
    let Measured { genome, fitness, .. } = &state.best;
    let parts = training.search.token_parts;
    let mut last = figures(*fitness, state.test);
    let clusters = json!({
        "bits_per_cluster": genome.bits,
        "neurons_per_cluster": genome.neurons,
        "connections": genome.connections,
    });
    last.insert("genome".to_owned(), clusters);
    last.insert("genome_stats".to_owned(), original::stats(genome));
    results.insert("final".to_owned(), last.into());
    results.insert("pass".to_owned(), training.pass.into());
    results.insert("patience".to_owned(), training.patience().into());
    results.insert("base_patience".to_owned(), training.base_patience.into());
    results.insert("args".to_owned(), serde_json::to_value(&training.search).unwrap_or_default());
    let rotation =
        json!({ "num_parts": parts, "tokens_per_part": state.text.training / u64::from(parts.max(1)) });
    results.insert("per_iteration_rotation".to_owned(), rotation);
    Value::Object(results)
}

fn figures(select: Fitness, test: Option<Fitness>) -> Map<String, Value> {
    let reported = test.unwrap_or(select);
    let mut figures = Map::new();
    figures.insert("fitness".to_owned(), reported.cross_entropy.into());
    figures.insert("accuracy".to_owned(), reported.accuracy.into());
    if test.is_some() {
        figures.insert("select_fitness".to_owned(), select.cross_entropy.into());
        figures.insert("select_accuracy".to_owned(), select.accuracy.into());
    }
    figures
}
