//! Many small arrays, as a model with parameters per unit has them.

use crate::Settings;
use crate::figures::full_save::save_in_turns;
use crate::place;
use crate::states;
use crate::subject;
use crate::table::{Table, bytes, times};

/// Arrays of the whole figure.
const COUNT: f64 = 50_000.0;

/// Prints the figure.
pub fn run(settings: &Settings) -> anyhow::Result<()> {
    let state = states::small_arrays((COUNT * settings.scale) as usize);
    let about = format!(
        "{} arrays of 9 to 11 KB of normal noise, {} together. Aims: at most 1.0 x the time of \
         safetensors, at most 1.02 x the payload on disk.",
        state.arrays.len(),
        bytes(state.payload())
    );
    let columns = ["place", "ours", "safetensors", "ours / safetensors", "plain write", "size / payload"];
    let mut table = Table::begin("Many small arrays", &about, columns);
    for place in settings.places() {
        let [ours, safetensors, plain] = save_in_turns(&state, &place, settings.turns())?;
        let scratch = place.scratch()?;
        subject::save(&mut subject::create(scratch.path())?, 1, &state)?;
        let size = place::size(scratch.path())? as f64 / state.payload() as f64;
        let ratio = times(ours.ratio_to(&safetensors));
        let size = format!("{size:.4} x");
        table.row([&place.name, &ours.text(), &safetensors.text(), &ratio, &plain.text(), &size]);
    }
    Ok(())
}
