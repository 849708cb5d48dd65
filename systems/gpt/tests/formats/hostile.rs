//! Files cut off and changed.

use std::fmt::{Debug, Display};
use std::path::Path;

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
