//! A `tokenizer.json` into a tokenizer.

use std::collections::{HashMap, HashSet};

use super::file::{AddedToken, File, Merge, Model as ModelMember, Stage};
use super::post_processor;
use super::{ASCII_MARK, ASCII_SPACES};
use crate::added::AddedTokens;
use crate::byte_level;
use crate::byte_pair::{BytePair, NO_TOKEN};
use crate::error::TokenizerError;
use crate::listed_words::{ListedWords, WordRules};
use crate::tokenizer::{Form, Model, Tokenizer};
use crate::vocabulary::{VOCABULARY_LIMIT, Vocabulary};
use crate::word_piece::{PREFIX_LIMIT, WORD_LIMIT, WordPiece};
use crate::words::{Separation, Words};

/// No file is longer: bytes. Those of the largest vocabularies have half of it.
pub(super) const FILE_LIMIT: usize = 64 << 20;
/// An error quotes no more characters of the file.
const QUOTED: usize = 60;

/// Reads a file.
///
/// # Errors
/// See [`Tokenizer::from_hugging_face`].
pub(crate) fn read(json: &[u8]) -> Result<Tokenizer, TokenizerError> {
    if json.len() > FILE_LIMIT {
        return Err(TokenizerError::FileTooLarge { len: json.len(), limit: FILE_LIMIT });
    }
    let file: File = serde_json::from_slice(json)?;
    let frame = post_processor::frame(file.post_processor.as_ref())?;
    match frame.is_empty() {
        true => tokenizer(&file),
        false => tokenizer(&file)?.with_frame(frame),
    }
}

/// The tokenizer, less what it puts around a text.
pub(super) fn tokenizer(file: &File) -> Result<Tokenizer, TokenizerError> {
    if file.truncation.is_some() {
        return Err(unsupported("truncation", "a setting", "only null is, as every text is encoded whole"));
    }
    if file.padding.is_some() {
        return Err(unsupported("padding", "a setting", "only null is, as no text is padded"));
    }
    let normalizer = file.normalizer.as_ref().and_then(|stage| effective(stage, "normalizer"));
    let pre_tokenizer = file.pre_tokenizer.as_ref().and_then(|stage| effective(stage, "pre_tokenizer"));
    let listed = file.added_tokens.as_ref().map_or(&[][..], |tokens| &tokens.0);
    let is_of = |kind| file.model.kind.as_deref() == Some(kind);
    if let Some(rules) = pre_tokenizer.as_ref().and_then(word_rules).filter(|_| is_of("WordLevel")) {
        return listed_words(&file.model, normalizer, rules, listed);
    }
    if let Some(normalizer) = normalizer.as_ref().filter(|_| !is_of("WordPiece")) {
        return Err(unsupported_type(normalizer, "only null is, as text is encoded as it stands"));
    }
    match file.model.kind.as_deref() {
        Some("BPE") => byte_pair(&file.model, pre_tokenizer, listed),
        Some("WordLevel") => words(&file.model, pre_tokenizer, listed),
        Some("WordPiece") => word_piece(&file.model, normalizer, pre_tokenizer, listed),
        Some(other) => Err(unsupported("model.type", &quote(other), "BPE, WordLevel and WordPiece are")),
        None => Err(malformed("model", "it has no `type`")),
    }
}

/// A stage that does something, and where it stands.
struct Located<'a> {
    stage: &'a Stage,
    location: String,
}

/// What is left when a sequence of one is taken for the one, and an empty sequence for nothing.
fn effective<'a>(stage: &'a Stage, location: &str) -> Option<Located<'a>> {
    let here = || Some(Located { stage, location: location.to_owned() });
    let list = stage.pretokenizers.as_deref().map(|list| ("pretokenizers", list));
    let list = list.or(stage.normalizers.as_deref().map(|list| ("normalizers", list)));
    match list {
        Some((name, list)) if stage.kind == "Sequence" => match list {
            [] => None,
            [only] => effective(only, &format!("{location}.{name}[0]")),
            _ => here(),
        },
        _ => here(),
    }
}

fn byte_pair(
    model: &ModelMember,
    pre_tokenizer: Option<Located<'_>>,
    listed: &[AddedToken],
) -> Result<Tokenizer, TokenizerError> {
    const ONLY: &str = "with the model BPE only ByteLevel is";
    let Some(pre_tokenizer) = pre_tokenizer else {
        return Err(unsupported("pre_tokenizer", "null", ONLY));
    };
    let Located { stage, location } = &pre_tokenizer;
    if stage.kind != "ByteLevel" {
        return Err(unsupported_type(&pre_tokenizer, ONLY));
    }
    let adds_prefix_space =
        stage.add_prefix_space.ok_or_else(|| malformed(location, "it has no `add_prefix_space`"))?;
    check_byte_pair_settings(model)?;
    let names = Names::new(model)?;
    let (added, behind) = names.added(listed)?;
    let vocabulary = names.byte_level_vocabulary(listed, &behind)?;
    let byte_tokens: Vec<u32> =
        (0..=u8::MAX).map(|byte| names.token(&byte_level::encode(&[byte])).unwrap_or(NO_TOKEN)).collect();
    let unknown = match &model.unk_token {
        Some(name) if byte_tokens.contains(&NO_TOKEN) => Some(names.unknown(name)?),
        _ => None,
    };
    let merges = model.merges.as_ref().ok_or_else(|| malformed("model", "it has no `merges`"))?;
    let mut model = BytePair::new(byte_tokens, names.merges(&merges.0, &vocabulary)?);
    model.unknown = unknown;
    model.fuses_unknown = unknown.is_some() && names.model.fuse_unk == Some(true);
    model.adds_prefix_space = adds_prefix_space;
    model.cuts_pieces = stage.use_regex.unwrap_or(true);
    model.keeps_whole = names.model.ignore_merges == Some(true);
    Form::of_model(vocabulary, names.len(), Model::BytePair(model), added).try_into()
}

fn check_byte_pair_settings(model: &ModelMember) -> Result<(), TokenizerError> {
    if let Some(dropout) = model.dropout.filter(|&dropout| dropout != 0.0) {
        let only = "only null is, as a text always has the same tokens";
        return Err(unsupported("model.dropout", &dropout.to_string(), only));
    }
    for (location, value) in [
        ("model.continuing_subword_prefix", &model.continuing_subword_prefix),
        ("model.end_of_word_suffix", &model.end_of_word_suffix),
    ] {
        if let Some(text) = value.as_deref().filter(|text| !text.is_empty()) {
            return Err(unsupported(location, &quote(text), "only null is"));
        }
    }
    match model.byte_fallback {
        Some(true) => Err(unsupported("model.byte_fallback", "true", "only false is")),
        _ => Ok(()),
    }
}

fn words(
    model: &ModelMember,
    pre_tokenizer: Option<Located<'_>>,
    listed: &[AddedToken],
) -> Result<Tokenizer, TokenizerError> {
    let separation = separation(pre_tokenizer)?;
    let names = Names::new(model)?;
    let (added, behind) = names.added(listed)?;
    let vocabulary = names.vocabulary(&behind);
    let unknown = names.needed_unknown()?;
    let model = Model::Words(Words::new(separation, unknown));
    Form::of_model(vocabulary, names.len(), model, added).try_into()
}

fn listed_words(
    model: &ModelMember,
    normalizer: Option<Located<'_>>,
    mut rules: WordRules,
    listed: &[AddedToken],
) -> Result<Tokenizer, TokenizerError> {
    if let Some(normalizer) = normalizer {
        if !is_lower_case(normalizer.stage) {
            let only = "only null is, and the small letters for `A` to `Z`";
            return Err(unsupported_type(&normalizer, only));
        }
        rules.lower_case = true;
    }
    if let Some(position) = listed.iter().position(|token| token.normalized) {
        let location = format!("added_tokens[{position}].normalized");
        return Err(unsupported(&location, "true", "only false is with such a pre-tokenizer"));
    }
    let names = Names::new(model)?;
    let (added, behind) = names.added(listed)?;
    rules.unknown = Some(names.needed_unknown()?);
    let (vocabulary, model_tokens) = (names.vocabulary(&behind), names.len());
    let model = Model::ListedWords(ListedWords::new(rules));
    Form::of_model(vocabulary, model_tokens, model, added).try_into()
}

/// How words are found by a pre-tokenizer that cuts at white space, and then at ASCII punctuation.
fn word_rules(pre_tokenizer: &Located<'_>) -> Option<WordRules> {
    let [spaces, marks] = pre_tokenizer.stage.pretokenizers.as_deref()? else { return None };
    let is_split = |stage: &Stage, pattern: &str, behavior: &str| {
        let found = stage.pattern.as_ref().filter(|found| found.string.is_none());
        stage.kind == "Split"
            && found.and_then(|found| found.regex.as_deref()) == Some(pattern)
            && stage.behavior.as_deref() == Some(behavior)
            && stage.invert == Some(false)
    };
    let unicode_space = spaces.kind == "WhitespaceSplit";
    let cuts = unicode_space || is_split(spaces, ASCII_SPACES, "Removed");
    let is_known = pre_tokenizer.stage.kind == "Sequence" && cuts && is_split(marks, ASCII_MARK, "Isolated");
    is_known.then(|| WordRules { unicode_space, ..WordRules::default() })
}

/// Whether a normalizer is a sequence that replaces each of `A` to `Z` by its small letter.
fn is_lower_case(stage: &Stage) -> bool {
    let replaces = |stage: &Stage, letter: char| {
        let found = stage.pattern.as_ref().filter(|found| found.regex.is_none());
        stage.kind == "Replace"
            && found.and_then(|found| found.string.as_deref()) == Some(letter.to_string().as_str())
            && stage.content.as_deref() == Some(letter.to_ascii_lowercase().to_string().as_str())
    };
    let stages = stage.normalizers.as_deref().unwrap_or_default();
    let letters = 'A'..='Z';
    stage.kind == "Sequence"
        && stages.len() == letters.clone().count()
        && stages.iter().zip(letters).all(|(stage, letter)| replaces(stage, letter))
}

fn word_piece(
    model: &ModelMember,
    normalizer: Option<Located<'_>>,
    pre_tokenizer: Option<Located<'_>>,
    listed: &[AddedToken],
) -> Result<Tokenizer, TokenizerError> {
    let separation = separation(pre_tokenizer)?;
    let names = Names::new(model)?;
    let (added, behind) = names.added(listed)?;
    let mut word_piece = WordPiece::new(separation, names.needed_unknown()?);
    if let Some(normalizer) = normalizer {
        if let Some(position) = listed.iter().position(|token| token.normalized) {
            let location = format!("added_tokens[{position}].normalized");
            return Err(unsupported(&location, "true", "only false is with a normalizer"));
        }
        (word_piece.cleans, word_piece.parts_ideographs) = bert_normalizer(&normalizer)?;
    }
    if let Some(prefix) = &model.continuing_subword_prefix {
        if prefix.len() > PREFIX_LIMIT {
            let location = "model.continuing_subword_prefix";
            return Err(unsupported(location, &quote(prefix), "at most 16 bytes are"));
        }
        word_piece.prefix.clone_from(prefix);
    }
    if let Some(longest) = model.max_input_chars_per_word {
        let longest = u32::try_from(longest).ok().filter(|&longest| longest <= WORD_LIMIT);
        word_piece.longest_word = longest.ok_or_else(|| {
            unsupported("model.max_input_chars_per_word", "a larger number", "at most 200 is")
        })?;
    }
    let (vocabulary, model_tokens) = (names.vocabulary(&behind), names.len());
    Form::of_model(vocabulary, model_tokens, Model::WordPiece(word_piece), added).try_into()
}

/// Whether control characters are left out, and whether Chinese characters stand alone.
fn bert_normalizer(normalizer: &Located<'_>) -> Result<(bool, bool), TokenizerError> {
    let Located { stage, location } = normalizer;
    if stage.kind != "BertNormalizer" {
        return Err(unsupported_type(
            normalizer,
            "with the model WordPiece only null and BertNormalizer are",
        ));
    }
    let needed = |name: &str, value: Option<bool>| {
        value.ok_or_else(|| malformed(location, &format!("it has no `{name}`")))
    };
    if needed("lowercase", stage.lowercase)? {
        return Err(unsupported(&format!("{location}.lowercase"), "true", "only false is"));
    }
    if stage.strip_accents == Some(true) {
        return Err(unsupported(&format!("{location}.strip_accents"), "true", "only false and null are"));
    }
    let cleans = needed("clean_text", stage.clean_text)?;
    Ok((cleans, needed("handle_chinese_chars", stage.handle_chinese_chars)?))
}

fn separation(pre_tokenizer: Option<Located<'_>>) -> Result<Separation, TokenizerError> {
    const ONLY: &str = "with a model of words Whitespace, WhitespaceSplit and BertPreTokenizer are";
    let Some(pre_tokenizer) = pre_tokenizer else {
        return Err(unsupported("pre_tokenizer", "null", ONLY));
    };
    match pre_tokenizer.stage.kind.as_str() {
        "WhitespaceSplit" => Ok(Separation::Spaces),
        "Whitespace" => Ok(Separation::Runs),
        "BertPreTokenizer" => Ok(Separation::Marks),
        _ => Err(unsupported_type(&pre_tokenizer, ONLY)),
    }
}

/// The tokens of the model by number and by name.
struct Names<'a> {
    model: &'a ModelMember,
    /// Empty where a number is left out.
    by_token: Vec<&'a str>,
    by_name: HashMap<&'a str, u32>,
}

impl<'a> Names<'a> {
    fn new(model: &'a ModelMember) -> Result<Self, TokenizerError> {
        let listed = &model.vocab.0;
        let len = listed.iter().map(|&(_, token)| (token as usize).saturating_add(1)).max();
        let len = len.ok_or_else(|| malformed("model.vocab", "it has no token"))?;
        let mut by_token = vec![""; len.min(VOCABULARY_LIMIT)];
        let mut by_name = HashMap::with_capacity(listed.len());
        for (name, token) in listed {
            let location = || format!("model.vocab[{}]", quote(name));
            let Some(slot) = by_token.get_mut(*token as usize) else {
                let reason =
                    format!("its number is {token}, but only those below {VOCABULARY_LIMIT} are read");
                return Err(malformed(&location(), &reason));
            };
            if name.is_empty() {
                return Err(malformed(&location(), "the token is empty"));
            }
            if !slot.is_empty() {
                return Err(malformed(&location(), &format!("token {token} is also {}", quote(slot))));
            }
            if by_name.insert(name.as_str(), *token).is_some() {
                return Err(malformed(&location(), "the token is listed twice"));
            }
            *slot = name;
        }
        Ok(Self { model, by_token, by_name })
    }

    fn len(&self) -> u32 {
        self.by_token.len() as u32
    }

    fn token(&self, name: &str) -> Option<u32> {
        self.by_name.get(name).copied()
    }

    fn unknown(&self, name: &str) -> Result<u32, TokenizerError> {
        let missing = || malformed("model.unk_token", &format!("{} is not in `model.vocab`", quote(name)));
        self.token(name).ok_or_else(missing)
    }

    fn needed_unknown(&self) -> Result<u32, TokenizerError> {
        let name =
            self.model.unk_token.as_ref().ok_or_else(|| malformed("model", "it has no `unk_token`"))?;
        self.unknown(name)
    }

    /// All tokens as they stand, those behind the model's too.
    fn vocabulary(&self, behind: &[&str]) -> Vocabulary {
        let mut vocabulary = Vocabulary::default();
        for name in self.by_token.iter().chain(behind) {
            vocabulary.push(name.as_bytes());
        }
        vocabulary
    }

    /// The added tokens, and the names of those that are not the model's. The library numbers these
    /// from the count of the model's on, whatever the file says.
    fn added(&self, listed: &'a [AddedToken]) -> Result<(AddedTokens, Vec<&'a str>), TokenizerError> {
        let (mut verbatim, mut normalized, mut ordinary) = (Vec::new(), Vec::new(), Vec::new());
        let mut behind = Vec::new();
        let mut seen = HashSet::new();
        for (position, token) in listed.iter().enumerate() {
            let location = |member: &str| format!("added_tokens[{position}].{member}");
            for (member, value) in
                [("single_word", token.single_word), ("lstrip", token.lstrip), ("rstrip", token.rstrip)]
            {
                if value {
                    return Err(unsupported(&location(member), "true", "only false is"));
                }
            }
            if token.content.is_empty() || !seen.insert(&token.content) {
                return Err(malformed(&location("content"), "it is empty, or listed twice"));
            }
            let expected = self.token(&token.content).unwrap_or_else(|| {
                behind.push(token.content.as_str());
                (self.by_name.len() + behind.len() - 1) as u32
            });
            if token.id != expected {
                let reason = format!("it is {}, but the library takes {expected} for this token", token.id);
                return Err(malformed(&location("id"), &reason));
            }
            let list = match (token.normalized, token.special) {
                (true, _) => &mut normalized,
                (false, Some(false)) => &mut ordinary,
                (false, _) => &mut verbatim,
            };
            list.push(token.id);
        }
        if !behind.is_empty() && self.by_name.len() < self.by_token.len() {
            let reason = "numbers are left out, so that added tokens would have those of others";
            return Err(malformed("model.vocab", reason));
        }
        if self.by_token.len() + behind.len() > VOCABULARY_LIMIT {
            return Err(malformed("added_tokens", &format!("more than {VOCABULARY_LIMIT} tokens in all")));
        }
        Ok((AddedTokens::new(verbatim, normalized, ordinary), behind))
    }

    /// The bytes of all tokens: those of added ones as they stand, those of others by the alphabet of
    /// bytes.
    fn byte_level_vocabulary(
        &self,
        listed: &[AddedToken],
        behind: &[&str],
    ) -> Result<Vocabulary, TokenizerError> {
        let added: HashSet<&str> = listed.iter().map(|token| token.content.as_str()).collect();
        let mut vocabulary = Vocabulary::default();
        for name in &self.by_token {
            let location = || format!("model.vocab[{}]", quote(name));
            let decoded = byte_level::decode(name);
            match (added.contains(name), decoded) {
                (false, Some(bytes)) => vocabulary.push(&bytes),
                (false, None) => {
                    return Err(malformed(&location(), "it has characters that stand for no byte"));
                }
                (true, Some(bytes)) if bytes != name.as_bytes() => {
                    return Err(malformed(&location(), "it stands for other bytes than the added token has"));
                }
                (true, _) => vocabulary.push(name.as_bytes()),
            };
        }
        for name in behind {
            vocabulary.push(name.as_bytes());
        }
        Ok(vocabulary)
    }

    /// Three numbers for each merge.
    fn merges(&self, listed: &[Merge], vocabulary: &Vocabulary) -> Result<Vec<u32>, TokenizerError> {
        let mut merges = Vec::with_capacity(listed.len() * 3);
        let mut seen = HashSet::with_capacity(listed.len());
        for (position, merge) in listed.iter().enumerate() {
            let wrong = |reason: &str| malformed(&format!("model.merges[{position}]"), reason);
            let (left, right) = match merge {
                Merge::Pair(left, right) => (left.as_str(), right.as_str()),
                // The library takes it for the heading of a file of merges.
                Merge::Line(line) if line.starts_with("#version") => continue,
                Merge::Line(line) => match line.split_once(' ') {
                    Some((left, right)) if !right.contains(' ') => (left, right),
                    _ => return Err(wrong("it is not two tokens with a space between them")),
                },
            };
            let token = |name: &str| {
                self.token(name).ok_or_else(|| wrong(&format!("{} is not in `model.vocab`", quote(name))))
            };
            let joined = [left, right].concat();
            let numbers = [token(left)?, token(right)?, token(&joined)?];
            let [left, right, joined] = numbers.map(|number| vocabulary.get(number).unwrap_or_default());
            if joined.strip_prefix(left) != Some(right) {
                return Err(wrong("the bytes of both tokens are not those of both together"));
            }
            if !seen.insert([numbers[0], numbers[1]]) {
                return Err(wrong("the two tokens are merged twice"));
            }
            merges.extend(numbers);
        }
        Ok(merges)
    }
}

pub(super) fn malformed(location: &str, reason: &str) -> TokenizerError {
    TokenizerError::Malformed { location: location.to_owned(), reason: reason.to_owned() }
}

pub(super) fn unsupported(location: &str, found: &str, supported: &'static str) -> TokenizerError {
    TokenizerError::Unsupported { location: location.to_owned(), found: found.to_owned(), supported }
}

fn unsupported_type(located: &Located<'_>, supported: &'static str) -> TokenizerError {
    unsupported(&format!("{}.type", located.location), &quote(&located.stage.kind), supported)
}

/// A name as an error shows it: one line, and not long.
pub(super) fn quote(name: &str) -> String {
    let mut shown: String = name.chars().take(QUOTED).collect();
    if shown.len() < name.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn file(model: Value, pre_tokenizer: Value) -> Value {
        json!({ "version": "1.0", "added_tokens": [], "pre_tokenizer": pre_tokenizer, "model": model })
    }

    /// Ids in no order, merges in both forms, bytes without tokens.
    fn pairs() -> Value {
        let vocab = json!({ "ab": 3, "a": 1, "b": 0, "Ġ": 2, "Ġab": 4, "<unk>": 5 });
        let model =
            json!({ "type": "BPE", "unk_token": "<unk>", "vocab": vocab, "merges": ["a b", ["Ġ", "ab"]] });
        file(model, json!({ "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true }))
    }

    fn words() -> Value {
        let model = json!({ "type": "WordLevel", "unk_token": "?", "vocab": { "a": 7, "?": 3, "don": 1 } });
        file(model, json!({ "type": "Whitespace" }))
    }

    fn word_pieces() -> Value {
        let model = json!({
            "type": "WordPiece", "unk_token": "?", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": { "?": 0, "un": 1, "##do": 2, "##ing": 3 },
        });
        let mut value = file(model, json!({ "type": "BertPreTokenizer" }));
        value["normalizer"] = json!({
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": null, "lowercase": false,
        });
        value
    }

    fn read_value(value: &Value) -> Result<Tokenizer, TokenizerError> {
        read(value.to_string().as_bytes())
    }

    #[test]
    fn byte_pairs() {
        let tokenizer = read_value(&pairs()).unwrap();
        assert_eq!(tokenizer.encode(b"ab abb cab"), [3, 4, 0, 2, 5, 3]);
        assert_eq!(tokenizer.decode(&[4, 0]).unwrap(), b" abb");
        let mut settings = pairs();
        settings["pre_tokenizer"]["add_prefix_space"] = json!(true);
        settings["pre_tokenizer"] =
            json!({ "type": "Sequence", "pretokenizers": [settings["pre_tokenizer"]] });
        settings["model"]["unk_token"] = Value::Null;
        settings["normalizer"] = json!({ "type": "Sequence", "normalizers": [] });
        let tokenizer = read_value(&settings).unwrap();
        assert_eq!(tokenizer.encode(b"ab acb"), [4, 4]);
        assert_eq!(read_value(&tokenizer.to_hugging_face().unwrap()).unwrap(), tokenizer);
    }

    #[test]
    fn a_piece_that_is_a_token_whatever_the_merges() {
        let mut value = pairs();
        value["model"]["vocab"]["abab"] = json!(6);
        value["added_tokens"] = json!([{ "id": 7, "content": "abb" }]);
        assert_eq!(read_value(&value).unwrap().encode(b"abab ab"), [3, 3, 4]);
        value["model"]["ignore_merges"] = json!(true);
        let tokenizer = read_value(&value).unwrap();
        assert_eq!(tokenizer.encode(b"abab abab abb"), [6, 4, 3, 2, 7]);
        assert_eq!(tokenizer.encode_ordinary(b"abb"), [3, 0]);
        assert_eq!(read_value(&tokenizer.to_hugging_face().unwrap()).unwrap(), tokenizer);
        // What was saved before there was such a setting has none.
        let form = |tokenizer: &Tokenizer| serde_json::to_string(tokenizer).unwrap();
        assert!(form(&tokenizer).contains("keeps_whole"));
        assert!(!form(&read_value(&pairs()).unwrap()).contains("keeps_whole"));
    }

    #[test]
    fn words_with_numbers_left_out() {
        let tokenizer = read_value(&words()).unwrap();
        assert_eq!(tokenizer.encode("don't a".as_bytes()), [1, 3, 3, 7]);
        assert_eq!(tokenizer.len(), 8);
        assert_eq!(tokenizer.token_bytes(0), None);
        assert!(tokenizer.decode(&[2]).is_err());
        assert_eq!(read_value(&tokenizer.to_hugging_face().unwrap()).unwrap(), tokenizer);
    }

    #[test]
    fn pieces_of_words() {
        let tokenizer = read_value(&word_pieces()).unwrap();
        assert_eq!(tokenizer.encode(b"undoing it un\0do"), [1, 2, 3, 0, 1, 2]);
        assert_eq!(tokenizer.decode(&[1, 2, 3, 0, 1, 2]).unwrap(), b"undoing ? undo");
        assert_eq!(read_value(&tokenizer.to_hugging_face().unwrap()).unwrap(), tokenizer);
        let mut plain = word_pieces();
        plain["normalizer"] = Value::Null;
        let tokenizer = read_value(&plain).unwrap();
        assert_eq!(tokenizer.encode(b"un\0do"), [0]);
        assert_eq!(read_value(&tokenizer.to_hugging_face().unwrap()).unwrap(), tokenizer);
    }

    fn listed_words() -> Value {
        let listed = Tokenizer::from_words(
            &["?", "un", "<", "a"],
            WordRules { lower_case: true, unknown: Some(0), ..WordRules::default() },
        );
        listed.unwrap().with_special_tokens(&["<|a|>"]).unwrap().to_hugging_face().unwrap()
    }

    #[test]
    fn listed_words_by_their_rules() {
        let mut value = listed_words();
        let tokenizer = read_value(&value).unwrap();
        assert_eq!(tokenizer.encode("UN<|a|>\u{b}<A|\u{a0}un".as_bytes()), [1, 4, 2, 3, 0, 0]);
        assert_eq!(tokenizer.to_hugging_face().unwrap(), value);
        value["normalizer"] = Value::Null;
        value["pre_tokenizer"]["pretokenizers"][0] = json!({ "type": "WhitespaceSplit" });
        let tokenizer = read_value(&value).unwrap();
        assert_eq!(tokenizer.encode("UN<|a|>\u{b}<A|\u{a0}un".as_bytes()), [0, 4, 2, 0, 0, 1]);
        assert_eq!(tokenizer.to_hugging_face().unwrap(), value);
    }

    #[test]
    fn added_tokens_in_the_vocabulary_and_behind_it() {
        let mut value = pairs();
        value["added_tokens"] = json!([
            { "id": 5, "content": "<unk>", "special": true },
            { "id": 6, "content": "▁é ", "normalized": true },
            { "id": 7, "content": "é" },
        ]);
        let tokenizer = read_value(&value).unwrap();
        assert_eq!(tokenizer.encode("ab<unk>▁é ab".as_bytes()), [3, 5, 5, 5, 5, 7, 4]);
        assert_eq!(tokenizer.token_bytes(6), Some("▁é ".as_bytes()));
        assert_eq!(read_value(&tokenizer.to_hugging_face().unwrap()).unwrap(), tokenizer);
    }

    #[test]
    fn what_would_change_the_tokens_is_refused() {
        for (base, pointer, value, expected) in [
            (pairs(), "/truncation", json!({ "max_length": 5 }), "`truncation`"),
            (pairs(), "/padding", json!({ "strategy": "BatchLongest" }), "`padding`"),
            (pairs(), "/normalizer", json!({ "type": "NFC" }), "\"NFC\" for `normalizer.type`"),
            (pairs(), "/pre_tokenizer", Value::Null, "null for `pre_tokenizer`"),
            (pairs(), "/pre_tokenizer/type", json!("Metaspace"), "\"Metaspace\" for `pre_tokenizer.type`"),
            (pairs(), "/pre_tokenizer", json!({ "type": "ByteLevel" }), "no `add_prefix_space`"),
            (
                pairs(),
                "/pre_tokenizer",
                json!({ "type": "Sequence", "pretokenizers": [{ "type": "Digits" }, { "type": "ByteLevel" }] }),
                "\"Sequence\" for `pre_tokenizer.type`",
            ),
            (
                pairs(),
                "/pre_tokenizer",
                json!({ "type": "Sequence", "pretokenizers": [{ "type": "Digits" }] }),
                "\"Digits\" for `pre_tokenizer.pretokenizers[0].type`",
            ),
            (
                pairs(),
                "/model",
                json!({ "type": "Unigram", "vocab": [["a", 0.5]] }),
                "\"Unigram\" for `model.type`",
            ),
            (pairs(), "/model/type", Value::Null, "no `type`"),
            (pairs(), "/model/dropout", json!(0.1), "0.1 for `model.dropout`"),
            (pairs(), "/model/byte_fallback", json!(true), "`model.byte_fallback`"),
            (pairs(), "/model/end_of_word_suffix", json!("</w>"), "\"</w>\" for `model.end_of_word_suffix`"),
            (pairs(), "/model/continuing_subword_prefix", json!("##"), "`model.continuing_subword_prefix`"),
            (
                pairs(),
                "/added_tokens",
                json!([{ "id": 6, "content": "x", "lstrip": true }]),
                "added_tokens[0].lstrip",
            ),
            (word_pieces(), "/normalizer/lowercase", json!(true), "true for `normalizer.lowercase`"),
            (word_pieces(), "/normalizer/strip_accents", json!(true), "true for `normalizer.strip_accents`"),
            (word_pieces(), "/normalizer/clean_text", Value::Null, "no `clean_text`"),
            (word_pieces(), "/normalizer/type", json!("NFD"), "\"NFD\" for `normalizer.type`"),
            (word_pieces(), "/model/max_input_chars_per_word", json!(201), "max_input_chars_per_word"),
            (
                word_pieces(),
                "/added_tokens",
                json!([{ "id": 4, "content": "x", "normalized": true }]),
                "true for `added_tokens[0].normalized`",
            ),
            (words(), "/pre_tokenizer/type", json!("Split"), "\"Split\" for `pre_tokenizer.type`"),
            (words(), "/pre_tokenizer", Value::Null, "null for `pre_tokenizer`"),
            (listed_words(), "/normalizer/normalizers/25/content", json!("Z"), "`normalizer.type`"),
            (
                listed_words(),
                "/normalizer/normalizers/0/pattern",
                json!({ "Regex": "A" }),
                "`normalizer.type`",
            ),
            (listed_words(), "/normalizer/normalizers", json!([{ "type": "Lowercase" }]), "\"Lowercase\""),
            (listed_words(), "/added_tokens/0/normalized", json!(true), "`added_tokens[0].normalized`"),
            (listed_words(), "/pre_tokenizer/pretokenizers/0/invert", json!(true), "\"Sequence\""),
            (listed_words(), "/pre_tokenizer/pretokenizers/1/behavior", json!("Removed"), "\"Sequence\""),
            (listed_words(), "/pre_tokenizer/pretokenizers/1/pattern/Regex", json!("[!]"), "\"Sequence\""),
        ] {
            let error = changed(base, pointer, value);
            assert!(matches!(error, TokenizerError::Unsupported { .. } | TokenizerError::Malformed { .. }));
            assert!(error.to_string().contains(expected), "{pointer}: {error}");
        }
    }

    #[test]
    fn files_that_contradict_themselves_are_refused() {
        for (base, pointer, value, expected) in [
            (pairs(), "/model/vocab", json!({}), "`model.vocab`: it has no token"),
            (pairs(), "/model/vocab/a", json!(3), "`model.vocab[\"ab\"]`: token 3 is also \"a\""),
            (pairs(), "/model/vocab/a", json!(u32::MAX), "`model.vocab[\"a\"]`: its number is 4294967295"),
            (pairs(), "/model/vocab/a", json!(-1), "invalid value: integer `-1`"),
            (pairs(), "/model/vocab/", json!(9), "`model.vocab[\"\"]`: the token is empty"),
            (
                pairs(),
                "/model/vocab/▁",
                json!(9),
                "`model.vocab[\"▁\"]`: it has characters that stand for no byte",
            ),
            (pairs(), "/model/merges", Value::Null, "no `merges`"),
            (pairs(), "/model/merges/0", json!("a"), "`model.merges[0]`: it is not two tokens"),
            (pairs(), "/model/merges/0", json!("a b c"), "`model.merges[0]`: it is not two tokens"),
            (pairs(), "/model/merges/0", json!("a x"), "`model.merges[0]`: \"x\" is not in `model.vocab`"),
            (pairs(), "/model/merges/1", json!("b a"), "`model.merges[1]`: \"ba\" is not in `model.vocab`"),
            (pairs(), "/model/merges/1", json!("a b"), "`model.merges[1]`: the two tokens are merged twice"),
            (pairs(), "/model/merges/1", json!(["a"]), "invalid length 1"),
            (pairs(), "/model/merges/1", json!(["a", "b", "c"]), "invalid length 3"),
            (pairs(), "/model/unk_token", json!("no"), "`model.unk_token`: \"no\" is not in"),
            (pairs(), "/added_tokens", json!([{ "id": 9, "content": "x" }]), "`added_tokens[0].id`: it is 9"),
            (pairs(), "/added_tokens", json!([{ "id": 6, "content": "" }]), "`added_tokens[0].content`"),
            (
                pairs(),
                "/added_tokens",
                json!([{ "id": 6, "content": "x" }, { "id": 6, "content": "x" }]),
                "`added_tokens[1].content`: it is empty, or listed twice",
            ),
            (
                words(),
                "/added_tokens",
                json!([{ "id": 3, "content": "x" }]),
                "`model.vocab`: numbers are left out",
            ),
            (words(), "/model/unk_token", Value::Null, "no `unk_token`"),
        ] {
            let error = changed(base, pointer, value).to_string();
            assert!(error.contains(expected), "{pointer}: {error}");
        }
        let twice = r#"{"pre_tokenizer":{"type":"Whitespace"},
            "model":{"type":"WordLevel","unk_token":"a","vocab":{"a":0,"a":1}}}"#;
        assert!(read(twice.as_bytes()).unwrap_err().to_string().contains("listed twice"));
        assert!(read(b"{").unwrap_err().to_string().contains("line 1"));
        assert!(read(&[b'['; 100_000]).is_err());
        assert!(matches!(read(&vec![b' '; FILE_LIMIT + 1]), Err(TokenizerError::FileTooLarge { .. })));
    }

    fn changed(mut base: Value, pointer: &str, value: Value) -> TokenizerError {
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        match base.pointer_mut(parent).unwrap() {
            Value::Array(list) => list[member.parse::<usize>().unwrap()] = value,
            parent => parent[member] = value,
        }
        read_value(&base).unwrap_err()
    }

    proptest! {
        /// Whatever is read is written such that it is read again.
        #[test]
        fn torn_files_do_no_harm(at in 0_usize..4000, with in any::<u8>(), cut in any::<bool>()) {
            for value in [pairs(), words(), word_pieces(), listed_words()] {
                let mut bytes = value.to_string().into_bytes();
                let at = at % bytes.len();
                bytes[at] = with;
                if cut {
                    bytes.truncate(at);
                }
                if let Ok(tokenizer) = read(&bytes) {
                    prop_assert_eq!(read_value(&tokenizer.to_hugging_face().unwrap()).unwrap(), tokenizer);
                }
            }
        }
    }
}
