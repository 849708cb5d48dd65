//! A genome, phase or results file of the original weightless-network program.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle_wnn::original::{OriginalFile, parse};

fuzz_target!(|data: &[u8]| {
    let Ok(file) = parse(data) else { return };
    let genomes = match &file {
        OriginalFile::Genome { best, .. } => vec![best],
        OriginalFile::Phase(phase) => phase.population.iter().chain([&phase.best]).collect(),
        OriginalFile::Results { best, .. } => best.iter().collect(),
    };
    for genome in genomes {
        if let Ok(genome) = genome.to_genome(|_, _| Vec::new()) {
            let _ = genome.check(genome.bits.len(), 64);
        }
    }
});
