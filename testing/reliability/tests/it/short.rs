//! The short form of every proof finds nothing wrong. One test: the proofs count memory and time,
//! and would disturb each other.

use rekindle_reliability::{PROOFS, Scale};

use crate::alone;

#[test]
fn the_short_form_of_every_proof_finds_nothing_wrong() {
    let _alone = alone();
    let scale = Scale::short(env!("CARGO_BIN_EXE_reliability").into());
    let mut failures = Vec::new();
    for proof in PROOFS {
        let outcome = (proof.run)(&scale, 1);
        assert!(outcome.counts.iter().any(|count| count.1 > 0), "{} did nothing", proof.name);
        failures.extend(outcome.failures.iter().map(|failure| format!("{}: {failure}", proof.name)));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
