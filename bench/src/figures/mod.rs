//! The figures, a module for each. All of them delete what they wrote.

pub mod compressed;
pub mod full_save;
pub mod genomes;
pub mod load;
pub mod memory;
pub mod partial;
pub mod scaling;
pub mod small_arrays;

use crate::Settings;

/// Measures and prints every figure.
pub fn all(settings: &Settings) -> anyhow::Result<()> {
    let figures = [
        full_save::run,
        small_arrays::run,
        load::run,
        partial::run,
        genomes::run,
        scaling::run,
        memory::run,
        compressed::run,
    ];
    figures.iter().try_for_each(|figure| figure(settings))
}
