//! Passphrases and where they come from.

use std::fmt;
use std::io::IsTerminal;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::error::KeyError;
use crate::files::read_file;

/// A passphrase: one line of text that is not empty.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// The passphrase `text`, which may end in a line break that is not part of it.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() {
            return Err(KeyError::EmptyPassphrase);
        }
        if line.contains(['\n', '\r']) {
            return Err(KeyError::LongPassphrase);
        }
        Ok(Self(Zeroizing::new(line.to_owned())))
    }

    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Passphrase(..)")
    }
}

/// Where a passphrase comes from. The command line is no such place: every user of the machine can read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PassphraseSource {
    /// The only line of a file.
    File(PathBuf),
    /// An environment variable of this name.
    Environment(String),
    /// The person at the terminal.
    Prompt {
        /// Whether it must be typed twice, as a new passphrase should be.
        confirm: bool,
    },
}

impl PassphraseSource {
    /// Fetches the passphrase.
    pub fn passphrase(&self) -> Result<Passphrase, KeyError> {
        match self {
            Self::File(path) => read_file(path, Passphrase::parse),
            Self::Environment(name) => from_environment(name),
            Self::Prompt { confirm } => from_terminal(*confirm),
        }
    }
}

fn from_environment(name: &str) -> Result<Passphrase, KeyError> {
    let failed = |problem| KeyError::Environment { name: name.to_owned(), problem };
    let value = std::env::var_os(name).ok_or_else(|| failed("not set"))?;
    let value = value.into_string().map_err(|_| failed("not UTF-8 text"))?;
    Passphrase::parse(&Zeroizing::new(value))
}

/// Asks on the controlling terminal. If input is redirected nobody may be there, even though there
/// is a terminal: a script would wait for ever.
fn from_terminal(confirm: bool) -> Result<Passphrase, KeyError> {
    if !std::io::stdin().is_terminal() {
        return Err(KeyError::NoTerminal);
    }
    let passphrase = ask("Passphrase: ")?;
    if confirm && ask("Again: ")?.expose() != passphrase.expose() {
        return Err(KeyError::PassphrasesDiffer);
    }
    Ok(passphrase)
}

fn ask(prompt: &str) -> Result<Passphrase, KeyError> {
    let typed = rpassword::prompt_password(prompt).map_err(KeyError::Terminal)?;
    Passphrase::parse(&Zeroizing::new(typed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_break_at_the_end_is_dropped() {
        let text = |text| Passphrase::parse(text).map(|passphrase| passphrase.expose().to_owned());
        assert_eq!(text(" open sesame \n").unwrap(), " open sesame ");
        assert_eq!(text("open\r\n").unwrap(), "open");
        assert_eq!(text("open").unwrap(), "open");
        assert!(matches!(text("\n"), Err(KeyError::EmptyPassphrase)));
        assert!(matches!(text("one\ntwo\n"), Err(KeyError::LongPassphrase)));
        assert!(matches!(text("one\n\n"), Err(KeyError::LongPassphrase)));
        assert_eq!(format!("{:?}", Passphrase::parse("open").unwrap()), "Passphrase(..)");
    }

    #[test]
    fn file_and_environment_are_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut file.as_file(), b"open sesame\n").unwrap();
        let source = PassphraseSource::File(file.path().to_owned());
        assert_eq!(source.passphrase().unwrap().expose(), "open sesame");

        // Cargo sets this one for every test.
        let source = PassphraseSource::Environment("CARGO_PKG_NAME".to_owned());
        assert_eq!(source.passphrase().unwrap().expose(), "rekindle-keys");
        let source = PassphraseSource::Environment("REKINDLE_NO_SUCH_VARIABLE".to_owned());
        let error = source.passphrase().unwrap_err().to_string();
        assert_eq!(error, "the environment variable `REKINDLE_NO_SUCH_VARIABLE` is not set");
    }
}
