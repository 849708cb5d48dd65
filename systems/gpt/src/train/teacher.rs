//! The teacher of a training, and how its tokens stand to those of its student.

use std::collections::HashMap;

use rekindle_compute::{KernelPath, Pool};
use rekindle_tokenizer::Tokenizer;
use rekindle_train::OtherRun;

use crate::data::token_ends;
use crate::error::GptError;
use crate::model::LanguageModel;
use crate::model::kernels::loss::NO_TARGET;
use crate::model::pass::{ExecContext, PackedNetwork, Sequence, SharedTokens, Teacher, Teaching};
use crate::model::precision::TrainingPrecision;
use crate::train::config::{Distillation, StudentVocabulary};

/// A teacher, and for a student with other tokens what they have in common.
#[derive(Debug)]
pub(crate) struct AlignedTeacher {
    teacher: Teacher,
    alignment: Option<Alignment>,
}

/// Two ways to cut a text into tokens.
#[derive(Debug)]
struct Alignment {
    student: Tokenizer,
    teacher: Tokenizer,
    /// For each token of the student whether the teacher has it.
    is_shared: Vec<bool>,
}

/// A place in a text: special tokens before it, and bytes since the last of them.
type Place = (usize, usize);

/// The model of a teacher.
///
/// # Errors
/// When the checkpoint cannot be read, or is none of a language model.
pub(crate) fn model(settings: &Distillation) -> Result<LanguageModel, GptError> {
    let address = settings.teacher.as_deref().unwrap_or_default();
    let other = OtherRun::open(address)?;
    LanguageModel::from_checkpoint(&other.checkpoint()?)
}

/// Bytes of a teacher's checkpoint, more than its network has; 0 when it cannot be read.
pub(crate) fn stored_bytes(settings: &Distillation) -> u64 {
    let other = settings.teacher.as_deref().and_then(|address| OtherRun::open(address).ok());
    let bytes = other.and_then(|other| Some(other.checkpoint().ok()?.record().payload_bytes));
    bytes.unwrap_or(0)
}

impl AlignedTeacher {
    /// Loads a teacher for a student with these tokens, who sees so many at once.
    ///
    /// # Errors
    /// When it cannot be read, sees fewer tokens than the student, or their vocabularies do not fit.
    pub(crate) fn load(
        settings: &Distillation,
        student: &Tokenizer,
        context: usize,
        pool: &Pool,
    ) -> Result<Self, GptError> {
        let LanguageModel { vocabulary, network, .. } = model(settings)?;
        let teacher = vocabulary.tokenizer();
        let (tokens, alignment) = match settings.vocabulary {
            StudentVocabulary::Same => {
                require_same(student, teacher)?;
                if network.context() < context {
                    let (found, hint) = (context, "take a smaller `model.context`, or another teacher");
                    let what = "a sequence of the student";
                    return Err(GptError::TooLong { what, found, context: network.context(), hint });
                }
                (SharedTokens::All, None)
            }
            StudentVocabulary::Mapped => {
                let (pairs, alignment) = Alignment::new(student, teacher)?;
                (SharedTokens::Pairs(pairs), Some(alignment))
            }
        };
        let mut packed = PackedNetwork::default();
        packed.pack(&network, TrainingPrecision::F32, false, pool);
        let (temperature, share) = (settings.temperature as f32, settings.share as f32);
        Ok(Self { teacher: Teacher::new(network, packed, tokens, temperature, share), alignment })
    }

    /// Shows the teacher a part of a batch.
    pub(crate) fn read(&self, path: KernelPath, teaching: &mut Teaching, part: &[Sequence]) -> &Teacher {
        let (mut sequences, mut rows) = (Vec::new(), Vec::new());
        let mut first = 0;
        for sequence in part {
            let (own, own_rows) = match &self.alignment {
                None => as_it_is(sequence),
                Some(alignment) => alignment.align(sequence, self.teacher.context()),
            };
            rows.extend(own_rows.into_iter().map(|row| row.map(|row| first + row)));
            first += own.tokens.len();
            sequences.extend((!own.tokens.is_empty()).then_some(own));
        }
        let ctx = ExecContext { path, precision: TrainingPrecision::F32, dropout: None };
        self.teacher.read(ctx, teaching, &sequences, rows);
        &self.teacher
    }

    /// What whoever trains should know of it.
    pub(crate) fn notice(&self) -> Option<String> {
        let Alignment { is_shared, .. } = self.alignment.as_ref()?;
        let shared = is_shared.iter().filter(|is_shared| **is_shared).count();
        let of = is_shared.len();
        Some(format!("the teacher has {shared} of the student's {of} tokens: they are compared on those"))
    }
}

fn require_same(student: &Tokenizer, teacher: &Tokenizer) -> Result<(), GptError> {
    if student == teacher {
        return Ok(());
    }
    let reason = format!(
        "the student's {} tokens are not the {} of its teacher; `mapped` compares them on those that both have",
        student.len(),
        teacher.len()
    );
    Err(GptError::config("training.distillation.vocabulary", "same", reason))
}

/// A sequence for a teacher with the same tokens: each row is at the place of its own.
fn as_it_is(sequence: &Sequence) -> (Sequence, Vec<Option<usize>>) {
    let rows = sequence.targets.iter().enumerate();
    let rows = rows.map(|(row, target)| (*target != NO_TARGET).then_some(row)).collect();
    let tokens = sequence.tokens.clone();
    (Sequence { start: sequence.start, ..Sequence::without_targets(tokens) }, rows)
}

impl Alignment {
    fn new(student: &Tokenizer, teacher: &Tokenizer) -> Result<(Vec<[u32; 2]>, Self), GptError> {
        let tokens = |tokenizer: &Tokenizer| -> Vec<(u32, Vec<u8>)> {
            let all = 0..tokenizer.len() as u32;
            all.filter_map(|token| Some((token, tokenizer.token_bytes(token)?.to_vec()))).collect()
        };
        let theirs: HashMap<Vec<u8>, u32> =
            tokens(teacher).into_iter().rev().map(|(token, bytes)| (bytes, token)).collect();
        let same = |(token, bytes): (u32, Vec<u8>)| {
            let other = *theirs.get(&bytes)?;
            (student.is_special(token) == teacher.is_special(other)).then_some([token, other])
        };
        let pairs: Vec<[u32; 2]> = tokens(student).into_iter().filter_map(same).collect();
        if pairs.len() < 2 {
            let reason = "student and teacher have no tokens in common to be compared on";
            return Err(GptError::config("training.distillation.vocabulary", "mapped", reason));
        }
        let mut is_shared = vec![false; student.len()];
        pairs.iter().for_each(|[token, _]| is_shared[*token as usize] = true);
        Ok((pairs, Self { student: student.clone(), teacher: teacher.clone(), is_shared }))
    }

    /// The text of a sequence in the teacher's tokens, as many as it sees, and for each row of the student the teacher's
    /// row at the same place of the text. None where the teacher cuts elsewhere, or does not have the target.
    fn align(&self, sequence: &Sequence, context: usize) -> (Sequence, Vec<Option<usize>>) {
        let (mut tokens, mut places) = (Vec::new(), Vec::with_capacity(sequence.tokens.len()));
        let mut rows: HashMap<Place, usize> = HashMap::new();
        let mut part = 0;
        let runs =
            sequence.tokens.chunk_by(|a, b| !self.student.is_special(*a) && !self.student.is_special(*b));
        for run in runs {
            if let [token] = run
                && self.student.is_special(*token)
            {
                part += 1;
                places.push((part, 0));
                let text = self.student.token_bytes(*token).unwrap_or_default();
                if let Some(token) = self.teacher.token_of(text) {
                    rows.insert((part, 0), tokens.len());
                    tokens.push(token);
                }
                continue;
            }
            places.extend(token_ends(&self.student, run).map(|end| (part, end)));
            let own = self.teacher.encode_ordinary(&self.student.decode(run).unwrap_or_default());
            for (end, row) in token_ends(&self.teacher, &own).zip(tokens.len()..) {
                rows.insert((part, end), row);
            }
            tokens.extend(own);
        }
        tokens.truncate(context);
        let aligned = places.iter().zip(&sequence.targets).map(|(place, &target)| {
            let is_shared = target != NO_TARGET && self.is_shared[target as usize];
            rows.get(place).copied().filter(|&row| is_shared && row < tokens.len())
        });
        let aligned = aligned.collect();
        (Sequence::without_targets(tokens), aligned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::SPECIAL_TOKENS;

    const TEXT: &[u8] = b"the cat and the hat and the mat and the rat; the cat sat on the mat";

    fn tokenizer(vocabulary: usize) -> Tokenizer {
        let learnt = Tokenizer::train_byte_pair(TEXT, vocabulary).unwrap();
        learnt.with_special_tokens(&SPECIAL_TOKENS).unwrap()
    }

    #[test]
    fn rows_stand_at_the_same_place_of_the_text() {
        let (student, teacher) = (tokenizer(262), tokenizer(275));
        let (_, alignment) = Alignment::new(&student, &teacher).unwrap();
        let mut tokens = student.encode(b"<|user|>the hat<|end|>");
        tokens.extend(student.encode(b"and the mat and"));
        let sequence = Sequence::of_text(&tokens);
        let (own, rows) = alignment.align(&sequence, 64);
        assert!(own.tokens.len() < sequence.tokens.len(), "the teacher's tokens are longer");
        let mut taught = 0;
        for (row, aligned) in rows.iter().enumerate() {
            let Some(aligned) = aligned else { continue };
            let ours = student.decode(&sequence.tokens[..=row]).unwrap();
            let theirs = teacher.decode(&own.tokens[..=*aligned]).unwrap();
            assert_eq!(ours, theirs);
            taught += 1;
        }
        assert!(taught > 4, "{taught} of {}", rows.len());
    }

    #[test]
    fn what_the_teacher_does_not_see_is_not_taught() {
        let (student, teacher) = (tokenizer(262), tokenizer(275));
        let (_, alignment) = Alignment::new(&student, &teacher).unwrap();
        let sequence = Sequence::of_text(&student.encode(TEXT));
        let (own, rows) = alignment.align(&sequence, 3);
        assert_eq!(own.tokens.len(), 3);
        assert!(rows.iter().flatten().all(|row| *row < 3));
    }

    #[test]
    fn vocabularies_without_a_token_in_common_are_refused() {
        let words = |text: &[u8]| Tokenizer::train_words(text, 30).unwrap();
        let error = Alignment::new(&words(b"one two three"), &words(b"red green blue")).unwrap_err();
        assert!(error.to_string().contains("no tokens in common"), "{error}");
    }
}
