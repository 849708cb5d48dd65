//! `plot`: pictures of runs or of one of their states.

use std::path::PathBuf;

use anyhow::bail;
use rekindle_pictures::Picture;
use rekindle_train::{AnySystem, Registry};
use serde_json::json;

use crate::address::Source;
use crate::args::PlotArgs;
use crate::commands::train::system_of;
use crate::curve::{self, Told, Wish};
use crate::output;
use crate::picture_file::{PictureKind, write_picture};

/// The picture that every system has.
const LEARNING: &str = "learning";
/// Of a picture without a size, a PNG has so many pixels for each of the SVG.
const DENSITY: f32 = 2.0;

pub fn plot(registry: &Registry, args: &PlotArgs, json: bool) -> anyhow::Result<u8> {
    let out = out(args)?;
    let (steps, picture) =
        if args.what == LEARNING { learning(registry, args)? } else { drawn(registry, args)? };
    args.replace.allow(&out)?;
    write_picture(&out, &picture)?;
    if json {
        let step = steps.iter().max();
        output::print_json(&json!({"file": out, "picture": args.what, "step": step, "steps": steps}))?;
    } else {
        output::print(&format!("wrote {}", out.display()))?;
    }
    Ok(0)
}

/// The file to write.
fn out(args: &PlotArgs) -> anyhow::Result<PathBuf> {
    let usual = if args.what == LEARNING { "svg" } else { "png" };
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{}.{usual}", args.what)));
    if PictureKind::of_still(&out).is_none() {
        bail!("`{}`: pictures are written as .svg or .png", out.display());
    }
    Ok(out)
}

/// Learning curves of all runs.
fn learning(registry: &Registry, args: &PlotArgs) -> anyhow::Result<(Vec<u64>, Picture)> {
    let read = |text: &String| {
        Source::open(text)?.read(|source| Ok((source.step, Told::of(registry, source, text)?)))
    };
    let runs = args.checkpoints.iter().map(read).collect::<anyhow::Result<Vec<_>>>()?;
    let (steps, runs): (Vec<u64>, Vec<Told>) = runs.into_iter().unzip();
    let mut known: Vec<&str> = runs.iter().flat_map(Told::names).collect();
    known.sort_unstable();
    known.dedup();
    if let Some(unknown) = args.metric.iter().find(|metric| !known.contains(&metric.as_str())) {
        bail!("there is no metric `{unknown}`; there are: {}", known.join(", "));
    }
    let wish =
        Wish { metrics: &args.metric, scale: args.scale, mean: args.mean, title: args.title.as_deref() };
    let Some(chart) = curve::chart(&runs, &wish) else {
        let names = args.checkpoints.join("`, `");
        if known.is_empty() {
            bail!("`{names}` has measured nothing yet, so there is nothing to draw");
        }
        let known = known.join(", ");
        bail!(
            "no metric of `{names}` changes; one that is named is drawn all the same (`--metric`): {known}"
        );
    };
    Ok((
        steps,
        match args.size {
            Some(size) => chart.draw(size),
            None => chart.draw(chart.size()).with_density(DENSITY),
        },
    ))
}

/// A picture of a state, as its system draws it.
fn drawn(registry: &Registry, args: &PlotArgs) -> anyhow::Result<(Vec<u64>, Picture)> {
    let [checkpoint] = &args.checkpoints[..] else {
        bail!("`{}` is a picture of one state; {} were named", args.what, args.checkpoints.len());
    };
    let source = Source::open(checkpoint)?;
    let (step, picture) = source.read(|source| {
        let system = registry.system(&system_of(&source.store), checkpoint)?;
        Ok((source.step, of_state(system, source, &args.what)?))
    })?;
    let picture = match args.size {
        Some(size) => picture.fitted(size),
        None => picture,
    };
    Ok((vec![step], picture))
}

fn of_state(system: &dyn AnySystem, source: &Source, name: &str) -> anyhow::Result<Picture> {
    let pictures = system.pictures();
    if !pictures.iter().any(|(known, _)| *known == name) {
        let known: Vec<&str> = [LEARNING].into_iter().chain(pictures.iter().map(|(name, _)| *name)).collect();
        bail!("there is no picture `{name}` of a `{}` run; there are: {}", system.name(), known.join(", "));
    }
    Ok(system.draw(&source.checkpoint()?, name)?)
}
