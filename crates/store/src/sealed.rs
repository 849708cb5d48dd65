//! Sealed JSON: small readable files that prove their own integrity.
//!
//! The last field of the object is `"blake3"`, the hash of every byte before it; what follows is
//! fixed. This rule holds for all format versions, so that a damaged file can be told from one
//! that a later version wrote.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Damage, Problem};
use crate::hash::Hash;

const FIELD: &str = ",\n  \"blake3\": \"";
const END: &str = "\"\n}\n";
const SEAL_LEN: usize = FIELD.len() + 2 * Hash::LEN + END.len();

/// `value`, which must be a struct or map with at least one entry, as sealed JSON.
pub(crate) fn seal<T: Serialize>(value: &T) -> serde_json::Result<Vec<u8>> {
    let mut text = serde_json::to_string_pretty(value)?;
    let body = text.trim_end_matches('}').trim_end().len();
    text.truncate(body);
    let hash = Hash::of(text.as_bytes());
    Ok(format!("{text}{FIELD}{hash}{END}").into_bytes())
}

/// The value in the sealed JSON `bytes` of the object `name`.
pub(crate) fn unseal<T: DeserializeOwned>(name: &str, bytes: &[u8]) -> Result<T, Damage> {
    let malformed = |what| Damage::malformed(name, what);
    let body_len = bytes.len().checked_sub(SEAL_LEN);
    let (body, seal) = bytes.split_at(body_len.ok_or_else(|| malformed("it is too short"))?);
    let expected = format!("{FIELD}{}{END}", Hash::of(body));
    if seal != expected.as_bytes() {
        return Err(Damage::new(name, Problem::HashMismatch));
    }
    let text = [body, b"\n}"].concat();
    serde_json::from_slice(&text).map_err(|_| malformed("a field is missing or of the wrong type"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn every_changed_byte_and_every_length_is_found() {
        let value = BTreeMap::from([("step", serde_json::json!({"n": 1}))]);
        let good = seal(&value).unwrap();
        let read: BTreeMap<String, serde_json::Value> = unseal("x", &good).unwrap();
        assert_eq!(read["step"]["n"], 1);
        let parsed: serde_json::Value = serde_json::from_slice(&good).unwrap();
        assert!(parsed["blake3"].is_string());
        type Any = BTreeMap<String, serde_json::Value>;
        for position in 0..good.len() {
            let mut bad = good.clone();
            bad[position] ^= 1;
            assert!(unseal::<Any>("x", &bad).is_err());
            assert!(unseal::<Any>("x", &good[..position]).is_err());
        }
    }
}
