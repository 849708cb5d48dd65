//! One change of a vocabulary, as a model that has rows for its tokens needs to know it.

/// What a vocabulary becomes.
///
/// Numbers stay without gaps. A token that is kept keeps its number, special ones too; new ones take the
/// numbers that are freed, from the smallest on, and then those behind. Only a change that frees more
/// than it adds moves tokens: those that would lie behind the end fill the smallest numbers left free.
///
/// Special tokens can stay where they are because a `tokenizer.json` may list an added token among the
/// tokens of the model, with any number; the numbers of those that it does not list there would have to
/// follow on the model's, and so move each time that it grows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The identity of the tokenizer that it was made for.
    pub(super) identity: String,
    pub(super) generation: u64,
    pub(super) rows: Vec<Row>,
    pub(super) removed: Vec<u32>,
    /// In the order in which they are merged.
    pub(super) added: Vec<Added>,
}

/// What the row of a token in the new vocabulary is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// The row of this token of the old vocabulary, which is the same token.
    Kept(u32),
    /// A token that was not there: its bytes were these tokens of the old vocabulary, two at least.
    New(Vec<u32>),
}

/// A new token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Added {
    /// In the new vocabulary.
    pub token: u32,
    /// The tokens of the new vocabulary that are merged to it; none for a whole word.
    pub merge: Option<(u32, u32)>,
    /// How often it would have been used in the text that is remembered.
    pub count: u64,
}

impl Change {
    /// One for each token of the new vocabulary, in the order of their numbers.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The tokens of the old vocabulary that are gone, in the order of their numbers.
    pub fn removed(&self) -> &[u32] {
        &self.removed
    }

    /// How many tokens are new.
    pub fn added(&self) -> usize {
        self.added.len()
    }

    /// The generation of the vocabulary that it was made for.
    pub fn generation(&self) -> u64 {
        self.generation
    }
}

/// For each number of the new vocabulary the token that is kept there, if one is; and the numbers of new
/// tokens. `removed` are in order and below `len`.
pub(super) fn number(len: usize, removed: &[u32], added: usize) -> (Vec<Option<u32>>, Vec<u32>) {
    let mut kept: Vec<Option<u32>> = (0..len as u32).map(Some).collect();
    for &token in removed {
        kept[token as usize] = None;
    }
    let behind = added.saturating_sub(removed.len());
    kept.extend(vec![None; behind]);
    let holes = removed.iter().copied().chain(len as u32..(len + behind) as u32);
    let new: Vec<u32> = holes.take(added).collect();
    if added < removed.len() {
        let len = len - (removed.len() - added);
        let movers: Vec<u32> = kept.drain(len..).flatten().collect();
        let holes = removed.iter().skip(added).filter(|&&hole| (hole as usize) < len);
        for (&hole, mover) in holes.zip(movers) {
            kept[hole as usize] = Some(mover);
        }
    }
    (kept, new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_where_they_can() {
        let kept = |tokens: &[i64]| -> Vec<Option<u32>> {
            tokens.iter().map(|&token| u32::try_from(token).ok()).collect()
        };
        assert_eq!(number(3, &[], 2), (kept(&[0, 1, 2, -1, -1]), vec![3, 4]));
        assert_eq!(number(5, &[1, 3], 1), (kept(&[0, -1, 2, 4]), vec![1]));
        assert_eq!(number(5, &[1, 3], 2), (kept(&[0, -1, 2, -1, 4]), vec![1, 3]));
        assert_eq!(number(5, &[1, 3], 3), (kept(&[0, -1, 2, -1, 4, -1]), vec![1, 3, 5]));
        assert_eq!(number(6, &[1, 2, 5], 0), (kept(&[0, 3, 4]), vec![]));
        assert_eq!(number(6, &[0, 5], 0), (kept(&[4, 1, 2, 3]), vec![]));
    }
}
