//! How long training stands still for a save in the background, against a plain copy of the state.

use std::collections::BTreeMap;

use rekindle::{RunOptions, Saving, WhenBusy};
use serde::{Deserialize, Serialize};

use crate::Settings;
use crate::measure::{Contender, time_of};
use crate::states;
use crate::table::{Table, bytes, times};

/// The state as a training loop has it: arrays by name.
type Arrays = BTreeMap<String, Array>;

/// An array whose bytes are captured as they lie in memory.
#[derive(Clone, Serialize, Deserialize)]
struct Array(#[serde(with = "rekindle::array")] Vec<f32>);

/// Prints the figure.
pub fn run(settings: &Settings) -> anyhow::Result<()> {
    let state = states::language_model(settings.scale);
    let about = format!(
        "The state of the full save, {}: how long the call that hands it to the writer takes. The copy goes into \
         buffers that were written before; so does the capture, but for the first. Aim: at most 1.2 x.",
        bytes(state.payload())
    );
    let mut arrays = Arrays::new();
    for array in &state.arrays {
        let mut numbers = vec![0.0; array.bytes.len() / size_of::<f32>()];
        bytemuck::cast_slice_mut(&mut numbers).copy_from_slice(&array.bytes);
        arrays.insert(format!("{}_{}", array.section, array.name), Array(numbers));
    }
    drop(state);
    let mut table =
        Table::begin("Blocked time", &about, ["place", "ours", "copy into warm buffers", "ours / copy"]);
    for place in settings.places() {
        let scratch = place.scratch()?;
        let options = RunOptions::new().saving(Saving::Background(WhenBusy::Wait));
        let mut run = options.create(scratch.path().join("run"))?;
        let mut step = 0;
        run.checkpoint_now(step, &arrays)?;
        let ours: Contender<'_> = Box::new(|| {
            step += 1;
            let elapsed = time_of(|| Ok(run.checkpoint_now(step, &arrays)?))?;
            // Until the writer is done: what it takes is not what training waits for.
            run.store();
            Ok(elapsed)
        });
        let mut buffers = arrays.clone();
        let copy: Contender<'_> = Box::new(|| {
            time_of(|| {
                for (buffer, array) in buffers.values_mut().zip(arrays.values()) {
                    buffer.0.copy_from_slice(&array.0);
                }
                Ok(())
            })
        });
        let [ours, copy] = settings.turns().take([ours, copy])?;
        table.row([&place.name, &ours.text(), &copy.text(), &times(ours.ratio_to(&copy))]);
    }
    Ok(())
}
