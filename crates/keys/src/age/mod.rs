//! The age file format, version 1, as far as wrapping a key needs it: section "Encrypted file format"
//! of <https://c2sp.org/age>.
//!
//! Recipients are X25519 keys or one passphrase; stanzas of other types are skipped. The payload is
//! one chunk. Everything else that the specification refuses is refused.

pub(crate) mod armor;
mod header;
mod payload;
mod stanza;
pub(crate) mod x25519_text;

use base64::engine::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::{Aead, KeyInit};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::error::KeyError;
pub(crate) use header::Stanzas;
pub(crate) use stanza::{ScryptStanza, X25519Stanza, has_small_order};

/// The symmetric key of one file, which each stanza wraps.
pub(crate) struct FileKey(Zeroizing<[u8; Self::LEN]>);

impl FileKey {
    const LEN: usize = 16;

    pub fn generate() -> Result<Self, KeyError> {
        random().map(Self)
    }
}

/// `plaintext` as an armoured file with `stanzas`, which wrap `file_key`.
pub(crate) fn encrypt(file_key: &FileKey, stanzas: &Stanzas, plaintext: &[u8]) -> Result<Vec<u8>, KeyError> {
    let header = header::write(stanzas, file_key);
    let payload = payload::seal(file_key, plaintext)?;
    Ok(armor::encode(&[header, payload].concat()))
}

/// A file whose header can be read; nothing vouches for it yet.
pub(crate) struct File {
    header: header::Header,
    payload: Vec<u8>,
}

impl File {
    /// The file in `bytes`, armoured or not.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyError> {
        let file = armor::decode(bytes).ok_or(KeyError::Damaged("its armour cannot be read"))?;
        if !file.starts_with(header::VERSION_LINE) {
            return Err(KeyError::Damaged("it is not an age file of version 1"));
        }
        let parsed = header::parse(&file).ok_or(KeyError::Damaged("its header cannot be read"))?;
        let (header, payload) = parsed;
        Ok(Self { header, payload: payload.to_vec() })
    }

    pub fn stanzas(&self) -> &Stanzas {
        &self.header.stanzas
    }

    /// The plaintext, if header and payload are those written with `file_key`.
    pub fn decrypt(&self, file_key: &FileKey) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        if !self.header.is_authentic(file_key) {
            return Err(KeyError::Damaged("its header was changed"));
        }
        let plaintext = payload::open(file_key, &self.payload);
        plaintext.ok_or(KeyError::Damaged("its payload was changed or cut short"))
    }
}

/// Random bytes of the operating system.
pub(crate) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, KeyError> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut_slice()).map_err(KeyError::Random)?;
    Ok(bytes)
}

fn encode_base64(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// The bytes that `text` encodes canonically and without padding.
fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}

/// HKDF-SHA-256 of `secret`.
fn derive(secret: &[u8], salt: &[u8], info: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    let expanded = Hkdf::<Sha256>::new(Some(salt), secret).expand(info, key.as_mut_slice());
    expanded.expect("HKDF gives up to 8160 bytes");
    key
}

/// ChaCha20-Poly1305 of `plaintext`. No key is ever used twice with the same nonce: each is derived from
/// fresh random bytes.
fn seal(key: &[u8; 32], nonce: &[u8; 12], plaintext: &[u8]) -> Vec<u8> {
    let sealed = ChaCha20Poly1305::new(key.into()).encrypt(nonce.into(), plaintext);
    sealed.expect("the plaintext is far shorter than 256 GiB")
}

/// What [`seal`] was given, or nothing if `sealed` is not what it returned.
fn open(key: &[u8; 32], nonce: &[u8; 12], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let plaintext = ChaCha20Poly1305::new(key.into()).decrypt(nonce.into(), sealed);
    plaintext.ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "test vectors are files")]

    use std::path::Path;

    use sha2::Digest;
    use x25519_dalek::StaticSecret;

    use super::*;

    /// Opens `file` as the `identity` or `passphrase` of a test vector's `fields` can.
    fn decrypt(fields: &[(&str, &str)], file: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let file = File::parse(file)?;
        let values = |name| fields.iter().filter(move |field| field.0 == name).map(|field| field.1);
        let file_key = match file.stanzas() {
            Stanzas::Scrypt(stanza) => values("passphrase")
                .map(|passphrase| stanza.unwrap(passphrase, 20))
                .find(|result| !matches!(result, Err(KeyError::WrongPassphrase)))
                .unwrap_or(Err(KeyError::WrongPassphrase))?,
            Stanzas::X25519(stanzas) => {
                let mut file_key = None;
                for identity in values("identity") {
                    let bytes = x25519_text::decode(x25519_text::IDENTITY, identity).unwrap();
                    for stanza in stanzas {
                        file_key = file_key.or(stanza.unwrap(&StaticSecret::from(*bytes))?);
                    }
                }
                file_key.ok_or(KeyError::NoMatchingIdentity)?
            }
        };
        file.decrypt(&file_key)
    }

    /// The vectors in `tests/age_vectors`; `tests/AGE_VECTORS.md` says where they are from.
    #[test]
    fn test_vectors_of_age_end_as_they_should() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/age_vectors");
        let mut tried = 0;
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            let end = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap();
            let fields: Vec<_> = str::from_utf8(&bytes[..end])
                .unwrap()
                .lines()
                .filter_map(|line| line.split_once(": "))
                .collect();
            let value = |name| fields.iter().find(|field| field.0 == name).map(|field| field.1);
            tried += 1;
            let result = decrypt(&fields, &bytes[end + 2..]);
            let outcome = match &result {
                Ok(_) => "success",
                Err(KeyError::NoMatchingIdentity | KeyError::WrongPassphrase) => "no match",
                Err(_) => "failure",
            };
            assert!(value("expect").unwrap().ends_with(outcome), "{}: {outcome}", path.display());
            if let Ok(plaintext) = result {
                let hash = crate::hex::encode(&sha2::Sha256::digest(&*plaintext));
                assert_eq!(value("payload"), Some(hash.as_str()), "{}", path.display());
            }
        }
        assert!(tried >= 80, "only {tried} vectors");
    }
}
