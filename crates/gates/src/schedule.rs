//! From functions of three inputs to lists of operations on slots.
//!
//! Values share slots: one is free again after the last operation that reads its value, so that all values that
//! are alive at a time fit a near cache. A small graph is computed depth first, which keeps few values alive; a
//! large one level by level and within a level function by function, so that there is one dispatch for many
//! operations.

use std::collections::HashMap;

use crate::cover::{Leaf, LutNet, LutOutput};
use crate::lut::{CARRY, Function, Operation, Place, Run, SUM, canonical};

/// A graph of so many functions is computed depth first.
const SMALL: usize = 1024;

/// What is run: operations on slots.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    /// How many slots there are.
    pub slots: usize,
    /// What stands in slots at the beginning.
    pub loads: Vec<Load>,
    pub runs: Vec<Run>,
    pub operations: Vec<Operation>,
    pub outputs: Vec<CodeOutput>,
}

/// A source that is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub source: u32,
    /// Where its first row stands, and how many rows beyond those of the tile it has.
    pub place: Place,
    /// The same row.
    pub row: u32,
    pub extra: u32,
}

/// Where the value of an output stands in the end.
#[derive(Clone, Copy, Debug)]
pub(crate) enum CodeOutput {
    Constant(bool),
    Place { place: Place, is_inverted: bool },
}

impl Code {
    /// Schedules a covered graph.
    pub fn new(mut net: LutNet) -> Self {
        net.normalise();
        Scheduler::new(&net).schedule()
    }

    /// Slots that are read and written.
    pub fn accesses(&self) -> usize {
        let of_run = |run: &Run| {
            let operations = (run.end - run.first) as usize;
            if run.function == Function::Adder { 5 * operations / 2 } else { 4 * operations }
        };
        self.runs.iter().map(of_run).sum()
    }
}

struct Scheduler<'a> {
    net: &'a LutNet,
    /// Of each node, the first and the last row that is needed of it.
    rows: Vec<(u32, u32)>,
    /// Functions that are computed together: a sum and a carry, under either of them.
    adders: HashMap<u32, [u32; 2]>,
    /// Of each node, how many readers are still to come.
    readers: Vec<u32>,
    slots: Vec<u32>,
    free: Vec<u32>,
    used: u32,
}

/// The smallest table of a function.
fn table(net: &LutNet, index: u32) -> u8 {
    canonical(net.luts[index as usize].table).0
}

/// The sums and carries of the same three values for the same rows, under either of them.
fn adders(net: &LutNet, rows: &[(u32, u32)]) -> HashMap<u32, [u32; 2]> {
    let key = |index: u32| {
        let mut leaves = net.luts[index as usize].leaves;
        leaves.sort_unstable();
        (leaves, rows[net.sources + index as usize])
    };
    let of_table = |wanted: u8| (0..net.luts.len() as u32).filter(move |&index| table(net, index) == wanted);
    let mut carries: HashMap<_, u32> = of_table(CARRY).map(|index| (key(index), index)).collect();
    let pairs = of_table(SUM).filter_map(|sum| Some([sum, carries.remove(&key(sum))?]));
    pairs.flat_map(|pair| pair.map(|index| (index, pair))).collect()
}

/// A node that nothing reads.
const NONE: (u32, u32) = (u32::MAX, 0);

impl<'a> Scheduler<'a> {
    fn new(net: &'a LutNet) -> Self {
        let count = net.sources + net.luts.len();
        let mut rows = vec![NONE; count];
        let mut readers = vec![0; count];
        let mut need = |leaf: Leaf, (first, last): (u32, u32), rows: &mut [(u32, u32)]| {
            let known = &mut rows[leaf.node()];
            *known = (known.0.min(first + leaf.row()), known.1.max(last + leaf.row()));
            readers[leaf.node()] += 1;
        };
        for output in &net.outputs {
            if let LutOutput::Leaf { leaf, .. } = output {
                need(*leaf, (0, 0), &mut rows);
            }
        }
        for (index, lut) in net.luts.iter().enumerate().rev() {
            let own = rows[net.sources + index];
            lut.leaves.iter().for_each(|&leaf| need(leaf, own, &mut rows));
        }
        let adders = adders(net, &rows);
        Self { net, rows, adders, readers, slots: vec![0; count], free: Vec::new(), used: 0 }
    }

    fn schedule(mut self) -> Code {
        let loads = self.load();
        let order = if self.net.luts.len() <= SMALL { self.depth_first() } else { self.by_level() };
        let mut is_done = vec![false; self.net.luts.len()];
        let (mut runs, mut operations): (Vec<Run>, Vec<Operation>) = Default::default();
        for index in order {
            if is_done[index as usize] {
                continue;
            }
            let first = operations.len() as u32;
            let function = self.function(index);
            let together = self.adders.get(&index).map_or_else(|| vec![index], |adder| adder.to_vec());
            operations.extend(together.iter().map(|&index| self.operation(index)));
            for &index in &together {
                self.release(index);
                is_done[index as usize] = true;
            }
            let end = operations.len() as u32;
            let (from, to) = self.rows[self.net.sources + index as usize];
            let extra = to - from;
            match runs.last_mut().filter(|run| (run.function, run.extra) == (function, extra)) {
                Some(run) => run.end = end,
                None => runs.push(Run { function, extra, first, end }),
            }
        }
        let outputs = self.net.outputs.iter().map(|output| match *output {
            LutOutput::Constant(value) => CodeOutput::Constant(value),
            LutOutput::Leaf { leaf, is_inverted } => {
                CodeOutput::Place { place: self.place(leaf, 0), is_inverted }
            }
        });
        Code { outputs: outputs.collect(), slots: self.used as usize, loads, runs, operations }
    }

    fn load(&mut self) -> Vec<Load> {
        let mut loads = Vec::new();
        for source in 0..self.net.sources {
            if self.rows[source] == NONE {
                continue;
            }
            let (row, last) = self.rows[source];
            self.slots[source] = self.allocate();
            let place = Place::new(self.slots[source], row);
            loads.push(Load { source: source as u32, place, row, extra: last - row });
        }
        loads
    }

    /// How a function is computed.
    fn function(&self, index: u32) -> Function {
        if self.adders.contains_key(&index) {
            Function::Adder
        } else {
            Function::Table(table(self.net, index))
        }
    }

    /// A function as an operation, with a slot for its value.
    fn operation(&mut self, index: u32) -> Operation {
        let node = self.net.sources + index as usize;
        let lut = self.net.luts[index as usize];
        let (_, order) = canonical(lut.table);
        let (first, _) = self.rows[node];
        // An output never has the slot of what it is computed from.
        self.slots[node] = self.allocate();
        let inputs = order.map(|input| self.place(lut.leaves[input], first));
        Operation { output: Place::new(self.slots[node], first), inputs }
    }

    /// Frees the slots of what nothing but this function was still to read.
    fn release(&mut self, index: u32) {
        for leaf in self.net.luts[index as usize].leaves {
            let readers = &mut self.readers[leaf.node()];
            *readers -= 1;
            if *readers == 0 {
                self.free.push(self.slots[leaf.node()]);
            }
        }
    }

    fn place(&self, leaf: Leaf, row: u32) -> Place {
        Place::new(self.slots[leaf.node()], row + leaf.row())
    }

    fn allocate(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.used += 1;
            self.used - 1
        })
    }

    /// Each function after those that it reads, those last that are read by the same one.
    fn depth_first(&self) -> Vec<u32> {
        let (mut order, mut is_done) = (Vec::new(), vec![false; self.net.luts.len()]);
        let lut_of = |leaf: Leaf| leaf.node().checked_sub(self.net.sources);
        for output in &self.net.outputs {
            let LutOutput::Leaf { leaf, .. } = output else { continue };
            let mut open: Vec<usize> = lut_of(*leaf).into_iter().collect();
            while let Some(&index) = open.last() {
                let mut leaves = self.net.luts[index].leaves.into_iter().filter_map(lut_of);
                match leaves.find(|&leaf| !is_done[leaf]) {
                    Some(leaf) if !is_done[index] => open.push(leaf),
                    _ => {
                        if !is_done[index] {
                            order.push(index as u32);
                        }
                        is_done[index] = true;
                        open.pop();
                    }
                }
            }
        }
        order
    }

    fn by_level(&self) -> Vec<u32> {
        let sources = self.net.sources;
        let mut levels = vec![0_u32; sources + self.net.luts.len()];
        for (index, lut) in self.net.luts.iter().enumerate() {
            let deepest = lut.leaves.iter().map(|leaf| levels[leaf.node()]).max().unwrap_or(0);
            levels[sources + index] = deepest + 1;
        }
        let mut order: Vec<u32> = (0..self.net.luts.len() as u32).collect();
        order.sort_by_key(|&index| {
            let node = sources + index as usize;
            (levels[node], self.function(index), self.rows[node], index)
        });
        order
    }
}
