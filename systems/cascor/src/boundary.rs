//! A picture of what a network of two inputs says everywhere.

use rekindle_compute::KernelPath;
use rekindle_pictures::{
    Area, Axes, Axis, Colour, Entry, INK, Image, Legend, PAPER, Picture, Plot, Scale, Size, Stroke, Swatch,
    class_colour,
};

use crate::columns::Columns;
use crate::config::Model;
use crate::data::{Examples, Input, Preparation, Target};
use crate::error::CascorError;
use crate::state::State;

/// Places across and down at which the network is asked.
const SIDE: usize = 640;
/// The side of the plane in the picture, and pixels of its PNG for each of the picture: a pixel is a place.
const PLANE: f32 = 480.0;
const DENSITY: f32 = SIDE as f32 / PLANE;
const MARGIN: f32 = 12.0;
/// Of more examples only so many are shown.
const MOST_DOTS: usize = 4000;
/// Of more classes only so many are explained.
const MOST_ENTRIES: usize = 24;
/// How much of its colour a place has where the network is least sure, and how much more where it is most.
const PALEST: f32 = 0.15;
const DEEPER: f32 = 0.55;

/// The part of the plane that is shown, as the network sees it.
struct Frame {
    low: [f32; 2],
    high: [f32; 2],
}

/// Draws the picture: a colour for each class, paler where the network is less sure, and the examples as
/// dots; of many only some.
pub(crate) fn draw(
    state: &State,
    model: &Model,
    examples: Option<&Examples>,
    path: KernelPath,
) -> Result<Picture, CascorError> {
    let [x, y] = &state.preparation.inputs[..] else {
        return Err(CascorError::NoBoundary { inputs: state.preparation.inputs.len() });
    };
    let frame = Frame::around(examples);
    let outputs = state.network.outputs(path, model.output, &frame.grid());
    let place = |case| colour(&state.preparation, &outputs, case).rgb;
    let image = Image { pixels: (0..SIDE * SIDE).map(place).collect(), columns: SIDE as u32 };
    let axes = Axes { x: frame.axis(x, 0), y: frame.axis(y, 1), boxed: true };
    let (mut picture, plane) = sheet(&axes, &legend(&state.preparation));
    picture.image(plane, image);
    let plot = axes.draw_around(&mut picture, plane, MARGIN);
    for (point, class) in examples.into_iter().flat_map(|examples| dots(examples, &state.preparation)) {
        dot(&mut picture, &plot, frame.unscaled(point, [x, y]), class);
    }
    Ok(picture)
}

/// Bytes that drawing takes at most, of a network of so many units and outputs; nothing where it cannot be
/// drawn.
pub(crate) fn bytes(inputs: u64, units: u64, outputs: u64) -> u64 {
    if inputs != 2 {
        return 0;
    }
    let places = (SIDE * SIDE) as u64;
    // The values of units in a list that grows by doubling, and is moved as it does; the image, the sheet
    // around it and their file; dots, texts and their outlines.
    places.saturating_mul(4 * (8 + 3 * units + 2 * outputs) + 4 * 12) + (4 << 20)
}

/// A sheet with the legend on it, and where the plane is.
fn sheet(axes: &Axes, legend: &Legend) -> (Picture, Area) {
    let left = MARGIN + axes.left();
    let width = left + PLANE + axes.right() + MARGIN;
    let explained = legend.height(PLANE);
    let top = MARGIN + explained + axes.above();
    let mut picture =
        Picture::new(Size::pixels(width, top + PLANE + axes.below() + MARGIN)).with_density(DENSITY);
    legend.draw(&mut picture, Area { left, top: MARGIN, width: PLANE, height: explained });
    (picture, Area { left, top, width: PLANE, height: PLANE })
}

/// What the colours mean.
fn legend(preparation: &Preparation) -> Legend {
    let entry = |(class, label): (usize, String)| {
        let colour = PAPER.mix(class_colour(class), PALEST + DEEPER);
        Entry { swatch: Swatch::Box(colour), label }
    };
    let labels = match &preparation.target {
        Target::Classes { name, classes, .. } if classes.len() > MOST_ENTRIES => {
            vec![format!("{name}: {} classes", classes.len())]
        }
        Target::Classes { name, classes, .. } => {
            classes.iter().map(|class| format!("{name}: {class}")).collect()
        }
        Target::Numbers(outputs) => {
            let name = outputs.first().map_or("", |output| output.name.as_str());
            vec![format!("{name} below its mean"), format!("{name} above it")]
        }
    };
    Legend(labels.into_iter().enumerate().map(entry).collect())
}

impl Frame {
    /// All examples and a margin; the usual range of scaled inputs without any.
    fn around(examples: Option<&Examples>) -> Self {
        let range = |input: usize| match examples {
            None => [-3.0, 3.0],
            Some(examples) => {
                let values = || examples.units.column(1 + input);
                let low = values().fold(f32::INFINITY, f32::min);
                let high = values().fold(f32::NEG_INFINITY, f32::max);
                let margin = 0.05 * (high - low).max(1e-6);
                [low - margin, high + margin]
            }
        };
        let [x, y] = [range(0), range(1)];
        Self { low: [x[0], y[0]], high: [x[1], y[1]] }
    }

    /// Bias and inputs of every pixel, row by row from the top.
    fn grid(&self) -> Columns {
        let at =
            |input: usize, share: f32| (self.high[input] - self.low[input]).mul_add(share, self.low[input]);
        let centre = |pixel: usize| (pixel as f32 + 0.5) / SIDE as f32;
        let mut columns = Columns::new(SIDE * SIDE);
        columns.push(std::iter::repeat_n(1.0, SIDE * SIDE));
        columns.push((0..SIDE * SIDE).map(|pixel| at(0, centre(pixel % SIDE))));
        columns.push((0..SIDE * SIDE).map(|pixel| at(1, 1.0 - centre(pixel / SIDE))));
        columns
    }

    /// The axis of an input, in the numbers of its column.
    fn axis(&self, input: &Input, index: usize) -> Axis {
        let [low, high] = [self.low, self.high].map(|end| unscaled(end[index], input));
        Axis { title: input.name.clone(), scale: Scale::between(low, high), whole: false }
    }

    /// A point in the numbers of its columns.
    fn unscaled(&self, point: [f32; 2], inputs: [&Input; 2]) -> [f64; 2] {
        std::array::from_fn(|index| unscaled(point[index], inputs[index]))
    }
}

/// The number of a column that the network sees as `value`.
fn unscaled(value: f32, input: &Input) -> f64 {
    let factor = if input.factor == 0.0 { 1.0 } else { input.factor };
    f64::from(value) / factor + input.offset
}

/// The colour of what the outputs say at a case.
fn colour(preparation: &Preparation, outputs: &Columns, case: usize) -> Colour {
    let (class, sureness) = match &preparation.target {
        Target::Classes { one_hot: false, levels, .. } => {
            let middle = (levels[0] + levels[1]) / 2.0;
            let distance = (outputs.get(0, case) - middle) / (levels[1] - middle);
            (preparation.class_of(outputs, case), distance.abs())
        }
        Target::Classes { .. } => {
            let best = preparation.class_of(outputs, case);
            let others = (0..outputs.len()).filter(|&output| output != best);
            let second = others.map(|output| outputs.get(output, case)).fold(f32::NEG_INFINITY, f32::max);
            (best, outputs.get(best, case) - second)
        }
        // A number is shown as how far it is from the mean, on either side.
        Target::Numbers(_) => {
            let value = outputs.get(0, case) / 2.0;
            (usize::from(value > 0.0), value.abs())
        }
    };
    PAPER.mix(class_colour(class), PALEST + DEEPER * sureness.clamp(0.0, 1.0))
}

/// Place and class of the examples that are shown.
fn dots<'a>(
    examples: &'a Examples,
    preparation: &'a Preparation,
) -> impl Iterator<Item = ([f32; 2], usize)> + 'a {
    let cases = examples.units.cases();
    (0..cases).step_by(cases.div_ceil(MOST_DOTS).max(1)).map(move |case| {
        let point = [examples.units.get(1, case), examples.units.get(2, case)];
        let class = match &preparation.target {
            Target::Classes { .. } => preparation.class_of(&examples.targets, case),
            Target::Numbers(_) => usize::from(examples.targets.get(0, case) > 0.0),
        };
        (point, class)
    })
}

/// A disc with a dark rim.
fn dot(picture: &mut Picture, plot: &Plot, point: [f64; 2], class: usize) {
    if let Some(centre) = plot.at(point) {
        picture.disc(centre, 2.7, class_colour(class), Stroke::new(INK, 0.8));
    }
}
