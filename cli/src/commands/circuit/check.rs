//! `circuit check`: whether two circuits compute the same.

use std::path::Path;

use anyhow::Context;
use rekindle_formats::files;
use rekindle_gates::{Certificate, Limits, Method, Verdict, prove};
use rekindle_train::Registry;
use serde_json::json;

use crate::exit;
use crate::output;

use super::load::{LIMIT, load};

pub fn check(registry: &Registry, a: &str, b: Option<&str>, json: bool) -> anyhow::Result<u8> {
    let verdict = match b {
        Some(b) => prove(&load(registry, a)?, &load(registry, b)?, Limits::default())?,
        None => {
            let file = files::read(Path::new(a), LIMIT).with_context(|| format!("cannot read `{a}`"))?;
            let certificate = Certificate::read(&file).with_context(|| format!("`{a}` cannot be checked"))?;
            certificate.check(Limits::default()).with_context(|| format!("`{a}` cannot be checked"))?
        }
    };
    let (setting, output) = match &verdict {
        Verdict::Different { setting, output } => (Some(bits(setting)), Some(*output)),
        _ => (None, None),
    };
    let words = words_of(&verdict);
    if json {
        let is_equal = match verdict {
            Verdict::Equal { .. } => Some(true),
            Verdict::Different { .. } => Some(false),
            Verdict::NotProven { .. } => None,
        };
        output::print_json(&json!({
            "equal": is_equal, "proof": words, "inputs": setting, "output": output,
        }))?;
    } else {
        output::print(&words)?;
    }
    Ok(if matches!(verdict, Verdict::Equal { .. }) { 0 } else { exit::NEGATIVE })
}

/// What was shown, in a sentence.
pub fn words_of(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Equal { method: Method::Exhaustive, effort } => {
            format!("equal: all {effort} settings of the inputs were tried")
        }
        Verdict::Equal { method: Method::Sat, effort } => {
            format!(
                "equal: a solver showed that no setting of the inputs tells them apart ({effort} conflicts)"
            )
        }
        Verdict::Different { setting, output } => {
            format!(
                "not equal: output {output} differs where the inputs, from the first, are {}",
                bits(setting)
            )
        }
        Verdict::NotProven { conflicts } => {
            format!("not proven: neither a proof nor a difference was found ({conflicts} conflicts)")
        }
    }
}

fn bits(setting: &[bool]) -> String {
    setting.iter().map(|&bit| if bit { '1' } else { '0' }).collect()
}
