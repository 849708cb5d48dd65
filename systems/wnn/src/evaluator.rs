//! Who measures genomes: this process, or whatever takes its place.

use rekindle_compute::{KernelPath, Pool};

use crate::corpus::{Corpus, TokenPart};
use crate::error::WnnError;
use crate::examples::ClassedExamples;
use crate::genome::{Change, Genome};
use crate::rule::{Assignment, Backoff, Rule, Scoring};
use crate::scorer::{Fitness, Scored, Scorer};

/// Measures genomes. A cluster of machines can stand behind it: what it is asked depends on nothing
/// but the arguments, and the answers come in their order.
pub trait Evaluator {
    /// Trains each genome on a part of the training tokens, and measures it on all tokens that are
    /// selected by.
    ///
    /// # Errors
    /// When it cannot be done.
    fn evaluate(&mut self, part: TokenPart, genomes: &[Genome]) -> Result<Vec<Fitness>, WnnError>;

    /// The same for genomes that differ from `base` in a few clusters each (ascending), which can be
    /// much cheaper.
    ///
    /// # Errors
    /// When it cannot be done.
    fn evaluate_changes(
        &mut self,
        part: TokenPart,
        base: &Genome,
        changes: &[Vec<Change>],
    ) -> Result<Vec<Fitness>, WnnError> {
        let genomes: Vec<_> = changes.iter().map(|changes| base.with(changes)).collect();
        self.evaluate(part, &genomes)
    }

    /// Trains a genome on all training tokens, and measures it on the tokens that are reported on;
    /// nothing when there are none. What is reported must not be chosen by.
    ///
    /// # Errors
    /// When it cannot be done.
    fn report(&mut self, genome: &Genome) -> Result<Option<Fitness>, WnnError>;
}

/// Measures on the threads of this process.
pub struct LocalEvaluator {
    pool: Pool,
    /// Measures on what is selected by.
    select: Scorer,
    /// Measures on what is reported on; absent where there is nothing.
    test: Option<Scorer>,
    /// The training examples by part, all of them last.
    training: Vec<(ClassedExamples, Rule)>,
    /// What was scored last as a whole for its neighbours.
    base: Option<(TokenPart, Scored)>,
    assignment: Assignment,
}

impl LocalEvaluator {
    /// An evaluator of `corpus`, whose training tokens are cut into `parts`.
    ///
    /// # Errors
    /// When the threads cannot be started.
    pub fn new(
        corpus: &Corpus,
        parts: u32,
        scoring: Scoring,
        backoff: &Backoff,
        threads: usize,
        path: KernelPath,
    ) -> Result<Self, WnnError> {
        let coding = &corpus.coding;
        // A single part is all of them.
        let pieces = if parts > 1 { parts } else { 0 };
        let all = (0..pieces).map(TokenPart::Of).chain([TokenPart::All]);
        let training = all.map(|part| {
            let examples = corpus.training_examples(part, parts);
            let rule = match scoring {
                Scoring::Votes => Rule::votes(coding.vocabulary()),
                Scoring::Counts => Rule::counts(backoff, &examples, coding.bits_per_token()),
            };
            (examples, rule)
        });
        Ok(Self {
            pool: Pool::new(threads)?,
            select: Scorer::new(path, corpus.select_examples(), coding.inputs()),
            test: Some(corpus.test_examples())
                .filter(|examples| !examples.is_empty())
                .map(|examples| Scorer::new(path, examples, coding.inputs())),
            training: training.collect(),
            base: None,
            assignment: Assignment::Own,
        })
    }

    /// The same for genomes whose connections are assigned otherwise.
    #[must_use]
    pub fn with_assignment(self, assignment: Assignment) -> Self {
        Self { assignment, ..self }
    }

    fn score(&self, scorer: &Scorer, part: TokenPart, genome: &Genome) -> Scored {
        let (training, rule) = examples_of(&self.training, part);
        match self.assignment {
            Assignment::Own => scorer.score(&self.pool, rule, training, genome),
            Assignment::Grouped => scorer.score(&self.pool, rule, training, &genome.grouped()),
        }
    }
}

impl Evaluator for LocalEvaluator {
    fn evaluate(&mut self, part: TokenPart, genomes: &[Genome]) -> Result<Vec<Fitness>, WnnError> {
        let select = &self.select;
        Ok(genomes.iter().map(|genome| select.fitness(&self.score(select, part, genome))).collect())
    }

    fn evaluate_changes(
        &mut self,
        part: TokenPart,
        base: &Genome,
        changes: &[Vec<Change>],
    ) -> Result<Vec<Fitness>, WnnError> {
        if self.assignment == Assignment::Grouped {
            // A cluster of another size shifts the connections of all that come after it.
            let genomes: Vec<Genome> = changes.iter().map(|changes| base.with(changes)).collect();
            return self.evaluate(part, &genomes);
        }
        let known = self.base.take().filter(|(of, scored)| *of == part && scored.genome == *base);
        let (_, scored) =
            self.base.insert(known.unwrap_or_else(|| (part, self.score(&self.select, part, base))));
        let (training, rule) = examples_of(&self.training, part);
        let mut answers: Vec<(&[Change], Option<Fitness>)> =
            changes.iter().map(|changes| (changes.as_slice(), None)).collect();
        let scorer = &self.select;
        self.pool.for_each(&mut answers, |_, (changes, fitness)| {
            *fitness = Some(scorer.rescore(rule, training, scored, changes));
        });
        Ok(answers.into_iter().filter_map(|(_, fitness)| fitness).collect())
    }

    fn report(&mut self, genome: &Genome) -> Result<Option<Fitness>, WnnError> {
        let scorer = self.test.as_ref();
        Ok(scorer.map(|scorer| scorer.fitness(&self.score(scorer, TokenPart::All, genome))))
    }
}

/// The examples of a part, which lie by part, all of them last.
fn examples_of(training: &[(ClassedExamples, Rule)], part: TokenPart) -> &(ClassedExamples, Rule) {
    let last = training.len() - 1;
    match part {
        TokenPart::All => &training[last],
        TokenPart::Of(part) => &training[last.min(part as usize)],
    }
}
