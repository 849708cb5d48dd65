//! The two stanzas that wrap a file key: sections "The X25519 recipient type" and "The scrypt recipient
//! type" of the specification.

use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use super::{FileKey, decode_base64, derive, encode_base64, open, random, seal};
use crate::error::KeyError;

/// A file key, encrypted. Any other length is refused, or one ciphertext could fit several keys.
type Body = [u8; 32];

/// Each key wraps once, so the nonce need not change.
const NONCE: [u8; 12] = [0; 12];

fn wrap(key: &[u8; 32], file_key: &FileKey) -> Body {
    seal(key, &NONCE, file_key.0.as_slice()).try_into().expect("a tag has 16 bytes")
}

fn unwrap(key: &[u8; 32], body: &Body) -> Option<FileKey> {
    let plaintext = open(key, &NONCE, body)?;
    let mut file_key = FileKey(Zeroizing::default());
    file_key.0.copy_from_slice(&plaintext);
    Some(file_key)
}

/// A file key that the holder of an X25519 key can unwrap.
pub(crate) struct X25519Stanza {
    share: [u8; 32],
    pub(super) body: Body,
}

impl X25519Stanza {
    /// Wraps `file_key` to `recipient`, which must not be of small order: see [`has_small_order`].
    pub fn wrap(file_key: &FileKey, recipient: &PublicKey) -> Result<Self, KeyError> {
        let ephemeral = StaticSecret::from(*random()?);
        let share = PublicKey::from(&ephemeral);
        let shared = ephemeral.diffie_hellman(recipient);
        let body = wrap(&x25519_key(shared.as_bytes(), &share, recipient), file_key);
        Ok(Self { share: share.to_bytes(), body })
    }

    /// The file key, if it is wrapped to `identity`.
    pub fn unwrap(&self, identity: &StaticSecret) -> Result<Option<FileKey>, KeyError> {
        let share = PublicKey::from(self.share);
        let shared = identity.diffie_hellman(&share);
        if !shared.was_contributory() {
            return Err(KeyError::Damaged("its header was changed"));
        }
        let key = x25519_key(shared.as_bytes(), &share, &PublicKey::from(identity));
        Ok(unwrap(&key, &self.body))
    }

    /// The stanza with what follows its type.
    pub(super) fn parse(arguments: &[&[u8]], body: &[u8]) -> Option<Self> {
        let [share] = arguments else { return None };
        Some(Self { share: decode_base64(share)?.try_into().ok()?, body: body.try_into().ok()? })
    }

    pub(super) fn arguments(&self) -> String {
        format!("X25519 {}", encode_base64(&self.share))
    }
}

fn x25519_key(shared: &[u8; 32], share: &PublicKey, recipient: &PublicKey) -> Zeroizing<[u8; 32]> {
    let salt = [*share.as_bytes(), *recipient.as_bytes()].concat();
    derive(shared, &salt, b"age-encryption.org/v1/X25519")
}

/// Whether `point` gives the same shared secret, zero, with every key, so that nothing is secret.
pub(crate) fn has_small_order(point: &PublicKey) -> bool {
    !StaticSecret::from([1; 32]).diffie_hellman(point).was_contributory()
}

/// A file key that a passphrase unwraps.
pub(crate) struct ScryptStanza {
    salt: [u8; 16],
    /// The binary logarithm of scrypt's N.
    work_factor: u8,
    pub(super) body: Body,
}

impl ScryptStanza {
    /// Wraps `file_key` with `passphrase`.
    pub fn wrap(file_key: &FileKey, passphrase: &str, work_factor: u8) -> Result<Self, KeyError> {
        let salt = *random()?;
        let body = wrap(&scrypt_key(passphrase, &salt, work_factor), file_key);
        Ok(Self { salt, work_factor, body })
    }

    /// The file key, if `passphrase` is the one, and trying it costs no more than `max_work_factor`.
    pub fn unwrap(&self, passphrase: &str, max_work_factor: u8) -> Result<FileKey, KeyError> {
        if self.work_factor > max_work_factor {
            return Err(KeyError::ExcessiveWork { found: self.work_factor, max: max_work_factor });
        }
        let key = scrypt_key(passphrase, &self.salt, self.work_factor);
        unwrap(&key, &self.body).ok_or(KeyError::WrongPassphrase)
    }

    /// The stanza with what follows its type.
    pub(super) fn parse(arguments: &[&[u8]], body: &[u8]) -> Option<Self> {
        let [salt, work_factor] = arguments else { return None };
        Some(Self {
            salt: decode_base64(salt)?.try_into().ok()?,
            work_factor: parse_work_factor(work_factor)?,
            body: body.try_into().ok()?,
        })
    }

    pub(super) fn arguments(&self) -> String {
        format!("scrypt {} {}", encode_base64(&self.salt), self.work_factor)
    }
}

/// A number without sign or leading zeros. What is above 255 nobody could compute.
fn parse_work_factor(digits: &[u8]) -> Option<u8> {
    if !matches!(digits, [b'1'..=b'9', ..]) {
        return None;
    }
    str::from_utf8(digits).ok()?.parse().ok()
}

fn scrypt_key(passphrase: &str, salt: &[u8; 16], work_factor: u8) -> Zeroizing<[u8; 32]> {
    let salt = [b"age-encryption.org/v1/scrypt".as_slice(), salt].concat();
    let parameters = scrypt::Params::new(work_factor, 8, 1, 32).expect("the work factor is below 32");
    let mut key = Zeroizing::new([0; 32]);
    let derived = scrypt::scrypt(passphrase.as_bytes(), &salt, &parameters, key.as_mut_slice());
    derived.expect("scrypt gives 32 bytes");
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn share_of_small_order_is_refused() {
        let identity = StaticSecret::from([7; 32]);
        let file_key = FileKey::generate().unwrap();
        let stanza = X25519Stanza::wrap(&file_key, &PublicKey::from(&identity)).unwrap();
        assert_eq!(stanza.unwrap(&identity).unwrap().unwrap().0, file_key.0);
        let mut one = [0; 32];
        one[0] = 1;
        for share in [[0; 32], one] {
            assert!(has_small_order(&PublicKey::from(share)));
            // The attacker knows the shared secret, so the body can be right.
            let recipient = PublicKey::from(&identity);
            let key = x25519_key(&[0; 32], &PublicKey::from(share), &recipient);
            let stanza = X25519Stanza { share, body: wrap(&key, &file_key) };
            assert!(matches!(stanza.unwrap(&identity), Err(KeyError::Damaged(_))));
        }
    }
}
