//! What the user says, a line at a time: with an editor and a history at a terminal, as it comes elsewhere.

use std::io::{self, BufRead, IsTerminal, Read};

use anyhow::{Context, bail};
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

use crate::output;

/// Nobody says more at once: bytes.
const LINE_LIMIT: u64 = 16 << 20;
const PROMPT: &str = "> ";

pub enum Lines {
    /// At a terminal.
    Edited(Box<DefaultEditor>),
    /// Out of a pipe or file, or for a script.
    Plain,
}

impl Lines {
    /// Those of standard input; only `plain` ones where a script reads the answers.
    pub fn new(plain: bool) -> anyhow::Result<Self> {
        if plain || !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Ok(Self::Plain);
        }
        let editor = DefaultEditor::new().context("the terminal cannot be used")?;
        Ok(Self::Edited(Box::new(editor)))
    }

    /// What was said before can be fetched with the up arrow.
    pub fn remember(&mut self, line: &str) {
        if let Self::Edited(editor) = self {
            // A line that is empty or was said just before is not remembered.
            let _ = editor.add_history_entry(line);
        }
    }

    /// The next line; none when there are no more.
    pub fn next(&mut self) -> anyhow::Result<Option<String>> {
        let Self::Edited(editor) = self else { return read_line() };
        loop {
            match editor.readline(PROMPT) {
                Ok(line) => return Ok(Some(line)),
                // It takes back what was typed, as in a shell.
                Err(ReadlineError::Interrupted) => tell!("/bye or Ctrl-D ends the chat"),
                Err(ReadlineError::Eof) => return Ok(None),
                Err(error) => return Err(error).context("standard input"),
            }
        }
    }
}

fn read_line() -> anyhow::Result<Option<String>> {
    let mut line = Vec::new();
    let mut input = io::stdin().lock().take(LINE_LIMIT);
    input.read_until(b'\n', &mut line).context("standard input")?;
    if line.len() as u64 == LINE_LIMIT {
        bail!("standard input: a line has {} or more", output::bytes(LINE_LIMIT));
    }
    if line.is_empty() {
        return Ok(None);
    }
    String::from_utf8(line).map(Some).context("what was said is not UTF-8")
}
