//! A graph covered with functions of three inputs.
//!
//! The fewer functions, the fewer values are written and read while the circuit runs. Candidates for a node
//! are its cuts: up to three nodes that it can be computed from (Cong and Ding, "FlowMap", 1994). Each node
//! keeps a few; first those are chosen that promise the smallest area, sharing counted ("area flow"), then each is
//! exchanged for one that leaves fewer functions in all ("exact area"; Mishchenko, Chatterjee, Brayton,
//! "Improvements to technology mapping for LUT-based FPGAs", 2006).

use crate::net::{Edge, Net, Output};

/// Candidates of a node.
const MOST_CUTS: usize = 5;

/// How often exact areas are compared.
const PASSES: usize = 2;

/// A node seen from another without regard to inversion: its number times 4, and how many rows below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Leaf(u32);

impl Leaf {
    pub fn new(node: u32, row: u32) -> Self {
        Self(node << 2 | row)
    }

    pub fn node(self) -> usize {
        self.0 as usize >> 2
    }

    pub fn row(self) -> u32 {
        self.0 & 3
    }

    pub fn down(self, rows: u32) -> Self {
        Self(self.0 + rows)
    }
}

/// A function of up to three leaves: bit `a + 2 b + 4 c` of the table is its value. A leaf that is not there is
/// the first one again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lut {
    pub table: u8,
    pub leaves: [Leaf; 3],
}

/// The functions of three inputs that compute a graph, each after those that it reads. Nodes are numbered after
/// the sources.
#[derive(Debug)]
pub(crate) struct LutNet {
    pub sources: usize,
    pub luts: Vec<Lut>,
    pub outputs: Vec<LutOutput>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LutOutput {
    Constant(bool),
    Leaf { leaf: Leaf, is_inverted: bool },
}

/// The tables of the three variables.
pub(crate) const VARIABLES: [u8; 3] = [0b1010_1010, 0b1100_1100, 0b1111_0000];

/// Covers a graph.
pub(crate) fn cover(net: &Net) -> LutNet {
    let mut cover = Cover::new(net);
    cover.choose();
    for _ in 0..PASSES {
        cover.improve();
    }
    cover.collect()
}

#[derive(Clone, Copy)]
struct Cut {
    leaves: [Leaf; 3],
    len: u8,
    table: u8,
}

impl Cut {
    fn trivial(leaf: Leaf) -> Self {
        Self { leaves: [leaf; 3], len: 1, table: VARIABLES[0] }
    }

    fn leaves(&self) -> &[Leaf] {
        &self.leaves[..usize::from(self.len)]
    }

    /// The cut as it is seen through an edge.
    fn through(self, edge: Edge) -> Self {
        let table = if edge.is_inverted() { !self.table } else { self.table };
        Self { leaves: self.leaves.map(|leaf| leaf.down(edge.row())), table, ..self }
    }

    /// The table over more leaves, which contain those of the cut. It ignores leaves that are not there.
    fn table_over(&self, leaves: &[Leaf]) -> u8 {
        let mut places = [0; 3];
        for (place, leaf) in places.iter_mut().zip(self.leaves()) {
            *place = leaves.iter().position(|other| other == leaf).unwrap_or(0);
        }
        let mut table = 0;
        for row in 0..8_usize {
            let mut index = 0;
            for (variable, place) in places[..usize::from(self.len)].iter().enumerate() {
                index |= (row >> place & 1) << variable;
            }
            table |= (self.table >> index & 1) << row;
        }
        table
    }

    /// Both leaves together, where they are three at most.
    fn union(&self, other: &Self) -> Option<Self> {
        let (mut leaves, mut len) = ([self.leaves[0]; 3], 0);
        let (mut a, mut b) = (self.leaves(), other.leaves());
        loop {
            let next = match (a.first(), b.first()) {
                (Some(x), Some(y)) => *x.min(y),
                (Some(x), None) | (None, Some(x)) => *x,
                (None, None) => break,
            };
            a = if a.first() == Some(&next) { &a[1..] } else { a };
            b = if b.first() == Some(&next) { &b[1..] } else { b };
            *leaves.get_mut(len)? = next;
            len += 1;
        }
        Some(Self { leaves, len: len as u8, table: 0 })
    }

    /// Whether the table is constant or a copy of a leaf: such a cut is a chance that says nothing of the node.
    fn is_degenerate(&self) -> bool {
        let used = self.len.min(3);
        let mask = ((1_u16 << (1 << used)) - 1) as u8;
        let is = |table: u8| (self.table ^ table) & mask == 0;
        is(0) || is(255) || VARIABLES[..usize::from(used)].iter().any(|&table| is(table) || is(!table))
    }
}

struct Cover<'a> {
    net: &'a Net,
    /// The cuts of all nodes; where those of each begin, and which of them is chosen.
    cuts: Vec<Cut>,
    first: Vec<u32>,
    chosen: Vec<u32>,
    /// Of each node, sources too, how many read it, and what it costs with its share of what it reads.
    readers: Vec<u32>,
    flow: Vec<f32>,
}

impl<'a> Cover<'a> {
    fn new(net: &'a Net) -> Self {
        let count = net.sources + net.nodes.len();
        let mut readers = vec![0; count];
        let reads = net.nodes.iter().flat_map(|node| node.reads);
        let outputs = net.outputs.iter().filter_map(|output| match output {
            Output::Edge(edge) => Some(*edge),
            Output::Constant(_) => None,
        });
        reads.chain(outputs).for_each(|edge| readers[edge.node() as usize] += 1);
        Self { net, cuts: Vec::new(), first: vec![0], chosen: Vec::new(), readers, flow: vec![0.0; count] }
    }

    /// Finds the cuts of each node and chooses the one of the least area flow.
    fn choose(&mut self) {
        let mut found: Vec<(f32, Cut)> = Vec::new();
        for (index, node) in self.net.nodes.iter().enumerate() {
            found.clear();
            let [a, b] = node.reads;
            for one in self.candidates(a) {
                for other in self.candidates(b) {
                    let Some(mut cut) = one.union(&other) else { continue };
                    let tables = [one, other].map(|cut_of| cut_of.table_over(cut.leaves()));
                    cut.table = if node.is_xor { tables[0] ^ tables[1] } else { tables[0] & tables[1] };
                    let is_known = found.iter().any(|(_, known)| known.leaves() == cut.leaves());
                    if !is_known && !cut.is_degenerate() {
                        found.push((self.flow_of(&cut), cut));
                    }
                }
            }
            found
                .sort_by(|(flow, cut), (other, cut_of)| flow.total_cmp(other).then(cut.len.cmp(&cut_of.len)));
            found.truncate(MOST_CUTS);
            self.chosen.push(self.cuts.len() as u32);
            self.cuts.extend(found.iter().map(|(_, cut)| *cut));
            self.first.push(self.cuts.len() as u32);
            self.flow[self.net.sources + index] = found.first().map_or(0.0, |(flow, _)| *flow);
        }
    }

    /// The node itself, and its cuts, seen through an edge.
    fn candidates(&self, edge: Edge) -> impl Iterator<Item = Cut> {
        let cuts = self.cuts_of(edge.node() as usize).iter().copied();
        let trivial = Cut::trivial(Leaf::new(edge.node(), 0));
        std::iter::once(trivial).chain(cuts).map(move |cut| cut.through(edge))
    }

    fn cuts_of(&self, node: usize) -> &[Cut] {
        match node.checked_sub(self.net.sources) {
            None => &[],
            Some(index) => &self.cuts[self.first[index] as usize..self.first[index + 1] as usize],
        }
    }

    fn flow_of(&self, cut: &Cut) -> f32 {
        let shares =
            cut.leaves().iter().map(|leaf| self.flow[leaf.node()] / self.readers[leaf.node()] as f32);
        1.0 + shares.sum::<f32>()
    }
}

impl Cover<'_> {
    /// Exchanges the cut of each node that is used for the one that leaves the fewest functions.
    fn improve(&mut self) {
        self.count_uses();
        for index in 0..self.net.nodes.len() {
            let node = self.net.sources + index;
            if self.readers[node] == 0 {
                continue;
            }
            self.release(self.chosen[index]);
            let (first, end) = (self.first[index], self.first[index + 1]);
            let mut best = (u32::MAX, first);
            for cut in first..end {
                let area = self.take(cut);
                self.release(cut);
                best = best.min((area, cut));
            }
            self.chosen[index] = best.1;
            self.take(best.1);
        }
    }

    /// Counts how many of the chosen functions read each node.
    fn count_uses(&mut self) {
        self.readers.fill(0);
        for output in &self.net.outputs {
            if let Output::Edge(edge) = output {
                self.readers[edge.node() as usize] += 1;
            }
        }
        for index in (0..self.net.nodes.len()).rev() {
            if self.readers[self.net.sources + index] > 0 {
                for leaf in self.cuts[self.chosen[index] as usize].leaves() {
                    self.readers[leaf.node()] += 1;
                }
            }
        }
    }

    /// Counts a cut in, and says how many functions it adds.
    fn take(&mut self, cut: u32) -> u32 {
        self.walk(cut, |readers| {
            *readers += 1;
            *readers == 1
        })
    }

    /// Counts a cut out.
    fn release(&mut self, cut: u32) {
        self.walk(cut, |readers| {
            *readers -= 1;
            *readers == 0
        });
    }

    /// Visits the leaves of a cut, and of the chosen cuts of those leaves for which `change` says so.
    fn walk(&mut self, cut: u32, mut change: impl FnMut(&mut u32) -> bool) -> u32 {
        let (mut visited, mut open) = (0, vec![cut]);
        while let Some(cut) = open.pop() {
            visited += 1;
            let cut = self.cuts[cut as usize];
            for leaf in cut.leaves() {
                let changes = change(&mut self.readers[leaf.node()]);
                if let Some(index) = leaf.node().checked_sub(self.net.sources)
                    && changes
                {
                    open.push(self.chosen[index]);
                }
            }
        }
        visited
    }

    /// The functions that are used.
    fn collect(mut self) -> LutNet {
        self.count_uses();
        let mut numbers: Vec<u32> = (0..self.net.sources as u32).collect();
        let mut luts = Vec::new();
        for index in 0..self.net.nodes.len() {
            let next = (self.net.sources + luts.len()) as u32;
            numbers.push(next);
            if self.readers[self.net.sources + index] == 0 {
                continue;
            }
            let cut = self.cuts[self.chosen[index] as usize];
            let mut leaves = cut.leaves;
            leaves[usize::from(cut.len)..].fill(cut.leaves[0]);
            let leaves = leaves.map(|leaf| Leaf::new(numbers[leaf.node()], leaf.row()));
            luts.push(Lut { table: cut.table, leaves });
        }
        let outputs = self.net.outputs.iter().map(|output| match output {
            Output::Constant(value) => LutOutput::Constant(*value),
            Output::Edge(edge) => LutOutput::Leaf {
                leaf: Leaf::new(numbers[edge.node() as usize], edge.row()),
                is_inverted: edge.is_inverted(),
            },
        });
        LutNet { sources: self.net.sources, outputs: outputs.collect(), luts }
    }
}

impl LutNet {
    /// Stores each function so that it is 0 where all that it reads is 0, inverted where need be: there are half
    /// as many such functions. Their readers and the outputs are changed accordingly.
    pub fn normalise(&mut self) {
        let mut inverted = vec![false; self.sources + self.luts.len()];
        for (index, lut) in self.luts.iter_mut().enumerate() {
            let flips = (0..3).filter(|&place| inverted[lut.leaves[place].node()]);
            let flips = flips.fold(0, |flips, place| flips | 1 << place);
            let moved = (0..8_u8).filter(|row| lut.table >> (row ^ flips) & 1 == 1);
            let table = moved.fold(0_u8, |table, row| table | 1 << row);
            let is_inverted = table & 1 == 1;
            inverted[self.sources + index] = is_inverted;
            lut.table = if is_inverted { !table } else { table };
        }
        for output in &mut self.outputs {
            if let LutOutput::Leaf { leaf, is_inverted } = output {
                *is_inverted ^= inverted[leaf.node()];
            }
        }
    }
}
