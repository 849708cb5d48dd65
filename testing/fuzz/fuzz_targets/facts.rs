//! Facts that are kept, as JSON: whatever they are, they are checked or refused; and each proof and model is, whatever its seal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle_reason::syntax::parse;
use rekindle_reason::{FactCache, Knowledge, World, proof};

fuzz_target!(|data: &[u8]| {
    let Ok(cache) = serde_json::from_slice::<FactCache>(data) else { return };
    let _ = cache.verify();
    for (_, fact) in cache.iter() {
        let statements = cache.statements(fact).unwrap_or_default().join("\n");
        let (Ok(knowledge), Ok(goal)) = (Knowledge::parse(&statements), parse(&fact.goal)) else { continue };
        for world in [World::Open, World::Closed] {
            let _ = proof::check(&fact.outcome.verdict(), &goal, &knowledge.clone().with_world(world));
        }
    }
});
