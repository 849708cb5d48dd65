//! Finding nodes that compute the same, and making them one ("SAT sweeping"; Kuehlmann, "Dynamic transition
//! relation simplification for bounded property checking", 2004).
//!
//! Nodes that agree on some thousand settings of the inputs are asked for a proof by a solver; a setting in which they
//! differ is tried on all others. Proofs are easy where what is inside has become one already.

use std::collections::HashMap;

use batsat::{Callbacks, ClauseKind, Lit, Solver, SolverInterface, Var, lbool};
use foldhash::fast::FixedState;
use rekindle_compute::rng;

use crate::xag::{Literal, Node, Xag, moved};

/// Words of settings that are tried at first.
const WORDS: usize = 16;

/// Settings from the solver after which all nodes are compared anew.
const MOST_FOUND: usize = 32;

/// Nodes that one is compared with.
const MOST_TWINS: usize = 4;

/// What is tried at most before nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Conflicts of the solver for one question.
    pub question: u64,
    /// Conflicts of the solver in all.
    pub total: u64,
    /// Questions to the solver in all, times the variables that it knows: each question that has an answer is
    /// answered for all of them.
    pub values: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { question: 2_000, total: 200_000, values: 500_000_000 }
    }
}

/// Stops a solver after so many conflicts.
struct Budget {
    conflicts: u64,
    until: u64,
}

impl Callbacks for Budget {
    fn on_new_clause(&mut self, _clause: &[Lit], kind: ClauseKind) {
        self.conflicts += u64::from(kind == ClauseKind::Learnt);
    }

    fn stop(&self) -> bool {
        self.conflicts >= self.until
    }
}

/// What a solver says to a question.
pub(crate) enum Answer {
    Never,
    /// In this setting of the inputs.
    Sometimes(Vec<bool>),
    Unknown,
}

/// A solver for questions about the variables of a graph.
pub(crate) struct Oracle {
    solver: Solver<Budget>,
    variables: HashMap<u32, Var, FixedState>,
    limits: Limits,
    values: u64,
}

impl Oracle {
    pub fn new(limits: Limits) -> Self {
        let budget = Budget { conflicts: 0, until: 0 };
        Self {
            solver: Solver::new(Default::default(), budget),
            variables: HashMap::default(),
            limits,
            values: 0,
        }
    }

    /// Conflicts so far.
    pub fn conflicts(&self) -> u64 {
        self.solver.cb().conflicts
    }

    /// Whether two literals of a graph ever differ.
    pub fn differ(&mut self, graph: &Xag, a: Literal, b: Literal) -> Answer {
        match self.holds(graph, &[a, !b]) {
            Answer::Never => self.holds(graph, &[!a, b]),
            answer => answer,
        }
    }

    /// Whether literals ever hold together.
    fn holds(&mut self, graph: &Xag, literals: &[Literal]) -> Answer {
        let until = (self.conflicts() + self.limits.question).min(self.limits.total);
        if self.conflicts() >= until || self.values >= self.limits.values {
            return Answer::Unknown;
        }
        self.solver.cb_mut().until = until;
        let assumptions: Vec<Lit> = literals.iter().map(|&literal| self.literal(graph, literal)).collect();
        self.values += self.variables.len() as u64;
        match self.solver.solve_limited(&assumptions) {
            answer if answer == lbool::FALSE => Answer::Never,
            answer if answer == lbool::TRUE => Answer::Sometimes(self.setting(graph)),
            _ => Answer::Unknown,
        }
    }

    fn setting(&self, graph: &Xag) -> Vec<bool> {
        let value = |input| {
            let variable = graph.input(input).variable();
            let known = self.variables.get(&variable);
            known.is_some_and(|&known| self.solver.value_var(known) == lbool::TRUE)
        };
        (0..graph.inputs()).map(value).collect()
    }

    fn literal(&mut self, graph: &Xag, literal: Literal) -> Lit {
        self.encode(graph, literal.variable());
        self.known(literal)
    }

    fn known(&self, literal: Literal) -> Lit {
        Lit::new(self.variables[&literal.variable()], !literal.is_inverted())
    }

    /// Tells the solver of a variable and of all that it is computed from.
    fn encode(&mut self, graph: &Xag, variable: u32) {
        let mut open = vec![variable];
        while let Some(&variable) = open.last() {
            if self.variables.contains_key(&variable) {
                open.pop();
                continue;
            }
            let Some(node) = graph.node(variable) else {
                let fresh = self.solver.new_var_default();
                self.variables.insert(variable, fresh);
                if variable == 0 {
                    self.solver.add_clause_reuse(&mut vec![Lit::new(fresh, false)]);
                }
                continue;
            };
            let before = open.len();
            let reads = node.reads().into_iter().map(Literal::variable);
            open.extend(reads.filter(|read| !self.variables.contains_key(read)));
            if open.len() == before {
                let fresh = self.solver.new_var_default();
                self.variables.insert(variable, fresh);
                self.add_clauses(Lit::new(fresh, true), node);
            }
        }
    }

    fn add_clauses(&mut self, output: Lit, node: Node) {
        let [a, b] = node.reads().map(|read| self.known(read));
        let clauses = match node {
            Node::And(..) => vec![vec![!output, a], vec![!output, b], vec![output, !a, !b]],
            Node::Xor(..) => {
                vec![vec![!output, a, b], vec![!output, !a, !b], vec![output, !a, b], vec![output, a, !b]]
            }
        };
        for mut clause in clauses {
            self.solver.add_clause_reuse(&mut clause);
        }
    }
}

/// A graph in which nodes that were proven to compute the same are one, and the solver that proved it.
pub(crate) struct Swept {
    pub graph: Xag,
    pub oracle: Oracle,
}

/// Makes nodes one that compute the same. What cannot be proven within the limits stays apart.
pub(crate) fn sweep(graph: &Xag, limits: Limits) -> Swept {
    Sweeper::new(graph.inputs(), limits).run(graph)
}

struct Sweeper {
    graph: Xag,
    oracle: Oracle,
    /// Of each input, the settings that are tried.
    settings: Vec<Vec<u64>>,
    words: usize,
    /// Of each variable, its values in the settings.
    values: Vec<u64>,
    /// Variables by their values, where the first of which is made 0.
    twins: HashMap<u64, Vec<u32>, FixedState>,
    found: Vec<Vec<bool>>,
}

impl Sweeper {
    fn new(inputs: usize, limits: Limits) -> Self {
        let mut stream = rng::stream(0, 5, 0);
        let settings = (0..inputs).map(|_| (0..WORDS).map(|_| stream.bits()).collect()).collect();
        let mut sweeper = Self {
            graph: Xag::new(inputs),
            oracle: Oracle::new(limits),
            settings,
            words: WORDS,
            values: Vec::new(),
            twins: HashMap::default(),
            found: Vec::new(),
        };
        sweeper.compare_anew();
        sweeper
    }

    fn run(mut self, graph: &Xag) -> Swept {
        let mut literals: Vec<Literal> = (0..graph.first_node()).map(|v| Literal::of(v as u32)).collect();
        for &node in graph.nodes() {
            let before = self.graph.variables();
            let mut literal = self.graph.copy(node, |read| moved(&literals, read));
            if self.graph.variables() > before {
                literal = self.twin_of(literal.variable()).inverted_if(literal.is_inverted());
            }
            literals.push(literal);
        }
        self.graph.outputs = graph.outputs.iter().map(|&output| moved(&literals, output)).collect();
        Swept { graph: self.graph, oracle: self.oracle }
    }

    /// The first variable that is proven to be the same as this one, or this one.
    fn twin_of(&mut self, variable: u32) -> Literal {
        self.add_values(variable);
        let own = Literal::of(variable);
        let candidates: Vec<u32> = self.twins.get(&self.key(variable)).cloned().unwrap_or_default();
        for candidate in candidates.into_iter().take(MOST_TWINS) {
            let inverted = self.first_bit(candidate) != self.first_bit(variable);
            let twin = Literal::of(candidate).inverted_if(inverted);
            if !self.agree(variable, candidate, inverted) {
                continue;
            }
            match self.oracle.differ(&self.graph, own, twin) {
                Answer::Never => return twin,
                Answer::Sometimes(setting) => self.found.push(setting),
                Answer::Unknown => {}
            }
        }
        self.twins.entry(self.key(variable)).or_default().push(variable);
        if self.found.len() >= MOST_FOUND {
            self.add_found();
            self.compare_anew();
        }
        own
    }

    fn values_of(&self, variable: u32) -> &[u64] {
        &self.values[variable as usize * self.words..][..self.words]
    }

    fn first_bit(&self, variable: u32) -> bool {
        self.values_of(variable)[0] & 1 == 1
    }

    fn agree(&self, a: u32, b: u32, inverted: bool) -> bool {
        let flip = if inverted { !0 } else { 0 };
        self.values_of(a).iter().zip(self.values_of(b)).all(|(a, b)| a ^ b == flip)
    }

    fn key(&self, variable: u32) -> u64 {
        let flip = if self.first_bit(variable) { !0 } else { 0 };
        let values = self.values_of(variable).iter();
        values.fold(0, |key, word| (key ^ word ^ flip).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29))
    }

    fn add_values(&mut self, variable: u32) {
        let Some(node) = self.graph.node(variable) else {
            match (variable as usize).checked_sub(1) {
                None => self.values.extend(std::iter::repeat_n(0, self.words)),
                Some(input) => self.values.extend_from_slice(&self.settings[input]),
            }
            return;
        };
        let [a, b] = node
            .reads()
            .map(|read| (read.variable() as usize * self.words, if read.is_inverted() { !0 } else { 0 }));
        for word in 0..self.words {
            let (a, b) = (self.values[a.0 + word] ^ a.1, self.values[b.0 + word] ^ b.1);
            self.values.push(if matches!(node, Node::And(..)) { a & b } else { a ^ b });
        }
    }

    /// Adds the settings that the solver has found to those that are tried.
    fn add_found(&mut self) {
        for (input, settings) in self.settings.iter_mut().enumerate() {
            let bits = self.found.iter().take(64).enumerate();
            settings.push(bits.fold(0, |word, (bit, setting)| word | u64::from(setting[input]) << bit));
        }
        self.found.clear();
        self.words += 1;
    }

    fn compare_anew(&mut self) {
        self.values.clear();
        self.twins.clear();
        for variable in 0..self.graph.variables() as u32 {
            self.add_values(variable);
            let key = self.key(variable);
            self.twins.entry(key).or_default().push(variable);
        }
    }
}
