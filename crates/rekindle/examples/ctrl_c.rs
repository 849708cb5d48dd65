//! Stopping between two steps: `cargo run -p rekindle --example ctrl_c --features signals -- DIR`, then Ctrl-C.

use std::time::Duration;

use rekindle::signals::Signals;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct State {
    step: u64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let scratch = tempfile::tempdir()?;
    let path = std::env::args_os().nth(1).map_or(scratch.path().join("run"), Into::into);
    let mut state = State { step: 0 };
    let mut run = rekindle::Run::open_or_create(&path)?;
    run.resume(&mut state)?;
    // Told as soon as it comes, heeded between two steps.
    let signals = Signals::listen(|_| eprintln!("stopping after this step"));
    while state.step < 100 && signals.received().is_none() {
        std::thread::sleep(Duration::from_millis(20));
        state.step += 1;
        run.checkpoint(state.step, &state)?;
    }
    run.finish(&state)?;
    println!("stopped at step {}", state.step);
    // Schedulers look at the exit code.
    std::process::exit(signals.received().map_or(0, |signal| signal.exit_code().into()));
}
