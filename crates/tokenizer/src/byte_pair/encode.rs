//! Pieces into tokens: the most urgent merge first, the leftmost where it applies several times.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use foldhash::fast::RandomState;

use super::{BytePair, Merge, NO_TOKEN};

/// Pieces of at most so many tokens are merged by looking through all of them for the next merge, which
/// is quicker than a queue.
const SHORT: usize = 24;

/// Tokens of one text as they come.
///
/// Each different piece is worked out once. A piece of n bytes takes O(n log n), so that a long one
/// without spaces does no harm.
pub(crate) struct Encoding<'a, 't> {
    model: &'a BytePair,
    tokens: &'t mut Vec<u32>,
    /// Where in `distinct` each piece is. The hash is keyed anew in every process, so that no text can
    /// be made whose pieces all collide.
    seen: HashMap<&'a [u8], u32, RandomState>,
    distinct: Vec<Distinct<'a>>,
    /// Those of a piece that is being merged, with the rank of the merge with the next one.
    short: Vec<(u32, u32)>,
    symbols: Vec<Symbol>,
    /// Rank and left position of merges that may apply.
    queue: BinaryHeap<Reverse<(u32, usize)>>,
}

/// A piece, or a token that was known, and where in the tokens it stands.
#[derive(Clone, Copy)]
pub(crate) struct Distinct<'a> {
    pub piece: &'a [u8],
    /// Where its tokens begin the last time that it stands there.
    pub start: usize,
    /// The number of its tokens.
    pub len: usize,
    /// How often it stands there.
    pub count: u64,
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
/// The rank of a pair that is not merged.
const NO_RANK: u32 = u32::MAX;

impl<'a, 't> Encoding<'a, 't> {
    pub fn new(model: &'a BytePair, tokens: &'t mut Vec<u32>) -> Self {
        Self {
            model,
            tokens,
            seen: HashMap::default(),
            distinct: Vec::new(),
            short: Vec::new(),
            symbols: Vec::new(),
            queue: BinaryHeap::new(),
        }
    }

    /// Appends a token that is known.
    pub fn token(&mut self, token: u32) {
        self.distinct.push(Distinct { piece: &[], start: self.tokens.len(), len: 1, count: 1 });
        self.tokens.push(token);
    }

    /// Appends the tokens of a piece.
    pub fn piece(&mut self, piece: &'a [u8]) {
        let start = self.tokens.len();
        if let Some(&position) = self.seen.get(piece) {
            let distinct = &mut self.distinct[position as usize];
            let before = distinct.start;
            (distinct.start, distinct.count) = (start, distinct.count + 1);
            match distinct.len {
                // Most pieces are one token, and copying a range costs more than the token.
                1 => self.tokens.push(self.tokens[before]),
                len => self.tokens.extend_from_within(before..before + len),
            }
            return;
        }
        match self.model.whole(piece) {
            Some(token) => self.tokens.push(token),
            None => self.merged(piece),
        }
        let len = self.tokens.len() - start;
        // No position is lost: so many different pieces have more bytes than memory.
        self.seen.insert(piece, self.distinct.len() as u32);
        self.distinct.push(Distinct { piece, start, len, count: 1 });
    }

    /// The different pieces in the order of their first occurrence, and between them each token that
    /// was known, with an empty piece.
    pub fn into_distinct(self) -> Vec<Distinct<'a>> {
        self.distinct
    }

    /// Appends the tokens that a piece is merged to.
    fn merged(&mut self, piece: &[u8]) {
        self.split(piece);
        match self.short.len() <= SHORT {
            true => self.merge_short(),
            false => self.merge_long(),
        }
    }

    /// The piece as the tokens of its bytes.
    fn split(&mut self, piece: &[u8]) {
        self.short.clear();
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
            self.short.push((token, NO_RANK));
        }
    }

    fn merge_short(&mut self) {
        let rank_of = |left: u32, right: u32| self.model.merge(left, right).map_or(NO_RANK, |m| m.rank);
        for position in 1..self.short.len() {
            self.short[position - 1].1 = rank_of(self.short[position - 1].0, self.short[position].0);
        }
        // The leftmost of the lowest rank, which is what `min_by_key` gives.
        while let Some((left, &(token, rank))) =
            self.short.iter().enumerate().min_by_key(|(_, (_, rank))| *rank)
            && rank != NO_RANK
        {
            let (right, _) = self.short.remove(left + 1);
            let Some(merge) = self.model.merge(token, right) else { break };
            let next = self.short.get(left + 1).map_or(NO_RANK, |&(next, _)| rank_of(merge.token, next));
            self.short[left] = (merge.token, next);
            if let Some(previous) = left.checked_sub(1) {
                self.short[previous].1 = rank_of(self.short[previous].0, merge.token);
            }
        }
        self.tokens.extend(self.short.iter().map(|&(token, _)| token));
    }

    fn merge_long(&mut self) {
        self.symbols.clear();
        for (position, &(token, _)) in self.short.iter().enumerate() {
            let previous = position.checked_sub(1).unwrap_or(NONE);
            self.symbols.push(Symbol { token, previous, next: position + 1 });
        }
        if let Some(last) = self.symbols.last_mut() {
            last.next = NONE;
        }
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
        self.tokens.extend(self.symbols.iter().map(|symbol| symbol.token).filter(|&token| token != NO_TOKEN));
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
        self.model.merge(symbol.token, right.token)
    }
}
