//! Files of the original program: genomes, phase checkpoints and results, as JSON, gzipped or not.
//!
//! Keys, separators and the order of members are the original's; what it adds in later versions is
//! passed over.

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
/// First members of the files.
const MARKS: [&str; 5] =
    ["\"phase_result\"", "\"genome\"", "\"phase1_ga\"", "\"bits_per_cluster\"", "\"_metadata\""];

/// What a file of the original program holds.
#[derive(Debug, Clone, PartialEq)]
pub enum OriginalFile {
    /// A genome.
    Genome(OriginalGenome),
    /// A phase checkpoint.
    Phase(OriginalPhase),
    /// The results of a search.
    Results {
        /// The best genome, where the file has it.
        best: Option<OriginalGenome>,
        /// How well it predicts what it was selected by.
        fitness: Option<Fitness>,
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
}

/// A phase checkpoint of the original program.
#[derive(Debug, Clone, PartialEq)]
pub struct OriginalPhase {
    /// Which phase.
    pub phase: Phase,
    /// The best genome at its end.
    pub best: OriginalGenome,
    /// How well it predicts.
    pub fitness: Fitness,
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
    cached_fitness: Option<(f64, f64)>,
}

#[derive(Serialize, Deserialize)]
struct PhaseMember {
    phase_name: String,
    strategy_type: String,
    final_fitness: f64,
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
        Self {
            bits: member.bits_per_cluster,
            neurons: member.neurons_per_cluster,
            connections: member.connections,
        }
    }
}

impl GenomeMember {
    fn new(genome: &Genome, fitness: Option<Fitness>) -> Self {
        let numbers = |bytes: &[u8]| bytes.iter().map(|&byte| byte.into()).collect();
        Self {
            bits_per_cluster: numbers(&genome.bits),
            neurons_per_cluster: numbers(&genome.neurons),
            connections: Some(numbers(&genome.connections)),
            cached_fitness: fitness.map(|fitness| (fitness.cross_entropy, fitness.accuracy)),
        }
    }
}

impl OriginalGenome {
    /// As a genome; `connections` makes those that the file does not have.
    ///
    /// # Errors
    /// Says why it is none.
    pub fn to_genome(&self, connections: impl FnOnce(&[u8], &[u8]) -> Vec<u8>) -> Result<Genome, String> {
        let bytes = |what: &str, numbers: &[u32]| {
            let bytes: Result<Vec<u8>, _> = numbers.iter().map(|&number| u8::try_from(number)).collect();
            bytes.map_err(|_| {
                let largest = numbers.iter().max().copied().unwrap_or(0);
                format!("{what} {largest} is beyond what is possible")
            })
        };
        let bits = bytes("a number of address bits of", &self.bits)?;
        let neurons = bytes("a number of neurons of", &self.neurons)?;
        let connections = match &self.connections {
            Some(connections) => bytes("a connection to input bit", connections)?,
            None => connections(&neurons, &bits),
        };
        Ok(Genome { bits, neurons, connections })
    }
}

/// True for the first bytes of a file of the original program.
pub fn matches(head: &[u8]) -> bool {
    let text = if gzip::is_gzip(head) { gzip::unpacked_head(head) } else { head.to_vec() };
    let inside = text.trim_ascii_start().strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    inside.is_some_and(|inside| MARKS.iter().any(|mark| inside.starts_with(mark.as_bytes())))
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
            fitness: Fitness {
                cross_entropy: result.final_fitness,
                accuracy: result.final_accuracy.unwrap_or(0.0),
            },
            population: result.final_population.unwrap_or_default().into_iter().map(Into::into).collect(),
            threshold: result.final_threshold,
            iterations: result.iterations_run,
            rotation_seed,
        }));
    }
    if let Some(genome) = file.genome {
        return Ok(OriginalFile::Genome(genome.into()));
    }
    if let (Some(bits_per_cluster), Some(neurons_per_cluster)) =
        (file.bits_per_cluster, file.neurons_per_cluster)
    {
        let connections = file.connections;
        return Ok(OriginalFile::Genome(OriginalGenome {
            bits: bits_per_cluster,
            neurons: neurons_per_cluster,
            connections,
        }));
    }
    let last = file.last.ok_or("it holds neither a genome, nor a phase, nor results")?;
    let of = |fitness: Option<f64>, accuracy: Option<f64>| {
        fitness.map(|cross_entropy| Fitness { cross_entropy, accuracy: accuracy.unwrap_or(0.0) })
    };
    let reported = of(last.fitness, last.accuracy);
    let select = of(last.select_fitness, last.select_accuracy);
    let (fitness, test) = if select.is_some() { (select, reported) } else { (reported, None) };
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
        fitness: Option<f64>,
        accuracy: Option<f64>,
    }
    let known = Some(select).filter(|fitness| fitness.is_known());
    let reported = test.or(known);
    let file = File {
        genome: GenomeMember::new(genome, known),
        stats: stats(genome),
        fitness: reported.map(|fitness| fitness.cross_entropy),
        accuracy: reported.map(|fitness| fitness.accuracy),
    };
    write(out, &file)
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
    /// The accuracy that candidates had to reach.
    pub threshold: f64,
    /// Seed of the rotation of the parts.
    pub rotation_seed: Option<u64>,
}

/// A phase checkpoint.
pub fn write_phase(
    out: impl Write,
    summary: &PhaseSummary,
    best: &Genome,
    population: &[Genome],
) -> std::io::Result<()> {
    #[derive(Serialize)]
    struct File {
        phase_result: PhaseMember,
        #[serde(rename = "_metadata")]
        metadata: Metadata,
    }
    let phase = summary.phase;
    let file = File {
        phase_result: PhaseMember {
            phase_name: phase.name().to_owned(),
            strategy_type: if phase.is_genetic() { "GA" } else { "TS" }.to_owned(),
            final_fitness: summary.fitness.cross_entropy,
            final_accuracy: Some(summary.fitness.accuracy),
            iterations_run: summary.iterations,
            best_genome: GenomeMember::new(best, Some(summary.fitness)),
            final_threshold: Some(summary.threshold),
            initial_fitness: Some(summary.initial.cross_entropy),
            initial_accuracy: Some(summary.initial.accuracy),
            final_population: Some(population.iter().map(|genome| GenomeMember::new(genome, None)).collect()),
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
    let mean = |numbers: &[u8]| numbers.iter().map(|&number| f64::from(number)).sum::<f64>() / count;
    let least = |numbers: &[u8]| numbers.iter().min().copied().unwrap_or(0);
    let most = |numbers: &[u8]| numbers.iter().max().copied().unwrap_or(0);
    let distribution = |numbers: &[u8]| {
        let mut counts = [0_u64; 256];
        numbers.iter().for_each(|&number| counts[usize::from(number)] += 1);
        let found = counts.iter().enumerate().filter(|(_, count)| **count > 0);
        found.map(|(number, &count)| (number.to_string(), count.into())).collect::<Map<_, _>>()
    };
    let pairs = genome.bits.iter().zip(&genome.neurons);
    let cells: f64 = pairs.map(|(&bits, &neurons)| f64::from(neurons) * libm::exp2(bits.into())).sum();
    json!({
        "num_clusters": genome.bits.len(),
        "min_bits": least(&genome.bits),
        "max_bits": most(&genome.bits),
        "mean_bits": mean(&genome.bits),
        "min_neurons": least(&genome.neurons),
        "max_neurons": most(&genome.neurons),
        "mean_neurons": mean(&genome.neurons),
        "total_neurons": genome.total_neurons(),
        "total_memory_cells": cells as u64,
        "bits_distribution": distribution(&genome.bits),
        "neurons_distribution": distribution(&genome.neurons),
    })
}
