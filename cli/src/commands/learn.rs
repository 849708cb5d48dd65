//! `learn` and `forget`: a run whose training has ended learns more, or loses what it has learnt.

use rekindle_train::{Change, Registry, Revised, Revision, describe_in_order};

use anyhow::{Context, bail};

use crate::address::open_run;
use crate::args::{ForgetArgs, HowArgs, LearnArgs, RevisedArgs};
use crate::commands::train::{self, system_of};
use crate::output;
use crate::unlock;

pub fn learn(registry: &Registry, args: LearnArgs, json: bool) -> anyhow::Result<u8> {
    let LearnArgs { what, set, quiet } = args;
    let store = open_run(&what.run)?;
    let system = registry.system(&system_of(&store), &what.run.display().to_string())?;
    let record = store.records().next_back().context("the run has no checkpoint yet")?;
    let settings = system.settings_to_learn(&record.about.config, &what.data, &set)?;
    drop(store);
    let RevisedArgs { run, threads, .. } = &what;
    match settings {
        Some(settings) => {
            let how = HowArgs { threads: *threads, quiet, ..HowArgs::default() };
            train::go_on(system, run, settings, &how, json)
        }
        None if !set.is_empty() => {
            bail!(
                "--set {}: `{}` models are not trained on when they learn more",
                set.join(" "),
                system.name()
            )
        }
        None => revise(registry, what, Change::Learn, json),
    }
}

pub fn forget(registry: &Registry, args: ForgetArgs, json: bool) -> anyhow::Result<u8> {
    revise(registry, args.what, Change::Forget { erase: args.erase }, json)
}

fn revise(registry: &Registry, args: RevisedArgs, change: Change, json: bool) -> anyhow::Result<u8> {
    let name = args.run.display().to_string();
    let system = registry.system(&system_of(&open_run(&args.run)?), &name)?;
    let access = unlock::access(&args.run)?;
    let threads = args.threads.count();
    let revised = system.revise(Revision { run: args.run, access, files: args.data, change, threads })?;
    revised.notes.iter().for_each(|note| tell!("note: {note}"));
    match json {
        true => output::print_json(&revised)?,
        false => output::print(&in_words(&revised, change))?,
    }
    Ok(0)
}

fn in_words(revised: &Revised, change: Change) -> String {
    let Revised { run, count, unit, step, step_before, .. } = revised;
    let verb = if change == Change::Learn { "learnt" } else { "forgot" };
    let mut lines = vec![
        format!("{verb} {count} {unit}"),
        format!("step {step}, after {step_before}  {}", describe_in_order(&revised.metrics, &[])),
        format!("state {}", revised.state_hash),
        format!("run   {run}"),
    ];
    lines.extend(revised.artifacts.iter().map(|name| format!("wrote {run}/{name}")));
    let listed = |steps: &[u64]| steps.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    if !revised.erased.is_empty() {
        lines.push(format!("erased the earlier checkpoints that knew them: {}", listed(&revised.erased)));
    }
    if !revised.known_at.is_empty() {
        lines.push(format!("earlier checkpoints still know them: {}", listed(&revised.known_at)));
        lines.push(format!(
            "`rekindle prune {run} --keep-last 1 --grace 0` deletes these; `forget --erase` deletes them at once, and \
             every byte of theirs. Copies of the run and files that were exported are out of its reach."
        ));
    }
    lines.join("\n")
}
