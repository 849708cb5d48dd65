//! A data key as an age file that only the right people can open.
//!
//! The file is in ASCII armour, and its payload is the key as 64 hex digits and a line break.

use std::io::{self, Read, Write};
use std::iter;

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::{DecryptError, Decryptor, Encryptor, scrypt};
use zeroize::Zeroizing;

use crate::data_key::DataKey;
use crate::error::KeyError;
use crate::files::MAX_FILE_LEN;
use crate::identity::Identities;
use crate::passphrase::Passphrase;
use crate::recipient::Recipient;

/// The binary logarithm of the scrypt work factor of a new file; the one of `age`.
const WORK_FACTOR: u8 = 18;
/// The binary logarithm of the largest work factor accepted: four times as much as we ask for, and
/// 1 GiB of memory.
const MAX_WORK_FACTOR: u8 = 20;
/// Hex digits and line break.
const PAYLOAD_LEN: usize = 2 * DataKey::LEN + 1;

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
    let wrapped = match recipients {
        Recipients::Keys(keys) => encrypt(key, keys.iter().map(|recipient| &recipient.0 as _))?,
        Recipients::Passphrase(passphrase) => {
            let mut recipient = scrypt::Recipient::new(passphrase.to_age());
            recipient.set_work_factor(work_factor);
            encrypt(key, iter::once(&recipient as _))?
        }
    };
    if wrapped.len() > MAX_FILE_LEN {
        return Err(KeyError::TooLong(MAX_FILE_LEN));
    }
    Ok(wrapped)
}

fn encrypt<'a>(
    key: &DataKey,
    recipients: impl Iterator<Item = &'a dyn age::Recipient>,
) -> Result<Vec<u8>, KeyError> {
    // Recipients that are all X25519, or one passphrase, can fail only by being none.
    let encryptor = Encryptor::with_recipients(recipients).map_err(|_| KeyError::NoRecipient)?;
    Ok(write_armored(encryptor, key).expect("memory can be written to"))
}

fn write_armored(encryptor: Encryptor, key: &DataKey) -> io::Result<Vec<u8>> {
    let armor = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
    let mut writer = encryptor.wrap_output(armor)?;
    writer.write_all(Zeroizing::new(crate::hex::encode(key.as_bytes())).as_bytes())?;
    writer.write_all(b"\n")?;
    writer.finish()?.finish()
}

/// Whether `wrapped` is unlocked by a passphrase, and not by an identity.
pub fn needs_passphrase(wrapped: &[u8]) -> Result<bool, KeyError> {
    Ok(open(wrapped)?.is_scrypt())
}

/// The data key in the age file `wrapped`, armoured or not.
pub fn unwrap_key(wrapped: &[u8], unlock: &Unlock) -> Result<DataKey, KeyError> {
    let decryptor = open(wrapped)?;
    match (unlock, decryptor.is_scrypt()) {
        (Unlock::Identities(_), true) => Err(KeyError::NeedsPassphrase),
        (Unlock::Passphrase(_), false) => Err(KeyError::NeedsIdentity),
        (Unlock::Identities(identities), false) => decrypt(decryptor, identities.iter()),
        (Unlock::Passphrase(passphrase), true) => {
            let mut identity = scrypt::Identity::new(passphrase.to_age());
            identity.set_max_work_factor(MAX_WORK_FACTOR);
            decrypt(decryptor, iter::once(&identity as _))
        }
    }
}

/// Reads the header, which nothing vouches for yet.
fn open(wrapped: &[u8]) -> Result<Decryptor<impl Read>, KeyError> {
    if wrapped.len() > MAX_FILE_LEN {
        return Err(KeyError::TooLong(MAX_FILE_LEN));
    }
    Decryptor::new_buffered(ArmoredReader::new(wrapped)).map_err(|error| match error {
        DecryptError::UnknownFormat => KeyError::Damaged("it is no age file of version 1"),
        _ => KeyError::Damaged("its header cannot be read"),
    })
}

fn decrypt<'a>(
    decryptor: Decryptor<impl Read>,
    identities: impl Iterator<Item = &'a dyn age::Identity>,
) -> Result<DataKey, KeyError> {
    let payload = decryptor.decrypt(identities).map_err(|error| match error {
        DecryptError::NoMatchingKeys => KeyError::NoMatchingIdentity,
        DecryptError::DecryptionFailed => KeyError::WrongPassphrase,
        DecryptError::ExcessiveWork { required, .. } => {
            KeyError::ExcessiveWork { found: required, max: MAX_WORK_FACTOR }
        }
        _ => KeyError::Damaged("its header was changed"),
    })?;
    read_payload(payload)
}

fn read_payload(payload: impl Read) -> Result<DataKey, KeyError> {
    let limit = PAYLOAD_LEN + 1;
    let mut text = Zeroizing::new(Vec::with_capacity(limit));
    let read = payload.take(limit as u64).read_to_end(&mut text);
    read.map_err(|_| KeyError::Damaged("its payload was changed or cut short"))?;
    let key = text.strip_suffix(b"\n").and_then(DataKey::from_hex);
    key.ok_or(KeyError::Damaged("its payload is no data key"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::generate_identity;

    /// The least that age accepts, as tests need no protection.
    const LITTLE_WORK: u8 = 1;

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::parse(text).unwrap()
    }

    fn key() -> DataKey {
        DataKey::from_bytes(&std::array::from_fn(|position| position as u8 * 7))
    }

    fn new_identity() -> (Unlock, Recipient) {
        let (text, recipient) = generate_identity();
        (Unlock::Identities(Identities::parse(&text).unwrap()), recipient)
    }

    fn wrapped_with_passphrase() -> Vec<u8> {
        wrap_with_work(&key(), &Recipients::Passphrase(passphrase("open")), LITTLE_WORK).unwrap()
    }

    fn unarmored(wrapped: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        ArmoredReader::new(wrapped).read_to_end(&mut bytes).unwrap();
        bytes
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
        // For each passphrase tried, age first measures how fast the machine is: one form must do.
        let with_passphrase = unarmored(&wrapped_with_passphrase());
        let unlock = Unlock::Passphrase(passphrase("open"));
        for (good, unlock) in
            [(unarmored(&armored), &identity), (armored, &identity), (with_passphrase, &unlock)]
        {
            // Armour may lack the line break after it.
            for position in 0..good.trim_ascii_end().len() {
                assert!(unwrap_key(&good[..position], unlock).is_err(), "cut at {position}");
                let mut bad = good.clone();
                bad[position] ^= 1;
                assert!(unwrap_key(&bad, unlock).is_err(), "changed at {position}");
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
            let file = age::encrypt(&recipient.0, payload.as_bytes()).unwrap();
            assert!(matches!(unwrap_key(&file, &unlock), Err(KeyError::Damaged(_))), "{payload:?}");
        }
    }
}
