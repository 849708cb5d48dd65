//! `diff`: state against state, entry by entry.

use std::borrow::Cow;

use rekindle::diff::{Difference, Side};
use rekindle::tree::ArrayRef;
use rekindle::{Checkpoint, EntryPath, ReadError};
use rekindle_train::{Registry, number};
use serde_json::json;

use crate::address::{Source, read_all};
use crate::exit;
use crate::output;

pub fn diff(registry: &Registry, a: &str, b: &str, json: bool) -> anyhow::Result<u8> {
    let sources = [Source::open_any(registry, a)?, Source::open_any(registry, b)?];
    read_all(sources, |[left, right]| {
        diff_checkpoints((a, left.checkpoint()?), (b, right.checkpoint()?), json)
    })
}

fn diff_checkpoints(
    (a, left): (&str, Checkpoint<'_>),
    (b, right): (&str, Checkpoint<'_>),
    json: bool,
) -> anyhow::Result<u8> {
    let (left_tree, right_tree) = (left.tree()?, right.tree()?);
    let (left_fetch, right_fetch) = (fetch(left), fetch(right));
    let diff = rekindle::diff::diff(
        Side { tree: &left_tree, fetch: &left_fetch },
        Side { tree: &right_tree, fetch: &right_fetch },
    )?;
    let code = if diff.different.is_empty() { 0 } else { exit::NEGATIVE };
    if json {
        let entries: Vec<_> = diff
            .different
            .iter()
            .map(|(path, difference)| json!({"path": path.to_string(), "difference": difference}))
            .collect();
        output::print_json(&json!({
            "a": a, "b": b, "identical": diff.different.is_empty(), "equal": diff.equal, "different": entries,
            "state_hash_a": left.record().state_hash, "state_hash_b": right.record().state_hash,
        }))?;
        return Ok(code);
    }
    if diff.different.is_empty() {
        output::print(&format!("identical: {} entries, state {}", diff.equal, left.record().state_hash))?;
        return Ok(code);
    }
    let rows: Vec<Vec<String>> =
        diff.different.iter().map(|(path, difference)| row(path, difference)).collect();
    let header = ["entry", "", ">changed", ">max abs", ">max rel", ">cosine"];
    output::print(&output::table(&header, &rows))?;
    output::print(&format!("{} entries differ, {} are equal", diff.different.len(), diff.equal))?;
    Ok(code)
}

fn fetch<'a>(
    checkpoint: Checkpoint<'a>,
) -> impl for<'x> Fn(&EntryPath, &'x ArrayRef) -> Result<Cow<'x, [u8]>, ReadError> + 'a {
    move |path, array| checkpoint.read_array(path, array).map(Cow::Owned)
}

fn row(path: &EntryPath, difference: &Difference) -> Vec<String> {
    let mut row =
        vec![path.to_string(), String::new(), String::new(), String::new(), String::new(), String::new()];
    match difference {
        Difference::Changed(change) => {
            row[1] = "changed".to_owned();
            row[2] = format!("{:.1} %", 100.0 * change.share());
            row[3] = number(change.max_absolute);
            row[4] = number(change.max_relative);
            row[5] = change.cosine.map_or("-".to_owned(), |cosine| format!("{cosine:.6}"));
        }
        Difference::Shape { a, b } => row[1] = format!("shape {a:?} and {b:?}"),
        Difference::Type { a, b } => row[1] = format!("{a} and {b}"),
        Difference::Value { a, b } => row[1] = format!("{} and {}", short(a), short(b)),
        Difference::MissingInA => row[1] = "only in the second".to_owned(),
        Difference::MissingInB => row[1] = "only in the first".to_owned(),
        _ => row[1] = "differs".to_owned(),
    }
    row
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}
