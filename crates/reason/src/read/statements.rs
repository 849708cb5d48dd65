//! The syntax of this crate.

use super::{Document, problem};
use crate::knowledge::{Knowledge, World};
use crate::syntax::{Names, SyntaxError, parse_with, tokens};

/// Reads statements in the [syntax](crate::syntax), one a line. Empty lines count for nothing, nor does what stands behind a `#`.
///
/// # Errors
/// A line is no statement, or uses a predicate or function with another number of arguments than one before it.
pub fn read_statements(text: &str) -> Result<Document, SyntaxError> {
    read_statements_with(text, Names::default())
}

/// As [`read_statements`], where some predicates and functions are known already, or only they may be used.
///
/// # Errors
/// As [`read_statements`]; and a name that is not declared, where some are.
pub fn read_statements_with(text: &str, names: Names) -> Result<Document, SyntaxError> {
    let mut knowledge = Knowledge::declared(World::Open, names);
    let mut begin = 0;
    for line in text.split_inclusive('\n') {
        let within = |error: SyntaxError| error.within(text, begin);
        if !tokens(line).map_err(within)?.is_empty() {
            let statement = parse_with(line, knowledge.names_mut()).map_err(within)?;
            let added = knowledge.add(statement);
            added.map_err(|error| {
                SyntaxError::new(text, begin..begin + line.trim_end().len(), problem(error))
            })?;
        }
        begin += line.len();
    }
    Ok(Document { knowledge, ..Document::default() })
}
