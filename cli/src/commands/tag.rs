//! `tag`: names for checkpoints.

use std::collections::BTreeMap;

use rekindle::{Address, Store, Writer};
use serde_json::json;

use crate::address::{open_run, resolve};
use crate::args::TagArgs;
use crate::output;
use crate::unlock;

pub fn tag(args: &TagArgs, json: bool) -> anyhow::Result<u8> {
    let address = Address::parse(&args.checkpoint);
    let writable = || anyhow::Ok(Writer::open(unlock::access(&address.run)?, "rekindle tag")?);
    if let Some(name) = &args.delete {
        writable()?.delete_tag(name)?;
        if json {
            output::print_json(&json!({"tag": name, "deleted": true}))?;
        } else {
            output::print(&format!("deleted {name}"))?;
        }
        return Ok(0);
    }
    let Some(name) = &args.name else {
        return list(&open_run(&address.run)?, json);
    };
    let store = writable()?;
    let step = resolve(&store, &address.which)?;
    store.set_tag(name, step, args.force)?;
    if json {
        output::print_json(&json!({"tag": name, "step": step}))?;
    } else {
        output::print(&format!("{name} is step {step}"))?;
    }
    Ok(0)
}

fn list(store: &Store, json: bool) -> anyhow::Result<u8> {
    let tags = store.tags()?;
    if json {
        let steps: BTreeMap<_, _> =
            tags.iter().filter_map(|(name, step)| Some((name, step.as_ref().ok()?))).collect();
        output::print_json(&json!({"tags": steps}))?;
        return Ok(0);
    }
    for (name, step) in tags {
        match step {
            Ok(step) => output::print(&format!("{name}  step {step}"))?,
            Err(damage) => output::print(&format!("{name}  {damage}"))?,
        }
    }
    Ok(0)
}
