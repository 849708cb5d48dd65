//! `sign`, and what `verify --signed-by` checks.

use std::path::Path;

use anyhow::bail;
use rekindle::records::StoredSignature;
use rekindle::upkeep::Damage;
use rekindle::{Address, ReadError, SaveError, Store, Writer};
use rekindle_keys::{PublicKey, SigningKey, read_file};
use serde_json::json;

use crate::address::resolve;
use crate::args::SignArgs;
use crate::exit;
use crate::output;
use crate::unlock;

/// Signs a checkpoint, or, of a whole run, all that this key has not signed yet: what `verify
/// --signed-by` asks for.
pub fn sign(args: &SignArgs, json: bool) -> anyhow::Result<u8> {
    let address = Address::parse(&args.checkpoint);
    let key = read_file(&args.key, SigningKey::from_pem)?;
    let store = Writer::open(unlock::access(&address.run)?, "rekindle sign")?;
    let public_key = key.public_key().to_string();
    let is_whole_run = address.run == Path::new(&args.checkpoint);
    if !is_whole_run {
        let step = resolve(&store, &address.which)?;
        sign_step(&store, &key, step)?;
        return report(&Signed { steps: vec![step], damaged: Vec::new() }, &public_key, json);
    }
    let mut signed = Signed::default();
    for (step, _) in unsigned(&store, &key.public_key())? {
        match sign_step(&store, &key, step) {
            Ok(()) => signed.steps.push(step),
            Err(SaveError::Read(ReadError::Damaged(damage))) => signed.damaged.push((step, *damage)),
            Err(error) => return Err(error.into()),
        }
    }
    if store.steps().is_empty() {
        bail!("{} has no checkpoint that could be signed", store.location());
    }
    report(&signed, &public_key, json)
}

#[derive(Default)]
struct Signed {
    steps: Vec<u64>,
    /// Those that cannot be loaded, and so are not signed.
    damaged: Vec<(u64, Damage)>,
}

fn sign_step(run: &Writer, key: &SigningKey, step: u64) -> Result<(), SaveError> {
    // What is signed is what can be loaded.
    run.checkpoint(step)?.verify()?;
    let signature = key.sign(&run.signed_message(step)?);
    let public_key = key.public_key().to_string();
    run.put_signature(step, &StoredSignature { public_key, signature: signature.to_string() })?;
    Ok(())
}

fn report(signed: &Signed, public_key: &str, json: bool) -> anyhow::Result<u8> {
    let Signed { steps, damaged } = signed;
    if json {
        let damaged: Vec<u64> = damaged.iter().map(|(step, _)| *step).collect();
        output::print_json(&json!({"steps": steps, "damaged": damaged, "public_key": public_key}))?;
    } else {
        let listed = steps.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
        output::print(&match &steps[..] {
            [] => format!("all checkpoints that can be loaded are signed as {public_key} already"),
            [_] => format!("signed step {listed} as {public_key}"),
            _ => format!("signed steps {listed} as {public_key}"),
        })?;
        for (step, damage) in damaged {
            output::print(&format!("step {step}: NOT SIGNED, it is damaged: {damage}"))?;
        }
    }
    Ok(if damaged.is_empty() { 0 } else { exit::PARTIAL })
}

/// The steps without a valid signature by `key`, with the reason.
pub fn unsigned(store: &Store, key: &PublicKey) -> anyhow::Result<Vec<(u64, &'static str)>> {
    let mut unsigned = Vec::new();
    for step in store.steps() {
        let Ok(message) = store.signed_message(step) else {
            unsigned.push((step, "its record is damaged"));
            continue;
        };
        let signatures = store.signatures(step)?;
        let by_key = signatures.iter().filter(|stored| stored.public_key.parse().ok().as_ref() == Some(key));
        let mut valid = by_key.clone().filter_map(|stored| stored.signature.parse().ok());
        if !valid.any(|signature| key.verify(&message, &signature).is_ok()) {
            let forged = by_key.count() > 0;
            unsigned.push((
                step,
                if forged { "its signature does not match" } else { "it is not signed by this key" },
            ));
        }
    }
    Ok(unsigned)
}
