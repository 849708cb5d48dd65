//! Words that another program listed, found in a text by the rules of that program.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::added::{AddedTokens, Part};
use crate::byte_pair::TEXT_LIMIT;
use crate::error::TokenizerError;
use crate::tokenizer::{Model, Tokenizer, check_text};
use crate::vocabulary::{VOCABULARY_LIMIT, Vocabulary};

/// How a program finds its words in a text: it cuts the text at white space, and each word at its ASCII
/// punctuation, of which each byte is a word of its own. Bytes that are no UTF-8 are part of a word like
/// any others.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WordRules {
    /// White space is that of Unicode, such as `U+00A0`. Otherwise it is a space and the bytes 9 to 13.
    pub unicode_space: bool,
    /// The letters `A` to `Z` of a text become small ones before a word is looked up; others stay.
    pub lower_case: bool,
    /// Stands for every word that is not listed. Without it such words are left out.
    pub unknown: Option<u32>,
    /// Listed words that are not cut at their punctuation where they stand between white space.
    pub whole: Vec<String>,
    /// Tokens become text without a space before one that begins with ASCII punctuation.
    pub joins_punctuation: bool,
}

/// The end of a text of RustGPT.
const RUSTGPT_END: &str = "</s>";

impl WordRules {
    /// Those of RustGPT (commit f8f438d): case counts, unknown words are left out, `</s>` is one word.
    pub fn rustgpt() -> Self {
        Self { unicode_space: true, whole: vec![RUSTGPT_END.to_owned()], ..Self::default() }
    }

    /// Those of LoopOS: words in lower case, token 1 for unknown ones.
    pub fn loopos() -> Self {
        Self { lower_case: true, unknown: Some(1), joins_punctuation: true, ..Self::default() }
    }
}

impl Tokenizer {
    /// A vocabulary that another program listed: the number of a word is its place. A place with no bytes
    /// is a number that is no token. A word that the rules would cut, such as `<pad>`, is a token that no
    /// text becomes, unless it is among [`WordRules::whole`].
    ///
    /// # Errors
    /// When there is no word, more than [`VOCABULARY_LIMIT`] or 4 GiB of them, or one twice; or the unknown
    /// token or one of [`WordRules::whole`] is not listed.
    pub fn from_words(words: &[impl AsRef<[u8]>], rules: WordRules) -> Result<Self, TokenizerError> {
        let wrong = |reason| TokenizerError::Words { reason };
        if words.len() > VOCABULARY_LIMIT {
            return Err(wrong(format!("they are {}, at most {VOCABULARY_LIMIT} can be", words.len())));
        }
        let bytes: usize = words.iter().map(|word| word.as_ref().len()).sum();
        if !(1..=TEXT_LIMIT).contains(&bytes) {
            return Err(wrong(format!("they have {bytes} bytes, 1 to {TEXT_LIMIT} can be")));
        }
        let mut vocabulary = Vocabulary::default();
        for word in words {
            vocabulary.push(word.as_ref());
        }
        Self::trained(vocabulary, Model::ListedWords(ListedWords::new(rules))).map_err(|error| match error {
            TokenizerError::Damaged { reason } => wrong(reason),
            other => other,
        })
    }

    /// The vocabulary that RustGPT makes of a text: all its words in the order of their bytes, `</s>`
    /// among them. Its parts are words too, as RustGPT cuts the text for its vocabulary even there.
    ///
    /// # Errors
    /// When the text has no word, is longer than 4 GiB, or has too many words for
    /// [`VOCABULARY_LIMIT`].
    pub fn train_rustgpt_words(text: &[u8]) -> Result<Self, TokenizerError> {
        check_text(text)?;
        let rules = WordRules::rustgpt();
        let mut words: BTreeSet<&[u8]> = rules.words(text).flat_map(cut_at_punctuation).collect();
        if words.is_empty() {
            return Err(TokenizerError::EmptyText { is_blank: true });
        }
        words.insert(RUSTGPT_END.as_bytes());
        Self::from_words(&words.into_iter().collect::<Vec<_>>(), rules)
    }
}

/// How text becomes tokens by looking up its words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ListedWords {
    pub rules: WordRules,
    #[serde(skip)]
    by_bytes: HashMap<Box<[u8]>, u32>,
    /// Those that are not cut.
    #[serde(skip)]
    whole: HashMap<Box<[u8]>, u32>,
}

impl ListedWords {
    pub fn new(rules: WordRules) -> Self {
        Self { rules, by_bytes: HashMap::new(), whole: HashMap::new() }
    }

    /// Makes ready for encoding; says what contradicts the vocabulary, of which the first
    /// `model_tokens` are the model's.
    pub fn index(
        &mut self,
        vocabulary: &Vocabulary,
        model_tokens: u32,
        added: &AddedTokens,
    ) -> Result<(), String> {
        self.by_bytes = listed(vocabulary, model_tokens)?;
        if let Some(unknown) = self.rules.unknown
            && (unknown >= model_tokens || vocabulary.get(unknown).is_none())
        {
            return Err(format!("the unknown token {unknown} is not among the words"));
        }
        if !added.normalized.is_empty() {
            return Err("listed words have added tokens that are looked for in changed text".to_owned());
        }
        self.whole = self.whole_words()?;
        // Added tokens are looked for first, and not at all in the text of others.
        self.by_bytes.retain(|_, &mut token| !added.contains(token));
        self.whole.retain(|_, &mut token| !added.contains(token));
        Ok(())
    }

    fn whole_words(&self) -> Result<HashMap<Box<[u8]>, u32>, String> {
        let mut whole = HashMap::new();
        for word in &self.rules.whole {
            let Some(&token) = self.by_bytes.get(word.as_bytes()) else {
                return Err(format!("{word:?} is to stay whole, but is not among the words"));
            };
            if whole.insert(word.as_bytes().into(), token).is_some() {
                return Err(format!("{word:?} is to stay whole twice"));
            }
        }
        Ok(whole)
    }

    /// Appends the tokens of a text.
    pub fn encode(&self, parts: &[Part<'_>], tokens: &mut Vec<u32>) {
        for &part in parts {
            match part {
                Part::Token(token) => tokens.push(token),
                Part::Text(text) | Part::Rest(text) => self.encode_text(text, tokens),
            }
        }
    }

    fn encode_text(&self, text: &[u8], tokens: &mut Vec<u32>) {
        let text: Cow<'_, [u8]> =
            if self.rules.lower_case { text.to_ascii_lowercase().into() } else { text.into() };
        for word in self.rules.words(&text) {
            match self.whole.get(word) {
                Some(&token) => tokens.push(token),
                None => tokens.extend(cut_at_punctuation(word).filter_map(|piece| self.token(piece))),
            }
        }
    }

    fn token(&self, piece: &[u8]) -> Option<u32> {
        self.by_bytes.get(piece).copied().or(self.rules.unknown)
    }

    /// Appends a token to a text.
    pub fn join(&self, text: &mut Vec<u8>, token: &[u8]) {
        let is_joined = self.rules.joins_punctuation && token[0].is_ascii_punctuation();
        if !text.is_empty() && !is_joined {
            text.push(b' ');
        }
        text.extend_from_slice(token);
    }
}

impl WordRules {
    /// What stands between white space.
    fn words<'a>(&self, text: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let unicode = self.unicode_space;
        let mut rest = text;
        std::iter::from_fn(move || {
            while let len @ 1.. = space_len(rest, unicode) {
                rest = &rest[len..];
            }
            let end = (0..rest.len()).find(|&end| space_len(&rest[end..], unicode) > 0);
            let (word, behind) = rest.split_at(end.unwrap_or(rest.len()));
            rest = behind;
            (!word.is_empty()).then_some(word)
        })
    }
}

/// Bytes of the white space character at the beginning; 0 when there is none.
fn space_len(text: &[u8], unicode: bool) -> usize {
    match text.first() {
        Some(b' ' | b'\t'..=b'\r') => 1,
        // All others have two or three bytes, and one of these first.
        Some(0xc2 | 0xe1..=0xe3) if unicode => (2..=3)
            .find(|&len| {
                let character = text.get(..len).and_then(|bytes| str::from_utf8(bytes).ok());
                character.is_some_and(|character| character.chars().all(char::is_whitespace))
            })
            .unwrap_or(0),
        _ => 0,
    }
}

/// A word, cut before and behind each byte of ASCII punctuation.
fn cut_at_punctuation(word: &[u8]) -> impl Iterator<Item = &[u8]> {
    word.chunk_by(|left, right| !left.is_ascii_punctuation() && !right.is_ascii_punctuation())
}

/// The words among the first `model_tokens` of a vocabulary; says which is twice the same.
fn listed(vocabulary: &Vocabulary, model_tokens: u32) -> Result<HashMap<Box<[u8]>, u32>, String> {
    let mut by_bytes: HashMap<Box<[u8]>, u32> = HashMap::with_capacity(model_tokens as usize);
    for (token, bytes) in vocabulary.tokens().take_while(|&(token, _)| token < model_tokens) {
        if let Some(other) = by_bytes.insert(bytes.into(), token) {
            return Err(format!("tokens {other} and {token} are the same word"));
        }
    }
    Ok(by_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Adaptive, Policy};

    const END: &str = "</s>";

    fn rustgpt() -> Tokenizer {
        Tokenizer::train_rustgpt_words("Say: hi, you! \u{a0}</s>\nHi".as_bytes()).unwrap()
    }

    fn loopos() -> Tokenizer {
        let words = ["<pad>", "<unk>", "the", ".", "cat", "<", "caf\u{e9}"];
        Tokenizer::from_words(&words, WordRules::loopos()).unwrap()
    }

    #[test]
    fn words_of_rustgpt_in_the_order_of_their_bytes() {
        let tokenizer = rustgpt();
        let words: Vec<&[u8]> = (0..12).filter_map(|token| tokenizer.token_bytes(token)).collect();
        let expected = ["!", ",", "/", ":", "<", "</s>", ">", "Hi", "Say", "hi", "s", "you"];
        assert_eq!(words, expected.map(str::as_bytes));
        assert_eq!(tokenizer.len(), 12);
        assert_eq!(
            tokenizer.encode("you\u{3000}and hi,\u{2029}</s> x</s>".as_bytes()),
            [11, 9, 1, 5, 4, 2, 10, 6]
        );
        assert_eq!(tokenizer.decode(&[8, 3, 9, 5]).unwrap(), b"Say : hi </s>");
        assert!(tokenizer.encode(b"\xff \xe2\x80 hi\xc2").is_empty());
        assert!(Tokenizer::train_rustgpt_words(b" \n").unwrap_err().to_string().contains("no word"));
        assert!(Tokenizer::train_rustgpt_words(b"").unwrap_err().to_string().contains("is empty"));
    }

    #[test]
    fn words_of_loopos_in_lower_case() {
        let tokenizer = loopos();
        assert_eq!(tokenizer.encode("The\u{b}CAT. <PAD>".as_bytes()), [2, 4, 3, 5, 1, 1]);
        assert_eq!(
            tokenizer.encode("caf\u{e9} CAF\u{c9} the\u{a0}cat \u{e9}\u{ff}".as_bytes()),
            [6, 1, 1, 1]
        );
        assert_eq!(tokenizer.encode(b"\xff"), [1]);
        assert_eq!(tokenizer.decode(&[2, 4, 3, 2, 0, 1]).unwrap(), b"the cat. the<pad><unk>");
    }

    #[test]
    fn a_special_token_is_not_whole_in_the_text_of_others() {
        let tokenizer = rustgpt().with_special_tokens(&[END, "<|user|>"]).unwrap();
        assert_eq!(tokenizer.encode(b"hi</s><|user|> </s>"), [9, 5, 12, 5]);
        assert_eq!(tokenizer.encode_ordinary(b"hi </s>"), [9, 4, 2, 10, 6]);
    }

    #[test]
    fn lists_that_contradict_the_rules_are_refused() {
        let whole = |word: &str| WordRules { whole: vec![word.to_owned()], ..WordRules::default() };
        let twice = WordRules { whole: vec!["a".to_owned(); 2], ..WordRules::default() };
        let unknown = |token| WordRules { unknown: Some(token), ..WordRules::default() };
        for (words, rules, expected) in [
            (vec!["a", "b", "a"], WordRules::default(), "tokens 0 and 2 are the same word"),
            (vec![], WordRules::default(), "have 0 bytes"),
            (vec!["", ""], WordRules::default(), "have 0 bytes"),
            (vec!["a"; VOCABULARY_LIMIT + 1], WordRules::default(), "they are 1048577"),
            (vec!["a", ""], unknown(1), "the unknown token 1 is not among"),
            (vec!["a"], unknown(1), "the unknown token 1 is not among"),
            (vec!["a"], whole("</s>"), "\"</s>\" is to stay whole, but is not"),
            (vec!["a", ""], whole(""), "\"\" is to stay whole, but is not"),
            (vec!["a"], twice, "\"a\" is to stay whole twice"),
        ] {
            let error = Tokenizer::from_words(&words, rules).unwrap_err();
            assert!(matches!(error, TokenizerError::Words { .. }));
            assert!(error.to_string().contains(expected), "{error}");
        }
        let gaps = Tokenizer::from_words(&["a", "", "b"], WordRules::default()).unwrap();
        assert_eq!((gaps.encode(b"b a c"), gaps.len()), (vec![2, 0], 3));
    }

    #[test]
    fn what_no_tokenizer_json_gives_is_refused() {
        let export = |tokenizer: &Tokenizer| tokenizer.to_hugging_face().map_err(|error| error.to_string());
        let json = export(&loopos()).unwrap();
        assert_eq!(json["model"]["unk_token"], "<unk>");
        assert_eq!(json["normalizer"]["normalizers"][25]["content"], "z");
        assert!(export(&rustgpt()).unwrap_err().contains("leaves unknown words out"));
        let rules = WordRules { unknown: Some(0), ..WordRules::rustgpt() };
        let whole = Tokenizer::from_words(&["?", END], rules.clone()).unwrap();
        assert!(export(&whole).unwrap_err().contains("stay whole"));
        let bytes =
            Tokenizer::from_words(&[b"?", b"\xff"], WordRules { whole: Vec::new(), ..rules }).unwrap();
        assert!(export(&bytes).unwrap_err().contains("UTF-8"));
        let error = Adaptive::new(rustgpt(), Policy::default()).unwrap_err().to_string();
        assert!(error.contains("another program listed its words"), "{error}");
    }

    #[test]
    fn several_threads_find_the_same_words() {
        let text = "Say: hi, you! </s>\u{a0}\nHi ".repeat(9_000);
        let threads = std::num::NonZero::new(3).unwrap();
        let tokenizer = rustgpt();
        assert_eq!(
            tokenizer.encode_parallel(text.as_bytes(), threads, &|_| {}),
            tokenizer.encode(text.as_bytes())
        );
    }

    #[test]
    fn white_space_is_found_byte_by_byte() {
        for character in '\u{80}'..=char::MAX {
            let text = character.to_string();
            let len = if character.is_whitespace() { text.len() } else { 0 };
            assert_eq!(space_len(text.as_bytes(), true), len, "{character:?}");
            assert_eq!(space_len(text.as_bytes(), false), 0, "{character:?}");
        }
    }
}
