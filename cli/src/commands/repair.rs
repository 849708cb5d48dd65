//! `gc` and `repair`: space that is freed, and damage that is made good.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rekindle::records::Lineage;
use rekindle::storage::FileStorage;
use rekindle::upkeep::{Salvaged, Unreadable};
use rekindle::{ReadError, SaveError, Store, Writer};
use rekindle_formats::files;
use serde_json::json;

use crate::args::{GcArgs, RepairArgs};
use crate::exit;
use crate::output;
use crate::unlock;

pub fn gc(args: &GcArgs, json: bool) -> anyhow::Result<u8> {
    let mut store = Writer::open(unlock::access(&args.run)?, "rekindle gc")?;
    let pruned = store.gc(args.grace)?;
    let kept_because = pruned.kept_because.as_ref().map(ToString::to_string);
    if json {
        output::print_json(&json!({
            "freed_bytes": pruned.freed_bytes, "condemned_bytes": pruned.condemned_bytes,
            "rewritten_bytes": pruned.rewritten_bytes, "kept_because": kept_because,
            "not_rewritten": pruned.not_rewritten,
        }))?;
    } else if let Some(damage) = &kept_because {
        output::print(&format!(
            "no space was freed, because a damaged checkpoint may need any pack:\n  {damage}"
        ))?;
        output::print(&format!("`rekindle repair {}` takes it out of the books", args.run.display()))?;
    } else {
        output::print(&format!("freed {}", output::bytes(pruned.freed_bytes)))?;
        if pruned.rewritten_bytes > 0 {
            output::print(&format!("wrote {} anew, more densely", output::bytes(pruned.rewritten_bytes)))?;
        }
        if let Some(reason) = &pruned.not_rewritten {
            output::print(&format!("packs that are mostly not needed stay as they are: {reason}"))?;
        }
        if pruned.condemned_bytes > 0 {
            let (bytes, grace) = (output::bytes(pruned.condemned_bytes), args.grace);
            output::print(&format!(
                "{bytes} more are kept for {grace} s, for readers, and go with the next gc or prune after that (--grace 0 frees \
                 them at once)"
            ))?;
        }
    }
    Ok(if kept_because.is_some() { exit::PARTIAL } else { 0 })
}

pub fn repair(args: &RepairArgs, json: bool) -> anyhow::Result<u8> {
    let mut store = Writer::open(unlock::access(&args.run)?, "rekindle repair")?;
    let damaged = store.damaged_checkpoints()?;
    if args.dry_run {
        return dry_run(&store, json);
    }
    if let Some(skipped) = damaged.iter().find(|skipped| skipped.damage.is_unreadable())
        && !args.give_up_unreadable
    {
        return Err(with_hint(ReadError::from(skipped.damage.clone()).into()));
    }
    let place = args.salvage_to.clone().unwrap_or_else(|| beside(&args.run));
    let readable: Vec<u64> =
        damaged.iter().map(|skipped| skipped.step).filter(|step| store.checkpoint(*step).is_ok()).collect();
    let salvaged = if readable.is_empty() { Vec::new() } else { salvage(&store, &readable, &place)? };
    let unreadable = if args.give_up_unreadable { Unreadable::GiveUp } else { Unreadable::Refuse };
    let repaired = store.repair(unreadable).map_err(with_hint)?;
    let lost: u64 = salvaged.iter().map(|(_, salvaged)| salvaged.lost.len() as u64).sum();
    if json {
        output::print_json(&json!({
            "packs": repaired.packs,
            "saved_chunks": repaired.saved_chunks,
            "set_aside": repaired.set_aside.iter().map(|skipped| skipped.step).collect::<Vec<_>>(),
            "tags": repaired.tags.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            "identity": repaired.identity,
            "damage": repaired.remaining.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "salvaged_to": (!salvaged.is_empty()).then_some(&place),
            "salvaged": salvaged.iter().map(|(step, salvaged)| json!({
                "step": step, "intact": salvaged.intact,
                "lost": salvaged.lost.iter().map(ToString::to_string).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
        }))?;
        return Ok(if lost == 0 && repaired.set_aside.is_empty() { 0 } else { exit::PARTIAL });
    }
    for pack in &repaired.packs {
        output::print(&format!("{pack} is damaged and was moved to damaged/"))?;
    }
    if repaired.saved_chunks > 0 {
        output::print(&format!("{} good chunks were kept", repaired.saved_chunks))?;
    }
    if repaired.identity {
        output::print("rekindle.json was written again from the newest record")?;
    }
    for (name, damage) in &repaired.tags {
        output::print(&format!("tag {name} was moved to damaged/: {damage}"))?;
    }
    for skipped in &repaired.set_aside {
        output::print(&format!("step {} cannot be loaded as a whole: {}", skipped.step, skipped.damage))?;
    }
    for (step, salvaged) in &salvaged {
        output::print(&format!(
            "step {step}: {} intact entries are in {}",
            salvaged.intact,
            place.display()
        ))?;
        for path in &salvaged.lost {
            output::print(&format!("  lost: {path}"))?;
        }
    }
    for damage in &repaired.remaining {
        output::print(&format!("cannot be made good: {damage}"))?;
    }
    let nothing = damaged.is_empty() && repaired == Default::default();
    output::print(match nothing {
        true => "nothing was damaged",
        false => "done; every checkpoint that is left loads as a whole",
    })?;
    Ok(if repaired.set_aside.is_empty() && repaired.remaining.is_empty() { 0 } else { exit::PARTIAL })
}

/// What cannot be read may be good, and only the user can tell that it is lost.
fn with_hint(error: SaveError) -> anyhow::Error {
    let is_unreadable = matches!(error, SaveError::Read(ReadError::Unreadable(_)));
    let error = anyhow::Error::from(error);
    if !is_unreadable {
        return error;
    }
    error.context(
        "nothing was changed: if the disk will never give these bytes back, --give-up-unreadable keeps all others",
    )
}

fn dry_run(store: &Store, json: bool) -> anyhow::Result<u8> {
    let report = store.verify(rekindle::upkeep::Depth::Full)?;
    let steps: Vec<u64> = report.invalid.iter().map(|skipped| skipped.step).collect();
    if json {
        output::print_json(&json!({
            "dry_run": true, "set_aside": steps,
            "damage": report.damage.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }))?;
    } else {
        for damage in &report.damage {
            output::print(&format!("damage: {damage}"))?;
        }
        for step in &steps {
            output::print(&format!("step {step} would be taken out of the books if no good copy is found"))?;
        }
        output::print(&format!("{} places are damaged; nothing was changed", report.damage.len()))?;
    }
    Ok(if report.damage.is_empty() { 0 } else { exit::NEGATIVE })
}

/// `runs/life` is salvaged to `runs/life.salvaged`, or the next such name that is free.
fn beside(run: &Path) -> PathBuf {
    let name = run.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let others = (2..).map(|number| run.with_file_name(format!("{name}.salvaged-{number}")));
    let mut places = std::iter::once(run.with_file_name(format!("{name}.salvaged"))).chain(others);
    places.find(|place| !files::exists(place)).unwrap_or_else(|| run.with_extension("salvaged"))
}

fn salvage(store: &Store, steps: &[u64], place: &Path) -> anyhow::Result<Vec<(u64, Salvaged)>> {
    let lineage = Lineage {
        source: format!("{} (salvaged)", store.location()),
        run: Some(store.identity().run.clone()),
        step: steps.last().copied(),
        state_hash: None,
        only: None,
    };
    let access = store.access().beside(Arc::new(FileStorage::new(place)))?;
    let mut other = Writer::create(access, &store.identity().system, Some(lineage), "rekindle repair")?;
    steps.iter().map(|&step| Ok((step, store.salvage(step, &mut other)?))).collect()
}
