//! The bytes of all tokens, one after the other.

use serde::{Deserialize, Serialize};

/// No vocabulary has more tokens.
pub const VOCABULARY_LIMIT: usize = 1 << 20;

/// Tokens by number, counted from 0. Two flat arrays, as a state of 50,000 strings is slow to save.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Vocabulary {
    #[serde(with = "rekindle::growing")]
    bytes: Vec<u8>,
    /// Where in `bytes` each token ends, and the next one begins. A number with no bytes is not a token:
    /// files that others wrote may leave some out.
    #[serde(with = "rekindle::growing")]
    ends: Vec<u32>,
}

impl Vocabulary {
    /// One more than the largest number.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn get(&self, token: u32) -> Option<&[u8]> {
        let token = token as usize;
        let end = *self.ends.get(token)? as usize;
        let start = token.checked_sub(1).map_or(0, |previous| self.ends[previous] as usize);
        (start < end).then(|| &self.bytes[start..end])
    }

    /// All tokens in the order of their numbers.
    pub fn tokens(&self) -> impl Iterator<Item = (u32, &[u8])> {
        (0..self.len() as u32).filter_map(|token| Some((token, self.get(token)?)))
    }

    /// Appends a token, or a number that is none, and gives its number. Callers bound the number and
    /// the length of tokens, so that neither outgrows 32 bits.
    pub fn push(&mut self, token: &[u8]) -> u32 {
        let number = self.ends.len() as u32;
        self.bytes.extend_from_slice(token);
        self.ends.push(self.bytes.len() as u32);
        number
    }

    /// What every saved vocabulary must hold before [`Self::get`] may be called; says what does not.
    pub fn check(&self) -> Result<(), String> {
        if self.ends.len() > VOCABULARY_LIMIT {
            return Err(format!("{} tokens, at most {VOCABULARY_LIMIT} can be", self.ends.len()));
        }
        let mut start = 0;
        for (token, &end) in self.ends.iter().enumerate() {
            if end < start {
                return Err(format!("token {token} ends at byte {end}, but begins at byte {start}"));
            }
            start = end;
        }
        match start as usize == self.bytes.len() {
            true => Ok(()),
            false => Err(format!("the tokens have {start} bytes, but {} are there", self.bytes.len())),
        }
    }
}
