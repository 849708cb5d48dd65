//! Text for people and JSON for scripts, on standard output. A reader that goes away is no error.

use std::io::{self, IsTerminal, Write};

pub use rekindle_train::bytes;
use serde::Serialize;

/// Writes `text` and a newline to standard output.
pub fn print(text: &str) -> anyhow::Result<()> {
    print_with(|out| writeln!(out, "{text}"))
}

/// Writes a value as one line of JSON.
pub fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_string(value)?;
    print(&text)
}

/// Writes a piece of a text at once; false when its reader went away.
pub fn print_piece(text: &str) -> anyhow::Result<bool> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        result => Ok(result.map(|()| true)?),
    }
}

/// Lets `write` write to standard output, bit by bit.
pub fn print_with(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// True when text may be coloured: a terminal, and no `NO_COLOR`.
fn colour() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::stdout().is_terminal() && !refused
}

/// `text` in bold on a terminal.
pub fn bold(text: &str) -> String {
    if colour() { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
}

/// `text` dimmed on a terminal.
pub fn dim(text: &str) -> String {
    if colour() { format!("\x1b[2m{text}\x1b[0m") } else { text.to_owned() }
}

/// Rows in aligned columns under a header. Columns that begin with `>` in the header are aligned
/// to the right.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let titles: Vec<&str> = header.iter().map(|title| title.trim_start_matches('>')).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([titles[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |cells: &[&str]| {
        let mut line = String::new();
        for (column, cell) in cells.iter().enumerate() {
            let gap = " ".repeat(widths[column] - cell.chars().count());
            let right = header[column].starts_with('>');
            line += &if right { format!("{gap}{cell}  ") } else { format!("{cell}{gap}  ") };
        }
        line.trim_end().to_owned()
    };
    let mut lines = vec![bold(&line(&titles))];
    lines.extend(rows.iter().map(|row| line(&row.iter().map(String::as_str).collect::<Vec<_>>())));
    lines.join("\n")
}

/// Progress of long work, on a terminal; nothing elsewhere.
pub struct Progress(indicatif::ProgressBar);

impl Progress {
    /// Progress towards `total` things.
    pub fn new(things: &'static str, total: u64) -> Self {
        let template = format!("{{bar:30}} {{pos}}/{{len}} {things}  {{eta}}");
        let style = indicatif::ProgressStyle::with_template(&template);
        let bar = indicatif::ProgressBar::new(total);
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Self(bar)
    }

    pub fn add(&mut self, count: u64) {
        self.0.inc(count);
    }

    pub fn set(&mut self, done: u64, total: u64) {
        self.0.set_length(total);
        self.0.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let rows = vec![vec!["a".to_owned(), "1".to_owned()], vec!["long".to_owned(), "100".to_owned()]];
        assert_eq!(table(&["name", ">n"], &rows), "name    n\na       1\nlong  100");
    }
}
