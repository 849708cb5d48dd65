//! Learning curves: what a run's history tells, a panel for each quantity, several runs in one picture.

use std::collections::{BTreeMap, BTreeSet};

use rekindle::records::Row;
use rekindle_pictures::{Chart, Colour, Curve, Mark, PALETTE, Panel, Stroke};
use rekindle_train::{History, Registry, recorded_best};
use serde_json::Value;

use crate::address::Source;
use crate::commands::train::system_of;

/// Values by step.
type Points = Vec<(u64, f64)>;

/// Quantities that several metrics are of, the first of them in the upper panels.
const QUANTITIES: [&str; 6] = ["loss", "cross_entropy", "accuracy", "bits_per_byte", "perplexity", "error"];
/// Those that fall by orders of magnitude.
const FALLING: [&str; 4] = ["loss", "cross_entropy", "perplexity", "error"];
/// Examples that a metric is of, as its name begins.
const ROLES: [&str; 5] = ["train", "training", "validation", "select", "test"];
/// A curve of no more points shows them.
const FEW_POINTS: usize = 40;

/// How the axis of values is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ScaleArg {
    /// By logarithms where a loss falls to less than a tenth.
    Auto,
    /// Evenly.
    Linear,
    /// By logarithms.
    Log,
}

/// A run, as far as its learning curves tell of it.
#[derive(Debug)]
pub struct Told {
    pub name: String,
    /// What distinguishes it from other runs.
    config: Value,
    metrics: BTreeMap<String, Metric>,
    units: BTreeMap<String, &'static str>,
    best: Option<Best>,
}

#[derive(Debug, Clone)]
struct Metric {
    points: Points,
    /// It is told by training at its steps, and not measured now and then.
    is_training: bool,
}

/// The best checkpoint and what it was chosen by.
#[derive(Debug)]
pub struct Best {
    pub metric: String,
    pub step: u64,
    pub value: f64,
}

impl Best {
    /// The best checkpoint until the one at hand.
    pub fn of(source: &Source) -> Option<Self> {
        let best = recorded_best(&source.store)?;
        let records = || source.store.records().filter(|record| record.step <= source.step);
        let step = best.choose(records().map(|record| (record.step, &record.about.metrics)))?;
        let value = *records().find(|record| record.step == step)?.about.metrics.get(&best.metric)?;
        Some(Self { metric: best.metric, step, value })
    }
}

impl Told {
    /// What the history of a checkpoint tells.
    pub fn of(registry: &Registry, source: &Source, name: &str) -> anyhow::Result<Self> {
        let checkpoint = source.checkpoint()?;
        let (rows, damage) = checkpoint.history();
        if let Some(damage) = damage {
            tell!("warning: the metrics history of `{name}` is not complete: {damage}");
        }
        // A run of a loop of one's own has no system, and its metrics no units.
        let system = registry.system(&system_of(&source.store), name).ok();
        let unit = |metric: &str| system.and_then(|system| system.unit(metric));
        Ok(Self::new(name, checkpoint.record().about.config.clone(), rows, Best::of(source), &unit))
    }

    /// What a history tells.
    fn new(
        name: &str,
        config: Value,
        rows: Vec<Row>,
        best: Option<Best>,
        unit: &dyn Fn(&str) -> Option<&'static str>,
    ) -> Self {
        let History { evaluations, training } = History::of(rows);
        let measured = metrics(&evaluations, false);
        let mut metrics = metrics(&training, true);
        // It is no metric, but the length of a row.
        metrics.remove("steps");
        for (name, metric) in measured {
            // Of what training tells, a row of what was measured has no more than means.
            metrics.entry(name).or_insert(metric);
        }
        let units = metrics.keys().filter_map(|name| Some((name.clone(), unit(name)?))).collect();
        Self { name: name.to_owned(), config, metrics, units, best }
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.metrics.keys().map(String::as_str)
    }

    /// The config without what may differ between runs of one experiment, and the seed.
    fn experiment(&self) -> (Value, Option<&Value>) {
        let mut config = self.config.clone();
        if let Some(sections) = config.as_object_mut() {
            sections.retain(|name, _| name != "seed" && name != "checkpoint");
        }
        (config, self.config.get("seed"))
    }
}

fn metrics(rows: &[Row], is_training: bool) -> BTreeMap<String, Metric> {
    let mut metrics: BTreeMap<String, Metric> = BTreeMap::new();
    for row in rows {
        let Some(step) = row.get("step").and_then(Value::as_u64) else { continue };
        for (name, value) in row.iter().filter(|(name, _)| *name != "step") {
            let Some(value) = value.as_f64() else { continue };
            let new = || Metric { points: Points::new(), is_training };
            metrics.entry(name.clone()).or_insert_with(new).points.push((step, value));
        }
    }
    metrics
}

/// Runs of one experiment, which are drawn as one.
struct Group<'a> {
    runs: Vec<&'a Told>,
}

/// What is drawn.
#[derive(Debug)]
pub struct Wish<'a> {
    /// Only these metrics; all that tell something when empty.
    pub metrics: &'a [String],
    pub scale: ScaleArg,
    /// All runs are drawn as one.
    pub mean: bool,
    pub title: Option<&'a str>,
}

/// The chart of the runs' metrics; nothing where there is none to draw.
pub fn chart(runs: &[Told], wish: &Wish<'_>) -> Option<Chart> {
    let groups = groups(runs, wish.mean);
    let mut panels: BTreeMap<(usize, String), Vec<String>> = BTreeMap::new();
    for name in shown(runs, wish.metrics) {
        let quantity = quantity(&name);
        let place = QUANTITIES.iter().position(|known| *known == quantity).unwrap_or(QUANTITIES.len());
        panels.entry((place, quantity.to_owned())).or_default().push(name);
    }
    let panels =
        panels.into_iter().map(|((_, quantity), names)| panel(&groups, &quantity, &names, wish.scale));
    let panels: Vec<Panel> = panels.collect();
    let title = match (wish.title, runs) {
        (Some(title), _) => title.to_owned(),
        (None, [run]) => run.name.clone(),
        (None, _) => String::new(),
    };
    (!panels.is_empty()).then(|| Chart { title, x: "training step".to_owned(), panels })
}

/// The metrics to draw. Constants and counters tell nothing, nor does a panel of a single point beside others.
fn shown(runs: &[Told], wished: &[String]) -> BTreeSet<String> {
    if !wished.is_empty() {
        return wished.iter().cloned().collect();
    }
    let all = || runs.iter().flat_map(|run| &run.metrics);
    let telling = all().filter(|(_, metric)| metric.points.len() > 1 && tells(&metric.points));
    let curves: BTreeSet<String> = telling.map(|(name, _)| name.clone()).collect();
    let quantities: BTreeSet<&str> = curves.iter().map(|name| quantity(name)).collect();
    let points = all().filter(|(name, metric)| {
        metric.points.len() == 1 && (curves.is_empty() || quantities.contains(quantity(name)))
    });
    let points: Vec<String> = points.map(|(name, _)| name.clone()).collect();
    curves.iter().cloned().chain(points).collect()
}

/// False for a constant, and for what rises as evenly as steps are counted.
fn tells(points: &[(u64, f64)]) -> bool {
    let (Some(first), [.., last]) = (points.first(), points) else { return false };
    if points.iter().all(|point| point.1 == first.1) {
        return false;
    }
    // The last step may do less than the others.
    let counted = if points.len() > 3 { &points[..points.len() - 1] } else { points };
    let end = counted.last().unwrap_or(last);
    let slope = (end.1 - first.1) / (end.0 - first.0).max(1) as f64;
    let is_on_line = |(step, value): &(u64, f64)| {
        let expected = slope.mul_add((step - first.0) as f64, first.1);
        (value - expected).abs() <= 1e-6 * (end.1 - first.1).abs()
    };
    points.len() == 2 || slope <= 0.0 || !counted.iter().all(is_on_line)
}

/// What a metric is of, whatever phase and examples it is measured in.
fn quantity(name: &str) -> &str {
    let name = name.rsplit('.').next().unwrap_or(name);
    let is_of = |quantity: &&&str| {
        name.strip_suffix(**quantity).is_some_and(|before| before.is_empty() || before.ends_with('_'))
    };
    match QUANTITIES.iter().find(is_of) {
        Some(quantity) => quantity,
        None => match name.split_once('_') {
            Some((role, rest)) if ROLES.contains(&role) => rest,
            _ => name,
        },
    }
}

/// Runs that differ by their seeds only are one experiment.
fn groups(runs: &[Told], mean: bool) -> Vec<Group<'_>> {
    if mean {
        return vec![Group { runs: runs.iter().collect() }];
    }
    let mut groups: Vec<Group<'_>> = Vec::new();
    for run in runs {
        let (experiment, seed) = run.experiment();
        let is_other = |other: &&Told| other.experiment().0 == experiment && other.experiment().1 != seed;
        match groups.iter_mut().find(|group| group.runs.iter().all(&is_other)) {
            Some(group) => group.runs.push(run),
            None => groups.push(Group { runs: vec![run] }),
        }
    }
    groups
}

fn panel(groups: &[Group<'_>], quantity: &str, names: &[String], scale: ScaleArg) -> Panel {
    let (mut curves, mut marks) = (Vec::new(), Vec::new());
    for (index, group) in groups.iter().enumerate() {
        for (place, name) in names.iter().enumerate() {
            let Some(mut curve) = group.curve(name) else { continue };
            let colour = PALETTE[if groups.len() > 1 { index } else { place } % PALETTE.len()];
            curve.stroke = stroke(group.is_training(name), colour, if groups.len() > 1 { place } else { 0 });
            curve.name = label(groups, group, name, names);
            marks.extend(group.mark(name, colour, groups.len() > 1));
            curves.push(curve);
        }
    }
    // What is measured now and then is over what is told at every step.
    curves.sort_by_key(|curve: &Curve| curve.stroke.width > THIN);
    let logarithmic = match scale {
        ScaleArg::Log => true,
        ScaleArg::Linear => false,
        ScaleArg::Auto => FALLING.contains(&quantity) && spans_a_decade(&curves),
    };
    let title = words(quantity);
    if let [curve] = &mut curves[..]
        && marks.is_empty()
        && curve.name == title
    {
        curve.name.clear();
    }
    let title = unit(groups, names).map_or(title.clone(), |unit| format!("{title} ({unit})"));
    Panel { title, logarithmic, curves, marks }
}

/// The unit of metrics that have the same.
fn unit(groups: &[Group<'_>], names: &[String]) -> Option<&'static str> {
    let runs = || groups.iter().flat_map(|group| &group.runs);
    let mut units = names.iter().flat_map(|name| runs().map(|run| run.units.get(name).copied()));
    let first = units.next()??;
    units.all(|unit| unit == Some(first)).then_some(first)
}

const THIN: f32 = 1.0;
const THICK: f32 = 1.8;

/// What training tells is thin and pale; of several metrics of a run all but the first are broken.
fn stroke(is_training: bool, colour: Colour, place: usize) -> Stroke {
    const DASHES: [&[f32]; 4] = [&[], &[7.0, 3.0], &[2.0, 2.5], &[7.0, 2.5, 2.0, 2.5]];
    if is_training {
        return Stroke::new(colour.with_opacity(150), THIN);
    }
    Stroke { dashes: DASHES[place % DASHES.len()].to_vec(), ..Stroke::new(colour, THICK) }
}

fn spans_a_decade(curves: &[Curve]) -> bool {
    let values = || curves.iter().flat_map(|curve| curve.points.iter().map(|point| point[1]));
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
    low > 0.0 && high > 10.0 * low
}

/// What a curve is of: no more than is needed to tell it from others.
fn label(groups: &[Group<'_>], group: &Group<'_>, name: &str, names: &[String]) -> String {
    let (phase, metric) = name.rsplit_once('.').map_or(("", name), |(phase, metric)| (phase, metric));
    let is_bare = quantity(name) == metric && group.is_training(name) && names.len() > 1;
    let parts = [words(phase), if is_bare { "training".to_owned() } else { String::new() }, words(metric)];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let mut label = parts.join(" ");
    let count = group.runs.len();
    if groups.len() > 1 {
        label = if names.len() > 1 { format!("{}: {label}", group.name()) } else { group.name() };
    }
    if count > 1 { format!("{label}, mean and range of {count} runs") } else { label }
}

fn words(name: &str) -> String {
    name.replace('_', " ")
}

impl Group<'_> {
    /// Its run, or what the names of its runs have in common.
    fn name(&self) -> String {
        let first = self.runs.first().map_or("", |run| run.name.as_str());
        let shared = self.runs.iter().fold(first, |shared, run| common(shared, &run.name));
        let shared =
            if self.runs.len() > 1 { shared.trim_end_matches(['-', '_', '.', '/', '@']) } else { shared };
        if shared.is_empty() { first.to_owned() } else { shared.to_owned() }
    }

    fn is_training(&self, name: &str) -> bool {
        self.runs.iter().filter_map(|run| run.metrics.get(name)).any(|metric| metric.is_training)
    }

    /// The values of its run; of several, their means and ranges at the steps that all have.
    fn curve(&self, name: &str) -> Option<Curve> {
        let all: Vec<&Metric> = self.runs.iter().filter_map(|run| run.metrics.get(name)).collect();
        let mut by_step: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for &(step, value) in all.iter().flat_map(|metric| &metric.points) {
            by_step.entry(step).or_default().push(value);
        }
        by_step.retain(|_, values| values.len() >= all.len());
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let points: Vec<[f64; 2]> =
            by_step.iter().map(|(&step, values)| [step as f64, mean(values)]).collect();
        let spread = by_step.iter().filter(|_| all.len() > 1).map(|(&step, values)| {
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            [step as f64, low, values.iter().copied().fold(f64::NEG_INFINITY, f64::max)]
        });
        let spread = spread.collect();
        let dotted = points.len() <= FEW_POINTS && !all.iter().any(|metric| metric.is_training);
        let stroke = Stroke::new(PALETTE[0], THICK);
        (!points.is_empty()).then(|| Curve { spread, dotted, ..Curve::new(name, points, stroke) })
    }

    /// The best checkpoint of its run, if it was chosen by this metric.
    fn mark(&self, name: &str, colour: Colour, is_named: bool) -> Option<Mark> {
        let [run] = self.runs[..] else { return None };
        let best = run.best.as_ref().filter(|best| best.metric == name)?;
        let label = format!("best checkpoint, step {}", best.step);
        let label = if is_named { format!("{}: {label}", run.name) } else { label };
        Some(Mark { label, at: [best.step as f64, best.value], stroke: Stroke::new(colour, THICK) })
    }
}

fn common<'a>(a: &'a str, b: &str) -> &'a str {
    let equal = a.char_indices().zip(b.chars()).take_while(|((_, a), b)| a == b);
    let end = equal.last().map_or(0, |((at, character), _)| at + character.len_utf8());
    &a[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(name: &str, seed: u64, rows: &[Value]) -> Told {
        let rows = rows.iter().map(|row| row.as_object().unwrap().clone()).collect();
        let best = Best { metric: "validation_loss".to_owned(), step: 20, value: 0.5 };
        let config = json!({"seed": seed, "training": 1, "checkpoint": seed});
        Told::new(name, config, rows, Some(best), &|metric| metric.ends_with("loss").then_some("nats"))
    }

    fn run(name: &str, seed: u64) -> Told {
        let noise = seed as f64 / 10.0;
        let training = |step: u64| {
            json!({"training": {"step": step, "steps": 1, "loss": 2.0 / step as f64 + noise,
                                "rate": 0.1, "tokens": 64 * step}})
        };
        let measured = |step: u64| json!({"step": step, "loss": 9.0, "validation_loss": 10.0 / step as f64 + noise, "elapsed": 2 * step});
        let mut rows: Vec<Value> = (1..=30).map(training).collect();
        rows.extend([measured(10), measured(20), measured(30)]);
        rows.push(json!({"step": 30, "test_loss": 0.4, "test_words": 7}));
        told(name, seed, &rows)
    }

    const ALL: Wish<'_> = Wish { metrics: &[], scale: ScaleArg::Auto, mean: false, title: None };

    fn labels(panel: &Panel) -> Vec<&str> {
        let marks = panel.marks.iter().map(|mark| mark.label.as_str());
        panel.curves.iter().map(|curve| curve.name.as_str()).chain(marks).collect()
    }

    #[test]
    fn metrics_of_a_quantity_share_a_panel_and_constants_and_counters_have_none() {
        let chart = chart(&[run("runs/a", 0)], &ALL).unwrap();
        assert_eq!((chart.title.as_str(), chart.panels.len()), ("runs/a", 1));
        let panel = &chart.panels[0];
        assert_eq!(
            labels(panel),
            ["training loss", "test loss", "validation loss", "best checkpoint, step 20"]
        );
        assert_eq!((panel.title.as_str(), panel.logarithmic), ("loss (nats)", true));
        assert_eq!(panel.curves[0].points.len(), 30);
        assert_eq!(panel.curves[0].points[0], [1.0, 2.0]);
    }

    #[test]
    fn what_is_asked_for_is_drawn_as_asked_for() {
        let metrics = ["rate".to_owned(), "elapsed".to_owned(), "validation_loss".to_owned()];
        let wish = Wish { metrics: &metrics, scale: ScaleArg::Linear, title: Some("mine"), ..ALL };
        let chart = chart(&[run("runs/a", 0)], &wish).unwrap();
        let titles: Vec<&str> = chart.panels.iter().map(|panel| panel.title.as_str()).collect();
        assert_eq!(titles, ["loss (nats)", "elapsed", "rate"]);
        assert!(chart.panels.iter().all(|panel| !panel.logarithmic));
        assert_eq!(labels(&chart.panels[2]), [""]);
    }

    #[test]
    fn runs_that_differ_by_the_seed_are_one_curve_with_its_range() {
        let runs = [run("runs/a-1", 1), run("runs/a-2", 2), run("runs/a-4", 4)];
        let chart = chart(&runs, &ALL).unwrap();
        let [training, _, validation] = &chart.panels[0].curves[..] else { panic!("{chart:?}") };
        assert_eq!(validation.name, "validation loss, mean and range of 3 runs");
        let [low, mean, high] = [1.0 + 0.1, 1.0 + 0.7 / 3.0, 1.0 + 0.4];
        assert!((validation.points[0][1] - mean).abs() < 1e-12);
        assert_eq!(validation.spread[0], [10.0, low, high]);
        assert_eq!((training.spread.len(), chart.panels[0].marks.len()), (30, 0));
    }

    #[test]
    fn other_runs_have_a_colour_each() {
        let mut other = run("runs/b", 1);
        other.config["training"] = 2.into();
        let runs = [run("runs/a", 1), other, run("runs/c", 1)];
        let chart = chart(&runs, &ALL).unwrap();
        let panel = &chart.panels[0];
        assert_eq!(panel.curves.len(), 9);
        assert!(labels(panel).contains(&"runs/b: validation loss"), "{:?}", labels(panel));
        let colours: BTreeSet<[u8; 3]> = panel.curves.iter().map(|curve| curve.stroke.colour.rgb).collect();
        assert_eq!((colours.len(), panel.marks.len()), (3, 3));
        let mean = Wish { mean: true, ..ALL };
        assert_eq!(super::chart(&runs, &mean).unwrap().panels[0].curves.len(), 3);
    }

    #[test]
    fn one_measured_step_is_drawn_and_none_is_nothing() {
        let single = told("r", 0, &[json!({"step": 7, "accuracy": 0.5, "loss": null})]);
        let chart = chart(&[single], &ALL).unwrap();
        assert_eq!(chart.panels[0].curves[0].points, [[7.0, 0.5]]);
        assert!(super::chart(&[told("r", 0, &[])], &ALL).is_none());
    }

    #[test]
    fn names_have_quantities() {
        let names =
            ["pretraining.validation_loss", "loss", "glossy_loss", "gloss", "select_accuracy", "test_rows"];
        assert_eq!(names.map(quantity), ["loss", "loss", "loss", "gloss", "accuracy", "rows"]);
    }
}
