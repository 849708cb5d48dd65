//! The figures, a module for each. All of them delete what they wrote.

pub mod async_block;
pub mod compressed;
pub mod every_epoch;
pub mod full_save;
pub mod genomes;
pub mod load;
pub mod memory;
pub mod partial;
pub mod scaling;
pub mod small_arrays;
pub mod trained_logic;
pub mod training_run;
pub mod weightless;

use crate::Settings;

/// Measures and prints every figure that has both sides.
pub fn all(settings: &Settings) -> anyhow::Result<()> {
    let figures = [
        full_save::run,
        async_block::run,
        small_arrays::run,
        load::run,
        partial::run,
        scaling::run,
        training_run::run,
        trained_logic::run,
        compressed::run,
        genomes::run,
        every_epoch::run,
        weightless::run,
        memory::run,
    ];
    figures.iter().try_for_each(|figure| figure(settings))
}
