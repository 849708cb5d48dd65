//! Pictures that an automaton learns to grow.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::boards::Boards;

/// The letters of the eight colours: black, red, green, yellow, blue, magenta, cyan and white. The bits of
/// a letter's place are red, green and blue.
const COLOURS: &[u8; 8] = b"krgybmcw";

/// The names of the eight colours, by their bits.
pub(crate) const COLOUR_NAMES: [&str; 8] =
    ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

/// Red, green and blue of a colour as it is drawn.
pub(crate) fn drawn_colour(bits: usize) -> [u8; 3] {
    [0, 1, 2].map(|bit| if bits >> bit & 1 == 1 { 230 } else { 20 })
}

/// A picture, a text for each row and a letter for each cell: `.` and `#` in a picture of one bit, the
/// letters `k r g y b m c w` (black, red, green, yellow, blue, magenta, cyan, white) or `.` for black in a
/// picture of three.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
#[schemars(with = "Vec<String>")]
pub struct Target {
    rows: Vec<String>,
    width: usize,
    bits: usize,
}

impl Target {
    /// A picture of rows.
    ///
    /// # Errors
    /// It has no rows, they differ in length, or a letter is not known.
    pub fn new(rows: Vec<String>) -> Result<Self, String> {
        let width = rows.first().map_or(0, String::len);
        if width == 0 {
            return Err("the picture has no cells".to_owned());
        }
        let coloured = rows.iter().any(|row| row.bytes().any(|letter| COLOURS.contains(&letter)));
        for (number, row) in rows.iter().enumerate() {
            if let Some(letter) = row.chars().find(|&letter| !is_known(letter, coloured)) {
                return Err(format!("row {number} has the letter {letter:?}; {}", known(coloured)));
            }
            if row.len() != width {
                return Err(format!("row {number} has {} cells, the first has {width}", row.len()));
            }
        }
        Ok(Self { rows, width, bits: if coloured { 3 } else { 1 } })
    }

    /// The picture of colours, each as the bits red, green and blue, in reading order.
    pub fn of_colours(colours: &[u8], width: usize) -> Result<Self, String> {
        let black_and_white = colours.iter().all(|&colour| colour == 0 || colour == 7);
        let letter = |&colour: &u8| match (black_and_white, colour) {
            (true, 0) => '.',
            (true, _) => '#',
            (false, colour) => char::from(COLOURS[usize::from(colour & 7)]),
        };
        Self::new(colours.chunks(width.max(1)).map(|row| row.iter().map(letter).collect()).collect())
    }

    /// Cells in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.rows.len()
    }

    /// Bits of a cell: 1 or 3, the first channels of an automaton.
    pub fn bits(&self) -> usize {
        self.bits
    }

    /// The rows as they are written.
    pub fn rows(&self) -> &[String] {
        &self.rows
    }

    /// The first channels of a board as the rows of a picture.
    pub(crate) fn rows_of(boards: &Boards, board: usize) -> Vec<String> {
        let cell = |x, y| {
            let colour = colour_of(boards, board, x, y);
            if colour == 0 { '.' } else { char::from(COLOURS[colour]) }
        };
        (0..boards.height()).map(|y| (0..boards.width()).map(|x| cell(x, y)).collect()).collect()
    }

    /// The picture in the middle of each of so many boards; what is around it is 0.
    pub(crate) fn on_boards(&self, count: usize, width: usize, height: usize) -> Boards {
        let mut boards = Boards::zeros(count, width, height, self.bits);
        // The middle of the picture comes to the middle of the board, each the later of two.
        let left = (width / 2) as isize - (self.width / 2) as isize;
        let top = (height / 2) as isize - (self.height() / 2) as isize;
        for board in 0..count {
            for (row, letters) in self.rows.iter().enumerate() {
                for (column, letter) in letters.bytes().enumerate() {
                    let place = (left + column as isize, top + row as isize);
                    let (Ok(x), Ok(y)) = (usize::try_from(place.0), usize::try_from(place.1)) else {
                        continue;
                    };
                    if x < width && y < height {
                        let colour = colour(letter);
                        (0..self.bits).for_each(|bit| boards.set(board, bit, x, y, colour >> bit & 1 == 1));
                    }
                }
            }
        }
        boards
    }
}

/// The bits of a cell's colour.
pub(crate) fn colour_of(boards: &Boards, board: usize, x: usize, y: usize) -> usize {
    (0..3).map(|bit| usize::from(boards.get(board, bit, x, y)) << bit).sum()
}

fn is_known(letter: char, coloured: bool) -> bool {
    match u8::try_from(letter) {
        Ok(b'.') => true,
        Ok(b'#') => !coloured,
        Ok(letter) => coloured && COLOURS.contains(&letter),
        Err(_) => false,
    }
}

fn known(coloured: bool) -> &'static str {
    match coloured {
        true => "a picture of colours has the letters k r g y b m c w and `.`",
        false => "a picture of one bit has `.` and `#`, one of eight colours k r g y b m c w",
    }
}

/// The bits of a letter that is known.
fn colour(letter: u8) -> u8 {
    match letter {
        b'.' => 0,
        b'#' => 1,
        letter => COLOURS.iter().position(|&other| other == letter).unwrap_or(0) as u8,
    }
}

impl TryFrom<Vec<String>> for Target {
    type Error = String;

    fn try_from(rows: Vec<String>) -> Result<Self, Self::Error> {
        Self::new(rows)
    }
}

impl From<Target> for Vec<String> {
    fn from(target: Target) -> Self {
        target.rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&str]) -> Result<Target, String> {
        Target::new(rows.iter().map(|&row| row.to_owned()).collect())
    }

    #[test]
    fn colours_are_bits_of_channels() {
        let target = rows(&["ry.", "kbw"]).unwrap();
        assert_eq!((target.width(), target.height(), target.bits()), (3, 2, 3));
        let board = target.on_boards(1, 3, 2);
        let bits = |x, y| (0..3).map(|bit| u8::from(board.get(0, bit, x, y)) << bit).sum::<u8>();
        assert_eq!([bits(0, 0), bits(1, 0), bits(2, 0)], [1, 3, 0]);
        assert_eq!([bits(0, 1), bits(1, 1), bits(2, 1)], [0, 4, 7]);
        assert_eq!(Target::of_colours(&[1, 3, 0, 0, 4, 7], 3).unwrap().rows(), ["ryk", "kbw"]);
        assert_eq!(Target::of_colours(&[0, 7], 2).unwrap().rows(), [".#"]);
    }

    #[test]
    fn a_picture_stands_in_the_middle() {
        let target = rows(&["#.", "##"]).unwrap();
        let board = target.on_boards(2, 6, 5);
        let live: Vec<_> = (0..5)
            .flat_map(|y| (0..6).map(move |x| (x, y)))
            .filter(|&(x, y)| board.get(1, 0, x, y))
            .collect();
        assert_eq!(live, [(2, 1), (2, 2), (3, 2)]);
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        assert_eq!(rows(&[]).unwrap_err(), "the picture has no cells");
        assert_eq!(rows(&["##", "#"]).unwrap_err(), "row 1 has 1 cells, the first has 2");
        assert!(rows(&["#r"]).unwrap_err().starts_with("row 0 has the letter '#'"));
        assert!(rows(&["#x"]).unwrap_err().starts_with("row 0 has the letter 'x'"));
        assert!(rows(&["ü"]).is_err());
    }
}
