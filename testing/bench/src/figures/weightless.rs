//! How long it takes to measure a genome of 50,257 clusters, and one that differs in a neuron.

use rekindle_compute::{KernelPath, rng};
use rekindle_train::{ConfigOf, ConfigText};
use rekindle_wnn::{
    Backoff, Corpus, Evaluator, Gene, Genome, LocalEvaluator, Scoring, Text, TokenPart, Wnn, presets,
};

use crate::Settings;
use crate::measure::{Contender, time_of};
use crate::table::{Table, times};

/// The stream of random connections.
const CONNECTIONS: u64 = 1001;
/// Neurons and address bits of a cluster.
const NEURONS: u16 = 5;
const BITS: u8 = 8;
/// Changes that are measured one after the other.
const CHANGES: usize = 100;

/// Prints the figure.
pub fn run(settings: &Settings) -> anyhow::Result<()> {
    let corpus = corpus()?;
    let clusters = corpus.coding.vocabulary();
    let about = format!(
        "A genome of {clusters} clusters of {NEURONS} neurons with {BITS} random address bits, {} training and {} \
         evaluation tokens, context 4, on all cores: training its memories and measuring it, against measuring \
         genomes that differ from it in one connection of one neuron ({CHANGES} of them; their clusters are drawn by \
         how often the class occurs). Each of these is also measured in full once: the outcome must be equal. Aims: \
         votes at most 0.6 s; a change at least 100 times faster.",
        corpus.training.len(),
        corpus.select.len()
    );
    let columns = ["scoring", "in full", "one change", "change / full"];
    let mut table = Table::begin("Measuring genomes", &about, columns);
    for (name, scoring) in [("votes", Scoring::Votes), ("counts", Scoring::Counts)] {
        row(settings, &corpus, name, scoring, &mut table)?;
    }
    Ok(())
}

fn row(
    settings: &Settings,
    corpus: &Corpus,
    name: &str,
    scoring: Scoring,
    table: &mut Table,
) -> anyhow::Result<()> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let evaluator =
        || LocalEvaluator::new(corpus, 1, scoring, &Backoff::default(), threads, KernelPath::best());
    let (mut whole, mut changed) = (evaluator()?, evaluator()?);
    let genome = genome(corpus);
    let changes: Vec<_> = (0..CHANGES as u64).map(|index| vec![change(corpus, &genome, index)]).collect();
    for some in changes.iter().take(3) {
        let in_full = whole.evaluate(TokenPart::All, &[genome.with(some)])?;
        let by_change = changed.evaluate_changes(TokenPart::All, &genome, std::slice::from_ref(some))?;
        anyhow::ensure!(in_full == by_change, "a change was measured otherwise than in full");
    }
    let in_full: Contender<'_> =
        Box::new(|| time_of(|| Ok(whole.evaluate(TokenPart::All, std::slice::from_ref(&genome))?)));
    let by_change: Contender<'_> = Box::new(|| {
        let all = time_of(|| Ok(changed.evaluate_changes(TokenPart::All, &genome, &changes)?))?;
        Ok(all / CHANGES as u32)
    });
    let [in_full, by_change] = settings.turns().take([in_full, by_change])?;
    table.row([&name, &in_full.text(), &by_change.text(), &times(by_change.ratio_to(&in_full))]);
    Ok(())
}

fn corpus() -> anyhow::Result<Corpus> {
    let text = ConfigText { origin: "preset".into(), yaml: presets::SEARCH_50K.into() };
    // As many tokens to measure on as the original has, all of them in one part.
    let shares = ["training.data.select=0.2".to_owned(), "training.data.test=0".to_owned()];
    let config: ConfigOf<Wnn> = text.config(&shares)?;
    Ok(Text::load(&config.model, &config.training, config.seed, None)?.corpus)
}

fn genome(corpus: &Corpus) -> Genome {
    let clusters = corpus.coding.vocabulary();
    let count = clusters * usize::from(NEURONS) * usize::from(BITS);
    let mut stream = rng::stream(0, CONNECTIONS, 0);
    let connections = (0..count).map(|_| stream.below(corpus.coding.inputs() as u64) as u8).collect();
    Genome { bits: vec![BITS; clusters], neurons: vec![NEURONS; clusters], connections }
}

/// Another connection for a neuron of a class that occurs.
fn change(corpus: &Corpus, genome: &Genome, index: u64) -> (u32, Gene) {
    let mut stream = rng::stream(0, CONNECTIONS, 1 + index);
    let token = corpus.training[stream.below(corpus.training.len() as u64) as usize];
    let class = corpus.coding.class(token);
    let per_cluster = usize::from(NEURONS) * usize::from(BITS);
    let mut connections = genome.connections[class as usize * per_cluster..][..per_cluster].to_vec();
    connections[stream.below(per_cluster as u64) as usize] =
        stream.below(corpus.coding.inputs() as u64) as u8;
    (class, Gene { bits: BITS, neurons: NEURONS, connections })
}
