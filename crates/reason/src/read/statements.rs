//! The syntax of this crate.

use super::{Document, problem};
use crate::knowledge::Knowledge;
use crate::syntax::{SyntaxError, parse_with, tokens};

/// Reads statements in the [syntax](crate::syntax), one a line. Empty lines count for nothing, nor does what stands behind a `#`.
///
/// # Errors
/// A line is no statement, or uses a predicate or function with another number of arguments than one before it.
pub fn read_statements(text: &str) -> Result<Document, SyntaxError> {
    let mut knowledge = Knowledge::default();
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
