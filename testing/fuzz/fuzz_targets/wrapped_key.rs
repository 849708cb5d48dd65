//! A wrapped key: as it is, and in armour. A passphrase is not tried, as each try may take seconds.
#![no_main]

use base64::prelude::{BASE64_STANDARD, Engine};
use libfuzzer_sys::fuzz_target;
use rekindle_keys::{Identities, Unlock, needs_passphrase, unwrap_key};

/// A key for this purpose alone.
const IDENTITY: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";

fn armored(bytes: &[u8]) -> Vec<u8> {
    let text = BASE64_STANDARD.encode(bytes);
    let lines: Vec<&[u8]> = text.as_bytes().chunks(64).collect();
    let end: &[u8] = b"\n-----END AGE ENCRYPTED FILE-----\n";
    [b"-----BEGIN AGE ENCRYPTED FILE-----\n", lines.join(&b'\n').as_slice(), end].concat()
}

fuzz_target!(|data: &[u8]| {
    let unlock = Unlock::Identities(Identities::parse(IDENTITY).expect("it is one"));
    for bytes in [data, &armored(data)] {
        let needs = needs_passphrase(bytes);
        let key = unwrap_key(bytes, &unlock);
        assert!(key.is_err() || needs.is_ok_and(|needs| !needs));
    }
});
