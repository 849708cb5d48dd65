//! A search for smaller graphs of few inputs, by whole truth tables.
//!
//! A node may be anything that agrees with it where an output notices. So each is tried as another node, or as one
//! new gate of two others; what then nothing reads is left out ("resubstitution" with observability don't
//! cares; Mishchenko et al., "Scalable don't-care-based logic optimization and resynthesis", 2011). Exchanges that
//! leave as many nodes are made too, so that the search moves on where no single one gains.

use rekindle_compute::rng::{self, Stream};

use crate::proof::values_of;
use crate::symmetric::counting;
use crate::xag::{Literal, Node, Xag, moved};

/// Inputs and nodes of a graph that is searched, at most.
const MOST_INPUTS: usize = 12;
const MOST_NODES: usize = 600;

/// Work of a search: words of truth tables that are compared, in nodes times nodes times words.
const WORK: u64 = 600_000_000;

/// How many nodes more than the best a graph may have for a while.
const DETOUR: usize = 2;

/// What may stand for a node.
#[derive(Clone, Copy)]
enum Replacement {
    Same(Literal),
    And(Literal, Literal),
    NotAnd(Literal, Literal),
    Xor(Literal, Literal),
}

/// Whether a graph is small enough to be searched.
pub(crate) fn can_search(graph: &Xag) -> bool {
    graph.inputs() <= MOST_INPUTS && (1..=MOST_NODES).contains(&graph.nodes().len())
}

/// A graph that computes the same with as many nodes or fewer.
pub(crate) fn smaller(graph: &Xag) -> Xag {
    let mut beginnings = vec![graph.clone()];
    if let [_] = graph.outputs[..] {
        let mut search = Search::new(graph);
        search.simulate(graph);
        beginnings.extend(counting(graph.inputs(), &search.output_values(graph)));
    }
    let share = WORK / beginnings.len() as u64;
    let found = beginnings.iter().map(|beginning| search_from(beginning, share));
    found.min_by_key(|found| found.nodes().len()).unwrap_or_else(|| graph.clone())
}

fn search_from(graph: &Xag, work: u64) -> Xag {
    let mut search = Search::new(graph);
    let mut best = graph.clone();
    let mut current = graph.clone();
    let mut spent = 0;
    let mut since = 0;
    while spent < work && !best.nodes().is_empty() {
        let variables = current.variables() as u64;
        spent += variables * variables * search.words as u64 / 2 + 1000;
        since += 1;
        let Some(next) = search.exchange(&current) else { continue };
        let (now, was) = (next.nodes().len(), current.nodes().len());
        if now > was && (now > best.nodes().len() + DETOUR || search.stream.below(40) > 0) {
            continue;
        }
        current = next;
        if current.nodes().len() < best.nodes().len() {
            best = current.clone();
            since = 0;
        } else if since > 4000 {
            current = best.clone();
            since = 0;
        }
    }
    best
}

struct Search {
    words: usize,
    stream: Stream,
    /// The variables' truth tables; those of the graph with one node inverted; where an output notices that.
    tables: Vec<u64>,
    flipped: Vec<u64>,
    notices: Vec<u64>,
}

impl Search {
    fn new(graph: &Xag) -> Self {
        let words = (1_usize << graph.inputs()).div_ceil(64);
        let notices = vec![0; words];
        Self { words, stream: rng::stream(0, 6, 0), tables: Vec::new(), flipped: Vec::new(), notices }
    }

    /// Exchanges a node that is drawn for something else that serves as well, if there is something.
    fn exchange(&mut self, graph: &Xag) -> Option<Xag> {
        let node = self.stream.below(graph.nodes().len() as u64) as usize;
        let variable = graph.first_node() + node;
        self.simulate(graph);
        let depends = self.notice(graph, variable);
        let replacement = self.replacement(graph, variable, &depends)?;
        Some(rebuilt(graph, variable, replacement))
    }

    fn simulate(&mut self, graph: &Xag) {
        self.tables.clear();
        self.tables.resize(self.words, 0);
        for input in 0..graph.inputs() {
            self.tables.extend((0..self.words as u64).map(|word| values_of(input, word)));
        }
        for &node in graph.nodes() {
            push_table(node, &mut self.tables, self.words);
        }
    }

    /// The values of the first output, in all settings of the inputs.
    fn output_values(&self, graph: &Xag) -> Vec<u64> {
        let output = graph.outputs.first().copied().unwrap_or(Literal::FALSE);
        (0..self.words).map(|word| self.literal(output, word)).collect()
    }

    fn table(&self, variable: usize) -> &[u64] {
        &self.tables[variable * self.words..][..self.words]
    }

    /// Finds out in which settings an output changes with a variable; gives which variables depend on it.
    fn notice(&mut self, graph: &Xag, variable: usize) -> Vec<bool> {
        let words = self.words;
        self.flipped.clear();
        self.flipped.extend_from_slice(&self.tables);
        for value in &mut self.flipped[variable * words..][..words] {
            *value = !*value;
        }
        let mut depends = vec![false; graph.variables()];
        depends[variable] = true;
        for (index, &node) in graph.nodes().iter().enumerate().skip(variable + 1 - graph.first_node()) {
            let own = graph.first_node() + index;
            if node.reads().iter().any(|read| depends[read.variable() as usize]) {
                depends[own] = true;
                let (before, rest) = self.flipped.split_at_mut(own * words);
                for (word, value) in rest[..words].iter_mut().enumerate() {
                    *value = word_of(node, before, words, word);
                }
            }
        }
        self.notices.fill(0);
        for output in &graph.outputs {
            let first = output.variable() as usize * words;
            for (word, notices) in self.notices.iter_mut().enumerate() {
                *notices |= self.tables[first + word] ^ self.flipped[first + word];
            }
        }
        let settings = 1_u32 << graph.inputs().min(6);
        self.notices.iter_mut().for_each(|word| *word &= !0 >> (64 - settings));
        depends
    }

    /// What may stand for a variable: one of those that are found first from a place that is drawn.
    fn replacement(&mut self, graph: &Xag, variable: usize, depends: &[bool]) -> Option<Replacement> {
        let mut others: Vec<u32> =
            (0..graph.variables() as u32).filter(|&other| !depends[other as usize]).collect();
        let turn = self.stream.below(others.len() as u64) as usize;
        others.rotate_left(turn);
        let own = graph.node(variable as u32)?;
        for &other in &others {
            for literal in [Literal::of(other), !Literal::of(other)] {
                if self.serves(variable, |tables, word| tables.literal(literal, word)) {
                    return Some(Replacement::Same(literal));
                }
            }
        }
        let wished = self.stream.below(3);
        let first = match wished {
            0 => self.exclusive(variable, &others, own),
            1 => self.both(variable, &others, own, true),
            _ => self.both(variable, &others, own, false),
        };
        first.or_else(|| match wished {
            0 => self.both(variable, &others, own, true),
            _ => self.exclusive(variable, &others, own),
        })
    }

    /// A XOR of two others, one of them perhaps inverted.
    fn exclusive(&self, variable: usize, others: &[u32], own: Node) -> Option<Replacement> {
        for (index, &a) in others.iter().enumerate() {
            for &b in &others[index + 1..] {
                for a in [Literal::of(a), !Literal::of(a)] {
                    let b = Literal::of(b);
                    let is_own = same_reads([a, b], own) && matches!(own, Node::Xor(..));
                    if !is_own
                        && self.serves(variable, |tables, word| {
                            tables.literal(a, word) ^ tables.literal(b, word)
                        })
                    {
                        return Some(Replacement::Xor(a, b));
                    }
                }
            }
        }
        None
    }

    /// An AND of two others, or an OR: both contain what the node, or its inverse, is where it is noticed.
    fn both(&self, variable: usize, others: &[u32], own: Node, as_it_is: bool) -> Option<Replacement> {
        let flip = if as_it_is { 0 } else { !0 };
        let wanted = |word: usize| self.table(variable)[word] ^ flip;
        let contains = |literal: Literal| {
            (0..self.words).all(|word| wanted(word) & self.notices[word] & !self.literal(literal, word) == 0)
        };
        let literals = others.iter().flat_map(|&other| [Literal::of(other), !Literal::of(other)]);
        let literals: Vec<Literal> = literals.filter(|&literal| contains(literal)).collect();
        for (index, &a) in literals.iter().enumerate() {
            for &b in &literals[index + 1..] {
                let is_own = as_it_is && same_reads([a, b], own) && matches!(own, Node::And(..));
                let fits = |word: usize| {
                    let both = self.literal(a, word) & self.literal(b, word);
                    both & !wanted(word) & self.notices[word] == 0
                };
                if !is_own && a.variable() != b.variable() && (0..self.words).all(fits) {
                    return Some(if as_it_is { Replacement::And(a, b) } else { Replacement::NotAnd(a, b) });
                }
            }
        }
        None
    }

    fn literal(&self, literal: Literal, word: usize) -> u64 {
        let flip = if literal.is_inverted() { !0 } else { 0 };
        self.tables[literal.variable() as usize * self.words + word] ^ flip
    }

    fn serves(&self, variable: usize, value: impl Fn(&Self, usize) -> u64) -> bool {
        (0..self.words).all(|word| (value(self, word) ^ self.table(variable)[word]) & self.notices[word] == 0)
    }
}

/// The graph with something else for a variable, without what nothing reads then.
fn rebuilt(graph: &Xag, variable: usize, replacement: Replacement) -> Xag {
    let mut next = Xag::new(graph.inputs());
    let mut literals: Vec<Literal> = (0..graph.first_node()).map(|v| Literal::of(v as u32)).collect();
    let order = order(graph, variable, replacement);
    literals.resize(graph.variables(), Literal::FALSE);
    for own in order {
        let of = |literal: Literal| moved(&literals, literal);
        literals[own] = match graph.node(own as u32) {
            _ if own == variable => match replacement {
                Replacement::Same(a) => of(a),
                Replacement::And(a, b) => next.and(of(a), of(b)),
                Replacement::NotAnd(a, b) => !next.and(of(a), of(b)),
                Replacement::Xor(a, b) => next.xor(of(a), of(b)),
            },
            Some(node) => next.copy(node, of),
            None => continue,
        };
    }
    next.outputs = graph.outputs.iter().map(|&output| moved(&literals, output)).collect();
    next.pruned()
}

/// The nodes in an order in which each stands after what it reads, though one reads something else now.
fn order(graph: &Xag, variable: usize, replacement: Replacement) -> Vec<usize> {
    let (mut order, mut is_done) = (Vec::new(), vec![false; graph.variables()]);
    is_done[..graph.first_node()].fill(true);
    let mut open: Vec<usize> = graph.outputs.iter().map(|output| output.variable() as usize).collect();
    while let Some(&own) = open.last() {
        let reads = match (replacement, graph.node(own as u32)) {
            (Replacement::Same(a), _) if own == variable => [a, a],
            (Replacement::And(a, b) | Replacement::NotAnd(a, b) | Replacement::Xor(a, b), _)
                if own == variable =>
            {
                [a, b]
            }
            (_, Some(node)) => node.reads(),
            (_, None) => [Literal::FALSE; 2],
        };
        match reads.into_iter().map(|read| read.variable() as usize).find(|&read| !is_done[read]) {
            Some(read) if !is_done[own] => open.push(read),
            _ => {
                if !is_done[own] {
                    order.push(own);
                }
                is_done[own] = true;
                open.pop();
            }
        }
    }
    order
}

fn same_reads(reads: [Literal; 2], node: Node) -> bool {
    let variables = |reads: [Literal; 2]| {
        let [a, b] = reads.map(Literal::variable);
        (a.min(b), a.max(b))
    };
    variables(reads) == variables(node.reads())
}

fn word_of(node: Node, tables: &[u64], words: usize, word: usize) -> u64 {
    let [a, b] = node.reads().map(|read| {
        let flip = if read.is_inverted() { !0 } else { 0 };
        tables[read.variable() as usize * words + word] ^ flip
    });
    if matches!(node, Node::And(..)) { a & b } else { a ^ b }
}

fn push_table(node: Node, tables: &mut Vec<u64>, words: usize) {
    for word in 0..words {
        let value = word_of(node, tables, words, word);
        tables.push(value);
    }
}
