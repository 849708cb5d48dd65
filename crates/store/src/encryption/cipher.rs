//! Encryption of a run: XChaCha20-Poly1305 for every object, keyed names for chunks.
//!
//! From the data key two keys are derived: one encrypts, the other turns the hash of a chunk into
//! its name, so that whoever has the files cannot test a guess at their content. Nonces are random,
//! 24 bytes. The associated data of each object says what it is, so that objects cannot be
//! exchanged for each other. What stays visible: numbers, lengths and times of files, steps, codecs.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};

use crate::encryption::data_key::DataKey;
use crate::hash::Hash;

const NONCE_LEN: usize = 24;
/// Bytes that encryption adds.
pub(crate) const OVERHEAD: usize = NONCE_LEN + 16;

/// Encrypts and decrypts the objects of one run.
#[derive(Clone)]
pub(crate) struct Cipher {
    aead: XChaCha20Poly1305,
    name_key: [u8; 32],
}

impl Cipher {
    pub fn new(key: &DataKey) -> Self {
        let encryption_key = blake3::derive_key("rekindle 2026 encryption", key.as_bytes());
        Self {
            aead: XChaCha20Poly1305::new((&encryption_key).into()),
            name_key: blake3::derive_key("rekindle 2026 chunk names", key.as_bytes()),
        }
    }

    /// The name under which a chunk is stored.
    pub fn name_of(&self, hash: &Hash) -> Hash {
        Hash(*blake3::keyed_hash(&self.name_key, &hash.0).as_bytes())
    }

    /// A name that tells nothing of `text`.
    pub fn name_of_text(&self, text: &str) -> Hash {
        self.name_of(&Hash::of(text.as_bytes()))
    }

    /// `bytes` encrypted; they can be opened only as what they are said to be.
    pub fn seal(&self, what: &[u8], bytes: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        // Without randomness there is no safe way on.
        getrandom::fill(&mut nonce).expect("the system's random source works");
        let payload = Payload { msg: bytes, aad: what };
        let sealed = self.aead.encrypt(XNonce::from_slice(&nonce), payload);
        let sealed = sealed.expect("objects are far shorter than the cipher's limit");
        [&nonce[..], &sealed].concat()
    }

    /// The bytes that were sealed as `what`; `None` when they are not those, or of another key.
    pub fn open(&self, what: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
        self.aead.decrypt(XNonce::from_slice(nonce), Payload { msg: sealed, aad: what }).ok()
    }
}

impl std::fmt::Debug for Cipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cipher(..)")
    }
}

impl Drop for Cipher {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.name_key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_only_as_itself_and_with_its_key() {
        let cipher = Cipher::new(&DataKey::from_bytes([7; 32]));
        let sealed = cipher.seal(b"commit 3", b"state");
        assert_eq!(cipher.open(b"commit 3", &sealed).as_deref(), Some(&b"state"[..]));
        assert_eq!(cipher.open(b"commit 4", &sealed), None);
        assert_eq!(Cipher::new(&DataKey::from_bytes([8; 32])).open(b"commit 3", &sealed), None);
        assert_ne!(cipher.seal(b"commit 3", b"state"), sealed, "a nonce comes once");
        for position in 0..sealed.len() {
            let mut bad = sealed.clone();
            bad[position] ^= 1;
            assert_eq!(cipher.open(b"commit 3", &bad), None);
            assert_eq!(cipher.open(b"commit 3", &sealed[..position]), None);
        }
    }

    #[test]
    fn names_depend_on_the_key() {
        let name = |key| Cipher::new(&DataKey::from_bytes([key; 32])).name_of(&Hash::of(b"chunk"));
        assert_ne!(name(1), name(2));
        assert_ne!(name(1), Hash::of(b"chunk"));
    }
}
