//! The tabu search: from a genome to the best of its neighbours that is not forbidden.

use rekindle_compute::rng;

use super::Context;
use crate::error::WnnError;
use crate::evaluator::Evaluator;
use crate::genome::Change;
use crate::scorer::Fitness;
use crate::state::{Measured, Neighbourhood, TabuCluster};
use crate::streams;

/// Neighbours that are measured in a step, in which so many genomes are. They cost little beside these.
pub(super) fn batch(genomes: u32) -> u32 {
    genomes.saturating_mul(8)
}

impl Neighbourhood {
    /// A search that begins at `genome`.
    pub(crate) fn around(genome: Measured) -> Self {
        Self {
            current: genome.clone(),
            best: genome,
            is_measured: false,
            neighbours: Vec::new(),
            tabu: Vec::new(),
            passed: Vec::new(),
        }
    }

    /// Measures a batch of neighbours. True when that completed an iteration.
    pub(crate) fn step(
        &mut self,
        context: &Context<'_>,
        evaluator: &mut dyn Evaluator,
    ) -> Result<bool, WnnError> {
        let part = context.part();
        if !self.is_measured {
            self.measure(context, evaluator)?;
            return Ok(false);
        }
        let most = context.training.search.neighbors_per_iter;
        let first = self.neighbours.len() as u32;
        let batch = batch(context.training.batch).min(most - first);
        let changes: Vec<_> = (first..first + batch).map(|index| self.neighbour(context, index)).collect();
        self.neighbours.extend(evaluator.evaluate_changes(part, &self.current.genome, &changes)?);
        if self.neighbours.len() < most as usize {
            return Ok(false);
        }
        self.go_on(context);
        Ok(true)
    }

    /// Measures where the search stands on the part of this round, so that it can be compared with
    /// neighbours that learn from that part.
    fn measure(&mut self, context: &Context<'_>, evaluator: &mut dyn Evaluator) -> Result<(), WnnError> {
        let part = context.part();
        for measured in [&mut self.best, &mut self.current] {
            if measured.part != part {
                let fitness = evaluator.evaluate(part, std::slice::from_ref(&measured.genome))?;
                measured.fitness = fitness.first().copied().unwrap_or(measured.fitness);
                measured.part = part;
            }
        }
        self.is_measured = true;
        Ok(())
    }

    /// What a neighbour changes. Clusters are drawn by how often their classes occur, since the
    /// others hardly matter.
    fn neighbour(&self, context: &Context<'_>, index: u32) -> Vec<Change> {
        let step = streams::candidate(context.phase, context.round, index);
        let mut stream = rng::stream(context.seed, streams::NEIGHBOUR, step);
        let most = context.training.tabu.clusters.min(context.classes);
        let count = 1 + stream.below(most.into()) as usize;
        let mut clusters: Vec<u32> = (0..count)
            .map(|_| context.occurrences[stream.below(context.occurrences.len() as u64) as usize])
            .collect();
        clusters.sort_unstable();
        clusters.dedup();
        let mut wanted = clusters.into_iter().peekable();
        let all = self.current.genome.clusters().zip(0_u32..);
        let drawn = all.filter(|(_, class)| wanted.next_if_eq(class).is_some());
        drawn
            .map(|(cluster, class)| {
                (class, context.maker.mutate(context.phase.changes(), cluster, &mut stream))
            })
            .collect()
    }

    /// Goes to the best neighbour that may be gone to. A tabu is lifted for one that is better than
    /// anything before.
    fn go_on(&mut self, context: &Context<'_>) {
        let neighbours = std::mem::take(&mut self.neighbours);
        self.is_measured = false;
        self.tabu.retain(|tabu| tabu.until > context.round);
        let mut order: Vec<usize> = (0..neighbours.len()).collect();
        order.sort_by(|&a, &b| {
            let suffices = |fitness: &Fitness| fitness.accuracy >= context.threshold;
            let (a, b) = (&neighbours[a], &neighbours[b]);
            suffices(b).cmp(&suffices(a)).then(a.cross_entropy.total_cmp(&b.cross_entropy))
        });
        for index in order {
            let changes = self.neighbour(context, index as u32);
            let fitness = neighbours[index];
            let forbidden = changes.iter().filter(|(class, _)| self.is_tabu(*class)).count();
            let is_tabu = 2 * forbidden > changes.len();
            let is_best = fitness.cross_entropy < self.best.fitness.cross_entropy;
            if is_tabu && !is_best {
                continue;
            }
            let until = context.round.saturating_add(1).saturating_add(context.training.tabu.tenure);
            self.tabu.extend(changes.iter().map(|&(cluster, _)| TabuCluster { cluster, until }));
            let genome = self.current.genome.with(&changes);
            self.current = Measured { genome, fitness, part: self.current.part };
            if is_best {
                self.best = self.current.clone();
                self.passed.push(self.best.genome.clone());
                if self.passed.len() > context.size() {
                    self.passed.remove(0);
                }
            }
            return;
        }
    }

    fn is_tabu(&self, class: u32) -> bool {
        self.tabu.iter().any(|tabu| tabu.cluster == class)
    }
}
