//! Metrics, the best checkpoint, and what is kept: `cargo run -p rekindle --example metrics`.

use rekindle::{Best, Goal, Policy, Retention, RunOptions};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct State {
    step: u64,
    weight: f64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let policy = Policy {
        every_steps: Some(10),
        every: None,
        retention: Retention { keep_last: Some(2), ..Retention::default() },
        best: Some(Best { metric: "loss".to_owned(), goal: Goal::Min }),
        ..Policy::default()
    };
    let mut run = RunOptions::new().policy(policy).create(dir.path().join("run"))?;
    let mut state = State { step: 0, weight: 3.0 };
    while state.step < 100 {
        state.weight -= 0.05;
        state.step += 1;
        // A row of the history; the checkpoint of this step keeps the metrics.
        run.log(state.step, &[("loss".to_owned(), state.weight.powi(2))].into());
        run.checkpoint(state.step, &state)?;
    }
    run.save(state.step, &state)?;
    run.writer().set_tag("last", state.step, false)?;
    // The last two, and the best.
    for record in run.store().records() {
        println!("step {}: loss {:.3}", record.step, record.about.metrics["loss"]);
    }
    let newest = run.store().checkpoint(state.step)?;
    println!("{} rows of history", newest.history().0.len());
    Ok(())
}
