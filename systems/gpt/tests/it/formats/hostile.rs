//! Files cut off and changed.

use std::fmt::{Debug, Display};
use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;
use rekindle_gpt::formats::rustgpt::{self, Encoding};
use rekindle_gpt::formats::{gguf, lopos, read};
use rekindle_tokenizer::Tokenizer;

use crate::formats::networks::{gpt2, network, optimizer, rustgpt as like_rustgpt, words};

/// Of longer files only every seventh length and byte is tried.
const LONG: usize = 3000;

fn places(bytes: &[u8]) -> impl Iterator<Item = usize> {
    (0..bytes.len()).step_by(if bytes.len() > LONG { 7 } else { 1 })
}

/// At every length that is less, the file is refused.
pub fn torn<E: Display + Debug>(path: &Path, bytes: &[u8], read: impl Fn(&Path) -> Result<(), E>) {
    for len in places(bytes) {
        std::fs::write(path, &bytes[..len]).unwrap();
        assert!(read(path).is_err(), "cut off at {len} of {}", bytes.len());
    }
}

/// Whatever byte is changed, there is an answer. Gives how many changes were not refused.
pub fn changed<E: Display + Debug>(
    path: &Path,
    bytes: &[u8],
    read: impl Fn(&Path) -> Result<(), E>,
) -> usize {
    let mut taken = 0;
    for index in places(bytes) {
        let mut bytes = bytes.to_vec();
        bytes[index] ^= [0x01, 0x80, 0xff][index % 3];
        std::fs::write(path, &bytes).unwrap();
        taken += usize::from(read(path).is_ok());
    }
    taken
}

/// Bytes behind the end are refused.
pub fn longer<E: Display + Debug>(path: &Path, bytes: &[u8], read: impl Fn(&Path) -> Result<(), E>) {
    for more in [1, 4, 32, 100] {
        std::fs::write(path, [bytes, &vec![0; more]].concat()).unwrap();
        assert!(read(path).is_err(), "{more} bytes more");
    }
}

/// A small file of each kind.
static FILES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    let mut files = Vec::new();
    let one = network(&gpt2(1, 1, 2), 3, 5);
    for version in [lopos::Version::LoopOs, lopos::Version::Named(lopos::Checksum::Crc32)] {
        lopos::write(&path, &one, version).unwrap();
        files.push(std::fs::read(&path).unwrap());
    }
    let tokenizer = Tokenizer::train_byte_pair(b"ab", 256).unwrap();
    let larger = network(&gpt2(1, 1, 2), tokenizer.len(), 5);
    gguf::write(&path, &larger, &tokenizer, gguf::Quantization::F16).unwrap();
    files.push(std::fs::read(&path).unwrap());
    let one = network(&like_rustgpt(1, 2), 3, 8);
    for encoding in [Encoding::Json, Encoding::Bincode] {
        rustgpt::write(&path, &one, &words(3), Some(&optimizer(&one, 7)), encoding).unwrap();
        files.push(std::fs::read(&path).unwrap());
    }
    files
});

proptest! {
    #[test]
    fn whatever_is_changed_there_is_an_answer(
        file: Index,
        changes in prop::collection::vec((any::<Index>(), any::<u8>()), 1..6),
        removed in prop::option::of((any::<Index>(), 1..40_usize)),
    ) {
        let mut bytes = file.get(&FILES).clone();
        for (place, byte) in changes {
            *place.get_mut(&mut bytes) = byte;
        }
        if let Some((place, count)) = removed {
            let start = place.index(bytes.len());
            bytes.drain(start..bytes.len().min(start + count));
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        std::fs::write(&path, bytes).unwrap();
        let _ = (read(&path), lopos::read(&path), rustgpt::read(&path), gguf::read(&path));
    }
}
