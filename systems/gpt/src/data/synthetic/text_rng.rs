//! Random choices of the generator, from a keyed stream of random numbers.

use rekindle_compute::rng::{Stream, stream};

use super::{Key, Point, exam};
use crate::data::version::DataVersion;

/// The choices of one paragraph or dialogue.
pub(super) struct TextRng {
    stream: Stream,
    data_version: DataVersion,
}

impl TextRng {
    pub fn new(data_version: DataVersion, seed: u64, number: u64, index: usize) -> Self {
        Self { stream: stream(seed, number, index as u64), data_version }
    }

    /// Whether facts and conclusions are held out, and not only wordings.
    pub fn holds_out_facts(&self) -> bool {
        self.data_version != DataVersion::V1
    }

    /// Whether the question of a point may be asked.
    pub fn may_ask(&self, point: &Point) -> bool {
        let is_known = self.holds_out_facts() && exam::part_of(&point.key).is_some();
        !is_known && !exam::is_held_out(&point.question)
    }

    /// Whether a point may be stated: a fact always may, a conclusion that is held out is left to the one
    /// who learns.
    pub fn may_state(&self, key: &Key) -> bool {
        !(self.holds_out_facts() && matches!(key, Key::Conclusion(_)) && exam::part_of(key).is_some())
    }

    /// A number in `0..bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.stream.below(bound as u64) as usize
    }

    /// One of the items, each equally likely.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// One of the words, each equally likely.
    pub fn word(&mut self, words: &[&'static str]) -> &'static str {
        words[self.below(words.len())]
    }

    /// True in so many of 100 cases.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        self.stream.shuffle(items);
    }

    /// So many different items, in random order.
    pub fn some<'a, T>(&mut self, items: &'a [T], count: usize) -> Vec<&'a T> {
        let mut all: Vec<&T> = items.iter().collect();
        self.shuffle(&mut all);
        all.truncate(count);
        all
    }
}
