//! Scores a genome's classes for the examples of the evaluation, and again when a few of them change.

use rekindle_compute::{KernelPath, Pool};
use serde::{Deserialize, Serialize};

use crate::examples::{ClassedExamples, Examples};
use crate::genome::{Change, Cluster, Gene, Genome};
use crate::memory::{Cells, Memories, TrainedCluster};
use crate::planes::{BLOCK, Block, Row, WORDS, blocks, ones};
use crate::rule::{Column, Rival, Rule, enter, votes_at};
use crate::tally::{MOST_TALLIED, Tally};

/// How well a genome predicts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Fitness {
    /// Mean negative logarithm of the probability of the token that followed, in nats.
    pub cross_entropy: f64,
    /// Share of the examples whose most probable class was right.
    pub accuracy: f64,
}

impl Fitness {
    /// That of a genome that is not yet measured: whatever is found is better.
    pub const UNKNOWN: Self = Self { cross_entropy: f64::INFINITY, accuracy: 0.0 };
    /// An accuracy that files of others do not tell.
    pub const UNKNOWN_ACCURACY: f64 = f64::NAN;

    /// False for a genome that is not yet measured.
    pub fn is_known(&self) -> bool {
        self.cross_entropy.is_finite()
    }

    /// The accuracy, where it is known.
    pub fn known_accuracy(&self) -> Option<f64> {
        (self.is_known() && self.accuracy.is_finite()).then_some(self.accuracy)
    }
}

/// The examples that are measured on, in planes.
pub(crate) struct Scorer {
    path: KernelPath,
    examples: Examples,
    blocks: Vec<Block>,
}

/// A genome that was scored as a whole, so that others which differ in a few clusters can be scored
/// by what differs.
pub(crate) struct Scored {
    pub(crate) genome: Genome,
    memories: Memories,
    blocks: Vec<BlockScores>,
    sums: Sums,
}

/// What the examples of a block come to.
struct BlockScores {
    examples: Vec<ExampleScores>,
}

/// What one example comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
struct ExampleScores {
    /// The sum of all classes' scores.
    total: u64,
    /// The score of the right class.
    target: u64,
    /// The two best of the other classes that got votes.
    rivals: [Rival; 2],
    /// The negative logarithm of the right class's probability, in units of 2^-32 nats.
    loss: u64,
    right: bool,
}

/// Sums over all examples. They are integers, so they are the same in any order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sums {
    loss: u64,
    right: u64,
}

/// A cluster, by number, with what its neurons have seen.
type Trained<'a> = (usize, Cluster<'a>, TrainedCluster<'a>);

/// Bytes of what an example comes to.
pub(crate) const EXAMPLE_BYTES: u64 = size_of::<ExampleScores>() as u64;

/// Bytes of the buffers of a thread that scores clusters of so many neurons.
pub(crate) fn buffer_bytes(neurons: u64) -> u64 {
    let effects = size_of::<u64>() + size_of::<Option<u64>>() + size_of::<Rival>();
    (Column::bytes() + BLOCK * (effects + size_of::<(u32, usize)>())) as u64
        + Tally::bytes(neurons.min(MOST_TALLIED as u64))
}

/// Units of a loss.
const NAT: f64 = (1_u64 << 32) as f64;

impl Scorer {
    pub(crate) fn new(path: KernelPath, examples: Examples, inputs: usize) -> Self {
        let blocks = blocks(&examples, inputs);
        Self { path, examples, blocks }
    }

    /// Trains and scores a genome.
    pub(crate) fn score(
        &self,
        pool: &Pool,
        rule: &Rule,
        training: &ClassedExamples,
        genome: &Genome,
    ) -> Scored {
        let memories = Memories::train(self.path, pool, genome, training);
        let mut parts: Vec<(&Block, BlockScores)> =
            self.blocks.iter().map(|block| (block, BlockScores { examples: Vec::new() })).collect();
        pool.for_each(&mut parts, |_, (block, scores)| {
            scores.examples = self.score_block(rule, block, genome, &memories);
        });
        let blocks: Vec<_> = parts.into_iter().map(|(_, scores)| scores).collect();
        let mut sums = Sums { loss: 0, right: 0 };
        for example in blocks.iter().flat_map(|block| &block.examples) {
            sums.loss += example.loss;
            sums.right += u64::from(example.right);
        }
        Scored { genome: genome.clone(), memories, blocks, sums }
    }

    /// How well a scored genome predicts.
    pub(crate) fn fitness(&self, scored: &Scored) -> Fitness {
        self.fitness_of(scored.sums)
    }

    fn fitness_of(&self, sums: Sums) -> Fitness {
        let count = self.examples.len() as f64;
        Fitness { cross_entropy: sums.loss as f64 / NAT / count, accuracy: sums.right as f64 / count }
    }

    fn classes(&self, block: &Block) -> &[u32] {
        &self.examples.classes[block.start..][..block.len]
    }

    fn score_block(
        &self,
        rule: &Rule,
        block: &Block,
        genome: &Genome,
        memories: &Memories,
    ) -> Vec<ExampleScores> {
        let classes = self.classes(block);
        let mut examples: Vec<_> = classes
            .iter()
            .map(|&class| ExampleScores {
                total: rule.default_sum(),
                target: rule.default_score(class),
                rivals: Default::default(),
                loss: 0,
                right: false,
            })
            .collect();
        let is_tallied = |(_, _, trained): &Trained<'_>| rule.is_of_votes() && trained.len() <= MOST_TALLIED;
        let (tallied, others) = memories.clusters(genome).partition(is_tallied);
        self.add_tallied(rule, block, tallied, &mut examples);
        self.add_one_by_one(rule, block, others, &mut examples);
        for (example, &class) in examples.iter_mut().zip(classes) {
            (example.loss, example.right) =
                outcome(rule, class, example.total, example.target, example.rivals[0]);
        }
        examples
    }

    /// Adds the scores of clusters, one by one.
    fn add_one_by_one(
        &self,
        rule: &Rule,
        block: &Block,
        clusters: Vec<Trained<'_>>,
        examples: &mut [ExampleScores],
    ) {
        let classes = self.classes(block);
        let mut column = Column::new();
        for (class, cluster, trained) in clusters {
            let class = class as u32;
            let default = rule.default_score(class);
            rule.score(self.path, block, cluster, trained, &mut column);
            for position in ones(&column.touched) {
                let (example, above) = (&mut examples[position], column.above[position]);
                example.total += above;
                if classes[position] == class {
                    example.target = default + above;
                } else {
                    enter(&mut example.rivals, Rival { score: default + above, class });
                }
            }
        }
    }

    /// Adds the scores of clusters by their votes, those of equally many neurons together.
    fn add_tallied(
        &self,
        rule: &Rule,
        block: &Block,
        mut clusters: Vec<Trained<'_>>,
        examples: &mut [ExampleScores],
    ) {
        clusters.sort_by_key(|(_, _, trained)| trained.len());
        let mut targets: Vec<(u32, usize)> = self.classes(block).iter().copied().zip(0..).collect();
        targets.sort_unstable();
        let mut column = Column::new();
        for group in clusters.chunk_by(|(_, _, a), (_, _, b)| a.len() == b.len()) {
            let neurons = group[0].2.len();
            let scores = rule.vote_scores(neurons).unwrap_or_default();
            let mut tally = Tally::new(neurons);
            for (position, example) in examples.iter().enumerate() {
                accept(&mut tally, scores, position, example.rivals[1]);
            }
            for (class, cluster, trained) in group {
                let class = *class as u32;
                let digits = column.count_votes(self.path, block, *cluster, *trained);
                let won = tally.count(self.path, digits);
                let first = targets.partition_point(|(other, _)| *other < class);
                let of_class = targets[first..].iter().take_while(|(other, _)| *other == class);
                for &(_, position) in of_class {
                    examples[position].target = scores[votes_at(digits, position)];
                    tally.wins.iter_mut().for_each(|row| row[position / 64] &= !(1 << (position % 64)));
                }
                for votes in (1..=neurons).rev().filter(|votes| won >> (votes - 1) & 1 == 1) {
                    let wins = tally.wins[votes - 1];
                    for position in ones(&wins) {
                        let rivals = &mut examples[position].rivals;
                        enter(rivals, Rival { score: scores[votes], class });
                        accept(&mut tally, scores, position, rivals[1]);
                    }
                }
            }
            tally.for_each(|position, clusters, votes| {
                examples[position].total += clusters * (scores[votes] - scores[0]);
            });
        }
    }

    /// The clusters that change: what they were, and what they become with its trained cells.
    fn changed_clusters<'a>(
        &self,
        training: &ClassedExamples,
        base: &'a Scored,
        changes: &'a [Change],
    ) -> Vec<(Trained<'a>, &'a Gene, Cells)> {
        // Nothing changes where a class did not occur: such clusters are not among these.
        let trained = base.memories.clusters(&base.genome);
        let changed = trained.filter_map(|before| {
            let at = changes.binary_search_by_key(&before.0, |(class, _)| *class as usize).ok()?;
            let gene = &changes[at].1;
            let cells = Cells::of_cluster(self.path, gene.as_cluster(), before.0, training);
            Some((before, gene, cells))
        });
        changed.collect()
    }

    /// How well the genome predicts in which some clusters (ascending) are others: what
    /// [`score`](Self::score) would say, at the cost of those clusters alone.
    pub(crate) fn rescore(
        &self,
        rule: &Rule,
        training: &ClassedExamples,
        base: &Scored,
        changes: &[Change],
    ) -> Fitness {
        let pairs = self.changed_clusters(training, base, changes);
        let mut sums = base.sums;
        let mut effect = Effect::new();
        for (block, scores) in self.blocks.iter().zip(&base.blocks) {
            let classes = self.classes(block);
            effect.clear();
            for ((class, cluster, trained), gene, cells) in &pairs {
                let class = *class as u32;
                let default = rule.default_score(class);
                rule.score(self.path, block, *cluster, *trained, &mut effect.column);
                effect.take(class, default, classes);
                rule.score(self.path, block, gene.as_cluster(), cells.as_cluster(), &mut effect.column);
                effect.give(class, default, classes);
            }
            let is_changed =
                |class: u32| changes.binary_search_by_key(&class, |(changed, _)| *changed).is_ok();
            for position in ones(&effect.affected) {
                let (example, class) = (&scores.examples[position], classes[position]);
                let total = example.total.wrapping_add(effect.totals[position]);
                let target = effect.targets[position].unwrap_or(example.target);
                let unchanged =
                    example.rivals.iter().find(|rival| rival.score == 0 || !is_changed(rival.class));
                let unchanged = unchanged.copied().unwrap_or_else(|| {
                    let input = self.examples.input(block.start + position);
                    base.best_rival(rule, input, |other| other == class || is_changed(other))
                });
                let rival = unchanged.max(effect.rivals[position]);
                let (loss, right) = outcome(rule, class, total, target, rival);
                sums.loss = sums.loss - example.loss + loss;
                sums.right = sums.right - u64::from(example.right) + u64::from(right);
            }
        }
        self.fitness_of(sums)
    }
}

impl Scored {
    /// The best class for one input, of those that are not excluded.
    fn best_rival(&self, rule: &Rule, input: &[u64], excluded: impl Fn(u32) -> bool) -> Rival {
        let clusters = self.memories.clusters(&self.genome);
        let rivals = clusters.map(|(class, cluster, trained)| (class as u32, cluster, trained));
        let rivals = rivals.filter(|(class, ..)| !excluded(*class));
        let scored = rivals.map(|(class, cluster, trained)| Rival {
            score: rule.score_one(input, class, cluster, trained),
            class,
        });
        scored.filter(|rival| rival.score != rule.default_score(rival.class)).max().unwrap_or_default()
    }
}

/// Lets only those numbers of votes win that score at least as much as the second best.
fn accept(tally: &mut Tally, scores: &[u64], position: usize, second: Rival) {
    for (row, &score) in tally.accepted.iter_mut().zip(&scores[1..]) {
        let bit = 1 << (position % 64);
        if score >= second.score {
            row[position / 64] |= bit;
        } else {
            row[position / 64] &= !bit;
        }
    }
}

/// The loss of an example, and whether its right class is the most probable.
fn outcome(rule: &Rule, class: u32, total: u64, target: u64, rival: Rival) -> (u64, bool) {
    let loss = -libm::log(target as f64 / total as f64 + rule.floor());
    let rival = rival.max(rule.default_rival(class));
    ((loss.max(0.0) * NAT).round() as u64, Rival { score: target, class } > rival)
}

/// What changes for the examples of a block.
struct Effect {
    column: Column,
    affected: Row,
    /// What is added to the totals, modulo 2^64.
    totals: Vec<u64>,
    /// New scores of the right classes, where they change.
    targets: Vec<Option<u64>>,
    /// The best of the changed classes that are not the right ones.
    rivals: Vec<Rival>,
}

impl Effect {
    fn new() -> Self {
        Self {
            column: Column::new(),
            affected: [0; WORDS],
            totals: vec![0; BLOCK],
            targets: vec![None; BLOCK],
            rivals: vec![Rival::default(); BLOCK],
        }
    }

    fn clear(&mut self) {
        self.affected = [0; WORDS];
        self.totals.fill(0);
        self.targets.fill(None);
        self.rivals.fill(Rival::default());
    }

    /// Takes away the scores of a class, which are in the column.
    fn take(&mut self, class: u32, default: u64, classes: &[u32]) {
        for position in ones(&self.column.touched) {
            self.totals[position] = self.totals[position].wrapping_sub(self.column.above[position]);
            if classes[position] == class {
                self.targets[position] = Some(default);
            }
        }
        self.spread();
    }

    /// Adds the scores of a class, which are in the column.
    fn give(&mut self, class: u32, default: u64, classes: &[u32]) {
        for position in ones(&self.column.touched) {
            let above = self.column.above[position];
            self.totals[position] = self.totals[position].wrapping_add(above);
            if classes[position] == class {
                self.targets[position] = Some(default + above);
            } else {
                self.rivals[position] = self.rivals[position].max(Rival { score: default + above, class });
            }
        }
        self.spread();
    }

    fn spread(&mut self) {
        for (affected, touched) in self.affected.iter_mut().zip(&self.column.touched) {
            *affected |= touched;
        }
    }
}

#[cfg(test)]
mod tests {
    use rekindle_compute::rng::{self, Stream};

    use super::*;
    use crate::examples::Coding;
    use crate::memory::address;
    use crate::rule::Backoff;

    const VOCABULARY: usize = 23;

    fn text(stream: &mut Stream, count: usize) -> Vec<u32> {
        let mut token = 0;
        (0..count)
            .map(|_| {
                let jump = stream.below(3) * stream.below(VOCABULARY as u64 - 3);
                token = (token + 1 + jump as u32) % (VOCABULARY as u32 - 2);
                token
            })
            .collect()
    }

    fn gene(stream: &mut Stream, inputs: usize) -> Gene {
        let most = if stream.below(8) == 0 { 90 } else { 6 };
        let (bits, neurons) = (1 + stream.below(17) as u8, 1 + stream.below(most) as u16);
        let count = usize::from(bits) * usize::from(neurons);
        let connections = (0..count).map(|_| stream.below(inputs as u64) as u8).collect();
        Gene { bits, neurons, connections }
    }

    fn random(stream: &mut Stream, inputs: usize) -> Genome {
        let mut genome = Genome::with_capacity(VOCABULARY, 0);
        for _ in 0..VOCABULARY {
            genome.push(gene(stream, inputs).as_cluster());
        }
        genome
    }

    /// The definition, example by example and class by class.
    fn by_definition(
        counts: bool,
        coding: &Coding,
        genome: &Genome,
        training: &Examples,
        test: &Examples,
    ) -> Fitness {
        let count_of = |class| training.classes.iter().filter(|&&other| other == class).count() as f64;
        let seen = |connections: &[u8], class, input: &[u64], length: usize| {
            let shift = connections.len() - length;
            let wanted = address(input, connections) >> shift;
            let of_class = (0..training.len()).filter(|&example| training.classes[example] == class);
            of_class
                .filter(|&example| address(training.input(example), connections) >> shift == wanted)
                .count()
        };
        let backoff = Backoff::default();
        let bits = coding.bits_per_token();
        let token = training.len() as f64 / backoff.strength;
        let score = |input: &[u64], class: u32, cluster: crate::genome::Cluster<'_>| {
            let neurons = cluster.neurons().len() as f64;
            if !counts {
                let votes = cluster.neurons().filter(|c| seen(c, class, input, cluster.bits) > 0).count();
                return (votes as f64 / neurons).exp();
            }
            let mut score = count_of(class) + 0.5;
            for connections in cluster.neurons() {
                for length in (bits..cluster.bits).step_by(bits).chain([cluster.bits]) {
                    let count = seen(connections, class, input, length) as f64;
                    let tokens = (length as f64 / bits as f64).min(4.0);
                    let weight = if tokens <= 1.0 {
                        token.powf(tokens)
                    } else {
                        token * backoff.gain.powf(tokens - 1.0)
                    };
                    let discount = if length > bits { backoff.discount } else { 0.0 };
                    score += weight * (count - discount).max(0.0) / neurons;
                }
            }
            score
        };
        let (mut loss, mut right) = (0.0, 0);
        for example in 0..test.len() {
            let input = test.input(example);
            let scores: Vec<f64> =
                genome.clusters().zip(0..).map(|(cluster, class)| score(input, class, cluster)).collect();
            let target = test.classes[example] as usize;
            let floor = if counts { 0.0 } else { 1e-10 };
            loss -= (scores[target] / scores.iter().sum::<f64>() + floor).ln();
            let best = (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap();
            right += usize::from(best == target);
        }
        Fitness { cross_entropy: loss / test.len() as f64, accuracy: right as f64 / test.len() as f64 }
    }

    #[test]
    fn scores_are_those_of_the_definition_and_the_same_when_only_changes_are_scored() {
        let mut stream = rng::stream(1, 2, 3);
        let (training, test) = (text(&mut stream, 700), text(&mut stream, 120));
        let coding = Coding::new(&training, VOCABULARY, 3, false);
        let (training, test) = (coding.examples(&training), coding.examples(&test));
        let classed = ClassedExamples::new(&training, VOCABULARY);
        let scorer = Scorer::new(KernelPath::best(), test.clone(), coding.inputs());
        for counts in [false, true] {
            let rule = match counts {
                false => Rule::votes(VOCABULARY),
                true => Rule::counts(&Backoff::default(), &classed, coding.bits_per_token()),
            };
            for _ in 0..20 {
                let genome = random(&mut stream, coding.inputs());
                let mut all = Vec::new();
                for threads in 1..=3 {
                    let pool = Pool::new(threads).unwrap();
                    all.push(scorer.score(&pool, &rule, &classed, &genome));
                }
                let fitness = scorer.fitness(&all[0]);
                assert!(all.iter().all(|scored| scored.sums == all[0].sums));
                let expected = by_definition(counts, &coding, &genome, &training, &test);
                assert!(
                    (fitness.cross_entropy - expected.cross_entropy).abs() < 1e-4,
                    "{fitness:?} {expected:?}"
                );
                assert!((fitness.accuracy - expected.accuracy).abs() < 0.02, "{fitness:?} {expected:?}");
                for changed in [1, 2, 5, VOCABULARY] {
                    let first = stream.below((VOCABULARY - changed + 1) as u64) as u32;
                    let changes: Vec<_> = (first..first + changed as u32)
                        .map(|class| (class, gene(&mut stream, coding.inputs())))
                        .collect();
                    let pool = Pool::new(1).unwrap();
                    let whole = scorer.score(&pool, &rule, &classed, &genome.with(&changes));
                    assert_eq!(scorer.rescore(&rule, &classed, &all[0], &changes), scorer.fitness(&whole));
                }
            }
        }
    }
}
