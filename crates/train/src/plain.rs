//! Settings that may be absent, saved as what they are where they are not. That is how runs have them
//! from before they could be absent, which go on with the same bits.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Writes a value as what it is.
///
/// # Errors
/// As those of the value and the serializer.
pub fn serialize<T: Serialize, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => value.serialize(serializer),
        None => serializer.serialize_none(),
    }
}

/// From a value as it was saved; `null` is an absent one.
///
/// # Errors
/// When it is neither.
pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}
