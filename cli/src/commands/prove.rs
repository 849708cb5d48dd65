//! `prove`: exact resume, shown.

use rekindle_train::{Launcher, Proof, ProveOptions, Subject};

use crate::address::Source;
use crate::args::ProveArgs;
use crate::exit;
use crate::output;
use rekindle::Address;

pub fn prove(args: ProveArgs, json: bool) -> anyhow::Result<u8> {
    let subject = subject(&args.subject)?;
    let mut common = Vec::new();
    if let Some(threads) = args.threads {
        common.extend(["--threads".into(), threads.to_string().into()]);
    }
    let launcher = Launcher { program: std::env::current_exe()?, common };
    let options =
        ProveOptions { steps: args.steps, kills: args.kills, seed: args.kill_seed, settings: args.set };
    let proof = rekindle_train::prove(&launcher, &subject, &options, &mut |message| {
        rekindle_train::tell!("{message}")
    })?;
    if json {
        output::print_json(&proof)?;
    } else {
        output::print(&summary(&proof))?;
    }
    Ok(if proof.equal { 0 } else { exit::NEGATIVE })
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
