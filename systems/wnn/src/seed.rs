//! What a search begins with.

use std::path::Path;
use std::sync::Arc;

use rekindle::storage::{FileStorage, Storage};
use rekindle::{Address, EntryPath, Store, from_tree};
use rekindle_compute::rng;
use rekindle_formats::{is_checkpoint_file, open_archive};
use rekindle_train::{SettingError, TrainingState, recorded_best};

use crate::config::{Model, Training};
use crate::corpus::{Corpus, TokenPart};
use crate::error::WnnError;
use crate::genome::Genome;
use crate::original::{self, OriginalFile, OriginalGenome};
use crate::phase::Phase;
use crate::scorer::Fitness;
use crate::search::{Maker, Searcher};
use crate::state::{Measured, PhaseResult, State};
use crate::streams;
use crate::text::Text;

/// Genomes to begin with.
struct Seed {
    best: Genome,
    population: Vec<Genome>,
    threshold: Option<f64>,
    /// Phases that another run has done, and the text that they were done on.
    results: Vec<PhaseResult>,
    text: Option<String>,
    /// The phase that the genomes are the outcome of.
    phase: Option<Phase>,
}

/// The state before the first step, in which nothing is measured.
///
/// # Errors
/// When what the search is to begin with cannot be read, or does not fit the text.
pub(crate) fn begin(model: &Model, training: &Training, seed: u64, text: &Text) -> Result<State, WnnError> {
    let corpus = &text.corpus;
    let maker = Maker::new(model, corpus.coding.context(), corpus.coding.bits_per_token());
    let first = training.resume_from.unwrap_or(Phase::ALL[0]);
    let given = match &training.seed_from {
        Some(origin) => {
            let given = load(origin, training.resume_from, &maker, seed);
            let given = given.and_then(|given| check(given, corpus));
            let given = given.and_then(|given| match training.resume_from {
                Some(phase) => only_before(given, phase),
                None => Ok(Seed { threshold: None, results: Vec::new(), ..given }),
            });
            given.map_err(|reason| WnnError::Seed { origin: origin.clone(), reason })?
        }
        None => {
            if training.resume_from.is_some() {
                let reason = "a search that begins in the middle needs the phase before: name a run or a phase \
                              checkpoint that holds it as training.seed_from";
                return Err(SettingError::new("training.resume_from", first.key(), reason).into());
            }
            fresh(model, training, seed, corpus, &maker)
        }
    };
    let best = Measured { genome: given.best, fitness: Fitness::UNKNOWN, part: TokenPart::All };
    let threshold = given.threshold.unwrap_or(training.threshold.start);
    let searcher = Searcher::new(model, training, seed, corpus);
    let search = searcher.begin(first, &best, &given.population, threshold);
    let results = if given.text.as_ref() == Some(&text.identity.hash) { given.results } else { Vec::new() };
    Ok(State {
        step: 0,
        text: text.identity.clone(),
        inputs: corpus.coding.inputs() as u32,
        best,
        test: (!corpus.test.is_empty()).then_some(Fitness::UNKNOWN),
        results,
        search: Some(search),
    })
}

/// Genomes of the same architecture, whose neurons look at different bits where those are random.
fn fresh(model: &Model, training: &Training, seed: u64, corpus: &Corpus, maker: &Maker) -> Seed {
    let search = &training.search;
    let mut counts = vec![0_u32; corpus.coding.vocabulary()];
    corpus.training.iter().for_each(|&token| counts[corpus.coding.class(token) as usize] += 1);
    let most = counts.iter().max().copied().unwrap_or(1).max(1);
    let neurons: Vec<u16> = counts
        .iter()
        .map(|&count| {
            let more = f64::from(count) / f64::from(most) * f64::from(model.frequent_neurons);
            u16::from(search.default_neurons) + more as u16
        })
        .collect();
    let genome = |index: u64| {
        maker.fresh(&neurons, search.default_bits, &mut rng::stream(seed, streams::FRESH, index))
    };
    let count = match model.order {
        crate::config::Order::Random => u64::from(search.population_size),
        crate::config::Order::Recent => 1,
    };
    let population: Vec<_> = (0..count).map(genome).collect();
    Seed {
        best: population[0].clone(),
        population,
        threshold: None,
        results: Vec::new(),
        text: None,
        phase: None,
    }
}

fn load(origin: &str, first: Option<Phase>, maker: &Maker, seed: u64) -> Result<Seed, String> {
    let path = Path::new(origin);
    let is_file = path.is_file();
    if !is_file || is_checkpoint_file(path) {
        return from_run(origin, first);
    }
    let connections = |neurons: &[u16], bits: &[u8]| {
        let mut stream = rng::stream(seed, streams::FRESH, 0);
        let mut connections = Vec::new();
        for (&neurons, &bits) in neurons.iter().zip(bits) {
            connections.extend(maker.fresh(&[neurons], bits, &mut stream).connections);
        }
        connections
    };
    let genome = |genome: &OriginalGenome| genome.to_genome(connections);
    let none = Seed {
        best: Genome::with_capacity(0, 0),
        population: Vec::new(),
        threshold: None,
        results: Vec::new(),
        text: None,
        phase: None,
    };
    match original::read(path)? {
        OriginalFile::Genome { best, .. } => Ok(Seed { best: genome(&best)?, ..none }),
        OriginalFile::Results { best: Some(best), .. } => Ok(Seed { best: genome(&best)?, ..none }),
        OriginalFile::Results { best: None, .. } => {
            Err("these results hold no genome (files of the first versions do not)".to_owned())
        }
        OriginalFile::Phase(phase) => Ok(Seed {
            best: genome(&phase.best)?,
            population: phase.population.iter().map(genome).collect::<Result<_, _>>()?,
            threshold: phase.threshold,
            phase: Some(phase.phase),
            ..none
        }),
    }
}

/// A checkpoint of a run, addressed as everywhere.
fn from_run(origin: &str, first: Option<Phase>) -> Result<Seed, String> {
    let address = Address::parse(origin);
    let storage: Arc<dyn Storage> = match is_checkpoint_file(&address.run) {
        true => Arc::new(open_archive(&address.run).map_err(|error| error.to_string())?),
        false => Arc::new(FileStorage::new(&address.run)),
    };
    let store = Store::open(storage).map_err(|error| error.to_string())?;
    let resolved = address.which.resolve_whole(&store, recorded_best(&store).as_ref());
    let resolved = resolved.map_err(|error| error.to_string())?;
    let step = resolved.step;
    let checkpoint = store.checkpoint(step).map_err(|error| error.to_string())?;
    let tree = checkpoint.load(&EntryPath::root()).map_err(|error| error.to_string())?;
    let saved: TrainingState<Model, Training, State> = from_tree(&tree)
        .map_err(|error| format!("it is not a run of a weightless language model: {error}"))?;
    let state = saved.state;
    let before = first.and_then(Phase::previous);
    let done = state.results.iter().find(|result| Some(result.phase) == before).cloned();
    if let Some(done) = done {
        return Ok(Seed {
            best: done.best.genome.clone(),
            population: done.population.clone(),
            threshold: Some(done.threshold).filter(|threshold| threshold.is_finite()),
            phase: before,
            text: Some(state.text.hash),
            results: state.results.into_iter().filter(|result| Some(result.phase) <= before).collect(),
        });
    }
    let population = match &state.search {
        Some(search) => search.work.genomes().into_iter().cloned().collect(),
        None => state.results.last().map(|result| result.population.clone()).unwrap_or_default(),
    };
    let phase = state.results.last().map(|result| result.phase);
    Ok(Seed { best: state.best.genome, population, threshold: None, results: Vec::new(), text: None, phase })
}

fn check(seed: Seed, corpus: &Corpus) -> Result<Seed, String> {
    let (clusters, inputs) = (corpus.coding.vocabulary(), corpus.coding.inputs());
    for genome in std::iter::once(&seed.best).chain(&seed.population) {
        genome
            .check(clusters, inputs)
            .map_err(|error| format!("the genome does not fit the text and the context: {error}"))?;
    }
    Ok(seed)
}

fn only_before(seed: Seed, phase: Phase) -> Result<Seed, String> {
    let Some(before) = phase.previous() else {
        return Err("phase 1a is the first; leave out training.resume_from to begin with it".to_owned());
    };
    match seed.phase {
        Some(found) if found == before => Ok(seed),
        found => Err(format!(
            "phase {} begins from what phase {} came to, and this {}",
            phase.key(),
            before.key(),
            found.map_or("holds no phase".to_owned(), |found| format!("is of phase {}", found.key())),
        )),
    }
}
