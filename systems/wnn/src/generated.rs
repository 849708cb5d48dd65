//! Text that is generated: the same for the same seed, on every machine.

use rekindle_compute::rng;

use crate::streams;

/// Sentences of a text.
const SENTENCES: u64 = 12_000;
/// Bytes of their text, at most.
pub(crate) const SENTENCES_BYTES: u64 = 1 << 20;
/// Tokens of a text without words.
pub(crate) const ZIPF_TOKENS: usize = 250_000;

/// Tokens of which the `k`-th is about `1/k` times as frequent as the first. Every other one is one
/// of four that follow its predecessor.
pub(crate) fn zipf(vocabulary: u32, seed: u64) -> Vec<u32> {
    let mut stream = rng::stream(seed, streams::TEXT, 0);
    let logarithm = libm::log(f64::from(vocabulary) + 1.0);
    let mut before = 0;
    let next = |_| {
        before = if stream.below(2) == 0 {
            let rank = libm::exp(stream.uniform_f64() * logarithm) as u32;
            rank.saturating_sub(1).min(vocabulary - 1)
        } else {
            let successor = u64::from(before) * 7919 + stream.below(4) * 13;
            (successor % u64::from(vocabulary / 8 + 1)) as u32
        };
        before
    };
    (0..ZIPF_TOKENS).map(next).collect()
}

const PEOPLE: &[&str] = &[
    "Anna",
    "the baker",
    "my neighbour",
    "Tom",
    "the teacher",
    "a farmer",
    "the old man",
    "Maria",
    "the doctor",
    "her brother",
    "the sailor",
    "our friend",
    "the girl",
    "a student",
    "the cook",
    "Peter",
    "the gardener",
    "Lena",
];
const PLACES: &[&str] = &[
    "the market",
    "the garden",
    "the harbour",
    "school",
    "the kitchen",
    "the forest",
    "the station",
    "the library",
    "the river",
    "the bridge",
    "the mill",
    "the village",
    "the hill",
    "the square",
];
const THINGS: &[&str] = &[
    "bread",
    "apples",
    "a letter",
    "fish",
    "a lamp",
    "flowers",
    "a book",
    "wood",
    "a map",
    "tea",
    "a rope",
    "cheese",
    "a basket",
    "honey",
    "a clock",
    "a coat",
    "stones",
    "an umbrella",
];
const TIMES: &[&str] = &[
    "in the morning",
    "at noon",
    "in the evening",
    "on Monday",
    "in winter",
    "before the rain",
    "after supper",
    "every day",
    "in spring",
    "at night",
];
const REASONS: &[(&str, &str)] = &[
    ("it was raining", "the street was wet"),
    ("the sun was shining", "the stones were warm"),
    ("it was cold", "the fire was lit"),
    ("the wind was strong", "the boats stayed in the harbour"),
    ("it was late", "the shops were closed"),
    ("the bread was fresh", "the whole house smelled of it"),
    ("the road was long", "they rested under a tree"),
    ("the river was high", "nobody crossed the bridge"),
];
const DEEDS: &[(&str, &str)] = &[
    ("buys", "bought"),
    ("carries", "carried"),
    ("brings", "brought"),
    ("finds", "found"),
    ("sells", "sold"),
    ("forgets", "forgot"),
    ("keeps", "kept"),
    ("looks for", "looked for"),
];

/// Sentences about everyday things.
pub(crate) fn sentences(seed: u64) -> String {
    let mut text = String::with_capacity(SENTENCES_BYTES as usize);
    for index in 0..SENTENCES {
        let mut stream = rng::stream(seed, streams::TEXT, index);
        let mut one = |items: &[&'static str]| items[stream.below(items.len() as u64) as usize];
        let (person, other, place, thing, time) =
            (one(PEOPLE), one(PEOPLE), one(PLACES), one(THINGS), one(TIMES));
        let (now, then) = DEEDS[stream.below(DEEDS.len() as u64) as usize];
        let (cause, effect) = REASONS[stream.below(REASONS.len() as u64) as usize];
        let sentence = match stream.below(6) {
            0 => format!("{person} {now} {thing} at {place} {time}."),
            1 => format!("{time} {person} went to {place} and {then} {thing}."),
            2 => format!("because {cause}, {effect}."),
            3 => format!("if {person} {now} {thing}, then {other} {now} {thing} too."),
            4 => format!("{person} gave {thing} to {other}, and {other} was glad about {thing}."),
            _ => format!("{cause}, so {effect}, and {person} stayed at {place}."),
        };
        let mut letters = sentence.chars();
        text.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        text.push_str(letters.as_str());
        text.push(if stream.below(5) == 0 { '\n' } else { ' ' });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_the_same_for_the_same_seed_and_of_the_size_that_is_told() {
        let text = sentences(3);
        assert_eq!(text, sentences(3));
        assert_ne!(text, sentences(4));
        assert!((text.capacity() as u64) <= SENTENCES_BYTES, "{}", text.capacity());
    }
}
