//! The sizes of a network, which follow from the config and the data.

use std::fmt;
use std::ops::Range;

use crate::config::{Convolution, MOST_GATES, Model};
use crate::error::LgnError;

/// What a network reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inputs {
    /// So many bits in no particular order.
    Bits(usize),
    /// So many maps of bits of this width and height, one after the other.
    Maps(Maps),
}

/// Maps of equal size; places lie line by line, map by map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Maps {
    /// How many.
    pub channels: usize,
    /// Places of a line.
    pub width: usize,
    /// Lines.
    pub height: usize,
}

/// The sizes of all stages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Bits that are read.
    pub inputs: usize,
    /// What is made of them: first convolutions, then layers.
    pub stages: Vec<StageShape>,
    /// Classes that the last stage's gates are dealt to.
    pub classes: usize,
}

/// The sizes of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StageShape {
    /// Kernels that are moved over maps.
    Trees(TreesShape),
    /// Gates that each read two outputs of the stage before.
    Layer(LayerShape),
}

/// The sizes of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LayerShape {
    /// Outputs of the stage before.
    pub inputs: usize,
    /// Gates.
    pub gates: usize,
}

/// The sizes of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TreesShape {
    /// What is read.
    pub from: Maps,
    /// What is made: a map for each kernel.
    pub to: Maps,
    /// The kernels.
    pub convolution: Convolution,
}

impl Shape {
    /// The sizes of the network of this config for these inputs and classes.
    ///
    /// # Errors
    /// When a convolution is larger than what it reads, or the network has too many or too few gates.
    pub fn new(model: &Model, inputs: Inputs, classes: usize) -> Result<Self, LgnError> {
        let mut stages = Vec::new();
        let first = inputs.len();
        let mut before = inputs;
        for (index, &convolution) in model.convolutions.iter().enumerate() {
            let Inputs::Maps(from) = before else {
                return Err(LgnError::Shape("convolutions need pictures".to_owned()));
            };
            let trees = TreesShape::new(from, convolution, index)?;
            before = Inputs::Maps(trees.to);
            stages.push(StageShape::Trees(trees));
        }
        let mut inputs = before.len();
        for &gates in &model.layers {
            stages.push(StageShape::Layer(LayerShape { inputs, gates }));
            inputs = gates;
        }
        let shape = Self { inputs: first, stages, classes };
        shape.check()?;
        Ok(shape)
    }

    fn check(&self) -> Result<(), LgnError> {
        let gates = self.stages.iter().try_fold(0_usize, |sum, stage| sum.checked_add(stage.evaluations()));
        if self.inputs < 2 {
            return Err(LgnError::Shape(format!(
                "{} bits of the inputs differ between the rows, and gates read two; \
                 set more `model.encoding.bits`",
                self.inputs
            )));
        }
        if gates.is_none_or(|gates| gates > MOST_GATES) {
            return Err(LgnError::Shape(format!("the network would have more than {MOST_GATES} gates")));
        }
        match self.outputs() < self.classes {
            true => Err(LgnError::Shape(format!(
                "the last of `model.layers` has {} gates for {} classes; each class needs one at least",
                self.outputs(),
                self.classes
            ))),
            false => Ok(()),
        }
    }

    /// Outputs of the last stage.
    pub fn outputs(&self) -> usize {
        self.stages.last().map_or(self.inputs, StageShape::outputs)
    }

    /// Gates with parameters of their own.
    pub fn gates(&self) -> usize {
        self.stages.iter().map(StageShape::gates).sum()
    }

    /// Gates that are evaluated for an example.
    pub fn evaluations(&self) -> usize {
        self.stages.iter().map(StageShape::evaluations).sum()
    }

    /// Most outputs of a stage, the inputs included.
    pub fn widest(&self) -> usize {
        self.stages.iter().map(StageShape::outputs).max().unwrap_or(0).max(self.inputs)
    }

    /// The parameters of each stage among those of all.
    pub fn gate_ranges(&self) -> impl Iterator<Item = Range<usize>> {
        let mut first = 0;
        self.stages.iter().map(move |stage| {
            let range = first..first + stage.gates();
            first = range.end;
            range
        })
    }
}

impl fmt::Display for StageShape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trees = match self {
            Self::Trees(trees) => trees,
            Self::Layer(layer) => return write!(formatter, "layer of {} gates", layer.gates),
        };
        let (convolution, to) = (trees.convolution, trees.to);
        write!(
            formatter,
            "convolution of {} trees of {} gates in windows of {}, to maps of {} by {}",
            convolution.kernels,
            convolution.gates(),
            convolution.window,
            to.width,
            to.height
        )
    }
}

impl StageShape {
    /// Gates with parameters of their own.
    pub fn gates(&self) -> usize {
        match self {
            Self::Trees(trees) => trees.convolution.kernels * trees.convolution.gates(),
            Self::Layer(layer) => layer.gates,
        }
    }

    /// Wires: two of each gate of a layer, one of each leaf of a kernel.
    pub fn wires(&self) -> usize {
        match self {
            Self::Trees(trees) => trees.convolution.kernels * trees.convolution.leaves(),
            Self::Layer(layer) => 2 * layer.gates,
        }
    }

    /// A wire is less than this.
    pub fn sources(&self) -> usize {
        match self {
            Self::Trees(trees) => trees.from.channels * trees.convolution.window.pow(2),
            Self::Layer(layer) => layer.inputs,
        }
    }

    /// What the next stage reads.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Trees(trees) => trees.to.len(),
            Self::Layer(layer) => layer.gates,
        }
    }

    /// Gates that are evaluated for an example.
    pub fn evaluations(&self) -> usize {
        match self {
            Self::Trees(trees) => trees.to.len() * trees.convolution.pool.pow(2) * trees.convolution.gates(),
            Self::Layer(layer) => layer.gates,
        }
    }
}

impl TreesShape {
    fn new(from: Maps, convolution: Convolution, index: usize) -> Result<Self, LgnError> {
        let Convolution { kernels, window, padding, pool, .. } = convolution;
        let size = |size: usize| (size + 2 * padding + 1).saturating_sub(window) / pool;
        let (width, height) = (size(from.width), size(from.height));
        if width == 0 || height == 0 {
            return Err(LgnError::Shape(format!(
                "`model.convolutions.{index}` has a window of {window} and pools {pool}, and reads maps of \
                 {} by {}",
                from.width, from.height
            )));
        }
        let places =
            width.checked_mul(height).and_then(|places| places.checked_mul(kernels * pool * pool * 7));
        if places.is_none_or(|places| places > 8 * MOST_GATES) {
            return Err(LgnError::Shape(format!("the network would have more than {MOST_GATES} gates")));
        }
        Ok(Self { from, to: Maps { channels: kernels, width, height }, convolution })
    }
}

impl Maps {
    /// Places of all maps.
    pub fn len(self) -> usize {
        self.channels * self.width * self.height
    }
}

impl Inputs {
    fn len(self) -> usize {
        match self {
            Self::Bits(bits) => bits,
            Self::Maps(maps) => maps.len(),
        }
    }
}
