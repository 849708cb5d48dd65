//! What can go wrong, told by what the caller asked for.

/// A tokenizer cannot be made, or tokens are not of its vocabulary.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenizerError {
    /// There is nothing to learn a vocabulary from.
    #[error("the text to learn a vocabulary from {}", if *is_blank { "holds no word" } else { "is empty" })]
    EmptyText {
        /// It has bytes, but they are white space or not UTF-8.
        is_blank: bool,
    },
    /// The text to learn a vocabulary from is longer than can be counted.
    #[error("the text to learn a vocabulary from has {len} bytes, at most {limit} are read")]
    TextTooLong {
        /// Its length: bytes.
        len: usize,
        /// The longest that is read: bytes.
        limit: usize,
    },
    /// The vocabulary has no room for the tokens that every vocabulary of its kind holds.
    #[error("a vocabulary of {kind} has at least {least} tokens, {asked} were asked for")]
    VocabularyTooSmall {
        /// `byte pairs`, `words` or `words and bytes`.
        kind: &'static str,
        /// The size that was asked for: tokens.
        asked: usize,
        /// The smallest size: tokens.
        least: usize,
    },
    /// The vocabulary is larger than any is.
    #[error("a vocabulary has at most {most} tokens, {asked} were asked for")]
    VocabularyTooLarge {
        /// The size that was asked for: tokens.
        asked: usize,
        /// The largest size: tokens.
        most: usize,
    },
    /// A number that is not a token of the vocabulary.
    #[error(
        "{token}, at position {position}, is not a token of this vocabulary, which has the numbers below {len}"
    )]
    NoSuchToken {
        /// Where it stands among the tokens, counted from 0.
        position: usize,
        /// The number.
        token: u32,
        /// One more than the largest token.
        len: usize,
    },
    /// A `tokenizer.json` that is larger than any is.
    #[error("the tokenizer.json has {len} bytes, at most {limit} are read")]
    FileTooLarge {
        /// Its length: bytes.
        len: usize,
        /// The longest that is read: bytes.
        limit: usize,
    },
    /// A `tokenizer.json` that is not JSON, or whose members have other types.
    #[error("the tokenizer.json cannot be read: {0}")]
    NotJson(#[from] serde_json::Error),
    /// A `tokenizer.json` that contradicts itself.
    #[error("the tokenizer.json is wrong at `{location}`: {reason}")]
    Malformed {
        /// The member, such as `model.merges[12]`.
        location: String,
        /// What is wrong.
        reason: String,
    },
    /// A `tokenizer.json` with a setting that is not followed here and that would change the tokens.
    #[error("the tokenizer.json has {found} for `{location}`, which is not supported: {supported}")]
    Unsupported {
        /// The member, such as `pre_tokenizer.type`.
        location: String,
        /// What it says.
        found: String,
        /// What it may say.
        supported: &'static str,
    },
    /// Words of another program that are not a vocabulary.
    #[error("the listed words are not a vocabulary: {reason}")]
    Words {
        /// Why not.
        reason: String,
    },
    /// A tokenizer for which there is no `tokenizer.json`.
    #[error("no tokenizer.json gives the tokens of this tokenizer: {reason}")]
    NotHuggingFace {
        /// Why not.
        reason: &'static str,
    },
    /// A text that cannot be a special token.
    #[error("{token:?} cannot be a special token: {reason}")]
    SpecialToken {
        /// The text.
        token: String,
        /// Why not.
        reason: String,
    },
    /// A policy that cannot be followed.
    #[error("the vocabulary's `{member}` is {found}, but {allowed}")]
    Policy {
        /// The member of the policy.
        member: &'static str,
        /// What it is.
        found: String,
        /// What it may be.
        allowed: String,
    },
    /// A tokenizer whose vocabulary cannot change.
    #[error("the vocabulary of this tokenizer cannot change: {reason}")]
    NotAdaptive {
        /// Why not.
        reason: &'static str,
    },
    /// A change of a vocabulary that is frozen.
    #[error("the vocabulary is frozen, and does not change")]
    Frozen,
    /// A change that was proposed for another vocabulary.
    #[error(
        "the change was made for another vocabulary than this one: for its generation {made_for}, while \
         it is in generation {generation}; propose it again"
    )]
    OtherVocabulary {
        /// The generation that the change was made for.
        made_for: u64,
        /// That of the vocabulary.
        generation: u64,
    },
    /// A change that would pass the limit of the policy.
    #[error(
        "the change would make {len} tokens, but the vocabulary has a limit of {limit}; propose it again"
    )]
    PastLimit {
        /// Tokens behind the change.
        len: usize,
        /// The most there may be: tokens.
        limit: usize,
    },
    /// A saved tokenizer that contradicts itself.
    #[error("the saved tokenizer is damaged: {reason}")]
    Damaged {
        /// What is wrong.
        reason: String,
    },
}
