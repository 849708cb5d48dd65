//! The text: read from a file or made, and cut into tokens.

use rekindle_compute::rng;
use rekindle_data::Shares;
use rekindle_formats::files;
use rekindle_tokenizer::Tokenizer;

use crate::config::{Codes, Data, Model, Source, Training, VocabularyOf};
use crate::corpus::Corpus;
use crate::error::WnnError;
use crate::examples::longest_context;
use crate::state::TextIdentity;
use crate::streams;

/// A text file is never longer: bytes.
const TEXT_LIMIT: u64 = 1 << 30;
/// A `tokenizer.json` is never longer: bytes.
const TOKENIZER_LIMIT: u64 = 64 << 20;
/// Sentences that are made.
const SENTENCES: u64 = 12_000;
/// Tokens that are made.
const ZIPF_TOKENS: usize = 250_000;

/// Tokens, and what they are made of.
pub struct Text {
    /// The tokens as examples.
    pub corpus: Corpus,
    /// Which text it is.
    pub identity: TextIdentity,
}

impl Text {
    /// Reads or makes the text of a config. `known` is the tokenizer that a run already has.
    ///
    /// # Errors
    /// When the file or the tokenizer cannot be read, or there are too few tokens or too many kinds
    /// of them.
    pub fn load(
        model: &Model,
        training: &Training,
        seed: u64,
        known: Option<&Tokenizer>,
    ) -> Result<Self, WnnError> {
        let data = &training.data;
        let origin = origin(data);
        let (parts, vocabulary, tokenizer) = match (&data.file, data.source) {
            (None, Source::Zipf) => {
                let tokens = zipf(data.vocabulary, seed);
                let parts = split(&tokens, data.shares());
                (parts.map(<[u32]>::to_vec), data.vocabulary as usize, None)
            }
            (file, _) => {
                let text = match file {
                    Some(file) => read(file, TEXT_LIMIT)?,
                    None => sentences(seed).into_bytes(),
                };
                let parts = split(&text, data.shares());
                let tokenizer = match known {
                    Some(tokenizer) => tokenizer.clone(),
                    None => tokenizer_for(data, parts[0], &origin)?,
                };
                let vocabulary = tokenizer.len();
                (parts.map(|part| tokenizer.encode(part)), vocabulary, Some(tokenizer))
            }
        };
        let [learn, test, select] = parts;
        let learn = limited(learn, data.train_tokens);
        let (select, test) = (limited(select, data.eval_tokens), limited(test, data.eval_tokens));
        let context = training.search.context_size as usize;
        check_context(context, vocabulary)?;
        let corpus = Corpus::new(learn, select, test, vocabulary, context, model.codes == Codes::Frequency);
        check(&corpus, training, &origin)?;
        let identity = TextIdentity {
            hash: corpus.identity(),
            vocabulary: vocabulary as u32,
            training: corpus.training.len() as u64,
            select: corpus.select.len() as u64,
            test: data.has_test().then_some(corpus.test.len() as u64),
            tokenizer,
        };
        Ok(Self { corpus, identity })
    }
}

/// What the text is called in messages.
pub(crate) fn origin(data: &Data) -> String {
    data.file.as_ref().map_or_else(|| "the made text".to_owned(), |file| format!("`{file}`"))
}

fn read(file: &str, limit: u64) -> Result<Vec<u8>, WnnError> {
    files::read(file.as_ref(), limit)
        .map_err(|error| WnnError::Data { origin: format!("`{file}`"), reason: error.to_string() })
}

fn tokenizer_for(data: &Data, text: &[u8], origin: &str) -> Result<Tokenizer, WnnError> {
    let tokens = |origin: &str| {
        let origin = origin.to_owned();
        move |source| WnnError::Tokens { origin, source }
    };
    if let Some(file) = &data.tokenizer {
        let json = read(file, TOKENIZER_LIMIT)?;
        return Tokenizer::from_hugging_face(&json).map_err(tokens(&format!("`{file}`")));
    }
    let size = data.vocabulary as usize;
    match data.vocabulary_of {
        VocabularyOf::BytePairs => Tokenizer::train_byte_pair(text, size),
        VocabularyOf::Words => Tokenizer::train_words(text, size),
    }
    .map_err(tokens(origin))
}

/// What is learnt, what is reported on, and what is selected by, in this order: blocks of running text, of
/// which each context lies in one. What is selected by comes last, where it was before there was anything
/// to report on.
fn split<T>(items: &[T], shares: Shares) -> [&[T]; 3] {
    let of = |share: f64| (items.len() as f64 * share) as usize;
    let (rest, select) = items.split_at(items.len() - of(shares.select));
    let (learn, test) = rest.split_at(rest.len() - of(shares.test));
    [learn, test, select]
}

fn limited(mut tokens: Vec<u32>, most: Option<u32>) -> Vec<u32> {
    tokens.truncate(most.map_or(usize::MAX, |most| most as usize));
    tokens
}

fn check(corpus: &Corpus, training: &Training, origin: &str) -> Result<(), WnnError> {
    let Corpus { training: learn, select, test, .. } = corpus;
    let context = corpus.coding.context();
    let too_few = |what: &str, found: usize, least: usize| WnnError::Data {
        origin: origin.to_owned(),
        reason: format!("{found} tokens to {what}, and a context of {context} needs at least {least}"),
    };
    let least = (context + 1) * training.search.token_parts as usize;
    if learn.len() < least {
        return Err(too_few("learn from", learn.len(), least));
    }
    if select.len() < context + 1 {
        return Err(too_few("select by", select.len(), context + 1));
    }
    if training.data.shares().test > 0.0 && test.len() < context + 1 {
        return Err(too_few("report on", test.len(), context + 1));
    }
    // Sums over all examples are 64-bit integers.
    const MOST: usize = 1 << 26;
    let longest = learn.len().max(select.len()).max(test.len());
    if longest > MOST {
        return Err(WnnError::Data {
            origin: origin.to_owned(),
            reason: format!(
                "{longest} tokens, at most {MOST} can be learnt; take fewer with training.data.train_tokens"
            ),
        });
    }
    Ok(())
}

fn check_context(context: usize, vocabulary: usize) -> Result<(), WnnError> {
    let longest = longest_context(vocabulary);
    if context <= longest {
        return Ok(());
    }
    Err(WnnError::Config {
        path: "training.search.context_size",
        value: context.to_string(),
        reason: format!(
            "a vocabulary of {vocabulary} tokens leaves room for {longest} in the 256 bits of a context"
        ),
    })
}

/// Tokens of which the `k`-th is about `1/k` times as frequent as the first. Every other one is one
/// of four that follow its predecessor.
fn zipf(vocabulary: u32, seed: u64) -> Vec<u32> {
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
fn sentences(seed: u64) -> String {
    let mut text = String::new();
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
    fn parts_are_blocks_of_which_none_reaches_into_another() {
        let items: Vec<u32> = (0..100).collect();
        let [learn, test, select] = split(&items, Shares { select: 0.1, test: 0.2 });
        assert_eq!((learn, test, select), (&items[..70], &items[70..90], &items[90..]));
        let [learn, test, select] = split(&items, Shares { select: 0.25, test: 0.0 });
        assert_eq!((learn.len(), test.len(), select), (75, 0, &items[75..]));
    }
}
