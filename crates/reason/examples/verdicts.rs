//! Files that others wrote: what the built-in engines say of each, beside what the file or its folder states and beside Z3, which is
//! taken from the PATH. `cargo run --release -p rekindle-reason --example verdicts -- FILE-OR-DIRECTORY...`; exit code 1 where
//! something differs.

#![allow(clippy::disallowed_methods, reason = "the files are the user's")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use rekindle_reason::read::{Document, Format};
use rekindle_reason::syntax::Formula;
use rekindle_reason::{Auto, Budget, Reason, Reasoner, Verdict, Z3, proof};

/// What one file may take: so little that thousands come to their end.
const BUDGET: Budget = Budget { steps: 200_000, size: 1_000_000, time: Duration::from_secs(10) };

/// What became of a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    /// The reader refused it.
    Outside,
    /// No engine takes it.
    NotTaken,
    /// The engines had no more steps.
    Undecided,
    /// Decided and shown; nothing else says what is right.
    Alone,
    /// As Z3 says.
    AsZ3,
    /// As the file or its folder states.
    AsStated,
    /// Something else, or not shown.
    Differs,
}

fn main() -> ExitCode {
    let mut z3 = Z3::default();
    if !z3.is_there() {
        println!("skipped: there is no z3 on the PATH to compare with (pip install z3-solver)");
    }
    let mut counts: BTreeMap<(&str, Found), usize> = BTreeMap::new();
    let mut refused: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for file in std::env::args().skip(1).flat_map(|path| files(Path::new(&path))) {
        let Some(format) = format(&file) else { continue };
        let found = match read(&file) {
            Ok((document, stated)) => verdict(&file, &document, stated, &mut z3),
            Err(why) => {
                *refused.entry((format, kind(&why))).or_default() += 1;
                Found::Outside
            }
        };
        *counts.entry((format, found)).or_default() += 1;
    }
    println!(
        "| format | files | outside the syntax | no engine takes | out of steps | decided | as stated | as Z3 only | nothing to compare with | differ |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for format in ["DIMACS", "TPTP", "SMT-LIB 2"] {
        let count = |found| counts.get(&(format, found)).copied().unwrap_or(0);
        let [outside, not_taken, undecided] = [Found::Outside, Found::NotTaken, Found::Undecided].map(count);
        let [stated, z3, alone, differ] =
            [Found::AsStated, Found::AsZ3, Found::Alone, Found::Differs].map(count);
        let decided = stated + z3 + alone + differ;
        let files = outside + not_taken + undecided + decided;
        println!(
            "| {format} | {files} | {outside} | {not_taken} | {undecided} | {decided} | {stated} | {z3} | {alone} | {differ} |"
        );
    }
    println!("outside the syntax:");
    let mut refused: Vec<_> = refused.into_iter().collect();
    refused.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    refused.iter().take(40).for_each(|((format, why), count)| println!("  {count} {format}: {why}"));
    let differs = counts.keys().any(|(_, found)| *found == Found::Differs);
    ExitCode::from(u8::from(differs))
}

/// The file, or the files below a directory, in the order of their names.
fn files(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else { return vec![path.to_owned()] };
    let mut below: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    below.sort();
    below.iter().flat_map(|path| files(path)).collect()
}

fn format(file: &Path) -> Option<&'static str> {
    match Format::of(file) {
        Format::Dimacs => Some("DIMACS"),
        Format::Tptp => Some("TPTP"),
        Format::SmtLib => Some("SMT-LIB 2"),
        Format::Statements | Format::English => None,
    }
}

/// What a file says, and whether its goal follows, as it or its folder states.
fn read(file: &Path) -> Result<(Document, Option<bool>), String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let format = Format::of(file);
    let document = format.read(&text).map_err(|error| error.to_string())?;
    let stated = document.follows.or_else(|| match format {
        Format::Dimacs => stated_by_name(file),
        Format::SmtLib => stated_by_test(&text),
        _ => None,
    });
    Ok((document, stated))
}

/// What a message says, without the place and without most names.
fn kind(message: &str) -> String {
    let after_place = message.split_once(": ").map_or(message, |(_, rest)| rest);
    after_place.lines().next().unwrap_or_default().chars().take(70).collect()
}

fn verdict(file: &Path, document: &Document, stated: Option<bool>, z3: &mut Z3) -> Found {
    let goal = document.goal.clone().unwrap_or(Formula::Constant(false));
    let verdict = Auto::built_in().prove(&goal, &document.knowledge, BUDGET);
    if let Err(error) = proof::check(&verdict, &goal, &document.knowledge) {
        println!("{}: NOT SHOWN: {error}", file.display());
        return Found::Differs;
    }
    let follows = match &verdict {
        Verdict::Unknown(Reason::Budget(_)) => return Found::Undecided,
        Verdict::Unknown(_) => return Found::NotTaken,
        decided => decided.follows(),
    };
    let theirs = z3.prove(&goal, &document.knowledge, BUDGET).follows();
    if [theirs, stated].iter().any(|other| other.is_some() && *other != follows) {
        println!("{}: DIFFERS: {verdict}; stated {stated:?}, Z3 {theirs:?}", file.display());
        return Found::Differs;
    }
    match (stated, theirs) {
        (Some(_), _) => Found::AsStated,
        (None, Some(_)) => Found::AsZ3,
        (None, None) => Found::Alone,
    }
}

/// Whether the file's clauses contradict each other, as its name or folder says: `uf20-01.cnf` and `uuf50-01.cnf` of SATLIB, `sat`
/// and `unsat`.
fn stated_by_name(file: &Path) -> Option<bool> {
    let mut names = file.iter().rev().map(|name| name.to_string_lossy().to_ascii_lowercase());
    names.find_map(|name| {
        let is_numbered = |prefix: &str| {
            name.strip_prefix(prefix)
                .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
        };
        match name.as_str() {
            "unsat" => Some(true),
            "sat" => Some(false),
            _ if is_numbered("uuf") => Some(true),
            _ if is_numbered("uf") => Some(false),
            _ => None,
        }
    })
}

/// What a test of cvc5 expects of its first question: `; EXPECT: unsat`.
fn stated_by_test(text: &str) -> Option<bool> {
    let expected = text.lines().find_map(|line| line.strip_prefix("; EXPECT:"))?;
    match expected.trim() {
        "unsat" => Some(true),
        "sat" => Some(false),
        _ => None,
    }
}
