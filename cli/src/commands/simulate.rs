//! `simulate`: what an automaton does on a board of any size, with damage and with cells that wait.

use anyhow::bail;
use rekindle_pictures::{
    Anchor, Animation, Area, Chart, Colour, Curve, Entry, INK, Legend, PALETTE, Panel, Picture, Size, Stroke,
    Swatch, Text,
};
use rekindle_train::{Experiment, Frame, Registry, Simulation};
use serde_json::json;

use crate::address::Source;
use crate::args::SimulateArgs;
use crate::commands::train::system_of;
use crate::output;
use crate::picture_file::{PictureKind, write, write_picture};

/// Moments of a strip.
const STRIP: usize = 6;
/// Moments of an animation at most.
const MOMENTS: usize = 300;
/// Pixels of a board's longer side in a picture, about.
const BOARD: usize = 240;
/// Pixels between boards, of the line above them and of an em.
const GAP: f32 = 16.0;
const TITLE: f32 = 30.0;
const TEXT: f32 = 13.0;

pub fn simulate(registry: &Registry, args: &SimulateArgs, json: bool) -> anyhow::Result<u8> {
    let kind = args.out.as_deref().and_then(PictureKind::of);
    if let (Some(out), None) = (&args.out, kind) {
        bail!("`{}`: boards are drawn as .gif, .png or .svg", out.display());
    }
    if let Some(out) = args.curves.as_deref().filter(|file| PictureKind::of_still(file).is_none()) {
        bail!("`{}`: curves are written as .svg or .png", out.display());
    }
    if args.checkpoints.len() > 1 && kind == Some(PictureKind::Gif) {
        bail!("an animation shows one automaton; {} were named", args.checkpoints.len());
    }
    for file in [&args.out, &args.curves].into_iter().flatten() {
        args.replace.allow(file)?;
    }
    let experiment = experiment(args, kind);
    let run = |name: &String| -> anyhow::Result<(String, Simulation)> {
        let source = Source::open(name)?;
        let simulation = source.read(|source| {
            let system = registry.system(&system_of(&source.store), name)?;
            Ok(system.simulate(&source.checkpoint()?, &experiment)?)
        })?;
        Ok((name.clone(), simulation))
    };
    let simulations = args.checkpoints.iter().map(run).collect::<anyhow::Result<Vec<_>>>()?;
    if let Some(out) = &args.out {
        match kind {
            Some(PictureKind::Gif) => write(out, &animation(&simulations[0].1).gif()?)?,
            _ => write_picture(out, &strips(&simulations))?,
        }
    }
    if let Some(out) = &args.curves {
        let chart = curves(&simulations);
        write_picture(out, &chart.draw(chart.size()).with_density(2.0))?;
    }
    match json {
        true => print_json(args, &experiment, &simulations)?,
        false => print_text(args, &experiment, &simulations)?,
    }
    Ok(0)
}

fn experiment(args: &SimulateArgs, kind: Option<PictureKind>) -> Experiment {
    let (width, height) = args.board.map_or((None, None), |(width, height)| (Some(width), Some(height)));
    Experiment {
        width,
        height,
        steps: args.steps,
        fire_rate: args.fire_rate,
        damage: args.damage.clone(),
        bombing: args.bombing,
        seed: args.seed,
        frames: match kind {
            None => 0,
            Some(PictureKind::Gif) => MOMENTS,
            Some(_) => STRIP,
        },
    }
}

/// How often each cell is enlarged, so that a board is about as large as a picture should be.
fn enlarged(simulation: &Simulation) -> usize {
    (BOARD / simulation.width.max(simulation.height)).clamp(1, 16)
}

fn colours(simulation: &Simulation) -> Vec<Colour> {
    simulation.colours.iter().map(|colour| Colour::new(colour.rgb)).collect()
}

fn animation(simulation: &Simulation) -> Animation {
    Animation {
        width: simulation.width,
        colours: colours(simulation),
        frames: simulation.frames.iter().map(|frame| frame.cells.clone()).collect(),
        enlarged: enlarged(simulation) * 2,
        delay: 8,
        last_delay: 150,
    }
}

/// A strip of moments for each automaton, and what the colours mean.
fn strips(simulations: &[(String, Simulation)]) -> Picture {
    let size = |simulation: &Simulation| {
        let cell = enlarged(simulation) as f32;
        [simulation.width as f32 * cell, simulation.height as f32 * cell]
    };
    let width = simulations
        .iter()
        .map(|(_, simulation)| simulation.frames.len() as f32 * (size(simulation)[0] + GAP) + GAP);
    let width = width.fold(0.0, f32::max);
    let legend = legend(simulations);
    let strips: f32 = simulations.iter().map(|(_, simulation)| size(simulation)[1] + 2.0 * TITLE).sum();
    let legend_height = legend.height(width - 2.0 * GAP);
    let mut picture = Picture::new(Size::pixels(width, strips + legend_height + 2.0 * GAP));
    let mut top = 0.0;
    for (name, simulation) in simulations {
        caption(&mut picture, name, [GAP, top + TITLE - GAP / 2.0], Anchor::Start);
        top += TITLE;
        let [board, height] = size(simulation);
        for (index, frame) in simulation.frames.iter().enumerate() {
            let left = GAP + index as f32 * (board + GAP);
            draw(&mut picture, simulation, frame, [left, top]);
            let below = [left + board / 2.0, top + height + TEXT * 1.4];
            caption(&mut picture, &moment(simulation, frame), below, Anchor::Middle);
        }
        top += height + TITLE;
    }
    let area = Area { left: GAP, top: top + GAP, width: width - 2.0 * GAP, height: legend_height };
    legend.draw(&mut picture, area);
    picture
}

fn moment(simulation: &Simulation, frame: &Frame) -> String {
    let wrong = simulation.wrong.get(frame.step).copied().unwrap_or_default();
    format!("step {}: {wrong} wrong", frame.step)
}

fn caption(picture: &mut Picture, text: &str, at: [f32; 2], anchor: Anchor) {
    picture.text(Text { text: text.to_owned(), at, size: TEXT, anchor, turned: false, colour: INK });
}

/// The cells of a board, equal neighbours of a row as one box.
fn draw(picture: &mut Picture, simulation: &Simulation, frame: &Frame, [left, top]: [f32; 2]) {
    let colours = colours(simulation);
    let side = enlarged(simulation) as f32;
    for (y, row) in frame.cells.chunks_exact(simulation.width).enumerate() {
        let mut x = 0;
        for equal in row.chunk_by(|a, b| a == b) {
            let area = Area {
                left: left + x as f32 * side,
                top: top + y as f32 * side,
                width: equal.len() as f32 * side,
                height: side,
            };
            picture.fill(area, colours[usize::from(equal[0])]);
            x += equal.len();
        }
    }
}

fn legend(simulations: &[(String, Simulation)]) -> Legend {
    let mut entries: Vec<Entry> = Vec::new();
    for colour in simulations.iter().flat_map(|(_, simulation)| &simulation.colours) {
        if entries.iter().all(|entry| entry.label != colour.label) {
            let swatch = Swatch::Box(Colour::new(colour.rgb));
            entries.push(Entry { swatch, label: colour.label.clone() });
        }
    }
    Legend(entries)
}

/// The wrong cells of every automaton over the steps.
fn curves(simulations: &[(String, Simulation)]) -> Chart {
    let curve = |(index, (name, simulation)): (usize, &(String, Simulation))| {
        let points = simulation.wrong.iter().enumerate();
        let points = points.map(|(step, &wrong)| [step as f64, wrong as f64]).collect();
        Curve::new(name, points, Stroke::new(PALETTE[index % PALETTE.len()], 1.5))
    };
    let panel = Panel {
        title: "wrong cells".to_owned(),
        curves: simulations.iter().enumerate().map(curve).collect(),
        ..Panel::default()
    };
    Chart { title: String::new(), x: "step".to_owned(), panels: vec![panel] }
}

/// The mean of the wrong cells after each step.
fn mean_wrong(simulation: &Simulation) -> f64 {
    let after = simulation.wrong.get(1..).unwrap_or_default();
    after.iter().sum::<usize>() as f64 / after.len().max(1) as f64
}

/// The step from which on all cells were right, until the end or until the next damage.
fn right_since(simulation: &Simulation, experiment: &Experiment, from: usize) -> Option<usize> {
    let damaged = experiment.damage.iter().map(|damage| damage.step).filter(|&step| step > from);
    let until = damaged.min().unwrap_or(simulation.wrong.len() - 1).min(simulation.wrong.len() - 1);
    simulation.right_since(until).map(|step| step.max(from))
}

fn print_text(
    args: &SimulateArgs,
    experiment: &Experiment,
    simulations: &[(String, Simulation)],
) -> anyhow::Result<()> {
    let mut lines = Vec::new();
    for (name, simulation) in simulations {
        let cells = simulation.width * simulation.height;
        let steps = simulation.wrong.len() - 1;
        let mut line = format!("{name}: {} x {} cells, {steps} steps", simulation.width, simulation.height);
        if simulation.fire_rate < 1.0 {
            line += &format!(", each cell updated with a chance of {}", simulation.fire_rate);
        }
        lines.push(line);
        let end = simulation.wrong.last().copied().unwrap_or_default();
        lines.push(format!("  wrong at the end: {end} of {cells} cells"));
        let mut since = |from: usize, what: &str| {
            lines.push(match right_since(simulation, experiment, from) {
                Some(step) => format!("  {what}: all cells right from step {step} on"),
                None => format!("  {what}: not all cells right"),
            });
        };
        since(0, "from the beginning");
        for damage in experiment.damage.iter().filter(|damage| damage.step < steps) {
            let what = format!("after {0} x {0} cells were cleared at step {1}", damage.side, damage.step);
            since(damage.step, &what);
        }
        if experiment.bombing.is_some() {
            lines.push(format!("  wrong in the mean of all steps: {:.1}", mean_wrong(simulation)));
        }
    }
    lines.extend(args.out.iter().chain(&args.curves).map(|file| format!("wrote {}", file.display())));
    output::print(&lines.join("\n"))
}

fn print_json(
    args: &SimulateArgs,
    experiment: &Experiment,
    simulations: &[(String, Simulation)],
) -> anyhow::Result<()> {
    let simulations = simulations.iter().map(|(name, simulation)| {
        let damaged = experiment.damage.iter().map(|damage| {
            json!({
                "step": damage.step,
                "side": damage.side,
                "right_since": right_since(simulation, experiment, damage.step),
            })
        });
        json!({
            "checkpoint": name,
            "width": simulation.width,
            "height": simulation.height,
            "fire_rate": simulation.fire_rate,
            "wrong": simulation.wrong,
            "mean_wrong": mean_wrong(simulation),
            "right_since": right_since(simulation, experiment, 0),
            "damage": damaged.collect::<Vec<_>>(),
        })
    });
    let simulations: Vec<_> = simulations.collect();
    output::print_json(&json!({"file": args.out, "curves": args.curves, "simulations": simulations}))
}
