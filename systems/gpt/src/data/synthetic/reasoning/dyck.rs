//! Whether brackets of three kinds are balanced.

use super::{Drawn, Random, Split, truth};

const KINDS: [[char; 2]; 3] = [['(', ')'], ['[', ']'], ['{', '}']];

/// Exchanges that are tried.
const TRIES: usize = 100;

pub(super) fn draw(random: &mut Random, split: Split) -> Option<Drawn> {
    let (pairs, depth) = match split {
        Split::InDistribution => (random.between(4, 10), random.between(2, 4)),
        Split::Deeper => (random.between(8, 12), random.between(5, 8)),
        Split::Longer => (random.between(20, 40), random.between(2, 4)),
        Split::Shifted => {
            let pairs = random.between(4, 10);
            (pairs, pairs)
        }
    };
    let kinds = if split == Split::Shifted { 1 } else { KINDS.len() };
    let mut letters = balanced(random, pairs, depth, kinds)?;
    let is_balanced = random.chance(50);
    if !is_balanced {
        letters = spoilt(random, &letters)?;
    }
    let statement = letters.iter().collect();
    Some(Drawn { depth, statement, question: "Is this balanced?".to_owned(), answer: truth(is_balanced) })
}

/// So many pairs, nested just so deep.
fn balanced(random: &mut Random, pairs: usize, depth: usize, kinds: usize) -> Option<Vec<char>> {
    let (mut letters, mut open, mut left, mut deepest) = (Vec::new(), Vec::new(), pairs, 0);
    while left > 0 || !open.is_empty() {
        let may_open = left > 0 && open.len() < depth;
        if may_open && (open.is_empty() || random.chance(if deepest < depth { 65 } else { 50 })) {
            let kind = random.below(kinds);
            letters.push(KINDS[kind][0]);
            open.push(kind);
            left -= 1;
            deepest = deepest.max(open.len());
        } else if let Some(kind) = open.pop() {
            letters.push(KINDS[kind][1]);
        }
    }
    (deepest == depth).then_some(letters)
}

/// Exchanges two brackets, so that there are as many of each as before, and until they are balanced no more.
fn spoilt(random: &mut Random, letters: &[char]) -> Option<Vec<char>> {
    let mut tries = (0..TRIES).map(|_| {
        let mut letters = letters.to_vec();
        let (a, b) = (random.below(letters.len()), random.below(letters.len()));
        letters.swap(a, b);
        letters
    });
    tries.find(|letters| !is_balanced(letters))
}

fn is_balanced(letters: &[char]) -> bool {
    let mut open = Vec::new();
    for letter in letters {
        match KINDS.iter().find(|kind| kind.contains(letter)) {
            Some([begin, end]) if letter == begin => open.push(*end),
            _ if open.pop() != Some(*letter) => return false,
            _ => {}
        }
    }
    open.is_empty()
}
