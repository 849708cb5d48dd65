//! The size and time of saved weights against zstd alone.

use std::fs;

use half::bf16;
use rayon::prelude::*;
use rekindle::tree::DType;

use crate::Settings;
use crate::language_model::{self, LanguageModel};
use crate::measure::{Contender, time_of};
use crate::place;
use crate::states::{self, NamedArray, State};
use crate::subject;
use crate::table::{Table, bytes, times};

/// The level that users take.
const LEVEL: i32 = 3;
/// Synthetic weights: numbers of the whole figure.
const SYNTHETIC: f64 = 32e6;
/// Steps of the training.
const STEPS: f64 = 400.0;

/// Prints the figure.
pub fn run(settings: &Settings) -> anyhow::Result<()> {
    let text = match &settings.text {
        Some(path) => fs::read(path)?,
        None => language_model::generated_text(1_000_000),
    };
    let model = language_model::train(&text, (STEPS * settings.scale).max(20.0) as u64)?;
    let place = settings.fastest_place();
    let threads = rayon::current_num_threads();
    let [first, last] = model.losses;
    let about = format!(
        "A full save on {} against zstd -{LEVEL} of the same bytes in memory: on one thread as one frame, on {threads} \
         as a frame for each. The trained weights are of a language model of the bytes of {}, {} parameters, loss \
         {first:.2} to {last:.2} nats. Aim: smaller, in at most the time.",
        place.name,
        if settings.text.is_some() { "a real text" } else { "a generated text" },
        model.matrices.iter().map(|matrix| matrix.values.len()).sum::<usize>(),
    );
    let columns = [
        "weights",
        "threads",
        "raw",
        "ours",
        "zstd",
        "size, ours / zstd",
        "time, ours",
        "time, zstd",
        "ours / zstd",
    ];
    let mut table = Table::begin("Compressed weights", &about, columns);
    let synthetic = synthetic((SYNTHETIC * settings.scale) as usize);
    let states = [
        ("synthetic, bf16", as_bf16(&synthetic)),
        ("synthetic, f32", synthetic),
        ("trained, bf16", as_bf16(&weights(&model))),
        ("trained, f32", weights(&model)),
        ("trained, both moments, f32", moments(&model)),
    ];
    for (name, state) in &states {
        for threads in [1, threads] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
            pool.install(|| measure(settings, &mut table, name, threads, state))?;
        }
    }
    Ok(())
}

fn measure(
    settings: &Settings,
    table: &mut Table,
    name: &str,
    threads: usize,
    state: &State,
) -> anyhow::Result<()> {
    let scratch = settings.fastest_place().scratch()?;
    let all: Vec<u8> = state.arrays.iter().flat_map(|array| array.bytes.iter().copied()).collect();
    let (mut size, mut zstd_size) = (0, 0);
    let ours: Contender<'_> = Box::new(|| {
        let mut store = subject::create_small(scratch.path())?;
        let elapsed = time_of(|| subject::save(&mut store, 1, state))?;
        drop(store);
        size = place::size(scratch.path())?;
        place::clear(scratch.path())?;
        Ok(elapsed)
    });
    let zstd: Contender<'_> = Box::new(|| {
        time_of(|| {
            let frames =
                all.par_chunks(all.len().div_ceil(threads)).map(|piece| zstd::bulk::compress(piece, LEVEL));
            let frames = frames.collect::<std::io::Result<Vec<_>>>()?;
            zstd_size = frames.iter().map(|frame| frame.len() as u64).sum();
            Ok(frames)
        })
    });
    let [ours, zstd] = settings.turns().take([ours, zstd])?;
    table.row([
        &name,
        &threads,
        &bytes(all.len() as u64),
        &times(size as f64 / all.len() as f64),
        &times(zstd_size as f64 / all.len() as f64),
        &times(size as f64 / zstd_size as f64),
        &ours.text(),
        &zstd.text(),
        &times(ours.ratio_to(&zstd)),
    ]);
    Ok(())
}

fn synthetic(count: usize) -> State {
    let mut state = State::default();
    for (number, columns) in [(0, 1024), (1, 4096)] {
        let rows = (count / 2 / columns).max(1);
        let values = states::normal(number, rows * columns, 0.02);
        state.push("synthetic", format!("w{number}"), &[rows as u64, columns as u64], values);
    }
    state
}

fn weights(model: &LanguageModel) -> State {
    let mut state = State::default();
    for (number, matrix) in model.matrices.iter().enumerate() {
        let shape = matrix.shape.map(|extent| extent as u64);
        state.push("weights", format!("w{number}"), &shape, bytemuck::cast_slice(&matrix.values).to_vec());
    }
    state
}

fn moments(model: &LanguageModel) -> State {
    let mut state = State::default();
    for (number, matrix) in model.matrices.iter().enumerate() {
        let shape = matrix.shape.map(|extent| extent as u64);
        for (name, values) in [("m", &matrix.moments.first_moment), ("v", &matrix.moments.second_moment)] {
            state.push("moments", format!("{name}{number}"), &shape, bytemuck::cast_slice(values).to_vec());
        }
    }
    state
}

fn as_bf16(state: &State) -> State {
    let convert = |array: &NamedArray| {
        let rounded: Vec<bf16> = states::numbers(&array.bytes).into_iter().map(bf16::from_f32).collect();
        let bytes = bytemuck::cast_slice(&rounded).to_vec();
        NamedArray {
            dtype: DType::BF16,
            name: array.name.clone(),
            shape: array.shape.clone(),
            bytes,
            ..*array
        }
    };
    State { arrays: state.arrays.iter().map(convert).collect() }
}
