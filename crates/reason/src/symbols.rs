//! The symbols of the syntax, and the predicates and functions that a user declares.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::syntax::is_variable_name;

/// A symbol with a meaning of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Symbol {
    /// Conjunction.
    And,
    /// Disjunction.
    Or,
    /// Negation.
    Not,
    /// Implication.
    Implies,
    /// Equivalence.
    Iff,
    /// For all.
    Forall,
    /// For one at least.
    Exists,
    /// Equality.
    Equals,
    /// The relation `>`.
    Greater,
    /// The relation `<`.
    Less,
    /// The relation `subset`.
    Subset,
    /// An opening bracket.
    Open,
    /// A closing bracket.
    Close,
    /// What is said of a variable.
    Lambda,
    /// What ends the variables of a quantifier.
    Dot,
}

/// A reserved symbol and how it is written.
#[derive(Clone, Copy, Debug)]
pub struct Reserved {
    /// The symbol.
    pub symbol: Symbol,
    /// Its name, in capital letters.
    pub name: &'static str,
    /// How it is written in ASCII.
    pub ascii: &'static str,
    /// How it is written in Unicode.
    pub unicode: &'static str,
    /// Other ways to write it.
    pub others: &'static [&'static str],
}

impl Reserved {
    /// All ways to write it that are no words.
    pub(crate) fn spellings(&self) -> impl Iterator<Item = &'static str> {
        let all = [self.ascii, self.unicode].into_iter().chain(self.others.iter().copied());
        all.filter(|spelling| !spelling.starts_with(|letter: char| letter.is_ascii_alphabetic()))
    }
}

/// All reserved symbols. Where a vocabulary of tokens has one of its own for each, they come in this order.
#[rustfmt::skip]
pub const RESERVED: [Reserved; 15] = [
    Reserved { symbol: Symbol::And, name: "AND", ascii: "and", unicode: "∧", others: &["&"] },
    Reserved { symbol: Symbol::Or, name: "OR", ascii: "or", unicode: "∨", others: &["|"] },
    Reserved { symbol: Symbol::Not, name: "NOT", ascii: "not", unicode: "¬", others: &["~"] },
    Reserved { symbol: Symbol::Implies, name: "IMPLIES", ascii: "implies", unicode: "→", others: &["=>", "->"] },
    Reserved { symbol: Symbol::Iff, name: "IFF", ascii: "iff", unicode: "↔", others: &["<=>", "<->"] },
    Reserved { symbol: Symbol::Forall, name: "FORALL", ascii: "forall", unicode: "∀", others: &[] },
    Reserved { symbol: Symbol::Exists, name: "EXISTS", ascii: "exists", unicode: "∃", others: &[] },
    Reserved { symbol: Symbol::Equals, name: "EQUALS", ascii: "=", unicode: "=", others: &[] },
    Reserved { symbol: Symbol::Greater, name: "GREATER", ascii: ">", unicode: ">", others: &[] },
    Reserved { symbol: Symbol::Less, name: "LESS", ascii: "<", unicode: "<", others: &[] },
    Reserved { symbol: Symbol::Subset, name: "SUBSET", ascii: "subset", unicode: "⊆", others: &[] },
    Reserved { symbol: Symbol::Open, name: "OPEN", ascii: "(", unicode: "(", others: &[] },
    Reserved { symbol: Symbol::Close, name: "CLOSE", ascii: ")", unicode: ")", others: &[] },
    Reserved { symbol: Symbol::Lambda, name: "LAMBDA", ascii: "lambda", unicode: "λ", others: &[] },
    Reserved { symbol: Symbol::Dot, name: "DOT", ascii: ".", unicode: ".", others: &[] },
];

impl Symbol {
    fn entry(self) -> &'static Reserved {
        // The table is in the order of the variants, which a test holds.
        &RESERVED[self as usize]
    }

    /// Its name, in capital letters.
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// How it is written in ASCII.
    pub fn ascii(self) -> &'static str {
        self.entry().ascii
    }

    /// How it is written in Unicode.
    pub fn unicode(self) -> &'static str {
        self.entry().unicode
    }

    /// The symbol that a word stands for.
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        RESERVED.iter().find(|entry| entry.ascii == word).map(|entry| entry.symbol)
    }

    /// The relation of two terms that it stands for.
    pub fn is_relation(self) -> bool {
        matches!(self, Self::Equals | Self::Greater | Self::Less | Self::Subset)
    }
}

/// A word that no predicate and no function can have as its name without quotes.
pub(crate) fn is_reserved(name: &str) -> bool {
    matches!(name, "true" | "false") || RESERVED.iter().any(|entry| entry.ascii == name)
}

/// Arguments of a declared predicate or function are so many at most.
pub const MOST_ARGUMENTS: usize = 255;

/// Declared predicates and functions are so many at most.
pub const MOST_SYMBOLS: usize = 65_536;

/// The predicates and functions that a user declares, with their numbers of arguments.
///
/// ```
/// use rekindle_reason::Symbols;
///
/// let symbols = Symbols::from_yaml("predicates: {kind: 1, likes: 2}\nfunctions: {anne: 0, mother: 1}\n")?;
/// assert_eq!(symbols.predicates["likes"], 2);
/// assert!(Symbols::from_yaml("predicates: {forall: 1}\n").is_err());
/// # Ok::<(), rekindle_reason::SymbolsError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Symbols {
    /// Predicates; those without arguments are propositions.
    #[serde(default)]
    pub predicates: BTreeMap<String, usize>,
    /// Functions; those without arguments are constants.
    #[serde(default)]
    pub functions: BTreeMap<String, usize>,
}

/// Declarations that cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SymbolsError {
    /// It is no YAML of declarations.
    #[error("the declarations cannot be read: {0}")]
    Yaml(String),
    /// A word with a meaning of its own.
    #[error("`{0}` is reserved, and cannot be declared")]
    Reserved(String),
    /// A name that is kept for variables.
    #[error(
        "`{0}` is kept for variables, as all names of a letter from `u` to `z` with digits behind it are"
    )]
    Variable(String),
    /// A predicate and a function have one name.
    #[error("`{0}` is declared as a predicate and as a function")]
    Collision(String),
    /// There are too many arguments, or too many declarations.
    #[error("{what} {found} is more than {most}")]
    TooMany {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
}

impl Symbols {
    /// Reads declarations: `predicates` and `functions`, each with the number of arguments of each name.
    ///
    /// # Errors
    /// It is no such YAML, or a name is reserved, declared twice or looks like a variable.
    pub fn from_yaml(text: &str) -> Result<Self, SymbolsError> {
        let symbols: Self =
            serde_saphyr::from_str(text).map_err(|error| SymbolsError::Yaml(error.to_string()))?;
        symbols.check()?;
        Ok(symbols)
    }

    /// What [`from_yaml`](Self::from_yaml) checks, for those that were made otherwise.
    ///
    /// # Errors
    /// A name is reserved, declared twice or looks like a variable.
    pub fn check(&self) -> Result<(), SymbolsError> {
        let found = self.predicates.len() + self.functions.len();
        if found > MOST_SYMBOLS {
            return Err(SymbolsError::TooMany {
                what: "the number of declarations",
                found,
                most: MOST_SYMBOLS,
            });
        }
        for (name, &found) in self.predicates.iter().chain(&self.functions) {
            if is_reserved(name) {
                return Err(SymbolsError::Reserved(name.clone()));
            }
            if is_variable_name(name) {
                return Err(SymbolsError::Variable(name.clone()));
            }
            if found > MOST_ARGUMENTS {
                return Err(SymbolsError::TooMany {
                    what: "a number of arguments",
                    found,
                    most: MOST_ARGUMENTS,
                });
            }
        }
        match self.predicates.keys().find(|name| self.functions.contains_key(*name)) {
            Some(name) => Err(SymbolsError::Collision(name.clone())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_symbols() {
        for (index, entry) in RESERVED.iter().enumerate() {
            assert_eq!(entry.symbol as usize, index);
            assert_eq!(entry.symbol.name(), entry.name);
        }
    }

    #[test]
    fn declarations_that_collide_are_refused() {
        let error = |text| Symbols::from_yaml(text).unwrap_err();
        assert_eq!(error("predicates: {and: 2}"), SymbolsError::Reserved("and".to_owned()));
        assert_eq!(error("functions: {x1: 0}"), SymbolsError::Variable("x1".to_owned()));
        assert_eq!(error("predicates: {p: 1}\nfunctions: {p: 1}"), SymbolsError::Collision("p".to_owned()));
        assert!(matches!(error("predicates: {p: 256}"), SymbolsError::TooMany { found: 256, .. }));
        assert!(matches!(error("predicates: {p: 1, p: 2}"), SymbolsError::Yaml(_)));
        assert!(matches!(error("predicates: {p: -1}"), SymbolsError::Yaml(_)));
        assert!(matches!(error("propositions: {p: 1}"), SymbolsError::Yaml(_)));
    }
}
