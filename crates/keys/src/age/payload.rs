//! The encrypted payload: section "Payload" of the specification, for payloads of one chunk.

use zeroize::Zeroizing;

use super::{FileKey, derive, random};
use crate::error::KeyError;

/// The longest plaintext of a chunk.
const CHUNK_LEN: usize = 64 * 1024;
const TAG_LEN: usize = 16;
const NONCE_LEN: usize = 16;
/// The nonce of chunk 0, marked as the last.
const ONLY_CHUNK: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/// `plaintext`, which must fit in one chunk, encrypted.
pub(super) fn seal(file_key: &FileKey, plaintext: &[u8]) -> Result<Vec<u8>, KeyError> {
    if plaintext.len() > CHUNK_LEN {
        return Err(KeyError::TooLong(CHUNK_LEN));
    }
    let nonce = random::<NONCE_LEN>()?;
    let chunk = super::seal(&payload_key(file_key, nonce.as_slice()), &ONLY_CHUNK, plaintext);
    Ok([nonce.as_slice(), &chunk].concat())
}

/// The plaintext of `payload`, if that is one chunk and unchanged.
pub(super) fn open(file_key: &FileKey, payload: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, chunk) = payload.split_at_checked(NONCE_LEN)?;
    if chunk.len() > CHUNK_LEN + TAG_LEN {
        return None;
    }
    super::open(&payload_key(file_key, nonce), &ONLY_CHUNK, chunk)
}

fn payload_key(file_key: &FileKey, nonce: &[u8]) -> Zeroizing<[u8; 32]> {
    derive(file_key.0.as_slice(), nonce, b"payload")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_chunk_is_sealed_and_opened() {
        let file_key = FileKey::generate().unwrap();
        for len in [0, 1, CHUNK_LEN] {
            let payload = seal(&file_key, &vec![7; len]).unwrap();
            assert_eq!(*open(&file_key, &payload).unwrap(), vec![7; len]);
            assert!(open(&file_key, &[payload, vec![0]].concat()).is_none());
        }
        assert!(matches!(seal(&file_key, &[7; CHUNK_LEN + 1]), Err(KeyError::TooLong(CHUNK_LEN))));
        let key = payload_key(&file_key, &[0; NONCE_LEN]);
        let long = [vec![0; NONCE_LEN], crate::age::seal(&key, &ONLY_CHUNK, &[7; CHUNK_LEN + 1])].concat();
        assert!(open(&file_key, &long).is_none());
        let unfinished = [vec![0; NONCE_LEN], crate::age::seal(&key, &[0; 12], &[7; CHUNK_LEN])].concat();
        assert!(open(&file_key, &unfinished).is_none());
    }
}
