//! The merges of a text.
//!
//! Each different piece of the text is kept once, with how often it occurs. All of them lie one
//! behind the other as linked tokens, and each pair of tokens knows where it stood, so that a merge
//! touches only the places where it applies.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use foldhash::fast::RandomState;

use super::{BytePair, NO_TOKEN};
use crate::pieces::pieces;
use crate::vocabulary::Vocabulary;

/// No text to learn from is longer: bytes. Positions have 32 bits.
pub(crate) const TEXT_LIMIT: usize = u32::MAX as usize;
/// No token is longer: bytes. It bounds the vocabulary of a text that repeats one long passage.
pub(crate) const TOKEN_LIMIT: usize = 1024;
/// A pair that occurs less often is not worth a token.
const LEAST_COUNT: u64 = 2;
/// No neighbour: another piece begins.
const NONE: u32 = u32::MAX;

/// The vocabulary of a text of at most [`TEXT_LIMIT`] bytes, and its merges. Fewer than `len` tokens
/// when no pair of tokens is left that occurs twice.
///
/// Of the pairs that occur most often the smallest is merged, compared by the number of the left
/// token, then of the right one. A pair that would make a token that is already there is passed
/// over, so that no two tokens have the same bytes.
pub(crate) fn train(text: &[u8], len: usize) -> (Vocabulary, BytePair) {
    let mut vocabulary = Vocabulary::default();
    let mut taken = HashSet::new();
    for byte in 0..=u8::MAX {
        vocabulary.push(&[byte]);
    }
    let mut merges = Vec::new();
    let by_number = |_| ();
    let pieces = count(pieces(text)).into_iter();
    let pieces = pieces.map(|(piece, weight)| (piece.iter().copied().map(u32::from), weight));
    let mut corpus = Corpus::new(pieces, by_number);
    while vocabulary.len() < len
        && let Some(((left, right), _)) = corpus.most_frequent(LEAST_COUNT)
    {
        let parts = [left, right].map(|token| vocabulary.get(token).unwrap_or_default());
        let bytes = parts.concat();
        if bytes.len() > TOKEN_LIMIT || taken.contains(&bytes) {
            continue;
        }
        let token = vocabulary.push(&bytes);
        taken.insert(bytes);
        merges.extend([left, right, token]);
        corpus.merge((left, right), token, by_number);
    }
    (vocabulary, BytePair::new((0..256).collect(), merges))
}

/// The vocabulary of all bytes and of the most frequent pieces of a text, with at most `len` tokens;
/// of several pieces as frequent the first in the order of bytes. Pieces that are not UTF-8 or longer than
/// [`TOKEN_LIMIT`] are passed over.
pub(crate) fn train_whole(text: &[u8], len: usize) -> (Vocabulary, BytePair) {
    let mut vocabulary = Vocabulary::default();
    for byte in 0..=u8::MAX {
        vocabulary.push(&[byte]);
    }
    let mut pieces = count(pieces(text));
    pieces.retain(|&(piece, _)| may_be_whole(piece));
    pieces.sort_unstable_by(|(a, a_count), (b, b_count)| b_count.cmp(a_count).then(a.cmp(b)));
    for (piece, _) in pieces.into_iter().take(len - vocabulary.len()) {
        vocabulary.push(piece);
    }
    let mut model = BytePair::new((0..256).collect(), Vec::new());
    model.keeps_whole = true;
    (vocabulary, model)
}

/// A piece that may become a token of its own.
pub(crate) fn may_be_whole(piece: &[u8]) -> bool {
    (2..=TOKEN_LIMIT).contains(&piece.len()) && str::from_utf8(piece).is_ok()
}

type Pair = (u32, u32);

/// Pieces and the pairs in them. `K` says which of several pairs that are as frequent comes first; the
/// pair itself decides where it does not.
pub(crate) struct Corpus<K> {
    nodes: Vec<Node>,
    pairs: HashMap<Pair, Occurrences, RandomState>,
    /// An entry for each pair, with a count that is the pair's own or one that it had before.
    queue: BinaryHeap<(u64, Reverse<(K, Pair)>)>,
}

/// A token in a piece.
struct Node {
    /// [`NO_TOKEN`] once the one before has swallowed it.
    token: u32,
    previous: u32,
    next: u32,
    /// How often the piece occurs.
    weight: u64,
}

#[derive(Default)]
struct Occurrences {
    /// In the whole text.
    count: u64,
    /// Places of the left token; some may have been merged since.
    nodes: Vec<u32>,
}

impl<K: Ord> Corpus<K> {
    /// Of pieces as they are tokens now, and how often each occurs. They have fewer than 2^32 tokens.
    pub fn new<P>(pieces: impl Iterator<Item = (P, u64)>, key: impl Fn(Pair) -> K) -> Self
    where
        P: Iterator<Item = u32>,
    {
        let mut corpus = Self { nodes: Vec::new(), pairs: HashMap::default(), queue: BinaryHeap::new() };
        for (piece, weight) in pieces {
            corpus.push(piece, weight);
        }
        for node in 0..corpus.nodes.len() as u32 {
            if let Some((pair, weight)) = corpus.pair_at(node) {
                corpus.add(pair, node, weight);
            }
        }
        let pairs = corpus.pairs.iter();
        corpus.queue = pairs.map(|(&pair, found)| (found.count, Reverse((key(pair), pair)))).collect();
        corpus
    }

    fn push(&mut self, piece: impl Iterator<Item = u32>, weight: u64) {
        let start = self.nodes.len() as u32;
        for (node, token) in (start..).zip(piece) {
            let previous = if node == start { NONE } else { node - 1 };
            self.nodes.push(Node { token, previous, next: node + 1, weight });
        }
        if let Some(last) = self.nodes.last_mut() {
            last.next = NONE;
        }
    }

    /// Takes the most frequent pair from the queue, and says how often it occurs; of several the first by
    /// key and by number. None when there is none that occurs `least` times.
    pub fn most_frequent(&mut self, least: u64) -> Option<(Pair, u64)> {
        loop {
            let (count, Reverse((key, pair))) = self.queue.pop()?;
            let now = self.pairs.get(&pair).map_or(0, |found| found.count);
            match now {
                _ if now < least => {}
                // Counts only fall after a pair has been enqueued, so that none is popped too late.
                _ if now < count => self.queue.push((now, Reverse((key, pair)))),
                _ => return Some((pair, now)),
            }
        }
    }

    /// Makes one token of the pair wherever it stands, from the left to the right in each piece.
    pub fn merge(&mut self, pair: Pair, token: u32, key: impl Fn(Pair) -> K) {
        let mut nodes = self.pairs.remove(&pair).unwrap_or_default().nodes;
        nodes.sort_unstable();
        let mut changed = Vec::new();
        for left in nodes {
            // It may have been merged otherwise since, or in this very loop: `aa` stands twice in `aaa`.
            if self.pair_at(left).is_none_or(|(found, _)| found != pair) {
                continue;
            }
            let Node { previous, next: right, weight, .. } = self.nodes[left as usize];
            let next = self.nodes[right as usize].next;
            for neighbour in [previous, right] {
                if let Some((pair, weight)) = self.pair_at(neighbour) {
                    self.subtract(pair, weight);
                }
            }
            self.nodes[right as usize].token = NO_TOKEN;
            self.nodes[left as usize].token = token;
            self.nodes[left as usize].next = next;
            if next != NONE {
                self.nodes[next as usize].previous = left;
            }
            for node in [previous, left] {
                if let Some((pair, _)) = self.pair_at(node) {
                    self.add(pair, node, weight);
                    changed.push(pair);
                }
            }
        }
        changed.sort_unstable();
        changed.dedup();
        let pairs = &self.pairs;
        let entry = |pair| (pairs[&pair].count, Reverse((key(pair), pair)));
        self.queue.extend(changed.into_iter().map(entry));
    }

    /// The pair whose left token stands at a place, and how often the piece occurs.
    fn pair_at(&self, node: u32) -> Option<(Pair, u64)> {
        let left = self.nodes.get(node as usize)?;
        let right = self.nodes.get(left.next as usize)?;
        (left.token != NO_TOKEN).then_some(((left.token, right.token), left.weight))
    }

    fn add(&mut self, pair: Pair, node: u32, weight: u64) {
        let found = self.pairs.entry(pair).or_default();
        found.count += weight;
        found.nodes.push(node);
    }

    fn subtract(&mut self, pair: Pair, weight: u64) {
        // The pair that is being merged is not there any more.
        if let Some(found) = self.pairs.get_mut(&pair) {
            found.count -= weight;
        }
    }
}

/// The different pieces in the order of their first occurrence, and how often each occurs.
fn count<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<(&'a [u8], u64)> {
    let mut positions: HashMap<&[u8], usize, RandomState> = HashMap::default();
    let mut counts: Vec<(&[u8], u64)> = Vec::new();
    for piece in pieces {
        let position = *positions.entry(piece).or_insert(counts.len());
        match counts.get_mut(position) {
            Some((_, count)) => *count += 1,
            None => counts.push((piece, 1)),
        }
    }
    counts
}
