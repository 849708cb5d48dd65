//! Text that ends at certain strings.

/// Finds the first stop string, and holds text back that may be the beginning of one.
#[derive(Debug)]
pub(super) struct StopStrings {
    /// None is empty.
    strings: Vec<String>,
    held: String,
}

impl StopStrings {
    /// Text ends at any of these.
    pub fn new(strings: Vec<String>) -> Self {
        Self { strings, held: String::new() }
    }

    /// The text that belongs to no stop string, and the stop string behind it, if one has come: of
    /// several the one that begins first, and then the longest.
    pub fn push(&mut self, text: &str) -> (String, Option<String>) {
        self.held.push_str(text);
        let found = self.strings.iter().filter_map(|string| Some((self.held.find(string.as_str())?, string)));
        if let Some((start, string)) = found.min_by_key(|(start, string)| (*start, usize::MAX - string.len()))
        {
            self.held.truncate(start);
            return (std::mem::take(&mut self.held), Some(string.clone()));
        }
        let certain = self.held.len() - self.beginning();
        let rest = self.held.split_off(certain);
        (std::mem::replace(&mut self.held, rest), None)
    }

    /// What was held back.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// Bytes of the longest end of the text that a stop string begins with.
    fn beginning(&self) -> usize {
        let longest = self.strings.iter().map(String::len).max().unwrap_or(1) - 1;
        let ends = self.held.char_indices().map(|(start, _)| &self.held[start..]);
        let mut candidates = ends.skip_while(|end| end.len() > longest);
        candidates.find(|end| self.strings.iter().any(|string| string.starts_with(end))).map_or(0, str::len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(strings: &[&str], text: &[&str]) -> (Vec<String>, Option<String>) {
        let mut stop = StopStrings::new(strings.iter().map(|string| (*string).to_owned()).collect());
        let mut pieces = Vec::new();
        for text in text {
            let (piece, found) = stop.push(text);
            pieces.push(piece);
            if found.is_some() {
                return (pieces, found);
            }
        }
        pieces.push(stop.finish());
        (pieces, None)
    }

    fn owned(pieces: &[&str]) -> Vec<String> {
        pieces.iter().map(|piece| (*piece).to_owned()).collect()
    }

    #[test]
    fn without_stop_strings_nothing_is_held_back() {
        assert_eq!(pieces(&[], &["a", "b"]), (owned(&["a", "b", ""]), None));
    }

    #[test]
    fn a_stop_string_is_never_given_in_part() {
        let found = pieces(&["User:"], &["Hi U", "se", "r: x"]);
        assert_eq!(found, (owned(&["Hi ", "", ""]), Some("User:".to_owned())));
        let found = pieces(&["User:"], &["Hi U", "s", "UUser", "s", "Use"]);
        assert_eq!(found, (owned(&["Hi ", "", "UsU", "Users", "", "Use"]), None));
    }

    #[test]
    fn the_first_one_counts_and_then_the_longest() {
        let found = pieces(&["bc", "ab", "abc"], &["xxabcx"]);
        assert_eq!(found, (owned(&["xx"]), Some("abc".to_owned())));
        let found = pieces(&["\u{20ac}\u{20ac}"], &["a\u{20ac}", "b\u{20ac}", "\u{20ac}"]);
        assert_eq!(found, (owned(&["a", "\u{20ac}b", ""]), Some("\u{20ac}\u{20ac}".to_owned())));
    }
}
