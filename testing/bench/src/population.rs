//! Populations of an architecture search over networks of lookup tables (WNN): what is searched is
//! a genome, which says how many neurons each output class has, how many address bits, and which
//! of 64 input bits every address bit looks at.
//!
//! Mutation, crossover and selection follow the search of the original program; the fitness is
//! drawn at random, because only the bytes matter here.

use rayon::prelude::*;
use rekindle_compute::rng::{self, Stream};
use serde::{Deserialize, Serialize};

/// Output classes: the tokens of GPT-2.
pub const CLASSES: usize = 50_257;
/// Input bits that a connection chooses from.
pub const INPUTS: u8 = 64;
/// Address bits of a class at the start: the least and the most.
pub const START_BITS: (u8, u8) = (8, 10);
/// Neurons of a class at the start: the least and the most.
pub const START_NEURONS: (u8, u8) = (3, 7);

/// Bounds of the search.
const BITS: (u8, u8) = (8, 25);
const NEURONS: (u8, u8) = (3, 33);
/// The largest steps of a mutation.
const BITS_STEP: u8 = 3;
const NEURONS_STEP: u8 = 4;

/// The random streams of this module.
const START: u64 = 1 << 32;
const CHILD: u64 = START + 1;
const FITNESS: u64 = START + 2;

/// A state of the search.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Population {
    /// Its individuals.
    pub genomes: Vec<Genome>,
}

/// One individual, in the original's schema.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Genome {
    #[serde(with = "rekindle::array")]
    bits_per_cluster: Vec<u8>,
    #[serde(with = "rekindle::array")]
    neurons_per_cluster: Vec<u8>,
    /// Input bits: by class, then neuron, then address bit.
    #[serde(with = "rekindle::growing")]
    connections: Vec<u8>,
}

impl Population {
    /// Genomes that have nothing in common.
    pub fn random(size: usize) -> Self {
        let genomes = (0..size as u64).into_par_iter().map(Genome::random).collect();
        Self { genomes }
    }

    /// The population after so many generations.
    pub fn evolved(self, generations: u64) -> Self {
        let mut scored: Vec<Scored> = self
            .genomes
            .into_iter()
            .zip(0..)
            .map(|(genome, number)| Scored::new(genome, 0, number))
            .collect();
        for generation in 1..=generations {
            scored = next_generation(scored, generation);
        }
        Self { genomes: scored.into_iter().map(|scored| scored.genome).collect() }
    }

    /// Bytes of all arrays.
    pub fn payload(&self) -> usize {
        self.genomes.iter().map(|genome| 2 * CLASSES + genome.connections.len()).sum()
    }

    /// Bytes that no code can go below for a random population: the entropy of its draws.
    pub fn entropy(&self) -> f64 {
        let choices = |(least, most): (u8, u8)| f64::from(most - least + 1).log2();
        let of_class = choices(START_BITS) + choices(START_NEURONS);
        let connections: usize = self.genomes.iter().map(|genome| genome.connections.len()).sum();
        let bits =
            (self.genomes.len() * CLASSES) as f64 * of_class + connections as f64 * f64::from(INPUTS).log2();
        bits / 8.0
    }
}

/// A genome and its fitness.
struct Scored {
    genome: Genome,
    cross_entropy: f64,
    accuracy: f64,
}

impl Scored {
    fn new(genome: Genome, generation: u64, number: u64) -> Self {
        let mut draws = rng::stream(generation, FITNESS, number);
        Self { genome, cross_entropy: draws.uniform_f64(), accuracy: draws.uniform_f64() }
    }
}

/// A tenth by cross-entropy, another by accuracy, and children for the rest.
fn next_generation(mut parents: Vec<Scored>, generation: u64) -> Vec<Scored> {
    let size = parents.len();
    parents.sort_by(|a, b| a.cross_entropy.total_cmp(&b.cross_entropy));
    let elite = (size / 10).max(1);
    let children: Vec<Scored> = (0..size.saturating_sub(2 * elite) as u64)
        .into_par_iter()
        .map(|number| {
            let mut draws = rng::stream(generation, CHILD, number);
            Scored::new(child(&parents, &mut draws), generation, number)
        })
        .collect();
    let mut accurate = parents.split_off(elite);
    accurate.sort_by(|a, b| b.accuracy.total_cmp(&a.accuracy));
    accurate.truncate(elite);
    parents.extend(accurate);
    parents.extend(children);
    parents.sort_by(|a, b| a.cross_entropy.total_cmp(&b.cross_entropy));
    parents
}

fn child(sorted: &[Scored], draws: &mut Stream) -> Genome {
    // The parents are sorted: the winner of a tournament is the first of three.
    let mut tournament = || {
        let winner = (0..3).map(|_| draws.below(sorted.len() as u64)).min().unwrap_or(0);
        &sorted[winner as usize].genome
    };
    let (first, second) = (tournament(), tournament());
    let mut child = if draws.uniform() < 0.7 {
        first.crossed_with(second, 1 + draws.below(CLASSES as u64 - 1) as usize)
    } else {
        first.clone()
    };
    child.mutate(draws);
    child
}

impl Genome {
    fn random(number: u64) -> Self {
        let mut draws = rng::stream(0, START, number);
        let mut between = |(least, most): (u8, u8)| least + draws.below(u64::from(most - least) + 1) as u8;
        let bits_per_cluster: Vec<u8> = (0..CLASSES).map(|_| between(START_BITS)).collect();
        let neurons_per_cluster: Vec<u8> = (0..CLASSES).map(|_| between(START_NEURONS)).collect();
        let mut genome = Self { bits_per_cluster, neurons_per_cluster, connections: Vec::new() };
        genome.connections = (0..genome.connections_before(CLASSES)).map(|_| input(&mut draws)).collect();
        genome
    }

    /// Connections of the classes before `class`.
    fn connections_before(&self, class: usize) -> usize {
        let sizes = self.bits_per_cluster.iter().zip(&self.neurons_per_cluster);
        sizes.take(class).map(|(&bits, &neurons)| usize::from(bits) * usize::from(neurons)).sum()
    }

    /// The classes before `boundary` of this genome, the others of `other`.
    fn crossed_with(&self, other: &Self, boundary: usize) -> Self {
        let join = |a: &[u8], b: &[u8]| [a, b].concat();
        let (here, there) = (self.connections_before(boundary), other.connections_before(boundary));
        Self {
            bits_per_cluster: join(&self.bits_per_cluster[..boundary], &other.bits_per_cluster[boundary..]),
            neurons_per_cluster: join(
                &self.neurons_per_cluster[..boundary],
                &other.neurons_per_cluster[boundary..],
            ),
            connections: join(&self.connections[..here], &other.connections[there..]),
        }
    }

    fn mutate(&mut self, draws: &mut Stream) {
        let mut connections = Vec::with_capacity(self.connections.len());
        let mut rest = self.connections.as_slice();
        for (bits, neurons) in self.bits_per_cluster.iter_mut().zip(&mut self.neurons_per_cluster) {
            let (old, after) = rest.split_at(usize::from(*bits) * usize::from(*neurons));
            let (old_bits, old_neurons) = (*bits, *neurons);
            mutate_size(bits, BITS_STEP, BITS, draws);
            mutate_size(neurons, NEURONS_STEP, NEURONS, draws);
            for neuron in 0..*neurons {
                let is_new = neuron >= old_neurons;
                let copied = if is_new { draws.below(u64::from(old_neurons)) as u8 } else { neuron };
                let from = usize::from(copied) * usize::from(old_bits);
                let kept = &old[from..from + usize::from(old_bits.min(*bits))];
                match is_new {
                    true => connections.extend(kept.iter().map(|&connection| moved(connection, draws))),
                    false => jitter(kept, &mut connections, draws),
                }
                connections.extend((old_bits..*bits).map(|_| input(draws)));
            }
            rest = after;
        }
        self.connections = connections;
    }
}

/// With a chance of one in ten another size, at most `step` away.
fn mutate_size(size: &mut u8, step: u8, (least, most): (u8, u8), draws: &mut Stream) {
    if draws.uniform() < 0.1 {
        let shift = draws.below(2 * u64::from(step) + 1) as u8;
        *size = (*size + shift).saturating_sub(step).clamp(least, most);
    }
}

/// Each connection with a chance of one in ten at most two inputs further on or back.
fn jitter(kept: &[u8], connections: &mut Vec<u8>, draws: &mut Stream) {
    const TENTH: u16 = u16::MAX / 10;
    for four in kept.chunks(4) {
        let bits = draws.bits();
        connections.extend(four.iter().enumerate().map(|(position, &connection)| {
            let chance = (bits >> (16 * position)) as u16;
            if chance >= TENTH {
                return connection;
            }
            shifted(connection, chance % 5)
        }));
    }
}

/// One or two inputs further on or back.
fn moved(connection: u8, draws: &mut Stream) -> u8 {
    shifted(connection, [0, 1, 3, 4][draws.below(4) as usize])
}

/// `two_more - 2` inputs further on.
fn shifted(connection: u8, two_more: u16) -> u8 {
    (connection + two_more as u8).saturating_sub(2).min(INPUTS - 1)
}

fn input(draws: &mut Stream) -> u8 {
    draws.below(u64::from(INPUTS)) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn genomes_stay_whole_and_related() {
        let start = Population::random(4);
        let first = start.genomes[0].clone();
        let population = start.evolved(1);
        assert_eq!(population.genomes.len(), 4);
        for genome in &population.genomes {
            assert_eq!(genome.connections.len(), genome.connections_before(CLASSES));
            assert!(genome.connections.iter().all(|&connection| connection < INPUTS));
        }
        assert_ne!(population.genomes[3], first);
    }
}
