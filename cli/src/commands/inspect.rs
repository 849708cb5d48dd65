//! `inspect`: the state as a tree, one entry, or one array.

use std::ops::Range;

use anyhow::bail;
use rekindle::tree::{ArrayRef, DType, StoredTree, no_entry};
use rekindle::{Checkpoint, EntryPath, Node, time};
use rekindle_train::{History, Registry, number};
use serde_json::{Value, json};

use crate::address::Source;
use crate::args::InspectArgs;
use crate::output;
use crate::run_state::metrics_line;

/// So many children of one node, or elements of an array, are shown.
const SHOWN: usize = 24;

pub fn inspect(registry: &Registry, args: &InspectArgs, json: bool) -> anyhow::Result<u8> {
    Source::open_any(registry, &args.checkpoint)?.read(|source| inspect_source(registry, source, args, json))
}

fn inspect_source(
    registry: &Registry,
    source: &Source,
    args: &InspectArgs,
    json: bool,
) -> anyhow::Result<u8> {
    let checkpoint = source.checkpoint()?;
    if args.history {
        return history(&checkpoint, args.training, json);
    }
    let path: EntryPath = args.path.as_deref().unwrap_or_default().parse()?;
    let tree = checkpoint.tree()?;
    let node = tree.at(&path).ok_or_else(|| no_entry(&tree, &path))?;
    if let Node::Array(array) = node {
        return show_array(&checkpoint, &path, array, args.rows.clone(), json);
    }
    if args.rows.is_some() {
        bail!("`{path}` is not an array; --rows takes a part of one");
    }
    let note = source.store.note(Some(source.step))?;
    if json {
        let record = checkpoint.record();
        let (state_hash, about) = (record.state_hash, &record.about);
        output::print_json(&json!({
            "step": record.step, "state_hash": state_hash, "about": about, "path": args.path, "note": note,
            "lineage": source.store.identity().lineage, "teachers": source.store.identity().teachers, "state": to_json(node),
        }))?;
        return Ok(0);
    }
    let title = || vec![format!("{}  {}", output::bold(&path.to_string()), output::dim(&summary(node)))];
    let mut lines = if path.is_root() { heading(registry, source, note)? } else { title() };
    draw(node, "", args.depth, &mut lines);
    output::print(&lines.join("\n"))?;
    Ok(0)
}

fn heading(registry: &Registry, source: &Source, note: Option<String>) -> anyhow::Result<Vec<String>> {
    let checkpoint = source.checkpoint()?;
    let record = checkpoint.record();
    let about = &record.about;
    let system = if about.system.is_empty() { String::new() } else { format!(" of a {} run", about.system) };
    let rows = History::of(checkpoint.history().0).evaluations.len();
    let mut lines = vec![
        output::bold(&format!("step {}{system}", record.step)),
        format!("state {}, {} in arrays", record.state_hash, output::bytes(record.payload_bytes)),
    ];
    if !source.is_of_a_file {
        lines.push(format!("saved {}", time::format_utc(record.created)));
    }
    if !about.metrics.is_empty() {
        lines.push(format!("metrics {}", metrics_line(registry, record)));
    }
    if rows > 0 {
        lines.push(format!("history of {rows} {}: see --history", if rows == 1 { "row" } else { "rows" }));
    }
    lines.extend(about.changes.iter().map(|change| format!("changed at {change}")));
    if let Some(lineage) = &source.store.identity().lineage {
        lines.push(format!("run started from {}", lineage.source));
    }
    let teachers = source.store.identity().teachers.iter();
    lines.extend(teachers.map(|teacher| format!("run learns from {}", teacher.source)));
    lines.extend(source.store.note(None)?.map(|note| format!("run: {note}")));
    lines.extend(note.map(|note| format!("note: {note}")));
    lines.push(String::new());
    Ok(lines)
}

fn draw(node: &StoredTree, indent: &str, depth: usize, lines: &mut Vec<String>) {
    let children = node.children();
    for (position, (name, child)) in children.iter().enumerate() {
        if position == SHOWN {
            lines.push(format!("{indent}{}", output::dim(&format!("... {} more", children.len() - SHOWN))));
            return;
        }
        let segment = EntryPath::root().child(name.as_str());
        lines.push(format!("{indent}{segment}  {}", output::dim(&summary(child))));
        let is_unit_variant = matches!(child, Node::Variant(_, content) if **content == Node::Null);
        if depth > 1 && !is_unit_variant {
            draw(child, &format!("{indent}  "), depth - 1, lines);
        }
    }
}

fn summary(node: &StoredTree) -> String {
    match node {
        Node::Null => "none".to_owned(),
        Node::Scalar(scalar) => {
            let text = scalar.to_string();
            let short: String = text.chars().take(60).collect();
            let more = if short.len() < text.len() { "..." } else { "" };
            format!("{short}{more} ({})", scalar.type_name())
        }
        Node::Array(array) => {
            format!("{} {}", array.kind(), output::bytes(array.kind().byte_len().unwrap_or(0)))
        }
        Node::Variant(name, _) => name.clone(),
        Node::Some(content) => summary(content),
        Node::List(items) => format!("list of {}, {}", items.len(), output::bytes(node.payload_bytes())),
        Node::Struct(_) => output::bytes(node.payload_bytes()),
        Node::Map(entries) => format!("map of {}, {}", entries.len(), output::bytes(node.payload_bytes())),
    }
}

fn to_json(node: &StoredTree) -> Value {
    match node {
        Node::Null => Value::Null,
        Node::Scalar(scalar) => json!({"type": scalar.type_name(), "value": scalar.to_string()}),
        Node::Array(array) => json!({"dtype": array.kind().dtype.name(), "shape": array.kind().shape}),
        Node::Some(content) => to_json(content),
        Node::List(items) => items.iter().map(to_json).collect(),
        other => {
            let children = other.children().into_iter().map(|(name, child)| (name, to_json(child)));
            Value::Object(children.collect())
        }
    }
}

/// What is known of the elements of an array.
struct Statistics {
    min: f64,
    max: f64,
    mean: f64,
    deviation: f64,
    zeros: usize,
    not_finite: usize,
}

impl Statistics {
    fn of(dtype: DType, bytes: &[u8]) -> Self {
        let values = || bytes.chunks_exact(dtype.size()).map(|element| dtype.to_f64(element));
        let finite = || values().filter(|value| value.is_finite());
        let count = finite().count().max(1) as f64;
        let mean = finite().sum::<f64>() / count;
        let variance = finite().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        Self {
            min: finite().fold(f64::INFINITY, f64::min),
            max: finite().fold(f64::NEG_INFINITY, f64::max),
            mean,
            deviation: variance.sqrt(),
            zeros: values().filter(|value| *value == 0.0).count(),
            not_finite: values().filter(|value| !value.is_finite()).count(),
        }
    }
}

fn show_array(
    checkpoint: &Checkpoint<'_>,
    path: &EntryPath,
    array: &ArrayRef,
    rows: Option<Range<u64>>,
    json: bool,
) -> anyhow::Result<u8> {
    let bytes = match rows {
        Some(rows) => checkpoint.read_rows(path, array, rows)?,
        None => checkpoint.read_array(path, array)?,
    };
    let dtype = array.kind().dtype;
    let statistics = Statistics::of(dtype, &bytes);
    let first: Vec<f64> =
        bytes.chunks_exact(dtype.size()).take(SHOWN).map(|element| dtype.to_f64(element)).collect();
    if json {
        output::print_json(&json!({
            "path": path.to_string(), "dtype": dtype.name(), "shape": array.kind().shape,
            "min": statistics.min, "max": statistics.max, "mean": statistics.mean,
            "standard_deviation": statistics.deviation, "zeros": statistics.zeros,
            "not_finite": statistics.not_finite, "first": first,
        }))?;
        return Ok(0);
    }
    let first: Vec<String> = first.into_iter().map(number).collect();
    let more = if bytes.len() / dtype.size() > first.len() { " ..." } else { "" };
    let mut lines = vec![
        format!(
            "{}  {} {}",
            output::bold(&path.to_string()),
            array.kind(),
            output::bytes(bytes.len() as u64)
        ),
        format!(
            "min {}  max {}  mean {}  standard deviation {}  zeros {}",
            number(statistics.min),
            number(statistics.max),
            number(statistics.mean),
            number(statistics.deviation),
            statistics.zeros
        ),
    ];
    if statistics.not_finite > 0 {
        lines.push(format!("{} elements are not finite", statistics.not_finite));
    }
    lines.push(format!("{}{more}", first.join(" ")));
    output::print(&lines.join("\n"))?;
    Ok(0)
}

fn history(checkpoint: &Checkpoint<'_>, of_training: bool, json: bool) -> anyhow::Result<u8> {
    let (rows, damage) = checkpoint.history();
    if let Some(damage) = damage {
        tell!("warning: the history is not complete: {damage}");
    }
    let History { evaluations, training } = History::of(rows);
    for row in if of_training { training } else { evaluations } {
        if json {
            output::print_json_as_it_is(&row)?;
            continue;
        }
        let cell = |(name, value): (&String, &Value)| match value.as_f64() {
            Some(value) => format!("{name} {}", number(value)),
            None => format!("{name} not finite"),
        };
        let (steps, metrics): (Vec<_>, Vec<_>) = row.iter().partition(|(name, _)| *name == "step");
        let cells: Vec<String> = steps.into_iter().chain(metrics).map(cell).collect();
        output::print(&cells.join("  "))?;
    }
    Ok(0)
}
