//! Messages of deserializers, with types in plain words.

/// Names of types, and what they are to people.
const TYPES: [(&str, &[&str]); 4] = [
    ("a whole number, 0 or more", &["u8", "u16", "u32", "u64", "usize"]),
    ("a whole number", &["i8", "i16", "i32", "i64", "isize"]),
    ("a number", &["f32", "f64"]),
    ("true or false", &["bool", "boolean"]),
];
const PHRASES: [(&str, &str); 9] = [
    (", set DuplicateKeyPolicy in Options if acceptable", ""),
    ("invalid type: ", "found "),
    ("invalid value: ", "out of range: "),
    ("floating point `", "the number `"),
    ("integer `", "the number `"),
    ("unit value", "nothing"),
    ("a sequence", "a list"),
    ("sequence", "a list"),
    ("a map", "keys with values"),
];

/// The first line of a message in plain words; what stands in quotes is what the user wrote, and stays, and so
/// do the other lines, which show it.
pub(crate) fn in_plain_words(message: &str) -> String {
    let (first, rest) = message.split_once('\n').map_or((message, None), |(first, rest)| (first, Some(rest)));
    let mut plain = PHRASES.iter().fold(first.to_owned(), |text, (from, to)| text.replace(from, to));
    for (meaning, types) in TYPES {
        plain = types.iter().fold(plain, |text, name| replace_word(&text, name, meaning));
    }
    rest.map_or(plain.clone(), |rest| format!("{plain}\n{rest}"))
}

/// `text` with a word replaced, but for those in quotes.
fn replace_word(text: &str, word: &str, by: &str) -> String {
    let mut out = String::new();
    let mut quote = None;
    for piece in text.split_inclusive(|c: char| !(c.is_alphanumeric() || c == '_')) {
        let end = piece.chars().next_back().filter(|c| !(c.is_alphanumeric() || *c == '_'));
        let name = end.map_or(piece, |end| &piece[..piece.len() - end.len_utf8()]);
        out += if name == word && quote.is_none() { by } else { name };
        out.extend(end);
        match (quote, end) {
            (None, Some('`' | '"')) => quote = end,
            (Some(open), Some(end)) if open == end => quote = None,
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::in_plain_words;

    #[test]
    fn types_are_named_in_plain_words_and_values_stay() {
        for (message, plain) in [
            (
                "invalid type: string \"u64 many\", expected u64",
                "found string \"u64 many\", expected a whole number, 0 or more",
            ),
            (
                "invalid type: floating point `0.5`, expected u32\nu32: 0.5",
                "found the number `0.5`, expected a whole number, 0 or more\nu32: 0.5",
            ),
            ("invalid type: sequence, expected f64", "found a list, expected a number"),
        ] {
            assert_eq!(in_plain_words(message), plain);
        }
    }
}
