//! How a class is scored by what its neurons have seen.

use rekindle_compute::KernelPath;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::examples::ClassedExamples;
use crate::genome::{Cluster, MOST_BITS};
use crate::memory::{TrainedCluster, address};
use crate::planes::{BLOCK, Beginnings, Block, Level, Row, Sums, View, WORDS, add_weights, cover, ones};
use crate::tally::{MOST_TALLIED, VOTE_DIGITS, add_votes, digits_of};

/// How the classes are scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scoring {
    /// The share of a class's neurons that saw the class at their address, through a softmax: the
    /// original program's. As shares lie between 0 and 1, no probability is above `e / (e + V - 1)`
    /// for `V` classes, however good the neurons are.
    Votes,
    /// How often the neurons saw the class at their address and at the beginnings of it that hold
    /// whole tokens, weighted by length, and the class anywhere: an interpolated counting model.
    Counts,
}

/// The constants of [`Scoring::Counts`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Backoff {
    /// How many examples of the bits of one token weigh as much as all that is known without them.
    pub strength: f64,
    /// How much more an example counts for each further token that its address tells.
    pub gain: f64,
    /// What is taken off the count of an address that tells more than one token, so that what was
    /// seen once counts for less than half of what was seen twice.
    pub discount: f64,
}

impl Default for Backoff {
    /// The best of a grid (the example `backoff`) on what two texts are selected by: the generated sentences and
    /// Shakespeare's plays. Nothing was reported on these.
    fn default() -> Self {
        Self { strength: 180.0, gain: 16.0, discount: 0.6 }
    }
}

/// Whose connections are whose, in the list of a genome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Assignment {
    /// Each cluster has its own.
    #[default]
    Own,
    /// As in the original program, whose evaluator takes them for those of the clusters in the order of their
    /// sizes. A genome whose clusters differ in size is measured by it as it was there; each change of one
    /// cluster's size changes the connections of others.
    Grouped,
}

impl Assignment {
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The rule of scoring, ready for one set of training examples.
///
/// A score is an integer, so that the sum over all classes is the same in any order, and exact when
/// one of them changes.
pub(crate) struct Rule {
    kind: Kind,
    defaults: Defaults,
}

enum Kind {
    /// The score by number of neurons and of votes, for the numbers of neurons that are tallied.
    Votes(Vec<Vec<u64>>),
    /// The weight of a count by length of an address, of a cluster with one neuron.
    Counts { levels: Vec<Level>, bits_per_token: usize },
}

/// The scores of classes that none of whose neurons votes.
struct Defaults {
    /// By class; a single one where all are the same.
    scores: Vec<u64>,
    sum: u64,
    /// The two best.
    best: [Rival; 2],
}

/// A class and its score. Of two with the same score the class with the higher number is ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Rival {
    pub(crate) score: u64,
    pub(crate) class: u32,
}

/// One vote share of 0, as a score: 32 bits behind the point.
const ONE: u64 = 1 << 32;
/// Beyond so many tokens an address weighs no more.
const MOST_TOKENS: f64 = 4.0;

impl Rule {
    pub(crate) fn votes(classes: usize) -> Self {
        let table = (0..=MOST_TALLIED)
            .map(|neurons| (0..=neurons).map(|votes| vote_score(votes, neurons)).collect())
            .collect();
        Self { kind: Kind::Votes(table), defaults: Defaults::new(vec![ONE], classes) }
    }

    pub(crate) fn counts(backoff: &Backoff, examples: &ClassedExamples, bits_per_token: usize) -> Self {
        let count = examples.len().max(1) as f64;
        let token = (count / backoff.strength).max(1.0);
        let weight_of = |bits: usize| {
            let tokens = (bits as f64 / bits_per_token as f64).min(MOST_TOKENS);
            if tokens <= 1.0 {
                libm::pow(token, tokens)
            } else {
                token * libm::pow(backoff.gain, tokens - 1.0)
            }
        };
        // As many bits behind the point as leave no sum of scores above 2^61.
        let largest = count * weight_of(usize::from(MOST_BITS)) * f64::from(MOST_BITS);
        let point = libm::floor(61.0 - libm::log2(largest)).clamp(1.0, 16.0);
        let scale = libm::exp2(point);
        let levels = (0..=usize::from(MOST_BITS))
            .map(|length| {
                let weight = weight_of(length) * scale;
                let discount = if length > bits_per_token { backoff.discount } else { 0.0 };
                Level { length, weight: weight as u64, discount: (weight * discount) as u64 }
            })
            .collect();
        // Half an example more than there was keeps what was never seen possible.
        let priors = (0..examples.classes())
            .map(|class| (2 * examples.count(class) as u64 + 1) * (scale as u64 / 2))
            .collect();
        Self {
            kind: Kind::Counts { levels, bits_per_token },
            defaults: Defaults::new(priors, examples.classes()),
        }
    }

    /// The score of a class that got no votes.
    pub(crate) fn default_score(&self, class: u32) -> u64 {
        self.defaults.of(class)
    }

    /// The sum of all classes' scores when none gets votes.
    pub(crate) fn default_sum(&self) -> u64 {
        self.defaults.sum
    }

    /// The best class without votes that is not `class`.
    pub(crate) fn default_rival(&self, class: u32) -> Rival {
        let [best, second] = self.defaults.best;
        if best.class == class { second } else { best }
    }

    /// What is added to a probability before its logarithm is taken.
    pub(crate) fn floor(&self) -> f64 {
        match self.kind {
            Kind::Votes(_) => 1e-10,
            Kind::Counts { .. } => 0.0,
        }
    }

    /// The scores by number of votes of clusters with `neurons` neurons, where votes are what counts and
    /// clusters of that size are tallied.
    pub(crate) fn vote_scores(&self, neurons: usize) -> Option<&[u64]> {
        match &self.kind {
            Kind::Votes(table) => table.get(neurons).map(Vec::as_slice),
            Kind::Counts { .. } => None,
        }
    }

    /// True where votes are what counts.
    pub(crate) fn is_of_votes(&self) -> bool {
        matches!(self.kind, Kind::Votes(_))
    }

    /// Scores a class by its cluster, for the examples of a block.
    pub(crate) fn score(
        &self,
        path: KernelPath,
        block: &Block,
        cluster: Cluster<'_>,
        trained: TrainedCluster<'_>,
        column: &mut Column,
    ) {
        column.clear();
        match &self.kind {
            Kind::Votes(table) => match table.get(trained.len()) {
                Some(scores) => column.votes(path, block, cluster, trained, |votes| scores[votes]),
                None => {
                    let neurons = trained.len();
                    column.votes(path, block, cluster, trained, |votes| vote_score(votes, neurons));
                }
            },
            Kind::Counts { levels, bits_per_token } => {
                let levels = levels_of(levels, cluster.bits, *bits_per_token, trained.len());
                column.counts(path, block, cluster, trained, &levels);
            }
        }
    }

    /// The score of `class` for one input.
    pub(crate) fn score_one(
        &self,
        input: &[u64],
        class: u32,
        cluster: Cluster<'_>,
        trained: TrainedCluster<'_>,
    ) -> u64 {
        let neurons = cluster.neurons().zip(trained.neurons());
        match &self.kind {
            Kind::Votes(_) => {
                let votes = neurons.filter(|(connections, neuron)| {
                    neuron.addresses.binary_search(&address(input, connections)).is_ok()
                });
                vote_score(votes.count(), trained.len())
            }
            Kind::Counts { levels, bits_per_token } => {
                let levels = levels_of(levels, cluster.bits, *bits_per_token, trained.len());
                let weights = neurons.map(|(connections, neuron)| {
                    let address = address(input, connections);
                    levels
                        .iter()
                        .map(|level| {
                            let beginning = |other: u64| other >> (cluster.bits - level.length);
                            let wanted = beginning(address);
                            let from = neuron.addresses.partition_point(|&other| beginning(other) < wanted);
                            let to = neuron.addresses.partition_point(|&other| beginning(other) <= wanted);
                            let count: u64 =
                                neuron.counts[from..to].iter().map(|&count| u64::from(count)).sum();
                            if count == 0 { 0 } else { level.weight_of(count) }
                        })
                        .sum::<u64>()
                });
                self.defaults.of(class) + weights.sum::<u64>()
            }
        }
    }
}

/// The score of so many votes of a cluster's neurons.
fn vote_score(votes: usize, neurons: usize) -> u64 {
    (libm::exp(votes as f64 / neurons.max(1) as f64) * ONE as f64).round() as u64
}

/// The levels of a cluster's neurons: whole tokens, and the whole address.
fn levels_of(levels: &[Level], bits: usize, bits_per_token: usize, neurons: usize) -> Vec<Level> {
    let tokens = (bits_per_token..bits).step_by(bits_per_token);
    let share = |level: Level| Level {
        weight: level.weight / neurons as u64,
        discount: level.discount / neurons as u64,
        ..level
    };
    tokens.chain([bits]).map(|length| share(levels[length])).collect()
}

impl Defaults {
    fn new(scores: Vec<u64>, classes: usize) -> Self {
        let mut defaults = Self { scores, sum: 0, best: Default::default() };
        for class in 0..classes as u32 {
            let rival = Rival { score: defaults.of(class), class };
            defaults.sum += rival.score;
            enter(&mut defaults.best, rival);
        }
        defaults
    }

    fn of(&self, class: u32) -> u64 {
        match self.scores.as_slice() {
            [all] => *all,
            scores => scores[class as usize],
        }
    }
}

/// Keeps the two best.
#[inline(always)]
pub(crate) fn enter(best: &mut [Rival; 2], rival: Rival) {
    if rival > best[1] {
        best[1] = rival;
        if rival > best[0] {
            best.swap(0, 1);
        }
    }
}

/// The scores that the votes for one class give to the examples of a block.
pub(crate) struct Column {
    /// The examples for which the class scores other than without votes.
    pub(crate) touched: Row,
    /// What their scores are above those without votes; 0 for the others.
    pub(crate) above: Box<Sums>,
    beginnings: Box<Beginnings>,
    /// The number of votes of each example, a row for each binary digit.
    digits: Box<[Row; VOTE_DIGITS]>,
}

impl Column {
    pub(crate) fn new() -> Self {
        Self {
            touched: [0; WORDS],
            above: Box::new([0; BLOCK]),
            beginnings: Box::new([[0; WORDS]; MOST_BITS as usize + 1]),
            digits: Box::new([[0; WORDS]; VOTE_DIGITS]),
        }
    }

    /// What a column takes: bytes.
    pub(crate) fn bytes() -> usize {
        let digits = size_of::<[Row; VOTE_DIGITS]>();
        size_of::<Self>() + size_of::<Sums>() + size_of::<Beginnings>() + digits
    }

    fn clear(&mut self) {
        for position in ones(&self.touched) {
            self.above[position] = 0;
        }
        self.touched = [0; WORDS];
    }

    /// The number of votes of each example, in as many binary digits as there can be.
    pub(crate) fn count_votes(
        &mut self,
        path: KernelPath,
        block: &Block,
        cluster: Cluster<'_>,
        trained: TrainedCluster<'_>,
    ) -> &[Row] {
        self.beginnings[0] = block.all();
        let digits = &mut self.digits[..digits_of(trained.len())];
        digits.fill([0; WORDS]);
        for (connections, neuron) in cluster.neurons().zip(trained.neurons()) {
            let mut votes = [0; WORDS];
            let view = View { planes: &block.planes, connections };
            cover(path, &mut votes, &mut self.beginnings, view, neuron.addresses);
            add_votes(path, digits, &votes);
        }
        digits
    }

    fn votes(
        &mut self,
        path: KernelPath,
        block: &Block,
        cluster: Cluster<'_>,
        trained: TrainedCluster<'_>,
        score: impl Fn(usize) -> u64,
    ) {
        self.count_votes(path, block, cluster, trained);
        let digits = &self.digits[..digits_of(trained.len())];
        for digit in digits {
            for (touched, votes) in self.touched.iter_mut().zip(digit) {
                *touched |= votes;
            }
        }
        let without = score(0);
        for position in ones(&self.touched) {
            self.above[position] = score(votes_at(digits, position)) - without;
        }
    }

    fn counts(
        &mut self,
        path: KernelPath,
        block: &Block,
        cluster: Cluster<'_>,
        trained: TrainedCluster<'_>,
        levels: &[Level],
    ) {
        self.beginnings[0] = block.all();
        for (connections, neuron) in cluster.neurons().zip(trained.neurons()) {
            let (above, touched, beginnings) = (&mut self.above, &mut self.touched, &mut self.beginnings);
            let view = View { planes: &block.planes, connections };
            add_weights(path, above, touched, beginnings, view, neuron, levels);
        }
    }
}

/// The number of votes of one example.
pub(crate) fn votes_at(digits: &[Row], position: usize) -> usize {
    let digit = |row: &Row| (row[position / 64] >> (position % 64) & 1) as usize;
    digits.iter().rev().fold(0, |votes, row| votes << 1 | digit(row))
}
