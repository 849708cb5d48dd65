//! Wrapped keys that somebody made to cost much, or that are none.

use std::sync::Arc;

use rekindle::storage::{MemoryStorage, Storage};
use rekindle::upkeep::wrapped_key;
use rekindle_keys::{
    Identities, MAX_FILE_LEN, Passphrase, Unlock, generate_identity, needs_passphrase, unwrap_key,
};

/// Nothing is unwrapped, whether by an identity or by a passphrase.
pub fn is_refused(bytes: &[u8], unlocks: &[Unlock]) -> Result<(), String> {
    // Only that it does not panic: a file can be told to be of one kind and be refused all the same.
    let _ = needs_passphrase(bytes);
    match unlocks.iter().any(|unlock| unwrap_key(bytes, unlock).is_ok()) {
        true => Err("it was unwrapped".to_owned()),
        false => is_read_within_bounds(bytes),
    }
}

/// A store hands on no more than a wrapped key may have.
fn is_read_within_bounds(bytes: &[u8]) -> Result<(), String> {
    let storage = MemoryStorage::from_objects([("key.age".to_owned(), bytes.to_vec())].into());
    let storage: Arc<dyn Storage> = Arc::new(storage);
    match wrapped_key(&*storage) {
        Ok(Some(read)) if read.len() <= MAX_FILE_LEN => Ok(()),
        Err(_) if bytes.len() > MAX_FILE_LEN => Ok(()),
        other => Err(format!("the store gives {:?} of it", other.map(|read| read.map(|bytes| bytes.len())))),
    }
}

/// An identity and a passphrase.
///
/// # Errors
/// None that occur.
pub fn unlocks() -> Result<[Unlock; 2], String> {
    let text = |error: rekindle_keys::KeyError| error.to_string();
    let identities = Identities::parse(&generate_identity().0).map_err(text)?;
    Ok([Unlock::Identities(identities), Unlock::Passphrase(Passphrase::parse("open").map_err(text)?)])
}

/// All of them.
pub fn all() -> Vec<(String, Vec<u8>)> {
    let body = "A".repeat(43);
    let file = |stanzas: &str| {
        let head = format!("age-encryption.org/v1\n{stanzas}--- {body}\n");
        [head.as_bytes(), &[0; 16 + 65 + 16]].concat()
    };
    let scrypt = |factor: &str| format!("-> scrypt {} {factor}\n{body}\n", "A".repeat(22));
    let share = |share: &str| format!("-> X25519 {share}\n{body}\n");
    let point = format!("CQ{}", "A".repeat(41));
    let armoured = |content: &str| format!("-----BEGIN AGE ENCRYPTED FILE-----\n{content}").into_bytes();
    let mut all: Vec<(String, Vec<u8>)> =
        ["21", "30", "31", "32", "63", "64", "255", "256", "-1", "018", "1e9"]
            .iter()
            .chain(&["99999999999999999999999", "", "0", "1 8"])
            .map(|factor| (format!("a work factor of `{factor}`"), file(&scrypt(factor))))
            .collect();
    let mut add = |name: &str, bytes| all.push((name.to_owned(), bytes));
    add("two passphrases", file(&scrypt("10").repeat(2)));
    add("a passphrase and an identity", file(&[scrypt("10"), share(&point)].concat()));
    add("nobody", file(""));
    add("600 identities", file(&share(&point).repeat(600)));
    add("a point of no order", file(&share(&"A".repeat(43))));
    add("a share of other length", file(&share("AAAA")));
    add("a share that is not base64", file(&share(&"!".repeat(43))));
    add(
        "stanzas of no known kind",
        file(&format!("-> x {}\n{body}\n", "y ".repeat(100).trim_end()).repeat(100)),
    );
    add(
        "a stanza without end",
        format!("age-encryption.org/v1\n-> X25519 {}", "A".repeat(60_000)).into_bytes(),
    );
    add(
        "a body without end",
        file(&format!("-> X25519 {point}\n{}", format!("{}\n", "A".repeat(64)).repeat(900))),
    );
    add("30,000 line breaks", file(&"\n".repeat(30_000)));
    add("only its first line", b"age-encryption.org/v1\n".to_vec());
    add("a later version", b"age-encryption.org/v2\n-> X25519\n".to_vec());
    add("armour without end", armoured(&format!("{}\n", "A".repeat(64)).repeat(900)));
    add("armour of one line", armoured(&"A".repeat(60_000)));
    add("armour within armour", armoured("-----BEGIN AGE ENCRYPTED FILE-----\n").repeat(100));
    add("armour of line breaks", armoured(&"\n".repeat(60_000)));
    add("no bytes", Vec::new());
    add("zeros", vec![0; MAX_FILE_LEN]);
    add("a byte more than may be", vec![b'-'; MAX_FILE_LEN + 1]);
    add("16 MiB", vec![b'A'; 16 << 20]);
    all
}
