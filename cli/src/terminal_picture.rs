//! Pictures on a terminal: two pixels above each other in the place of a character.

use std::fmt::Write;

use rekindle_pictures::Image;

use crate::output;

/// A picture in colours; where there are none, what it is.
pub fn draw(image: &Image) -> String {
    let columns = image.columns.max(1) as usize;
    let rows: Vec<&[[u8; 3]]> = image.pixels.chunks(columns).collect();
    if !output::colour() {
        return format!("(a picture of {columns} x {} pixels; --out FILE.png writes it)", rows.len());
    }
    let lines = rows.chunks(2).map(|pair| {
        let (upper, lower) = (pair[0], pair.get(1).unwrap_or(&pair[0]));
        let mut line = String::new();
        for ([red, green, blue], [r, g, b]) in upper.iter().zip(*lower) {
            // Writing to a text cannot fail.
            let _ = write!(line, "\x1b[38;2;{red};{green};{blue}m\x1b[48;2;{r};{g};{b}m\u{2580}");
        }
        line + "\x1b[0m"
    });
    lines.collect::<Vec<_>>().join("\n")
}
