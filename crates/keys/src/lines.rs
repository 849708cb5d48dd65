//! Files with one entry on each line.

use crate::error::KeyError;

/// Parses every line of `text` that is neither empty nor a comment, which begins with `#`. The
/// error of a line names its number and never its content, which may be a secret.
pub(crate) fn parse_lines<T>(
    text: &str,
    parse: impl Fn(&str) -> Result<T, KeyError>,
) -> Result<Vec<T>, KeyError> {
    let numbered = (1..).zip(text.lines().map(str::trim));
    let entries = numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    entries
        .map(|(number, line)| {
            parse(line).map_err(|reason| KeyError::Line { number, reason: Box::new(reason) })
        })
        .collect()
}
