//! What a run ends with, for people: an exam of the model, or a piece of text.

use rekindle_data::{Part, share_interval};
use rekindle_train::{Message, Metrics, Role};

use crate::data::synthetic::{self, Question};
use crate::error::GptError;
use crate::inference::ChatTemplate;
use crate::inference::decode::{Decoder, WeightPrecision};
use crate::inference::generate::{Generation, GenerationSettings};
use crate::model::language_model::LanguageModel;
use crate::model::sampling::Sampling;

/// Tokens of an answer, and of a piece of text.
const ANSWER: u64 = 60;
const PIECE: u64 = 160;
/// Questions that are shown with their answers.
const SHOWN: usize = 6;

/// Questions about conclusions that are asked, at most.
const CONCLUSIONS: usize = 100;
/// Questions about facts by which settings are chosen.
const SELECTION: usize = 44;

/// What a model answers in the exam about the generated text.
pub(crate) struct Exam {
    /// The shares of right answers.
    pub metrics: Metrics,
    /// How many answers are right, and some questions with their answers.
    pub text: String,
}

/// The metrics of an exam: of the questions that are reported, and of those by which
/// settings are chosen.
pub(crate) const EXAM_METRICS: [&str; 4] =
    ["examination", "unseen_conclusions", "select_examination", "select_unseen_conclusions"];

/// Asks the questions that were held out of the generated text.
pub(crate) fn hold_exam(model: &LanguageModel, threads: usize) -> Result<Exam, GptError> {
    let mut decoder = Decoder::new(&model.network, WeightPrecision::F32, threads)?;
    let mut ask = |questions: Vec<Question>| -> Result<Vec<Answer>, GptError> {
        let answers = questions.into_iter().map(|question| {
            let answer = answer(model, &mut decoder, &question.question, ANSWER)?;
            Ok(Answer { is_right: question.is_right(&answer), question: question.question, answer })
        });
        answers.collect()
    };
    let exam = ask(synthetic::exam())?;
    let conclusions = ask(synthetic::conclusions(Part::Test, CONCLUSIONS))?;
    let chosen_by =
        [ask(synthetic::selection(SELECTION))?, ask(synthetic::conclusions(Part::Select, CONCLUSIONS))?];
    let shown = exam.iter().take(SHOWN).chain(exam.iter().filter(|answer| !answer.is_right));
    let mut lines: Vec<String> = Vec::new();
    for Answer { question, answer, is_right } in shown {
        let line = format!("  {question}\n  {} {answer}", if *is_right { "+" } else { "-" });
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.truncate(2 * SHOWN);
    let text = format!(
        "{} questions that were never asked have a right answer;\n\
         {} conclusions that were never drawn are right; some of the questions:\n{}",
        score(right(&exam), exam.len()),
        score(right(&conclusions), conclusions.len()),
        lines.join("\n")
    );
    let all = [&exam, &conclusions, &chosen_by[0], &chosen_by[1]];
    let metrics = EXAM_METRICS.iter().zip(all).map(|(name, answers)| ((*name).to_owned(), share(answers)));
    Ok(Exam { metrics: metrics.collect(), text })
}

struct Answer {
    question: String,
    answer: String,
    is_right: bool,
}

fn right(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| answer.is_right).count()
}

fn share(answers: &[Answer]) -> f64 {
    right(answers) as f64 / answers.len().max(1) as f64
}

/// `33 of 44 (95 % interval 61 to 85 %)`.
pub(crate) fn score(right: usize, count: usize) -> String {
    let [low, high] = share_interval(right, count).map(|share| (100.0 * share).round());
    format!("{right} of {count} (95 % interval {low} to {high} %)")
}

/// What a model answers, with the probable always taken.
pub(crate) fn answer(
    model: &LanguageModel,
    decoder: &mut Decoder,
    question: &str,
    max_tokens: u64,
) -> Result<String, GptError> {
    let tokenizer = model.tokenizer();
    let template = ChatTemplate::of(tokenizer);
    let messages = [Message { role: Role::User, content: question.to_owned() }];
    let prompt = match template.prompt(&messages, tokenizer, model.network.context()) {
        // A model that does not see the question has no answer.
        Err(GptError::TooLong { .. }) => return Ok(String::new()),
        prompt => prompt?,
    };
    let settings = GenerationSettings {
        max_tokens,
        stop_tokens: template.stop_tokens(tokenizer),
        forbidden_tokens: template.forbidden_tokens(tokenizer),
        stop_strings: template.stop_strings(),
        sampling: Sampling::greedy(),
        ..GenerationSettings::default()
    };
    Generation::start(decoder, tokenizer, &settings, &prompt)?.collect()
}

/// A piece of text behind a token.
pub(crate) fn piece(model: &LanguageModel, start: u32, threads: usize) -> Result<String, GptError> {
    let mut decoder = Decoder::new(&model.network, WeightPrecision::F32, threads)?;
    let sampling = Sampling { temperature: 0.8, ..Sampling::default() };
    let settings = GenerationSettings { max_tokens: PIECE, sampling, ..GenerationSettings::default() };
    Generation::start(&mut decoder, model.tokenizer(), &settings, &[start])?.collect()
}
