//! Text for people and JSON for scripts, on standard output. A reader that goes away is no error.

use std::io::{self, IsTerminal, Write};

pub use rekindle_train::bytes;
use serde::Serialize;

/// Writes `text` and a newline to standard output.
pub fn print(text: &str) -> anyhow::Result<()> {
    print_with(|out| writeln!(out, "{text}"))
}

/// The version of the JSON objects that `docs/guide/json.md` describes: it rises when a key goes or changes,
/// not when one comes.
pub const SCHEMA_VERSION: u64 = 1;

/// Writes an object of this program as one line of JSON, with the version of its form.
pub fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    print(&versioned(value)?)
}

/// Writes a document of the user, such as a config, as one line of JSON.
pub fn print_json_as_it_is(value: &impl Serialize) -> anyhow::Result<()> {
    print(&serde_json::to_string(value)?)
}

/// An object as one line of JSON, with the version of its form.
pub fn versioned(value: &impl Serialize) -> serde_json::Result<String> {
    let mut value = serde_json::to_value(value)?;
    if let Some(object) = value.as_object_mut() {
        object.insert("schema_version".to_owned(), SCHEMA_VERSION.into());
    }
    serde_json::to_string(&value)
}

/// A number and what it counts, such as `3 steps`.
pub fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
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
pub fn colour() -> bool {
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

/// A column of a [`fitted_table`].
#[derive(Debug, Clone, Copy)]
pub struct Column {
    title: &'static str,
    right: bool,
    flexible: bool,
    /// Columns with higher numbers are left out first where there is no room; 0 stays.
    drop: u8,
}

impl Column {
    pub fn left(title: &'static str) -> Self {
        Self { title, right: false, flexible: false, drop: 0 }
    }

    pub fn right(title: &'static str) -> Self {
        Self { right: true, ..Self::left(title) }
    }

    /// A column that is cut where there is no room for it.
    pub fn flexible(title: &'static str) -> Self {
        Self { flexible: true, ..Self::left(title) }
    }

    pub fn dropped(self, drop: u8) -> Self {
        Self { drop, ..self }
    }
}

/// A flexible column has at least so many characters before others are left out for it.
const FLEXIBLE_MIN: usize = 28;
/// One that would be shorter is left out.
const FLEXIBLE_LEAST: usize = 8;
/// Between two columns.
const GAP: usize = 2;

/// As [`table`], no wider than the terminal. Columns without anything in them are left out.
pub fn fitted_table(columns: &[Column], rows: &[Vec<String>]) -> String {
    fit(columns, rows, terminal_width().unwrap_or(usize::MAX / 2))
}

fn fit(columns: &[Column], rows: &[Vec<String>], room: usize) -> String {
    let natural = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([columns[column].title.chars().count()]).max().unwrap_or(0)
    };
    let least = |column: usize, most: usize| match columns[column].flexible {
        true => natural(column).min(most),
        false => natural(column),
    };
    let width = |shown: &[usize], most| shown.iter().map(|&column| least(column, most) + GAP).sum::<usize>();
    let filled = |column: &usize| rows.is_empty() || rows.iter().any(|row| !row[*column].is_empty());
    let mut shown: Vec<usize> = (0..columns.len()).filter(filled).collect();
    let first_out = |shown: &[usize]| {
        let droppable = shown.iter().copied().filter(|&column| columns[column].drop > 0);
        droppable.max_by_key(|&column| columns[column].drop)
    };
    while width(&shown, FLEXIBLE_MIN) > room + GAP
        && let Some(out) = first_out(&shown)
    {
        shown.retain(|&column| column != out);
    }
    let rest = (room + GAP).saturating_sub(width(&shown, 0));
    if rest < FLEXIBLE_LEAST {
        shown.retain(|&column| !columns[column].flexible);
    }
    let cell = |row: &[String], column: usize| match columns[column].flexible {
        true => cut(&row[column], rest),
        false => row[column].clone(),
    };
    let title = |&column: &usize| {
        let Column { title, right, .. } = columns[column];
        format!("{}{title}", if right { ">" } else { "" })
    };
    let titles: Vec<String> = shown.iter().map(title).collect();
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| shown.iter().map(|&column| cell(row, column)).collect()).collect();
    table(&titles, &rows)
}

/// A text of at most `width` characters, which says when it was cut.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{}\u{2026}", kept.trim_end())
}

/// Columns of the terminal; none where text goes elsewhere, unless `COLUMNS` says how many.
fn terminal_width() -> Option<usize> {
    let terminal = terminal_size::terminal_size_of(io::stdout());
    let told = || std::env::var("COLUMNS").ok()?.parse().ok();
    terminal.map(|(width, _)| usize::from(width.0)).or_else(told)
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
    fn a_table_fits_the_room_it_has() {
        let columns = [Column::right("n"), Column::flexible("metrics"), Column::left("saved").dropped(1)];
        let rows =
            vec![vec!["1".to_owned(), "loss 0.5  accuracy 0.9  units 4".to_owned(), "today".to_owned()]];
        assert_eq!(
            fit(&columns, &rows, 80).lines().nth(1),
            Some("1  loss 0.5  accuracy 0.9  units 4  today")
        );
        assert_eq!(
            fit(&columns, &rows, 38).lines().nth(1),
            Some("1  loss 0.5  accuracy 0.9  uni\u{2026}  today")
        );
        assert_eq!(fit(&columns, &rows, 20).lines().nth(1), Some("1  loss 0.5  accura\u{2026}"));
    }

    #[test]
    fn columns_are_aligned() {
        let rows = vec![vec!["a".to_owned(), "1".to_owned()], vec!["long".to_owned(), "100".to_owned()]];
        assert_eq!(table(&["name", ">n"], &rows), "name    n\na       1\nlong  100");
    }
}
