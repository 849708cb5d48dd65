//! `encrypt`, `rekey` and `keygen`: encrypted runs and their keys.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use rekindle::records::Lineage;
use rekindle::storage::{ArchiveWriter, FileStorage, Storage};
use rekindle::upkeep::{Copied, is_encrypted, put_wrapped_key};
use rekindle::{Access, Store, Writer};
use rekindle_formats::{files, is_checkpoint_file};
use rekindle_keys::{SigningKey, generate_data_key, generate_identity, wrap_key, write_secret};
use serde_json::json;

use crate::address::{open_run, warn_of};
use crate::args::{EncryptArgs, KeygenArgs, RekeyArgs};
use crate::exit;
use crate::output::{self, Progress};
use crate::unlock;

/// Copies a run, or a checkpoint file, into a new encrypted one; the old one stays as it is.
pub fn encrypt(args: &EncryptArgs, json: bool) -> anyhow::Result<u8> {
    let from = open_run(&args.run)?;
    let recipients = args.recipients.recipients()?;
    if files::exists(&args.new) {
        bail!("`{}` exists; nothing was changed: name a place that is free", args.new.display());
    }
    let key = generate_data_key()?;
    let wrapped = wrap_key(&key, &recipients)?;
    let place = |storage: Arc<dyn Storage>| Access::new(storage, Some(key)).wrapped_as(wrapped);
    let copied = if is_checkpoint_file(&args.run) {
        let file =
            Arc::new(ArchiveWriter::create(&args.new).with_context(|| args.new.display().to_string())?);
        let copied = copy(&from, place(file.clone()), &args.run)?;
        file.finish().with_context(|| args.new.display().to_string())?;
        copied
    } else {
        copy(&from, place(Arc::new(FileStorage::new(&args.new))), &args.run)?
    };
    warn_of(&copied.skipped);
    if json {
        output::print_json(&json!({
            "run": args.new, "steps": copied.steps, "tags": copied.tags,
            "damaged": copied.skipped.iter().map(|skipped| skipped.step).collect::<Vec<_>>(),
        }))?;
    } else {
        let count = copied.steps.len();
        output::print(&format!("encrypted {count} checkpoints into {}", args.new.display()))?;
        output::print(&format!("{} is as it was; `rekindle rm` deletes it", args.run.display()))?;
    }
    Ok(if copied.skipped.is_empty() { 0 } else { exit::PARTIAL })
}

fn copy(from: &Store, to: Access, source: &Path) -> anyhow::Result<Copied> {
    let lineage = Lineage {
        source: source.display().to_string(),
        run: Some(from.identity().run.clone()),
        step: None,
        state_hash: None,
        only: None,
    };
    let mut store = Writer::create(to, &from.identity().system, Some(lineage), "rekindle encrypt")?;
    let mut progress = Progress::new("checkpoints", from.records().count() as u64);
    Ok(store.copy_run(from, |_| progress.add(1))?)
}

/// Wraps the key of a run for others. Nothing else changes: who had the key before may keep it.
pub fn rekey(args: &RekeyArgs, json: bool) -> anyhow::Result<u8> {
    let access = unlock::access(&args.run)?;
    let Some(key) = access.key() else {
        bail!("{} is not encrypted", access.location());
    };
    let recipients = args.recipients.recipients()?;
    let _only_writer = Writer::open(access.clone(), "rekindle rekey")?;
    put_wrapped_key(&**access.storage(), &wrap_key(key, &recipients)?)?;
    debug_assert!(is_encrypted(&**access.storage()).unwrap_or(true));
    if json {
        output::print_json(&json!({"run": args.run, "rekeyed": true}))?;
    } else {
        output::print("the key is wrapped anew; who opened the run before may have kept its key")?;
    }
    Ok(0)
}

/// Makes an age identity, or a key to sign with.
pub fn keygen(args: &KeygenArgs, json: bool) -> anyhow::Result<u8> {
    let public = if args.signing {
        let key = SigningKey::generate()?;
        write_secret(&args.file, &key.to_pem())?;
        key.public_key().to_string()
    } else {
        let (identity, recipient) = generate_identity();
        write_secret(&args.file, &identity)?;
        recipient.to_string()
    };
    if json {
        output::print_json(&json!({"file": args.file, "public": public}))?;
    } else {
        output::print(&public)?;
        tell!("wrote the secret to {}; keep it safe, nobody can restore it", args.file.display());
    }
    Ok(0)
}
