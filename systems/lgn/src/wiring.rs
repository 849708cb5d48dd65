//! What gates read.

use rekindle_compute::rng::{self, Stream};

use crate::shape::{LayerShape, StageShape, TreesShape};
use crate::streams;

/// Outputs that a run of gates has its second inputs in: as many as fit the second-level cache with their
/// gradients.
const NEAR: u32 = 2048;

/// The wires of a stage.
pub(crate) fn wires(stage: &StageShape, index: usize, seed: u64) -> Vec<u32> {
    let mut stream = rng::stream(seed, streams::WIRES, index as u64);
    match stage {
        StageShape::Layer(layer) => of_layer(*layer, &mut stream),
        StageShape::Trees(trees) => of_trees(trees, &mut stream),
    }
}

/// First and second input of each gate: every output of the stage before is read equally often, or once less
/// (the random connections of Petersen et al., 2022).
///
/// The order of gates makes no difference to what a network can learn. They are sorted by where they read,
/// so that what they read is in the cache.
fn of_layer(layer: LayerShape, stream: &mut Stream) -> Vec<u32> {
    let inputs = layer.inputs as u32;
    let mut names: Vec<u32> = (0..inputs).collect();
    stream.shuffle(&mut names);
    let mut ends: Vec<u32> = (0..2 * layer.gates).map(|end| names[end % layer.inputs]).collect();
    stream.shuffle(&mut ends);
    let (first, second) = ends.split_at(layer.gates);
    let different = |a: u32, b: u32| if a == b { (b + 1) % inputs } else { b };
    let mut gates: Vec<[u32; 2]> = first.iter().zip(second).map(|(&a, &b)| [a, different(a, b)]).collect();
    gates.sort_by_key(|&[a, b]| (b / NEAR, a, b));
    gates.into_flattened()
}

/// The places that the leaves of each kernel read, (channel x window + line) x window + column: different
/// ones, of two channels (Petersen et al., "Convolutional differentiable logic gate networks", 2024).
fn of_trees(trees: &TreesShape, stream: &mut Stream) -> Vec<u32> {
    let (window, leaves) = (trees.convolution.window, trees.convolution.leaves());
    let places = (window * window) as u32;
    let mut wires = Vec::with_capacity(trees.convolution.kernels * leaves);
    for _ in 0..trees.convolution.kernels {
        let mut channels: Vec<u32> = (0..trees.from.channels as u32).collect();
        stream.shuffle(&mut channels);
        let of_channel = |&channel: &u32| channel * places..(channel + 1) * places;
        let mut candidates: Vec<u32> = channels.iter().take(2).flat_map(of_channel).collect();
        stream.shuffle(&mut candidates);
        wires.extend(candidates.iter().cycle().take(leaves));
    }
    wires
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Convolution;
    use crate::shape::Maps;

    #[test]
    fn every_input_is_read_equally_often_and_no_gate_reads_one_twice() {
        let layer = LayerShape { inputs: 30, gates: 300 };
        let wires = of_layer(layer, &mut rng::stream(1, 0, 0));
        let gates = wires.as_chunks::<2>().0;
        assert_eq!(gates.len(), 300);
        assert!(gates.iter().all(|[a, b]| a != b && *a < 30 && *b < 30));
        let mut read = [0; 30];
        wires.iter().for_each(|&wire| read[wire as usize] += 1);
        assert!(read.iter().all(|&read: &i32| (read - 20).abs() <= 4), "{read:?}");
    }

    #[test]
    fn leaves_read_different_places_of_two_channels() {
        let convolution = Convolution { kernels: 9, window: 3, depth: 3, padding: 0, pool: 1 };
        let from = Maps { channels: 5, width: 9, height: 9 };
        let to = Maps { channels: 9, width: 7, height: 7 };
        let wires = of_trees(&TreesShape { from, to, convolution }, &mut rng::stream(1, 0, 0));
        for leaves in wires.chunks_exact(8) {
            let mut sorted = leaves.to_vec();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), 8);
            let mut channels: Vec<u32> = leaves.iter().map(|leaf| leaf / 9).collect();
            channels.sort_unstable();
            channels.dedup();
            assert!(channels.len() <= 2 && channels.iter().all(|&channel| channel < 5));
        }
    }
}
