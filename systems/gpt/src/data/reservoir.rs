//! Examples of what was learnt, kept as bytes.

use std::ops::Range;

use rekindle_compute::rng;
use rekindle_tokenizer::Tokenizer;
use serde::{Deserialize, Serialize};

use super::dialogue::{Dialogue, RoleTokens};
use crate::model::pass::Sequence;
use crate::streams;

/// Examples of all that it was shown, each of which is there with the same probability (Vitter, "Random sampling with a
/// reservoir", 1985).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Reservoir {
    /// Phases that it was shown.
    pub phases: u32,
    /// Examples that it was shown.
    pub seen: u64,
    /// Those that are kept.
    pub examples: Examples,
}

/// Examples, whatever tokens they are cut into.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Examples(pub Vec<Example>);

/// An example, as bytes, so that it outlives the vocabulary that it was cut with.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// Changes of the vocabulary that had been made when it was kept.
    pub generation: u64,
    /// What it is.
    pub content: ExampleContent,
}

/// What an example is.
#[derive(Debug, Clone, PartialEq)]
pub enum ExampleContent {
    /// A stretch of text, all of which is learnt.
    Text(Vec<u8>),
    /// A dialogue, of which the answers are learnt.
    Dialogue(Dialogue),
}

impl Reservoir {
    /// Shows it the examples of a phase: `take` makes the one of a number.
    pub(crate) fn show(
        &mut self,
        capacity: usize,
        seed: u64,
        numbers: Range<usize>,
        mut take: impl FnMut(usize) -> Example,
    ) {
        let mut stream = rng::stream(seed, streams::RESERVOIR, self.phases.into());
        // Which are kept is drawn before any is made.
        let mut kept: Vec<Option<usize>> = vec![None; self.examples.0.len()];
        for number in numbers {
            self.seen += 1;
            if kept.len() < capacity {
                kept.push(Some(number));
            } else if let Some(place) = kept.get_mut(stream.below(self.seen) as usize) {
                *place = Some(number);
            }
        }
        for (place, number) in kept.into_iter().enumerate() {
            let Some(number) = number else { continue };
            let example = take(number);
            match self.examples.0.get_mut(place) {
                Some(kept) => *kept = example,
                None => self.examples.0.push(example),
            }
        }
        self.phases += 1;
    }
}

impl Examples {
    /// All as sequences of at most so many tokens; those without anything to predict are left out.
    pub(crate) fn sequences(&self, tokenizer: &Tokenizer, context: usize) -> Vec<Sequence> {
        let role_tokens = RoleTokens::of(tokenizer);
        let cut = self.0.iter().filter_map(|example| match &example.content {
            ExampleContent::Text(text) => {
                let tokens = tokenizer.encode(text);
                Some(Sequence::of_text(&tokens[..tokens.len().min(context + 1)]))
            }
            ExampleContent::Dialogue(dialogue) => Some(role_tokens?.sequence(tokenizer, dialogue, context).0),
        });
        cut.filter(|sequence| sequence.targets() > 0).collect()
    }
}

/// Examples as a state holds them: a few long arrays.
#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(with = "rekindle::growing")]
    bytes: Vec<u8>,
    /// Where each ends among the bytes.
    #[serde(with = "rekindle::growing")]
    ends: Vec<u64>,
    #[serde(with = "rekindle::growing")]
    generations: Vec<u64>,
    /// 0 for a text, 1 for a dialogue, whose bytes are JSON.
    #[serde(with = "rekindle::growing")]
    kinds: Vec<u8>,
}

impl From<Examples> for Stored {
    fn from(Examples(examples): Examples) -> Self {
        let mut stored =
            Self { bytes: Vec::new(), ends: Vec::new(), generations: Vec::new(), kinds: Vec::new() };
        for Example { generation, content } in examples {
            let (kind, bytes) = match content {
                ExampleContent::Text(text) => (0, text),
                // Texts and their roles can always be written.
                ExampleContent::Dialogue(dialogue) => (1, serde_json::to_vec(&dialogue).unwrap_or_default()),
            };
            stored.bytes.extend(bytes);
            stored.ends.push(stored.bytes.len() as u64);
            stored.generations.push(generation);
            stored.kinds.push(kind);
        }
        stored
    }
}

impl TryFrom<Stored> for Examples {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        let Stored { bytes, ends, generations, kinds } = stored;
        if ends.len() != generations.len() || ends.len() != kinds.len() {
            return Err("the examples that are kept are not as many everywhere".to_owned());
        }
        let mut start = 0;
        let mut examples = Vec::with_capacity(ends.len());
        for ((end, generation), kind) in ends.into_iter().zip(generations).zip(kinds) {
            let end = usize::try_from(end).map_err(|error| error.to_string())?;
            let content = bytes.get(start..end).ok_or("an example that is kept ends before it begins")?;
            let content = match kind {
                0 => ExampleContent::Text(content.to_vec()),
                1 => ExampleContent::Dialogue(
                    serde_json::from_slice(content)
                        .map_err(|error| format!("a dialogue that is kept cannot be read: {error}"))?,
                ),
                _ => return Err(format!("an example that is kept is of kind {kind}, which there is not")),
            };
            examples.push(Example { generation, content });
            start = end;
        }
        Ok(Self(examples))
    }
}

#[cfg(test)]
mod tests {
    use rekindle_train::{Message, Role};

    use super::*;

    fn numbered(number: usize) -> Example {
        Example { generation: 0, content: ExampleContent::Text(number.to_string().into_bytes()) }
    }

    #[test]
    fn every_example_is_kept_with_the_same_probability() {
        let mut counts = [0; 40];
        for seed in 0..2000 {
            let mut reservoir = Reservoir::default();
            reservoir.show(10, seed, 0..25, numbered);
            reservoir.show(10, seed, 25..40, numbered);
            assert_eq!((reservoir.examples.0.len(), reservoir.seen, reservoir.phases), (10, 40, 2));
            for Example { content, .. } in &reservoir.examples.0 {
                let ExampleContent::Text(text) = content else { panic!("a text") };
                counts[std::str::from_utf8(text).unwrap().parse::<usize>().unwrap()] += 1;
            }
        }
        // 500 are expected of each, with a standard deviation of 19.
        assert!(counts.iter().all(|count| (400..600).contains(count)), "{counts:?}");
    }

    #[test]
    fn examples_come_back_as_they_were() {
        let message = |role, text: &str| Message { role, content: text.to_owned() };
        let dialogue = vec![message(Role::User, "why?"), message(Role::Assistant, "so")];
        let examples = Examples(vec![
            Example { generation: 3, content: ExampleContent::Text(vec![0xff, 0, b'a']) },
            Example { generation: 4, content: ExampleContent::Dialogue(dialogue) },
            Example { generation: 4, content: ExampleContent::Text(Vec::new()) },
        ]);
        let again = Examples::try_from(Stored::from(examples.clone()));
        assert_eq!(again, Ok(examples));
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let stored = |ends: &[u64], kinds: &[u8]| Stored {
            bytes: b"abc".to_vec(),
            ends: ends.to_vec(),
            generations: vec![0; ends.len()],
            kinds: kinds.to_vec(),
        };
        for (ends, kinds) in
            [(&[4][..], &[0][..]), (&[2, 1], &[0, 0]), (&[3], &[0, 0]), (&[3], &[1]), (&[3], &[2])]
        {
            assert!(Examples::try_from(stored(ends, kinds)).is_err(), "{ends:?} {kinds:?}");
        }
    }
}
