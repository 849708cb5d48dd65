//! Learns one table and answers another, and prints as JSON how well and how fast:
//! `cargo run --release -p rekindle-wisard --example wisard_digits -- TRAIN.csv TEST.csv TARGET KIND BITS
//! TUPLE_BITS ORDERS SEEDS [THREADS]`.
//!
//! Times are of the tables in memory: learning includes the thresholds and the encoding, and answering
//! the encoding and all columns of the answer.

use std::path::Path;
use std::time::Instant;

use rekindle_formats::table::Table;
use rekindle_wisard::{Encoding, EncodingKind, Model, State};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [train, test, target, kind, bits, tuple_bits, orders, seeds, threads @ ..] = &arguments[..] else {
        return Err("TRAIN.csv TEST.csv TARGET KIND BITS TUPLE_BITS ORDERS SEEDS [THREADS]".into());
    };
    let kind = match kind.as_str() {
        "linear" => EncodingKind::Linear,
        "gaussian" => EncodingKind::Gaussian,
        "quantile" => EncodingKind::Quantile,
        other => return Err(format!("there is no encoding `{other}`").into()),
    };
    let threads = threads.first().map_or(Ok(1), |threads| threads.parse())?;
    let encoding = Encoding { kind, bits: bits.parse()? };
    let model = Model { encoding, tuple_bits: tuple_bits.parse()?, orders: orders.parse()? };
    let (train, test) = (Table::read(Path::new(train))?, Table::read(Path::new(test))?);
    let mut trials = Vec::new();
    for seed in 0..seeds.parse()? {
        trials.push(trial(&model, &train, &test, target, seed, threads)?);
    }
    let column = |index: usize| trials.iter().map(move |trial: &[f64; 3]| trial[index]).collect::<Vec<f64>>();
    let result = serde_json::json!({
        "accuracy": column(0), "train_seconds": column(1), "query_seconds": column(2), "rows": test.rows(),
    });
    println!("{result}");
    Ok(())
}

/// Accuracy, and the seconds to learn and to answer.
fn trial(
    model: &Model,
    train: &Table,
    test: &Table,
    target: &str,
    seed: u64,
    threads: usize,
) -> Result<[f64; 3], Failure> {
    let begun = Instant::now();
    let state = State::learn(model, train, target, seed, threads)?;
    let learnt = begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    let answers = state.predict(test)?;
    let answered = begun.elapsed().as_secs_f64();
    let (Some(found), Some(expected)) = (answers.table.column(target), test.column(target)) else {
        return Err(format!("there is no column `{target}`").into());
    };
    let right = (0..test.rows()).filter(|&row| found.values.text(row) == expected.values.text(row)).count();
    Ok([right as f64 / test.rows() as f64, learnt, answered])
}
