//! `plot`: pictures of a run or of one of its states.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rekindle_formats::files;
use rekindle_train::{AnySystem, Registry};
use serde_json::json;

use crate::address::Source;
use crate::args::PlotArgs;
use crate::commands::train::system_of;
use crate::curve;
use crate::output;

/// The picture that every system has.
const LEARNING: &str = "learning";

pub fn plot(registry: &Registry, args: &PlotArgs, json: bool) -> anyhow::Result<u8> {
    let source = Source::open(&args.checkpoint)?;
    let ending = if args.what == LEARNING { "svg" } else { "png" };
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{}.{ending}", args.what)));
    if out.extension().is_none_or(|found| !found.eq_ignore_ascii_case(ending)) {
        bail!("`{}`: this picture is written as .{ending}", out.display());
    }
    let (step, bytes) = source.read(|source| {
        let bytes = if args.what == LEARNING {
            learning(source, args)?
        } else {
            let system = registry.system(&system_of(&source.store), &args.checkpoint)?;
            picture(system, source, &args.what)?
        };
        Ok((source.step, bytes))
    })?;
    write(&out, &bytes)?;
    if json {
        output::print_json(&json!({"file": out, "picture": args.what, "step": step}))?;
    } else {
        output::print(&format!("wrote {}", out.display()))?;
    }
    Ok(0)
}

fn learning(source: &Source, args: &PlotArgs) -> anyhow::Result<Vec<u8>> {
    let (rows, damage) = source.checkpoint()?.history();
    if let Some(damage) = damage {
        tell!("warning: the metrics history is not complete: {damage}");
    }
    let curves = curve::curves(&rows);
    let names: Vec<&str> = curves.iter().map(|curve| curve.name.as_str()).collect();
    if curves.is_empty() {
        bail!("`{}` has no metrics of at least two steps to draw", args.checkpoint);
    }
    if let Some(unknown) = args.metric.iter().find(|metric| !names.contains(&metric.as_str())) {
        bail!("there is no metric `{unknown}` with at least two values; there are: {}", names.join(", "));
    }
    let shown = |name: &String| args.metric.is_empty() || args.metric.contains(name);
    let curves: Vec<_> = curves.into_iter().filter(|curve| shown(&curve.name)).collect();
    Ok(curve::draw(&args.checkpoint, &curves)?.into_bytes())
}

fn picture(system: &dyn AnySystem, source: &Source, name: &str) -> anyhow::Result<Vec<u8>> {
    let pictures = system.pictures();
    if !pictures.iter().any(|(known, _)| *known == name) {
        let known: Vec<&str> = [LEARNING].into_iter().chain(pictures.iter().map(|(name, _)| *name)).collect();
        bail!("there is no picture `{name}` of a `{}` run; there are: {}", system.name(), known.join(", "));
    }
    Ok(system.draw(&source.checkpoint()?, name)?)
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    files::write(path, bytes).with_context(|| format!("cannot write `{}`", path.display()))
}
