//! Steps in which only some cells are updated.
//!
//! The cells that are updated stand in tiles one after the other. What they become is put back among the
//! states of all cells, and on the way back the gradients of the states of all cells are kept beside those
//! of the neighbourhoods: a cell that is not updated hands its gradient on as it is.

use std::ops::Range;

use rekindle_compute::{LANES, Lanes};

use super::{Layout, Part, Pass, Rollout};
use crate::fire;

/// The cells of a step that are updated, and buffers.
pub(super) struct Apart {
    /// For each time, the cells that are updated, in order.
    updated: Vec<Vec<u32>>,
    /// For each time, the place of each cell among those that are updated; beyond the last tile for a cell that
    /// is not.
    places: Vec<Vec<u32>>,
    /// What the updated cells become: channels x 16 for each tile.
    outputs: Vec<Lanes>,
    /// The gradients of the states before and after a step: channels x 16 for each tile.
    gradients: [Vec<Lanes>; 2],
}

/// No neighbours at all: of a lane without a cell.
fn nowhere(layout: &Layout) -> [u32; 9] {
    [layout.beyond(); 9]
}

impl Apart {
    pub(super) fn new(layout: &Layout, steps: usize) -> Self {
        let zeros = || vec![Lanes::ZERO; (layout.tiles + 1) * layout.channels];
        Self {
            updated: vec![Vec::new(); steps],
            places: vec![Vec::new(); steps],
            outputs: zeros(),
            gradients: [zeros(), zeros()],
        }
    }

    /// Takes over which cells are updated when.
    fn load(&mut self, layout: &Layout, fires: &[Vec<u64>]) {
        for ((updated, places), fires) in self.updated.iter_mut().zip(&mut self.places).zip(fires) {
            updated.clear();
            updated.extend(fire::cells(fires));
            places.clear();
            places.resize(layout.tiles * LANES + 1, layout.beyond());
            for (place, &cell) in updated.iter().enumerate() {
                places[cell as usize] = place as u32;
            }
        }
    }
}

impl Rollout {
    /// See [`Rollout::loss`].
    pub(super) fn loss_apart(&mut self, pass: &Pass) -> f64 {
        self.begin_apart();
        for time in 0..self.states.len() - 1 {
            self.advance_apart(pass, time);
        }
        self.loss_of_states()
    }

    /// See [`Rollout::loss_and_gradient`].
    pub(super) fn loss_and_gradient_apart(&mut self, pass: &Pass) -> f64 {
        let loss = self.loss_apart(pass);
        self.error_gradients();
        for time in (0..self.states.len() - 1).rev() {
            self.retreat_apart(pass, time);
        }
        loss
    }

    fn begin_apart(&mut self) {
        if let Some(apart) = &mut self.apart {
            apart.load(&self.layout, &self.fires);
        }
    }

    /// Computes the states after one step.
    fn advance_apart(&mut self, pass: &Pass, time: usize) {
        let Self { states, layout, parts, apart, .. } = self;
        let Some(Apart { updated, places, outputs, .. }) = apart else { return };
        let (updated, places) = (&updated[time], &places[time]);
        let (before, after) = states.split_at_mut(time + 1);
        let (before, after) = (&before[time], &mut after[0]);
        layout.each_tile_of(pass, updated.len(), parts, outputs, layout.channels, |part, tiles, output| {
            part.forward_some(pass, layout, updated, &tiles, before);
            part.copy_outputs(pass, tiles.len(), output);
        });
        let channels = layout.channels;
        after.copy_from_slice(before);
        for &cell in updated {
            let place = places[cell as usize] as usize;
            for channel in 0..channels {
                let output = outputs[place / LANES * channels + channel].0[place % LANES];
                after[cell as usize / LANES * channels + channel].0[cell as usize % LANES] = output;
            }
        }
    }

    /// Computes the gradients of the last states.
    fn error_gradients(&mut self) {
        let Self { states, targets, layout, bits, apart, .. } = self;
        let Some(Apart { gradients, .. }) = apart else { return };
        let last = states.len() - 1;
        let gradients = &mut gradients[last % 2];
        gradients.fill(Lanes::ZERO);
        for tile in 0..layout.tiles {
            for bit in 0..*bits {
                let output = &states[last][tile * layout.channels + bit];
                let error = layout.error(tile, output, &targets[tile * *bits + bit]);
                gradients[tile * layout.channels + bit] = error.gradient();
            }
        }
    }

    /// Computes the gradients of the states before a step from those after it.
    fn retreat_apart(&mut self, pass: &Pass, time: usize) {
        let Self { states, layout, parts, apart, neighbourhoods: [neighbourhoods, _], .. } = self;
        let Some(Apart { updated, places, gradients, .. }) = apart else { return };
        let (before, updated, places) = (&states[time], &updated[time], &places[time]);
        let [even, odd] = gradients;
        let (after, before_step) = if time.is_multiple_of(2) { (&*odd, even) } else { (&*even, odd) };
        let inputs = pass.cell.inputs();
        layout.each_tile_of(pass, updated.len(), parts, neighbourhoods, inputs, |part, tiles, output| {
            part.forward_some(pass, layout, updated, &tiles, before);
            let together = tiles.len();
            let gradients = part.gradients.outputs_mut(pass.cell, together);
            gradients.fill(Lanes::ZERO);
            for (place, tile) in tiles.enumerate() {
                for (lane, &cell) in updated[tile * LANES..].iter().take(LANES).enumerate() {
                    let after = &after[cell as usize / LANES * layout.channels..][..layout.channels];
                    for (gradient, after) in gradients[place..].iter_mut().step_by(together).zip(after) {
                        gradient.0[lane] = after.0[cell as usize % LANES];
                    }
                }
            }
            part.backward(pass, together, output);
        });
        // The place beyond the last tile holds no gradient.
        neighbourhoods[layout.tiles * inputs..].fill(Lanes::ZERO);
        layout.each_tile(pass, parts, before_step, layout.channels, |_, tiles, output| {
            for (tile, output) in tiles.zip(output.chunks_exact_mut(layout.channels)) {
                layout.gather_placed(neighbourhoods, places, tile, output);
                for lane in 0..LANES {
                    if places[tile * LANES + lane] == layout.beyond() {
                        for (output, after) in output.iter_mut().zip(&after[tile * layout.channels..]) {
                            output.0[lane] += after.0[lane];
                        }
                    }
                }
            }
        });
    }
}

impl Layout {
    /// As [`Layout::gather_gradients`], of neighbourhoods that stand at the places of the cells that are updated.
    fn gather_placed(&self, next: &[Lanes], places: &[u32], tile: usize, outputs: &mut [Lanes]) {
        outputs.fill(Lanes::ZERO);
        for (lane, neighbours) in self.neighbours_of_tile(tile).into_iter().enumerate() {
            for (position, &neighbour) in neighbours.iter().enumerate() {
                let place = places[neighbour as usize] as usize;
                let next = &next[place / LANES * self.channels * 9..][..self.channels * 9];
                for (channel, output) in outputs.iter_mut().enumerate() {
                    output.0[lane] += next[channel * 9 + 8 - position].0[place % LANES];
                }
            }
        }
    }
}

impl Part {
    /// Computes every gate of some tiles of cells that are updated.
    fn forward_some(
        &mut self,
        pass: &Pass,
        layout: &Layout,
        updated: &[u32],
        tiles: &Range<usize>,
        before: &[Lanes],
    ) {
        let nowhere = nowhere(layout);
        self.forward_of(pass, layout, tiles, before, |tile| {
            std::array::from_fn(|lane| match updated.get(tile * LANES + lane) {
                Some(&cell) => &layout.neighbours[cell as usize],
                None => &nowhere,
            })
        });
    }
}
