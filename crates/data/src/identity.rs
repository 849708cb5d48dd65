//! What the same data is known by, whatever its files are called and wherever they lie.
//!
//! Identities are a part of states: a change of what is hashed here makes every run refuse its own data.

use rekindle::Hash;
use rekindle_formats::hex::hex;
use sha2::{Digest, Sha256};

use crate::table::listed;

/// Identity of the examples of a table: BLAKE3 of what the model sees of all of them, and of the numbers of
/// those that are learnt, as little-endian 64-bit integers. `len` is how many bytes are seen.
pub fn of_examples(seen: impl IntoIterator<Item = u8>, len: usize, train: &[usize]) -> Hash {
    let mut bytes = Vec::with_capacity(len + 8 * train.len());
    bytes.extend(seen);
    bytes.extend(train.iter().flat_map(|&row| (row as u64).to_le_bytes()));
    Hash::of(&bytes)
}

/// Identity of several texts in their order: BLAKE3 of the hexadecimal BLAKE3 of each.
pub fn of_texts<T: AsRef<[u8]>>(texts: impl IntoIterator<Item = T>) -> Hash {
    let hashes: String = texts.into_iter().map(|text| Hash::of(text.as_ref()).to_string()).collect();
    Hash::of(hashes.as_bytes())
}

/// Identity of a text in tokens: SHA-256 of the size of the vocabulary and the numbers of tokens of *train*
/// and *select* (64 bits each), and of the tokens of all three parts (32 bits each), all little-endian, in
/// lower-case hexadecimal. A text without a *test* has the identity that it had before there was any.
pub fn of_tokens(vocabulary: usize, train: &[u32], select: &[u32], test: &[u32]) -> String {
    let mut hash = Sha256::new();
    for length in [vocabulary, train.len(), select.len()] {
        hash.update((length as u64).to_le_bytes());
    }
    for token in train.iter().chain(select).chain(test) {
        hash.update(token.to_le_bytes());
    }
    hex(&hash.finalize())
}

/// What is known of the examples of a table without having them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataOutline<'a> {
    /// Names of the inputs, in their order.
    pub inputs: Vec<&'a str>,
    /// Rows of all parts.
    pub rows: u64,
}

impl DataOutline<'_> {
    /// In what these examples differ from others that are expected, in words.
    pub fn difference_from(&self, expected: &Self) -> String {
        if self.inputs != expected.inputs {
            let (found, expected) = (listed(&self.inputs), listed(&expected.inputs));
            return format!("its inputs are {found}, those of the run {expected}");
        }
        if self.rows != expected.rows {
            return format!("it has {} rows, the run {}", self.rows, expected.rows);
        }
        "its values are not those that the run was trained on".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// States of runs hold these.
    #[test]
    fn identities_are_pinned() {
        let examples = of_examples([1, 2, 3], 3, &[0, 2]).to_string();
        assert_eq!(
            examples,
            Hash::of(&[1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]).to_string()
        );
        let texts = [Hash::of(b"a"), Hash::of(b"b")].map(|hash| hash.to_string()).concat();
        assert_eq!(of_texts(["a", "b"]), Hash::of(texts.as_bytes()));
        let mut bytes = Vec::new();
        [9_u64, 2, 1].iter().for_each(|length| bytes.extend(length.to_le_bytes()));
        [5_u32, 6, 7, 8].iter().for_each(|token| bytes.extend(token.to_le_bytes()));
        let tokens = of_tokens(9, &[5, 6], &[7], &[8]);
        assert_eq!(tokens, hex(&Sha256::digest(&bytes)));
        for other in [of_tokens(9, &[5, 6], &[1], &[8]), of_tokens(9, &[5, 6], &[7], &[1])] {
            assert_ne!(other, tokens);
        }
    }

    #[test]
    fn a_difference_is_told_by_inputs_then_rows_then_values() {
        let run = DataOutline { inputs: vec!["a", "b"], rows: 5 };
        let difference = |inputs: &[&'static str], rows| {
            DataOutline { inputs: inputs.to_vec(), rows }.difference_from(&run)
        };
        assert_eq!(difference(&["a"], 5), "its inputs are a, those of the run a, b");
        assert_eq!(difference(&["a", "b"], 6), "it has 6 rows, the run 5");
        assert!(difference(&["a", "b"], 5).starts_with("its values"));
    }
}
