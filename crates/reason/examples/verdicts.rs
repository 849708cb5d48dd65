//! Files that others wrote: what the built-in engines say of each, beside Z3 and beside what the file says. `cargo run --release
//! -p rekindle-reason --example verdicts -- FILE...`.

#![allow(clippy::disallowed_methods, reason = "the files are the user's")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rekindle_reason::read::Format;
use rekindle_reason::syntax::Formula;
use rekindle_reason::{Auto, Budget, Reasoner, Z3, proof};

fn main() {
    let mut z3 = Z3::default();
    if !z3.is_there() {
        println!("there is no z3 on the PATH to compare with (pip install z3-solver)");
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for file in std::env::args().skip(1) {
        let outcome = verdict(&file, &mut z3);
        *counts.entry(outcome).or_default() += 1;
        if outcome != "not read" {
            println!("{file}: {outcome}");
        }
    }
    println!("{counts:?}");
}

fn verdict(file: &str, z3: &mut Z3) -> &'static str {
    let Ok(text) = std::fs::read_to_string(file) else { return "not read" };
    let Ok(document) = Format::of(Path::new(file)).read(&text) else { return "not read" };
    let goal = document.goal.unwrap_or(Formula::Constant(false));
    let verdict = Auto::built_in().prove(&goal, &document.knowledge, Budget::default());
    if let Err(error) = proof::check(&verdict, &goal, &document.knowledge) {
        println!("{file}: {error}");
        return "NOT SHOWN";
    }
    let Some(follows) = verdict.follows() else { return "undecided" };
    let budget = Budget { time: Duration::from_secs(5), ..Budget::default() };
    let theirs = z3.prove(&goal, &document.knowledge, budget).follows();
    let differs = [theirs, document.follows].into_iter().flatten().any(|other| other != follows);
    match (differs, theirs.is_some() || document.follows.is_some()) {
        (true, _) => "DIFFERS",
        (false, true) => "agrees",
        (false, false) => "decided, with nothing to compare",
    }
}
