//! `problems`: problems of reasoning, as JSON Lines.

use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, ValueEnum};
use rekindle_data::Part;
use rekindle_reason::{Budget, Reason, Verdict};
use rekindle_systems::reasoning::{Problem, Split, Suite, json_lines, problems as make};
use serde_json::json;

use super::reason::{EngineArg, engine};
use crate::replace::ReplaceArgs;
use crate::{exit, output, picture_file};

/// A part of all problems.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum PartArg {
    /// Those that are learnt.
    Train,
    /// Those that settings are chosen by.
    Select,
    /// Those that are reported on.
    Test,
}

#[derive(Debug, Args)]
pub struct ProblemsArgs {
    /// rules, entailment, satisfiability, transitivity, dyck, listops, arithmetic or programs.
    pub suite: Suite,
    /// in_distribution, deeper, longer or shifted.
    #[arg(long, default_value_t = Split::InDistribution)]
    pub split: Split,
    /// Which of them: none is in two parts.
    #[arg(long, value_enum, default_value = "train")]
    pub part: PartArg,
    /// How many.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub count: u32,
    /// What they are drawn from.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Write them into this file [default: print them].
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Let an engine answer them too, and say whether it agrees.
    #[arg(long, value_enum, value_name = "ENGINE")]
    pub check: Option<EngineArg>,
    #[command(flatten)]
    pub replace: ReplaceArgs,
}

pub fn problems(args: &ProblemsArgs, json: bool) -> anyhow::Result<u8> {
    if let Some(file) = &args.out {
        args.replace.allow(file)?;
    }
    let part = match args.part {
        PartArg::Train => Part::Train,
        PartArg::Select => Part::Select,
        PartArg::Test => Part::Test,
    };
    let problems = make(args.suite, args.split, part, args.seed, args.count as usize);
    if problems.len() < args.count as usize {
        tell!("note: there are no more than {} different ones", problems.len());
    }
    let checked = args.check.map(|engine| check(&problems, engine)).transpose()?;
    let lines = json_lines(&problems)?;
    match &args.out {
        Some(file) => picture_file::write(file, lines.as_bytes())?,
        None => output::print(lines.trim_end())?,
    }
    let is_right = checked.as_ref().is_none_or(|checked| checked.differ == 0);
    if let Some(file) = &args.out {
        if json {
            output::print_json(&json!({
                "file": file, "problems": problems.len(),
                "agreed": checked.as_ref().map(|checked| checked.agree),
                "differed": checked.as_ref().map(|checked| checked.differ),
                "undecided": checked.as_ref().map(|checked| checked.undecided),
            }))?;
        } else {
            output::print(&format!("{} problems in {}", problems.len(), file.display()))?;
        }
    }
    if let Some(Checked { agree, differ, undecided }) = checked
        && !json
    {
        tell!("{agree} answers agree, {differ} differ, {undecided} are undecided");
    }
    Ok(if is_right { 0 } else { exit::NEGATIVE })
}

#[derive(Default)]
struct Checked {
    agree: usize,
    differ: usize,
    undecided: usize,
}

fn check(problems: &[Problem], named: EngineArg) -> anyhow::Result<Checked> {
    let mut engine = engine(named);
    let mut checked = Checked::default();
    for problem in problems {
        let Some((goal, knowledge, expected)) = problem.question_in_an_open_world() else {
            bail!(
                "the answers of `{}` are computed, and there is nothing in them for an engine",
                problem.suite
            );
        };
        match engine.prove(&goal, &knowledge, Budget::default()) {
            Verdict::Unknown(reason @ Reason::Missing { .. }) => return Err(reason.into()),
            verdict => match verdict.follows() {
                Some(follows) if follows == expected => checked.agree += 1,
                Some(_) => checked.differ += 1,
                None => checked.undecided += 1,
            },
        }
    }
    Ok(checked)
}
