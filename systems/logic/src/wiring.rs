//! Which two inputs each gate of a layer reads.
//!
//! The published rules of DiffLogic CA (Miotti et al., "Differentiable logic cellular automata",
//! 2025, `get_moore_connections` and `get_unique_connections`): a fixed list of pairs, put into a
//! random order.

use rekindle_compute::rng::Stream;

/// The centre of a 3x3 neighbourhood in reading order.
pub(crate) const CENTRE: u32 = 4;

/// The gates of a first kernel layer: one for each neighbour.
pub(crate) const NEIGHBOURS: usize = 8;

/// The first and the second input of each gate of a layer.
pub(crate) type Wires = (Vec<u32>, Vec<u32>);

/// The first kernel layer: each gate reads one neighbour first and the centre second.
pub(crate) fn first_kernel(stream: &mut Stream) -> Wires {
    let mut neighbours: Vec<u32> = (0..9).filter(|&position| position != CENTRE).collect();
    stream.shuffle(&mut neighbours);
    (neighbours, vec![CENTRE; NEIGHBOURS])
}

/// A layer whose gates all read different pairs: first (0, 1), (2, 3), ..., then (1, 2), (3, 4),
/// ..., then every (i, i+2), every (i, i+3), and so on until there are enough.
///
/// `outputs` must be within [`unique_range`] of `inputs`.
pub(crate) fn unique(inputs: usize, outputs: usize, stream: &mut Stream) -> Wires {
    let mut pairs = pairs(inputs as u32, outputs);
    stream.shuffle(&mut pairs);
    pairs.into_iter().unzip()
}

/// From how few to how many gates a unique layer over so many inputs can have: fewer would leave
/// an input unread, and for more there are not enough pairs.
pub(crate) fn unique_range(inputs: usize) -> std::ops::RangeInclusive<usize> {
    inputs.div_ceil(2)..=inputs.saturating_mul(inputs.saturating_sub(1)) / 2
}

fn pairs(inputs: u32, outputs: usize) -> Vec<(u32, u32)> {
    let adjacent = [0, 1].into_iter().flat_map(|start| (start..inputs.saturating_sub(1)).step_by(2));
    let adjacent = adjacent.map(|first| (first, first + 1));
    let apart = (2..inputs).flat_map(|offset| (0..inputs - offset).map(move |first| (first, first + offset)));
    adjacent.chain(apart).take(outputs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rekindle_compute::rng;
    use std::collections::HashSet;

    #[test]
    fn pairs_come_in_the_published_order() {
        let expected = [(0, 1), (2, 3), (1, 2), (3, 4), (0, 2), (1, 3), (2, 4), (0, 3)];
        assert_eq!(pairs(5, 8), expected);
    }

    #[test]
    fn the_first_kernel_pairs_each_neighbour_with_the_centre() {
        let (mut first, second) = first_kernel(&mut rng::stream(1, 2, 3));
        first.sort_unstable();
        assert_eq!(first, [0, 1, 2, 3, 5, 6, 7, 8]);
        assert_eq!(second, [4; 8]);
    }

    proptest! {
        #[test]
        fn unique_layers_have_different_pairs_and_read_every_input(
            inputs in 3..200_usize, share in 0.0..1.0_f64, seed: u64,
        ) {
            let (fewest, most) = unique_range(inputs).into_inner();
            let outputs = fewest + ((most - fewest) as f64 * share) as usize;
            let (first, second) = unique(inputs, outputs, &mut rng::stream(seed, 0, 0));
            let pairs: HashSet<_> = first.iter().zip(&second).collect();
            prop_assert_eq!(pairs.len(), outputs);
            prop_assert!(pairs.iter().all(|(a, b)| a < b && (**b as usize) < inputs));
            let read: HashSet<_> = first.iter().chain(&second).collect();
            // With an odd number of inputs the first round of pairs leaves out the last.
            prop_assert!(read.len() >= inputs - inputs % 2);
        }
    }
}
