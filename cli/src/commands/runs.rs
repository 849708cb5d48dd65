//! `cp`, `mv`, `rm` and `note`: whole runs as things.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use rekindle::storage::{FileStorage, Holder, Storage};
use rekindle::upkeep::{CopiedObjects, copy_objects};
use rekindle::{Address, OpenError, Store, Which, Writer};
use rekindle_formats::files;
use serde_json::json;

use crate::address::{open_run, resolve};
use crate::args::{NoteArgs, RmArgs};
use crate::exit;
use crate::output::{self, Progress};
use crate::unlock;

/// Copies a run as it is. A process that writes it may go on.
pub fn cp(from: &Path, to: &Path, json: bool) -> anyhow::Result<u8> {
    let source = run_at(from)?;
    require_free(to)?;
    let copied = copy(&source, to)?;
    let damaged: Vec<u64> = copied.damaged.iter().map(|skipped| skipped.step).collect();
    if json {
        output::print_json(&json!({
            "run": to, "disk_bytes": copied.bytes, "steps": copied.steps, "damaged": damaged,
            "left_out": copied.left_out,
        }))?;
        return Ok(if damaged.is_empty() { 0 } else { exit::PARTIAL });
    }
    let (count, bytes) = (copied.steps.len(), output::bytes(copied.bytes));
    let place = format!("{} to {}", from.display(), to.display());
    output::print(&format!("copied {place} ({count} checkpoints, {bytes})"))?;
    for name in &copied.left_out {
        output::print(&format!("left out: `{name}` is not a file of a run"))?;
    }
    for skipped in &copied.damaged {
        output::print(&format!(
            "step {} is damaged in {}: {}",
            skipped.step,
            from.display(),
            skipped.damage
        ))?;
    }
    Ok(if damaged.is_empty() { 0 } else { exit::PARTIAL })
}

fn copy(source: &Arc<dyn Storage>, to: &Path) -> anyhow::Result<CopiedObjects> {
    let target: Arc<dyn Storage> = Arc::new(FileStorage::new(to));
    target.make_place()?;
    let _lease = target.lease(&Holder::this_process("rekindle cp"))?;
    let mut progress = Progress::new("bytes", 0);
    Ok(copy_objects(Arc::clone(source), &target, |done, total| progress.set(done, total))?)
}

/// Moves a run that nobody writes.
pub fn mv(from: &Path, to: &Path, json: bool) -> anyhow::Result<u8> {
    let source = run_at(from)?;
    require_free(to)?;
    let lease = source.lease(&Holder::this_process("rekindle mv"))?;
    if let Some(parent) = to.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        files::create_directory(parent).with_context(|| parent.display().to_string())?;
    }
    if files::rename(from, to).is_err() {
        // Another file system: a copy that is whole, then the original goes.
        copy(&source, to)?;
        Store::open(Arc::new(FileStorage::new(to))).map(drop).or_else(unless_encrypted)?;
        files::remove_directory(from).with_context(|| from.display().to_string())?;
    }
    drop(lease);
    if json {
        output::print_json(&json!({"run": to}))?;
    } else {
        output::print(&format!("moved {} to {}", from.display(), to.display()))?;
    }
    Ok(0)
}

fn unless_encrypted(error: OpenError) -> Result<(), OpenError> {
    if matches!(error, OpenError::Encrypted { .. }) { Ok(()) } else { Err(error) }
}

/// Deletes a run that nobody writes.
pub fn rm(args: &RmArgs, json: bool) -> anyhow::Result<u8> {
    let storage = run_at(&args.run)?;
    let _lease = storage.lease(&Holder::this_process("rekindle rm"))?;
    let objects = storage.list("")?;
    let bytes: u64 = objects.iter().map(|object| object.len).sum();
    let question =
        format!("delete {} with all its checkpoints ({})?", args.run.display(), output::bytes(bytes));
    if !args.yes && !confirmed(&question)? {
        bail!("nothing was deleted");
    }
    files::remove_directory(&args.run).with_context(|| args.run.display().to_string())?;
    if json {
        output::print_json(&json!({"run": args.run, "deleted": true, "disk_bytes": bytes}))?;
    } else {
        output::print(&format!("deleted {} ({})", args.run.display(), output::bytes(bytes)))?;
    }
    Ok(0)
}

fn confirmed(question: &str) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("{question} Say so with --yes");
    }
    eprint!("{question} [y/N] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// The storage of a run; the directory must hold one. Its key is not needed.
fn run_at(path: &Path) -> anyhow::Result<Arc<dyn Storage>> {
    let storage: Arc<dyn Storage> = Arc::new(FileStorage::new(path));
    match Store::open(Arc::clone(&storage)) {
        Ok(_) | Err(OpenError::Encrypted { .. }) => Ok(storage),
        Err(error) => Err(error.into()),
    }
}

fn require_free(to: &Path) -> anyhow::Result<()> {
    if files::exists(to) {
        bail!("`{}` exists; nothing was changed: name a place that is free", to.display());
    }
    Ok(())
}

/// Writes or shows a note on a run or a checkpoint.
pub fn note(args: &NoteArgs, json: bool) -> anyhow::Result<u8> {
    let address = Address::parse(&args.address);
    let on_run = address.which == Which::Latest(0) && !args.address.contains('@');
    let step_of = |store: &Store| if on_run { Ok(None) } else { resolve(store, &address.which).map(Some) };
    let Some(text) = &args.text else {
        let store = open_run(&address.run)?;
        let step = step_of(&store)?;
        let note = store.note(step)?;
        if json {
            output::print_json(&json!({"step": step, "note": note}))?;
        } else {
            output::print(note.as_deref().unwrap_or("there is no note"))?;
        }
        return Ok(0);
    };
    let store = Writer::open(unlock::access(&address.run)?, "rekindle note")?;
    let step = step_of(&store)?;
    store.set_note(step, text)?;
    if json {
        output::print_json(&json!({"step": step, "note": text}))?;
    }
    Ok(0)
}
