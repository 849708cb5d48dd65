//! A circuit as AIGER, in text or binary; what is read is the same after it was written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle_gates::formats::aiger;
use rekindle_gates::{Limits, Verdict, prove};

fuzz_target!(|data: &[u8]| {
    let Ok(circuit) = aiger::read(data) else { return };
    if circuit.inputs() > 10 || circuit.gates().len() > 1000 {
        return;
    }
    for file in [aiger::write_text(&circuit), aiger::write_binary(&circuit)] {
        let again = aiger::read(&file).expect("what was written is read");
        let verdict = prove(&circuit, &again, Limits::default()).expect("circuits of the same shape");
        assert!(matches!(verdict, Verdict::Equal { .. }), "{verdict:?}");
    }
});
