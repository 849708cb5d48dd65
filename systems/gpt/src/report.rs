//! What a run ends with, for people: an examination, or a piece of text.

use crate::conversation::{Conversation, Manner};
use crate::data::Role;
use crate::decode::{Decoder, Precision};
use crate::error::GptError;
use crate::generate::{Generation, GenerationSettings};
use crate::language_model::LanguageModel;
use crate::lesson;
use crate::sampling::Sampling;

/// Tokens of an answer, and of a piece of text.
const ANSWER: u64 = 60;
const PIECE: u64 = 160;
/// Questions that are shown with their answers.
const SHOWN: usize = 6;

/// What a model answers in the examination of the generated lessons.
pub(crate) struct Examination {
    /// Share of the answers that have the words of a right one.
    pub right: f64,
    /// The score, and some questions with their answers.
    pub text: String,
}

/// Asks the questions that were held out of the lessons.
pub(crate) fn examine(model: &LanguageModel, threads: usize) -> Result<Examination, GptError> {
    let mut decoder = Decoder::new(&model.network, Precision::F32, threads)?;
    let (mut right, mut lines) = (0, Vec::new());
    let questions = lesson::examination();
    for (question, words) in &questions {
        let answer = answer(model, &mut decoder, question)?;
        let is_right = has_words(&answer, words);
        right += usize::from(is_right);
        if lines.len() < SHOWN {
            lines.push(format!("  {question}\n  {} {answer}", if is_right { "+" } else { "-" }));
        }
    }
    let count = questions.len();
    let title = format!("{right} of {count} held-out questions have a right answer; some of them:");
    Ok(Examination { right: right as f64 / count as f64, text: format!("{title}\n{}", lines.join("\n")) })
}

fn answer(model: &LanguageModel, decoder: &mut Decoder, question: &str) -> Result<String, GptError> {
    let tokenizer = model.tokenizer();
    let manner = Manner::of(tokenizer);
    let mut conversation = Conversation::default();
    conversation.say(Role::User, question);
    let prompt = match conversation.prompt(&manner, tokenizer, model.network.context()) {
        // A model that does not see the question has no answer.
        Err(GptError::TooLong { .. }) => return Ok(String::new()),
        prompt => prompt?,
    };
    let settings = GenerationSettings {
        max_tokens: ANSWER,
        stop_tokens: manner.stop_tokens(tokenizer),
        stop_strings: manner.stop_texts(),
        sampling: Sampling::greedy(),
        ..GenerationSettings::default()
    };
    Generation::start(decoder, tokenizer, &settings, &prompt)?.collect()
}

/// Whether all words stand in an answer, as whole words.
fn has_words(answer: &str, words: &[&str]) -> bool {
    let answer = answer.to_lowercase();
    let said: Vec<&str> =
        answer.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.iter().all(|expected| {
        let expected = expected.to_lowercase();
        let expected: Vec<&str> = expected.split_whitespace().collect();
        said.windows(expected.len()).any(|words| words == expected)
    })
}

/// A piece of text behind a token.
pub(crate) fn piece(model: &LanguageModel, start: u32, threads: usize) -> Result<String, GptError> {
    let mut decoder = Decoder::new(&model.network, Precision::F32, threads)?;
    let sampling = Sampling { temperature: 0.8, ..Sampling::default() };
    let settings = GenerationSettings { max_tokens: PIECE, sampling, ..GenerationSettings::default() };
    Generation::start(&mut decoder, model.tokenizer(), &settings, &[start])?.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_words_count() {
        assert!(has_words("Yes. A robin is a bird.", &["yes", "robin"]));
        assert!(!has_words("That is not certain.", &["no"]));
        assert!(has_words("It pushes each other up.", &["each other"]));
        assert!(!has_words("Each one, and the other.", &["each other"]));
    }
}
