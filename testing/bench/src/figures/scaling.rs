//! Save and load against the size of the state, and many saves of a small one.

use std::path::Path;

use rekindle::{Policy, Retention};
use rekindle_compute::rng;
use serde::{Deserialize, Serialize};

use crate::Settings;
use crate::figures::full_save::save_in_turns;
use crate::measure::{Contender, median, seconds, time_of};
use crate::states::{self, State};
use crate::table::{Table, times};
use crate::{peer, subject};

/// Sizes of the states: MB.
const SIZES: [f64; 6] = [1.0, 4.0, 16.0, 64.0, 256.0, 1024.0];
/// Numbers in each array of the small state.
const SMALL: usize = 1600;
/// Saves of the small state whose times are shown.
const MARKS: [usize; 4] = [1, 10, 100, 1000];

/// Prints both tables.
pub fn run(settings: &Settings) -> anyhow::Result<()> {
    sizes(settings)?;
    many_saves(settings)
}

fn sizes(settings: &Settings) -> anyhow::Result<()> {
    let about = "Arrays of 1 MB of noise; each save into a new run, each load from the page cache.";
    let columns =
        ["place", "MB", "save", "safetensors", "ours / theirs", "load", "safetensors", "ours / theirs"];
    let mut table = Table::begin("Size of the state", about, columns);
    let mut sizes = SIZES.map(|size| ((size * settings.scale) as usize).max(1)).to_vec();
    sizes.dedup();
    for place in settings.places() {
        for &size in &sizes {
            let state = states::megabytes(size);
            let [save, their_save, _] = save_in_turns(&state, &place, settings.turns())?;
            let scratch = place.scratch()?;
            let (run, file) = (scratch.path().join("run"), scratch.path().join("file"));
            subject::save(&mut subject::create(&run)?, 1, &state)?;
            peer::save_safetensors(&state, &file)?;
            let ours: Contender<'_> =
                Box::new(|| time_of(|| subject::load(&subject::open_path(&run)?, None)));
            let theirs: Contender<'_> = Box::new(|| time_of(|| peer::load_safetensors(&file)));
            let [load, their_load] = settings.turns().take([ours, theirs])?;
            table.row([
                &place.name,
                &size,
                &seconds(save.median()),
                &seconds(their_save.median()),
                &times(save.ratio_to(&their_save)),
                &seconds(load.median()),
                &seconds(their_load.median()),
                &times(load.ratio_to(&their_load)),
            ]);
        }
    }
    Ok(())
}

/// A small state all of whose numbers change at every step.
#[derive(Serialize, Deserialize)]
struct Small {
    step: u64,
    #[serde(with = "rekindle::array")]
    weights: Vec<f32>,
    #[serde(with = "rekindle::array")]
    first_moment: Vec<f32>,
    #[serde(with = "rekindle::array")]
    second_moment: Vec<f32>,
}

impl Small {
    fn at(step: u64) -> Self {
        let mut draws = rng::stream(0, 1, step);
        let mut array = || (0..SMALL).map(|_| draws.uniform()).collect();
        Self { step, weights: array(), first_moment: array(), second_moment: array() }
    }

    fn as_state(&self) -> State {
        let mut state = State::default();
        for (name, values) in
            [("weights", &self.weights), ("first", &self.first_moment), ("second", &self.second_moment)]
        {
            state.push("small", name, &[SMALL as u64], bytemuck::cast_slice(values).to_vec());
        }
        state
    }
}

fn many_saves(settings: &Settings) -> anyhow::Result<()> {
    let about = "A state of 19 KB that changes throughout, saved at every step through `Run::checkpoint`, in turns with \
                 a safetensors file per step. Each row but the first is the median of the saves around that one \
                 (a tenth of them); the first also proves that the state comes back.";
    let columns =
        ["place", "save", "keep-last 3", "keep all", "safetensors", "keep-last / theirs", "all / theirs"];
    let mut table = Table::begin("Many saves of a small state", about, columns);
    let count = ((1000.0 * settings.scale) as usize).max(100);
    for place in settings.places() {
        let scratch = place.scratch()?;
        let [keep_last, keep_all, safetensors] = save_many(scratch.path(), count)?;
        for mark in MARKS.into_iter().filter(|&mark| mark <= count) {
            let [last, all, theirs] = [&keep_last, &keep_all, &safetensors].map(|times| around(times, mark));
            table.row([
                &place.name,
                &mark,
                &seconds(last),
                &seconds(all),
                &seconds(theirs),
                &times(last / theirs),
                &times(all / theirs),
            ]);
        }
    }
    Ok(())
}

/// Times of each save, by step, of a run that keeps the last three, one that keeps all, and files.
fn save_many(directory: &Path, count: usize) -> anyhow::Result<[Vec<f64>; 3]> {
    let each_step = |retention| Policy { every_steps: Some(1), every: None, retention, ..Policy::default() };
    let mut keep_last = subject::create_run(&directory.join("keep-last"))?;
    keep_last.set_policy(each_step(Policy::default().retention));
    let mut keep_all = subject::create_run(&directory.join("keep-all"))?;
    keep_all.set_policy(each_step(Retention::default()));

    let mut all_times: [Vec<f64>; 3] = Default::default();
    for step in 1..=count as u64 {
        let small = Small::at(step);
        let state = small.as_state();
        let file = directory.join(format!("{step}.safetensors"));
        let elapsed = [
            time_of(|| Ok(keep_last.checkpoint(step, &small)?))?,
            time_of(|| Ok(keep_all.checkpoint(step, &small)?))?,
            time_of(|| peer::save_safetensors(&state, &file))?,
        ];
        for (times, elapsed) in all_times.iter_mut().zip(elapsed) {
            times.push(elapsed.as_secs_f64());
        }
    }
    Ok(all_times)
}

/// The median of the saves around the `mark`-th, a tenth of them.
fn around(times: &[f64], mark: usize) -> f64 {
    let half = mark / 20;
    median(&times[mark - 1 - half..(mark + half).min(times.len())])
}
