//! Runs the real binary in a fresh directory.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests look at files directly")]
#![allow(dead_code, reason = "each story uses a part")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A small version of the Game of Life: the same code paths in a fraction of the time.
pub const SMALL_LIFE: &str = "\
system: logic
seed: 1
model:
  channels: 1
  kernels: 8
  kernel_gates: [8, 4, 2, 1]
  update_gates: [16, 16, 8, 4, 2, 1]
training:
  task: life
  width: 3
  height: 3
  boundary: periodic
  automaton_steps: 1
  batch: 20
  epochs: 60
  learning_rate: 0.05
  betas: [0.9, 0.99]
  epsilon: 1.0e-8
  weight_decay: 0.01
  clip: 100.0
evaluate:
  every: 20
checkpoint:
  every_steps: 20
  every_seconds: null
best:
  metric: hard_loss
";

/// A language model that learns facts and then dialogues in a few steps, while its vocabulary changes.
pub const SMALL_GPT: &str = "\
system: gpt
seed: 3
model: {layers: 2, heads: 2, width: 32, context: 48, dropout: 0.1}
training:
  tokenizer: {vocabulary: 300}
  precision: f16
  parts: 3
  pretraining:
    data: {source: facts, count: 200, evaluation: 0.02}
    steps: 8
    batch: 4
    learning_rate: 0.01
    warmup: 2
  tuning:
    data: {source: dialogues, count: 200, evaluation: 0.1}
    steps: 8
    batch: 4
    learning_rate: 0.005
  adapt:
    every: 300
    rows: distilled
    policy: {limit: 340, least_count: 4, most_at_once: 12, pruning: lru, prune_share: 0.02}
checkpoint:
  every_steps: 4
  every_seconds: null
";

pub struct World {
    dir: tempfile::TempDir,
}

pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl World {
    /// A fresh directory with `small.yaml` and `gpt.yaml` in it.
    pub fn new() -> Self {
        let world = Self { dir: tempfile::tempdir().unwrap() };
        world.write("small.yaml", SMALL_LIFE.as_bytes());
        world.write("gpt.yaml", SMALL_GPT.as_bytes());
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// `rekindle` with these words, not yet started.
    pub fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rekindle"));
        command.args(words.split_whitespace()).current_dir(self.dir.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env_remove("REKINDLE_KERNELS").env("HOSTNAME", "testhost");
        command
    }

    pub fn run(&self, words: &str) -> Outcome {
        outcome(self.command(words).output().unwrap())
    }

    /// Runs a command with this on its standard input, from which it may not read all.
    pub fn told(&self, words: &str, input: &str) -> Outcome {
        let mut child = self.command(words).stdin(Stdio::piped()).spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        outcome(child.wait_with_output().unwrap())
    }

    /// Runs a command that must succeed, and gives what it printed.
    pub fn ok(&self, words: &str) -> String {
        let Outcome { code, stdout, stderr } = self.run(words);
        assert_eq!(code, 0, "rekindle {words}\n{stdout}\n{stderr}");
        stdout
    }

    /// Runs a command that must succeed, and gives its last line as JSON.
    pub fn json(&self, words: &str) -> Value {
        last_json(&self.ok(&format!("{words} --json")))
    }

    /// Runs a command that must fail with this code, and gives what it said.
    pub fn fails(&self, expected: i32, words: &str) -> String {
        let Outcome { code, stdout, stderr } = self.run(words);
        assert_eq!(code, expected, "rekindle {words}\n{stdout}\n{stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
        stderr
    }

    /// All files below a directory, in order.
    pub fn files(&self, name: &str) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut waiting = vec![self.path(name)];
        while let Some(dir) = waiting.pop() {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { waiting.push(path) } else { files.push(path) }
            }
        }
        files.sort();
        files
    }

    /// The newest file in a directory of a run.
    pub fn newest_pack(&self, run: &str, before: &[PathBuf]) -> PathBuf {
        let packs = self.files(&format!("{run}/packs"));
        packs.into_iter().find(|pack| !before.contains(pack)).unwrap()
    }
}

pub fn outcome(output: Output) -> Outcome {
    Outcome {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

pub fn last_json(stdout: &str) -> Value {
    serde_json::from_str(stdout.lines().last().unwrap()).unwrap()
}

/// Changes one byte of a file.
pub fn flip(path: &Path, offset: usize) {
    spoil_range(path, offset..offset + 1, 1);
}

/// True when a closed terminal is ignored by this process, and so by those that it starts: then the tests
/// were started by `nohup` or the like.
pub fn ignores_hang_up() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let ignored = mask.is_some_and(|mask| mask & 1 == 1);
    if ignored {
        eprintln!("skipped: SIGHUP is ignored here; run the tests without nohup");
    }
    ignored
}

/// Damages a chunk: a single bit of what is encoded may mean nothing.
pub fn spoil(path: &Path, offset: usize) {
    spoil_range(path, offset..offset + 40, 0xff);
}

fn spoil_range(path: &Path, range: std::ops::Range<usize>, bits: u8) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[range].iter_mut().for_each(|byte| *byte ^= bits);
    std::fs::write(path, bytes).unwrap();
}

/// Copies a directory with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &place);
        } else {
            std::fs::copy(entry.path(), place).unwrap();
        }
    }
}

/// A program that uses the library and is not `rekindle`: `crates/rekindle/examples/proven.rs`, which is built with
/// these tests.
pub fn proven() -> String {
    let examples = Path::new(env!("CARGO_BIN_EXE_rekindle")).with_file_name("examples");
    examples.join("proven").display().to_string()
}
