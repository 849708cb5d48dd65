//! Paths of entries within a state, such as `optimizer.first_moment.blocks.0.qkv`.

use std::fmt;
use std::str::FromStr;

/// The place of an entry in the state tree: field names, map keys, list positions and names of
/// enum variants, from the root down.
///
/// Its text form joins the segments with dots; a segment that is empty or holds anything but
/// letters, digits, `_` and `-` is written as a JSON string: `vocabulary."a.b"`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryPath(Vec<String>);

impl EntryPath {
    /// The path of the whole state.
    pub fn root() -> Self {
        Self::default()
    }

    /// This path with one more segment.
    pub fn child(&self, segment: impl Into<String>) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment.into());
        Self(segments)
    }

    /// This path with another below it.
    pub fn join(&self, below: &Self) -> Self {
        Self([&self.0[..], &below.0[..]].concat())
    }

    /// The segments from the root down.
    pub fn segments(&self) -> &[String] {
        &self.0
    }

    /// True for the path of the whole state.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Goes one level down.
    pub fn push(&mut self, segment: impl Into<String>) {
        self.0.push(segment.into());
    }

    /// Goes one level up.
    pub fn pop(&mut self) {
        self.0.pop();
    }
}

fn is_plain(segment: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    !segment.is_empty() && segment.chars().all(plain)
}

impl fmt::Display for EntryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.write_str("(whole state)");
        }
        for (position, segment) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str(".")?;
            }
            if is_plain(segment) {
                f.write_str(segment)?;
            } else {
                f.write_str(&serde_json::Value::from(segment.as_str()).to_string())?;
            }
        }
        Ok(())
    }
}

/// A text that is no path of an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a path of an entry: {reason}")]
pub struct ParsePathError {
    text: String,
    reason: &'static str,
}

impl FromStr for EntryPath {
    type Err = ParsePathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |reason| ParsePathError { text: text.to_owned(), reason };
        let mut path = Self::root();
        let mut rest = text;
        while !rest.is_empty() {
            let (segment, after) = if rest.starts_with('"') {
                let mut parsed = serde_json::Deserializer::from_str(rest).into_iter::<String>();
                match parsed.next() {
                    Some(Ok(segment)) => (segment, &rest[parsed.byte_offset()..]),
                    _ => return Err(error("a quoted segment does not end")),
                }
            } else {
                let end = rest.find('.').unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            };
            if !after.is_empty() && (!after.starts_with('.') || after.len() == 1) {
                return Err(error("segments are joined by single dots"));
            }
            if segment.is_empty() && !rest.starts_with('"') {
                return Err(error("a segment is empty"));
            }
            path.push(segment);
            rest = after.get(1..).unwrap_or("");
        }
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn odd_segments_are_quoted() {
        let path = EntryPath::root().child("vocabulary").child("a.b").child("");
        assert_eq!(path.to_string(), r#"vocabulary."a.b".""#.to_owned() + "\"");
        assert!("a..b".parse::<EntryPath>().is_err());
        assert!("a.".parse::<EntryPath>().is_err());
        assert!("\"a".parse::<EntryPath>().is_err());
    }

    proptest! {
        #[test]
        fn text_form_round_trips(segments in proptest::collection::vec(".{0,6}", 1..5)) {
            let path = EntryPath(segments);
            prop_assert_eq!(path.to_string().parse::<EntryPath>(), Ok(path));
        }
    }
}
