//! What a checkpoint holds.

use rekindle_tokenizer::Tokenizer;
use rekindle_train::StateMismatch;
use serde::{Deserialize, Serialize};

use crate::config::{Data, Training};
use crate::corpus::TokenPart;
use crate::genome::Genome;
use crate::phase::Phase;
use crate::scorer::Fitness;

/// All that the search needs to go on, after any batch of candidates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Steps done: batches of candidates measured.
    pub step: u64,
    /// What was learnt.
    pub text: TextIdentity,
    /// Input bits of a context.
    pub inputs: u32,
    /// The best genome so far, trained on all training tokens; not yet measured before the first step.
    pub best: Measured,
    /// How well it predicts what is reported on, which nothing is chosen by; not yet measured before the
    /// first step, and absent in runs of a text without such a part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Fitness>,
    /// The phases that are done.
    pub results: Vec<PhaseResult>,
    /// The phase at hand; absent when all are done.
    pub search: Option<Search>,
}

/// Which text was learnt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextIdentity {
    /// A hash over all tokens.
    pub hash: String,
    /// Size of the vocabulary.
    pub vocabulary: u32,
    /// Tokens to learn from.
    pub training: u64,
    /// Tokens to select by; saved under the name that they had when there were none to report on.
    #[serde(rename = "evaluation")]
    pub select: u64,
    /// Tokens to report on; absent in runs that know of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<u64>,
    /// What made the tokens; absent where they were not made from text.
    pub tokenizer: Option<Tokenizer>,
}

/// A genome and how well it predicts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The genome.
    pub genome: Genome,
    /// How well it predicts.
    pub fitness: Fitness,
    /// What it was trained on for that.
    pub part: TokenPart,
}

/// What a phase came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhaseResult {
    /// Which phase.
    pub phase: Phase,
    /// The best genome at its end, measured on all training tokens.
    pub best: Measured,
    /// The same at its beginning.
    pub initial: Fitness,
    /// How well the best genome at its end predicts what is reported on; absent where there is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Fitness>,
    /// The same at its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_test: Option<Fitness>,
    /// Generations or iterations.
    pub iterations: u32,
    /// The accuracy that candidates had to reach at its end.
    pub threshold: f64,
    /// The best genomes at its end, from which the next phase begins.
    pub population: Vec<Genome>,
    /// How well each of them predicts, as a file of the original program says; nothing where it was not one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub population_fitness: Vec<Fitness>,
}

/// A phase at hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Search {
    /// Which phase.
    pub phase: Phase,
    /// The best genome at its beginning, measured on all training tokens.
    pub initial: Fitness,
    /// Generations or iterations done.
    pub round: u32,
    /// The accuracy that candidates had to reach at its beginning.
    pub threshold: f64,
    /// Whether it still gets on.
    pub patience: Patience,
    /// What it does.
    pub work: Work,
}

/// Whether a search still gets on.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Patience {
    /// The least cross-entropy of the rounds since the last look.
    pub lately: Option<f64>,
    /// The cross-entropy that must be improved upon.
    pub reference: Option<f64>,
    /// Looks without improvement, one after the other.
    pub stalled: u32,
}

/// What a phase does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Work {
    /// A genetic algorithm.
    Genetic(Generation),
    /// A tabu search.
    Tabu(Neighbourhood),
    /// The best are measured on all training tokens.
    Closing(Closing),
}

/// A generation, and the next as far as it is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Generation {
    /// Genomes that are not yet measured: all of the first generation.
    pub unmeasured: Vec<Genome>,
    /// The generation, best first; empty until the first is measured.
    pub population: Vec<Measured>,
    /// The next generation as far as it is made.
    pub next: Vec<Measured>,
    /// Elites among it.
    pub survived: u32,
    /// Children that were tried.
    pub tried: u32,
    /// The best children whose accuracy does not suffice.
    pub rejected: Vec<Measured>,
}

/// A genome and its neighbours as far as they are measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Neighbourhood {
    /// Where the search stands; its fitness is that of the round at hand once it is measured.
    pub current: Measured,
    /// The best genome that it came by; its fitness is that of the round at hand once it is measured.
    pub best: Measured,
    /// Both are measured on the part of the round at hand.
    pub is_measured: bool,
    /// How well the neighbours predict, as far as they are measured.
    pub neighbours: Vec<Fitness>,
    /// Clusters that are not to be changed.
    pub tabu: Vec<TabuCluster>,
    /// The best genomes that it came by, newest last.
    pub passed: Vec<Genome>,
}

/// A cluster that is not to be changed for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TabuCluster {
    /// The cluster.
    pub cluster: u32,
    /// The first round in which it may be changed again.
    pub until: u32,
}

/// The end of a phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Closing {
    /// The best genomes of the phase, best first.
    pub finalists: Vec<Genome>,
    /// How well they predict, as far as they are measured.
    pub measured: Vec<Fitness>,
    /// What the next phase begins from.
    pub population: Vec<Genome>,
}

impl State {
    /// Of no text, to be loaded into.
    pub(crate) fn blank(data: &Data) -> Self {
        Self {
            step: 0,
            text: TextIdentity {
                hash: String::new(),
                vocabulary: 0,
                training: 0,
                select: 0,
                test: data.has_test().then_some(0),
                tokenizer: None,
            },
            inputs: 0,
            best: Measured {
                genome: Genome::with_capacity(0, 0),
                fitness: Fitness::UNKNOWN,
                part: TokenPart::All,
            },
            test: (data.shares().test > 0.0).then_some(Fitness::UNKNOWN),
            results: Vec::new(),
            search: None,
        }
    }

    /// Checks that the state contradicts neither itself nor the config.
    pub(crate) fn check(&self, training: &Training) -> Result<(), StateMismatch> {
        let (clusters, inputs) = (self.text.vocabulary as usize, self.inputs as usize);
        let check = |what: &str, genome: &Genome| {
            let checked = genome.check(clusters, inputs);
            checked.map_err(|error| StateMismatch::Contradiction(format!("{what}: {error}")))
        };
        check("the best genome", &self.best.genome)?;
        for result in &self.results {
            let what = format!("a genome of phase {}", result.phase.key());
            let mut genomes = std::iter::once(&result.best.genome).chain(&result.population);
            genomes.try_for_each(|genome| check(&what, genome))?;
        }
        for pair in self.results.windows(2) {
            StateMismatch::require(pair[0].phase < pair[1].phase, || {
                format!("phase {} is behind {}", pair[1].phase.key(), pair[0].phase.key())
            })?;
        }
        let Some(search) = &self.search else { return Ok(()) };
        let what = format!("a genome of phase {}", search.phase.key());
        search.work.genomes().into_iter().try_for_each(|genome| check(&what, genome))?;
        search.check(clusters, training)
    }
}

impl Search {
    fn check(&self, clusters: usize, training: &Training) -> Result<(), StateMismatch> {
        let is_of_phase = match &self.work {
            Work::Genetic(_) => self.phase.is_genetic(),
            Work::Tabu(_) => !self.phase.is_genetic(),
            Work::Closing(_) => true,
        };
        StateMismatch::require(is_of_phase, || {
            format!("phase {} does the work of another", self.phase.key())
        })?;
        match &self.work {
            Work::Genetic(generation) => generation.check(),
            Work::Tabu(neighbourhood) => neighbourhood.check(clusters, training),
            Work::Closing(closing) => closing.check(),
        }
    }
}

impl Generation {
    fn check(&self) -> Result<(), StateMismatch> {
        StateMismatch::require(!self.unmeasured.is_empty() || !self.population.is_empty(), || {
            "a generation without genomes".to_owned()
        })?;
        StateMismatch::require(self.survived as usize <= self.next.len(), || {
            "more survivors than genomes".to_owned()
        })
    }
}

impl Neighbourhood {
    fn check(&self, clusters: usize, training: &Training) -> Result<(), StateMismatch> {
        let most = training.search.neighbors_per_iter as usize;
        StateMismatch::require(self.neighbours.len() <= most, || {
            "more neighbours than are looked at".to_owned()
        })?;
        let cluster = self.tabu.iter().map(|tabu| tabu.cluster).max();
        StateMismatch::require(cluster.is_none_or(|cluster| (cluster as usize) < clusters), || {
            format!("cluster {} is tabu, and there are {clusters}", cluster.unwrap_or(0))
        })
    }
}

impl Closing {
    fn check(&self) -> Result<(), StateMismatch> {
        let has_genomes = !self.finalists.is_empty() && !self.population.is_empty();
        StateMismatch::require(has_genomes && self.measured.len() <= self.finalists.len(), || {
            "a phase ends without genomes".to_owned()
        })
    }
}

impl Work {
    /// All genomes in it.
    pub(crate) fn genomes(&self) -> Vec<&Genome> {
        match self {
            Self::Genetic(generation) => {
                let measured =
                    generation.population.iter().chain(&generation.next).chain(&generation.rejected);
                generation.unmeasured.iter().chain(measured.map(|measured| &measured.genome)).collect()
            }
            Self::Tabu(neighbourhood) => {
                let both = [&neighbourhood.current.genome, &neighbourhood.best.genome];
                both.into_iter().chain(&neighbourhood.passed).collect()
            }
            Self::Closing(closing) => closing.finalists.iter().chain(&closing.population).collect(),
        }
    }
}
