//! `prove`: exact resume, shown.

use rekindle_train::prove::{Program, Proof, ProveOptions, Subject, prove as prove_resume, prove_program};

use crate::address::Source;
use crate::args::ProveArgs;
use crate::exit;
use crate::launcher::launcher;
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
    Ok(prove_program(&program, &mut |message| tell!("{message}"))?)
}

/// A training of this program.
fn prove_training(args: &ProveArgs, subject: Subject) -> anyhow::Result<Proof> {
    let launcher = launcher(args.threads)?;
    let options = ProveOptions {
        steps: args.steps,
        kills: args.kills,
        seed: args.kill_seed,
        settings: args.set.clone(),
    };
    Ok(prove_resume(&launcher, &subject, &options, &mut |message| tell!("{message}"))?)
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
