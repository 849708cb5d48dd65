//! One array out of a large state.

use std::path::Path;
use std::sync::Arc;

use rekindle::storage::FileStorage;

use crate::Settings;
use crate::counting::CountingStorage;
use crate::measure::{Contender, time_of};
use crate::states;
use crate::subject;
use crate::table::{Table, bytes, times};

/// The section and name of the array that is read.
const ARRAY: (&str, &str) = ("small", "one_megabyte");

/// Prints the figure.
pub fn run(settings: &Settings) -> anyhow::Result<()> {
    let mut state = states::language_model(settings.scale);
    state.push(ARRAY.0, ARRAY.1, &[500, 500], states::normal(0, 250_000, 0.02));
    let entry = format!("{}.{}", ARRAY.0, ARRAY.1);
    let about = format!(
        "The array `{entry}` of 1 MB out of {}, verified, the opening of the run included. Aim: less than 1 %.",
        bytes(state.payload())
    );
    let columns = ["place", "what", "the array", "everything", "array / everything"];
    let mut table = Table::begin("One array", &about, columns);
    for place in settings.places() {
        let scratch = place.scratch()?;
        subject::save(&mut subject::create(scratch.path())?, 1, &state)?;

        let (array_bytes, all_bytes) =
            (bytes_read(scratch.path(), Some(&entry))?, bytes_read(scratch.path(), None)?);
        let share = times(array_bytes as f64 / all_bytes as f64);
        table.row([&place.name, &"bytes read", &bytes(array_bytes), &bytes(all_bytes), &share]);

        let load = |entry| time_of(|| subject::load(&subject::open_path(scratch.path())?, entry));
        let array: Contender<'_> = Box::new(|| load(Some(entry.as_str())));
        let all: Contender<'_> = Box::new(|| load(None));
        let [array, all] = settings.turns().take([array, all])?;
        table.row([&place.name, &"time", &array.text(), &all.text(), &times(array.ratio_to(&all))]);
    }
    Ok(())
}

/// Bytes that are read to open the run and load the entry.
fn bytes_read(run: &Path, entry: Option<&str>) -> anyhow::Result<u64> {
    let counting = Arc::new(CountingStorage::new(Arc::new(FileStorage::new(run))));
    subject::load(&subject::open(counting.clone())?, entry)?;
    Ok(counting.bytes_read())
}
