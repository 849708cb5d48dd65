//! Keys, recipients and signatures as text. What is read is the same when it is written and read
//! again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle_keys::{Identities, Passphrase, PublicKey, Recipient, Signature, SigningKey};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = str::from_utf8(data) else { return };
    let _ = (Identities::parse(text), Passphrase::parse(text));
    for recipient in Recipient::parse_list(text).into_iter().flatten() {
        assert_eq!(recipient.to_string().parse::<Recipient>().ok(), Some(recipient));
    }
    if let Ok(key) = text.parse::<PublicKey>() {
        assert_eq!(key.to_string().parse::<PublicKey>().ok(), Some(key));
    }
    if let Ok(signature) = text.parse::<Signature>() {
        assert_eq!(signature.to_string(), text);
    }
    if let Ok(key) = SigningKey::from_pem(text) {
        let again = SigningKey::from_pem(&key.to_pem()).expect("it was written here");
        assert!(again.public_key() == key.public_key());
    }
});
