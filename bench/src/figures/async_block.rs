//! How long training stands still for a save in the background, against a plain copy of the state.

use crate::Settings;
use crate::measure::{Contender, time_of};
use crate::states;
use crate::table::{Table, bytes};

/// Prints the baseline: the copy.
pub fn run(settings: &Settings) -> anyhow::Result<()> {
    let state = states::language_model(settings.scale);
    let about = format!(
        "The state of the full save, {}: the copy goes into buffers that were written before.",
        bytes(state.payload())
    );
    let mut table = Table::begin("Blocked time", &about, ["copy into warm buffers"]);
    let mut buffers: Vec<Vec<u8>> = state.arrays.iter().map(|array| array.bytes.clone()).collect();
    let copy: Contender<'_> = Box::new(|| {
        time_of(|| {
            for (buffer, array) in buffers.iter_mut().zip(&state.arrays) {
                buffer.copy_from_slice(&array.bytes);
            }
            Ok(())
        })
    });
    let [copy] = settings.turns().take([copy])?;
    table.row([&copy.text()]);
    Ok(())
}
