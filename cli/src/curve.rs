//! Learning curves as SVG: a panel for each metric.

use anyhow::anyhow;
use plotters::prelude::*;
use rekindle::records::Row;
use serde_json::Value;

/// Width of the picture and height of a panel: pixels.
const WIDTH: u32 = 800;
const PANEL: u32 = 220;
const LINE: RGBColor = RGBColor(0, 114, 178);

/// A metric over the steps at which it was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

/// The curves of a metrics history, by name; those of a single point are left out.
pub fn curves(rows: &[Row]) -> Vec<Curve> {
    let mut names: Vec<&String> =
        rows.iter().flat_map(|row| row.keys()).filter(|name| *name != "step").collect();
    names.sort();
    names.dedup();
    let points = |name: &String| {
        let number = |row: &Row, name: &str| row.get(name).and_then(Value::as_f64);
        rows.iter().filter_map(|row| Some((number(row, "step")?, number(row, name)?))).collect()
    };
    let curves = names.into_iter().map(|name| Curve { name: name.clone(), points: points(name) });
    curves.filter(|curve| curve.points.len() > 1).collect()
}

/// Draws the curves, one panel below the other.
pub fn draw(title: &str, curves: &[Curve]) -> anyhow::Result<String> {
    let mut svg = String::new();
    {
        let size = (WIDTH, 40 + PANEL * curves.len() as u32);
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        root.fill(&WHITE).map_err(failed)?;
        let below = root.titled(title, ("sans-serif", 20)).map_err(failed)?;
        for (area, curve) in below.split_evenly((curves.len(), 1)).iter().zip(curves) {
            panel(area, curve)?;
        }
        root.present().map_err(failed)?;
    }
    Ok(svg)
}

fn panel(area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>, curve: &Curve) -> anyhow::Result<()> {
    let range = |of: fn(&(f64, f64)) -> f64| {
        let values = || curve.points.iter().map(of);
        let (low, high) =
            (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
        // A constant is a line in the middle.
        if low < high { low..high } else { low - 0.5..high + 0.5 }
    };
    let mut chart = ChartBuilder::on(area)
        .caption(&curve.name, ("sans-serif", 15))
        .margin(8)
        .x_label_area_size(28)
        .y_label_area_size(64)
        .build_cartesian_2d(range(|point| point.0), range(|point| point.1))
        .map_err(failed)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_label_formatter(&|step| format!("{step:.0}"))
        .y_label_formatter(&|value| rekindle_train::number(*value))
        .y_labels(5)
        .draw()
        .map_err(failed)?;
    let line = LineSeries::new(curve.points.iter().copied(), LINE.stroke_width(2));
    chart.draw_series(line).map_err(failed)?;
    Ok(())
}

fn failed(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("the picture cannot be drawn: {error}")
}
