//! Boards as text.

use crate::boards::Boards;

/// The first channel of a board, two rows to a line of half-block characters. Every line ends
/// with a newline.
///
/// # Panics
/// If there is no such board.
pub fn render(boards: &Boards, board: usize) -> String {
    let mut text = String::new();
    for y in (0..boards.height()).step_by(2) {
        for x in 0..boards.width() {
            let upper = boards.get(board, 0, x, y);
            let lower = y + 1 < boards.height() && boards.get(board, 0, x, y + 1);
            text.push(match (upper, lower) {
                (true, true) => '\u{2588}',
                (true, false) => '\u{2580}',
                (false, true) => '\u{2584}',
                (false, false) => '\u{b7}',
            });
        }
        text.push('\n');
    }
    text
}

/// Pictures side by side, each under its caption.
pub fn side_by_side(pictures: &[(String, String)]) -> String {
    let columns: Vec<Vec<&str>> = pictures
        .iter()
        .map(|(caption, picture)| std::iter::once(caption.as_str()).chain(picture.lines()).collect())
        .collect();
    let width = |lines: &[&str]| lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = columns.iter().map(|lines| width(lines)).collect();
    let height = columns.iter().map(Vec::len).max().unwrap_or(0);
    let mut text = String::new();
    for row in 0..height {
        let cells = columns.iter().zip(&widths).map(|(lines, &width)| {
            let line = lines.get(row).copied().unwrap_or("");
            format!("{line:width$}")
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_rows_share_a_line() {
        let mut boards = Boards::zeros(1, 3, 3, 1);
        for (x, y) in [(0, 0), (0, 1), (1, 0), (2, 2)] {
            boards.set(0, 0, x, y, true);
        }
        assert_eq!(render(&boards, 0), "\u{2588}\u{2580}\u{b7}\n\u{b7}\u{b7}\u{2580}\n");
    }

    #[test]
    fn pictures_stand_side_by_side() {
        let picture = |caption: &str, text: &str| (caption.to_owned(), text.to_owned());
        let text = side_by_side(&[picture("step 0", "ab\ncd\n"), picture("1", "ef\n")]);
        assert_eq!(text, "step 0  1\nab      ef\ncd\n");
    }
}
