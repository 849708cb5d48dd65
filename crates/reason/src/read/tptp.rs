//! TPTP (Sutcliffe, "The TPTP problem library and associated infrastructure", 2017): `cnf` and `fof`.

mod lexer;

use super::{Document, problem};
use crate::knowledge::{Knowledge, check};
use crate::symbols::Symbol;
use crate::syntax::{Formula, MOST_DEPTH, Problem, Quantifier, SyntaxError, Term, free_variables};

use lexer::{Lexeme, Lexer, Word};

/// Reads annotated formulas. Axioms, hypotheses, definitions, lemmas and negated conjectures are known, conjectures are the goal; where
/// there is none, the file asks whether `false` follows. Variables that a `cnf` does not bind are for all things. What a comment `% Status`
/// says is taken note of.
///
/// # Errors
/// A formula is none, or is of another kind: `tff`, `thf`, `include`, and arithmetic are not read, nor distinct objects in formulas with
/// equality.
pub fn read_tptp(text: &str) -> Result<Document, SyntaxError> {
    let words = Lexer::new(text).words()?;
    let mut reader = Reader {
        text,
        words: &words,
        at: 0,
        depth: 0,
        has_equality: words.iter().any(|word| matches!(word.lexeme, Lexeme::Sign("=" | "!="))),
        object: None,
        knowledge: Knowledge::default(),
        goals: Vec::new(),
    };
    while reader.at < reader.words.len() {
        reader.annotated()?;
    }
    let Reader { knowledge, mut goals, .. } = reader;
    let goal = match goals.len() {
        0 => Formula::Constant(false),
        1 => goals.remove(0),
        _ => Formula::And(goals),
    };
    Ok(Document { knowledge, goal: Some(goal), follows: status(text) })
}

/// What a file says of itself.
fn status(text: &str) -> Option<bool> {
    let line = text.lines().find_map(|line| line.strip_prefix('%')?.trim_start().strip_prefix("Status"));
    match line?.trim_start().strip_prefix(':')?.split_whitespace().next()? {
        "Theorem" | "Unsatisfiable" | "ContradictoryAxioms" => Some(true),
        "CounterSatisfiable" | "Satisfiable" => Some(false),
        _ => None,
    }
}

/// Levels of the grammar in which a formula of [`MOST_DEPTH`] levels can be written.
const MOST_NESTED: usize = 4 * MOST_DEPTH;

type Parsed<T> = Result<T, SyntaxError>;

struct Reader<'a> {
    text: &'a str,
    words: &'a [Word],
    at: usize,
    depth: usize,
    has_equality: bool,
    /// The first number or distinct object that a formula is about.
    object: Option<String>,
    knowledge: Knowledge,
    goals: Vec<Formula>,
}

impl Reader<'_> {
    /// `fof(name, role, formula, annotations).`
    fn annotated(&mut self) -> Parsed<()> {
        let begin = self.at;
        let is_clause = match self.name("`cnf` or `fof`")?.as_str() {
            "cnf" => true,
            "fof" => false,
            other => return Err(self.unsupported(begin, &format!("`{other}`"))),
        };
        self.expect("(")?;
        self.name("a name")?;
        self.expect(",")?;
        let role_at = self.at;
        let role = self.name("a role")?;
        self.expect(",")?;
        let formula_at = self.at;
        let mut formula = self.formula()?;
        if is_clause {
            for variable in free_variables(&formula).into_iter().rev() {
                formula = Formula::forall(variable, formula);
            }
        }
        self.annotations()?;
        let span = self.words[formula_at].span.start..self.words[self.at - 1].span.end;
        self.expect(".")?;
        let wrong = |error| SyntaxError::new(self.text, span.clone(), problem(error));
        match role.as_str() {
            "axiom" | "hypothesis" | "definition" | "assumption" | "lemma" | "theorem" | "corollary"
            | "plain" | "negated_conjecture" => self.knowledge.add(formula).map_err(wrong),
            "conjecture" => {
                check(&formula).map_err(wrong)?;
                let named = self.knowledge.names_mut().formula(&formula);
                named.map_err(|problem| SyntaxError::new(self.text, span.clone(), problem))?;
                self.goals.push(formula);
                Ok(())
            }
            other => Err(self.unsupported(role_at, &format!("the role `{other}`"))),
        }
    }

    /// What stands behind a formula, up to the bracket that ends it.
    fn annotations(&mut self) -> Parsed<()> {
        let mut open = 0_usize;
        loop {
            match self.sign() {
                Some(")") if open == 0 => return self.expect(")"),
                Some("(" | "[") => open += 1,
                Some(")" | "]") => open = open.saturating_sub(1),
                Some(",") => {}
                _ if open == 0
                    && self
                        .words
                        .get(self.at.wrapping_sub(1))
                        .is_none_or(|word| word.lexeme != Lexeme::Sign(",")) =>
                {
                    return Err(self.unexpected("an operator, or `)`"));
                }
                None if self.at >= self.words.len() => return Err(self.unexpected("`)`")),
                _ => {}
            }
            self.at += 1;
        }
    }

    fn formula(&mut self) -> Parsed<Formula> {
        self.deeper(|reader| {
            let left = reader.unit()?;
            let Some(sign) = reader.sign() else { return Ok(left) };
            match sign {
                "&" => Ok(Formula::And(reader.chain(left, "&")?)),
                "|" => Ok(Formula::Or(reader.chain(left, "|")?)),
                "=>" | "<=" | "<=>" | "<~>" | "~|" | "~&" => {
                    let sign = sign.to_owned();
                    reader.at += 1;
                    let right = reader.unit()?;
                    Ok(joined(left, &sign, right))
                }
                _ => Ok(left),
            }
        })
    }

    fn chain(&mut self, first: Formula, sign: &str) -> Parsed<Vec<Formula>> {
        let mut parts = vec![first];
        while self.sign() == Some(sign) {
            self.at += 1;
            parts.push(self.unit()?);
        }
        Ok(parts)
    }

    fn unit(&mut self) -> Parsed<Formula> {
        match self.sign() {
            Some("~") => {
                self.at += 1;
                Ok(self.deeper(Self::unit)?.negated())
            }
            Some("!") => self.quantified(Quantifier::Forall),
            Some("?") => self.quantified(Quantifier::Exists),
            Some("(") => {
                self.at += 1;
                let formula = self.formula()?;
                self.expect(")")?;
                Ok(formula)
            }
            _ => self.atom(),
        }
    }

    fn quantified(&mut self, quantifier: Quantifier) -> Parsed<Formula> {
        self.at += 1;
        self.expect("[")?;
        let mut variables = vec![self.variable()?];
        while self.sign() == Some(",") {
            self.at += 1;
            variables.push(self.variable()?);
        }
        self.expect("]")?;
        self.expect(":")?;
        let body = self.deeper(Self::unit)?;
        let bind = |body, variable| Formula::Quantified(quantifier, variable, Box::new(body));
        Ok(variables.into_iter().rev().fold(body, bind))
    }

    fn variable(&mut self) -> Parsed<String> {
        match self.words.get(self.at).map(|word| &word.lexeme) {
            Some(Lexeme::Variable(name)) => {
                self.at += 1;
                Ok(name.clone())
            }
            _ => Err(self.unexpected("a variable, which begins with a capital letter")),
        }
    }

    fn atom(&mut self) -> Parsed<Formula> {
        let begin = self.at;
        if let Some(Lexeme::Defined(name)) = self.words.get(begin).map(|word| &word.lexeme) {
            self.at += 1;
            return match name.as_str() {
                "$true" => Ok(Formula::Constant(true)),
                "$false" => Ok(Formula::Constant(false)),
                _ => Err(self.unsupported(begin, &format!("`{name}`"))),
            };
        }
        let left = self.term()?;
        let equal = |left, right| Formula::atom(Symbol::Equals.ascii(), vec![left, right]);
        if let Some(sign @ ("=" | "!=")) = self.sign() {
            self.at += 1;
            let equality = equal(left, self.term()?);
            return Ok(if sign == "=" { equality } else { equality.negated() });
        }
        match &left {
            Term::Variable(name) => {
                let problem = Problem::NoStatement { name: name.clone() };
                Err(SyntaxError::new(self.text, self.words[begin].span.clone(), problem))
            }
            Term::Function(name, arguments) => Ok(Formula::atom(name.clone(), arguments.clone())),
        }
    }

    fn term(&mut self) -> Parsed<Term> {
        let begin = self.at;
        let term = match self.words.get(begin).map(|word| &word.lexeme) {
            Some(Lexeme::Variable(name)) => Term::variable(name.clone()),
            Some(Lexeme::Name(name)) => Term::constant(name.clone()),
            Some(Lexeme::Defined(name)) => return Err(self.unsupported(begin, &format!("`{name}`"))),
            _ => return Err(self.unexpected("a term")),
        };
        self.at += 1;
        let Term::Function(name, _) = &term else { return Ok(term) };
        self.object(name, begin)?;
        if self.sign() != Some("(") {
            return Ok(term);
        }
        self.at += 1;
        let name = name.clone();
        let mut arguments = vec![self.deeper(Self::term)?];
        while self.sign() == Some(",") {
            self.at += 1;
            arguments.push(self.deeper(Self::term)?);
        }
        self.expect(")")?;
        Ok(Term::Function(name, arguments))
    }

    /// Numbers and distinct objects of different names are never the same, which constants may be; that matters where
    /// something can say that they are.
    fn object(&mut self, name: &str, at: usize) -> Parsed<()> {
        let is_number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
        let is_object = name.starts_with('"') || is_number;
        if !is_object || !self.has_equality || self.object.as_deref() == Some(name) {
            return Ok(());
        }
        match self.object.replace(name.to_owned()) {
            Some(_) => Err(self.unsupported(at, "distinct objects, where there is equality,")),
            None => Ok(()),
        }
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == MOST_NESTED {
            return Err(self.error(Problem::TooDeep { most: MOST_DEPTH }));
        }
        self.depth += 1;
        let read = read(self)?;
        self.depth -= 1;
        Ok(read)
    }

    fn sign(&self) -> Option<&'static str> {
        match self.words.get(self.at)?.lexeme {
            Lexeme::Sign(sign) => Some(sign),
            _ => None,
        }
    }

    fn name(&mut self, expected: &str) -> Parsed<String> {
        match self.words.get(self.at).map(|word| &word.lexeme) {
            Some(Lexeme::Name(name)) => {
                self.at += 1;
                Ok(name.clone())
            }
            _ => Err(self.unexpected(expected)),
        }
    }

    fn expect(&mut self, sign: &str) -> Parsed<()> {
        if self.sign() != Some(sign) {
            return Err(self.unexpected(&format!("`{sign}`")));
        }
        self.at += 1;
        Ok(())
    }

    fn unexpected(&self, expected: &str) -> SyntaxError {
        let word = self.words.get(self.at);
        let found =
            word.map_or_else(|| "the end".to_owned(), |word| format!("`{}`", &self.text[word.span.clone()]));
        self.error(Problem::Unexpected { expected: expected.to_owned(), found })
    }

    fn unsupported(&self, at: usize, what: &str) -> SyntaxError {
        SyntaxError::new(self.text, self.words[at].span.clone(), Problem::Unsupported(what.to_owned()))
    }

    fn error(&self, problem: Problem) -> SyntaxError {
        let end = self.text.len();
        let span = self.words.get(self.at).map_or(end..end, |word| word.span.clone());
        SyntaxError::new(self.text, span, problem)
    }
}

fn joined(left: Formula, sign: &str, right: Formula) -> Formula {
    match sign {
        "=>" => left.implies(right),
        "<=" => right.implies(left),
        "<=>" => Formula::Iff(Box::new(left), Box::new(right)),
        "<~>" => Formula::Iff(Box::new(left), Box::new(right)).negated(),
        "~|" => Formula::Or(vec![left, right]).negated(),
        _ => Formula::And(vec![left, right]).negated(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Document {
        read_tptp(text).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn formulas_are_read() {
        let document = read(
            "% Status   : Theorem\n/* a\n comment */\n\
             fof(people, axiom, ! [X, Y] : ((kind(X) & 'Is Big'(X)) => likes(Y, f(X))), file('a', b)).\n\
             cnf(c1, negated_conjecture, ~ p(X) | q(X, a) | X != b).\n\
             fof(goal, conjecture, ? [Z] : ~ p(Z) <=> $true).\n",
        );
        let statements: Vec<String> =
            document.knowledge.statements().iter().map(ToString::to_string).collect();
        assert_eq!(
            statements,
            [
                "forall X. forall Y. kind(X) and 'Is Big'(X) implies likes(Y, f(X))",
                "forall X. not p(X) or q(X, a) or not X = b"
            ]
        );
        assert_eq!(document.goal.unwrap().to_string(), "(exists Z. not p(Z)) iff true");
        assert_eq!(document.follows, Some(true));
        assert_eq!(read("cnf(a, axiom, p).").goal, Some(Formula::Constant(false)));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, said) in [
            ("tff(a, axiom, p).", "line 1, column 1: `tff` cannot be read here"),
            ("include('Axioms/SET001-0.ax').", "line 1, column 1: `include` cannot be read here"),
            ("fof(a, axiom, p(X)).", "line 1, column 15: nothing binds the variable `X`"),
            ("fof(a, axiom,\n  p & ).", "line 2, column 7: found `)`, expected a term"),
            ("fof(a, type, p).", "line 1, column 8: the role `type` cannot be read here"),
            (
                "fof(a, axiom, p(a)).\nfof(b, axiom, p).",
                "line 2, column 15: the predicate `p` has 0 arguments here, and 1",
            ),
            ("fof(a, axiom, p q).", "line 1, column 17: found `q`, expected an operator, or `)`"),
            ("fof(a, axiom, p", "line 1, column 16: found the end, expected"),
            ("fof(a, axiom, $less(a, b)).", "line 1, column 15: `$less` cannot be read here"),
            ("fof(a, axiom, ! [X$a] : p(X$a)).", "line 1, column 19: found `$a`, expected `]`"),
            (
                "fof(a, axiom, f(1) = \"b\").\nfof(b, axiom, p(\"a\")).",
                "line 1, column 22: distinct objects, where there is equality, cannot be read here",
            ),
            ("fof(a, axiom, 'p).", "line 1, column 15: the quote is not closed"),
        ] {
            let error = read_tptp(text).unwrap_err().to_string();
            assert!(error.starts_with(said), "{text}: {error}");
        }
        // Where nothing can say that they are the same, they are constants like others.
        assert!(read_tptp("fof(1, axiom, p(\"a\", \"b\")).").is_ok());
        assert!(read_tptp("fof(1, axiom, a = 2, file(\"a\", 3)).").is_ok());
        let deep = format!("fof(a, axiom, {}p{}).", "(".repeat(100_000), ")".repeat(100_000));
        assert!(read_tptp(&deep).unwrap_err().to_string().contains("nested more than"));
    }
}
