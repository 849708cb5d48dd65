//! Files of the original program: genomes, phase checkpoints and results, as JSON, gzipped or not.
//!
//! Keys, separators and the order of members are the original's; what it adds in later versions is
//! passed over.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use rekindle_formats::{files, gzip};

use crate::genome::Genome;
use crate::phase::Phase;
use crate::scorer::Fitness;

/// A file is never longer, unpacked: bytes.
const LIMIT: u64 = 2 << 30;
/// What a file of the original program is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A genome.
    Genome,
    /// A phase checkpoint.
    Phase,
    /// The results of a search.
    Results,
}

/// What a file of the original program holds.
#[derive(Debug, Clone, PartialEq)]
pub enum OriginalFile {
    /// A genome.
    Genome {
        /// The genome.
        best: OriginalGenome,
        /// What the file says beside it of how well it predicts.
        reported: Fitness,
    },
    /// A phase checkpoint.
    Phase(OriginalPhase),
    /// The results of a search.
    Results {
        /// The best genome, where the file has it.
        best: Option<OriginalGenome>,
        /// How well it predicts what it was selected by.
        fitness: Fitness,
        /// How well it predicts what is reported on, where the file tells the two apart.
        test: Option<Fitness>,
    },
}

/// A genome of the original program.
#[derive(Debug, Clone, PartialEq)]
pub struct OriginalGenome {
    /// Address bits, per cluster.
    pub bits: Vec<u32>,
    /// Neurons, per cluster.
    pub neurons: Vec<u32>,
    /// Input bits; early files have none.
    pub connections: Option<Vec<u32>>,
    /// How well it predicts, by what it was selected by; not known where the file does not say.
    pub fitness: Fitness,
}

/// A phase checkpoint of the original program. What the file does not say is not known.
#[derive(Debug, Clone, PartialEq)]
pub struct OriginalPhase {
    /// Which phase.
    pub phase: Phase,
    /// The best genome at its end.
    pub best: OriginalGenome,
    /// How well it predicts.
    pub fitness: Fitness,
    /// How well the best genome predicted at its beginning.
    pub initial: Fitness,
    /// The population at its end.
    pub population: Vec<OriginalGenome>,
    /// The accuracy that candidates had to reach.
    pub threshold: Option<f64>,
    /// Generations or iterations.
    pub iterations: u32,
    /// Seed of the rotation of the parts.
    pub rotation_seed: Option<u64>,
}

/// Any of the files: what they have in common is that no member is in all of them.
#[derive(Deserialize)]
struct AnyFile {
    phase_result: Option<PhaseMember>,
    #[serde(rename = "_metadata")]
    metadata: Option<Metadata>,
    genome: Option<GenomeMember>,
    fitness: Option<f64>,
    accuracy: Option<f64>,
    cached_fitness: Option<(Option<f64>, Option<f64>)>,
    #[serde(rename = "final")]
    last: Option<FinalMember>,
    bits_per_cluster: Option<Vec<u32>>,
    neurons_per_cluster: Option<Vec<u32>>,
    connections: Option<Vec<u32>>,
}

#[derive(Serialize, Deserialize)]
struct GenomeMember {
    bits_per_cluster: Vec<u32>,
    neurons_per_cluster: Vec<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connections: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cached_fitness: Option<(Option<f64>, Option<f64>)>,
}

#[derive(Serialize, Deserialize)]
struct PhaseMember {
    phase_name: String,
    strategy_type: String,
    final_fitness: Option<f64>,
    final_accuracy: Option<f64>,
    iterations_run: u32,
    best_genome: GenomeMember,
    final_threshold: Option<f64>,
    initial_fitness: Option<f64>,
    initial_accuracy: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    final_population: Option<Vec<GenomeMember>>,
}

#[derive(Serialize, Deserialize)]
struct Metadata {
    phase_key: Option<String>,
    rotation_seed: Option<u64>,
}

#[derive(Deserialize)]
struct FinalMember {
    fitness: Option<f64>,
    accuracy: Option<f64>,
    select_fitness: Option<f64>,
    select_accuracy: Option<f64>,
    genome: Option<GenomeMember>,
}

impl From<GenomeMember> for OriginalGenome {
    fn from(member: GenomeMember) -> Self {
        let (cross_entropy, accuracy) = member.cached_fitness.unwrap_or_default();
        Self {
            bits: member.bits_per_cluster,
            neurons: member.neurons_per_cluster,
            connections: member.connections,
            fitness: known(cross_entropy, accuracy),
        }
    }
}

impl GenomeMember {
    fn new(genome: &Genome, fitness: Fitness) -> Self {
        let numbers = |bytes: &[u8]| bytes.iter().map(|&byte| byte.into()).collect();
        Self {
            bits_per_cluster: numbers(&genome.bits),
            neurons_per_cluster: genome.neurons.iter().map(|&neurons| neurons.into()).collect(),
            connections: Some(numbers(&genome.connections)),
            cached_fitness: fitness.is_known().then(|| members(fitness)),
        }
    }
}

/// What a file says of how well a genome predicts; what it does not say is not known.
fn known(cross_entropy: Option<f64>, accuracy: Option<f64>) -> Fitness {
    cross_entropy.map_or(Fitness::UNKNOWN, |cross_entropy| Fitness {
        cross_entropy,
        accuracy: accuracy.unwrap_or(Fitness::UNKNOWN_ACCURACY),
    })
}

/// Cross-entropy and accuracy as members of a file, which are absent where they are not known.
fn members(fitness: Fitness) -> (Option<f64>, Option<f64>) {
    let cross_entropy = fitness.is_known().then_some(fitness.cross_entropy);
    (cross_entropy, fitness.known_accuracy())
}

impl OriginalGenome {
    /// As a genome; `connections` makes those that the file does not have.
    ///
    /// # Errors
    /// Says why it is none.
    pub fn to_genome(&self, connections: impl FnOnce(&[u16], &[u8]) -> Vec<u8>) -> Result<Genome, String> {
        fn numbers<T: TryFrom<u32>>(what: &str, numbers: &[u32]) -> Result<Vec<T>, String> {
            let fitting: Result<Vec<T>, _> = numbers.iter().map(|&number| T::try_from(number)).collect();
            fitting.map_err(|_| {
                let largest = numbers.iter().max().copied().unwrap_or(0);
                format!("{what} {largest} is beyond what is possible")
            })
        }
        let bits = numbers("a number of address bits of", &self.bits)?;
        let neurons: Vec<u16> = numbers("a number of neurons of", &self.neurons)?;
        let connections = match &self.connections {
            Some(connections) => numbers("a connection to input bit", connections)?,
            None => connections(&neurons, &bits),
        };
        Ok(Genome { bits, neurons, connections })
    }
}

/// What the file is that begins with these bytes, if it is one of the original program's. A resumed pass has the
/// results of the phases that it did, whichever of them comes first.
pub fn kind(head: &[u8]) -> Option<Kind> {
    let text = if gzip::is_gzip(head) { gzip::unpacked_head(head) } else { head.to_vec() };
    let inside = text.trim_ascii_start().strip_prefix(b"{")?.trim_ascii_start();
    let begins_with = |member: &str| inside.starts_with(format!("\"{member}\"").as_bytes());
    let has = |member: &[u8]| inside.windows(member.len()).any(|window| window == member);
    let is_results = Phase::ALL.into_iter().any(|phase| begins_with(phase.results_key()))
        || begins_with("final")
        // Results that this program wrote with their members by name.
        || (begins_with("args") && has(b"\"ga_generations\""));
    if is_results {
        return Some(Kind::Results);
    }
    let is_phase = begins_with("phase_result") || (begins_with("_metadata") && has(b"\"phase_key\""));
    let is_genome = ["genome", "bits_per_cluster", "_metadata"].into_iter().any(begins_with);
    if is_phase { Some(Kind::Phase) } else { is_genome.then_some(Kind::Genome) }
}

/// Reads a file, gzipped or not, whatever it is called.
///
/// # Errors
/// Says why it cannot be read.
pub fn read(path: &Path) -> Result<OriginalFile, String> {
    let head = files::head(path, 2).map_err(|error| error.to_string())?;
    let file = files::open(path).map_err(|error| error.to_string())?;
    match gzip::is_gzip(&head) {
        true => parse(GzDecoder::new(file)),
        false => parse(file),
    }
}

/// Reads JSON.
///
/// # Errors
/// Says why it cannot be read.
pub fn parse(reader: impl Read) -> Result<OriginalFile, String> {
    let reader = std::io::BufReader::with_capacity(1 << 16, reader.take(LIMIT));
    let file: AnyFile =
        serde_json::from_reader(reader).map_err(|error| match error.is_io() || error.is_eof() {
            true => format!("the file is torn: {error}"),
            false => error.to_string(),
        })?;
    if let Some(result) = file.phase_result {
        let metadata = file.metadata;
        let rotation_seed = metadata.as_ref().and_then(|metadata| metadata.rotation_seed);
        let key = metadata.and_then(|metadata| metadata.phase_key);
        let by_name = || Phase::ALL.into_iter().find(|phase| phase.name() == result.phase_name);
        let phase = key.as_deref().map_or_else(by_name, Phase::of_key);
        let phase =
            phase.ok_or_else(|| format!("`{}` is not a phase; there are 1a to 3b", result.phase_name))?;
        return Ok(OriginalFile::Phase(OriginalPhase {
            phase,
            best: result.best_genome.into(),
            fitness: known(result.final_fitness, result.final_accuracy),
            initial: known(result.initial_fitness, result.initial_accuracy),
            population: result.final_population.unwrap_or_default().into_iter().map(Into::into).collect(),
            threshold: result.final_threshold,
            iterations: result.iterations_run,
            rotation_seed,
        }));
    }
    let reported = known(file.fitness, file.accuracy);
    if let Some(genome) = file.genome {
        return Ok(OriginalFile::Genome { best: genome.into(), reported });
    }
    if let (Some(bits_per_cluster), Some(neurons_per_cluster)) =
        (file.bits_per_cluster, file.neurons_per_cluster)
    {
        let (connections, cached_fitness) = (file.connections, file.cached_fitness);
        let best = GenomeMember { bits_per_cluster, neurons_per_cluster, connections, cached_fitness };
        return Ok(OriginalFile::Genome { best: best.into(), reported });
    }
    let last = file.last.ok_or("it holds neither a genome, nor a phase, nor results")?;
    let reported = known(last.fitness, last.accuracy);
    let select = known(last.select_fitness, last.select_accuracy);
    let (fitness, test) = if select.is_known() { (select, Some(reported)) } else { (reported, None) };
    Ok(OriginalFile::Results { best: last.genome.map(Into::into), fitness, test })
}

/// A genome file: with how well the genome predicts what it was selected by, for the next search, and
/// how well it predicts what is reported on, where there is such a part.
pub fn write_genome(
    out: impl Write,
    genome: &Genome,
    select: Fitness,
    test: Option<Fitness>,
) -> std::io::Result<()> {
    #[derive(Serialize)]
    struct File {
        genome: GenomeMember,
        stats: Value,
        #[serde(skip_serializing_if = "Option::is_none")]
        fitness: Option<f64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        accuracy: Option<f64>,
    }
    let (fitness, accuracy) = members(test.unwrap_or(select));
    let genome_member = GenomeMember::new(genome, select);
    write(out, &File { genome: genome_member, stats: stats(genome), fitness, accuracy })
}

/// What a phase checkpoint says beside its genomes.
#[derive(Debug, Clone, Copy)]
pub struct PhaseSummary {
    /// Which phase.
    pub phase: Phase,
    /// How well its best genome predicts what it was selected by.
    pub fitness: Fitness,
    /// How well the best genome predicted at its beginning.
    pub initial: Fitness,
    /// Generations or iterations.
    pub iterations: u32,
    /// The accuracy that candidates had to reach, where it is known.
    pub threshold: Option<f64>,
    /// Seed of the rotation of the parts.
    pub rotation_seed: Option<u64>,
}

/// A phase checkpoint. `population` is each genome with how well it predicts, as far as that is known.
pub fn write_phase(
    out: impl Write,
    summary: &PhaseSummary,
    best: &Genome,
    population: &[(&Genome, Fitness)],
) -> std::io::Result<()> {
    #[derive(Serialize)]
    struct File {
        phase_result: PhaseMember,
        #[serde(rename = "_metadata")]
        metadata: Metadata,
    }
    let phase = summary.phase;
    let (final_fitness, final_accuracy) = members(summary.fitness);
    let (initial_fitness, initial_accuracy) = members(summary.initial);
    let file = File {
        phase_result: PhaseMember {
            phase_name: phase.name().to_owned(),
            strategy_type: if phase.is_genetic() { "GA" } else { "TS" }.to_owned(),
            final_fitness,
            final_accuracy,
            iterations_run: summary.iterations,
            best_genome: GenomeMember::new(best, summary.fitness),
            final_threshold: summary.threshold,
            initial_fitness,
            initial_accuracy,
            final_population: Some(
                population.iter().map(|(genome, fitness)| GenomeMember::new(genome, *fitness)).collect(),
            ),
        },
        metadata: Metadata { phase_key: Some(phase.key().to_owned()), rotation_seed: summary.rotation_seed },
    };
    write(out, &file)
}

fn write(out: impl Write, file: &impl Serialize) -> std::io::Result<()> {
    let mut out = GzEncoder::new(out, Compression::default());
    {
        // The encoder is slow when it gets number after number.
        let mut buffer = std::io::BufWriter::with_capacity(1 << 16, &mut out);
        serde_json::to_writer(&mut buffer, file)?;
        buffer.flush()?;
    }
    out.finish()?.flush()
}

/// What the original's files say about a genome.
pub fn stats(genome: &Genome) -> Value {
    let count = genome.bits.len().max(1) as f64;
    let bits: Vec<u16> = genome.bits.iter().map(|&bits| bits.into()).collect();
    let mean = |numbers: &[u16]| numbers.iter().map(|&number| f64::from(number)).sum::<f64>() / count;
    let least = |numbers: &[u16]| numbers.iter().min().copied().unwrap_or(0);
    let most = |numbers: &[u16]| numbers.iter().max().copied().unwrap_or(0);
    let distribution = |numbers: &[u16]| {
        let mut counts = BTreeMap::new();
        numbers.iter().for_each(|&number| *counts.entry(number).or_insert(0_u64) += 1);
        counts.into_iter().map(|(number, count)| (number.to_string(), count.into())).collect::<Map<_, _>>()
    };
    let pairs = genome.bits.iter().zip(&genome.neurons);
    let cells: f64 = pairs.map(|(&bits, &neurons)| f64::from(neurons) * libm::exp2(bits.into())).sum();
    json!({
        "num_clusters": genome.bits.len(),
        "min_bits": least(&bits),
        "max_bits": most(&bits),
        "mean_bits": mean(&bits),
        "min_neurons": least(&genome.neurons),
        "max_neurons": most(&genome.neurons),
        "mean_neurons": mean(&genome.neurons),
        "total_neurons": genome.total_neurons(),
        "total_memory_cells": cells as u64,
        "bits_distribution": distribution(&bits),
        "neurons_distribution": distribution(&genome.neurons),
    })
}
