//! From the goal to the facts that it needs.
//!
//! The first open goal is replaced by the body of a rule, in the order of the rules, to a depth that is doubled until
//! nothing is cut off. A goal that is one of those it came from is given up: whatever shows it shows that one without it.

use std::collections::BTreeMap;

use super::{Found, Steps};
use crate::engine::{Budget, Reason};
use crate::knowledge::{Query, Rule};
use crate::proof::{Derivation, Inference};
use crate::syntax::{Atom, MOST_DEPTH, Term};

/// The depth to which is searched at first.
const FIRST_DEPTH: usize = 8;

/// Searches for a derivation of a goal.
pub(super) fn search(rules: &[Rule], query: &Query, budget: Budget) -> Result<Found, Reason> {
    let program = Program::new(rules, query);
    let mut steps = Steps::new(budget.steps);
    let mut depth = FIRST_DEPTH;
    loop {
        let mut search = Search::new(&program, depth, budget.size, &mut steps);
        match search.run()? {
            Outcome::Found => return Ok(Found::Derived(search.derivation()?)),
            Outcome::Exhausted => return Ok(Found::Nothing),
            Outcome::Cut => depth *= 2,
        }
    }
}

/// A term of a rule, with numbers for its variables.
enum Pattern {
    Variable(usize),
    Function(String, Vec<Pattern>),
}

struct Compiled {
    head: Vec<Pattern>,
    /// Predicate and arguments of each premise.
    body: Vec<(Vec<Pattern>, Vec<usize>)>,
    variables: usize,
}

struct Program {
    rules: Vec<Compiled>,
    query: Compiled,
    /// A constant for variables that may stand for anything.
    anything: Term,
}

impl Program {
    fn new(rules: &[Rule], query: &Query) -> Self {
        let mut heads: BTreeMap<(&str, usize), Vec<usize>> = BTreeMap::new();
        for (number, rule) in rules.iter().enumerate() {
            heads.entry((&rule.head.predicate, rule.head.arguments.len())).or_default().push(number);
        }
        let compile = |head: &[Term], body: &[Atom], variables: &[&str]| Compiled {
            head: head.iter().map(|term| pattern(term, variables)).collect(),
            body: body
                .iter()
                .map(|atom| {
                    let patterns = atom.arguments.iter().map(|term| pattern(term, variables)).collect();
                    let matching = heads.get(&(atom.predicate.as_str(), atom.arguments.len()));
                    (patterns, matching.cloned().unwrap_or_default())
                })
                .collect(),
            variables: variables.len(),
        };
        let all = rules.iter().map(|rule| compile(&rule.head.arguments, &rule.body, &rule.variables()));
        let question = Rule { head: Atom::new("", Vec::new()), body: query.atoms.clone() };
        let atoms = rules.iter().flat_map(|rule| rule.body.iter().chain([&rule.head])).chain(&query.atoms);
        let mut constants = atoms.flat_map(|atom| &atom.arguments).flat_map(Term::subterms);
        let constant =
            constants.find(|term| matches!(term, Term::Function(_, arguments) if arguments.is_empty()));
        Self {
            rules: all.collect(),
            query: compile(&[], &question.body, &question.variables()),
            anything: constant.cloned().unwrap_or_else(|| Term::constant("something")),
        }
    }
}

fn pattern(term: &Term, variables: &[&str]) -> Pattern {
    match term {
        Term::Variable(name) => {
            Pattern::Variable(variables.iter().position(|variable| variable == name).unwrap_or_default())
        }
        Term::Function(name, arguments) => {
            Pattern::Function(name.clone(), arguments.iter().map(|term| pattern(term, variables)).collect())
        }
    }
}

/// A term of a rule that is applied: its variables count from `base` among all.
#[derive(Clone, Copy)]
struct Shared<'a> {
    pattern: &'a Pattern,
    base: usize,
}

/// An atom that has to be shown.
struct Goal<'a> {
    arguments: &'a [Pattern],
    /// Rules that may show it.
    rules: &'a [usize],
    base: usize,
    /// The goal that it came from, and the one that is next.
    parent: Option<usize>,
    next: Option<usize>,
    depth: usize,
}

/// A point at which another rule can be tried: what there was when it was reached.
#[derive(Clone, Copy)]
struct Choice {
    goal: Option<usize>,
    tried: usize,
    trail: usize,
    bindings: usize,
    goals: usize,
    applied: usize,
}

enum Outcome {
    Found,
    Exhausted,
    Cut,
}

struct Search<'a, 'b> {
    program: &'a Program,
    most_depth: usize,
    size: u64,
    steps: &'b mut Steps,
    bindings: Vec<Option<Shared<'a>>>,
    /// Variables that were bound, the last last.
    trail: Vec<usize>,
    goals: Vec<Goal<'a>>,
    choices: Vec<Choice>,
    /// Rules that were applied, each with where its variables begin.
    applied: Vec<(usize, usize)>,
}

impl<'a, 'b> Search<'a, 'b> {
    fn new(program: &'a Program, most_depth: usize, size: u64, steps: &'b mut Steps) -> Self {
        Self {
            program,
            most_depth,
            size,
            steps,
            bindings: Vec::new(),
            trail: Vec::new(),
            goals: Vec::new(),
            choices: Vec::new(),
            applied: Vec::new(),
        }
    }

    fn run(&mut self) -> Result<Outcome, Reason> {
        let query = &self.program.query;
        self.bindings.resize(query.variables, None);
        let first = self.open(query, 0, None, None, 0);
        self.choose(first);
        let mut is_cut = false;
        while let Some(&choice) = self.choices.last() {
            let Some(goal) = choice.goal else { return Ok(Outcome::Found) };
            self.undo(choice);
            if choice.tried == 0 {
                let is_deep = self.goals[goal].depth >= self.most_depth;
                is_cut |= is_deep;
                if is_deep || self.came_from_itself(goal)? {
                    self.choices.pop();
                    continue;
                }
            }
            match self.goals[goal].rules.get(choice.tried) {
                Some(&rule) => {
                    if let Some(choice) = self.choices.last_mut() {
                        choice.tried += 1;
                    }
                    self.apply(goal, rule)?;
                }
                None => {
                    self.choices.pop();
                }
            }
        }
        Ok(if is_cut { Outcome::Cut } else { Outcome::Exhausted })
    }

    /// Puts the premises of a rule before the other goals; gives the first.
    fn open(
        &mut self,
        rule: &'a Compiled,
        base: usize,
        parent: Option<usize>,
        mut next: Option<usize>,
        depth: usize,
    ) -> Option<usize> {
        for (arguments, rules) in rule.body.iter().rev() {
            self.goals.push(Goal { arguments, rules, base, parent, next, depth });
            next = Some(self.goals.len() - 1);
        }
        next
    }

    fn choose(&mut self, goal: Option<usize>) {
        self.choices.push(Choice {
            goal,
            tried: 0,
            trail: self.trail.len(),
            bindings: self.bindings.len(),
            goals: self.goals.len(),
            applied: self.applied.len(),
        });
    }

    fn undo(&mut self, choice: Choice) {
        for variable in self.trail.drain(choice.trail..) {
            self.bindings[variable] = None;
        }
        self.bindings.truncate(choice.bindings);
        self.goals.truncate(choice.goals);
        self.applied.truncate(choice.applied);
    }

    fn apply(&mut self, goal: usize, rule: usize) -> Result<(), Reason> {
        self.steps.take()?;
        let compiled = &self.program.rules[rule];
        let base = self.bindings.len();
        if (base + compiled.variables + self.goals.len()) as u64 > self.size {
            return Err(Reason::Budget(format!("{} variables and goals", self.size)));
        }
        self.bindings.resize(base + compiled.variables, None);
        let (arguments, goal_base) = (self.goals[goal].arguments, self.goals[goal].base);
        for (pattern, argument) in compiled.head.iter().zip(arguments) {
            if !self.unify(Shared { pattern, base }, Shared { pattern: argument, base: goal_base })? {
                return Ok(());
            }
        }
        self.applied.push((rule, base));
        let (next, depth) = (self.goals[goal].next, self.goals[goal].depth + 1);
        let first = self.open(compiled, base, Some(goal), next, depth);
        self.choose(first);
        Ok(())
    }

    /// What a term is as far as it is known: no variable that stands for something.
    fn known(&self, mut term: Shared<'a>) -> (Shared<'a>, Option<usize>) {
        loop {
            let Pattern::Variable(number) = term.pattern else { return (term, None) };
            let variable = term.base + number;
            match self.bindings[variable] {
                Some(bound) => term = bound,
                None => return (term, Some(variable)),
            }
        }
    }

    fn unify(&mut self, a: Shared<'a>, b: Shared<'a>) -> Result<bool, Reason> {
        let mut waiting = vec![(a, b)];
        while let Some((a, b)) = waiting.pop() {
            self.steps.take()?;
            let ((a, a_open), (b, b_open)) = (self.known(a), self.known(b));
            match (a_open, b_open) {
                (Some(a), Some(b)) if a == b => {}
                (Some(variable), _) => {
                    if self.occurs(variable, b)? {
                        return Ok(false);
                    }
                    self.bind(variable, b);
                }
                (None, Some(variable)) => {
                    if self.occurs(variable, a)? {
                        return Ok(false);
                    }
                    self.bind(variable, a);
                }
                (None, None) => match pairs(a, b) {
                    Some(pairs) => waiting.extend(pairs),
                    None => return Ok(false),
                },
            }
        }
        Ok(true)
    }

    fn bind(&mut self, variable: usize, term: Shared<'a>) {
        self.bindings[variable] = Some(term);
        self.trail.push(variable);
    }

    /// A term that has the variable in it would be endless.
    fn occurs(&mut self, variable: usize, term: Shared<'a>) -> Result<bool, Reason> {
        let mut waiting = vec![term];
        while let Some(term) = waiting.pop() {
            self.steps.take()?;
            match self.known(term) {
                (_, Some(open)) if open == variable => return Ok(true),
                (Shared { pattern: Pattern::Function(_, arguments), base }, None) => {
                    waiting.extend(arguments.iter().map(|pattern| Shared { pattern, base }));
                }
                _ => {}
            }
        }
        Ok(false)
    }

    /// Whether a goal is one of those that it came from.
    fn came_from_itself(&mut self, goal: usize) -> Result<bool, Reason> {
        let mut ancestor = self.goals[goal].parent;
        while let Some(number) = ancestor {
            // Goals of one predicate have the same rules, and of different ones different.
            if self.goals[number].rules == self.goals[goal].rules && self.are_equal(number, goal)? {
                return Ok(true);
            }
            ancestor = self.goals[number].parent;
        }
        Ok(false)
    }

    fn are_equal(&mut self, a: usize, b: usize) -> Result<bool, Reason> {
        let (a, b) = (&self.goals[a], &self.goals[b]);
        if a.rules.is_empty() || a.arguments.len() != b.arguments.len() {
            return Ok(false);
        }
        let shared = |goal: &Goal<'a>| -> Vec<Shared<'a>> {
            goal.arguments.iter().map(|pattern| Shared { pattern, base: goal.base }).collect()
        };
        let mut waiting: Vec<_> = shared(a).into_iter().zip(shared(b)).collect();
        while let Some((a, b)) = waiting.pop() {
            self.steps.take()?;
            match (self.known(a), self.known(b)) {
                ((_, Some(a)), (_, Some(b))) if a == b => {}
                ((a, None), (b, None)) => match pairs(a, b) {
                    Some(pairs) => waiting.extend(pairs),
                    None => return Ok(false),
                },
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// The rules that were applied, from the last, so that what each needs is there before it.
    fn derivation(&mut self) -> Result<Derivation, Reason> {
        let mut inferences: Vec<Inference> = Vec::new();
        let mut shown: Vec<u32> = Vec::new();
        for &(rule, base) in self.applied.iter().rev() {
            let compiled = &self.program.rules[rule];
            let mut terms = Vec::new();
            for variable in base..base + compiled.variables {
                terms.push(self.term(variable)?);
            }
            let premises = (0..compiled.body.len()).filter_map(|_| shown.pop()).collect();
            shown.push(inferences.len() as u32);
            inferences.push(Inference { rule: rule as u32, terms, premises });
        }
        shown.reverse();
        Ok(Derivation { inferences, answers: shown })
    }

    fn term(&self, variable: usize) -> Result<Term, Reason> {
        match self.bindings[variable] {
            None => Ok(self.program.anything.clone()),
            Some(shared) => self.written(shared, &mut (self.size / 16), MOST_DEPTH),
        }
    }

    fn written(&self, shared: Shared<'a>, room: &mut u64, depth: usize) -> Result<Term, Reason> {
        let too_large = || Reason::Budget(format!("terms {MOST_DEPTH} levels deep"));
        *room = room.checked_sub(1).ok_or_else(too_large)?;
        if depth == 0 {
            return Err(too_large());
        }
        match self.known(shared) {
            (Shared { pattern: Pattern::Function(name, arguments), base }, _) => {
                let arguments =
                    arguments.iter().map(|pattern| self.written(Shared { pattern, base }, room, depth - 1));
                Ok(Term::Function(name.clone(), arguments.collect::<Result<_, _>>()?))
            }
            _ => Ok(self.program.anything.clone()),
        }
    }
}

/// The arguments of two terms side by side; none where their functions differ.
fn pairs<'a>(a: Shared<'a>, b: Shared<'a>) -> Option<impl Iterator<Item = (Shared<'a>, Shared<'a>)>> {
    match (a.pattern, b.pattern) {
        (Pattern::Function(f, of_f), Pattern::Function(g, of_g)) if f == g && of_f.len() == of_g.len() => {
            let share = move |pattern: &'a Pattern, base| Shared { pattern, base };
            Some(of_f.iter().zip(of_g).map(move |(x, y)| (share(x, a.base), share(y, b.base))))
        }
        _ => None,
    }
}
