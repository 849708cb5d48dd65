//! All checkpoints of a real training, and what each holds that the one before did not.

use crate::Settings;
use crate::place;
use crate::subject;
use crate::table::{Table, bytes, times};

/// Checkpoints of the figure.
const CHECKPOINTS: u64 = 20;
/// Epochs of the training.
const EPOCHS: f64 = 200.0;

/// Prints the figure.
pub fn run(settings: &Settings) -> anyhow::Result<()> {
    let every = ((EPOCHS * settings.scale) as u64 / CHECKPOINTS).max(1);
    let epochs = every * CHECKPOINTS;
    let about = format!(
        "The preset `checkerboard` for {epochs} epochs, saved every {every}, all kept: the bytes of all packs and of all \
         files of the run against the arrays of all checkpoints. Aim: at most 0.75 x."
    );
    let columns = ["checkpoints", "payload", "new bytes", "new / payload", "on disk", "on disk / payload"];
    let mut table = Table::begin("A training run", &about, columns);
    let scratch = settings.places().remove(0).scratch()?;
    let run = scratch.path().join("run");
    let overrides = [
        format!("training.epochs={epochs}"),
        "training.refinement=null".to_owned(),
        format!("checkpoint.every_steps={every}"),
        "checkpoint.keep_last=null".to_owned(),
    ];
    subject::train("checkerboard", &overrides, &run)?;

    let store = subject::open_path(&run)?;
    let payload: u64 = store.records().map(|record| record.payload_bytes).sum();
    let new: u64 = store.records().map(|record| record.new_bytes).sum();
    let size = place::size(&run)?;
    table.row([
        &store.records().count(),
        &bytes(payload),
        &bytes(new),
        &times(new as f64 / payload as f64),
        &bytes(size),
        &times(size as f64 / payload as f64),
    ]);
    Ok(())
}
