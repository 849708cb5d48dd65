//! `audit`: spans of a run, computed again.

use anyhow::bail;
use rekindle::Store;
use rekindle_train::Registry;
use rekindle_train::audit::{Audit, AuditOptions, Audited, Trainer, audit as audit_run};

use crate::args::AuditArgs;
use crate::commands::train::system_of;
use crate::exit;
use crate::launcher::launcher;
use crate::output;
use crate::unlock;

pub fn audit(registry: &Registry, args: AuditArgs, json: bool) -> anyhow::Result<u8> {
    let access = unlock::access(&args.run)?;
    let launcher = launcher(args.threads)?;
    let trainer = match args.command.is_empty() {
        true => {
            let (system, run) = (system_of(&Store::open(access.clone())?), args.run.display().to_string());
            if system.is_empty() {
                bail!(
                    "`{run}` was trained by a program of its own, which has to compute it again: `rekindle audit {run} \
                     -- COMMAND`"
                );
            }
            registry.system(&system, &run)?;
            Trainer::System(&launcher)
        }
        false => Trainer::Program(&args.command),
    };
    let options = AuditOptions { spans: args.spans, seed: args.seed, settings: args.set };
    let audit = audit_run(&args.run, &access, trainer, &options, &mut |message| tell!("{message}"))?;
    match json {
        true => output::print_json(&audit)?,
        false => output::print(&in_words(&audit))?,
    }
    Ok(if audit.equal { 0 } else { exit::NEGATIVE })
}

fn in_words(audit: &Audit) -> String {
    let mut lines: Vec<String> = audit.audited.iter().map(span).collect();
    lines.extend(audit.skipped.iter().map(|span| {
        format!("step {} to {}: left out, as it is no training alone: {}", span.from, span.to, span.reason)
    }));
    let steps: u64 = audit.audited.iter().map(|span| span.to - span.from).sum();
    let (count, differing) =
        (audit.audited.len(), audit.audited.iter().filter(|span| !is_equal(span)).count());
    let spans = output::counted(count, "span");
    lines.push(match differing {
        0 => format!("audited: {spans} of {}, {steps} steps computed again, the same bits", audit.spans),
        _ => format!("NOT EQUAL: {differing} of {spans} ended with another state"),
    });
    lines.join("\n")
}

fn is_equal(span: &Audited) -> bool {
    span.recorded == span.computed
}

fn span(span: &Audited) -> String {
    let Audited { from, to, recorded, computed, entry } = span;
    let place = entry.as_ref().map_or_else(String::new, |entry| format!(", first in `{entry}`"));
    match is_equal(span) {
        true => format!("step {from} to {to}: the same bits, state {}", recorded.short()),
        false => format!("step {from} to {to}: recorded {recorded}, computed {computed}{place}"),
    }
}
