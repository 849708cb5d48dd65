//! One checkpoint of a trained logic model.

use std::fs;

use crate::Settings;
use crate::place;
use crate::subject;
use crate::table::{Table, bytes, times};

/// The presets, and the epochs of each.
const PRESETS: [(&str, f64); 2] = [("life", 3000.0), ("checkerboard", 500.0)];

/// Prints the figure.
pub fn run(settings: &Settings) -> anyhow::Result<()> {
    let about = "The last checkpoint of a preset trained to its end, alone in a run, against the bytes of its arrays and \
                 against its exact JSON. Aims: at most 0.5 x and 0.1 x.";
    let columns = ["preset", "epochs", "on disk", "arrays", "ours / arrays", "JSON", "ours / JSON"];
    let mut table = Table::begin("A trained logic model", about, columns);
    for (preset, epochs) in PRESETS {
        let epochs = ((epochs * settings.scale) as u64).max(1);
        let scratch = settings.places().remove(0).scratch()?;
        let [trained, alone, json] = ["trained", "alone", "state.json"].map(|name| scratch.path().join(name));
        subject::train(
            preset,
            &[format!("training.epochs={epochs}"), "training.refinement=null".to_owned()],
            &trained,
        )?;
        let payload = subject::copy_newest(&trained, &alone)?.record.payload_bytes;
        subject::export(&alone, &json)?;
        let (size, json) = (place::size(&alone)?, fs::metadata(&json)?.len());
        table.row([
            &preset,
            &epochs,
            &bytes(size),
            &bytes(payload),
            &times(size as f64 / payload as f64),
            &bytes(json),
            &times(size as f64 / json as f64),
        ]);
    }
    Ok(())
}
