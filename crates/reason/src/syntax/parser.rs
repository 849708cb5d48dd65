//! Formulas out of tokens.

use std::ops::Range;

use super::error::{Problem, SyntaxError};
use super::lexer::{Spanned, Token, tokens};
use super::names::{Names, is_variable_name};
use super::{Atom, Formula, MOST_DEPTH, Quantifier, Term};
use crate::symbols::Symbol;

/// The formula that a text is.
///
/// # Errors
/// The text is none, is nested deeper than [`MOST_DEPTH`], has a variable that nothing binds, or a name with two numbers of
/// arguments.
pub fn parse(text: &str) -> Result<Formula, SyntaxError> {
    parse_with(text, &mut Names::default())
}

/// As [`parse()`], where some predicates and functions are known already; those of the text come to them.
///
/// # Errors
/// As [`parse()`]; and a name that is not declared, where some are.
pub fn parse_with(text: &str, names: &mut Names) -> Result<Formula, SyntaxError> {
    let tokens = tokens(text)?;
    let mut parser = Parser { text, tokens: &tokens, at: 0, depth: 0, bound: Vec::new(), names };
    let formula = parser.formula()?;
    match parser.tokens.get(parser.at) {
        None if formula.depth() > MOST_DEPTH => {
            Err(parser.error_at(0..text.len(), Problem::TooDeep { most: MOST_DEPTH }))
        }
        None => Ok(formula),
        Some(_) => Err(parser.unexpected("an operator or the end")),
    }
}

/// Levels of the grammar in which a formula of [`MOST_DEPTH`] levels can be written: one takes three at most.
const MOST_NESTED: usize = 4 * MOST_DEPTH;

type Parsed<T> = Result<T, SyntaxError>;

/// How tightly the operators of two sides bind, from the loosest.
const LOOSEST: u8 = 0;

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Spanned],
    at: usize,
    depth: usize,
    /// Variables within whose reach the next token is.
    bound: Vec<String>,
    names: &'a mut Names,
}

impl Parser<'_> {
    fn formula(&mut self) -> Parsed<Formula> {
        self.operation(LOOSEST)
    }

    /// Operators of two sides that bind at least as tightly as `level`.
    fn operation(&mut self, level: u8) -> Parsed<Formula> {
        self.deeper(|parser| {
            let mut left = parser.negation()?;
            while let Some(symbol) = parser.operator(level) {
                parser.at += 1;
                left = parser.with_right_side(left, symbol)?;
            }
            Ok(left)
        })
    }

    /// The operator of two sides that comes next, if it binds tightly enough.
    fn operator(&self, level: u8) -> Option<Symbol> {
        let symbol = self.symbol()?;
        (binding(symbol)? >= level).then_some(symbol)
    }

    fn with_right_side(&mut self, left: Formula, symbol: Symbol) -> Parsed<Formula> {
        let tighter = binding(symbol).map_or(LOOSEST, |level| level + 1);
        match symbol {
            Symbol::And => Ok(Formula::And(self.chain(left, symbol, tighter)?)),
            Symbol::Or => Ok(Formula::Or(self.chain(left, symbol, tighter)?)),
            Symbol::Implies => Ok(left.implies(self.operation(tighter - 1)?)),
            _ => Ok(Formula::Iff(Box::new(left), Box::new(self.operation(tighter)?))),
        }
    }

    /// All parts of `a and b and c`.
    fn chain(&mut self, first: Formula, symbol: Symbol, tighter: u8) -> Parsed<Vec<Formula>> {
        let mut parts = vec![first, self.operation(tighter)?];
        while self.symbol() == Some(symbol) {
            self.at += 1;
            parts.push(self.operation(tighter)?);
        }
        Ok(parts)
    }

    fn negation(&mut self) -> Parsed<Formula> {
        match self.symbol() {
            Some(Symbol::Not) => {
                self.at += 1;
                Ok(self.deeper(Self::negation)?.negated())
            }
            Some(Symbol::Forall) => self.quantified(Quantifier::Forall),
            Some(Symbol::Exists) => self.quantified(Quantifier::Exists),
            Some(Symbol::Open) => self.bracketed(),
            _ => self.statement(),
        }
    }

    fn quantified(&mut self, quantifier: Quantifier) -> Parsed<Formula> {
        self.at += 1;
        let before = self.bound.len();
        self.variables()?;
        let body = self.formula()?;
        let variables = self.bound.split_off(before);
        Ok(variables
            .into_iter()
            .rev()
            .fold(body, |body, variable| Formula::Quantified(quantifier, variable, Box::new(body))))
    }

    /// Names up to a dot, or up to the next quantifier.
    fn variables(&mut self) -> Parsed<()> {
        let first = self.at;
        loop {
            match self.tokens.get(self.at).map(|spanned| &spanned.token) {
                Some(Token::Name(name)) if self.may_be_variable(name) => {
                    self.bound.push(name.clone());
                    self.at += 1;
                }
                Some(Token::Symbol(Symbol::Dot)) if self.at > first => {
                    self.at += 1;
                    return Ok(());
                }
                Some(Token::Symbol(Symbol::Forall | Symbol::Exists)) if self.at > first => return Ok(()),
                _ if self.at > first => return Err(self.unexpected("another variable or `.`")),
                _ => return Err(self.unexpected("a variable")),
            }
        }
    }

    /// No number, and not in quotes: those are constants.
    fn may_be_variable(&self, name: &str) -> bool {
        !self.text[self.span()].starts_with('\'') && !name.bytes().all(|byte| byte.is_ascii_digit())
    }

    fn bracketed(&mut self) -> Parsed<Formula> {
        if self.peek(1) == Some(&Token::Symbol(Symbol::Lambda)) {
            return self.applied();
        }
        self.at += 1;
        let formula = self.formula()?;
        self.expect(Symbol::Close, "an operator or `)`")?;
        Ok(formula)
    }

    /// `(lambda x. F)(t)`.
    fn applied(&mut self) -> Parsed<Formula> {
        self.at += 2;
        let before = self.bound.len();
        self.variables()?;
        let body = self.formula()?;
        let parameters = self.bound.split_off(before);
        let [parameter] = <[String; 1]>::try_from(parameters)
            .map_err(|_| self.unexpected("one variable behind `lambda`"))?;
        self.expect(Symbol::Close, "an operator or `)`")?;
        self.expect(Symbol::Open, "`(` and the term that `lambda` is applied to")?;
        let argument = self.term()?;
        self.expect(Symbol::Close, "`)`")?;
        Ok(Formula::Applied { parameter, body: Box::new(body), argument })
    }

    /// A truth value, a predicate of terms, or a relation of two terms.
    fn statement(&mut self) -> Parsed<Formula> {
        if let Some(&Token::Truth(value)) = self.peek(0) {
            self.at += 1;
            return Ok(Formula::Constant(value));
        }
        let begin = self.at;
        if !matches!(self.peek(0), Some(Token::Name(_))) {
            return Err(self.unexpected("a statement"));
        }
        let left = self.named()?;
        match self.symbol().filter(|symbol| symbol.is_relation()) {
            Some(relation) => {
                self.note_functions(&left, begin)?;
                self.at += 1;
                let right = self.term()?;
                Ok(Formula::atom(relation.ascii(), vec![left, right]))
            }
            None => self.predicate(left, begin),
        }
    }

    fn predicate(&mut self, mut term: Term, begin: usize) -> Parsed<Formula> {
        let span = self.tokens[begin].span.clone();
        match &mut term {
            Term::Variable(name) => Err(self.error_at(span, Problem::NoStatement { name: name.clone() })),
            Term::Function(name, arguments) => {
                let (name, arguments) = (std::mem::take(name), std::mem::take(arguments));
                self.names
                    .predicate(&name, arguments.len())
                    .map_err(|problem| self.error_at(span, problem))?;
                for argument in &arguments {
                    self.note_functions(argument, begin)?;
                }
                Ok(Formula::Atom(Atom { predicate: name, arguments }))
            }
        }
    }

    fn term(&mut self) -> Parsed<Term> {
        let begin = self.at;
        if !matches!(self.peek(0), Some(Token::Name(_))) {
            return Err(self.unexpected("a term"));
        }
        let term = self.named()?;
        self.note_functions(&term, begin)?;
        Ok(term)
    }

    fn note_functions(&mut self, term: &Term, begin: usize) -> Parsed<()> {
        let noted = term.subterms().try_for_each(|term| match term {
            Term::Variable(_) => Ok(()),
            Term::Function(name, arguments) => {
                self.names.function(name, arguments.len()).map_err(|problem| (name, problem))
            }
        });
        noted.map_err(|(name, problem)| {
            let named =
                self.tokens[begin..self.at].iter().find(|spanned| spanned.token == Token::Name(name.clone()));
            let span = named.unwrap_or(&self.tokens[begin]).span.clone();
            self.error_at(span, problem)
        })
    }

    /// A name with its arguments, whether it is a term or a predicate.
    fn named(&mut self) -> Parsed<Term> {
        let Some(Token::Name(name)) = self.peek(0) else { return Err(self.unexpected("a term")) };
        let name = name.clone();
        let span = self.tokens[self.at].span.clone();
        self.at += 1;
        if self.symbol() != Some(Symbol::Open) {
            let is_quoted = self.text[span.clone()].starts_with('\'');
            return match !is_quoted && self.bound.contains(&name) {
                true => Ok(Term::Variable(name)),
                false if !is_quoted && is_variable_name(&name) => {
                    Err(self.error_at(span, Problem::Unbound { name }))
                }
                false => Ok(Term::Function(name, Vec::new())),
            };
        }
        self.at += 1;
        let arguments = self.deeper(Self::arguments)?;
        Ok(Term::Function(name, arguments))
    }

    fn arguments(&mut self) -> Parsed<Vec<Term>> {
        let mut arguments = vec![self.named()?];
        while self.peek(0) == Some(&Token::Comma) {
            self.at += 1;
            arguments.push(self.named()?);
        }
        self.expect(Symbol::Close, "`,` or `)`")?;
        Ok(arguments)
    }

    /// One level deeper, if there is one.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == MOST_NESTED {
            return Err(self.error(Problem::TooDeep { most: MOST_DEPTH }));
        }
        self.depth += 1;
        let read = read(self)?;
        self.depth -= 1;
        Ok(read)
    }

    fn peek(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.at + ahead).map(|spanned| &spanned.token)
    }

    fn symbol(&self) -> Option<Symbol> {
        match self.peek(0)? {
            Token::Symbol(symbol) => Some(*symbol),
            _ => None,
        }
    }

    fn expect(&mut self, symbol: Symbol, expected: &str) -> Parsed<()> {
        if self.symbol() != Some(symbol) {
            return Err(self.unexpected(expected));
        }
        self.at += 1;
        Ok(())
    }

    fn span(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(self.text.len()..self.text.len(), |spanned| spanned.span.clone())
    }

    fn unexpected(&self, expected: &str) -> SyntaxError {
        let found = self.peek(0).map_or_else(|| "the end".to_owned(), ToString::to_string);
        self.error(Problem::Unexpected { expected: expected.to_owned(), found })
    }

    fn error(&self, problem: Problem) -> SyntaxError {
        self.error_at(self.span(), problem)
    }

    fn error_at(&self, span: Range<usize>, problem: Problem) -> SyntaxError {
        SyntaxError::new(self.text, span, problem)
    }
}

/// How tightly an operator of two sides binds; none of others.
pub(crate) fn binding(symbol: Symbol) -> Option<u8> {
    match symbol {
        Symbol::Iff => Some(0),
        Symbol::Implies => Some(1),
        Symbol::Or => Some(2),
        Symbol::And => Some(3),
        _ => None,
    }
}
