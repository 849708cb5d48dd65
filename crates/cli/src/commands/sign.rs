//! `sign`, and what `verify --signed-by` checks.

use rekindle::{Store, StoredSignature};
use rekindle_keys::{PublicKey, SigningKey, read_file};
use serde_json::json;

use crate::address::{Address, resolve};
use crate::args::SignArgs;
use crate::output;
use crate::unlock;

pub fn sign(args: &SignArgs, json: bool) -> anyhow::Result<u8> {
    let address = Address::parse(&args.checkpoint);
    let key = read_file(&args.key, SigningKey::from_pem)?;
    let store = Store::open_for_writing(unlock::storage(&address.run)?, "rekindle sign")?;
    let step = resolve(&store, &address.which)?;
    // What is signed is what can be loaded.
    store.checkpoint(step)?.verify()?;
    let signature = key.sign(&store.signed_message(step)?);
    let public_key = key.public_key().to_string();
    let stored = StoredSignature { public_key: public_key.clone(), signature: signature.to_string() };
    store.put_signature(step, &stored)?;
    if json {
        output::print_json(&json!({"step": step, "public_key": public_key}))?;
    } else {
        output::print(&format!("signed step {step} as {public_key}"))?;
    }
    Ok(0)
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
