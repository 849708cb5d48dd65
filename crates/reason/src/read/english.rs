//! Sentences of a small, fixed grammar, such as the data sets about rules use (Clark, Tafjord and Richardson, "Transformers as
//! soft reasoners over language", 2020).
//!
//! | sentence | means |
//! |---|---|
//! | Anne is kind. | `kind(anne)` |
//! | Anne is kind and not rough. | `kind(anne) and not rough(anne)` |
//! | The cat is an animal. | `animal(cat)` |
//! | Anne is taller than Bob. | `taller(anne, bob)` |
//! | The cat chases the dog. The cat does not chase Anne. | `chase(cat, dog)`, `not chase(cat, anne)` |
//! | If someone is kind and big then they are round. | `forall x. kind(x) and big(x) implies round(x)` |
//! | If Anne is kind then Bob is big. | `kind(anne) implies big(bob)` |
//! | All kind, big people are round. Kind and big people are round. | as above |
//! | All cats are animals. Every cat is an animal. | `forall x. cat(x) implies animal(x)` |
//! | No kind people are rough. | `forall x. kind(x) implies not rough(x)` |
//! | Taller is transitive. | `forall x y z. taller(x, y) and taller(y, z) implies taller(x, z)` |
//! | Is Anne kind? Does the cat chase Anne? Anne is kind? | goals |
//!
//! A name begins with a capital letter and is no word of the grammar. `someone`, `something`, `they` and `it` are the one thing that a
//! rule is about. `not` is negation: in an open world it has to follow; what does not follow is false only in a [closed
//! one](crate::World::Closed).

mod lexer;
mod words;

use super::{Document, problem};
use crate::knowledge::Knowledge;
use crate::syntax::{Formula, Problem, SyntaxError, Term};

use lexer::{Sentence, sentences};
use words::{is_plural, singular, third_person};

/// Reads sentences that end with a full stop. A line that begins with `#` counts for nothing.
///
/// # Errors
/// A sentence is not of the grammar.
pub fn read_english(text: &str) -> Result<Document, SyntaxError> {
    let mut knowledge = Knowledge::default();
    for sentence in sentences(text)? {
        let statement = Reader::new(text, &sentence).statement()?;
        let added = knowledge.add(statement);
        added.map_err(|error| SyntaxError::new(text, sentence.span(), problem(error)))?;
    }
    Ok(Document { knowledge, ..Document::default() })
}

/// Reads a question, or a sentence that is asked about.
///
/// # Errors
/// It is not of the grammar, or more than one.
pub fn english_goal(text: &str) -> Result<Formula, SyntaxError> {
    let all = sentences(text)?;
    match all.as_slice() {
        [sentence] => Reader::new(text, sentence).goal(),
        _ => {
            let found = format!("{} sentences", all.len());
            Err(SyntaxError::new(
                text,
                0..text.len(),
                Problem::Unexpected { expected: "one question".to_owned(), found },
            ))
        }
    }
}

/// The variable of a rule.
const ANYTHING: &str = "x";

/// Words that stand for it.
const PRONOUNS: [&str; 7] = ["someone", "something", "anyone", "anything", "they", "it", "he"];

/// Words that are no names, even at the beginning of a sentence.
const GRAMMAR: [&str; 21] = [
    "if",
    "then",
    "all",
    "every",
    "no",
    "the",
    "is",
    "are",
    "does",
    "do",
    "not",
    "and",
    "a",
    "an",
    "than",
    "someone",
    "something",
    "anyone",
    "anything",
    "they",
    "it",
];

/// Nouns that all things are.
const EVERYTHING: [&str; 3] = ["people", "things", "ones"];

type Parsed<T> = Result<T, SyntaxError>;

struct Reader<'a> {
    text: &'a str,
    sentence: &'a Sentence<'a>,
    at: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, sentence: &'a Sentence<'a>) -> Self {
        Self { text, sentence, at: 0 }
    }

    fn statement(&mut self) -> Parsed<Formula> {
        match self.peek(0).as_deref() {
            Some("if") => self.conditional(),
            Some("all" | "every") => {
                self.at += 1;
                self.general(true)
            }
            Some("no") => {
                self.at += 1;
                self.general(false)
            }
            Some(word)
                if self.peek(1).as_deref() == Some("is") && self.peek(2).as_deref() == Some("transitive") =>
            {
                let relation = word.to_owned();
                self.at += 3;
                self.end(transitive(&relation))
            }
            _ if self.is_general() => self.general(true),
            _ => {
                let clauses = self.clauses()?;
                self.end(clauses)
            }
        }
    }

    fn goal(&mut self) -> Parsed<Formula> {
        match self.peek(0).as_deref() {
            Some("is" | "are") => {
                self.at += 1;
                let subject = self.subject()?;
                let goal = self.properties(&subject)?;
                self.end(goal)
            }
            Some("does" | "do") => {
                self.at += 1;
                let subject = self.subject()?;
                let verb = self.word("a verb")?;
                let object = self.subject()?;
                self.end(Formula::atom(verb, vec![subject, object]))
            }
            _ => self.statement(),
        }
    }

    /// `If A and B then C.`
    fn conditional(&mut self) -> Parsed<Formula> {
        self.at += 1;
        let condition = self.clauses()?;
        if self.peek(0).as_deref() == Some(",") {
            self.at += 1;
        }
        self.expect("then")?;
        let conclusion = self.clauses()?;
        self.end(closed(condition.implies(conclusion)))
    }

    /// `kind, big people are [not] round`, and the same of nouns.
    fn general(&mut self, is_so: bool) -> Parsed<Formula> {
        let mut kinds = Vec::new();
        let thing = Term::variable(ANYTHING);
        let is_noun = loop {
            let word = self.word("a property, or `people`")?;
            match self.peek(0).as_deref() {
                Some("," | "and") => {
                    kinds.push(word);
                    self.at += 1;
                }
                Some("are" | "is") if EVERYTHING.contains(&word.as_str()) => break false,
                Some("are") => {
                    kinds.push(singular(&word));
                    break true;
                }
                Some("is") => {
                    kinds.push(word);
                    break true;
                }
                _ => kinds.push(word),
            }
        };
        self.at += 1;
        let is_singular_noun =
            is_noun && self.peek(0).is_some_and(|word| is_plural(&word)) && self.peek(1).is_none();
        let conclusion = match is_singular_noun {
            true => Formula::atom(singular(&self.word("a property")?), vec![thing.clone()]),
            false => self.properties(&thing)?,
        };
        let conclusion = if is_so { conclusion } else { conclusion.negated() };
        let mut conditions: Vec<Formula> =
            kinds.into_iter().map(|kind| Formula::atom(kind, vec![thing.clone()])).collect();
        let rule = match conditions.len() {
            0 => conclusion,
            1 => conditions.remove(0).implies(conclusion),
            _ => Formula::And(conditions).implies(conclusion),
        };
        self.end(Formula::forall(ANYTHING, rule))
    }

    /// Whether properties of people or things come first: `Kind people are round.`
    fn is_general(&self) -> bool {
        let words = (0..).map_while(|ahead| self.peek(ahead));
        let before = words.take_while(|word| !matches!(word.as_str(), "is" | "are"));
        before.last().is_some_and(|word| EVERYTHING.contains(&word.as_str()))
    }

    /// Clauses that `and` joins.
    fn clauses(&mut self) -> Parsed<Formula> {
        let mut clauses = vec![self.clause()?];
        while self.peek(0).as_deref() == Some("and") {
            self.at += 1;
            clauses.push(self.clause()?);
        }
        Ok(joined(clauses))
    }

    /// Who, and what is said of it.
    fn clause(&mut self) -> Parsed<Formula> {
        let subject = self.subject()?;
        match self.peek(0).as_deref() {
            Some("is" | "are") => {
                self.at += 1;
                self.properties(&subject)
            }
            Some("does" | "do") => {
                self.at += 1;
                self.expect("not")?;
                let verb = self.word("a verb")?;
                let object = self.subject()?;
                Ok(Formula::atom(verb, vec![subject, object]).negated())
            }
            _ => {
                let verb = self.word("`is`, or a verb")?;
                let object = self.subject()?;
                Ok(Formula::atom(third_person(&verb), vec![subject, object]))
            }
        }
    }

    /// What is said of a subject behind `is`: properties that `and` or a comma joins, up to the next clause.
    fn properties(&mut self, subject: &Term) -> Parsed<Formula> {
        let mut properties = vec![self.property(subject)?];
        while matches!(self.peek(0).as_deref(), Some("and" | ",")) && !self.begins_clause(1) {
            self.at += 1;
            properties.push(self.property(subject)?);
        }
        Ok(joined(properties))
    }

    /// Whether a subject and a verb come after some words, or the other half of a conditional.
    fn begins_clause(&self, ahead: usize) -> bool {
        let word = self.peek(ahead);
        let is_pronoun =
            word.as_deref().is_some_and(|word| PRONOUNS.contains(&word) || word == "the" || word == "then");
        is_pronoun || self.is_name(ahead)
    }

    fn property(&mut self, subject: &Term) -> Parsed<Formula> {
        let is_negated = self.peek(0).as_deref() == Some("not");
        self.at += usize::from(is_negated);
        if matches!(self.peek(0).as_deref(), Some("a" | "an")) {
            self.at += 1;
        }
        let word = self.word("a property")?;
        let property = match self.peek(0).as_deref() {
            Some("than") => {
                self.at += 1;
                let other = self.subject()?;
                Formula::atom(word, vec![subject.clone(), other])
            }
            _ => Formula::atom(word, vec![subject.clone()]),
        };
        Ok(if is_negated { property.negated() } else { property })
    }

    fn subject(&mut self) -> Parsed<Term> {
        let word = self.peek(0);
        match word.as_deref() {
            Some("the") => {
                self.at += 1;
                Ok(Term::constant(self.word("a noun")?))
            }
            Some(word) if PRONOUNS.contains(&word) => {
                self.at += 1;
                Ok(Term::variable(ANYTHING))
            }
            Some(_) if self.is_name(0) => Ok(Term::constant(self.word("a name")?)),
            _ => Err(self.unexpected("a name, `the` or `someone`")),
        }
    }

    fn is_name(&self, ahead: usize) -> bool {
        let word = self.sentence.words.get(self.at + ahead);
        word.is_some_and(|(word, _)| word.starts_with(|letter: char| letter.is_ascii_uppercase()))
            && self.peek(ahead).is_some_and(|word| !GRAMMAR.contains(&word.as_str()))
    }

    /// A word that is no word of the grammar.
    fn word(&mut self, expected: &str) -> Parsed<String> {
        match self.peek(0) {
            Some(word) if word != "," && !GRAMMAR.contains(&word.as_str()) => {
                self.at += 1;
                Ok(word)
            }
            _ => Err(self.unexpected(expected)),
        }
    }

    fn expect(&mut self, word: &str) -> Parsed<()> {
        if self.peek(0).as_deref() != Some(word) {
            return Err(self.unexpected(&format!("`{word}`")));
        }
        self.at += 1;
        Ok(())
    }

    fn end(&self, formula: Formula) -> Parsed<Formula> {
        match self.peek(0) {
            None => Ok(formula),
            Some(_) => Err(self.unexpected("the end of the sentence")),
        }
    }

    /// A word in small letters.
    fn peek(&self, ahead: usize) -> Option<String> {
        self.sentence.words.get(self.at + ahead).map(|(word, _)| word.to_ascii_lowercase())
    }

    fn unexpected(&self, expected: &str) -> SyntaxError {
        let (found, span) = match self.sentence.words.get(self.at) {
            Some((word, span)) => (format!("`{word}`"), span.clone()),
            None => ("the end of the sentence".to_owned(), self.sentence.end()),
        };
        SyntaxError::new(self.text, span, Problem::Unexpected { expected: expected.to_owned(), found })
    }
}

fn joined(mut formulas: Vec<Formula>) -> Formula {
    if formulas.len() == 1 { formulas.remove(0) } else { Formula::And(formulas) }
}

/// For all things, where the rule is about something.
fn closed(rule: Formula) -> Formula {
    match crate::syntax::free_variables(&rule).is_empty() {
        true => rule,
        false => Formula::forall(ANYTHING, rule),
    }
}

fn transitive(relation: &str) -> Formula {
    let [x, y, z] = ["x", "y", "z"].map(Term::variable);
    let related = |a: &Term, b: &Term| Formula::atom(relation, vec![a.clone(), b.clone()]);
    let rule = Formula::And(vec![related(&x, &y), related(&y, &z)]).implies(related(&x, &z));
    Formula::forall("x", Formula::forall("y", Formula::forall("z", rule)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let document = read_english(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        document.knowledge.statements().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn sentences_are_statements() {
        for (sentence, statement) in [
            ("Anne is kind.", "kind(anne)"),
            ("Anne is kind and not rough.", "kind(anne) and not rough(anne)"),
            ("The cat is an animal.", "animal(cat)"),
            ("Anne is taller than Bob.", "taller(anne, bob)"),
            ("The cat chases the dog.", "chase(cat, dog)"),
            ("The cat does not chase Anne.", "not chase(cat, anne)"),
            (
                "If someone is kind and big then they are round.",
                "forall x. kind(x) and big(x) implies round(x)",
            ),
            (
                "If someone is kind and they like Bob, then they are round.",
                "forall x. kind(x) and like(x, bob) implies round(x)",
            ),
            (
                "If Anne is kind and Bob is big then Anne is round.",
                "kind(anne) and big(bob) implies round(anne)",
            ),
            ("All kind, big people are round.", "forall x. kind(x) and big(x) implies round(x)"),
            ("Kind and big things are not round.", "forall x. kind(x) and big(x) implies not round(x)"),
            ("Kind people are big and round.", "forall x. kind(x) implies big(x) and round(x)"),
            ("All people are mortal.", "forall x. mortal(x)"),
            ("All cats are animals.", "forall x. cat(x) implies animal(x)"),
            ("Every cat is an animal.", "forall x. cat(x) implies animal(x)"),
            ("No kind people are rough.", "forall x. kind(x) implies not rough(x)"),
            (
                "Taller is transitive.",
                "forall x. forall y. forall z. taller(x, y) and taller(y, z) implies taller(x, z)",
            ),
        ] {
            assert_eq!(read(sentence), [statement], "{sentence}");
        }
        assert_eq!(read("# people\nAnne is kind. Bob is\nbig.\n"), ["kind(anne)", "big(bob)"]);
    }

    #[test]
    fn questions_are_goals() {
        for (question, goal) in [
            ("Is Anne kind?", "kind(anne)"),
            ("Is the cat an animal?", "animal(cat)"),
            ("Is Anne taller than Bob?", "taller(anne, bob)"),
            ("Does the cat chase Anne?", "chase(cat, anne)"),
            ("Anne is not kind.", "not kind(anne)"),
        ] {
            assert_eq!(english_goal(question).unwrap().to_string(), goal, "{question}");
        }
        assert!(english_goal("Is Anne kind? Is Bob?").is_err());
    }

    #[test]
    fn what_is_no_sentence_is_told_with_its_place() {
        for (text, said) in [
            ("Anne is kind.\nanne is kind.", "line 2, column 1: found `anne`, expected a name"),
            ("Anne is.", "line 1, column 8: found the end of the sentence, expected a property"),
            ("If Anne is kind Bob is big.", "line 1, column 17: found `Bob`, expected `then`"),
            ("Anne is kind", "line 1, column 13: found the end, expected `.` or `?`"),
            ("Anne is k%nd.", "line 1, column 10: the character '%'"),
        ] {
            let error = read_english(text).unwrap_err().to_string();
            assert!(error.starts_with(said), "{text}: {error}");
        }
    }
}
