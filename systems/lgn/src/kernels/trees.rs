//! Convolutions: kernels that are trees of gates, moved over maps, with `or` over neighbouring places.

use rekindle_classify::rows::{Row, TILES};
use rekindle_compute::{LANES, kernel};
use rekindle_gates::soft::Coefficients;

use super::{Sums, Values, add_lanes, add_to_input, add_to_sums, gate};
use crate::shape::TreesShape;

kernel! {
    /// Computes all maps. Behind the inputs there is a row of zeros, which stands for what is around them.
    pub(crate) fn forward_trees(
        shape: &TreesShape,
        wires: &[u32],
        coefficients: &[Coefficients],
        inputs: &[Row],
        outputs: &mut [Row],
    ) {
        match shape.convolution.depth {
            1 => forward::<2>(shape, wires, coefficients, inputs, outputs),
            2 => forward::<4>(shape, wires, coefficients, inputs, outputs),
            _ => forward::<8>(shape, wires, coefficients, inputs, outputs),
        }
    }
}

kernel! {
    /// From the gradients of the outputs, adds to those of the coefficients, and to those of the inputs
    /// where there are any; behind these too there is a row for what is around them.
    pub(crate) fn backward_trees(
        pass: &Backward<'_>,
        input_gradients: Option<&mut [Row]>,
        coefficient_gradients: &mut [Coefficients],
    ) {
        match pass.shape.convolution.depth {
            1 => backward::<2>(pass, input_gradients, coefficient_gradients),
            2 => backward::<4>(pass, input_gradients, coefficient_gradients),
            _ => backward::<8>(pass, input_gradients, coefficient_gradients),
        }
    }
}

/// What going back through a convolution reads.
pub(crate) struct Backward<'a> {
    pub shape: &'a TreesShape,
    pub wires: &'a [u32],
    pub coefficients: &'a [Coefficients],
    pub inputs: &'a [Row],
    pub outputs: &'a [Row],
    pub gradients: &'a [Row],
}

/// Where the leaves of a kernel read.
struct Leaves<const LEAVES: usize> {
    /// Map, line and column of each leaf, the latter two from the window's corner.
    places: [[usize; 3]; LEAVES],
    width: usize,
    height: usize,
    padding: usize,
    /// The row of what is around the maps.
    around: usize,
}

impl<const LEAVES: usize> Leaves<LEAVES> {
    #[inline(always)]
    fn new(shape: &TreesShape, wires: &[u32]) -> Self {
        let window = shape.convolution.window;
        let mut places = [[0; 3]; LEAVES];
        for (place, &wire) in places.iter_mut().zip(wires) {
            let wire = wire as usize;
            *place = [wire / (window * window), wire / window % window, wire % window];
        }
        let (width, height) = (shape.from.width, shape.from.height);
        Self { places, width, height, padding: shape.convolution.padding, around: shape.from.len() }
    }

    /// The rows that are read where the window's corner is at a place.
    #[inline(always)]
    fn rows(&self, line: usize, column: usize) -> [usize; LEAVES] {
        let mut rows = [self.around; LEAVES];
        for (row, &[map, down, right]) in rows.iter_mut().zip(&self.places) {
            // What lies before the first line or column wraps to a large number.
            let line = (line + down).wrapping_sub(self.padding);
            let column = (column + right).wrapping_sub(self.padding);
            if line < self.height && column < self.width {
                *row = (map * self.height + line) * self.width + column;
            }
        }
        rows
    }
}

/// The outputs of all gates of a tree for the examples of a tile; the last is unused.
#[inline(always)]
fn tree<const LEAVES: usize>(
    coefficients: &[Coefficients],
    inputs: &[Row],
    rows: &[usize; LEAVES],
    tile: usize,
) -> [Values; LEAVES] {
    let mut nodes = [[0.0; LANES]; LEAVES];
    for index in 0..LEAVES / 2 {
        let (a, b) = (&inputs[rows[2 * index]][tile].0, &inputs[rows[2 * index + 1]][tile].0);
        nodes[index] = gate(&coefficients[index], a, b);
    }
    for index in LEAVES / 2..LEAVES - 1 {
        let first = 2 * (index - LEAVES / 2);
        nodes[index] = gate(&coefficients[index], &nodes[first], &nodes[first + 1]);
    }
    nodes
}

#[inline(always)]
fn forward<const LEAVES: usize>(
    shape: &TreesShape,
    wires: &[u32],
    coefficients: &[Coefficients],
    inputs: &[Row],
    outputs: &mut [Row],
) {
    let (pool, width, height) = (shape.convolution.pool, shape.to.width, shape.to.height);
    let kernels = wires.chunks_exact(LEAVES).zip(coefficients.chunks_exact(LEAVES - 1));
    for ((wires, coefficients), outputs) in kernels.zip(outputs.chunks_exact_mut(width * height)) {
        let leaves = Leaves::<LEAVES>::new(shape, wires);
        for (place, output) in outputs.iter_mut().enumerate() {
            let (line, column) = (place / width * pool, place % width * pool);
            for part in 0..pool * pool {
                let rows = leaves.rows(line + part / pool, column + part % pool);
                for tile in 0..TILES {
                    let root = tree(coefficients, inputs, &rows, tile)[LEAVES - 2];
                    let output = &mut output[tile].0;
                    for lane in 0..LANES {
                        let is_more = part == 0 || root[lane] > output[lane];
                        output[lane] = if is_more { root[lane] } else { output[lane] };
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn backward<const LEAVES: usize>(
    pass: &Backward<'_>,
    mut input_gradients: Option<&mut [Row]>,
    coefficient_gradients: &mut [Coefficients],
) {
    let shape = pass.shape;
    let (width, places) = (shape.to.width, shape.to.width * shape.to.height);
    let pool = shape.convolution.pool;
    let kernels = pass.wires.chunks_exact(LEAVES).zip(pass.coefficients.chunks_exact(LEAVES - 1));
    let kernels = kernels.zip(coefficient_gradients.chunks_exact_mut(LEAVES - 1)).enumerate();
    for (kernel, ((wires, coefficients), coefficient_gradients)) in kernels {
        let leaves = Leaves::<LEAVES>::new(shape, wires);
        let mut sums: [Sums; LEAVES] = [[[0.0; LANES]; 4]; LEAVES];
        for place in 0..places {
            let (line, column) = (place / width * pool, place % width * pool);
            let (output, gradient) =
                (&pass.outputs[kernel * places + place], &pass.gradients[kernel * places + place]);
            // An example's gradient goes to the first of the places whose output is the largest.
            let mut left = [gradient[0].0, gradient[1].0];
            for part in 0..pool * pool {
                let rows = leaves.rows(line + part / pool, column + part % pool);
                for tile in 0..TILES {
                    let nodes = tree(coefficients, pass.inputs, &rows, tile);
                    let root = take(&mut left[tile], &nodes[LEAVES - 2], &output[tile].0);
                    if root.iter().all(|&gradient| gradient == 0.0) {
                        continue;
                    }
                    let leaf_gradients =
                        backward_tree(coefficients, pass.inputs, &rows, tile, &nodes, root, &mut sums);
                    if let Some(input_gradients) = &mut input_gradients {
                        add_leaves(input_gradients, coefficients, pass.inputs, &rows, tile, &leaf_gradients);
                    }
                }
            }
        }
        for (gradient, sums) in coefficient_gradients.iter_mut().zip(&sums) {
            add_lanes(gradient, sums);
        }
    }
}

/// Takes the gradients of the examples whose output is this one.
#[inline(always)]
fn take(left: &mut Values, root: &Values, output: &Values) -> Values {
    let mut taken = [0.0; LANES];
    for lane in 0..LANES {
        let is_it = root[lane] == output[lane];
        taken[lane] = if is_it { left[lane] } else { 0.0 };
        left[lane] = if is_it { 0.0 } else { left[lane] };
    }
    taken
}

/// From the gradient of the root, adds to the sums of all gates, and gives the gradients of those that read
/// leaves.
#[inline(always)]
fn backward_tree<const LEAVES: usize>(
    coefficients: &[Coefficients],
    inputs: &[Row],
    rows: &[usize; LEAVES],
    tile: usize,
    nodes: &[Values; LEAVES],
    root: Values,
    sums: &mut [Sums; LEAVES],
) -> [Values; LEAVES] {
    let mut gradients = [[0.0; LANES]; LEAVES];
    gradients[LEAVES - 2] = root;
    for index in (LEAVES / 2..LEAVES - 1).rev() {
        let first = 2 * (index - LEAVES / 2);
        let [_, c1, c2, c3] = coefficients[index];
        let gradient = gradients[index];
        let (a, b) = (&nodes[first], &nodes[first + 1]);
        add_to_sums(&mut sums[index], &gradient, a, b);
        add_to_input(&mut gradients[first], &gradient, c1, c3, b);
        add_to_input(&mut gradients[first + 1], &gradient, c2, c3, a);
    }
    for index in 0..LEAVES / 2 {
        let (a, b) = (&inputs[rows[2 * index]][tile].0, &inputs[rows[2 * index + 1]][tile].0);
        add_to_sums(&mut sums[index], &gradients[index], a, b);
    }
    gradients
}

/// Adds to the gradients of what the leaves read.
#[inline(always)]
fn add_leaves<const LEAVES: usize>(
    input_gradients: &mut [Row],
    coefficients: &[Coefficients],
    inputs: &[Row],
    rows: &[usize; LEAVES],
    tile: usize,
    gradients: &[Values; LEAVES],
) {
    for index in 0..LEAVES / 2 {
        let [_, c1, c2, c3] = coefficients[index];
        let (a, b) = (rows[2 * index], rows[2 * index + 1]);
        add_to_input(&mut input_gradients[a][tile].0, &gradients[index], c1, c3, &inputs[b][tile].0);
        add_to_input(&mut input_gradients[b][tile].0, &gradients[index], c2, c3, &inputs[a][tile].0);
    }
}
