//! Functions that count: of which, but for one input perhaps, only matters how many inputs are set.
//!
//! Rules of cellular automata are often such. Full adders count the inputs, and a few gates look at the number: a
//! good beginning for a search, which would not find adders by small steps.

use crate::xag::{Literal, Xag};

/// A graph that counts, where the graph has one output that depends on nothing but a number and one input. The
/// values of the output are those of all settings of the inputs, 64 a word.
pub(crate) fn counting(inputs: usize, values: &[u64]) -> Option<Xag> {
    (0..inputs).find_map(|apart| Counts::of(inputs, values, apart)).map(|counts| counts.graph())
}

/// The same for the rule of an automaton of one channel, of which only matters how many of all nine cells are set
/// besides the one in the middle. Whole rows are counted first, which neighbours share.
pub(crate) fn counting_rows(values: &[u64]) -> Option<Xag> {
    let counts = Counts::of(CELLS, values, MIDDLE)?;
    // By the number of all cells: the one in the middle is among them.
    let [dead, mut alive] = counts.values.map(|values| values.into_iter().map(Some).collect::<Vec<_>>());
    alive.insert(0, None);
    let graph = Xag::new(CELLS);
    let cells = (0..CELLS).map(|input| graph.input(input)).collect();
    Some(decide_by_number(graph, cells, MIDDLE, [dead, alive]))
}

/// The cells of a neighbourhood, and which of them is in the middle.
const CELLS: usize = 9;
const MIDDLE: usize = 4;

struct Counts {
    inputs: usize,
    apart: usize,
    /// The value for each number of the other inputs, where the one apart is 0, then where it is 1.
    values: [Vec<bool>; 2],
}

impl Counts {
    fn of(inputs: usize, values: &[u64], apart: usize) -> Option<Self> {
        let mut known = [vec![None; inputs], vec![None; inputs]];
        for setting in 0..1_usize << inputs {
            let value = values[setting / 64] >> (setting % 64) & 1 == 1;
            let own = setting >> apart & 1;
            let place = &mut known[own][setting.count_ones() as usize - own];
            if *place.get_or_insert(value) != value {
                return None;
            }
        }
        let values = known.map(|values| values.into_iter().flatten().collect());
        Some(Self { inputs, apart, values })
    }

    fn graph(self) -> Xag {
        let graph = Xag::new(self.inputs);
        let others = (0..self.inputs).filter(|&input| input != self.apart).map(|input| graph.input(input));
        let others = others.collect();
        let values = self.values.map(|values| values.into_iter().map(Some).collect());
        decide_by_number(graph, others, self.apart, values)
    }
}

/// Counts literals, and gives the value for their number where the input apart is 0, or where it is 1. Numbers that do
/// not occur may have any value.
fn decide_by_number(
    mut graph: Xag,
    literals: Vec<Literal>,
    apart: usize,
    values: [Vec<Option<bool>>; 2],
) -> Xag {
    let mut weights = vec![literals];
    let mut bits = Vec::new();
    while let Some(mut column) = weights.pop() {
        let mut carries = Vec::new();
        while column.len() > 1 {
            let c = if column.len() > 2 { column.remove(2) } else { Literal::FALSE };
            let (b, a) = (column.remove(1), column.remove(0));
            let (sum, carry) = add(&mut graph, a, b, c);
            column.push(sum);
            carries.push(carry);
        }
        bits.extend(column);
        if !carries.is_empty() {
            weights.push(carries);
        }
    }
    let table: Vec<Option<bool>> = values
        .iter()
        .flat_map(|values| (0..1_usize << bits.len()).map(|number| values.get(number).copied().flatten()))
        .collect();
    let mut variables = bits;
    variables.push(graph.input(apart));
    let output = decide(&mut graph, &variables, &table);
    graph.outputs.push(output);
    graph.pruned()
}

fn add(graph: &mut Xag, a: Literal, b: Literal, c: Literal) -> (Literal, Literal) {
    let half = graph.xor(a, b);
    let sum = graph.xor(half, c);
    // Where a and b differ, c decides, and otherwise both say the same.
    let carry = graph.choose(half, c, a);
    (sum, carry)
}

/// The literal that has the values of a table, of which the last variable chooses the half.
fn decide(graph: &mut Xag, variables: &[Literal], table: &[Option<bool>]) -> Literal {
    let mut known = table.iter().flatten();
    let first = known.next().copied().unwrap_or(false);
    if known.all(|&value| value == first) {
        return Literal::FALSE.inverted_if(first);
    }
    let Some((&select, rest)) = variables.split_last() else { return Literal::FALSE };
    let (low, high) = table.split_at(table.len() / 2);
    let fits = low.iter().zip(high).all(|(low, high)| low.is_none() || high.is_none() || low == high);
    if fits {
        let both: Vec<_> = low.iter().zip(high).map(|(low, high)| low.or(*high)).collect();
        return decide(graph, rest, &both);
    }
    let (low, high) = (decide(graph, rest, low), decide(graph, rest, high));
    graph.choose(select, high, low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::{Verdict, prove, values_of};
    use crate::sweep::Limits;
    use crate::testing::life;

    #[test]
    fn life_counts_and_a_single_input_among_others_does_not() {
        let circuit = life();
        let inputs: Vec<Vec<u64>> =
            (0..9).map(|input| (0..8).map(|word| values_of(input, word)).collect()).collect();
        let mut values = [[0; 8]];
        let program = crate::Program::new(&circuit);
        program.run(rekindle_compute::KernelPath::best(), &inputs, &mut values).unwrap();
        let counting = counting(9, &values[0]).unwrap().to_circuit();
        let verdict = prove(&circuit, &counting, Limits::default()).unwrap();
        assert!(matches!(verdict, Verdict::Equal { .. }), "{verdict:?}");
        let by_rows = counting_rows(&values[0]).unwrap().to_circuit();
        let verdict = prove(&circuit, &by_rows, Limits::default()).unwrap();
        assert!(matches!(verdict, Verdict::Equal { .. }), "{verdict:?}");
        // Two inputs of four, the others of no matter.
        let both: u64 = values_of(0, 0) & values_of(1, 0);
        assert!(super::counting(4, &[both]).is_none());
    }
}
