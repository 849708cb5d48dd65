//! Pictures fit for a paper: axes, curves, legends and images, as SVG and as PNG.
//!
//! A [`Picture`] is a list of shapes, an [`Animation`] a list of images. [`Chart`] makes one of curves, [`Axes`] and [`Legend`] help to make others.
//! The font comes with the crate, and nothing depends on the machine: equal pictures have equal bytes.
//!
//! ```
//! use rekindle_pictures::{Chart, Curve, Panel, Stroke, PALETTE};
//!
//! let curve = Curve::new("training", vec![[1.0, 0.7], [2.0, 0.5], [3.0, 0.4]], Stroke::new(PALETTE[0], 1.5));
//! let panel = Panel { title: "loss".to_owned(), curves: vec![curve], ..Panel::default() };
//! let chart = Chart { title: "a run".to_owned(), x: "training step".to_owned(), panels: vec![panel] };
//! let svg = chart.draw(chart.size()).svg()?;
//! assert!(svg.starts_with("<svg") && svg.contains(">training step</text>"));
//! # Ok::<(), rekindle_pictures::PictureError>(())
//! ```

mod animation;
mod axes;
mod chart;
mod colour;
mod font;
mod legend;
mod picture;
mod png_file;
mod raster;
mod scale;
mod svg;

pub use animation::{Animation, AnimationError};
pub use axes::{Axes, Axis, Plot};
pub use chart::{Chart, Curve, Mark, Panel};
pub use colour::{Colour, INK, PALE, PALETTE, PAPER, class_colour};
pub use font::{shortened, text_width};
pub use legend::{Entry, Legend, Swatch};
pub use picture::{Anchor, Area, Image, Picture, PictureError, Size, SizeError, Stroke, Text, Unit};
pub use scale::{Scale, Tick, Ticks};
