//! `verify`: every byte of a run against its hash.

use std::path::Path;
use std::sync::Arc;

use rekindle::storage::{FileStorage, Storage};
use rekindle::time;
use rekindle::upkeep::{Damage, Depth, verify_without_key};
use rekindle_formats::{files, is_checkpoint_file, open_archive};
use rekindle_keys::{PublicKey, read_file};
use serde_json::{Value, json};

use crate::address::open_run;
use crate::args::{DepthArg, VerifyArgs};
use crate::commands::sign::unsigned;
use crate::exit;
use crate::output;
use crate::unlock;

pub fn verify(args: &VerifyArgs, json: bool) -> anyhow::Result<u8> {
    let path = args.run.as_path();
    let store = match open_run(path) {
        Err(error) if unlock::is_locked(&error) => return without_key(path, &error, json),
        result => result?,
    };
    let unsigned = match &args.signed_by {
        Some(key) => unsigned(&store, &public_key(key)?)?,
        None => Vec::new(),
    };
    // Where there is nothing, nothing is signed.
    let nothing_signed = args.signed_by.is_some() && store.steps().is_empty();
    let report = store.verify(depth(args))?;
    let code = match (report.damage.is_empty(), report.valid.is_empty() && !report.invalid.is_empty()) {
        (true, _) if unsigned.is_empty() && !nothing_signed => 0,
        (true, _) => exit::NEGATIVE,
        (false, false) => exit::NEGATIVE,
        (false, true) => exit::DAMAGED,
    };
    if json {
        output::print_json(&json!({
            "run": path,
            "valid": report.valid,
            "invalid": report.invalid.iter().map(|skipped| skipped.step).collect::<Vec<_>>(),
            "damage": report.damage.iter().map(damage_json).collect::<Vec<_>>(),
            "unknown": report.unknown,
            "unsigned": unsigned.iter().map(|(step, _)| step).collect::<Vec<_>>(),
            "chunks": report.chunks,
            "bytes": report.bytes,
        }))?;
        return Ok(code);
    }
    let state = |step: &u64| {
        let record = store.checkpoint(*step).ok().map(|checkpoint| checkpoint.record());
        record.map_or(String::new(), |record| {
            format!("state {}  saved {}", record.state_hash.short(), time::format_utc(record.created))
        })
    };
    for step in &report.valid {
        output::print(&format!("step {step}: good  {}", output::dim(&state(step))))?;
    }
    for skipped in &report.invalid {
        output::print(&format!("step {}: DAMAGED  {}", skipped.step, skipped.damage))?;
    }
    for (step, reason) in &unsigned {
        output::print(&format!("step {step}: NOT SIGNED  {reason}"))?;
    }
    if nothing_signed {
        output::print("there is no checkpoint, and so none that is signed")?;
    }
    let told = |damage: &Damage| {
        let mut told = report.invalid.iter().map(|skipped| &skipped.damage);
        told.any(|told| told.object == damage.object && told.offset == damage.offset)
    };
    for damage in report.damage.iter().filter(|damage| !told(damage)) {
        output::print(&format!("damage: {damage}"))?;
    }
    for name in &report.unknown {
        output::print(&format!("unknown file (not a part of the run): {name}"))?;
    }
    let read = match args.depth {
        DepthArg::Structure => "the structure, and no bytes of arrays".to_owned(),
        DepthArg::Sample => format!("the structure and {} chunks", report.chunks),
        DepthArg::Full => format!("{} in {} chunks", output::bytes(report.bytes), report.chunks),
    };
    output::print(&format!(
        "checked {read}: {}",
        match report.damage.len() {
            0 => "no damage".to_owned(),
            1 => "1 place is damaged".to_owned(),
            count => format!("{count} places are damaged"),
        }
    ))?;
    if let (Some(newest), false) = (report.valid.last(), report.invalid.is_empty()) {
        tell!(
            "hint: `rekindle resume {}` goes on from step {newest}, the newest good checkpoint",
            path.display()
        );
    }
    Ok(code)
}

/// What can be said of an encrypted run without its key.
fn without_key(path: &Path, reason: &anyhow::Error, json: bool) -> anyhow::Result<u8> {
    let storage: Arc<dyn Storage> = match is_checkpoint_file(path) {
        true => Arc::new(open_archive(path)?),
        false => Arc::new(FileStorage::new(path)),
    };
    let report = verify_without_key(&storage)?;
    if json {
        output::print_json(&json!({
            "run": path, "key": false, "damage": report.damage.iter().map(damage_json).collect::<Vec<_>>(),
            "chunks": report.chunks, "bytes": report.bytes,
        }))?;
    } else {
        tell!(
            "without the key ({reason:#}), the stored bytes are checked, and not what they hold{}",
            exit::hint(reason, "")
        );
        for damage in &report.damage {
            output::print(&format!("damage: {damage}"))?;
        }
        let damaged = if report.damage.is_empty() { "no damage" } else { "damaged" };
        output::print(&format!(
            "checked {} in {} chunks: {damaged}",
            output::bytes(report.bytes),
            report.chunks
        ))?;
    }
    Ok(if report.damage.is_empty() { 0 } else { exit::NEGATIVE })
}

/// A public key, as text or out of a file.
fn public_key(text: &str) -> anyhow::Result<PublicKey> {
    if files::exists(Path::new(text)) {
        return Ok(read_file(Path::new(text), str::parse)?);
    }
    Ok(text.parse()?)
}

fn depth(args: &VerifyArgs) -> Depth {
    match args.depth {
        DepthArg::Structure => Depth::Structure,
        // The time is seed enough for other chunks to come at each call.
        DepthArg::Sample => Depth::Sample { share: args.sample, seed: time::now_seconds() },
        DepthArg::Full => Depth::Full,
    }
}

fn damage_json(damage: &Damage) -> Value {
    json!({
        "object": damage.object,
        "offset": damage.offset,
        "entries": damage.entries.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "message": damage.to_string(),
    })
}
