//! The proofs in their short form, and how much memory reading and training take. The allocator of this
//! program counts.

mod examples_memory;
mod golden_states;
mod import_memory;
mod json_memory;
mod model_file_memory;
mod short;
mod training_memory;

use std::sync::{Mutex, MutexGuard, PoisonError};

use rekindle_reliability::allocation::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Keeps the memory of other tests out of a measurement: each holds this while it runs.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Measures until what must hold does, a few times at most. Threads of an earlier test may still be ending, and
/// what they allocate or free is added to what is measured.
fn holds_in_some_try(measured: impl Fn() -> Result<(), String>) {
    const TRIES: usize = 3;
    let wrong: Vec<String> = (0..TRIES).map_while(|_| measured().err()).collect();
    assert!(wrong.len() < TRIES, "{}", wrong.join("\n"));
}
