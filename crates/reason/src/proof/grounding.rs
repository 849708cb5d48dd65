//! Statements as propositional clauses.
//!
//! A goal follows exactly when the knowledge and the negation of the goal have no world. Where no statement says that something
//! exists for each of many things, and no quantifier meets a function of something, it is enough to look at worlds of
//! the things that are named (Bernays and Schönfinkel, 1928): "all" is then a conjunction over them. What exists gets a name of
//! its own. Equality becomes what it says: everything equals itself, equals can be swapped. Other formulas become
//! clauses by a name for each part (Tseitin, "On the complexity of derivation in propositional calculus", 1968).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::knowledge::Knowledge;
use crate::symbols::Symbol;
use crate::syntax::{Atom, Formula, Quantifier, Term, substitute, unfolded};

use super::Interpretation;

/// More terms cannot take part in equality: swapping equals takes a clause for each three of them.
const MOST_EQUAL: usize = 60;

/// Clauses that say the same as statements, or have a world exactly where they have one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clauses {
    /// Each a disjunction of different literals; those of atoms and of parts are numbered from 1, the negation has a minus.
    pub clauses: Vec<Vec<i32>>,
    /// How many variables the literals have.
    pub variables: usize,
    /// The first variables, from 1.
    pub atoms: Vec<Atom>,
    /// All things that are named.
    pub things: Vec<Term>,
    has_equality: bool,
}

/// Why statements are no clauses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoClauses {
    /// They are of another kind.
    Outside(String),
    /// They become too many.
    TooLarge,
}

/// Knowledge and the negation of a goal as clauses of at most so many literals in all.
pub(crate) fn ground(
    knowledge: &Knowledge,
    goal: &Formula,
    most_literals: u64,
) -> Result<Clauses, NoClauses> {
    let mut names = Skolem { next: 0, taken: BTreeSet::new() };
    let denied = unfolded(goal).negated();
    let all: Vec<Formula> = knowledge.statements().iter().map(unfolded).chain([denied]).collect();
    for formula in &all {
        names.taken.extend(function_names(formula));
    }
    let mut room = Room(most_literals);
    let normal: Vec<Formula> = all
        .iter()
        .map(|formula| normal(formula, true, &mut Scope { names: &mut names, universal: 0, room: &mut room }))
        .collect::<Result<_, _>>()?;
    let mut things = ground_terms(&normal);
    let has_quantifiers =
        normal.iter().flat_map(Formula::subformulas).any(|part| matches!(part, Formula::Quantified(..)));
    if has_quantifiers {
        only_constants(&normal)?;
        if things.is_empty() {
            // Something there is.
            things.insert(Term::constant(names.fresh()));
        }
    }
    let things: Vec<Term> = things.into_iter().collect();
    let mut encoder = Encoder::new(things, room);
    for formula in &normal {
        let ground = encoder.instances(formula)?;
        encoder.assert(&ground)?;
    }
    if encoder.has_equality {
        encoder.equality()?;
    }
    Ok(encoder.finish())
}

/// Literals that may still be made.
struct Room(u64);

impl Room {
    fn take(&mut self, literals: usize) -> Result<(), NoClauses> {
        self.0 = self.0.checked_sub(literals as u64).ok_or(NoClauses::TooLarge)?;
        Ok(())
    }
}

/// Names for what exists.
struct Skolem {
    next: u64,
    taken: BTreeSet<String>,
}

impl Skolem {
    fn fresh(&mut self) -> String {
        loop {
            let name = format!("some{}", self.next);
            self.next += 1;
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }
}

fn terms(formula: &Formula) -> impl Iterator<Item = &Term> {
    formula.atoms().flat_map(|atom| &atom.arguments).flat_map(Term::subterms)
}

fn function_names(formula: &Formula) -> impl Iterator<Item = String> {
    terms(formula).filter_map(|term| match term {
        Term::Function(name, _) => Some(name.clone()),
        Term::Variable(_) => None,
    })
}

fn ground_terms(formulas: &[Formula]) -> BTreeSet<Term> {
    formulas.iter().flat_map(terms).filter(|term| term.is_ground()).cloned().collect()
}

fn only_constants(formulas: &[Formula]) -> Result<(), NoClauses> {
    match formulas.iter().flat_map(terms).find(|term| !term.arguments().is_empty()) {
        Some(term) => {
            Err(NoClauses::Outside(format!("quantifiers together with a function, such as `{term}`")))
        }
        None => Ok(()),
    }
}

struct Scope<'a> {
    names: &'a mut Skolem,
    /// How many "all" are around.
    universal: usize,
    room: &'a mut Room,
}

/// A formula, or its negation, with negations at atoms only and without "exists". "Iff" stays where no quantifier is in it.
fn normal(formula: &Formula, is_positive: bool, scope: &mut Scope) -> Result<Formula, NoClauses> {
    scope.room.take(1)?;
    Ok(match formula {
        Formula::Constant(value) => Formula::Constant(*value == is_positive),
        Formula::Atom(_) if is_positive => formula.clone(),
        Formula::Atom(_) => formula.clone().negated(),
        Formula::Not(body) => normal(body, !is_positive, scope)?,
        Formula::And(parts) | Formula::Or(parts) => {
            let parts =
                parts.iter().map(|part| normal(part, is_positive, scope)).collect::<Result<_, _>>()?;
            let is_and = matches!(formula, Formula::And(_)) == is_positive;
            if is_and { Formula::And(parts) } else { Formula::Or(parts) }
        }
        Formula::Implies(a, b) => {
            let sides = vec![normal(a, !is_positive, scope)?, normal(b, is_positive, scope)?];
            if is_positive { Formula::Or(sides) } else { Formula::And(sides) }
        }
        Formula::Iff(a, b) if is_propositional(a) && is_propositional(b) => {
            Formula::Iff(Box::new(normal(a, is_positive, scope)?), Box::new(normal(b, true, scope)?))
        }
        Formula::Iff(a, b) => {
            let mut either = |a_is: bool, b_is: bool| -> Result<Formula, NoClauses> {
                Ok(Formula::Or(vec![normal(a, a_is, scope)?, normal(b, b_is, scope)?]))
            };
            Formula::And(vec![either(false, is_positive)?, either(true, !is_positive)?])
        }
        Formula::Quantified(quantifier, variable, body) => {
            if (*quantifier == Quantifier::Forall) == is_positive {
                scope.universal += 1;
                let body = normal(body, is_positive, scope)?;
                scope.universal -= 1;
                Formula::forall(variable.clone(), body)
            } else if scope.universal > 0 {
                return Err(NoClauses::Outside("something that exists for each of many things".to_owned()));
            } else {
                let term = Term::constant(scope.names.fresh());
                let body = substitute(body, &BTreeMap::from([(variable.clone(), term)]));
                normal(&body, is_positive, scope)?
            }
        }
        // Unfolded before.
        Formula::Applied { .. } => Formula::Constant(is_positive),
    })
}

fn is_propositional(formula: &Formula) -> bool {
    !formula.subformulas().any(|part| matches!(part, Formula::Quantified(..)))
}

struct Encoder {
    clauses: Clauses,
    variables: HashMap<Atom, i32>,
    /// Clauses of parts, whose variables come behind those of all atoms.
    parts: Vec<Part>,
    room: Room,
    has_equality: bool,
}

/// A variable of an atom or of a part; a literal is one of them or its negation.
type Literal = (Symbolic, bool);

#[derive(Clone, Copy)]
enum Symbolic {
    Atom(i32),
    Part(usize),
}

/// A clause in which parts have no numbers yet.
type Part = Vec<Literal>;

impl Encoder {
    fn new(things: Vec<Term>, room: Room) -> Self {
        let clauses = Clauses { things, ..Clauses::default() };
        Self { clauses, variables: HashMap::new(), parts: Vec::new(), room, has_equality: false }
    }

    /// The formula with a conjunction over all things in the place of "all".
    fn instances(&mut self, formula: &Formula) -> Result<Formula, NoClauses> {
        self.room.take(1)?;
        Ok(match formula {
            Formula::And(parts) => Formula::And(self.all(parts)?),
            Formula::Or(parts) => Formula::Or(self.all(parts)?),
            Formula::Quantified(_, variable, body) => {
                let things = self.clauses.things.clone();
                let mut instances = Vec::new();
                for thing in things {
                    let body = substitute(body, &BTreeMap::from([(variable.clone(), thing)]));
                    instances.push(self.instances(&body)?);
                }
                Formula::And(instances)
            }
            other => other.clone(),
        })
    }

    fn all(&mut self, parts: &[Formula]) -> Result<Vec<Formula>, NoClauses> {
        parts.iter().map(|part| self.instances(part)).collect()
    }

    /// Clauses that say that a formula holds.
    fn assert(&mut self, formula: &Formula) -> Result<(), NoClauses> {
        match formula {
            Formula::And(parts) => parts.iter().try_for_each(|part| self.assert(part)),
            Formula::Constant(true) => Ok(()),
            Formula::Or(parts) => {
                let mut clause = Vec::new();
                for part in parts {
                    if !self.collect(part, &mut clause)? {
                        return Ok(());
                    }
                }
                self.clause(clause)
            }
            other => {
                let mut clause = Vec::new();
                if self.collect(other, &mut clause)? { self.clause(clause) } else { Ok(()) }
            }
        }
    }

    /// Puts the literals of a disjunction into a clause; false where it holds anyway.
    fn collect(&mut self, formula: &Formula, clause: &mut Part) -> Result<bool, NoClauses> {
        match formula {
            Formula::Constant(value) => Ok(!value),
            Formula::Or(parts) => {
                for part in parts {
                    if !self.collect(part, clause)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            other => {
                clause.push(self.literal(other)?);
                Ok(true)
            }
        }
    }

    /// A literal that is true exactly where a formula is.
    fn literal(&mut self, formula: &Formula) -> Result<Literal, NoClauses> {
        match formula {
            Formula::Atom(atom) => Ok((Symbolic::Atom(self.atom(atom)?), true)),
            Formula::Not(body) => {
                let (variable, is_positive) = self.literal(body)?;
                Ok((variable, !is_positive))
            }
            Formula::Constant(value) => {
                let part = self.part();
                self.clause(vec![(part, *value)])?;
                Ok((part, true))
            }
            Formula::And(parts) => self.junction(parts, true),
            Formula::Or(parts) => self.junction(parts, false),
            Formula::Iff(a, b) => {
                let (a, b) = (self.literal(a)?, self.literal(b)?);
                let whole = self.part();
                for (a_is, b_is, is) in
                    [(false, true, false), (true, false, false), (true, true, true), (false, false, true)]
                {
                    self.clause(vec![(a.0, a.1 == a_is), (b.0, b.1 == b_is), (whole, is)])?;
                }
                Ok((whole, true))
            }
            _ => Err(NoClauses::Outside("such a formula".to_owned())),
        }
    }

    fn junction(&mut self, parts: &[Formula], is_and: bool) -> Result<Literal, NoClauses> {
        let literals = parts.iter().map(|part| self.literal(part)).collect::<Result<Vec<_>, _>>()?;
        let whole = self.part();
        for &(variable, is_positive) in &literals {
            self.clause(vec![(whole, !is_and), (variable, is_positive == is_and)])?;
        }
        let mut all: Part =
            literals.iter().map(|&(variable, is_positive)| (variable, is_positive != is_and)).collect();
        all.push((whole, is_and));
        self.clause(all)?;
        Ok((whole, true))
    }

    fn part(&mut self) -> Symbolic {
        let number = self.clauses.variables;
        self.clauses.variables += 1;
        Symbolic::Part(number)
    }

    fn clause(&mut self, clause: Part) -> Result<(), NoClauses> {
        self.room.take(clause.len())?;
        self.parts.push(clause);
        Ok(())
    }

    fn atom(&mut self, atom: &Atom) -> Result<i32, NoClauses> {
        if let Some(&known) = self.variables.get(atom) {
            return Ok(known);
        }
        let number = i32::try_from(self.clauses.atoms.len() + 1).map_err(|_| NoClauses::TooLarge)?;
        self.has_equality |= atom.predicate == Symbol::Equals.ascii();
        self.clauses.atoms.push(atom.clone());
        self.variables.insert(atom.clone(), number);
        Ok(number)
    }

    /// What equality says of all terms and atoms.
    fn equality(&mut self) -> Result<(), NoClauses> {
        let things = self.clauses.things.clone();
        if things.len() > MOST_EQUAL {
            return Err(NoClauses::TooLarge);
        }
        for a in &things {
            let itself = self.equal(a, a)?;
            self.clause(vec![itself])?;
            for b in &things {
                let (one, other) = (self.equal(a, b)?, self.equal(b, a)?);
                self.clause(vec![not(one), other])?;
                for c in &things {
                    let (next, all) = (self.equal(b, c)?, self.equal(a, c)?);
                    self.clause(vec![not(one), not(next), all])?;
                }
                if let (Term::Function(f, of_a), Term::Function(g, of_b)) = (a, b)
                    && f == g
                    && of_a.len() == of_b.len()
                    && !of_a.is_empty()
                {
                    let mut clause = self.differences(of_a, of_b)?;
                    clause.push(one);
                    self.clause(clause)?;
                }
            }
        }
        self.equal_arguments()
    }

    /// Atoms of one predicate whose arguments are equal are both so.
    fn equal_arguments(&mut self) -> Result<(), NoClauses> {
        let mut by_predicate: BTreeMap<&str, Vec<&Atom>> = BTreeMap::new();
        let atoms = self.clauses.atoms.clone();
        for atom in
            atoms.iter().filter(|atom| atom.predicate != Symbol::Equals.ascii() && !atom.arguments.is_empty())
        {
            by_predicate.entry(&atom.predicate).or_default().push(atom);
        }
        for alike in by_predicate.values() {
            for a in alike {
                for b in alike.iter().filter(|b| *b != a && b.arguments.len() == a.arguments.len()) {
                    let mut clause = self.differences(&a.arguments, &b.arguments)?;
                    clause.push((Symbolic::Atom(self.atom(a)?), false));
                    clause.push((Symbolic::Atom(self.atom(b)?), true));
                    self.clause(clause)?;
                }
            }
        }
        Ok(())
    }

    fn differences(&mut self, a: &[Term], b: &[Term]) -> Result<Part, NoClauses> {
        let pairs = a.iter().zip(b).filter(|(a, b)| a != b);
        pairs.map(|(a, b)| Ok(not(self.equal(a, b)?))).collect()
    }

    fn equal(&mut self, a: &Term, b: &Term) -> Result<Literal, NoClauses> {
        let atom = Atom::new(Symbol::Equals.ascii(), vec![a.clone(), b.clone()]);
        Ok((Symbolic::Atom(self.atom(&atom)?), true))
    }

    /// Gives numbers to parts, behind those of the atoms.
    fn finish(mut self) -> Clauses {
        let atoms = self.clauses.atoms.len();
        let number = |&(variable, is_positive): &Literal| {
            let number = match variable {
                Symbolic::Atom(number) => number,
                Symbolic::Part(part) => i32::try_from(atoms + part + 1).unwrap_or(i32::MAX),
            };
            if is_positive { number } else { -number }
        };
        let clause = |clause: &Part| {
            let mut numbers: Vec<i32> = clause.iter().map(number).collect();
            numbers.sort_unstable();
            numbers.dedup();
            numbers
        };
        self.clauses.clauses = self.parts.iter().map(clause).collect();
        self.clauses.variables += atoms;
        self.clauses.has_equality = self.has_equality;
        self.clauses
    }
}

fn not((variable, is_positive): Literal) -> Literal {
    (variable, !is_positive)
}

impl Clauses {
    /// The world in which exactly the atoms of these variables (from 1) hold.
    pub fn world(&self, is_true: impl Fn(usize) -> bool) -> Interpretation {
        let mut world = Interpretation::default();
        let holding =
            || self.atoms.iter().enumerate().filter(|(index, _)| is_true(index + 1)).map(|(_, atom)| atom);
        if self.has_equality {
            // A thing goes by the first of its terms.
            for atom in holding().filter(|atom| atom.predicate == Symbol::Equals.ascii()) {
                if let [a, b] = atom.arguments.as_slice()
                    && b < a
                {
                    let first = world.same.entry(a.clone()).or_insert_with(|| b.clone());
                    if b < first {
                        *first = b.clone();
                    }
                }
            }
        }
        // A function of things that go by other terms is looked up by those, also where the thing goes by the function itself.
        let first = |term: &Term| world.same.get(term).unwrap_or(term).clone();
        let moved = self.things.iter().filter_map(|term| match term {
            Term::Function(name, arguments) if !arguments.is_empty() => {
                let moved = Term::Function(name.clone(), arguments.iter().map(first).collect());
                Some((moved, first(term))).filter(|(moved, first)| moved != first)
            }
            _ => None,
        });
        let moved: Vec<(Term, Term)> = moved.collect();
        world.same.extend(moved);
        world.things = self.things.iter().filter(|thing| !world.same.contains_key(*thing)).cloned().collect();
        for atom in holding().filter(|atom| atom.predicate != Symbol::Equals.ascii()) {
            let arguments = atom.arguments.iter().map(|term| world.representative(term)).collect();
            world.holds.insert(Atom { predicate: atom.predicate.clone(), arguments });
        }
        world
    }
}
