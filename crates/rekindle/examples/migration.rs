//! A state whose structure has changed: `cargo run -p rekindle --example migration`.

use rekindle::{Node, RunOptions, Tree, Versions};
use serde::{Deserialize, Serialize};

/// What version 1 of a program saved.
#[derive(Serialize, Deserialize)]
struct Before {
    step: u64,
    lr: f64,
}

/// What version 2 trains.
#[derive(Serialize, Deserialize)]
struct State {
    step: u64,
    learning_rate: f64,
    momentum: Vec<f64>,
}

/// Version 2 renamed `lr` and added `momentum`.
fn to_version_2(tree: Tree) -> Result<Tree, String> {
    let Node::Struct(mut fields) = tree else { return Err("a struct was expected".to_owned()) };
    let rate = fields.iter_mut().find(|(name, _)| name == "lr").ok_or("there is no `lr`")?;
    rate.0 = "learning_rate".to_owned();
    let momentum = rekindle::to_tree(&vec![0.0f64; 4]).map_err(|error| error.to_string())?;
    fields.push(("momentum".to_owned(), momentum));
    Ok(Node::Struct(fields))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("run");
    let mut old = RunOptions::new().versions(Versions::new("my-model", 1)).create(&path)?;
    old.save(7, &Before { step: 7, lr: 0.5 })?;
    drop(old);

    let versions = Versions::new("my-model", 2).migration(1, to_version_2);
    let mut run = RunOptions::new().versions(versions).open(&path)?;
    let mut state = State { step: 0, learning_rate: 0.1, momentum: vec![0.0; 4] };
    let resumed = run.resume(&mut state)?;
    assert_eq!(resumed.migrated_from, Some(1));
    println!("step {}, learning rate {}", state.step, state.learning_rate);
    // What was migrated is saved from the next step on.
    state.step += 1;
    run.save(state.step, &state)?;
    Ok(())
}
