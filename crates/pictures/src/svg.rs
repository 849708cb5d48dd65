//! A picture as SVG.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::colour::Colour;
use crate::picture::{Anchor, Area, Image, Picture, PictureError, Shape, Stroke, Text};
use crate::png_file;

/// The font of the PNG, and those that are about as wide.
const FONT: &str = "DejaVu Sans, Verdana, sans-serif";

/// Writes a picture on a sheet whose sides are said as `width` and `height`.
pub(crate) fn write(picture: &Picture, width: &str, height: &str) -> Result<String, PictureError> {
    let (across, down) = (number(picture.width), number(picture.height));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {across} {down}\" font-family=\"{FONT}\">\n"
    );
    for shape in &picture.shapes {
        svg += &element(shape)?;
        svg.push('\n');
    }
    svg += "</svg>\n";
    Ok(svg)
}

fn element(shape: &Shape) -> Result<String, PictureError> {
    Ok(match shape {
        Shape::Box { area, fill } => format!("<rect {} {}/>", sides(area), filled(*fill)),
        Shape::Line { points: line, stroke } => {
            format!("<polyline points=\"{}\" fill=\"none\" {}/>", points(line), stroked(stroke))
        }
        Shape::Polygon { points: corners, fill } => {
            format!("<polygon points=\"{}\" {}/>", points(corners), filled(*fill))
        }
        Shape::Disc { centre: [x, y], radius, fill, rim } => {
            let place = format!("cx=\"{}\" cy=\"{}\" r=\"{}\"", number(*x), number(*y), number(*radius));
            format!("<circle {place} {} {}/>", filled(*fill), stroked(rim))
        }
        Shape::Text(line) => text(line),
        Shape::Image { area, image } => embedded(area, image)?,
    })
}

fn text(text: &Text) -> String {
    let Text { text, at: [x, y], size, anchor, turned, colour } = text;
    let (x, y) = (number(*x), number(*y));
    let turn = if *turned { format!(" transform=\"rotate(-90 {x} {y})\"") } else { String::new() };
    let anchor = match anchor {
        Anchor::Start => "",
        Anchor::Middle => " text-anchor=\"middle\"",
        Anchor::End => " text-anchor=\"end\"",
    };
    let (size, fill, words) = (number(*size), filled(*colour), escaped(text));
    format!("<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\"{anchor}{turn} {fill}>{words}</text>")
}

fn embedded(area: &Area, image: &Image) -> Result<String, PictureError> {
    let data = STANDARD.encode(png_file::rgb(&image.pixels, image.columns, None)?);
    let how = "preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\"";
    Ok(format!("<image {} {how} href=\"data:image/png;base64,{data}\"/>", sides(area)))
}

fn sides(area: &Area) -> String {
    let [x, y, width, height] = [area.left, area.top, area.width, area.height].map(number);
    format!("x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"")
}

fn points(points: &[[f32; 2]]) -> String {
    let mut text = String::new();
    for [x, y] in points {
        let separator = if text.is_empty() { "" } else { " " };
        // Writing to a string does not fail.
        let _ = write!(text, "{separator}{},{}", number(*x), number(*y));
    }
    text
}

fn filled(colour: Colour) -> String {
    match colour.opacity {
        0 => "fill=\"none\"".to_owned(),
        opacity => format!("fill=\"{}\"{}", hex(colour), opacity_of("fill", opacity)),
    }
}

fn stroked(stroke: &Stroke) -> String {
    if stroke.width <= 0.0 {
        return "stroke=\"none\"".to_owned();
    }
    let dashes: Vec<String> = stroke.dashes.iter().copied().map(number).collect();
    let dashes =
        if dashes.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{}\"", dashes.join(" ")) };
    let Colour { opacity, .. } = stroke.colour;
    let (colour, opacity) = (hex(stroke.colour), opacity_of("stroke", opacity));
    format!(
        "stroke=\"{colour}\"{opacity} stroke-width=\"{}\" stroke-linejoin=\"round\"{dashes}",
        number(stroke.width)
    )
}

fn hex(Colour { rgb: [red, green, blue], .. }: Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn opacity_of(what: &str, opacity: u8) -> String {
    match opacity {
        255 => String::new(),
        opacity => format!(" {what}-opacity=\"{}\"", number(f32::from(opacity) / 255.0)),
    }
}

/// Hundredths of a pixel are more than is seen.
pub(crate) fn number(value: f32) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// XML has no way to say most control characters.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            control if control.is_control() => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::{INK, PALETTE};
    use crate::picture::Size;

    #[test]
    fn what_a_name_says_stays_a_text() {
        assert_eq!(
            escaped("</text><script> & \u{1}\n"),
            "&lt;/text&gt;&lt;script&gt; &amp; \u{fffd}\u{fffd}"
        );
    }

    #[test]
    fn shapes_are_elements() {
        let mut picture = Picture::new(Size::pixels(200.0, 100.0));
        let dashes = Stroke { dashes: vec![4.0, 2.0], ..Stroke::new(PALETTE[0].with_opacity(51), 1.5) };
        picture.line(vec![[0.0, 0.5], [10.126, -0.001]], dashes);
        picture.disc([1.0, 2.0], 3.0, PALETTE[0].with_opacity(0), Stroke::new(INK, 1.0));
        let text = Text {
            text: "loss".to_owned(),
            at: [5.0, 6.0],
            size: 12.0,
            anchor: Anchor::Middle,
            turned: true,
            colour: INK,
        };
        picture.text(text);
        picture.image(picture.area(), Image { pixels: vec![[1, 2, 3]; 4], columns: 2 });
        let svg = picture.svg().unwrap();
        let line = "<polyline points=\"0,0.5 10.13,0\" fill=\"none\" stroke=\"#0072b2\" stroke-opacity=\"0.2\" \
                    stroke-width=\"1.5\" stroke-linejoin=\"round\" stroke-dasharray=\"4 2\"/>";
        assert!(svg.contains(line), "{svg}");
        assert!(svg.contains("<circle cx=\"1\" cy=\"2\" r=\"3\" fill=\"none\" stroke=\"#222222\""));
        assert!(
            svg.contains("text-anchor=\"middle\" transform=\"rotate(-90 5 6)\" fill=\"#222222\">loss</text>")
        );
        assert!(svg.contains("href=\"data:image/png;base64,iVBOR"));
    }
}
