//! A LOPOS file: as it is, or with the checksum at its end made good. What is read answers, and is the
//! same when it is written and read again.
#![no_main]

use flate2::Crc;
use libfuzzer_sys::fuzz_target;
use rekindle_fuzz::{ask_file, take_u8, with_file};
use rekindle_gpt::formats::lopos::{Checksum, Version, read, write};
use sha2::{Digest, Sha256};

fuzz_target!(|data: &[u8]| {
    let mut input = data;
    let kind = take_u8(&mut input) % 3;
    let sum = match kind {
        0 => Vec::new(),
        1 => {
            let mut sum = Crc::new();
            sum.update(input);
            sum.sum().to_le_bytes().to_vec()
        }
        _ => Sha256::digest(input).to_vec(),
    };
    let version = match kind {
        0 => Version::LoopOs,
        1 => Version::Named(Checksum::Crc32),
        _ => Version::Named(Checksum::Sha256),
    };
    with_file(&[input, &sum].concat(), |path| {
        ask_file(path);
        let Ok(imported) = read(path) else { return };
        write(path, &imported.network, version).expect("it has the stack of this format");
        let again = read(path).expect("what was written can be read");
        assert_eq!(again.network, imported.network);
    });
});
