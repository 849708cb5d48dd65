//! DIMACS CNF: clauses of propositional logic, as the SAT competitions write them.

use std::ops::Range;

use super::{Document, problem};
use crate::knowledge::{Knowledge, MOST_STATEMENTS};
use crate::syntax::{Formula, Problem, SyntaxError};

/// Variables of a file are so many at most.
const MOST_VARIABLES: i128 = 1 << 24;

/// Reads `p cnf VARIABLES CLAUSES` and clauses. Variable 7 becomes the proposition `p7`; the file asks whether `false` follows. A line
/// `%` ends the clauses, as in the files of SATLIB.
///
/// # Errors
/// A number is none or out of range, or there are more or fewer clauses than the first line says.
pub fn read_dimacs(text: &str) -> Result<Document, SyntaxError> {
    let mut reader = Reader { text, head: None, clause: Vec::new(), knowledge: Knowledge::default() };
    let (mut begin, mut last) = (0, 0..0);
    for line in text.split_inclusive('\n') {
        let words = words(line, begin);
        begin += line.len();
        match words.first() {
            Some((word, _)) if *word == "%" => break,
            Some((word, _)) if word.starts_with('c') => {}
            Some((word, span)) if *word == "p" => reader.head(&words, span.clone())?,
            _ => {
                for (word, span) in words {
                    last = span.clone();
                    reader.number(word, span)?;
                }
            }
        }
    }
    reader.finish(last)
}

/// The words of a line and where they stand.
fn words(line: &str, begin: usize) -> Vec<(&str, Range<usize>)> {
    let place = |word: &str| word.as_ptr() as usize - line.as_ptr() as usize + begin;
    line.split_whitespace().map(|word| (word, place(word)..place(word) + word.len())).collect()
}

struct Reader<'a> {
    text: &'a str,
    /// How many variables and clauses there are said to be.
    head: Option<[i128; 2]>,
    clause: Vec<i64>,
    knowledge: Knowledge,
}

impl Reader<'_> {
    fn error(&self, span: Range<usize>, problem: Problem) -> SyntaxError {
        SyntaxError::new(self.text, span, problem)
    }

    fn unexpected(&self, span: Range<usize>, expected: &str, found: &str) -> SyntaxError {
        let found = format!("`{}`", found.chars().take(30).collect::<String>());
        self.error(span, Problem::Unexpected { expected: expected.to_owned(), found })
    }

    fn head(&mut self, words: &[(&str, Range<usize>)], span: Range<usize>) -> Result<(), SyntaxError> {
        let [_, (cnf, at), (variables, at_variables), (clauses, at_clauses)] = words else {
            return Err(self.unexpected(span, "`p cnf VARIABLES CLAUSES`", "p"));
        };
        if self.head.is_some() {
            return Err(self.unexpected(span, "a clause, after one line `p cnf`", "p"));
        }
        if *cnf != "cnf" {
            return Err(self.unexpected(at.clone(), "`cnf`", cnf));
        }
        let most = [MOST_VARIABLES, MOST_STATEMENTS as i128];
        let variables = self.count(variables, at_variables.clone(), "the number of variables", most[0])?;
        let clauses = self.count(clauses, at_clauses.clone(), "the number of clauses", most[1])?;
        self.head = Some([variables, clauses]);
        Ok(())
    }

    fn count(
        &self,
        word: &str,
        span: Range<usize>,
        what: &'static str,
        most: i128,
    ) -> Result<i128, SyntaxError> {
        let found: i128 = word.parse().map_err(|_| self.unexpected(span.clone(), "a number", word))?;
        match (0..=most).contains(&found) {
            true => Ok(found),
            false => Err(self.error(span, Problem::Range { what, found, least: 0, most })),
        }
    }

    fn number(&mut self, word: &str, span: Range<usize>) -> Result<(), SyntaxError> {
        let Some([variables, _]) = self.head else {
            return Err(self.unexpected(span, "`p cnf VARIABLES CLAUSES` before the first clause", word));
        };
        let found: i128 = word.parse().map_err(|_| self.unexpected(span.clone(), "a literal, or 0", word))?;
        if found.abs() > variables {
            let problem = Problem::Range { what: "the literal", found, least: -variables, most: variables };
            return Err(self.error(span, problem));
        }
        if found != 0 {
            // No more than variables, which fit.
            self.clause.push(found as i64);
            return Ok(());
        }
        let literals = std::mem::take(&mut self.clause).into_iter().map(|number| {
            let atom = Formula::atom(format!("p{}", number.unsigned_abs()), Vec::new());
            if number > 0 { atom } else { atom.negated() }
        });
        let mut literals: Vec<Formula> = literals.collect();
        let statement = match literals.len() {
            0 => Formula::Constant(false),
            1 => literals.remove(0),
            _ => Formula::Or(literals),
        };
        self.knowledge.add(statement).map_err(|error| self.error(span, problem(error)))
    }

    fn finish(self, last: Range<usize>) -> Result<Document, SyntaxError> {
        let end = self.text.len()..self.text.len();
        let Some([_, clauses]) = self.head else {
            return Err(self.unexpected(end, "`p cnf VARIABLES CLAUSES`", "the end"));
        };
        if !self.clause.is_empty() {
            return Err(self.unexpected(end, "0 at the end of the last clause", "the end"));
        }
        let found = self.knowledge.statements().len() as i128;
        if found != clauses {
            let problem = Problem::Range {
                what: "the number of clauses that are there,",
                found,
                least: clauses,
                most: clauses,
            };
            return Err(self.error(last, problem));
        }
        let goal = Some(Formula::Constant(false));
        Ok(Document { knowledge: self.knowledge, goal, follows: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::Position;

    #[test]
    fn clauses_are_read() {
        let document = read_dimacs("c a comment\np cnf 3 3\n1 -2\n3 0 -1 0\n2\n0\n%\n0\n").unwrap();
        let statements: Vec<String> =
            document.knowledge.statements().iter().map(ToString::to_string).collect();
        assert_eq!(statements, ["p1 or not p2 or p3", "not p1", "p2"]);
        assert_eq!(document.goal, Some(Formula::Constant(false)));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, position, said) in [
            ("", (1, 1), "expected `p cnf VARIABLES CLAUSES`"),
            ("p cnf 2\n", (1, 1), "expected `p cnf VARIABLES CLAUSES`"),
            ("p dnf 2 1\n1 0\n", (1, 3), "expected `cnf`"),
            ("p cnf 2 1\n1 3 0\n", (2, 3), "the literal 3 is not between -2 and 2"),
            ("p cnf 2 1\n1 x 0\n", (2, 3), "expected a literal, or 0"),
            ("p cnf 2 1\n1 2\n", (3, 1), "expected 0 at the end"),
            ("p cnf 2 2\n1 2 0\n", (2, 5), "the number of clauses that are there, 1 is not between 2 and 2"),
            ("p cnf 99999999999 1\n", (1, 7), "the number of variables 99999999999"),
            ("1 2 0\n", (1, 1), "before the first clause"),
        ] {
            let error = read_dimacs(text).unwrap_err();
            assert_eq!(
                error.position,
                Position { line: position.0, column: position.1 },
                "{text:?}: {error}"
            );
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}
