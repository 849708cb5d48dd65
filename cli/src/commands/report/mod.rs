//! `report`: runs on one page that needs nothing but itself.

mod html;
mod lineage;

use std::collections::BTreeSet;
use std::path::PathBuf;

use rekindle::records::CommitRecord;
use rekindle::time;
use rekindle_train::{AnySystem, ConfigText, Registry, duration, number};
use serde_json::{Value, json};

use crate::address::Source;
use crate::args::ReportArgs;
use crate::commands::ls::tags_by_step;
use crate::commands::train::system_of;
use crate::curve::{self, Best, ScaleArg, Told, Wish};
use crate::output;
use crate::picture_file;
use crate::run_state::{RunState, metrics_line};
use html::{Cell, Page, figure, folded, heading, paragraph, preformatted, table};

/// A picture that takes more as SVG is left out: bytes.
const PICTURE_LIMIT: usize = 4 << 20;
/// Of a long list of checkpoints the first and the last ones are shown, so many.
const CHECKPOINTS: usize = 200;

pub fn report(registry: &Registry, args: &ReportArgs, json: bool) -> anyhow::Result<u8> {
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from("report.html"));
    let runs =
        args.runs.iter().map(|name| Reported::open(registry, name)).collect::<anyhow::Result<Vec<_>>>()?;
    let page = page(registry, &runs, args.title.as_deref())?;
    args.replace.allow(&out)?;
    picture_file::write(&out, page.as_bytes())?;
    match json {
        true => output::print_json(&json!({"file": out, "runs": args.runs, "bytes": page.len()}))?,
        false => output::print(&format!("wrote {}", out.display()))?,
    }
    Ok(0)
}

/// A run that is reported on.
struct Reported<'a> {
    name: &'a str,
    source: Source,
    system: Option<&'a dyn AnySystem>,
}

impl<'a> Reported<'a> {
    /// Opens a run at the checkpoint that is named, by default the newest that is whole.
    fn open(registry: &'a Registry, name: &'a str) -> anyhow::Result<Self> {
        let source = Source::open_whole(name)?;
        // A run of a loop of one's own has no system.
        let system = registry.system(&system_of(&source.store), name).ok();
        Ok(Self { name, source, system })
    }

    fn record(&self) -> anyhow::Result<&CommitRecord> {
        Ok(self.source.checkpoint()?.record())
    }

    /// The checkpoints up to the one that is named.
    fn records(&self) -> impl DoubleEndedIterator<Item = &CommitRecord> {
        self.source.store.records().filter(|record| record.step <= self.source.step)
    }
}

fn page(registry: &Registry, runs: &[Reported<'_>], title: Option<&str>) -> anyhow::Result<String> {
    let names = || runs.iter().map(|run| run.name).collect::<Vec<_>>().join(", ");
    let mut page = Page::new(&title.map_or_else(names, str::to_owned));
    page.section("summary", "Summary", summary(registry, runs)?);
    page.section("curves", "Curves", curves(registry, runs)?);
    page.section("configs", "Configs", configs(runs)?);
    page.section("checkpoints", "Checkpoints", each(runs, |run| checkpoints(registry, run))?);
    page.section("pictures", "Pictures", each(runs, |run| Ok(pictures(run)))?);
    page.section("description", "Description", each(runs, |run| Ok(description(run)))?);
    page.section("lineage", "Lineage", origins(runs)?);
    page.section("environment", "Environment", each(runs, environment)?);
    page.section("repeat", "To repeat it", each(runs, repeat)?);
    Ok(page.finish())
}

/// The same of each run, under its name where there are several.
fn each(
    runs: &[Reported<'_>],
    content: impl Fn(&Reported<'_>) -> anyhow::Result<String>,
) -> anyhow::Result<String> {
    let mut all = String::new();
    for run in runs {
        let content = content(run)?;
        if runs.len() > 1 && !content.is_empty() {
            all += &heading(run.name);
        }
        all += &content;
    }
    Ok(all)
}

/// What was trained and how it stands: a column for each run.
fn summary(registry: &Registry, runs: &[Reported<'_>]) -> anyhow::Result<String> {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let mut add =
        |name: &str, cells: Vec<Cell>| rows.push(std::iter::once(Cell::text(name)).chain(cells).collect());
    let of = |cell: &dyn Fn(&Reported<'_>) -> anyhow::Result<Cell>| {
        runs.iter().map(cell).collect::<anyhow::Result<Vec<_>>>()
    };
    add("trained", of(&|run| Ok(Cell::text(what(run))))?);
    add("state", of(&|run| Ok(Cell::text(RunState::of(&run.source.store)?.standing().name())))?);
    add("step", of(&|run| Ok(Cell::text(step(run)?)))?);
    add("metrics", of(&|run| Ok(Cell::text(metrics_line(registry, run.record()?))))?);
    add("best", of(&|run| Ok(best(run).map_or_else(|| Cell::text(""), Cell::best)))?);
    add("speed", of(&|run| Ok(Cell::text(speed(run)?)))?);
    add("saved", of(&|run| Ok(Cell::text(time::format_utc(run.record()?.created))))?);
    add("size of the state", of(&|run| Ok(Cell::text(output::bytes(run.record()?.payload_bytes))))?);
    add("state hash", of(&|run| Ok(Cell::code(&run.record()?.state_hash.to_string())))?);
    add("note", of(&|run| Ok(Cell::text(run.source.store.note(None)?.unwrap_or_default())))?);
    let head: Vec<Cell> =
        std::iter::once("").chain(runs.iter().map(|run| run.name)).map(Cell::text).collect();
    Ok(table(&head, &rows))
}

fn what(run: &Reported<'_>) -> String {
    match run.system {
        Some(system) => format!("{}: {}", system.name(), system.summary()),
        None => "by a program of its own".to_owned(),
    }
}

fn step(run: &Reported<'_>) -> anyhow::Result<String> {
    let state = RunState::of(&run.source.store)?;
    let step = run.source.step;
    Ok(state.total_steps.map_or_else(|| step.to_string(), |total| format!("{step} of {total}")))
}

fn best(run: &Reported<'_>) -> Option<String> {
    let Best { metric, step, value } = Best::of(&run.source)?;
    Some(format!("{metric} {} at step {step}", number(value)))
}

fn speed(run: &Reported<'_>) -> anyhow::Result<String> {
    let state = RunState::of(&run.source.store)?;
    let Some(rate) = state.steps_per_second.filter(|rate| *rate > 0.0) else { return Ok(String::new()) };
    Ok(format!("{} steps/s, {} in all", number(rate), duration(run.source.step as f64 / rate)))
}

/// The metrics of all runs over the steps, in one picture.
fn curves(registry: &Registry, runs: &[Reported<'_>]) -> anyhow::Result<String> {
    let told = runs
        .iter()
        .map(|run| Told::of(registry, &run.source, run.name))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let wish = Wish { metrics: &[], scale: ScaleArg::Auto, mean: false, title: Some("") };
    let Some(chart) = curve::chart(&told, &wish) else { return Ok(String::new()) };
    Ok(figure(&chart.draw(chart.size()).svg()?, "curves", "the metrics over the steps"))
}

/// What the configs of several runs differ in, and each as a whole.
fn configs(runs: &[Reported<'_>]) -> anyhow::Result<String> {
    let configs = runs
        .iter()
        .map(|run| Ok(run.record()?.about.config.clone()))
        .collect::<anyhow::Result<Vec<Value>>>()?;
    let mut content = String::new();
    if configs.len() > 1 {
        content += &differences(runs, &configs);
    }
    for (run, config) in runs.iter().zip(&configs) {
        if !config.is_null() {
            let text = ConfigText { origin: run.name.to_owned(), yaml: config.to_string() };
            let summary =
                if runs.len() > 1 { format!("the config of {}", run.name) } else { "the config".to_owned() };
            content += &folded(&summary, &preformatted(&in_yaml(run, &text, config)));
        }
    }
    Ok(content)
}

fn in_yaml(run: &Reported<'_>, text: &ConfigText, config: &Value) -> String {
    let parsed = run.system.and_then(|system| system.config(text, &[]).ok());
    let yaml = parsed.and_then(|config| config.yaml().ok());
    yaml.unwrap_or_else(|| serde_json::to_string_pretty(config).unwrap_or_default())
}

fn differences(runs: &[Reported<'_>], configs: &[Value]) -> String {
    let paths: BTreeSet<String> = configs.iter().flat_map(leaves).map(|(path, _)| path).collect();
    let value = |config: &Value, path: &str| {
        leaves(config)
            .into_iter()
            .find(|(known, _)| known == path)
            .map_or_else(String::new, |(_, value)| value)
    };
    let rows: Vec<Vec<Cell>> = paths
        .iter()
        .map(|path| (path, configs.iter().map(|config| value(config, path)).collect::<Vec<_>>()))
        .filter(|(_, values)| values.windows(2).any(|pair| pair[0] != pair[1]))
        .map(|(path, values)| {
            std::iter::once(Cell::code(path)).chain(values.into_iter().map(Cell::text)).collect()
        })
        .collect();
    if rows.is_empty() {
        return paragraph("All configs are equal.");
    }
    let head: Vec<Cell> =
        std::iter::once("setting").chain(runs.iter().map(|run| run.name)).map(Cell::text).collect();
    table(&head, &rows)
}

/// The values of a config by their paths.
fn leaves(config: &Value) -> Vec<(String, String)> {
    fn walk(path: &str, value: &Value, found: &mut Vec<(String, String)>) {
        let child = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, value)| walk(&child(name), value, found)),
            Value::String(text) => found.push((path.to_owned(), text.clone())),
            other => found.push((path.to_owned(), other.to_string())),
        }
    }
    let mut found = Vec::new();
    walk("", config, &mut found);
    found
}

fn checkpoints(registry: &Registry, run: &Reported<'_>) -> anyhow::Result<String> {
    let store = &run.source.store;
    let tags = tags_by_step(store)?;
    let rows: Vec<Vec<Cell>> = run
        .records()
        .map(|record| {
            let names = tags.get(&record.step).map(|names| names.join(", ")).unwrap_or_default();
            vec![
                Cell::number(record.step.to_string()),
                Cell::text(metrics_line(registry, record)),
                Cell::best(names),
                Cell::text(time::format_utc(record.created)),
                Cell::number(output::bytes(record.payload_bytes)),
                Cell::number(output::bytes(record.new_bytes)),
                Cell::code(&record.state_hash.short()),
                Cell::text(store.note(Some(record.step)).unwrap_or_default().unwrap_or_default()),
            ]
        })
        .collect();
    let head = ["step", "metrics", "tags", "saved", "size", "new bytes", "state", "note"].map(Cell::text);
    let (count, mut shown) = (rows.len(), rows);
    let mut content = String::new();
    if count > CHECKPOINTS {
        shown.drain(CHECKPOINTS / 2..count - CHECKPOINTS / 2);
        content += &paragraph(&format!("{CHECKPOINTS} of {count} checkpoints, the first and the last ones:"));
    }
    content += &table(&head, &shown);
    let changes = run.record()?.about.changes.join("\n");
    if !changes.is_empty() {
        content += &paragraph("Changed on the way:");
        content += &preformatted(&changes);
    }
    Ok(content)
}

/// The pictures that the system draws of the state.
fn pictures(run: &Reported<'_>) -> String {
    let Some(system) = run.system else { return String::new() };
    let drawn: String =
        system.pictures().iter().map(|(name, summary)| picture(run, system, name, summary)).collect();
    if drawn.is_empty() { drawn } else { format!("<div class=\"pictures\">\n{drawn}</div>\n") }
}

fn picture(run: &Reported<'_>, system: &dyn AnySystem, name: &str, summary: &str) -> String {
    let drawn = run.source.checkpoint().and_then(|checkpoint| Ok(system.draw(&checkpoint, name)?.svg()?));
    match drawn {
        Ok(svg) if svg.len() <= PICTURE_LIMIT => figure(&svg, "picture", summary),
        Ok(_) => paragraph(&format!("{name}: too large for a page; `rekindle plot` draws it")),
        // A picture may need what a state does not have yet, or data that is elsewhere.
        Err(error) => paragraph(&format!("{name}: not drawn, as {error}")),
    }
}

fn description(run: &Reported<'_>) -> String {
    let described = run.system.and_then(|system| system.describe(&run.source.checkpoint().ok()?).ok());
    described.map_or_else(String::new, |text| preformatted(text.trim_end()))
}

fn origins(runs: &[Reported<'_>]) -> anyhow::Result<String> {
    let stores: Vec<_> = runs.iter().map(|run| (run.name, &run.source.store)).collect();
    let Some(graph) = lineage::draw(&stores) else { return Ok(String::new()) };
    Ok(figure(&graph.svg()?, "curves", "what each run comes from"))
}

fn environment(run: &Reported<'_>) -> anyhow::Result<String> {
    // What the loop notes for itself is no part of it.
    let notes = ["total_steps", "steps_per_second"];
    let about = &run.record()?.about;
    let said = about
        .environment
        .iter()
        .filter(|(name, value)| !notes.contains(&name.as_str()) && !value.starts_with(['{', '[']));
    let rows: Vec<Vec<Cell>> = said.map(|(name, value)| vec![Cell::text(name), Cell::text(value)]).collect();
    let [name, value] = ["what", "value"].map(Cell::text);
    Ok(if rows.is_empty() { String::new() } else { table(&[name, value], &rows) })
}

fn repeat(run: &Reported<'_>) -> anyhow::Result<String> {
    let (name, step, hash) = (run.name, run.source.step, run.record()?.state_hash);
    if run.system.is_none() {
        return Ok(preformatted(&format!(
            "rekindle audit {name} -- COMMAND      # the program that trained it"
        )));
    }
    let commands = format!(
        "rekindle audit {name}                          # computes parts of it again, and compares\n\
         rekindle show-config {name} > again.yaml\n\
         rekindle train again.yaml --run again --stop-at {step}"
    );
    Ok(preformatted(&commands) + &paragraph(&format!("It ends with the state {hash}.")))
}
