//! Markdown tables, printed row by row so that a long figure shows how far it is.

use std::fmt::Display;
use std::io::Write;

/// A table whose head is printed.
#[derive(Debug)]
pub struct Table {
    columns: usize,
}

impl Table {
    /// Prints the heading, the sentence under it, and the head of the table.
    pub fn begin<const N: usize>(heading: &str, about: &str, columns: [&str; N]) -> Self {
        println!("\n## {heading}\n\n{about}\n");
        println!("| {} |", columns.join(" | "));
        println!("|{}", "---|".repeat(N));
        Self { columns: N }
    }

    /// Prints a row.
    pub fn row<const N: usize>(&mut self, cells: [&dyn Display; N]) {
        assert_eq!(N, self.columns, "one cell for each column");
        let cells: Vec<String> = cells.iter().map(ToString::to_string).collect();
        println!("| {} |", cells.join(" | "));
        // A reader that has gone away is found by the next `println`.
        let _ = std::io::stdout().flush();
    }
}

/// A ratio for people: `1.05 x`.
pub fn times(ratio: f64) -> String {
    match ratio {
        ratio if ratio < 0.095 => format!("{ratio:.4} x"),
        ratio => format!("{ratio:.2} x"),
    }
}

/// A number of bytes for people, in powers of ten.
pub fn bytes(count: u64) -> String {
    let count = count as f64;
    match count {
        count if count < 1e4 => format!("{count:.0} B"),
        count if count < 1e7 => format!("{:.1} KB", count / 1e3),
        count if count < 1e9 => format!("{:.1} MB", count / 1e6),
        count => format!("{:.2} GB", count / 1e9),
    }
}
