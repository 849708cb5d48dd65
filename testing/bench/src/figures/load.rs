//! A full load into memory of its own, every byte verified.

use crate::Settings;
use crate::measure::{Contender, time_of};
use crate::place;
use crate::states;
use crate::table::{Table, bytes, times};
use crate::{peer, subject};

/// Prints the figure.
pub fn run(settings: &Settings) -> anyhow::Result<()> {
    let state = states::language_model(settings.scale);
    let about = format!(
        "The state of the full save, {}, out of the page cache: every array into memory of its own. Ours opens the \
         run and verifies every byte. `unverified` reads as many bytes of the same packs by positioned reads on as \
         many threads. safetensors reads the file, deserialises it and copies every tensor. Aims: at most 1.4 x \
         and 1.0 x.",
        bytes(state.payload())
    );
    let columns = ["place", "ours", "unverified", "ours / unverified", "safetensors", "ours / safetensors"];
    let mut table = Table::begin("Full load", &about, columns);
    for place in settings.places() {
        let scratch = place.scratch()?;
        let (run, file) = (scratch.path().join("run"), scratch.path().join("file"));
        subject::save(&mut subject::create(&run)?, 1, &state)?;
        peer::save_safetensors(&state, &file)?;
        let packs = place::packs(&run)?;
        let lengths: Vec<usize> = state.arrays.iter().map(|array| array.bytes.len()).collect();

        let ours: Contender<'_> = Box::new(|| time_of(|| subject::load(&subject::open_path(&run)?, None)));
        let unverified: Contender<'_> = Box::new(|| time_of(|| peer::read_plainly(&packs, &lengths)));
        let safetensors: Contender<'_> = Box::new(|| time_of(|| peer::load_safetensors(&file)));
        let [ours, unverified, safetensors] = settings.turns().take([ours, unverified, safetensors])?;
        table.row([
            &place.name,
            &ours.text(),
            &unverified.text(),
            &times(ours.ratio_to(&unverified)),
            &safetensors.text(),
            &times(ours.ratio_to(&safetensors)),
        ]);
    }
    Ok(())
}
