//! What the proofs found, for people and for scripts.

use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use rekindle::time::{format_utc, now_seconds};
use serde_json::json;

use crate::outcome::Outcome;
use crate::{PROOFS, Proof};

/// A proof that was run.
#[derive(Debug)]
pub struct Result {
    /// Which.
    pub proof: &'static Proof,
    /// With which seed.
    pub seed: u64,
    /// How long it took.
    pub seconds: f64,
    /// What it found.
    pub outcome: Outcome,
}

/// What no proof covers.
const NOT_COVERED: &[&str] = &[
    "Disks that lie: a sync that reports success and is lost, a rename that is torn, sectors that change \
     under other files' writes.",
    "Windows: a directory cannot be synced there; the crash images follow POSIX.",
    "Network file systems and writers on two machines: the right to write is a lock of the operating system.",
    "Power cuts of a real machine: the simulated disk stands for them.",
    "Symbolic links within a run's directory: they are followed.",
    "Small files that state large trees: compressed or shared entries, each well formed, take about a \
     hundred bytes each in memory (`TAKE_MORE` in `hostile`).",
    "Damage of several files at once, beyond a file that is missing or cut.",
    "Files for people, which no hash covers: `config.yaml`, `metrics.jsonl`, `lease.holder.json`, artifacts.",
];

/// Shows how far a proof is, once per percent.
pub fn progress(name: &str, done: u64, of: u64) {
    static LAST: AtomicU64 = AtomicU64::new(u64::MAX);
    let percent = done * 100 / of.max(1);
    if LAST.swap(percent, Ordering::Relaxed) != percent {
        eprint!("\r{name}: {percent} % ");
    }
}

/// All results as JSON.
///
/// # Errors
/// None that occur: texts and numbers can be written.
pub fn json(results: &[Result]) -> serde_json::Result<String> {
    let results: Vec<_> = results
        .iter()
        .map(|result| {
            let counts: serde_json::Map<_, _> =
                result.outcome.counts.iter().map(|&(what, count)| (what.to_owned(), count.into())).collect();
            json!({
                "proof": result.proof.name, "what": result.proof.what, "seed": result.seed, "counts": counts,
                "failed": result.outcome.failed, "failures": result.outcome.failures,
                "seconds": result.seconds,
            })
        })
        .collect();
    serde_json::to_string_pretty(&json!({
        "commit": commit(), "machine": machine(), "date": format_utc(now_seconds()), "proofs": results,
    }))
}

/// The results as a Markdown table.
pub fn table(results: &[Result]) -> String {
    let mut text =
        "| proof | what is done | count | seed | result | seconds |\n|---|---|---|---|---|---|\n".to_owned();
    for Result { proof, seed, seconds, outcome } in results {
        let counts: Vec<_> =
            outcome.counts.iter().map(|(what, count)| format!("{} {what}", grouped(*count))).collect();
        let result = match outcome.failed {
            0 => "no failure".to_owned(),
            count => format!("**{count} failures**"),
        };
        let (name, what, counts) = (proof.name, proof.what, counts.join(", "));
        text += &format!("| `{name}` | {what} | {counts} | {seed} | {result} | {seconds:.0} |\n");
    }
    text
}

/// The whole of `docs/reliability.md`.
pub fn markdown(results: &[Result], short: bool) -> String {
    let form = if short { "reliability --short" } else { "just reliability" };
    let all: Vec<_> = PROOFS.iter().map(|proof| format!("`{}`", proof.name)).collect();
    let mut text = format!(
        "# Reliability\n\nWhat a run survives, by fault injection. Written by `{form}`; the proofs are the \
         modules of `testing/reliability/src`, and each says at its head what it does and what must hold: {}. A \
         failure names the case and the seed, with which it comes again.\n\n",
        all.join(", ")
    );
    text += &table(results);
    let failures: Vec<_> = results.iter().flat_map(|result| &result.outcome.failures).collect();
    if !failures.is_empty() {
        text += "\n## Failures\n\n";
        failures.iter().for_each(|failure| text += &format!("- {failure}\n"));
    }
    text += &format!(
        "\nCommit {}; {}; {}.\n\n## Not covered\n\n",
        commit(),
        machine(),
        format_utc(now_seconds())
    );
    NOT_COVERED.iter().for_each(|limit| text += &format!("- {limit}\n"));
    text
}

/// 1234567 as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(",")
}

fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned()).filter(|text| !text.is_empty())
}

fn commit() -> String {
    let hash = said("git", &["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(|| "unknown".to_owned());
    let changed = said("git", &["status", "--porcelain", "--untracked-files=no"]).is_some();
    if changed { format!("{hash} with changes") } else { hash }
}

/// Processor, cores, system and the file system of the temporary directory.
fn machine() -> String {
    let processor = said("sh", &["-c", "grep -m1 'model name' /proc/cpuinfo | cut -d: -f2"]);
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let system = said("uname", &["-sr"]).unwrap_or_else(|| std::env::consts::OS.to_owned());
    let temporary = std::env::temp_dir().display().to_string();
    let files = said("stat", &["-f", "-c", "%T", &temporary]).unwrap_or_else(|| "unknown".to_owned());
    let processor = processor.unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    format!("{processor}, {cores} cores, {system}, {files}")
}
