//! `prove`: exact resume, shown.

use std::ffi::OsString;

use rekindle_train::Program;
use rekindle_train::prove::{Launcher, Process, Proof, ProveOptions, Subject, Training};

use crate::address::Source;
use crate::args::ProveArgs;
use crate::exit;
use crate::output;
use rekindle::Address;

pub fn prove(args: ProveArgs, json: bool) -> anyhow::Result<u8> {
    let proof = match &args.subject {
        Some(text) => prove_training(&args, subject(text)?)?,
        None => prove_any(&args)?,
    };
    if json {
        output::print_json(&proof)?;
    } else {
        output::print(&summary(&proof))?;
    }
    Ok(if proof.equal { 0 } else { exit::NEGATIVE })
}

/// A program of somebody else.
fn prove_any(args: &ProveArgs) -> anyhow::Result<Proof> {
    let program = Program { command: args.command.clone(), kills: args.kills, seed: args.kill_seed };
    Ok(rekindle_train::prove_program(&program, &mut |message| tell!("{message}"))?)
}

/// A training of this program.
fn prove_training(args: &ProveArgs, subject: Subject) -> anyhow::Result<Proof> {
    let mut common = Vec::new();
    if let Some(threads) = args.threads.asked() {
        common.extend(["--threads".into(), threads.to_string().into()]);
    }
    let launcher = Launcher { program: std::env::current_exe()?, arguments, common };
    let options = ProveOptions {
        steps: args.steps,
        kills: args.kills,
        seed: args.kill_seed,
        settings: args.set.clone(),
    };
    Ok(rekindle_train::prove::prove(&launcher, &subject, &options, &mut |message| tell!("{message}"))?)
}

/// The arguments of a process of this program.
fn arguments(process: &Process) -> Vec<OsString> {
    let mut words: Vec<OsString> = match &process.training {
        Training::New { subject: Subject::Config(name), run } => {
            let place = run
                .as_ref()
                .map_or_else(|| vec!["--without-run".into()], |run| vec!["--run".into(), run.into()]);
            ["train".into(), name.into()].into_iter().chain(place).collect()
        }
        Training::New { subject: Subject::Checkpoint { run: origin, step }, run } => {
            let mut address = origin.clone().into_os_string();
            address.push(format!("@{step}"));
            let place = run
                .as_ref()
                .map_or_else(|| vec!["--without-run".into()], |run| vec!["--fork".into(), run.into()]);
            ["resume".into(), address].into_iter().chain(place).collect()
        }
        Training::Resumed { run } => vec!["resume".into(), run.into()],
    };
    let mut add = |name: &str, value: OsString| words.extend([name.into(), value]);
    process.settings.iter().for_each(|setting| add("--set", setting.into()));
    process.stop_at.iter().for_each(|step| add("--stop-at", step.to_string().into()));
    process.kill_at.iter().for_each(|step| add("--kill-at", step.to_string().into()));
    process.trace.iter().for_each(|path| add("--trace", path.into()));
    words.push("--json".into());
    words
}

fn subject(text: &str) -> anyhow::Result<Subject> {
    let run = Address::parse(text).run;
    if !run.is_dir() {
        return Ok(Subject::Config(text.to_owned()));
    }
    let step = Source::open_whole(text)?.step;
    Ok(Subject::Checkpoint { run, step })
}

fn summary(proof: &Proof) -> String {
    let kills = proof.kills.len();
    if proof.equal {
        return format!(
            "proved: {kills} kills, {kills} resumes, the same bits at step {}\nstate {}",
            proof.step, proof.straight
        );
    }
    let mut lines = vec![
        format!("NOT EQUAL at step {} after {kills} kills", proof.step),
        format!("straight {}", proof.straight),
        format!("killed   {}", proof.killed),
    ];
    if let Some(difference) = &proof.difference {
        lines.push(match (difference.step, &difference.entry) {
            (Some(step), Some(entry)) => format!("the states part at step {step}, first in `{entry}`"),
            (Some(step), None) => format!("the states part at step {step}"),
            (None, _) => "a second try did not differ: training itself is not repeatable".to_owned(),
        });
    }
    lines.join("\n")
}
