//! A full save of a large state: every byte hashed and written anew.

use crate::Settings;
use crate::measure::{Contender, Times, Turns, time_of};
use crate::place::{self, Place};
use crate::states::{self, State};
use crate::table::{Table, bytes, times};
use crate::{peer, subject};

/// Prints the figure.
pub fn run(settings: &Settings) -> anyhow::Result<()> {
    let state = states::language_model(settings.scale);
    let about = format!(
        "Weights and both Adam moments of a language model: {} arrays, {}. Ours hashes every byte; all end with a \
         sync of file and directory. Aim: at most 1.05 x.",
        state.arrays.len(),
        bytes(state.payload())
    );
    let columns = ["place", "ours", "safetensors", "ours / safetensors", "plain write"];
    let mut table = Table::begin("Full save", &about, columns);
    for place in settings.places() {
        let [ours, safetensors, plain] = save_in_turns(&state, &place, settings.turns())?;
        let ratio = times(ours.ratio_to(&safetensors));
        table.row([&place.name, &ours.text(), &safetensors.text(), &ratio, &plain.text()]);
    }
    Ok(())
}

/// Times of ours, safetensors and a plain write.
pub fn save_in_turns(state: &State, place: &Place, turns: Turns) -> anyhow::Result<[Times; 3]> {
    let scratch = place.scratch()?;
    let (run, file) = (scratch.path().join("run"), scratch.path().join("file"));
    let ours: Contender<'_> = Box::new(|| {
        let mut store = subject::create(&run)?;
        let elapsed = time_of(|| subject::save(&mut store, 1, state))?;
        drop(store);
        place::clear(scratch.path())?;
        Ok(elapsed)
    });
    let safetensors: Contender<'_> = Box::new(|| {
        let elapsed = time_of(|| peer::save_safetensors(state, &file))?;
        place::clear(scratch.path())?;
        Ok(elapsed)
    });
    let plain: Contender<'_> = Box::new(|| {
        let elapsed = time_of(|| peer::write_plainly(state, &file))?;
        place::clear(scratch.path())?;
        Ok(elapsed)
    });
    turns.take([ours, safetensors, plain])
}
