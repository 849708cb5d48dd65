//! The genetic algorithm: a generation out of the one before.

use rekindle_compute::rng::{self, Stream};

use super::{Context, by_fitness};
use crate::config::Genetic;
use crate::corpus::TokenPart;
use crate::error::WnnError;
use crate::evaluator::Evaluator;
use crate::genome::Genome;
use crate::state::{Generation, Measured};
use crate::streams;

impl Generation {
    /// A first generation, not yet measured.
    pub(crate) fn first(genomes: Vec<Genome>) -> Self {
        Self {
            unmeasured: genomes,
            population: Vec::new(),
            next: Vec::new(),
            survived: 0,
            tried: 0,
            rejected: Vec::new(),
        }
    }

    /// Measures a batch of genomes. True when that completed a generation.
    pub(crate) fn step(
        &mut self,
        context: &Context<'_>,
        evaluator: &mut dyn Evaluator,
    ) -> Result<bool, WnnError> {
        if !self.unmeasured.is_empty() {
            return self.measure_first(context, evaluator);
        }
        let elites = elites(&self.population, &context.training.genetic, context.size());
        if (self.survived as usize) < elites.len() {
            self.measure_elites(&elites, context, evaluator)?;
            return Ok(false);
        }
        self.breed(elites.len(), context, evaluator)
    }

    /// A batch of the first generation. True when that completed it.
    fn measure_first(
        &mut self,
        context: &Context<'_>,
        evaluator: &mut dyn Evaluator,
    ) -> Result<bool, WnnError> {
        let count = (context.training.batch as usize).min(self.unmeasured.len());
        self.next.extend(measure(evaluator, context.part(), self.unmeasured[..count].to_vec())?);
        self.unmeasured.drain(..count);
        let is_complete = self.unmeasured.is_empty();
        if is_complete {
            self.turn();
        }
        Ok(is_complete)
    }

    /// A batch of those that survive: they are compared with children that learn from another part than
    /// they did.
    fn measure_elites(
        &mut self,
        elites: &[usize],
        context: &Context<'_>,
        evaluator: &mut dyn Evaluator,
    ) -> Result<(), WnnError> {
        let rest = &elites[self.survived as usize..];
        let count = (context.training.batch as usize).min(rest.len());
        let genomes = rest[..count].iter().map(|&index| self.population[index].genome.clone());
        self.next.extend(measure(evaluator, context.part(), genomes.collect())?);
        self.survived += count as u32;
        Ok(())
    }

    /// A batch of children. True when that completed the next generation.
    fn breed(
        &mut self,
        elites: usize,
        context: &Context<'_>,
        evaluator: &mut dyn Evaluator,
    ) -> Result<bool, WnnError> {
        let needed = context.size() - elites;
        let most = needed * context.training.genetic.attempts as usize;
        let count = (context.training.batch as usize).min(most - (self.tried as usize).min(most));
        let children: Vec<_> =
            (self.tried..self.tried + count as u32).map(|index| self.child(context, index)).collect();
        let children = measure(evaluator, context.part(), children)?;
        self.tried += count as u32;
        for child in children {
            if self.next.len() == context.size() {
                break;
            }
            if child.fitness.accuracy >= context.threshold {
                self.next.push(child);
            } else {
                let index = self.rejected.partition_point(|other| by_fitness(other, &child).is_le());
                self.rejected.insert(index, child);
                self.rejected.truncate(needed);
            }
        }
        if self.next.len() < context.size() && (self.tried as usize) < most {
            return Ok(false);
        }
        let missing = context.size() - self.next.len();
        self.next.extend(self.rejected.drain(..).take(missing));
        keep_percentile(&mut self.next, elites, context.training.search.ce_percentile);
        self.turn();
        Ok(true)
    }

    /// Puts the next generation into the position of this one.
    fn turn(&mut self) {
        self.population = std::mem::take(&mut self.next);
        self.population.sort_by(by_fitness);
        self.rejected.clear();
        (self.survived, self.tried) = (0, 0);
    }

    fn child(&self, context: &Context<'_>, index: u32) -> Genome {
        let genetic = &context.training.genetic;
        let step = streams::candidate(context.phase, context.round, index);
        let mut stream = rng::stream(context.seed, streams::CHILD, step);
        let first = self.tournament(genetic.tournament, &mut stream);
        let second = self.tournament(genetic.tournament, &mut stream);
        let clusters = first.bits.len();
        let boundary = match stream.uniform_f64() < genetic.crossover {
            true => stream.below(clusters as u64 + 1) as usize,
            false => clusters,
        };
        let inherited = first.clusters().take(boundary).chain(second.clusters().skip(boundary));
        let mut child = Genome::with_capacity(clusters, first.connections.len());
        for cluster in inherited {
            if stream.uniform_f64() < genetic.mutation {
                child.push(context.maker.mutate(context.phase.changes(), cluster, &mut stream).as_cluster());
            } else {
                child.push(cluster);
            }
        }
        child
    }

    /// The best of some genomes that are drawn.
    fn tournament(&self, size: u32, stream: &mut Stream) -> &Genome {
        let count = self.population.len() as u64;
        let drawn = (0..size).map(|_| stream.below(count) as usize).min().unwrap_or(0);
        // Best first.
        &self.population[drawn].genome
    }
}

/// The positions of those that survive: the best by cross-entropy, and the best others by accuracy.
fn elites(population: &[Measured], genetic: &Genetic, size: usize) -> Vec<usize> {
    let each = elites_each(genetic, size).min(population.len());
    let mut elites: Vec<usize> = (0..each).collect();
    let mut others: Vec<usize> = (each..population.len()).collect();
    others.sort_by(|&a, &b| population[b].fitness.accuracy.total_cmp(&population[a].fitness.accuracy));
    elites.extend(others.into_iter().take(each));
    elites.truncate(size.saturating_sub(1).max(1));
    elites
}

/// How many survive as the best by cross-entropy, and as many by accuracy.
fn elites_each(genetic: &Genetic, size: usize) -> usize {
    ((size as f64 * genetic.elites) as usize).max(1)
}

/// How many survive of a whole population.
pub(super) fn elite_count(genetic: &Genetic, size: usize) -> usize {
    (2 * elites_each(genetic, size)).min(size.saturating_sub(1).max(1))
}

/// Drops the children whose cross-entropy is not among the best.
fn keep_percentile(next: &mut Vec<Measured>, elites: usize, percentile: Option<f64>) {
    let Some(percentile) = percentile else { return };
    let children = &mut next[elites..];
    children.sort_by(by_fitness);
    let kept = ((children.len() as f64 * percentile) as usize).max(1);
    next.truncate(elites + kept);
}

pub(super) fn measure(
    evaluator: &mut dyn Evaluator,
    part: TokenPart,
    genomes: Vec<Genome>,
) -> Result<Vec<Measured>, WnnError> {
    let fitness = evaluator.evaluate(part, &genomes)?;
    Ok(genomes.into_iter().zip(fitness).map(|(genome, fitness)| Measured { genome, fitness, part }).collect())
}
