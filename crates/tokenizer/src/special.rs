//! Special tokens: texts such as `<|user|>` that stand for something else than their characters.

use std::collections::{HashMap, HashSet};

use crate::byte_level;
use crate::byte_pair::TOKEN_LIMIT;
use crate::error::TokenizerError;
use crate::tokenizer::{Form, Model, Tokenizer};
use crate::vocabulary::VOCABULARY_LIMIT;

impl Tokenizer {
    /// Appends special tokens, which are looked for in a text before anything else, as they stand. They
    /// are numbered on from the tokens that are there, in their order; one that is there already keeps
    /// its number. A `tokenizer.json` has them among `added_tokens`, with `"special": true`.
    ///
    /// # Errors
    /// When a text is empty, longer than 1024 bytes or a token of a single byte, or a `tokenizer.json`
    /// could not tell it from another token; or there are more than [`VOCABULARY_LIMIT`] tokens.
    pub fn with_special_tokens(self, tokens: &[&str]) -> Result<Self, TokenizerError> {
        self.with_added_tokens(tokens, false)
    }

    /// Appends symbols: texts such as `∀` that are always a token of their own, wherever they stand, but text like any
    /// other. They are numbered as special tokens are; a special token stays one. A `tokenizer.json` has them among
    /// `added_tokens`, with `"special": false`.
    ///
    /// # Errors
    /// As [`Self::with_special_tokens`].
    pub fn with_symbols(self, symbols: &[&str]) -> Result<Self, TokenizerError> {
        self.with_added_tokens(symbols, true)
    }

    fn with_added_tokens(self, tokens: &[&str], are_ordinary: bool) -> Result<Self, TokenizerError> {
        let Self { mut vocabulary, mut model_tokens, model, mut added, frame, conventions } = self;
        let has_gaps = vocabulary.tokens().count() < vocabulary.len();
        let mut known: HashMap<Vec<u8>, u32> =
            vocabulary.tokens().map(|(token, bytes)| (bytes.to_vec(), token)).collect();
        let mut special: HashSet<u32> = added.iter().collect();
        for &text in tokens {
            let before = known.get(text.as_bytes()).copied();
            if before.is_some_and(|token| special.contains(&token)) {
                continue;
            }
            check_added(text, before, &model, are_ordinary)?;
            if before.is_none() && vocabulary.len() == VOCABULARY_LIMIT {
                return Err(refused(text, &format!("there are {VOCABULARY_LIMIT} tokens already")));
            }
            let token = before.unwrap_or_else(|| vocabulary.push(text.as_bytes()));
            known.insert(text.into(), token);
            special.insert(token);
            if are_ordinary { &mut added.ordinary } else { &mut added.verbatim }.push(token);
        }
        // In the order in which a `tokenizer.json` lists them.
        added.ordinary.sort_unstable();
        if has_gaps {
            // The Hugging Face library counts tokens, not numbers, to number those behind the model's.
            model_tokens = vocabulary.len() as u32;
        }
        Form { vocabulary, model_tokens, model, added, frame, conventions }.try_into()
    }

    /// The token of these bytes, the first one where several have them. It looks through the vocabulary.
    pub fn token_of(&self, text: &[u8]) -> Option<u32> {
        self.vocabulary.tokens().find(|&(_, bytes)| bytes == text).map(|(token, _)| token)
    }

    /// Whether a token is looked for before anything else, as those of
    /// [`Self::with_special_tokens`] and the added tokens of a `tokenizer.json` are.
    pub fn is_special(&self, token: u32) -> bool {
        self.added.contains(token)
    }

    /// The tokens of a text in which no special token is recognised, so that nobody who writes it can
    /// give himself another role: `<|user|>` is its characters.
    ///
    /// None of the tokens is special, with two exceptions that a `tokenizer.json` can make: the unknown
    /// token, and a special token of a single byte.
    pub fn encode_ordinary(&self, text: &[u8]) -> Vec<u32> {
        let mut tokens = Vec::new();
        if text.is_empty() {
            return tokens;
        }
        self.encode_parts(&self.added.split_ordinary(text), &mut tokens);
        if tokens.iter().all(|&token| !self.is_special(token)) {
            return tokens;
        }
        let mut ordinary = Vec::with_capacity(tokens.len());
        match &self.model {
            Model::BytePair(model) => {
                let merges = model.merges().filter(|&[_, _, joined]| self.is_special(joined));
                let parts = merges.map(|[left, right, joined]| (joined, [left, right])).collect();
                tokens.into_iter().for_each(|token| push_parts(token, &parts, &mut ordinary));
            }
            Model::WordPiece(model) => {
                let stands_for = |token| if self.is_special(token) { model.unknown } else { token };
                ordinary.extend(tokens.into_iter().map(stands_for));
            }
            // Only the unknown token can be special: the others are not among the words.
            Model::Words(_) | Model::ListedWords(_) => ordinary = tokens,
        }
        ordinary
    }
}

fn check_added(
    text: &str,
    known: Option<u32>,
    model: &Model,
    is_ordinary: bool,
) -> Result<(), TokenizerError> {
    if text.is_empty() || text.len() > TOKEN_LIMIT {
        return Err(refused(text, &format!("it has {} bytes, 1 to {TOKEN_LIMIT} can be", text.len())));
    }
    let Model::BytePair(model) = model else { return Ok(()) };
    if known.is_some_and(|token| model.byte_tokens.contains(&token)) && !is_ordinary {
        return Err(refused(text, "it is the token of a byte, which would be special wherever it stands"));
    }
    if byte_level::is_ambiguous(text, known.is_some()) {
        return Err(refused(text, "a tokenizer.json has these characters for other bytes"));
    }
    Ok(())
}

fn refused(text: &str, reason: &str) -> TokenizerError {
    TokenizerError::SpecialToken { token: text.to_owned(), reason: reason.to_owned() }
}

/// Appends a token, or those that it is merged from when it has parts. They are shorter, so that it ends.
fn push_parts(token: u32, parts: &HashMap<u32, [u32; 2]>, tokens: &mut Vec<u32>) {
    match parts.get(&token) {
        Some(parts_of) => parts_of.iter().for_each(|&part| push_parts(part, parts, tokens)),
        None => tokens.push(token),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"the user, the use of it: the <|user|> us";
    const ROLES: [&str; 2] = ["<|user|>", "<|end|>"];

    fn kinds() -> [Tokenizer; 3] {
        [
            Tokenizer::train_byte_pair(TEXT, 270).unwrap(),
            Tokenizer::train_words_and_bytes(TEXT, 270).unwrap(),
            Tokenizer::train_words(TEXT, 20).unwrap(),
        ]
    }

    #[test]
    fn special_tokens_stand_behind_the_others_and_are_found() {
        for tokenizer in kinds() {
            let len = tokenizer.len() as u32;
            let tokenizer = tokenizer.with_special_tokens(&ROLES).unwrap();
            assert_eq!(tokenizer.token_of(b"<|user|>"), Some(len));
            assert_eq!(tokenizer.token_of(b"<|end|>"), Some(len + 1));
            assert_eq!(tokenizer.token_of(b"<|system|>"), None);
            assert!(tokenizer.is_special(len) && !tokenizer.is_special(len - 1));
            let tokens = tokenizer.encode(b"<|user|>the<|end|>");
            assert_eq!((tokens[0], tokens[tokens.len() - 1]), (len, len + 1));
            let json = tokenizer.to_hugging_face().unwrap();
            assert_eq!(json["added_tokens"][0]["special"], true);
            assert_eq!(Tokenizer::from_hugging_face(json.to_string().as_bytes()).unwrap(), tokenizer);
            let again = tokenizer.clone().with_special_tokens(&["<|end|>", "<|user|>"]).unwrap();
            assert_eq!(again, tokenizer);
        }
    }

    #[test]
    fn symbols_are_tokens_of_their_own_in_all_text() {
        for tokenizer in kinds() {
            let plain = tokenizer.clone();
            let tokenizer = tokenizer.with_symbols(&["∀", "=>", "("]).unwrap();
            let tokenizer = tokenizer.with_special_tokens(&ROLES).unwrap();
            let forall = tokenizer.token_of("∀".as_bytes()).unwrap();
            assert!(!tokenizer.is_special(forall));
            let (text, len) = ("the∀user", plain.len() as u32);
            for tokens in [tokenizer.encode(text.as_bytes()), tokenizer.encode_ordinary(text.as_bytes())] {
                assert_eq!(tokens.iter().filter(|&&token| token == len).count(), 1, "{tokens:?}");
            }
            assert!(tokenizer.encode_ordinary(b"<|user|>=>").contains(&(len + 1)));
            assert!(!tokenizer.encode_ordinary(b"<|user|>=>").contains(&(len + 2)));
            let json = tokenizer.to_hugging_face().unwrap();
            assert_eq!(json["added_tokens"][0]["special"], false);
            assert_eq!(Tokenizer::from_hugging_face(json.to_string().as_bytes()).unwrap(), tokenizer);
        }
    }

    #[test]
    fn ordinary_text_has_no_special_token() {
        for tokenizer in kinds() {
            let before = tokenizer.encode(b"say <|user|> <|end|><|user|>");
            let tokenizer = tokenizer.with_special_tokens(&ROLES).unwrap();
            assert_eq!(tokenizer.encode_ordinary(b"say <|user|> <|end|><|user|>"), before);
            assert!(tokenizer.encode_ordinary(b"").is_empty());
            // At least one of them is a token that is there already.
            let tokenizer = tokenizer.with_special_tokens(&["the", "us"]).unwrap();
            for text in [&b"the user us is the <|user|> user"[..], b" the", b"us"] {
                let tokens = tokenizer.encode_ordinary(text);
                assert!(tokens.iter().all(|&token| !tokenizer.is_special(token)), "{tokens:?}");
                if let Model::BytePair(_) = tokenizer.model {
                    assert_eq!(tokenizer.decode(&tokens).unwrap(), text);
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_special_is_refused() {
        let long = "x".repeat(1025);
        for (token, expected) in [
            ("", "it has 0 bytes"),
            (long.as_str(), "it has 1025 bytes"),
            ("t", "the token of a byte"),
            ("\u{120}the", "for other bytes"),
            (" the", "for other bytes"),
        ] {
            let tokenizer = Tokenizer::train_byte_pair(TEXT, 280).unwrap();
            let error = tokenizer.with_special_tokens(&[token]).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
