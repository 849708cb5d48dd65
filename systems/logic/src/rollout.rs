//! A batch of boards through time, forwards and backwards.
//!
//! The cells of all boards stand in one row, cut into tiles of sixteen, and the tiles into parts.
//! The cut depends on the number of cells alone, so the result does not depend on the number of
//! threads. Only the states are kept for each time; going back computes a tile's gates again, which
//! costs less than reading them from memory.
//!
//! Where not all cells are updated in a step, those that are stand in the tiles, one after the other,
//! so that nothing is computed for the others: see [`apart`].

mod apart;

use std::ops::Range;

use self::apart::Apart;

use rekindle_compute::{KernelPath, LANES, Lanes, Pool};
use rekindle_gates::soft::Coefficients;

use crate::boards::Boards;
use crate::cell::Cell;
use crate::config::Training;
use crate::fire::Fires;
use crate::grid::Grid;
use crate::kernels::{self, CoefficientSums, Gradients, MOST_TOGETHER};

/// The most parts that the work is cut into, and so the most threads that can share it.
const MOST_PARTS: usize = 8;

/// What a pass over a batch reads.
pub(crate) struct Pass<'a> {
    pub(crate) pool: &'a Pool,
    pub(crate) path: KernelPath,
    pub(crate) cell: &'a Cell,
    pub(crate) coefficients: &'a [Coefficients],
}

/// A batch of boards and the buffers to take it through time.
pub(crate) struct Rollout {
    layout: Layout,
    /// For each time, channels x 16 for each tile, and one tile of zeros.
    states: Vec<Vec<Lanes>>,
    /// How many channels are looked at.
    bits: usize,
    /// What these should be at the end: bits x 16 for each tile.
    targets: Vec<Lanes>,
    /// Which cells are updated when.
    fires: Fires,
    /// The gradients of the neighbourhoods before even and before odd steps: channels x 9 x 16
    /// for each tile, and one tile of zeros.
    neighbourhoods: [Vec<Lanes>; 2],
    parts: Vec<Part>,
    /// What is needed beside where not all cells are updated.
    apart: Option<Apart>,
}

/// Where the cells of a batch stand.
struct Layout {
    channels: usize,
    cells: usize,
    tiles: usize,
    /// Of each lane of each tile, the place (tile x 16 + lane) of its nine neighbours. Beyond the
    /// edge, and for lanes without a cell, that is the place after the last tile, where all is 0.
    neighbours: Vec<[u32; 9]>,
}

/// What one part works with.
struct Part {
    slots: Vec<Lanes>,
    gradients: Gradients,
    sums: Vec<CoefficientSums>,
    loss: f64,
}

impl Rollout {
    /// Buffers for so many boards of a training.
    pub(crate) fn new(cell: &Cell, training: &Training, boards: usize) -> Self {
        let (grid, steps, bits) = (training.grid(), training.automaton_steps, training.target_bits());
        let layout = Layout::new(cell.channels, &grid, boards);
        let zeros = |per_tile: usize| vec![Lanes::ZERO; (layout.tiles + 1) * per_tile];
        let parts = match training.fire_rate < 1.0 {
            // Fewer tiles can make more parts.
            true => layout.tiles.min(MOST_PARTS),
            false => layout.tiles.div_ceil(layout.tiles.div_ceil(MOST_PARTS)),
        };
        Self {
            states: (0..=steps).map(|_| zeros(cell.channels)).collect(),
            bits,
            targets: zeros(bits),
            fires: Fires::new(),
            apart: (training.fire_rate < 1.0).then(|| Apart::new(&layout, steps)),
            neighbourhoods: [zeros(cell.inputs()), zeros(cell.inputs())],
            parts: (0..parts).map(|_| Part::new(cell)).collect(),
            layout,
        }
    }

    /// Sets the boards to begin with, what their first channels should become, and which cells are
    /// updated when.
    pub(crate) fn load(&mut self, boards: &Boards, targets: &Boards, fires: Fires) {
        load_planes(&mut self.states[0], self.layout.channels, boards);
        load_planes(&mut self.targets, self.bits, targets);
        self.fires = fires;
    }

    /// The sum over all cells of the squared error of the channels that are looked at, at the end.
    pub(crate) fn loss(&mut self, pass: &Pass) -> f64 {
        if self.apart.is_some() {
            return self.loss_apart(pass);
        }
        let last = self.states.len() - 1;
        for time in 0..last {
            self.advance(pass, time);
        }
        self.loss_of_states()
    }

    /// The loss of the last states.
    fn loss_of_states(&self) -> f64 {
        let Self { states, targets, layout, bits, .. } = self;
        let outputs = states[states.len() - 1].chunks_exact(layout.channels);
        let tiles = outputs.zip(targets.chunks_exact(*bits)).enumerate().take(layout.tiles);
        tiles.map(|(tile, (output, target))| layout.loss(tile, &output[..*bits], target)).sum()
    }

    /// The same loss, and its gradient with respect to the coefficients of every gate, which stays
    /// in the parts: see [`Rollout::gradient`].
    pub(crate) fn loss_and_gradient(&mut self, pass: &Pass) -> f64 {
        self.parts.iter_mut().for_each(Part::clear);
        if self.apart.is_some() {
            return self.loss_and_gradient_apart(pass);
        }
        let last = self.states.len() - 2;
        for time in 0..last {
            self.advance(pass, time);
        }
        self.turn(pass, last);
        for time in (0..last).rev() {
            self.retreat(pass, time);
        }
        self.parts.iter().map(|part| part.loss).sum()
    }

    /// The gradient of some gates' coefficients, added up in the order of the parts.
    pub(crate) fn gradient(&self, path: KernelPath, gates: Range<usize>, output: &mut [Coefficients]) {
        output.fill([0.0; 4]);
        for part in &self.parts {
            kernels::add_sums(path, output, &part.sums[gates.clone()]);
        }
    }

    /// Computes the states after one step.
    fn advance(&mut self, pass: &Pass, time: usize) {
        let (before, after) = self.states.split_at_mut(time + 1);
        let (before, after) = (&before[time], &mut after[0]);
        let layout = &self.layout;
        layout.each_tile(pass, &mut self.parts, after, layout.channels, |part, tiles, after| {
            part.forward(pass, layout, &tiles, before);
            part.copy_outputs(pass, tiles.len(), after);
        });
    }

    /// Computes the last step, its loss, and the gradients of the neighbourhoods before it.
    fn turn(&mut self, pass: &Pass, time: usize) {
        let (before, targets, layout, bits) = (&self.states[time], &self.targets, &self.layout, self.bits);
        let after = &mut self.neighbourhoods[time % 2];
        layout.each_tile(pass, &mut self.parts, after, pass.cell.inputs(), |part, tiles, after| {
            part.forward(pass, layout, &tiles, before);
            let together = tiles.len();
            let Part { slots, gradients, loss, .. } = part;
            let gradients = gradients.outputs_mut(pass.cell, together);
            gradients.fill(Lanes::ZERO);
            let outputs = &slots[pass.cell.outputs().start * together..];
            for (place, tile) in tiles.enumerate() {
                for (bit, target) in targets[tile * bits..][..bits].iter().enumerate() {
                    let error = layout.error(tile, &outputs[bit * together + place], target);
                    *loss += error.squared();
                    gradients[bit * together + place] = error.gradient();
                }
            }
            part.backward(pass, together, after);
        });
    }

    /// Computes the gradients of the neighbourhoods before a step from those before the next.
    fn retreat(&mut self, pass: &Pass, time: usize) {
        let (before, layout) = (&self.states[time], &self.layout);
        let [even, odd] = &mut self.neighbourhoods;
        let (next, after) = if time.is_multiple_of(2) { (&*odd, even) } else { (&*even, odd) };
        layout.each_tile(pass, &mut self.parts, after, pass.cell.inputs(), |part, tiles, after| {
            part.forward(pass, layout, &tiles, before);
            let together = tiles.len();
            let outputs = part.gradients.outputs_mut(pass.cell, together);
            outputs.fill(Lanes::ZERO);
            for (place, tile) in tiles.enumerate() {
                layout.gather_gradients(next, tile, &mut outputs[place..], together);
            }
            part.backward(pass, together, after);
        });
    }
}

/// Sets the first `channels` of all cells, `channels` x 16 for each tile.
fn load_planes(tiles: &mut [Lanes], channels: usize, boards: &Boards) {
    for index in 0..boards.cells() {
        let (tile, lane) = (index / LANES, index % LANES);
        for (channel, lanes) in tiles[tile * channels..][..channels].iter_mut().enumerate() {
            lanes.0[lane] = f32::from(u8::from(boards.bit(channel, index)));
        }
    }
}

impl Layout {
    fn new(channels: usize, grid: &Grid, boards: usize) -> Self {
        let cells = boards * grid.cells();
        let tiles = cells.div_ceil(LANES);
        let beyond = (tiles * LANES) as u32;
        let mut neighbours = vec![[beyond; 9]; tiles * LANES];
        for (index, neighbours) in neighbours.iter_mut().enumerate().take(cells) {
            let (board, cell) = (index / grid.cells(), index % grid.cells());
            for (position, neighbour) in neighbours.iter_mut().enumerate() {
                if let Some(other) = grid.neighbour(cell, position) {
                    *neighbour = (board * grid.cells() + other) as u32;
                }
            }
        }
        Self { channels, cells, tiles, neighbours }
    }

    /// The place after the last tile, where all is 0.
    fn beyond(&self) -> u32 {
        (self.tiles * LANES) as u32
    }

    /// Calls `work(part, tiles, output)` for all tiles, of each part's some together, in order. `output` holds
    /// `per_tile` lanes for each tile.
    fn each_tile(
        &self,
        pass: &Pass,
        parts: &mut [Part],
        output: &mut [Lanes],
        per_tile: usize,
        work: impl Fn(&mut Part, Range<usize>, &mut [Lanes]) + Sync + Send,
    ) {
        self.each_tile_of(pass, self.tiles * LANES, parts, output, per_tile, work);
    }

    /// The same for the tiles of so many cells.
    fn each_tile_of(
        &self,
        pass: &Pass,
        cells: usize,
        parts: &mut [Part],
        output: &mut [Lanes],
        per_tile: usize,
        work: impl Fn(&mut Part, Range<usize>, &mut [Lanes]) + Sync + Send,
    ) {
        let tiles = cells.div_ceil(LANES);
        let tiles_per_part = tiles.div_ceil(MOST_PARTS).max(1);
        let output = output[..tiles * per_tile].chunks_mut(tiles_per_part * per_tile);
        let mut parts: Vec<_> = parts.iter_mut().zip(output).collect();
        pass.pool.for_each(&mut parts, |index, (part, output)| {
            let mut first = index * tiles_per_part;
            for output in output.chunks_mut(per_tile * MOST_TOGETHER) {
                let end = first + output.len() / per_tile;
                work(part, first..end, output);
                first = end;
            }
        });
    }

    /// Collects the neighbourhoods of a tile: channel by position, each so many lanes behind the one before.
    fn gather(&self, states: &[Lanes], neighbours: [&[u32; 9]; LANES], slots: &mut [Lanes], together: usize) {
        for (lane, neighbours) in neighbours.into_iter().enumerate() {
            for (position, &neighbour) in neighbours.iter().enumerate() {
                let (tile, from) = (neighbour as usize / LANES, neighbour as usize % LANES);
                let states = &states[tile * self.channels..][..self.channels];
                for (channel, state) in states.iter().enumerate() {
                    slots[(channel * 9 + position) * together].0[lane] = state.0[from];
                }
            }
        }
    }

    /// The neighbours of the cells of a tile.
    fn neighbours_of_tile(&self, tile: usize) -> [&[u32; 9]; LANES] {
        std::array::from_fn(|lane| &self.neighbours[tile * LANES + lane])
    }

    /// Adds up, for each channel of the cells of a tile, the gradients of the neighbourhoods that
    /// the cell stands in: at the opposite position of each neighbour. Channels are so many lanes behind each other.
    fn gather_gradients(&self, next: &[Lanes], tile: usize, outputs: &mut [Lanes], together: usize) {
        let neighbours = &self.neighbours[tile * LANES..][..LANES];
        for (lane, neighbours) in neighbours.iter().enumerate() {
            for (position, &neighbour) in neighbours.iter().enumerate() {
                let (tile, from) = (neighbour as usize / LANES, neighbour as usize % LANES);
                let next = &next[tile * self.channels * 9..][..self.channels * 9];
                for (channel, output) in outputs.iter_mut().step_by(together).enumerate() {
                    output.0[lane] += next[channel * 9 + 8 - position].0[from];
                }
            }
        }
    }

    /// The squared error of the channels of a tile that are looked at.
    fn loss(&self, tile: usize, outputs: &[Lanes], targets: &[Lanes]) -> f64 {
        outputs.iter().zip(targets).map(|(output, target)| self.error(tile, output, target).squared()).sum()
    }

    /// The error of one channel of a tile; lanes without a cell have none.
    fn error(&self, tile: usize, output: &Lanes, target: &Lanes) -> Error {
        let mut error = Lanes::ZERO;
        let used = (self.cells - tile * LANES).min(LANES);
        for lane in 0..used {
            error.0[lane] = output.0[lane] - target.0[lane];
        }
        Error(error)
    }
}

/// The error of sixteen cells.
struct Error(Lanes);

impl Error {
    fn squared(&self) -> f64 {
        f64::from(Lanes(self.0.0.map(|error| error * error)).sum())
    }

    fn gradient(&self) -> Lanes {
        Lanes(self.0.0.map(|error| 2.0 * error))
    }
}

impl Part {
    fn new(cell: &Cell) -> Self {
        Self {
            slots: vec![Lanes::ZERO; cell.slots() * MOST_TOGETHER],
            gradients: Gradients::new(cell),
            sums: vec![CoefficientSums::default(); cell.parameters],
            loss: 0.0,
        }
    }

    fn clear(&mut self) {
        self.sums.fill(CoefficientSums::default());
        self.loss = 0.0;
    }

    /// Computes every gate of the cells of some tiles.
    fn forward(&mut self, pass: &Pass, layout: &Layout, tiles: &Range<usize>, before: &[Lanes]) {
        self.forward_of(pass, layout, tiles, before, |tile| layout.neighbours_of_tile(tile));
    }

    /// Computes every gate of some tiles, whose cells have these neighbours.
    fn forward_of<'a>(
        &mut self,
        pass: &Pass,
        layout: &Layout,
        tiles: &Range<usize>,
        before: &[Lanes],
        neighbours: impl Fn(usize) -> [&'a [u32; 9]; LANES],
    ) {
        let together = tiles.len();
        for (place, tile) in tiles.clone().enumerate() {
            layout.gather(before, neighbours(tile), &mut self.slots[place..], together);
        }
        let slots = &mut self.slots[..pass.cell.slots() * together];
        kernels::forward(pass.path, pass.cell, pass.coefficients, slots, together);
    }

    /// The next states, tile by tile.
    fn copy_outputs(&self, pass: &Pass, together: usize, states: &mut [Lanes]) {
        let outputs = &self.slots[pass.cell.outputs().start * together..];
        for (place, states) in states.chunks_exact_mut(pass.cell.channels).enumerate() {
            let outputs = outputs[place..].iter().step_by(together);
            states.iter_mut().zip(outputs).for_each(|(state, output)| *state = *output);
        }
    }

    /// Takes the gradients of the outputs back to the neighbourhoods, tile by tile.
    fn backward(&mut self, pass: &Pass, together: usize, neighbourhoods: &mut [Lanes]) {
        let Self { slots, gradients, sums, .. } = self;
        let slots = &slots[..pass.cell.slots() * together];
        kernels::backward(pass.path, pass.cell, pass.coefficients, slots, gradients, sums, together);
        for (place, neighbourhood) in neighbourhoods.chunks_exact_mut(pass.cell.inputs()).enumerate() {
            let inputs = gradients.inputs(together)[place..].iter().step_by(together);
            neighbourhood.iter_mut().zip(inputs).for_each(|(sum, input)| *sum = *input);
        }
    }
}
