//! Files of the original program as file formats of the command line.
//!
//! They hold genomes, neither the text nor the state of the search: what is imported can be
//! described, exported, and given to a new search (`training.seed_from`).

use std::path::Path;

use rekindle::records::About;
use rekindle::{Checkpoint, EntryPath, from_tree, to_tree};
use rekindle_formats::{Document, Format, FormatError, Reading, files};
use rekindle_train::{Checkpoints, Evaluate, RunConfig, TrainingState};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::config::{Bounds, Codes, Data, Model, Order, Search, Training};
use crate::corpus::TokenPart;
use crate::genome::{Genome, MOST_BITS, MOST_INPUTS};
use crate::original::{self, Kind, OriginalFile, OriginalGenome, OriginalPhase, PhaseSummary};
use crate::rule::{Assignment, Backoff, Scoring};
use crate::schema::{SYSTEM, versions};
use crate::scorer::Fitness;
use crate::state::{Measured, PhaseResult, State, TextIdentity};

type SavedState = TrainingState<Model, Training, State>;

/// A phase checkpoint.
pub(crate) const PHASE: Format = Format {
    name: "WNN phase checkpoint",
    endings: &[".phase.json.gz"],
    reading: Some(Reading { matches: |head| original::kind(head) == Some(Kind::Phase), read, stream: None }),
    write: Some(|checkpoint, path| write_phase(checkpoint, path).map(|()| Vec::new())),
};

/// A genome.
pub(crate) const GENOME: Format = Format {
    name: "WNN genome",
    endings: &[".genome.json.gz"],
    reading: Some(Reading { matches: |head| original::kind(head) == Some(Kind::Genome), read, stream: None }),
    write: Some(|checkpoint, path| write_genome(checkpoint, path).map(|()| Vec::new())),
};

/// Results of a search.
pub(crate) const RESULTS: Format = Format {
    name: "WNN results",
    endings: &[".results.json"],
    reading: Some(Reading {
        matches: |head| original::kind(head) == Some(Kind::Results),
        read,
        stream: None,
    }),
    write: Some(|checkpoint, path| write_results(checkpoint, path).map(|()| Vec::new())),
};

fn read(path: &Path) -> Result<Document, FormatError> {
    let malformed = |reason: String| FormatError::malformed(path, reason);
    let file = original::read(path).map_err(malformed)?;
    let warnings = losses(&file);
    let saved = Content::of(file).map_err(malformed)?.into_saved();
    let about = About {
        system: SYSTEM.to_owned(),
        schema: Some(versions().schema().clone()),
        config: serde_json::to_value(config_of(&saved)).map_err(|error| malformed(error.to_string()))?,
        ..About::default()
    };
    let tree = to_tree(&saved).map_err(|error| malformed(error.to_string()))?;
    Ok(Document { tree, step: 0, about, history: Vec::new(), warnings })
}

/// What an import of a file does not carry over.
fn losses(file: &OriginalFile) -> Vec<String> {
    let mut losses =
        vec!["the file holds genomes only: neither the text nor the state of a search".to_owned()];
    let more = match file {
        OriginalFile::Genome { .. } => "notes beside the genome (`_metadata`) are not kept",
        OriginalFile::Phase(_) => "notes beside the phase are not kept, but for its seed of the rotation",
        OriginalFile::Results { .. } => {
            "the figures of the phases, `args`, `pass`, `patience` and the time are not kept: they are of a search \
             that is not in the file"
        }
    };
    losses.push(more.to_owned());
    losses
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
            OriginalFile::Genome { best, reported } => {
                // Beside the genome is what is reported, where that is something else.
                let test = (reported.is_known() && !is_same(reported, best.fitness)).then_some(reported);
                Self::of_genome(&best, best.fitness, test)?
            }
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

    fn of_genome(best: &OriginalGenome, fitness: Fitness, test: Option<Fitness>) -> Result<Self, String> {
        let best = Measured { genome: connected(best)?, fitness, part: TokenPart::All };
        Ok(Self { best, test, results: Vec::new(), rotation_seed: None })
    }

    fn of_phase(phase: &OriginalPhase) -> Result<Self, String> {
        let content = Self::of_genome(&phase.best, phase.fitness, None)?;
        let are_measured = phase.population.iter().any(|genome| genome.fitness.is_known());
        let result = PhaseResult {
            phase: phase.phase,
            best: content.best.clone(),
            initial: phase.initial,
            test: None,
            initial_test: None,
            iterations: phase.iterations,
            threshold: phase.threshold.unwrap_or(f64::NAN),
            population: phase.population.iter().map(connected).collect::<Result<_, _>>()?,
            population_fitness: match are_measured {
                true => phase.population.iter().map(|genome| genome.fitness).collect(),
                false => Vec::new(),
            },
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
            neurons: Bounds { least: 1, most: u8::MAX },
            frequent_neurons: 0,
            backoff: Backoff::default(),
            connections: Assignment::Grouped,
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

fn is_same(a: Fitness, b: Fitness) -> bool {
    a.cross_entropy == b.cross_entropy && a.known_accuracy() == b.known_accuracy()
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
        threshold: Some(result.threshold).filter(|threshold| threshold.is_finite()),
        rotation_seed: saved.training.search.rotation_seed.or(is_of_run(&saved.state).then_some(saved.seed)),
    };
    let fitness = result.population_fitness.iter().copied().chain(std::iter::repeat(Fitness::UNKNOWN));
    let population: Vec<(&Genome, Fitness)> = result.population.iter().zip(fitness).collect();
    let failed = |error| FormatError::write(path, error);
    let mut out = files::NewFile::create(path).map_err(failed)?;
    original::write_phase(&mut out, &summary, &result.best.genome, &population).map_err(failed)?;
    out.finish().map_err(failed)
}

/// True for what was searched here; false for what was imported, whose search is not known.
fn is_of_run(state: &State) -> bool {
    state.text.training > 0
}

fn write_results(checkpoint: &Checkpoint<'_>, path: &Path) -> Result<(), FormatError> {
    let saved = state_of(checkpoint, path)?;
    let text = results(&saved.training, &saved.state).map_err(|error| FormatError::write(path, error))?;
    files::write(path, text.as_bytes()).map_err(|error| FormatError::write(path, error))
}

/// Members in the order in which they are written.
struct Members(Vec<(&'static str, Value)>);

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// The results of a search as JSON, with the keys of the original program in their order: of what is reported
/// on, and beside it of what was selected by. Without anything to report on, of the latter alone.
///
/// # Errors
/// None is known.
pub(crate) fn results(training: &Training, state: &State) -> std::io::Result<String> {
    let mut members = Vec::new();
    let is_of_run = is_of_run(state);
    for result in state.results.iter().filter(|_| is_of_run) {
        let mut value = figures(result.best.fitness, result.test);
        value.insert("iterations".to_owned(), result.iterations.into());
        members.push((result.phase.results_key(), value.into()));
    }
    let Measured { genome, fitness, .. } = &state.best;
    let mut last = figures(*fitness, state.test);
    let clusters = json!({
        "bits_per_cluster": genome.bits,
        "neurons_per_cluster": genome.neurons,
        "connections": genome.connections,
    });
    last.insert("genome".to_owned(), clusters);
    last.insert("genome_stats".to_owned(), original::stats(genome));
    members.push(("final", last.into()));
    if is_of_run {
        let parts = training.search.token_parts;
        let tokens = state.text.training / u64::from(parts.max(1));
        members.push(("pass", training.pass.into()));
        members.push(("patience", training.patience().into()));
        members.push(("base_patience", training.base_patience.into()));
        members.push(("args", serde_json::to_value(&training.search)?));
        members.push(("per_iteration_rotation", json!({ "num_parts": parts, "tokens_per_part": tokens })));
    }
    Ok(serde_json::to_string_pretty(&Members(members))? + "\n")
}

/// What is known of how well a genome predicts.
fn figures(select: Fitness, test: Option<Fitness>) -> Map<String, Value> {
    let reported = test.unwrap_or(select);
    let mut figures = Map::new();
    let mut insert = |name: &str, figure: Option<f64>| {
        figures.extend(figure.map(|figure| (name.to_owned(), Value::from(figure))));
    };
    insert("fitness", reported.is_known().then_some(reported.cross_entropy));
    insert("accuracy", reported.known_accuracy());
    if test.is_some() {
        insert("select_fitness", select.is_known().then_some(select.cross_entropy));
        insert("select_accuracy", select.known_accuracy());
    }
    figures
}
