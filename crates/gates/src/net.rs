//! Graphs whose nodes are shared between the rows of a board.
//!
//! In a cellular automaton the same node is often needed for the row above a cell, for its own and for that
//! below. Such nodes are one node here, and an edge says from which row it reads. In a circuit that is no
//! automaton every row is 0.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::xag::{Literal, Node, Xag};

/// A node seen from another: its number, how many rows below, and whether inverted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Edge(u32);

impl Edge {
    pub fn new(node: u32, row: u32, inverted: bool) -> Self {
        Self(node << 3 | row << 1 | u32::from(inverted))
    }

    pub fn node(self) -> u32 {
        self.0 >> 3
    }

    /// Rows below, 0 to 2.
    pub fn row(self) -> u32 {
        self.0 >> 1 & 3
    }

    pub fn is_inverted(self) -> bool {
        self.0 & 1 == 1
    }

    fn inverted_if(self, condition: bool) -> Self {
        Self(self.0 ^ u32::from(condition))
    }

    fn up(self, rows: u32) -> Self {
        Self(self.0 - (rows << 1))
    }

    fn down(self, rows: u32) -> Self {
        Self(self.0 + (rows << 1))
    }
}

/// AND, or XOR, of two edges, one of which at least is of row 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct NetNode {
    pub is_xor: bool,
    pub reads: [Edge; 2],
}

/// What is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    Constant(bool),
    Edge(Edge),
}

/// A graph. Nodes are numbered after the sources.
#[derive(Debug)]
pub(crate) struct Net {
    pub sources: usize,
    pub nodes: Vec<NetNode>,
    pub outputs: Vec<Output>,
}

impl Net {
    /// The graph as it is, with a source for each input.
    pub fn plain(graph: &Xag) -> Self {
        Translator::new(graph.inputs(), (0..graph.inputs() as u32).map(|input| (input, 0)), false).run(graph)
    }

    /// The graph of an automaton: input `9 channel + 3 row + column` is row `row` of the source
    /// `3 channel + column`.
    pub fn automaton(graph: &Xag) -> Self {
        let sources = (0..graph.inputs() as u32).map(|input| {
            let (channel, position) = (input / 9, input % 9);
            (3 * channel + position % 3, position / 3)
        });
        Translator::new(graph.inputs() / 3, sources, true).run(graph)
    }
}

struct Translator {
    net: Net,
    /// Of each variable but the first, what it has become.
    edges: Vec<Edge>,
    known: Option<HashMap<NetNode, u32, FixedState>>,
}

impl Translator {
    fn new(sources: usize, edges: impl Iterator<Item = (u32, u32)>, shares: bool) -> Self {
        let edges = edges.map(|(node, row)| Edge::new(node, row, false)).collect();
        let net = Net { sources, nodes: Vec::new(), outputs: Vec::new() };
        Self { net, edges, known: shares.then(HashMap::default) }
    }

    fn run(mut self, graph: &Xag) -> Net {
        let needed = graph.needed();
        for (&node, needed) in graph.nodes().iter().zip(&needed[graph.first_node()..]) {
            let edge = if *needed { self.add(node) } else { Edge::new(0, 0, false) };
            self.edges.push(edge);
        }
        self.net.outputs = graph
            .outputs
            .iter()
            .map(|&output| match output {
                Literal::FALSE => Output::Constant(false),
                Literal::TRUE => Output::Constant(true),
                _ => Output::Edge(self.edge(output)),
            })
            .collect();
        self.net
    }

    fn edge(&self, literal: Literal) -> Edge {
        self.edges[literal.variable() as usize - 1].inverted_if(literal.is_inverted())
    }

    /// Moves a node up as far as it goes, and adds it if it is not there.
    fn add(&mut self, node: Node) -> Edge {
        let [a, b] = node.reads().map(|read| self.edge(read));
        let row = a.row().min(b.row());
        let (a, b) = (a.up(row), b.up(row));
        let node = NetNode { is_xor: matches!(node, Node::Xor(..)), reads: [a.min(b), a.max(b)] };
        let next = (self.net.sources + self.net.nodes.len()) as u32;
        let number = match &mut self.known {
            Some(known) => *known.entry(node).or_insert(next),
            None => next,
        };
        if number == next {
            self.net.nodes.push(node);
        }
        Edge::new(number, 0, false).down(row)
    }
}
