//! What a proof is asked for and what it gives.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

/// So many failures are described; further ones are only counted.
const DESCRIBED: usize = 20;

/// How much a proof does.
#[derive(Debug, Clone)]
pub struct Scale {
    /// Crash images: power cuts per operation, when not all combinations are tried.
    pub images_per_point: usize,
    /// Crash images: the same after a process died and another went on.
    pub images_after_death: usize,
    /// Crash images: the other process meets every operation with this stride.
    pub death_stride: usize,
    /// Failing calls: every call with this stride.
    pub call_stride: usize,
    /// Bad places: so many ranges of each file.
    pub places: u64,
    /// Bad places: every case with this stride.
    pub place_stride: usize,
    /// Real kills of a child process.
    pub kills: u64,
    /// Bit flips: every bit with this stride.
    pub bit_stride: usize,
    /// Two damaged packs: random runs.
    pub damaged_pairs: u64,
    /// Copies beside a writer.
    pub copies: u64,
    /// Random operations of the model proof.
    pub operations: u64,
    /// Loads beside a writer.
    pub loads: u64,
    /// Random configs of each system.
    pub configs: u64,
    /// Hostile names: every one with this stride.
    pub name_stride: usize,
    /// The program that plays the child process: the `reliability` binary.
    pub program: PathBuf,
    /// Told how far a proof is: its name, done, of how many.
    pub progress: fn(&str, u64, u64),
}

impl Scale {
    /// What is published.
    pub fn full(program: PathBuf) -> Self {
        Self {
            images_per_point: 6500,
            images_after_death: 96,
            death_stride: 1,
            call_stride: 1,
            places: 8,
            place_stride: 1,
            kills: 10_000,
            bit_stride: 1,
            damaged_pairs: 8_000,
            copies: 20_000,
            operations: 1_000_000,
            loads: 10_000,
            configs: 300,
            name_stride: 1,
            program,
            progress: |_, _, _| {},
        }
    }

    /// What the tests run: seconds.
    pub fn short(program: PathBuf) -> Self {
        Self {
            images_per_point: 5,
            images_after_death: 2,
            death_stride: 12,
            call_stride: 7,
            places: 3,
            place_stride: 23,
            kills: 15,
            bit_stride: 1499,
            damaged_pairs: 48,
            copies: 100,
            operations: 1500,
            loads: 150,
            configs: 6,
            name_stride: 5,
            ..Self::full(program)
        }
    }
}

/// What a proof found.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// What was counted, the most telling number first.
    pub counts: Vec<(&'static str, u64)>,
    /// How many cases went wrong.
    pub failed: u64,
    /// The first of them: what went wrong, and how to see it again.
    pub failures: Vec<String>,
}

impl Outcome {
    /// Adds to a count.
    pub fn count(&mut self, what: &'static str, more: u64) {
        match self.counts.iter_mut().find(|count| count.0 == what) {
            Some(count) => count.1 += more,
            None => self.counts.push((what, more)),
        }
    }

    /// Takes in the outcome of a part.
    pub fn add(&mut self, part: Self) {
        part.counts.into_iter().for_each(|(what, more)| self.count(what, more));
        self.failed += part.failed;
        let room = DESCRIBED - self.failures.len();
        self.failures.extend(part.failures.into_iter().take(room));
    }

    /// Notes a case that went wrong.
    pub fn fail(&mut self, description: String) {
        self.failed += 1;
        if self.failures.len() < DESCRIBED {
            self.failures.push(description);
        }
    }

    /// Notes the result of a case; `describe` says how to see it again.
    pub fn check(&mut self, result: Result<(), String>, describe: impl FnOnce() -> String) {
        if let Err(what) = result {
            self.fail(format!("{}: {what}", describe()));
        }
    }
}

/// Runs a case; a panic is a failure like any other.
pub fn guarded(case: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(case)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message");
        Err(format!("it panicked: {text}"))
    })
}
