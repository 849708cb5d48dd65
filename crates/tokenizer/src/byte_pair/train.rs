//! The merges of a text.
//!
//! Each different piece of the text is kept once, with how often it occurs. All of them lie one
//! behind the other as linked tokens, and each pair of tokens knows where it stood, so that a merge
//! touches only the places where it applies.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use super::{BytePair, NO_TOKEN};
use crate::pieces::pieces;
use crate::vocabulary::Vocabulary;

/// No text to learn from is longer: bytes. Positions have 32 bits.
pub(crate) const TEXT_LIMIT: usize = u32::MAX as usize;
/// No token is longer: bytes. It bounds the vocabulary of a text that repeats one long passage.
const TOKEN_LIMIT: usize = 1024;
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
    let mut corpus = Corpus::new(text);
    while vocabulary.len() < len
        && let Some((left, right)) = corpus.most_frequent()
    {
        let parts = [left, right].map(|token| vocabulary.get(token).unwrap_or_default());
        let bytes = parts.concat();
        if bytes.len() > TOKEN_LIMIT || taken.contains(&bytes) {
            continue;
        }
        let token = vocabulary.push(&bytes);
        taken.insert(bytes);
        merges.extend([left, right, token]);
        corpus.merge((left, right), token);
    }
    (vocabulary, BytePair::new((0..256).collect(), merges))
}

type Pair = (u32, u32);

struct Corpus {
    places: Vec<Place>,
    pairs: HashMap<Pair, Occurrences>,
    /// An entry for each pair, with a count that is the pair's own or one that it had before.
    queue: BinaryHeap<(u64, Reverse<Pair>)>,
}

/// A token in a piece.
struct Place {
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
    places: Vec<u32>,
}

impl Corpus {
    fn new(text: &[u8]) -> Self {
        let mut corpus = Self { places: Vec::new(), pairs: HashMap::new(), queue: BinaryHeap::new() };
        for (piece, weight) in count(pieces(text)) {
            corpus.push(piece, weight);
        }
        for place in 0..corpus.places.len() as u32 {
            if let Some((pair, weight)) = corpus.pair_at(place) {
                corpus.add(pair, place, weight);
            }
        }
        corpus.queue = corpus.pairs.iter().map(|(&pair, found)| (found.count, Reverse(pair))).collect();
        corpus
    }

    fn push(&mut self, piece: &[u8], weight: u64) {
        let start = self.places.len() as u32;
        for (place, &byte) in (start..).zip(piece) {
            let previous = if place == start { NONE } else { place - 1 };
            self.places.push(Place { token: u32::from(byte), previous, next: place + 1, weight });
        }
        if let Some(last) = self.places.last_mut() {
            last.next = NONE;
        }
    }

    /// Takes the most frequent pair from the queue; of several the smallest.
    fn most_frequent(&mut self) -> Option<Pair> {
        loop {
            let (count, Reverse(pair)) = self.queue.pop()?;
            let now = self.pairs.get(&pair).map_or(0, |found| found.count);
            match now {
                _ if now < LEAST_COUNT => {}
                // Counts only fall after a pair has been enqueued, so that none is popped too late.
                _ if now < count => self.queue.push((now, Reverse(pair))),
                _ => return Some(pair),
            }
        }
    }

    /// Makes one token of the pair wherever it stands, from the left to the right in each piece.
    fn merge(&mut self, pair: Pair, token: u32) {
        let mut places = self.pairs.remove(&pair).unwrap_or_default().places;
        places.sort_unstable();
        let mut changed = Vec::new();
        for left in places {
            // It may have been merged otherwise since, or in this very loop: `aa` stands twice in `aaa`.
            if self.pair_at(left).is_none_or(|(found, _)| found != pair) {
                continue;
            }
            let Place { previous, next: right, weight, .. } = self.places[left as usize];
            let next = self.places[right as usize].next;
            for neighbour in [previous, right] {
                if let Some((pair, weight)) = self.pair_at(neighbour) {
                    self.subtract(pair, weight);
                }
            }
            self.places[right as usize].token = NO_TOKEN;
            self.places[left as usize].token = token;
            self.places[left as usize].next = next;
            if next != NONE {
                self.places[next as usize].previous = left;
            }
            for place in [previous, left] {
                if let Some((pair, _)) = self.pair_at(place) {
                    self.add(pair, place, weight);
                    changed.push(pair);
                }
            }
        }
        changed.sort_unstable();
        changed.dedup();
        let pairs = &self.pairs;
        self.queue.extend(changed.into_iter().map(|pair| (pairs[&pair].count, Reverse(pair))));
    }

    /// The pair whose left token stands at a place, and how often the piece occurs.
    fn pair_at(&self, place: u32) -> Option<(Pair, u64)> {
        let left = self.places.get(place as usize)?;
        let right = self.places.get(left.next as usize)?;
        (left.token != NO_TOKEN).then_some(((left.token, right.token), left.weight))
    }

    fn add(&mut self, pair: Pair, place: u32, weight: u64) {
        let found = self.pairs.entry(pair).or_default();
        found.count += weight;
        found.places.push(place);
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
    let mut positions = HashMap::new();
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
