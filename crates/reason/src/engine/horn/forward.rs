//! From the facts to all that follows.

use std::collections::HashMap;

use super::{Found, Steps};
use crate::engine::{Budget, Reason};
use crate::knowledge::{Query, Rule};
use crate::proof::{Derivation, Inference, Interpretation};
use crate::syntax::{Atom, Term};

/// Derives facts until the goal is among them, or no other is left. Rules and the goal have no functions.
pub(super) fn search(rules: &[Rule], query: &Query, budget: Budget) -> Result<Found, Reason> {
    let mut search = Search::new(rules, query, budget);
    search.run()?;
    Ok(match &search.answer {
        Some(premises) => Found::Derived(search.derivation(premises)),
        None => Found::World(search.world()),
    })
}

/// An argument of an atom in a rule.
#[derive(Clone, Copy)]
enum Argument {
    Constant(u32),
    /// By its number in the rule.
    Variable(usize),
}

struct Pattern {
    predicate: u32,
    arguments: Vec<Argument>,
}

struct Compiled {
    /// None is the goal.
    head: Option<Pattern>,
    body: Vec<Pattern>,
    variables: usize,
}

/// A fact: its predicate and arguments, and what it was concluded from.
struct Fact {
    predicate: u32,
    arguments: Vec<u32>,
    rule: u32,
    terms: Vec<u32>,
    premises: Vec<u32>,
}

/// Numbers for names.
struct Interned<T> {
    items: Vec<T>,
    numbers: HashMap<T, u32>,
}

impl<T: Clone + Eq + std::hash::Hash> Interned<T> {
    fn new() -> Self {
        Self { items: Vec::new(), numbers: HashMap::new() }
    }

    fn number(&mut self, item: &T) -> u32 {
        if let Some(&number) = self.numbers.get(item) {
            return number;
        }
        let number = self.items.len() as u32;
        self.items.push(item.clone());
        self.numbers.insert(item.clone(), number);
        number
    }
}

struct Search {
    predicates: Interned<(String, usize)>,
    constants: Interned<Term>,
    rules: Vec<Compiled>,
    /// By predicate: rules and the places in their bodies where it stands.
    uses: Vec<Vec<(usize, usize)>>,
    facts: Vec<Fact>,
    known: HashMap<(u32, Vec<u32>), u32>,
    /// By predicate; and by predicate, place and constant: facts, the first first.
    of_predicate: Vec<Vec<u32>>,
    with_constant: HashMap<(u32, usize, u32), Vec<u32>>,
    /// What the goal follows from.
    answer: Option<Vec<u32>>,
    steps: Steps,
    room: u64,
    size: u64,
}

/// Places of a predicate by whose constants facts are found.
const INDEXED: usize = 2;

impl Search {
    fn new(rules: &[Rule], query: &Query, budget: Budget) -> Self {
        let mut search = Self {
            predicates: Interned::new(),
            constants: Interned::new(),
            rules: Vec::new(),
            uses: Vec::new(),
            facts: Vec::new(),
            known: HashMap::new(),
            of_predicate: Vec::new(),
            with_constant: HashMap::new(),
            answer: None,
            steps: Steps::new(budget.steps),
            room: budget.size,
            size: budget.size,
        };
        for rule in rules {
            search.compile(Some(&rule.head), &rule.body, &rule.variables());
        }
        let question = Rule { head: Atom::new("", Vec::new()), body: query.atoms.clone() };
        search.compile(None, &question.body, &question.variables());
        if search.constants.items.is_empty() {
            // Something there is.
            search.constants.number(&Term::constant("something"));
        }
        search.of_predicate = vec![Vec::new(); search.predicates.items.len()];
        search.uses = vec![Vec::new(); search.predicates.items.len()];
        for (rule, compiled) in search.rules.iter().enumerate() {
            for (place, pattern) in compiled.body.iter().enumerate() {
                search.uses[pattern.predicate as usize].push((rule, place));
            }
        }
        search
    }

    fn compile(&mut self, head: Option<&Atom>, body: &[Atom], variables: &[&str]) {
        let body = body.iter().map(|atom| self.pattern(atom, variables)).collect();
        let head = head.map(|head| self.pattern(head, variables));
        self.rules.push(Compiled { head, body, variables: variables.len() });
    }

    fn pattern(&mut self, atom: &Atom, variables: &[&str]) -> Pattern {
        let arguments = atom.arguments.iter().map(|term| match term {
            Term::Variable(name) => {
                Argument::Variable(variables.iter().position(|variable| variable == name).unwrap_or_default())
            }
            constant => Argument::Constant(self.constants.number(constant)),
        });
        let arguments: Vec<Argument> = arguments.collect();
        Pattern { predicate: self.predicates.number(&(atom.predicate.clone(), arguments.len())), arguments }
    }

    fn run(&mut self) -> Result<(), Reason> {
        for rule in 0..self.rules.len() {
            if self.rules[rule].body.is_empty() {
                self.conclude(rule, &mut vec![None; self.rules[rule].variables], &[])?;
            }
        }
        // Each fact in turn is the latest one that a premise is; so nothing is concluded twice in the same way.
        let mut latest = 0;
        while latest < self.facts.len() && self.answer.is_none() {
            let uses = self.uses[self.facts[latest].predicate as usize].clone();
            for (rule, place) in uses {
                let mut terms = vec![None; self.rules[rule].variables];
                if self.matches(rule, place, latest as u32, &mut terms) {
                    let mut premises = vec![latest as u32; self.rules[rule].body.len()];
                    self.join(rule, 0, (place, latest as u32), &mut terms, &mut premises)?;
                }
            }
            latest += 1;
        }
        Ok(())
    }

    /// Finds facts for the premises of a rule from one on; the one at `fixed` has its own.
    fn join(
        &mut self,
        rule: usize,
        place: usize,
        fixed: (usize, u32),
        terms: &mut Vec<Option<u32>>,
        premises: &mut Vec<u32>,
    ) -> Result<(), Reason> {
        if self.answer.is_some() {
            return Ok(());
        }
        if place == self.rules[rule].body.len() {
            return self.conclude(rule, terms, premises);
        }
        if place == fixed.0 {
            return self.join(rule, place + 1, fixed, terms, premises);
        }
        // Earlier premises are earlier facts, so that the latest stands at its first place.
        let end = if place < fixed.0 { fixed.1 } else { fixed.1 + 1 };
        let mut at = 0;
        while let Some(fact) =
            self.candidate(&self.rules[rule].body[place], terms, at).filter(|&fact| fact < end)
        {
            at += 1;
            self.steps.take()?;
            let mut more = terms.clone();
            if self.matches(rule, place, fact, &mut more) {
                premises[place] = fact;
                self.join(rule, place + 1, fixed, &mut more, premises)?;
            }
        }
        Ok(())
    }

    /// The fact of a number among those that may match, by the first constant that is known.
    fn candidate(&self, pattern: &Pattern, terms: &[Option<u32>], at: usize) -> Option<u32> {
        for (place, argument) in pattern.arguments.iter().take(INDEXED).enumerate() {
            let constant = match *argument {
                Argument::Constant(constant) => Some(constant),
                Argument::Variable(variable) => terms[variable],
            };
            if let Some(constant) = constant {
                return self.with_constant.get(&(pattern.predicate, place, constant))?.get(at).copied();
            }
        }
        self.of_predicate[pattern.predicate as usize].get(at).copied()
    }

    fn matches(&self, rule: usize, place: usize, fact: u32, terms: &mut [Option<u32>]) -> bool {
        let pattern = &self.rules[rule].body[place];
        let fact = &self.facts[fact as usize];
        fact.predicate == pattern.predicate
            && pattern.arguments.iter().zip(&fact.arguments).all(|(argument, &found)| match *argument {
                Argument::Constant(constant) => constant == found,
                Argument::Variable(variable) => *terms[variable].get_or_insert(found) == found,
            })
    }

    /// Takes note of what follows, for all things in the place of variables that the body has not.
    fn conclude(
        &mut self,
        rule: usize,
        terms: &mut Vec<Option<u32>>,
        premises: &[u32],
    ) -> Result<(), Reason> {
        if let Some(open) = terms.iter().position(Option::is_none) {
            for constant in 0..self.constants.items.len() as u32 {
                terms[open] = Some(constant);
                self.conclude(rule, terms, premises)?;
            }
            terms[open] = None;
            return Ok(());
        }
        self.steps.take()?;
        let terms: Vec<u32> = terms.iter().flatten().copied().collect();
        let Some(head) = &self.rules[rule].head else {
            self.answer = Some(premises.to_vec());
            return Ok(());
        };
        let arguments = head.arguments.iter().map(|argument| match *argument {
            Argument::Constant(constant) => constant,
            Argument::Variable(variable) => terms[variable],
        });
        let arguments = arguments.collect();
        self.add(Fact {
            predicate: head.predicate,
            arguments,
            rule: rule as u32,
            terms,
            premises: premises.to_vec(),
        })
    }

    fn add(&mut self, fact: Fact) -> Result<(), Reason> {
        let key = (fact.predicate, fact.arguments.clone());
        if self.known.contains_key(&key) {
            return Ok(());
        }
        let cost = (fact.arguments.len() + fact.premises.len() + fact.terms.len() + 1) as u64;
        let spent = || Reason::Budget(format!("{} atoms and terms", self.size));
        self.room = self.room.checked_sub(cost).ok_or_else(spent)?;
        let number = self.facts.len() as u32;
        self.of_predicate[fact.predicate as usize].push(number);
        for (place, &constant) in fact.arguments.iter().take(INDEXED).enumerate() {
            self.with_constant.entry((fact.predicate, place, constant)).or_default().push(number);
        }
        self.known.insert(key, number);
        self.facts.push(fact);
        Ok(())
    }

    /// The facts that are needed for an answer.
    fn derivation(&self, answers: &[u32]) -> Derivation {
        let mut is_needed = vec![false; self.facts.len()];
        answers.iter().for_each(|&fact| is_needed[fact as usize] = true);
        for fact in (0..self.facts.len()).rev() {
            if is_needed[fact] {
                self.facts[fact].premises.iter().for_each(|&premise| is_needed[premise as usize] = true);
            }
        }
        let kept: Vec<u32> = (0..self.facts.len() as u32).filter(|&fact| is_needed[fact as usize]).collect();
        let place = |fact: &u32| kept.partition_point(|kept| kept < fact) as u32;
        let inferences = kept.iter().map(|&fact| {
            let fact = &self.facts[fact as usize];
            Inference {
                rule: fact.rule,
                terms: fact
                    .terms
                    .iter()
                    .map(|&constant| self.constants.items[constant as usize].clone())
                    .collect(),
                premises: fact.premises.iter().map(place).collect(),
            }
        });
        Derivation { inferences: inferences.collect(), answers: answers.iter().map(place).collect() }
    }

    fn world(&self) -> Interpretation {
        let atoms = self.facts.iter().map(|fact| Atom {
            predicate: self.predicates.items[fact.predicate as usize].0.clone(),
            arguments: fact
                .arguments
                .iter()
                .map(|&constant| self.constants.items[constant as usize].clone())
                .collect(),
        });
        Interpretation {
            things: self.constants.items.clone(),
            holds: atoms.collect(),
            ..Interpretation::default()
        }
    }
}
