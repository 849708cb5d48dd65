//! A data key as an age file that only the right people can open.
//!
//! The file is in ASCII armour, and its payload is the key as 64 hex digits and a line break.

use zeroize::Zeroizing;

use crate::age::{self, File, FileKey, ScryptStanza, Stanzas, X25519Stanza};
use crate::data_key::from_hex;
use crate::error::KeyError;
use crate::files::MAX_FILE_LEN;
use crate::identity::Identities;
use crate::passphrase::Passphrase;
use crate::recipient::Recipient;
use rekindle_store::DataKey;

/// The binary logarithm of the scrypt work factor of a new file; the one of `age`.
const WORK_FACTOR: u8 = 18;
/// The binary logarithm of the largest work factor accepted: four times as much as we ask for, and
/// 1 GiB of memory.
const MAX_WORK_FACTOR: u8 = 20;

/// Whom a data key is wrapped to. A passphrase cannot be combined with recipients, or they could not
/// be sure who else has it.
#[derive(Debug, Clone)]
pub enum Recipients {
    /// Each of them alone can unwrap the key.
    Keys(Vec<Recipient>),
    /// Whoever knows the passphrase can.
    Passphrase(Passphrase),
}

/// The secret that unwraps a data key.
#[derive(Debug)]
pub enum Unlock {
    /// Any of these, if the key is wrapped to its recipient.
    Identities(Identities),
    /// The passphrase, if the key is wrapped with one.
    Passphrase(Passphrase),
}

/// `key` as an age file that only `recipients` can open.
pub fn wrap_key(key: &DataKey, recipients: &Recipients) -> Result<Vec<u8>, KeyError> {
    wrap_with_work(key, recipients, WORK_FACTOR)
}

fn wrap_with_work(key: &DataKey, recipients: &Recipients, work_factor: u8) -> Result<Vec<u8>, KeyError> {
    let file_key = FileKey::generate()?;
    let stanzas = match recipients {
        Recipients::Keys(keys) => Stanzas::X25519(wrap_to_each(&file_key, keys)?),
        Recipients::Passphrase(passphrase) => {
            Stanzas::Scrypt(ScryptStanza::wrap(&file_key, passphrase.expose(), work_factor)?)
        }
    };
    let wrapped = age::encrypt(&file_key, &stanzas, &payload_of(key))?;
    if wrapped.len() > MAX_FILE_LEN {
        return Err(KeyError::TooLong(MAX_FILE_LEN));
    }
    Ok(wrapped)
}

fn wrap_to_each(file_key: &FileKey, recipients: &[Recipient]) -> Result<Vec<X25519Stanza>, KeyError> {
    if recipients.is_empty() {
        return Err(KeyError::NoRecipient);
    }
    recipients.iter().map(|recipient| X25519Stanza::wrap(file_key, &recipient.0)).collect()
}

fn payload_of(key: &DataKey) -> Zeroizing<Vec<u8>> {
    let digits = Zeroizing::new(crate::hex::encode(key.as_bytes()));
    Zeroizing::new([digits.as_bytes(), b"\n"].concat())
}

/// Whether `wrapped` is unlocked by a passphrase, and not by an identity.
pub fn needs_passphrase(wrapped: &[u8]) -> Result<bool, KeyError> {
    Ok(matches!(open(wrapped)?.stanzas(), Stanzas::Scrypt(_)))
}

/// The data key in the age file `wrapped`, armoured or not.
pub fn unwrap_key(wrapped: &[u8], unlock: &Unlock) -> Result<DataKey, KeyError> {
    let file = open(wrapped)?;
    let file_key = match (unlock, file.stanzas()) {
        (Unlock::Identities(_), Stanzas::Scrypt(_)) => return Err(KeyError::NeedsPassphrase),
        (Unlock::Passphrase(_), Stanzas::X25519(_)) => return Err(KeyError::NeedsIdentity),
        (Unlock::Identities(identities), Stanzas::X25519(stanzas)) => unwrap_any(stanzas, identities)?,
        (Unlock::Passphrase(passphrase), Stanzas::Scrypt(stanza)) => {
            stanza.unwrap(passphrase.expose(), MAX_WORK_FACTOR)?
        }
    };
    key_in_payload(&file.decrypt(&file_key)?)
}

/// Reads the header, which nothing vouches for yet.
fn open(wrapped: &[u8]) -> Result<File, KeyError> {
    if wrapped.len() > MAX_FILE_LEN {
        return Err(KeyError::TooLong(MAX_FILE_LEN));
    }
    File::parse(wrapped)
}

fn unwrap_any(stanzas: &[X25519Stanza], identities: &Identities) -> Result<FileKey, KeyError> {
    for stanza in stanzas {
        for identity in identities.iter() {
            if let Some(file_key) = stanza.unwrap(identity)? {
                return Ok(file_key);
            }
        }
    }
    Err(KeyError::NoMatchingIdentity)
}

fn key_in_payload(payload: &[u8]) -> Result<DataKey, KeyError> {
    let key = payload.strip_suffix(b"\n").and_then(from_hex);
    key.ok_or(KeyError::Damaged("its payload is not a data key"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::generate_identity;

    /// The least that there is, as tests need no protection.
    const LITTLE_WORK: u8 = 1;

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::parse(text).unwrap()
    }

    fn key() -> DataKey {
        DataKey::from_bytes(std::array::from_fn(|position| position as u8 * 7))
    }

    fn new_identity() -> (Unlock, Recipient) {
        let (text, recipient) = generate_identity();
        (Unlock::Identities(Identities::parse(&text).unwrap()), recipient)
    }

    fn wrapped_with_passphrase() -> Vec<u8> {
        wrap_with_work(&key(), &Recipients::Passphrase(passphrase("open")), LITTLE_WORK).unwrap()
    }

    fn unarmored(wrapped: &[u8]) -> Vec<u8> {
        age::armor::decode(wrapped).unwrap().into_owned()
    }

    #[test]
    fn every_recipient_can_unwrap_and_nobody_else() {
        let ((first, first_recipient), (second, second_recipient)) = (new_identity(), new_identity());
        let recipients = Recipients::Keys(vec![first_recipient, second_recipient]);
        let wrapped = wrap_key(&key(), &recipients).unwrap();
        assert!(wrapped.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----\n"));
        assert!(!needs_passphrase(&wrapped).unwrap());
        for unlock in [first, second] {
            assert_eq!(unwrap_key(&wrapped, &unlock).unwrap().as_bytes(), key().as_bytes());
            assert_eq!(unwrap_key(&unarmored(&wrapped), &unlock).unwrap().as_bytes(), key().as_bytes());
        }
        let (stranger, _) = new_identity();
        assert!(matches!(unwrap_key(&wrapped, &stranger), Err(KeyError::NoMatchingIdentity)));
        let unlock = Unlock::Passphrase(passphrase("open"));
        assert!(matches!(unwrap_key(&wrapped, &unlock), Err(KeyError::NeedsIdentity)));
    }

    #[test]
    fn only_the_passphrase_unwraps() {
        let wrapped = wrapped_with_passphrase();
        assert!(needs_passphrase(&wrapped).unwrap());
        let unwrap = |text| unwrap_key(&wrapped, &Unlock::Passphrase(passphrase(text)));
        assert_eq!(unwrap("open").unwrap().as_bytes(), key().as_bytes());
        assert!(matches!(unwrap("Open"), Err(KeyError::WrongPassphrase)));
        assert!(matches!(unwrap_key(&wrapped, &new_identity().0), Err(KeyError::NeedsPassphrase)));
    }

    #[test]
    fn wrapping_to_nobody_or_to_too_many_is_refused() {
        assert!(matches!(wrap_key(&key(), &Recipients::Keys(Vec::new())), Err(KeyError::NoRecipient)));
        let crowd = Recipients::Keys(vec![new_identity().1; 1000]);
        assert!(matches!(wrap_key(&key(), &crowd), Err(KeyError::TooLong(MAX_FILE_LEN))));
    }

    #[test]
    fn every_length_and_every_changed_byte_is_found() {
        let (identity, recipient) = new_identity();
        let armored = wrap_key(&key(), &Recipients::Keys(vec![recipient])).unwrap();
        let with_passphrase = wrapped_with_passphrase();
        let unlock = Unlock::Passphrase(passphrase("open"));
        for (good, unlock) in [
            (unarmored(&armored), &identity),
            (armored, &identity),
            (unarmored(&with_passphrase), &unlock),
            (with_passphrase, &unlock),
        ] {
            // Armour may lack the line break after it.
            for position in 0..good.trim_ascii_end().len() {
                assert!(unwrap_key(&good[..position], unlock).is_err(), "cut at {position}");
                for bit in 0..8 {
                    let mut bad = good.clone();
                    bad[position] ^= 1 << bit;
                    assert!(unwrap_key(&bad, unlock).is_err(), "bit {bit} changed at {position}");
                }
            }
        }
    }

    #[test]
    fn too_much_work_and_too_much_data_are_refused() {
        let bytes = unarmored(&wrapped_with_passphrase());
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
        let work = end + 1 + bytes[end + 1..].iter().position(|byte| *byte == b'\n').unwrap();
        assert_eq!(&bytes[work - 2..work], b" 1");
        let unlock = Unlock::Passphrase(passphrase("open"));
        for factor in ["21", "63"] {
            let hostile = [&bytes[..work - 1], factor.as_bytes(), &bytes[work..]].concat();
            let error = unwrap_key(&hostile, &unlock).unwrap_err();
            assert!(matches!(error, KeyError::ExcessiveWork { max: MAX_WORK_FACTOR, .. }), "{error}");
        }
        let long = vec![b'-'; MAX_FILE_LEN + 1];
        assert!(matches!(unwrap_key(&long, &unlock), Err(KeyError::TooLong(MAX_FILE_LEN))));
    }

    #[test]
    fn another_payload_is_refused() {
        let (unlock, recipient) = new_identity();
        let hex = crate::hex::encode(key().as_bytes());
        let payloads = [
            "",
            "\n",
            &hex,
            &format!("{hex}0\n"),
            &format!("{hex}\n\n"),
            &format!("{}\n", hex.to_uppercase()),
        ];
        for payload in payloads {
            let file_key = FileKey::generate().unwrap();
            let stanzas = wrap_to_each(&file_key, std::slice::from_ref(&recipient)).unwrap();
            let file = age::encrypt(&file_key, &Stanzas::X25519(stanzas), payload.as_bytes()).unwrap();
            assert!(matches!(unwrap_key(&file, &unlock), Err(KeyError::Damaged(_))), "{payload:?}");
        }
    }
}
