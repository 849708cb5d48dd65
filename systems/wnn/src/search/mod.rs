//! The search for a better architecture, phase by phase.

mod genetic;
mod mutation;
mod tabu;

use std::cmp::Ordering;

use rekindle_compute::rng;

use crate::config::{Model, Training};
use crate::corpus::{Corpus, TokenPart};
use crate::error::WnnError;
use crate::evaluator::Evaluator;
use crate::genome::Genome;
use crate::phase::Phase;
use crate::scorer::Fitness;
use crate::state::{
    Closing, Generation, Measured, Neighbourhood, Patience, PhaseResult, Search, State, Work,
};
use crate::streams;

pub(crate) use mutation::Maker;

/// Searches, batch by batch of candidates.
pub struct Searcher {
    training: Training,
    seed: u64,
    maker: Maker,
    /// The class of each training token.
    occurrences: Vec<u32>,
    classes: u32,
}

/// What a round of a phase needs to know.
pub(crate) struct Context<'a> {
    phase: Phase,
    /// Which generation or iteration.
    round: u32,
    /// The accuracy that candidates must reach.
    threshold: f64,
    training: &'a Training,
    seed: u64,
    maker: &'a Maker,
    occurrences: &'a [u32],
    classes: u32,
}

impl Context<'_> {
    /// The part of the training tokens that the round learns from: all parts in a random order, then
    /// all of them in another one.
    fn part(&self) -> TokenPart {
        let parts = self.training.search.token_parts;
        if parts == 1 {
            return TokenPart::All;
        }
        let seed = self.training.search.rotation_seed.unwrap_or(self.seed);
        let cycle = streams::candidate(self.phase, self.round / parts, 0);
        let mut order: Vec<u32> = (0..parts).collect();
        rng::stream(seed, streams::ROTATION, cycle).shuffle(&mut order);
        TokenPart::Of(order[(self.round % parts) as usize])
    }

    /// Genomes of a population.
    fn size(&self) -> usize {
        self.training.search.population_size as usize
    }
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepMetrics {
    /// The phase at hand.
    pub phase: Phase,
    /// Generations or iterations done.
    pub round: u32,
    /// The best of those that the step knows of, where it knows any.
    pub fitness: Option<Fitness>,
    /// The best of a generation or iteration that the step ended.
    pub ended: Option<Fitness>,
}

/// Orders by cross-entropy, then by accuracy.
fn by_fitness(a: &Measured, b: &Measured) -> Ordering {
    let (a, b) = (&a.fitness, &b.fitness);
    a.cross_entropy.total_cmp(&b.cross_entropy).then(b.accuracy.total_cmp(&a.accuracy))
}

impl Searcher {
    /// A searcher for the architecture that predicts `corpus`.
    pub fn new(model: &Model, training: &Training, seed: u64, corpus: &Corpus) -> Self {
        let coding = &corpus.coding;
        Self {
            training: training.clone(),
            seed,
            maker: Maker::new(model, coding.context(), coding.bits_per_token()),
            occurrences: corpus.training.iter().map(|&token| coding.class(token)).collect(),
            classes: coding.vocabulary() as u32,
        }
    }

    fn context(&self, search: &Search) -> Context<'_> {
        Context {
            phase: search.phase,
            round: search.round,
            threshold: self.threshold(search),
            training: &self.training,
            seed: self.seed,
            maker: &self.maker,
            occurrences: &self.occurrences,
            classes: self.classes,
        }
    }

    /// A phase that begins from some genomes, best first.
    pub(crate) fn begin(
        &self,
        phase: Phase,
        best: &Measured,
        population: &[Genome],
        threshold: f64,
    ) -> Search {
        let work = match phase.is_genetic() {
            true => Work::Genetic(Generation::first(self.filled(phase, &best.genome, population))),
            false => Work::Tabu(Neighbourhood::around(best.clone())),
        };
        let work = if self.rounds(phase) == 0 { self.closing(&work) } else { work };
        let patience = Patience::default();
        Search { phase, initial: best.fitness, round: 0, threshold, patience, work }
    }

    /// The best genome, the others, and as many mutated ones as are missing.
    fn filled(&self, phase: Phase, best: &Genome, population: &[Genome]) -> Vec<Genome> {
        let mut genomes = vec![best.clone()];
        for genome in population {
            if !genomes.contains(genome) {
                genomes.push(genome.clone());
            }
        }
        let size = self.training.search.population_size as usize;
        genomes.truncate(size);
        let given = genomes.len();
        for index in given..size {
            let step = streams::candidate(phase, 0, index as u32);
            let mut stream = rng::stream(self.seed, streams::FILL, step);
            let mut genome = Genome::with_capacity(best.bits.len(), best.connections.len());
            for cluster in genomes[index % given].clusters() {
                if stream.uniform_f64() < self.training.genetic.mutation {
                    genome.push(self.maker.mutate(phase.changes(), cluster, &mut stream).as_cluster());
                } else {
                    genome.push(cluster);
                }
            }
            genomes.push(genome);
        }
        genomes
    }

    /// Measures a batch of candidates, and draws the conclusions. The first step also measures what the
    /// search begins with.
    ///
    /// # Errors
    /// When they cannot be measured; the state is then still one that a search can go on from.
    pub fn step(
        &self,
        state: &mut State,
        evaluator: &mut dyn Evaluator,
    ) -> Result<Option<StepMetrics>, WnnError> {
        if !state.best.fitness.is_known() {
            measure_beginning(state, evaluator)?;
        }
        let Some(search) = &mut state.search else { return Ok(None) };
        let (phase, before) = (search.phase, search.round);
        let fitness = self.work(search, evaluator)?;
        let ended = fitness.filter(|_| search.round > before);
        let metrics = StepMetrics { phase, round: search.round, fitness, ended };
        state.step += 1;
        self.settle(state, evaluator)?;
        Ok(Some(metrics))
    }

    fn work(&self, search: &mut Search, evaluator: &mut dyn Evaluator) -> Result<Option<Fitness>, WnnError> {
        let context = self.context(search);
        match &mut search.work {
            Work::Genetic(generation) => {
                let is_complete = generation.step(&context, evaluator)?;
                let best = generation.population.first().map(|best| best.fitness);
                if is_complete {
                    self.complete(search, best);
                }
                Ok(best)
            }
            Work::Tabu(neighbourhood) => {
                let is_complete = neighbourhood.step(&context, evaluator)?;
                let best = neighbourhood.best.fitness;
                if is_complete {
                    self.complete(search, Some(best));
                }
                Ok(Some(best))
            }
            Work::Closing(closing) => {
                let next = closing.measured.len();
                let genome = std::slice::from_ref(&closing.finalists[next]);
                closing.measured.extend(evaluator.evaluate(TokenPart::All, genome)?);
                Ok(closing.measured.last().copied())
            }
        }
    }

    /// Steps to the end of the search, when all phases last as long as they may and all candidates suffice.
    pub(crate) fn steps_left(&self, search: &Search) -> u64 {
        let steps = |count: u32, batch: u32| u64::from(count.div_ceil(batch.max(1)));
        let Training { search: sizes, genetic, batch, finalists, .. } = &self.training;
        let (size, batch) = (sizes.population_size, *batch);
        let elites = genetic::elite_count(genetic, size as usize) as u32;
        let generation = steps(elites, batch) + steps(size.saturating_sub(elites), batch);
        let iteration = 1 + steps(sizes.neighbors_per_iter, tabu::batch(batch));
        let closing = u64::from(size.min(*finalists));
        let of_rounds = |phase: Phase, rounds: u32| match phase.is_genetic() {
            true => u64::from(rounds).saturating_mul(generation),
            false => u64::from(rounds).saturating_mul(iteration),
        };
        let following = Phase::ALL.into_iter().filter(|phase| *phase > search.phase);
        let following = following.map(|phase| of_rounds(phase, self.rounds(phase)) + closing);
        let rounds = self.rounds(search.phase).saturating_sub(search.round);
        let at_hand = match &search.work {
            Work::Closing(closing) => (closing.finalists.len() - closing.measured.len()) as u64,
            Work::Genetic(Generation { next, .. }) => {
                (of_rounds(search.phase, rounds) + closing).saturating_sub(steps(next.len() as u32, batch))
            }
            Work::Tabu(Neighbourhood { is_measured, neighbours, .. }) => {
                let done = u64::from(*is_measured) + steps(neighbours.len() as u32, tabu::batch(batch));
                (of_rounds(search.phase, rounds) + closing).saturating_sub(done)
            }
        };
        following.fold(at_hand, u64::saturating_add)
    }

    /// The accuracy that candidates of a round must reach.
    fn threshold(&self, search: &Search) -> f64 {
        let most = self.rounds(search.phase).max(1);
        search.threshold + self.training.threshold.rise * f64::from(search.round.min(most)) / f64::from(most)
    }

    /// Generations or iterations, at most.
    fn rounds(&self, phase: Phase) -> u32 {
        let search = &self.training.search;
        if phase.is_genetic() { search.ga_generations } else { search.ts_iterations }
    }

    /// Ends a round, and the phase when it was the last.
    fn complete(&self, search: &mut Search, best: Option<Fitness>) {
        search.round += 1;
        let patience = &mut search.patience;
        if let Some(best) = best {
            patience.lately =
                Some(patience.lately.map_or(best.cross_entropy, |lately| lately.min(best.cross_entropy)));
        }
        if search.round.is_multiple_of(self.training.check_every) {
            patience.look(self.training.min_improvement);
        }
        if search.round >= self.rounds(search.phase) || search.patience.stalled >= self.training.patience() {
            search.work = self.closing(&search.work);
        }
    }

    fn closing(&self, work: &Work) -> Work {
        let size = self.training.search.population_size as usize;
        let genomes: Vec<Genome> = match work {
            Work::Genetic(generation) => {
                let population = generation.population.iter().map(|measured| &measured.genome);
                population.chain(&generation.unmeasured).cloned().collect()
            }
            Work::Tabu(neighbourhood) => {
                let newest_first = neighbourhood.passed.iter().rev().cloned();
                let mut genomes = vec![neighbourhood.best.genome.clone()];
                genomes.extend(newest_first.filter(|genome| *genome != neighbourhood.best.genome));
                genomes.truncate(size);
                genomes
            }
            Work::Closing(closing) => closing.population.clone(),
        };
        let finalists = genomes.iter().take(self.training.finalists as usize).cloned().collect();
        Work::Closing(Closing { finalists, measured: Vec::new(), population: genomes })
    }

    /// Goes on to the next phase when the one at hand has measured its finalists.
    fn settle(&self, state: &mut State, evaluator: &mut dyn Evaluator) -> Result<(), WnnError> {
        let Some(Search { work: Work::Closing(closing), .. }) = &state.search else { return Ok(()) };
        if closing.measured.len() < closing.finalists.len() {
            return Ok(());
        }
        let (initial_test, before) = (state.test, state.best.fitness);
        let found = closing.best().filter(|(_, fitness)| fitness.cross_entropy < before.cross_entropy);
        if let Some((genome, fitness)) = found {
            state.test = evaluator.report(genome)?;
            state.best = Measured { genome: genome.clone(), fitness, part: TokenPart::All };
        }
        let Some(search) = state.search.take() else { return Ok(()) };
        let threshold = self.threshold(&search);
        let Work::Closing(Closing { population, .. }) = search.work else { return Ok(()) };
        let next = search.phase.next();
        state.search = next.map(|next| self.begin(next, &state.best, &population, threshold));
        state.results.push(PhaseResult {
            phase: search.phase,
            best: state.best.clone(),
            initial: search.initial,
            test: state.test,
            initial_test,
            iterations: search.round,
            threshold,
            population,
            population_fitness: Vec::new(),
        });
        Ok(())
    }
}

impl Closing {
    /// The finalist that predicts best.
    fn best(&self) -> Option<(&Genome, Fitness)> {
        let measured = self.finalists.iter().zip(self.measured.iter().copied());
        measured.min_by(|(_, a), (_, b)| a.cross_entropy.total_cmp(&b.cross_entropy))
    }
}

/// Measures the genome that a search begins with, wherever the state holds it.
fn measure_beginning(state: &mut State, evaluator: &mut dyn Evaluator) -> Result<(), WnnError> {
    let genome = std::slice::from_ref(&state.best.genome);
    let fitness = evaluator.evaluate(TokenPart::All, genome)?[0];
    state.test = evaluator.report(&state.best.genome)?;
    state.best.fitness = fitness;
    let Some(search) = &mut state.search else { return Ok(()) };
    search.initial = fitness;
    if let Work::Tabu(neighbourhood) = &mut search.work {
        neighbourhood.current.fitness = fitness;
        neighbourhood.best.fitness = fitness;
    }
    Ok(())
}

impl Patience {
    /// Looks whether the cross-entropy fell since the last look by the share `least`.
    fn look(&mut self, least: f64) {
        let Some(lately) = self.lately.take() else { return };
        match self.reference {
            Some(reference) if lately > reference * (1.0 - least) => self.stalled += 1,
            _ => {
                self.reference = Some(lately);
                self.stalled = 0;
            }
        }
    }
}
