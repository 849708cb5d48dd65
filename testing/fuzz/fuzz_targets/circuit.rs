//! A circuit as JSON. What is read is the same when it is written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle_logic::HardCircuit;

fuzz_target!(|data: &[u8]| {
    if let Ok(circuit) = HardCircuit::read(data) {
        let mut text = Vec::new();
        circuit.write(&mut text).expect("memory can be written");
        assert_eq!(HardCircuit::read(text.as_slice()).ok(), Some(circuit));
    }
});
