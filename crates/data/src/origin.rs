//! What data is called in messages.

use std::fmt;

/// Where data is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A file, by its path.
    File(String),
    /// Generated, or made by the caller: a name such as `the glyphs`.
    Named(&'static str),
}

impl Origin {
    /// The file if there is one, otherwise the name.
    pub fn of(file: Option<&String>, name: &'static str) -> Self {
        file.map_or(Self::Named(name), |file| Self::File(file.clone()))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "`{file}`"),
            Self::Named(name) => f.write_str(name),
        }
    }
}
