//! Pieces into tokens: the most urgent merge first, the leftmost where it applies several times.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::ops::Range;

use super::{BytePair, Merge, NO_TOKEN};

/// Tokens of one text as they come.
///
/// Each different piece is worked out once. A piece of n bytes takes O(n log n), so that a long one
/// without spaces does no harm.
pub(crate) struct Encoding<'a, 't> {
    model: &'a BytePair,
    tokens: &'t mut Vec<u32>,
    /// Where in `tokens` a piece was encoded before.
    seen: HashMap<&'a [u8], Range<usize>>,
    symbols: Vec<Symbol>,
    /// Rank and left position of merges that may apply.
    queue: BinaryHeap<Reverse<(u32, usize)>>,
}

/// A token on its way to be merged, linked to its neighbours.
#[derive(Clone, Copy)]
struct Symbol {
    /// [`NO_TOKEN`] once the one before has swallowed it.
    token: u32,
    previous: usize,
    next: usize,
}

/// No neighbour.
const NONE: usize = usize::MAX;

impl<'a, 't> Encoding<'a, 't> {
    pub fn new(model: &'a BytePair, tokens: &'t mut Vec<u32>) -> Self {
        Self { model, tokens, seen: HashMap::new(), symbols: Vec::new(), queue: BinaryHeap::new() }
    }

    /// Appends a token that is known.
    pub fn token(&mut self, token: u32) {
        self.tokens.push(token);
    }

    /// Appends the tokens of a piece.
    pub fn piece(&mut self, piece: &'a [u8]) {
        if let Some(range) = self.seen.get(piece) {
            self.tokens.extend_from_within(range.clone());
            return;
        }
        let start = self.tokens.len();
        self.split(piece);
        self.merge();
        self.tokens.extend(self.symbols.iter().map(|symbol| symbol.token).filter(|&token| token != NO_TOKEN));
        self.seen.insert(piece, start..self.tokens.len());
    }

    /// The piece as the tokens of its bytes.
    fn split(&mut self, piece: &[u8]) {
        self.symbols.clear();
        let mut was_unknown = false;
        for &byte in piece {
            let known = self.model.byte_tokens[usize::from(byte)];
            let is_unknown = known == NO_TOKEN;
            let token = match (is_unknown, self.model.unknown) {
                (false, _) => known,
                (true, Some(unknown)) if !(was_unknown && self.model.fuses_unknown) => unknown,
                (true, _) => continue,
            };
            was_unknown = is_unknown;
            let position = self.symbols.len();
            self.symbols.push(Symbol {
                token,
                previous: position.checked_sub(1).unwrap_or(NONE),
                next: position + 1,
            });
        }
        if let Some(last) = self.symbols.last_mut() {
            last.next = NONE;
        }
    }

    fn merge(&mut self) {
        for position in 0..self.symbols.len() {
            self.enqueue(position);
        }
        while let Some(Reverse((rank, left))) = self.queue.pop() {
            // A neighbour may have been merged since this was enqueued.
            let Some(merge) = self.merge_at(left).filter(|merge| merge.rank == rank) else { continue };
            let Symbol { previous, next: right, .. } = self.symbols[left];
            let next = self.symbols[right].next;
            self.symbols[right].token = NO_TOKEN;
            self.symbols[left] = Symbol { token: merge.token, previous, next };
            if next != NONE {
                self.symbols[next].previous = left;
                self.enqueue(left);
            }
            if previous != NONE {
                self.enqueue(previous);
            }
        }
    }

    fn enqueue(&mut self, left: usize) {
        if let Some(Merge { rank, .. }) = self.merge_at(left) {
            self.queue.push(Reverse((rank, left)));
        }
    }

    /// What the token at a position and the next one become.
    fn merge_at(&self, left: usize) -> Option<Merge> {
        let symbol = self.symbols[left];
        let right = self.symbols.get(symbol.next)?;
        // No merge has `NO_TOKEN`, so that what was swallowed is not found.
        self.model.by_pair.get(&(symbol.token, right.token)).copied()
    }
}
