//! Circuits of AND and XOR with inverters on the wires.
//!
//! In this form (an XOR-AND graph) each of the sixteen gates is one node at most, and equal nodes are the same
//! node: nodes are looked up before they are made ("structural hashing").

use std::collections::HashMap;
use std::ops::Not;

use foldhash::fast::FixedState;

use crate::circuit::{Circuit, Gate};

/// A variable, perhaps inverted: twice its number, plus one where it is inverted. Variable 0 is false.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Literal(pub u32);

impl Literal {
    /// Always false.
    pub const FALSE: Self = Self(0);
    /// Always true.
    pub const TRUE: Self = Self(1);

    /// The variable as it is.
    pub fn of(variable: u32) -> Self {
        Self(2 * variable)
    }

    /// The variable.
    pub fn variable(self) -> u32 {
        self.0 >> 1
    }

    /// Whether it is inverted.
    pub fn is_inverted(self) -> bool {
        self.0 & 1 == 1
    }

    /// Inverted where `condition` holds.
    #[must_use]
    pub fn inverted_if(self, condition: bool) -> Self {
        Self(self.0 ^ u32::from(condition))
    }
}

impl Not for Literal {
    type Output = Self;

    fn not(self) -> Self {
        Self(self.0 ^ 1)
    }
}

/// A node of the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// Both.
    And(Literal, Literal),
    /// One of both; neither is inverted.
    Xor(Literal, Literal),
}

impl Node {
    /// What it reads.
    pub fn reads(self) -> [Literal; 2] {
        let (Self::And(a, b) | Self::Xor(a, b)) = self;
        [a, b]
    }
}

/// A graph of nodes, each after those that it reads.
///
/// Variables are numbered: 0 is false, then the inputs, then the nodes.
#[derive(Clone, Debug, Default)]
pub struct Xag {
    inputs: u32,
    nodes: Vec<Node>,
    known: HashMap<Node, u32, FixedState>,
    /// What the graph computes.
    pub outputs: Vec<Literal>,
}

impl Xag {
    /// A graph of so many inputs, without nodes.
    pub fn new(inputs: usize) -> Self {
        Self { inputs: inputs as u32, ..Self::default() }
    }

    /// The graph of a circuit. Constants are folded, inverters and copies absorbed, and equal gates made one.
    pub fn of(circuit: &Circuit) -> Self {
        let mut graph = Self::new(circuit.inputs());
        let mut literals: Vec<Literal> = (0..circuit.inputs()).map(|input| graph.input(input)).collect();
        literals.reserve(circuit.gates().len());
        for gate in circuit.gates() {
            // What a function ignores may be any number.
            let literal = |signal: u32| literals.get(signal as usize).copied().unwrap_or(Literal::FALSE);
            let (a, b) = (literal(gate.a), literal(gate.b));
            literals.push(graph.gate(gate.op, a, b));
        }
        graph.outputs = circuit.outputs().iter().map(|&signal| literals[signal as usize]).collect();
        graph
    }

    /// How many inputs there are.
    pub fn inputs(&self) -> usize {
        self.inputs as usize
    }

    /// The nodes.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// False, the inputs and the nodes.
    pub fn variables(&self) -> usize {
        1 + self.inputs() + self.nodes.len()
    }

    /// The variable of the first node.
    pub fn first_node(&self) -> usize {
        1 + self.inputs()
    }

    /// The node of a variable; none of false and of inputs.
    pub fn node(&self, variable: u32) -> Option<Node> {
        (variable as usize).checked_sub(self.first_node()).map(|node| self.nodes[node])
    }

    /// An input.
    pub fn input(&self, input: usize) -> Literal {
        Literal::of(1 + input as u32)
    }

    /// One of the sixteen functions, see [`NAMES`](crate::gate::NAMES).
    pub fn gate(&mut self, op: u8, a: Literal, b: Literal) -> Literal {
        if op > 7 {
            return !self.gate(15 - op, a, b);
        }
        match op {
            0 => Literal::FALSE,
            1 => self.and(a, b),
            2 => self.and(a, !b),
            3 => a,
            4 => self.and(!a, b),
            5 => b,
            6 => self.xor(a, b),
            _ => self.or(a, b),
        }
    }

    /// Both.
    pub fn and(&mut self, a: Literal, b: Literal) -> Literal {
        let (a, b) = (a.min(b), a.max(b));
        match a {
            Literal::FALSE => Literal::FALSE,
            Literal::TRUE => b,
            _ if a == b => a,
            _ if a == !b => Literal::FALSE,
            _ => self.add(Node::And(a, b)),
        }
    }

    /// One at least.
    pub fn or(&mut self, a: Literal, b: Literal) -> Literal {
        !self.and(!a, !b)
    }

    /// One of both.
    pub fn xor(&mut self, a: Literal, b: Literal) -> Literal {
        let inverted = a.is_inverted() != b.is_inverted();
        let (a, b) = (Literal::of(a.variable()), Literal::of(b.variable()));
        let (a, b) = (a.min(b), a.max(b));
        match a {
            Literal::FALSE => b.inverted_if(inverted),
            _ if a == b => Literal::FALSE.inverted_if(inverted),
            _ => self.add(Node::Xor(a, b)).inverted_if(inverted),
        }
    }

    /// `high` where `select` holds, `low` elsewhere.
    pub fn choose(&mut self, select: Literal, high: Literal, low: Literal) -> Literal {
        let difference = self.xor(high, low);
        let change = self.and(select, difference);
        self.xor(low, change)
    }

    fn add(&mut self, node: Node) -> Literal {
        let next = self.variables() as u32;
        let variable = *self.known.entry(node).or_insert(next);
        if variable == next {
            self.nodes.push(node);
        }
        Literal::of(variable)
    }

    /// Makes a node of another graph, of what its reads have become.
    pub fn copy(&mut self, node: Node, become_: impl Fn(Literal) -> Literal) -> Literal {
        match node {
            Node::And(a, b) => self.and(become_(a), become_(b)),
            Node::Xor(a, b) => self.xor(become_(a), become_(b)),
        }
    }

    /// Of each variable, whether an output depends on it by its wires.
    pub fn needed(&self) -> Vec<bool> {
        let mut needed = vec![false; self.variables()];
        self.outputs.iter().for_each(|output| needed[output.variable() as usize] = true);
        for (index, node) in self.nodes.iter().enumerate().rev() {
            if needed[self.first_node() + index] {
                node.reads().iter().for_each(|read| needed[read.variable() as usize] = true);
            }
        }
        needed
    }

    /// The graph without nodes that no output depends on.
    #[must_use]
    pub fn pruned(&self) -> Self {
        let needed = self.needed();
        let mut pruned = Self::new(self.inputs());
        let mut literals: Vec<Literal> = (0..self.first_node()).map(|v| Literal::of(v as u32)).collect();
        for (index, &node) in self.nodes.iter().enumerate() {
            let literal = match needed[self.first_node() + index] {
                true => pruned.copy(node, |read| moved(&literals, read)),
                false => Literal::FALSE,
            };
            literals.push(literal);
        }
        pruned.outputs = self.outputs.iter().map(|&output| moved(&literals, output)).collect();
        pruned
    }

    /// The circuit of the graph, of as few gates: inverters are absorbed into the functions, and those that
    /// remain in front of outputs have a gate of their own, as constants have.
    pub fn to_circuit(&self) -> Circuit {
        Builder::new(self).build()
    }
}

/// What a literal has become, where each variable has become a literal.
pub(crate) fn moved(literals: &[Literal], literal: Literal) -> Literal {
    literals[literal.variable() as usize].inverted_if(literal.is_inverted())
}

/// Makes a circuit of a graph.
struct Builder<'a> {
    graph: &'a Xag,
    gates: Vec<Gate>,
    /// Of each variable, its signal, and whether that is the inverse of the variable.
    signals: Vec<(u32, bool)>,
}

impl<'a> Builder<'a> {
    fn new(graph: &'a Xag) -> Self {
        let inputs = (0..graph.inputs).map(|input| (input, false));
        Self { graph, gates: Vec::new(), signals: std::iter::once((0, false)).chain(inputs).collect() }
    }

    fn build(mut self) -> Circuit {
        let needed = self.graph.needed();
        let inverted = self.only_inverted();
        for (index, &node) in self.graph.nodes.iter().enumerate() {
            let variable = self.graph.first_node() + index;
            if !needed[variable] {
                self.signals.push((0, false));
                continue;
            }
            let gate = self.gate(node, inverted[variable]);
            let signal = self.push(gate);
            self.signals.push((signal, inverted[variable]));
        }
        let mut inverters = HashMap::with_hasher(FixedState::default());
        let outputs = self.graph.outputs.clone();
        let outputs = outputs.into_iter().map(|output| {
            let (signal, inverted) = self.signals[output.variable() as usize];
            if output.variable() != 0 && inverted == output.is_inverted() {
                return signal;
            }
            *inverters.entry(output).or_insert_with(|| match output {
                Literal::FALSE => self.push(Gate { op: 0, a: 0, b: 0 }),
                Literal::TRUE => self.push(Gate { op: 15, a: 0, b: 0 }),
                _ => self.push(Gate { op: 12, a: signal, b: signal }),
            })
        });
        let outputs = outputs.collect();
        Circuit::of_sound_parts(self.graph.inputs, self.gates, outputs)
    }

    /// Of each variable, whether it is an output, and only ever an inverted one.
    fn only_inverted(&self) -> Vec<bool> {
        let mut inverted = vec![false; self.graph.variables()];
        for output in &self.graph.outputs {
            inverted[output.variable() as usize] = true;
        }
        for output in self.graph.outputs.iter().filter(|output| !output.is_inverted()) {
            inverted[output.variable() as usize] = false;
        }
        inverted
    }

    /// The gate of a node or of its inverse.
    fn gate(&self, node: Node, inverted: bool) -> Gate {
        let read = |literal: Literal| {
            let (signal, inverted) = self.signals[literal.variable() as usize];
            (signal, inverted != literal.is_inverted())
        };
        let [(a, not_a), (b, not_b)] = node.reads().map(read);
        let op = match (node, not_a, not_b) {
            (Node::And(..), false, false) => 1,
            (Node::And(..), false, true) => 2,
            (Node::And(..), true, false) => 4,
            (Node::And(..), true, true) => 8,
            (Node::Xor(..), ..) if not_a == not_b => 6,
            (Node::Xor(..), ..) => 9,
        };
        Gate { op: if inverted { 15 - op } else { op }, a, b }
    }

    fn push(&mut self, gate: Gate) -> u32 {
        self.gates.push(gate);
        self.graph.inputs + self.gates.len() as u32 - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::random_circuit;

    #[test]
    fn a_graph_and_its_circuit_compute_what_the_circuit_computes() {
        for seed in 0..40 {
            let circuit = random_circuit(seed, 5, 40, 6);
            let graph = Xag::of(&circuit);
            let back = graph.to_circuit();
            assert!(back.gates().len() <= circuit.gates().len() + circuit.outputs().len());
            assert_eq!(graph.pruned().to_circuit(), back);
            for row in 0..32_u32 {
                let inputs: Vec<bool> = (0..5).map(|bit| row >> bit & 1 == 1).collect();
                assert_eq!(back.evaluate(&inputs), circuit.evaluate(&inputs), "seed {seed}, row {row}");
            }
        }
    }

    #[test]
    fn constants_copies_and_inverters_cost_nothing() {
        let mut graph = Xag::new(2);
        let (a, b) = (graph.input(0), graph.input(1));
        let both = graph.and(a, b);
        assert_eq!(graph.and(b, a), both);
        assert_eq!(graph.gate(14, a, b), !both);
        assert_eq!(graph.and(a, !a), Literal::FALSE);
        let either = graph.xor(a, b);
        assert_eq!(graph.xor(!b, a), !either);
        assert_eq!(graph.choose(a, b, b), b);
        assert_eq!(graph.nodes().len(), 2);
    }
}
