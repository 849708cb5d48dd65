//! Which tokens a vocabulary would gain.

use std::collections::HashSet;

use super::pieces::Pieces;
use crate::byte_pair::{BytePair, Corpus, TOKEN_LIMIT, may_be_whole};
use crate::tokenizer::Tokenizer;

/// A token that is not there yet.
#[derive(Debug, PartialEq)]
pub(super) struct Candidate {
    /// What is merged to it; none for a whole word. A number behind the vocabulary is that of an earlier
    /// candidate.
    pub merge: Option<(u32, u32)>,
    /// The tokens of the vocabulary that its bytes are now.
    pub parts: Vec<u32>,
    /// How often it would have been used in the pieces.
    pub count: u64,
}

/// At most so many tokens, the most frequent first, none less frequent than `least`; of several as
/// frequent the first one in the order of bytes, then the one with the shorter left part.
///
/// None has the bytes of a token that is there. Later ones may be merged from earlier ones, never the
/// other way round, so that any number of the first ones can be taken.
pub(super) fn candidates(
    tokenizer: &Tokenizer,
    model: &BytePair,
    pieces: &Pieces,
    most: usize,
    least: u64,
) -> Vec<Candidate> {
    let pieces = pieces.sorted();
    let encoded = model.encode_pieces(pieces.iter().map(|&(piece, _)| piece));
    let taken: HashSet<Vec<u8>> = tokenizer.vocabulary.tokens().map(|(_, bytes)| bytes.to_vec()).collect();
    match model.is_of_words() {
        true => words(&pieces, &encoded, &taken, most, least),
        false => merges(tokenizer, &pieces, &encoded, taken, most, least),
    }
}

fn words(
    pieces: &[(&[u8], u64)],
    encoded: &[Vec<u32>],
    taken: &HashSet<Vec<u8>>,
    most: usize,
    least: u64,
) -> Vec<Candidate> {
    let mut words: Vec<_> = pieces.iter().zip(encoded).collect();
    words.retain(|((word, count), _)| *count >= least && may_be_whole(word) && !taken.contains(*word));
    // Stable, so that words that are as frequent stay in the order of bytes.
    words.sort_by_key(|&((_, count), _)| std::cmp::Reverse(count));
    let candidate = |((_, count), parts): (&(&[u8], u64), &Vec<u32>)| Candidate {
        merge: None,
        parts: parts.clone(),
        count: *count,
    };
    words.into_iter().take(most).map(candidate).collect()
}

fn merges(
    tokenizer: &Tokenizer,
    pieces: &[(&[u8], u64)],
    encoded: &[Vec<u32>],
    mut taken: HashSet<Vec<u8>>,
    most: usize,
    least: u64,
) -> Vec<Candidate> {
    let len = tokenizer.len() as u32;
    let mut found: Vec<Candidate> = Vec::new();
    let mut names: Vec<Vec<u8>> = Vec::new();
    let bytes_of = |names: &[Vec<u8>], token: u32| match token.checked_sub(len) {
        Some(position) => names[position as usize].clone(),
        None => tokenizer.token_bytes(token).unwrap_or_default().to_vec(),
    };
    let key = |names: &[Vec<u8>], (left, right): (u32, u32)| {
        let left = bytes_of(names, left);
        let len = left.len();
        ([left, bytes_of(names, right)].concat(), len)
    };
    let weighted = encoded.iter().zip(pieces).map(|(tokens, &(_, count))| (tokens.iter().copied(), count));
    let mut corpus = Corpus::new(weighted, |pair| key(&names, pair));
    while found.len() < most
        && let Some((pair, count)) = corpus.most_frequent(least)
    {
        let (bytes, _) = key(&names, pair);
        if bytes.len() > TOKEN_LIMIT || !taken.insert(bytes.clone()) {
            continue;
        }
        let parts_of = |token: u32| match token.checked_sub(len) {
            Some(position) => found[position as usize].parts.clone(),
            None => vec![token],
        };
        let parts = [parts_of(pair.0), parts_of(pair.1)].concat();
        let token = len + found.len() as u32;
        found.push(Candidate { merge: Some(pair), parts, count });
        names.push(bytes);
        corpus.merge(pair, token, |pair| key(&names, pair));
    }
    found
}
