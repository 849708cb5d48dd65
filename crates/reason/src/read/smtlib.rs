//! SMT-LIB 2 (Barrett, Fontaine and Tinelli, "The SMT-LIB standard", 2017): Booleans, and things of declared sorts.

mod sexpr;

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Document, problem};
use crate::knowledge::Knowledge;
use crate::symbols::Symbol;
use crate::syntax::{Formula, MOST_DEPTH, Problem, Quantifier, SyntaxError, Term};

use sexpr::{Sexpr, Shape, expressions};

/// Parts of all formulas, with those that `let` names put in each place, are so many at most.
const MOST_PARTS: usize = 4_000_000;

/// And no more than so many for each byte of the text: a text of a kilobyte can say of itself that it has millions.
const MOST_PARTS_OF_A_BYTE: usize = 32;

/// Reads what is asserted. The file asks whether `false` follows, and `(set-info :status ...)` says whether it does.
///
/// Sorts other than `Bool` have to be declared. With quantifiers there may be one only, as here all things are of one kind.
///
/// # Errors
/// It is no script, or uses what is not read: arithmetic, arrays, bit vectors, functions of Booleans, definitions, `push` and `pop`.
pub fn read_smtlib(text: &str) -> Result<Document, SyntaxError> {
    let mut reader = Reader {
        text,
        sorts: Vec::new(),
        functions: BTreeMap::new(),
        scopes: Vec::new(),
        has_quantifiers: None,
        parts: 0,
        knowledge: Knowledge::default(),
    };
    let mut follows = None;
    for command in expressions(text)? {
        if !reader.command(&command, &mut follows)? {
            break;
        }
    }
    if let (Some(span), true) = (reader.has_quantifiers.clone(), reader.sorts.len() > 1) {
        return Err(reader.unsupported(span, "a quantifier, where there are several sorts,"));
    }
    Ok(Document { knowledge: reader.knowledge, goal: Some(Formula::Constant(false)), follows })
}

/// A thing or a statement.
#[derive(Clone)]
enum Value {
    Formula(Formula),
    Term(Term, usize),
}

impl Value {
    fn parts(&self) -> usize {
        match self {
            Self::Formula(formula) => formula.subformulas().count(),
            Self::Term(term, _) => term.subterms().count(),
        }
    }

    fn depth(&self) -> usize {
        match self {
            Self::Formula(formula) => formula.depth(),
            Self::Term(term, _) => term.depth(),
        }
    }
}

/// What a function is of: sorts by number, none is `Bool`.
struct Signature {
    arguments: Vec<usize>,
    result: Option<usize>,
}

type Parsed<T> = Result<T, SyntaxError>;

struct Reader<'a> {
    text: &'a str,
    sorts: Vec<String>,
    functions: BTreeMap<String, Signature>,
    /// What names stand for, the innermost last.
    scopes: Vec<(String, Value)>,
    has_quantifiers: Option<Range<usize>>,
    parts: usize,
    knowledge: Knowledge,
}

impl Reader<'_> {
    /// Does a command; false where it ends the script.
    fn command(&mut self, command: &Sexpr, follows: &mut Option<bool>) -> Parsed<bool> {
        let parts = self.list(command, "a command")?;
        let Some((name, rest)) = parts.split_first() else {
            return Err(self.unexpected(command, "a command"));
        };
        match (self.symbol(name)?, rest) {
            ("set-info", [key, status]) if self.symbol(key)? == ":status" => {
                *follows = match self.symbol(status)? {
                    "unsat" => Some(true),
                    "sat" => Some(false),
                    _ => None,
                };
            }
            ("set-info" | "set-option" | "set-logic", _) => {}
            ("declare-sort", [sort, _]) => self.sorts.push(self.symbol(sort)?.to_owned()),
            ("declare-fun", [name, arguments, result]) => {
                let arguments = self.list(arguments, "the sorts of arguments")?;
                self.declare(name, arguments, result)?;
            }
            ("declare-const", [name, result]) => self.declare(name, &[], result)?,
            ("assert", [formula]) => {
                let statement = self.formula(formula)?;
                let added = self.knowledge.add(statement);
                added.map_err(|error| self.error(formula.span.clone(), problem(error)))?;
            }
            ("check-sat" | "exit", _) => return Ok(false),
            (other, _) => {
                return Err(self.unsupported(command.span.clone(), &format!("`{other}` of this form")));
            }
        }
        Ok(true)
    }

    fn declare(&mut self, name: &Sexpr, arguments: &[Sexpr], result: &Sexpr) -> Parsed<()> {
        let sorts = arguments.iter().map(|sort| match self.sort(sort)? {
            Some(sort) => Ok(sort),
            None => Err(self.unsupported(sort.span.clone(), "a function of Booleans")),
        });
        let signature = Signature { arguments: sorts.collect::<Parsed<_>>()?, result: self.sort(result)? };
        let name = self.symbol(name)?.to_owned();
        self.functions.insert(name, signature);
        Ok(())
    }

    /// A sort by its number; none is `Bool`.
    fn sort(&self, sort: &Sexpr) -> Parsed<Option<usize>> {
        let name = match &sort.shape {
            Shape::Symbol(name) => name.as_str(),
            Shape::List(_) => return Err(self.unsupported(sort.span.clone(), "such a sort")),
        };
        match self.sorts.iter().position(|known| known == name) {
            Some(number) => Ok(Some(number)),
            None if name == "Bool" => Ok(None),
            None => Err(self.unsupported(sort.span.clone(), &format!("the sort `{name}`"))),
        }
    }

    fn formula(&mut self, expression: &Sexpr) -> Parsed<Formula> {
        match self.value(expression)? {
            Value::Formula(formula) => Ok(formula),
            Value::Term(..) => Err(self.unexpected(expression, "a statement")),
        }
    }

    fn value(&mut self, expression: &Sexpr) -> Parsed<Value> {
        match &expression.shape {
            Shape::Symbol(name) => self.named(name, expression),
            Shape::List(parts) => match parts.split_first() {
                Some((head, rest)) => self.applied(expression, head, rest),
                None => Err(self.unexpected(expression, "a statement or a term")),
            },
        }
    }

    fn named(&mut self, name: &str, at: &Sexpr) -> Parsed<Value> {
        if let Some((_, value)) = self.scopes.iter().rev().find(|(known, _)| known == name) {
            let value = value.clone();
            self.count(value.parts(), at)?;
            return Ok(value);
        }
        match name {
            "true" => Ok(Value::Formula(Formula::Constant(true))),
            "false" => Ok(Value::Formula(Formula::Constant(false))),
            _ => self.call(name, Vec::new(), at),
        }
    }

    fn applied(&mut self, whole: &Sexpr, head: &Sexpr, rest: &[Sexpr]) -> Parsed<Value> {
        let name = self.symbol(head)?.to_owned();
        let value = match (name.as_str(), rest) {
            ("let", [bindings, body]) => return self.with_names(bindings, body),
            ("forall", [variables, body]) => self.quantified(Quantifier::Forall, whole, variables, body)?,
            ("exists", [variables, body]) => self.quantified(Quantifier::Exists, whole, variables, body)?,
            ("!", [body, ..]) => return self.value(body),
            ("not", [body]) => self.formula(body)?.negated(),
            ("and" | "or", [one]) => return self.formula(one).map(Value::Formula),
            ("and", [_, ..]) => Formula::And(self.formulas(rest)?),
            ("or", [_, ..]) => Formula::Or(self.formulas(rest)?),
            ("=>", [_, _, ..]) => {
                let mut formulas = self.formulas(rest)?;
                let last = formulas.pop().unwrap_or(Formula::Constant(true));
                formulas.into_iter().rev().fold(last, |then, formula| formula.implies(then))
            }
            ("xor", [a, b]) => Formula::Iff(Box::new(self.formula(a)?), Box::new(self.formula(b)?)).negated(),
            ("=", [_, _, ..]) => self.equal(rest)?,
            ("distinct", [_, _, ..]) => self.distinct(rest)?,
            ("ite", [condition, yes, no]) => {
                let (condition, yes, no) = (self.formula(condition)?, self.formula(yes)?, self.formula(no)?);
                // The condition is there twice.
                self.count(condition.subformulas().count(), whole)?;
                Formula::And(vec![condition.clone().implies(yes), condition.negated().implies(no)])
            }
            _ => {
                let arguments =
                    rest.iter().map(|argument| self.value(argument)).collect::<Parsed<Vec<_>>>()?;
                return self.call(&name, arguments, whole);
            }
        };
        self.count(1, whole)?;
        Ok(Value::Formula(value))
    }

    /// Refuses what becomes too large.
    fn count(&mut self, parts: usize, at: &Sexpr) -> Parsed<()> {
        self.parts += parts;
        let most = MOST_PARTS.min(MOST_PARTS_OF_A_BYTE * self.text.len());
        if self.parts > most {
            let problem = Problem::TooMany { what: "parts of formulas", found: self.parts, most };
            return Err(self.error(at.span.clone(), problem));
        }
        Ok(())
    }

    fn formulas(&mut self, parts: &[Sexpr]) -> Parsed<Vec<Formula>> {
        parts.iter().map(|part| self.formula(part)).collect()
    }

    fn with_names(&mut self, bindings: &Sexpr, body: &Sexpr) -> Parsed<Value> {
        let mut named = Vec::new();
        for binding in self.list(bindings, "names and values")? {
            let [name, value] = self.list(binding, "a name and a value")? else {
                return Err(self.unexpected(binding, "a name and a value"));
            };
            let value = self.value(value)?;
            if value.depth() > MOST_DEPTH {
                return Err(self.error(binding.span.clone(), Problem::TooDeep { most: MOST_DEPTH }));
            }
            named.push((self.symbol(name)?.to_owned(), value));
        }
        let before = self.scopes.len();
        self.scopes.append(&mut named);
        let value = self.value(body)?;
        self.scopes.truncate(before);
        Ok(value)
    }

    fn quantified(
        &mut self,
        quantifier: Quantifier,
        whole: &Sexpr,
        variables: &Sexpr,
        body: &Sexpr,
    ) -> Parsed<Formula> {
        let before = self.scopes.len();
        let mut names = Vec::new();
        for variable in self.list(variables, "variables and sorts")? {
            let [name, sort] = self.list(variable, "a variable and its sort")? else {
                return Err(self.unexpected(variable, "a variable and its sort"));
            };
            let Some(sort) = self.sort(sort)? else {
                return Err(self.unsupported(variable.span.clone(), "a variable for Booleans"));
            };
            // The same for the same formula, whatever its variables are called; how many are around it tells it from those.
            let own = format!("x{}", self.scopes.len());
            self.scopes.push((self.symbol(name)?.to_owned(), Value::Term(Term::variable(own.clone()), sort)));
            names.push(own);
        }
        self.has_quantifiers.get_or_insert(whole.span.clone());
        let body = self.formula(body)?;
        self.scopes.truncate(before);
        let bind = |body, name| Formula::Quantified(quantifier, name, Box::new(body));
        Ok(names.into_iter().rev().fold(body, bind))
    }

    fn equal(&mut self, parts: &[Sexpr]) -> Parsed<Formula> {
        let values = parts.iter().map(|part| self.value(part)).collect::<Parsed<Vec<_>>>()?;
        // All but the first and last are there twice.
        for (value, part) in values.iter().zip(parts) {
            self.count(value.parts(), part)?;
        }
        let pairs = values.windows(2).zip(parts.windows(2));
        let all = pairs
            .map(|(pair, parts)| self.equality(&pair[0], &pair[1], &parts[1]))
            .collect::<Parsed<Vec<_>>>()?;
        Ok(conjunction(all))
    }

    fn distinct(&mut self, parts: &[Sexpr]) -> Parsed<Formula> {
        let values = parts.iter().map(|part| self.value(part)).collect::<Parsed<Vec<_>>>()?;
        let mut all = Vec::new();
        for (index, a) in values.iter().enumerate() {
            for (b, part) in values.iter().zip(parts).skip(index + 1) {
                self.count(a.parts() + b.parts(), part)?;
                all.push(self.equality(a, b, part)?.negated());
            }
        }
        Ok(conjunction(all))
    }

    fn equality(&self, a: &Value, b: &Value, at: &Sexpr) -> Parsed<Formula> {
        match (a, b) {
            (Value::Formula(a), Value::Formula(b)) => {
                Ok(Formula::Iff(Box::new(a.clone()), Box::new(b.clone())))
            }
            (Value::Term(a, of_a), Value::Term(b, of_b)) if of_a == of_b => {
                Ok(Formula::atom(Symbol::Equals.ascii(), vec![a.clone(), b.clone()]))
            }
            _ => Err(self.unexpected(at, "something of the same sort")),
        }
    }

    fn call(&mut self, name: &str, values: Vec<Value>, at: &Sexpr) -> Parsed<Value> {
        let Some(signature) = self.functions.get(name) else {
            let nearest = None;
            return Err(self.error(
                at.span.clone(),
                Problem::Unknown { role: "function", name: name.to_owned(), nearest },
            ));
        };
        let (found, expected) = (values.len(), signature.arguments.len());
        if found != expected {
            let problem = Problem::Arity { role: "function", name: name.to_owned(), found, expected };
            return Err(self.error(at.span.clone(), problem));
        }
        let result = signature.result;
        let mut arguments = Vec::new();
        for (value, sort) in values.into_iter().zip(&signature.arguments) {
            match value {
                Value::Term(term, of_term) if of_term == *sort => arguments.push(term),
                _ => return Err(self.unexpected(at, "arguments of the sorts that are declared")),
            }
        }
        let parts = arguments.len() + 1;
        let value = match result {
            Some(sort) => Value::Term(Term::Function(name.to_owned(), arguments), sort),
            None => Value::Formula(Formula::atom(name, arguments)),
        };
        self.count(parts, at)?;
        Ok(value)
    }

    fn list<'s>(&self, expression: &'s Sexpr, expected: &str) -> Parsed<&'s [Sexpr]> {
        match &expression.shape {
            Shape::List(parts) => Ok(parts),
            Shape::Symbol(_) => Err(self.unexpected(expression, expected)),
        }
    }

    fn symbol<'s>(&self, expression: &'s Sexpr) -> Parsed<&'s str> {
        match &expression.shape {
            Shape::Symbol(name) => Ok(name),
            Shape::List(_) => Err(self.unexpected(expression, "a symbol")),
        }
    }

    fn unexpected(&self, found: &Sexpr, expected: &str) -> SyntaxError {
        let text: String = self.text[found.span.clone()].chars().take(30).collect();
        let problem = Problem::Unexpected { expected: expected.to_owned(), found: format!("`{text}`") };
        self.error(found.span.clone(), problem)
    }

    fn unsupported(&self, span: Range<usize>, what: &str) -> SyntaxError {
        self.error(span, Problem::Unsupported(what.to_owned()))
    }

    fn error(&self, span: Range<usize>, problem: Problem) -> SyntaxError {
        SyntaxError::new(self.text, span, problem)
    }
}

fn conjunction(mut parts: Vec<Formula>) -> Formula {
    if parts.len() == 1 { parts.remove(0) } else { Formula::And(parts) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assertions_are_read() {
        let document = read_smtlib(
            "; a comment\n(set-info :status unsat)(set-logic QF_UF)\n(declare-sort |my sort| 0)(declare-fun f (|my sort|) |my sort|)\n\
             (declare-const a |my sort|)(declare-fun p (|my sort|) Bool)(declare-const q Bool)\n\
             (assert (let ((t (f a)) (r (not q))) (and (= t a) (p t) (=> q r q))))\n\
             (assert (forall ((x |my sort|)) (exists ((y |my sort|)) (xor (p x) (distinct x y)))))\n\
             (assert (! (ite q true (= q false)) :named n))\n(check-sat)\n(get-model)\n",
        )
        .unwrap();
        let statements: Vec<String> =
            document.knowledge.statements().iter().map(ToString::to_string).collect();
        assert_eq!(
            statements,
            [
                "f(a) = a and p(f(a)) and (q implies not q implies q)",
                "forall x0. exists x1. not (p(x0) iff not x0 = x1)",
                "(q implies true) and (not q implies (q iff false))"
            ]
        );
        assert_eq!((document.goal, document.follows), (Some(Formula::Constant(false)), Some(true)));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, said) in [
            ("(declare-fun f (Int) Int)", "line 1, column 17: the sort `Int` cannot be read here"),
            ("(assert p)", "line 1, column 9: no function `p` is declared"),
            (
                "(declare-const p Bool)\n(assert (p p))",
                "line 2, column 9: the function `p` has 1 arguments here, and 0",
            ),
            ("(push 1)", "line 1, column 1: `push` of this form cannot be read here"),
            ("(assert", "line 1, column 1: the bracket is not closed"),
            ("(assert true))", "line 1, column 14: found `)`, expected"),
            (
                "(declare-sort A 0)(declare-sort B 0)(declare-const a A)(declare-const b B)(assert (= a b))",
                "line 1, column 88: found `b`",
            ),
            (
                "(declare-sort A 0)(declare-sort B 0)(assert (forall ((x A)) true))",
                "line 1, column 45: a quantifier, where",
            ),
        ] {
            let error = read_smtlib(text).unwrap_err().to_string();
            assert!(error.starts_with(said), "{text}: {error}");
        }
        let deep = format!("(assert {}true{})", "(not ".repeat(100_000), ")".repeat(100_000));
        assert!(read_smtlib(&deep).unwrap_err().to_string().contains("nested more than"));
        // Each name stands for the one before it twice.
        let names: String = (1..60).map(|n| format!("(let ((a{n} (and a{} a{})) )", n - 1, n - 1)).collect();
        let bomb = format!("(declare-const a0 Bool)(assert {names} a59{})", ")".repeat(59));
        assert!(read_smtlib(&bomb).unwrap_err().to_string().contains("parts of formulas"));
        // What a short text may become is little.
        let names: String = (1..18).map(|n| format!("(let ((a{n} (and a{} a{})) )", n - 1, n - 1)).collect();
        let bomb = format!("(declare-const a0 Bool)(assert {names} a17{})", ")".repeat(17));
        assert!(read_smtlib(&bomb).unwrap_err().to_string().contains("parts of formulas"));
    }
}
