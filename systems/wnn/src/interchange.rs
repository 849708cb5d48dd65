//! Files of the original program as file formats of the command line.
//!
//! They hold genomes, neither the text nor the state of the search: what is imported can be
//! described, exported, and given to a new search (`training.seed_from`).

use std::path::Path;

use rekindle::records::About;
use rekindle::{Checkpoint, EntryPath, from_tree, to_tree};
use rekindle_formats::{Document, Format, FormatError, Reading, files};
use rekindle_train::{Checkpoints, Evaluate, RunConfig, TrainingState};
use serde_json::{Map, Value, json};

use crate::config::{Bounds, Codes, Data, Model, Order, Search, Training};
use crate::corpus::TokenPart;
use crate::genome::{Genome, MOST_BITS, MOST_INPUTS, MOST_NEURONS};
use crate::original::{self, OriginalFile, OriginalGenome, OriginalPhase, PhaseSummary};
use crate::rule::{Backoff, Scoring};
use crate::schema::{SYSTEM, versions};
use crate::scorer::Fitness;
use crate::state::{Measured, PhaseResult, State, TextIdentity};

type SavedState = TrainingState<Model, Training, State>;

/// A file of any of the three kinds below, which are told apart when they are read.
pub(crate) const ANY: Format = Format {
    name: "WNN phase checkpoint, genome or results",
    endings: &[],
    reading: Some(Reading { matches: original::matches, read, stream: None }),
    write: None,
};

/// A phase checkpoint.
pub(crate) const PHASE: Format = Format {
    name: "WNN phase checkpoint",
    endings: &[".phase.json.gz"],
    reading: None,
    write: Some(|checkpoint, path| write_phase(checkpoint, path).map(|()| Vec::new())),
};

/// A genome.
pub(crate) const GENOME: Format = Format {
    name: "WNN genome",
    endings: &[".genome.json.gz"],
    reading: None,
    write: Some(|checkpoint, path| write_genome(checkpoint, path).map(|()| Vec::new())),
};

/// Results of a search.
pub(crate) const RESULTS: Format = Format {
    name: "WNN results",
    endings: &[".results.json"],
    reading: None,
    write: Some(|checkpoint, path| write_results(checkpoint, path).map(|()| Vec::new())),
};

fn read(path: &Path) -> Result<Document, FormatError> {
    let malformed = |reason: String| FormatError::malformed(path, reason);
    let content = original::read(path).and_then(Content::of).map_err(malformed)?;
    let saved = content.into_saved();
    let about = About {
        system: SYSTEM.to_owned(),
        schema: Some(versions().schema().clone()),
        config: serde_json::to_value(config_of(&saved)).map_err(|error| malformed(error.to_string()))?,
        ..About::default()
    };
    let tree = to_tree(&saved).map_err(|error| malformed(error.to_string()))?;
    let warning = "the file holds genomes only: neither the text nor the state of a search".to_owned();
    Ok(Document { tree, step: 0, about, history: Vec::new(), warnings: vec![warning] })
}

/// What a file holds, as parts of a state.
struct Content {
    best: Measured,
    test: Option<Fitness>,
    results: Vec<PhaseResult>,
    rotation_seed: Option<u64>,
}

impl Content {
    fn of(file: OriginalFile) -> Result<Self, String> {
        let content = match file {
            OriginalFile::Genome(best) => Self::of_genome(&best, None, None)?,
            OriginalFile::Results { best: Some(best), fitness, test } => {
                Self::of_genome(&best, fitness, test)?
            }
            OriginalFile::Results { best: None, .. } => {
                return Err("these results hold no genome (files of the first versions do not)".to_owned());
            }
            OriginalFile::Phase(phase) => Self::of_phase(&phase)?,
        };
        let clusters = content.best.genome.bits.len();
        let population = content.results.iter().flat_map(|result| &result.population);
        for genome in population.chain([&content.best.genome]) {
            genome.check(clusters, MOST_INPUTS).map_err(|error| error.to_string())?;
        }
        Ok(content)
    }

    fn of_genome(
        best: &OriginalGenome,
        fitness: Option<Fitness>,
        test: Option<Fitness>,
    ) -> Result<Self, String> {
        let fitness = fitness.unwrap_or(Fitness::UNKNOWN);
        let best = Measured { genome: connected(best)?, fitness, part: TokenPart::All };
        Ok(Self { best, test, results: Vec::new(), rotation_seed: None })
    }

    fn of_phase(phase: &OriginalPhase) -> Result<Self, String> {
        let content = Self::of_genome(&phase.best, Some(phase.fitness), None)?;
        let result = PhaseResult {
            phase: phase.phase,
            best: content.best.clone(),
            initial: phase.fitness,
            test: None,
            initial_test: None,
            iterations: phase.iterations,
            threshold: phase.threshold.unwrap_or(0.0),
            population: phase.population.iter().map(connected).collect::<Result<_, _>>()?,
        };
        Ok(Self { results: vec![result], rotation_seed: phase.rotation_seed, ..content })
    }

    /// A state that was searched on no text, with the settings that the original program has.
    fn into_saved(self) -> SavedState {
        let Self { best, test, results, rotation_seed } = self;
        let text = TextIdentity {
            hash: String::new(),
            vocabulary: best.genome.bits.len() as u32,
            training: 0,
            select: 0,
            test: None,
            tokenizer: None,
        };
        let model = Model {
            scoring: Scoring::Votes,
            codes: Codes::Token,
            order: Order::Random,
            bits: Bounds { least: 1, most: MOST_BITS },
            neurons: Bounds { least: 1, most: MOST_NEURONS },
            frequent_neurons: 0,
            backoff: Backoff::default(),
        };
        let search = Search { rotation_seed, ..Search::default() };
        let inputs = MOST_INPUTS as u32;
        SavedState {
            seed: 0,
            model,
            training: Training::new(Data::default(), search),
            state: State { step: 0, text, inputs, best, test, results, search: None },
        }
    }
}

/// The genome of a file that has its connections.
fn connected(genome: &OriginalGenome) -> Result<Genome, String> {
    match genome.connections {
        None => {
            Err("its genome has no connections; a search that begins with it (training.seed_from) makes some"
                .to_owned())
        }
        Some(_) => genome.to_genome(|_, _| Vec::new()),
    }
}

fn config_of(saved: &SavedState) -> RunConfig<Model, Training> {
    RunConfig {
        system: SYSTEM.to_owned(),
        seed: saved.seed,
        model: saved.model.clone(),
        training: saved.training.clone(),
        evaluate: Evaluate::default(),
        checkpoint: Checkpoints::default(),
        best: None,
    }
}

/// The state of a checkpoint of this system.
fn state_of(checkpoint: &Checkpoint<'_>, path: &Path) -> Result<SavedState, FormatError> {
    let unsupported = |reason: String| FormatError::Unsupported { path: path.to_owned(), reason };
    if checkpoint.record().about.system != SYSTEM {
        return Err(unsupported(format!("this format holds `{}` genomes only", SYSTEM)));
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
