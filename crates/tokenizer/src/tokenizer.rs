//! The tokenizer: a vocabulary, a model that makes its tokens of text, and added tokens.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::added::{AddedTokens, Part};
use crate::byte_level;
use crate::byte_pair::{self, BytePair, TEXT_LIMIT};
use crate::conventions::Conventions;
use crate::error::TokenizerError;
use crate::frame::Frame;
use crate::listed_words::{ListedWords, WordRules, words_of};
use crate::vocabulary::{VOCABULARY_LIMIT, Vocabulary};
use crate::word_piece::WordPiece;
use crate::words::{self, Words};

/// Makes tokens, numbered from 0 to [`Self::len`], of text, and text of tokens.
///
/// As a serde value it is a few flat lists of numbers. What is deserialised is checked: a damaged
/// form is refused.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Form")]
pub struct Tokenizer {
    pub(crate) vocabulary: Vocabulary,
    /// So many tokens, from the first on, are the model's; those behind are added tokens.
    pub(crate) model_tokens: u32,
    pub(crate) model: Model,
    pub(crate) added: AddedTokens,
    /// Not in the serde form when it is empty, as it came later.
    #[serde(skip_serializing_if = "Frame::is_empty")]
    pub(crate) frame: Frame,
    /// Not in the serde form when it is absent, as it came later. In a box, as few tokenizers have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) conventions: Option<Box<Conventions>>,
}

/// The members of a [`Tokenizer`], not yet checked.
#[derive(Deserialize)]
pub(crate) struct Form {
    pub vocabulary: Vocabulary,
    pub model_tokens: u32,
    pub model: Model,
    pub added: AddedTokens,
    #[serde(default)]
    pub frame: Frame,
    #[serde(default)]
    pub conventions: Option<Box<Conventions>>,
}

impl Form {
    /// With nothing around a text, and no conventions.
    pub fn of_model(vocabulary: Vocabulary, model_tokens: u32, model: Model, added: AddedTokens) -> Self {
        Self { vocabulary, model_tokens, model, added, frame: Frame::default(), conventions: None }
    }
}

/// How text becomes tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Model {
    /// By joining bytes.
    BytePair(BytePair),
    /// By cutting it into words.
    Words(Words),
    /// By cutting its words into pieces.
    WordPiece(WordPiece),
    /// By the rules of the program that listed its words.
    ListedWords(ListedWords),
}

impl Tokenizer {
    /// Learns byte pairs from a text: 256 tokens of one byte, then one for each merge of two tokens,
    /// within the pieces that GPT-2 cuts a text into.
    ///
    /// In each step the pair of tokens that occurs most often is merged; of several the smallest, by
    /// the number of its left token, then of its right one. There are fewer than `vocabulary` tokens
    /// when no pair is left that occurs twice. No two tokens have the same bytes, and none has more
    /// than 1024. The time grows with the length of the different pieces, whatever the vocabulary.
    ///
    /// Any bytes become tokens, and [`Self::decode`] gives them back unchanged.
    ///
    /// # Errors
    /// When the text is empty or longer than 4 GiB, or `vocabulary` is less than 256 or more than
    /// [`VOCABULARY_LIMIT`].
    pub fn train_byte_pair(text: &[u8], vocabulary: usize) -> Result<Self, TokenizerError> {
        check_training("byte pairs", 256, text, vocabulary)?;
        let (vocabulary, model) = byte_pair::train(text, vocabulary);
        Self::trained(vocabulary, Model::BytePair(model))
    }

    /// Learns the most frequent words of a text; those of the same frequency in the order of their
    /// bytes. Token 0 is `<unk>`, which stands for all other words.
    ///
    /// Words are separated by white space, and each punctuation mark is a word of its own. Bytes
    /// that are not UTF-8 are unknown. [`Self::decode`] joins the words by single spaces, so that it
    /// does not give back the text as it was.
    ///
    /// # Errors
    /// When the text has no word or is longer than 4 GiB, or `vocabulary` is less than 2 or more
    /// than [`VOCABULARY_LIMIT`].
    pub fn train_words(text: &[u8], vocabulary: usize) -> Result<Self, TokenizerError> {
        check_training("words", 2, text, vocabulary)?;
        let (vocabulary, model) =
            words::train(text, vocabulary).ok_or(TokenizerError::EmptyText { is_blank: true })?;
        Self::trained(vocabulary, Model::Words(model))
    }

    /// Learns the most frequent words of a text, behind 256 tokens of one byte: a word that is not among
    /// them becomes its bytes, so that nothing is unknown.
    ///
    /// Words are the pieces that GPT-2 cuts a text into, each with the space before it; those of the same
    /// frequency come in the order of their bytes. Any bytes become tokens, and [`Self::decode`] gives
    /// them back unchanged. In a `tokenizer.json` it is a BPE model without merges and with
    /// `ignore_merges`.
    ///
    /// # Errors
    /// When the text is empty or longer than 4 GiB, or `vocabulary` is less than 256 or more than
    /// [`VOCABULARY_LIMIT`].
    pub fn train_words_and_bytes(text: &[u8], vocabulary: usize) -> Result<Self, TokenizerError> {
        check_training("words and bytes", 256, text, vocabulary)?;
        let (vocabulary, model) = byte_pair::train_whole(text, vocabulary);
        Self::trained(vocabulary, Model::BytePair(model))
    }

    /// A vocabulary that another program listed: the number of a word is its place. A place with no bytes
    /// is a number that is not a token. A word that the rules would cut, such as `<pad>`, is a token that no
    /// text becomes, unless it is among [`WordRules::whole`].
    ///
    /// # Errors
    /// When there is not a word, more than [`VOCABULARY_LIMIT`] or 4 GiB of them, or one twice; or the unknown
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

    /// All words of a text by these rules, in the order of their bytes, with those of
    /// [`WordRules::whole`] among them. The parts of a word that stays whole are words, too.
    ///
    /// # Errors
    /// When the text has no word, is longer than 4 GiB, or has too many words for
    /// [`VOCABULARY_LIMIT`].
    pub fn train_listed_words(text: &[u8], rules: WordRules) -> Result<Self, TokenizerError> {
        check_text(text)?;
        let words = words_of(text, &rules);
        if words.is_empty() {
            return Err(TokenizerError::EmptyText { is_blank: true });
        }
        let whole = rules.whole.iter().map(|word| word.as_bytes().to_vec());
        let words: BTreeSet<Vec<u8>> = words.into_iter().chain(whole).collect();
        Self::from_words(&words.into_iter().collect::<Vec<_>>(), rules)
    }

    /// The tokens of a text.
    pub fn encode(&self, text: &[u8]) -> Vec<u32> {
        let mut tokens = Vec::new();
        self.encode_parts(&self.added.split(text), &mut tokens);
        tokens
    }

    /// Appends the tokens of a text that is cut into parts.
    pub(crate) fn encode_parts(&self, parts: &[Part<'_>], tokens: &mut Vec<u32>) {
        match &self.model {
            Model::BytePair(model) => model.encode(parts, tokens),
            Model::Words(model) => model.encode(parts, tokens),
            Model::WordPiece(model) => model.encode(parts, tokens),
            Model::ListedWords(model) => model.encode(parts, tokens),
        }
    }

    /// The text of tokens. Byte pairs are put one behind the other; a token may be part of a
    /// character, so that only the whole is UTF-8 again. Words are joined by single spaces, the
    /// pieces of one word by nothing, listed words by their rules.
    ///
    /// # Errors
    /// When a number is not a token.
    pub fn decode(&self, tokens: &[u32]) -> Result<Vec<u8>, TokenizerError> {
        let mut text = Vec::new();
        for (position, &token) in tokens.iter().enumerate() {
            let len = self.len();
            let bytes =
                self.token_bytes(token).ok_or(TokenizerError::NoSuchToken { position, token, len })?;
            match &self.model {
                Model::WordPiece(model) if position > 0 => model.join(&mut text, bytes),
                Model::Words(_) if position > 0 => text.extend([b" ", bytes].concat()),
                Model::ListedWords(model) => model.join(&mut text, bytes),
                _ => text.extend_from_slice(bytes),
            }
        }
        Ok(text)
    }

    /// Size of the vocabulary: one more than the largest token. A `tokenizer.json` may leave numbers
    /// out, which then are not tokens.
    #[allow(clippy::len_without_is_empty, reason = "no vocabulary is empty")]
    pub fn len(&self) -> usize {
        self.vocabulary.len()
    }

    /// The bytes of a token; none for a number that is not a token.
    pub fn token_bytes(&self, token: u32) -> Option<&[u8]> {
        self.vocabulary.get(token)
    }

    /// Names the tokenizer: the SHA-256, in hexadecimal digits, of its serde form as JSON without
    /// white space. Tokenizers of the same identity give the same tokens for any text.
    pub fn identity(&self) -> String {
        let mut digest = Sha256::new();
        // Cannot fail: every key is a string, and the digest takes all bytes.
        let _ = serde_json::to_writer(DigestWriter(&mut digest), self);
        digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn trained(vocabulary: Vocabulary, model: Model) -> Result<Self, TokenizerError> {
        let model_tokens = vocabulary.len() as u32;
        Form::of_model(vocabulary, model_tokens, model, AddedTokens::default()).try_into()
    }
}

impl fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let model = match &self.model {
            Model::BytePair(model) if model.is_of_words() => "words and bytes",
            Model::BytePair(_) => "byte pairs",
            Model::Words(_) => "words",
            Model::WordPiece(_) => "word pieces",
            Model::ListedWords(_) => "listed words",
        };
        f.debug_struct("Tokenizer").field("model", &model).field("len", &self.len()).finish_non_exhaustive()
    }
}

impl TryFrom<Form> for Tokenizer {
    type Error = TokenizerError;

    fn try_from(form: Form) -> Result<Self, TokenizerError> {
        check(form).map_err(|reason| TokenizerError::Damaged { reason })
    }
}

fn check(form: Form) -> Result<Tokenizer, String> {
    let Form { vocabulary, model_tokens, mut model, mut added, frame, conventions } = form;
    vocabulary.check()?;
    let len = vocabulary.len();
    if model_tokens as usize > len {
        return Err(format!("the model has {model_tokens} tokens, but the vocabulary {len}"));
    }
    added.index(&vocabulary)?;
    frame.check(len)?;
    match &mut model {
        Model::BytePair(model) => model.index(&vocabulary, model_tokens, &added)?,
        Model::Words(model) => model.index(&vocabulary, model_tokens, &added)?,
        Model::WordPiece(model) => model.index(&vocabulary, model_tokens)?,
        Model::ListedWords(model) => model.index(&vocabulary, model_tokens, &added)?,
    }
    let behind = added.iter().filter(|&token| token >= model_tokens).count();
    // Added tokens that are not the model's are numbered on from the model's, without gaps.
    if behind != len - model_tokens as usize {
        return Err("a token is neither the model's nor an added one".to_owned());
    }
    if let Model::BytePair(model) = &model {
        byte_level::check_names(&vocabulary, model_tokens, &added, &model.byte_tokens)?;
    }
    Ok(Tokenizer { vocabulary, model_tokens, model, added, frame, conventions })
}

fn check_training(kind: &'static str, least: usize, text: &[u8], asked: usize) -> Result<(), TokenizerError> {
    if asked < least {
        return Err(TokenizerError::VocabularyTooSmall { kind, asked, least });
    }
    if asked > VOCABULARY_LIMIT {
        return Err(TokenizerError::VocabularyTooLarge { asked, most: VOCABULARY_LIMIT });
    }
    check_text(text)
}

fn check_text(text: &[u8]) -> Result<(), TokenizerError> {
    match text.len() {
        0 => Err(TokenizerError::EmptyText { is_blank: false }),
        len if len > TEXT_LIMIT => Err(TokenizerError::TextTooLong { len, limit: TEXT_LIMIT }),
        _ => Ok(()),
    }
}

/// Feeds what is written to a digest.
struct DigestWriter<'a>(&'a mut Sha256);

impl std::io::Write for DigestWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const TEXT: &[u8] = b"the cat, the hat; the cat -- \"that\" hat!";

    #[test]
    fn words_from_the_most_frequent_on() {
        let tokenizer = Tokenizer::train_words(TEXT, 6).unwrap();
        let tokens: Vec<&[u8]> = (0..6).filter_map(|token| tokenizer.token_bytes(token)).collect();
        // `the` stands thrice; `"`, `-`, `cat` and `hat` twice; and then single ones.
        assert_eq!(tokens, [&b"<unk>"[..], b"the", b"\"", b"-", b"cat", b"hat"]);
        assert_eq!(tokenizer.encode(b"the  big\ncat-<unk>\xff"), [1, 0, 4, 3, 0, 0, 0, 0]);
        assert_eq!(tokenizer.decode(&[1, 0, 4]).unwrap(), b"the <unk> cat");
        assert_eq!(Tokenizer::train_words(TEXT, 1000).unwrap().len(), 10);
    }

    #[test]
    fn what_cannot_be_learnt_from_is_refused() {
        let error = |made: Result<Tokenizer, TokenizerError>| made.unwrap_err().to_string();
        assert!(error(Tokenizer::train_byte_pair(b"", 300)).contains("is empty"));
        assert!(error(Tokenizer::train_byte_pair(b"a", 255)).contains("at least 256"));
        assert!(error(Tokenizer::train_byte_pair(b"a", (1 << 20) + 1)).contains("at most 1048576"));
        assert!(error(Tokenizer::train_words(b"", 300)).contains("is empty"));
        assert!(error(Tokenizer::train_words(b" \n\xff", 300)).contains("no word"));
        assert!(error(Tokenizer::train_words(b"a", 1)).contains("at least 2"));
    }

    #[test]
    fn numbers_that_are_no_tokens_are_refused() {
        let tokenizer = Tokenizer::train_byte_pair(TEXT, 260).unwrap();
        let error = tokenizer.decode(&[1, 260]).unwrap_err();
        assert!(matches!(error, TokenizerError::NoSuchToken { position: 1, token: 260, len: 260 }));
        assert_eq!(tokenizer.token_bytes(u32::MAX), None);
        assert_eq!(tokenizer.decode(&[]).unwrap(), b"");
    }

    #[test]
    fn a_tokenizer_comes_back_from_its_serde_form() {
        for tokenizer in [
            Tokenizer::train_byte_pair(TEXT, 270).unwrap(),
            Tokenizer::train_words(TEXT, 7).unwrap(),
            Tokenizer::train_listed_words(TEXT, WordRules::default()).unwrap(),
        ] {
            let json = serde_json::to_string(&tokenizer).unwrap();
            let back: Tokenizer = serde_json::from_str(&json).unwrap();
            assert_eq!(back, tokenizer);
            assert_eq!(back.identity(), tokenizer.identity());
            assert_eq!(back.encode(TEXT), tokenizer.encode(TEXT));
            let tree = rekindle::to_tree(&tokenizer).unwrap();
            assert_eq!(rekindle::from_tree::<Tokenizer>(&tree).unwrap(), tokenizer);
        }
    }

    #[test]
    fn the_identity_is_that_of_the_vocabulary() {
        let one = Tokenizer::train_words(b"a b", 3).unwrap();
        let form = concat!(
            r#"{"vocabulary":{"bytes":[60,117,110,107,62,97,98],"ends":[5,6,7]},"model_tokens":3,"#,
            r#""model":{"words":{"separation":"marks","unknown":0}},"added":{"verbatim":[],"normalized":[]}}"#
        );
        assert_eq!(serde_json::to_string(&one).unwrap(), form);
        let digest: String = Sha256::digest(form).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(one.identity(), digest);
        assert_ne!(Tokenizer::train_words(b"a c", 3).unwrap().identity(), digest);
    }

    /// The form of a small tokenizer with one member changed, read again.
    fn damaged(tokenizer: &Tokenizer, pointer: &str, value: Value) -> String {
        let mut form = serde_json::to_value(tokenizer).unwrap();
        *form.pointer_mut(pointer).unwrap() = value;
        serde_json::from_value::<Tokenizer>(form).unwrap_err().to_string()
    }

    #[test]
    fn damaged_forms_are_refused() {
        let pairs = Tokenizer::train_byte_pair(b"abab", 257).unwrap();
        let words = Tokenizer::train_words(b"a b", 3).unwrap();
        let rules = WordRules { unknown: Some(0), whole: vec!["b!".to_owned()], ..WordRules::default() };
        let listed = Tokenizer::from_words(&["a", "b!"], rules).unwrap();
        let ends = |tokenizer: &Tokenizer, changed: u32| -> Value {
            let len = tokenizer.len() as u32;
            (1..=len).map(|end| if end == 9 { changed } else { end }).chain([258]).collect()
        };
        for (tokenizer, pointer, value, expected) in [
            (&pairs, "/vocabulary/bytes", json!([1, 2]), "have 258 bytes, but 2 are there"),
            (&pairs, "/vocabulary/bytes/97", json!(98), "token 97 is not byte 97"),
            (&pairs, "/vocabulary/ends", ends(&pairs, 7), "token 8 ends at byte 7, but begins at byte 8"),
            (&pairs, "/vocabulary/ends", ends(&pairs, u32::MAX), "token 9 ends at byte 10"),
            (&pairs, "/vocabulary/ends", json!(vec![0; (1 << 20) + 1]), "at most 1048576"),
            (&pairs, "/model_tokens", json!(258), "has 258 tokens, but the vocabulary 257"),
            (&pairs, "/model_tokens", json!(256), "token 256 is not among the 256"),
            (&pairs, "/model/byte_pair/byte_tokens", json!([0]), "1 tokens of single bytes"),
            (&pairs, "/model/byte_pair/byte_tokens/0", json!(1), "token 1 is not byte 0"),
            (&pairs, "/model/byte_pair/byte_tokens/0", json!(1000), "token 1000 is not among"),
            (&pairs, "/model/byte_pair/merges", json!([97, 98]), "three numbers each"),
            (&pairs, "/model/byte_pair/merges", json!([97, 97, 256]), "token 256 is not 97 and 97"),
            (&pairs, "/model/byte_pair/merges", json!([97, 98, 999]), "token 999 is not among"),
            (&pairs, "/model/byte_pair/merges", json!([97, 98, 256, 97, 98, 256]), "merged twice"),
            (&pairs, "/model/byte_pair/unknown", json!(257), "token 257 is not among"),
            (&pairs, "/added/verbatim", json!([257]), "no token has the number 257"),
            (&pairs, "/added/verbatim", json!([200]), "not UTF-8"),
            (&pairs, "/added/verbatim", json!([97, 97]), "added twice"),
            (&pairs, "/added/verbatim", json!([32]), "token 32 is an added one, but its text"),
            (&pairs, "/vocabulary/bytes/257", json!(97), "token 256 is not 97 and 98"),
            (&words, "/model/words/unknown", json!(3), "the unknown token 3"),
            (&words, "/model/words/separation", json!("x"), "unknown variant"),
            (&words, "/model_tokens", json!(2), "neither the model's nor an added one"),
            (&words, "/vocabulary/bytes/5", json!(98), "tokens 1 and 2 are the same word"),
            (&words, "/vocabulary/bytes/5", json!(255), "not UTF-8"),
            (&words, "/vocabulary/bytes/5", json!(256), "expected u8"),
            (&words, "/model", json!({ "other": {} }), "unknown variant"),
            (&listed, "/model/listed_words/rules/unknown", json!(2), "the unknown token 2"),
            (&listed, "/model/listed_words/rules/whole", json!(["c"]), "\"c\" is to stay whole, but"),
            (&listed, "/model/listed_words/rules/lower_case", json!(1), "invalid type"),
            (&listed, "/vocabulary/ends", json!([1, 1, 3]), "\"b!\" is to stay whole, but is not"),
            (&listed, "/added/normalized", json!([0]), "changed text"),
        ] {
            let error = damaged(tokenizer, pointer, value);
            assert!(error.contains(expected), "{pointer}: {error}");
        }
    }
}
