//! The pieces that were seen, and how often each.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use serde::{Deserialize, Serialize};

use crate::byte_pair::Distinct;

/// So many different pieces are remembered at most.
const LIMIT: usize = 1 << 16;
/// So many are left when there are more: fewer than the limit, so that not every text has to sort them.
const LEFT: usize = LIMIT / 4 * 3;
/// Longer pieces are not remembered: bytes. It bounds the memory.
const PIECE_LIMIT: usize = 256;

/// No piece is counted more often. It keeps sums of all counts within 64 bits.
const COUNT_LIMIT: u64 = 1 << 32;

/// Those pieces that are more than one token.
///
/// When there are more than 65,536, the 49,152 most frequent stay; of several pieces as frequent, the
/// first ones in the order of bytes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Pieces {
    counts: HashMap<Box<[u8]>, u64, RandomState>,
}

/// The serde form: pieces in the order of bytes.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Form {
    #[serde(with = "rekindle::growing")]
    bytes: Vec<u8>,
    /// Where in `bytes` each piece ends, and the next one begins.
    #[serde(with = "rekindle::growing")]
    ends: Vec<u32>,
    #[serde(with = "rekindle::growing")]
    counts: Vec<u64>,
}

impl Pieces {
    /// Counts the pieces of a text.
    pub fn add(&mut self, seen: &[Distinct<'_>]) {
        for distinct in seen {
            if distinct.len < 2 || distinct.piece.len() > PIECE_LIMIT {
                continue;
            }
            match self.counts.get_mut(distinct.piece) {
                Some(count) => *count = count.saturating_add(distinct.count).min(COUNT_LIMIT),
                None => {
                    self.counts.insert(distinct.piece.into(), distinct.count.min(COUNT_LIMIT));
                }
            }
        }
        self.forget_rarest();
    }

    /// The pieces and how often each was seen, in the order of bytes.
    pub fn sorted(&self) -> Vec<(&[u8], u64)> {
        let mut pieces: Vec<(&[u8], u64)> =
            self.counts.iter().map(|(piece, &count)| (&**piece, count)).collect();
        pieces.sort_unstable();
        pieces
    }

    pub fn retain(&mut self, is_kept: impl Fn(&[u8]) -> bool) {
        self.counts.retain(|piece, _| is_kept(piece));
    }

    pub fn form(&self) -> Form {
        let mut form = Form::default();
        for (piece, count) in self.sorted() {
            form.bytes.extend_from_slice(piece);
            form.ends.push(form.bytes.len() as u32);
            form.counts.push(count);
        }
        form
    }

    fn forget_rarest(&mut self) {
        if self.counts.len() <= LIMIT {
            return;
        }
        let mut pieces: Vec<(Box<[u8]>, u64)> = self.counts.drain().collect();
        pieces.sort_unstable_by(|(a, a_count), (b, b_count)| b_count.cmp(a_count).then_with(|| a.cmp(b)));
        self.counts.extend(pieces.into_iter().take(LEFT));
    }
}

impl TryFrom<Form> for Pieces {
    type Error = String;

    fn try_from(form: Form) -> Result<Self, String> {
        let Form { bytes, ends, counts } = form;
        if ends.len() != counts.len() || ends.len() > LIMIT {
            let (ends, counts) = (ends.len(), counts.len());
            return Err(format!("{ends} pieces have {counts} counts, at most {LIMIT} of both can be"));
        }
        let mut pieces = HashMap::with_capacity_and_hasher(ends.len(), RandomState::default());
        let mut start = 0;
        let mut previous: &[u8] = &[];
        for (position, (&end, &count)) in ends.iter().zip(&counts).enumerate() {
            let piece = bytes.get(start..end as usize).unwrap_or_default();
            if !(2..=PIECE_LIMIT).contains(&piece.len()) || piece <= previous {
                return Err(format!("piece {position} is not behind the one before, or of a wrong length"));
            }
            if !(1..=COUNT_LIMIT).contains(&count) {
                return Err(format!("piece {position} was seen {count} times, 1 to {COUNT_LIMIT} can be"));
            }
            pieces.insert(piece.into(), count);
            (start, previous) = (end as usize, piece);
        }
        match start == bytes.len() {
            true => Ok(Self { counts: pieces }),
            false => Err(format!("the pieces have {start} bytes, but {} are there", bytes.len())),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn distinct(piece: &[u8], count: u64) -> Distinct<'_> {
        Distinct { piece, start: 0, len: 2, count }
    }

    #[test]
    fn the_rarest_are_forgotten() {
        let names: Vec<String> = (0..=LIMIT).map(|number| format!("p{number:06}")).collect();
        let mut pieces = Pieces::default();
        // The last one is the most frequent; of all others the first ones stay.
        let seen = |(position, name)| distinct(name, if position == LIMIT { 2 } else { 1 });
        let seen: Vec<_> = names.iter().map(|name| name.as_bytes()).enumerate().map(seen).collect();
        pieces.add(&seen[..LIMIT]);
        assert_eq!(pieces.sorted().len(), LIMIT);
        pieces.add(&seen[LIMIT..]);
        let left = pieces.sorted();
        assert_eq!(left.len(), LEFT);
        assert_eq!(left[LEFT - 1], (names[LIMIT].as_bytes(), 2));
        assert_eq!(left[LEFT - 2], (names[LEFT - 2].as_bytes(), 1));
    }

    #[test]
    fn single_tokens_and_long_pieces_are_not_remembered() {
        let mut pieces = Pieces::default();
        let long = [b'a'; PIECE_LIMIT + 1];
        pieces.add(&[Distinct { len: 1, ..distinct(b"ab", 1) }, distinct(&long, 1), distinct(&long[1..], 3)]);
        pieces.add(&[distinct(&long[1..], u64::MAX)]);
        assert_eq!(pieces.sorted(), [(&long[1..], COUNT_LIMIT)]);
    }

    #[test]
    fn damaged_forms_are_refused() {
        let mut pieces = Pieces::default();
        pieces.add(&[distinct(b"cd", 1), distinct(b"abc", 2)]);
        let form = serde_json::to_value(pieces.form()).unwrap();
        assert_eq!(form, json!({ "bytes": b"abccd", "ends": [3, 5], "counts": [2, 1] }));
        assert_eq!(Pieces::try_from(serde_json::from_value::<Form>(form.clone()).unwrap()).unwrap(), pieces);
        for (member, value, expected) in [
            ("ends", json!([3]), "1 pieces have 2 counts"),
            ("ends", json!([3, 2]), "piece 1"),
            ("ends", json!([3, 9]), "piece 1"),
            ("ends", json!([1, 5]), "piece 0"),
            ("bytes", json!(b"cdeab"), "piece 1"),
            ("bytes", json!(b"abccde"), "the pieces have 5 bytes, but 6 are there"),
            ("counts", json!([2, 0]), "piece 1 was seen 0 times"),
        ] {
            let mut form = form.clone();
            form[member] = value;
            let error = Pieces::try_from(serde_json::from_value::<Form>(form).unwrap()).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
