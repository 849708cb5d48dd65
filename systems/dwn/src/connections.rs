//! What tables read: connections that are drawn, and candidates that learnt ones choose among.

use rekindle_compute::{KernelPath, LANES, rng};

use crate::kernels;
use crate::shape::Shape;
use crate::state::State;
use crate::streams;

/// The connections of a layer, drawn so that every source is read equally often, or once less; none where they
/// are learnt. Shape: tables x inputs.
pub(crate) fn drawn(shape: &Shape, layer: usize, seed: u64) -> Vec<u32> {
    if shape.is_learnt(layer) {
        return Vec::new();
    }
    // Columns that begin the bits again are not drawn.
    let sources = if layer == 0 { shape.bits } else { shape.sources(layer) } as u32;
    let ends = shape.layers[layer] * shape.inputs;
    let mut stream = rng::stream(seed, streams::WIRES, layer as u64);
    let mut order: Vec<u32> = (0..sources).collect();
    let mut wires = Vec::with_capacity(ends);
    while wires.len() < ends {
        stream.shuffle(&mut order);
        wires.extend(order.iter().take(ends - wires.len()));
    }
    wires
}

/// The blocks of columns that each table of the first layer chooses among, in ascending order.
/// Shape: tables x blocks.
pub(crate) fn candidate_blocks(shape: &Shape, seed: u64) -> Vec<u32> {
    let blocks = shape.columns() / LANES;
    let mut chosen = Vec::with_capacity(shape.layers[0] * shape.candidate_blocks);
    for table in 0..shape.layers[0] {
        let mut order: Vec<u32> = (0..blocks as u32).collect();
        if shape.candidate_blocks < blocks {
            rng::stream(seed, streams::CANDIDATES, table as u64).shuffle(&mut order);
        }
        order.truncate(shape.candidate_blocks);
        order.sort_unstable();
        chosen.extend(order);
    }
    chosen
}

/// The column that each input of some tables of the first layer reads, which have these blocks and weights.
pub(crate) fn choose(path: KernelPath, shape: &Shape, blocks: &[u32], weights: &[f32], wires: &mut [u32]) {
    kernels::strongest(path, weights, shape.candidates(), wires);
    let tables = blocks.chunks_exact(shape.candidate_blocks).zip(wires.chunks_exact_mut(shape.inputs));
    for (blocks, wires) in tables {
        for wire in wires {
            let candidate = *wire as usize;
            *wire = blocks[candidate / LANES] * LANES as u32 + (candidate % LANES) as u32;
        }
    }
}

/// The connections of all layers of a state that fits the shape; those of the first lead to bits.
pub(crate) fn of_state(shape: &Shape, state: &State) -> Vec<Vec<u32>> {
    let mut all: Vec<Vec<u32>> = state.layers.iter().map(|layer| layer.wires.clone()).collect();
    if shape.is_learnt(0) {
        all[0] = vec![0; shape.layers[0] * shape.inputs];
        choose(KernelPath::best(), shape, &state.mapping.blocks, &state.mapping.weights, &mut all[0]);
    }
    all[0].iter_mut().for_each(|wire| *wire %= shape.bits as u32);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(bits: usize, candidate_blocks: usize) -> Shape {
        Shape { bits, inputs: 4, layers: vec![30, 20], candidate_blocks, classes: 2 }
    }

    #[test]
    fn every_source_is_read_equally_often() {
        let wires = drawn(&shape(25, 0), 0, 7);
        let mut read = [0; 25];
        wires.iter().for_each(|&wire| read[wire as usize] += 1);
        assert_eq!(wires.len(), 120);
        assert!(read.iter().all(|&read: &i32| (4..=5).contains(&read)), "{read:?}");
        assert!(drawn(&shape(25, 1), 0, 7).is_empty());
        assert_eq!(drawn(&shape(25, 1), 1, 7).len(), 80);
    }

    #[test]
    fn the_candidate_with_the_largest_weight_is_read_the_first_of_equals() {
        let shape = shape(80, 2);
        let blocks = candidate_blocks(&shape, 3);
        assert!(blocks.chunks_exact(2).all(|blocks| blocks[0] < blocks[1] && blocks[1] < 5));
        let mut weights = vec![0.25; 30 * 4 * 32];
        weights[5] = 0.5;
        weights[32 + 20] = 0.75;
        weights[32 + 30] = 0.75;
        let mut wires = vec![0; 120];
        choose(KernelPath::best(), &shape, &blocks, &weights, &mut wires);
        assert_eq!(wires[..3], [blocks[0] * 16 + 5, blocks[1] * 16 + 4, blocks[0] * 16]);
    }
}
