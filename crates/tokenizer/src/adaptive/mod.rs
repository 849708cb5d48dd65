//! A vocabulary that grows and shrinks in use.
//!
//! What is seen often becomes a token, and what is not used any more can go. Merges are only appended
//! behind those that are there, and only tokens of which no other is made are removed, so that the
//! tokenizer is a plain one at any time, and its `tokenizer.json` gives the same tokens.
//!
//! All counts are of tokens seen, never of time, and ties are decided by bytes and numbers, so that the
//! same texts lead to the same vocabulary.

mod change;
mod growth;
mod pieces;
mod policy;
mod pruning;

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

pub use change::{Change, Row};
pub use policy::{Policy, Pruning};

use self::change::Added;
use self::growth::Candidate;
use self::pieces::Pieces;
use crate::added::AddedTokens;
use crate::byte_pair::{BytePair, Distinct, NO_TOKEN};
use crate::error::TokenizerError;
use crate::frame::Frame;
use crate::tokenizer::{Form as TokenizerForm, Model, Tokenizer};
use crate::vocabulary::Vocabulary;

/// No clock goes further: tokens. It keeps sums of it within 64 bits.
const CLOCK_LIMIT: u64 = 1 << 62;

/// A [`Tokenizer`] that counts what it encodes, and proposes which tokens it should gain and lose.
///
/// A change has three steps, so that a model can follow: [`Self::propose`] says what the vocabulary would
/// become, the model makes its rows, and [`Self::apply`] makes it so.
///
/// What is remembered of the texts is how often each token was used and when it was last, and how often
/// each piece was seen that is more than one token: 65,536 of them at most, and none longer than 256
/// bytes. Neighbouring tokens are counted from these pieces when a change is proposed, as they then are.
///
/// As a serde value it is a few flat lists of numbers. What is deserialised is checked: a damaged form is
/// refused. One that comes back goes on as if it had never been saved.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(try_from = "Form")]
pub struct Adaptive {
    tokenizer: Tokenizer,
    policy: Policy,
    generation: u64,
    clock: u64,
    used: Vec<u64>,
    last_used: Vec<u64>,
    pieces: Pieces,
    /// That of the tokenizer, which takes long to work out.
    identity: String,
}

/// The members of an [`Adaptive`], not yet checked.
#[derive(Deserialize)]
struct Form {
    tokenizer: Tokenizer,
    policy: Policy,
    generation: u64,
    clock: u64,
    #[serde(with = "rekindle::growing")]
    used: Vec<u64>,
    #[serde(with = "rekindle::growing")]
    last_used: Vec<u64>,
    pieces: pieces::Form,
}

impl Adaptive {
    /// Wraps a tokenizer. Its special tokens become tokens of the model, with the numbers that they
    /// have: see [`Change`].
    ///
    /// # Errors
    /// When the policy cannot be followed or its limit is below what is there; or the tokenizer is none
    /// that can change: of words with an unknown token, of word pieces, of byte pairs that do not have
    /// every byte or do not cut the text into pieces.
    pub fn new(tokenizer: Tokenizer, policy: Policy) -> Result<Self, TokenizerError> {
        let Tokenizer { vocabulary, model, added, frame, conventions, .. } = tokenizer;
        let (model_tokens, len) = (vocabulary.len() as u32, vocabulary.len());
        let tokenizer =
            TokenizerForm { vocabulary, model_tokens, model, added, frame, conventions }.try_into()?;
        adaptable(&tokenizer)?;
        check_policy(&policy, &tokenizer)?;
        let identity = Tokenizer::identity(&tokenizer);
        Ok(Self {
            tokenizer,
            policy,
            generation: 0,
            clock: 0,
            used: vec![0; len],
            last_used: vec![0; len],
            pieces: Pieces::default(),
            identity,
        })
    }

    /// The tokenizer as it is now.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// What it may do.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Changes what it may do from now on.
    ///
    /// # Errors
    /// When the policy cannot be followed, or its limit is below what is there.
    pub fn set_policy(&mut self, policy: Policy) -> Result<(), TokenizerError> {
        check_policy(&policy, &self.tokenizer)?;
        self.policy = policy;
        Ok(())
    }

    /// How many changes there were.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// How many tokens were seen.
    pub fn clock(&self) -> u64 {
        self.clock
    }

    /// How often each token was used. One that came in use begins with the count that it would have had
    /// in the pieces that were remembered then.
    pub fn used(&self) -> &[u64] {
        &self.used
    }

    /// For each token the clock behind its last use; 0 if it was never used. One that came in use begins
    /// with the clock at that change.
    pub fn last_used(&self) -> &[u64] {
        &self.last_used
    }

    /// The tokens of a text, as [`Tokenizer::encode`] gives them; and counts them, unless it is frozen.
    pub fn observe(&mut self, text: &[u8]) -> Vec<u32> {
        if self.policy.frozen {
            return self.tokenizer.encode(text);
        }
        let Self { tokenizer, clock, used, last_used, pieces, .. } = self;
        let mut tokens = Vec::new();
        let Model::BytePair(model) = &tokenizer.model else { return tokens };
        let count = |distinct: &[Distinct<'_>], tokens: &[u32]| {
            for seen in distinct {
                let start = *clock + seen.start as u64 + 1;
                for (now, &token) in (start..).zip(&tokens[seen.start..seen.start + seen.len]) {
                    let token = token as usize;
                    used[token] = used[token].saturating_add(seen.count);
                    last_used[token] = last_used[token].max(now.min(CLOCK_LIMIT));
                }
            }
            pieces.add(distinct);
        };
        model.encode_each(&tokenizer.added.split(text), &mut tokens, |_| {}, count);
        *clock = (*clock + tokens.len() as u64).min(CLOCK_LIMIT);
        tokens
    }

    /// What would change now by the policy; none when nothing would, or it is frozen.
    ///
    /// The most frequent neighbours become tokens, or the most frequent words where tokens are words; of
    /// several as frequent the first in the order of bytes. Tokens that have been idle for too long go;
    /// and, when the limit would be passed, the share that the policy names. Only those go of which no
    /// other token is made, in this change neither, and never special tokens or those of single bytes.
    ///
    /// The time is that of encoding the pieces that are remembered.
    pub fn propose(&self) -> Option<Change> {
        let share = self.policy.share();
        self.plan(self.policy.most_at_once, self.policy.least_count, |_| share)
    }

    /// A change that adds so many tokens, or as many as were seen and the limit allows, whatever the
    /// policy says about how often and how many at once. When the limit would be passed, as many tokens
    /// as are needed are freed, if the policy prunes at all. None when nothing would change, or it is
    /// frozen.
    pub fn grow_by(&self, count: usize) -> Option<Change> {
        self.plan(count, 1, |missing| missing)
    }

    /// Makes a change that was proposed for the vocabulary as it is.
    ///
    /// Pieces that had a removed token in them are forgotten, so that what was pruned must be seen anew
    /// before it comes again.
    ///
    /// # Errors
    /// When it was proposed for another vocabulary, the policy no longer allows it, or no tokenizer can
    /// be made; then nothing has changed.
    pub fn apply(&mut self, change: &Change) -> Result<(), TokenizerError> {
        if self.policy.frozen {
            return Err(TokenizerError::Frozen);
        }
        if (change.generation, &change.identity) != (self.generation, &self.identity) {
            let (made_for, generation) = (change.generation, self.generation);
            return Err(TokenizerError::OtherVocabulary { made_for, generation });
        }
        if change.rows.len() > self.policy.limit {
            return Err(TokenizerError::PastLimit { len: change.rows.len(), limit: self.policy.limit });
        }
        let before = adaptable(&self.tokenizer)?;
        let tokenizer = changed(&self.tokenizer, before, change)?;
        let after = adaptable(&tokenizer)?;
        self.pieces.retain(|piece| {
            let had_removed = |token: &u32| change.removed.binary_search(token).is_ok();
            !before.encode_piece(piece).iter().any(had_removed) && after.encode_piece(piece).len() > 1
        });
        let carry = |values: &[u64], new: u64| -> Vec<u64> {
            let row = |row: &Row| match row {
                Row::Kept(old) => values[*old as usize],
                Row::New(_) => new,
            };
            change.rows.iter().map(row).collect()
        };
        self.used = carry(&self.used, 0);
        for added in &change.added {
            self.used[added.token as usize] = added.count;
        }
        self.last_used = carry(&self.last_used, self.clock);
        self.identity = tokenizer.identity();
        self.tokenizer = tokenizer;
        self.generation += 1;
        Ok(())
    }

    /// `free` says how many tokens go when so many have no room.
    fn plan(&self, most: usize, least: u64, free: impl Fn(usize) -> usize) -> Option<Change> {
        if self.policy.frozen {
            return None;
        }
        let model = adaptable(&self.tokenizer).ok()?;
        let mut candidates = growth::candidates(&self.tokenizer, model, &self.pieces, most, least);
        let mut spare = pruning::spare(self, model, &candidates);
        let mut removed = pruning::take_idle(self, &mut spare);
        let room = self.policy.limit - self.tokenizer.len();
        let missing = candidates.len().saturating_sub(room + removed.len());
        if missing > 0 && self.policy.pruning != Pruning::None {
            removed.extend(spare.into_iter().take(free(missing)));
        }
        candidates.truncate(room + removed.len());
        removed.sort_unstable();
        let changes = !candidates.is_empty() || !removed.is_empty();
        changes.then(|| self.change(removed, candidates))
    }

    fn change(&self, removed: Vec<u32>, candidates: Vec<Candidate>) -> Change {
        let len = self.tokenizer.len();
        let (kept, new) = change::number(len, &removed, candidates.len());
        let mut numbers = vec![NO_TOKEN; len];
        for (number, old) in (0..).zip(&kept) {
            if let Some(old) = old {
                numbers[*old as usize] = number;
            }
        }
        numbers.extend(&new);
        let mut rows: Vec<Row> =
            kept.into_iter().map(|old| old.map_or_else(|| Row::New(Vec::new()), Row::Kept)).collect();
        let mut added = Vec::with_capacity(candidates.len());
        for (candidate, token) in candidates.into_iter().zip(new) {
            let number = |token: u32| numbers[token as usize];
            let merge = candidate.merge.map(|(left, right)| (number(left), number(right)));
            rows[token as usize] = Row::New(candidate.parts);
            added.push(Added { token, merge, count: candidate.count });
        }
        Change { identity: self.identity.clone(), generation: self.generation, rows, removed, added }
    }
}

/// The model of a tokenizer that can change.
fn adaptable(tokenizer: &Tokenizer) -> Result<&BytePair, TokenizerError> {
    let refused = |reason| Err(TokenizerError::NotAdaptive { reason });
    match &tokenizer.model {
        Model::BytePair(model) if model.byte_tokens.contains(&NO_TOKEN) => {
            refused("not every byte has a token, so that what is pruned could become unknown")
        }
        Model::BytePair(model) if !model.cuts_pieces => {
            refused("it does not cut the text into pieces, so that none could be counted")
        }
        Model::BytePair(model) => Ok(model),
        Model::Words(_) => refused("it has words and an unknown token; words and bytes can change"),
        Model::WordPiece(_) => refused("it has word pieces; byte pairs, and words and bytes, can change"),
        Model::ListedWords(_) => refused("another program listed its words; words and bytes can change"),
    }
}

fn check_policy(policy: &Policy, tokenizer: &Tokenizer) -> Result<(), TokenizerError> {
    policy.check()?;
    let len = tokenizer.len();
    if policy.limit < len {
        let (member, found) = ("limit", policy.limit.to_string());
        return Err(TokenizerError::Policy { member, found, allowed: format!("{len} tokens are there") });
    }
    Ok(())
}

/// The tokenizer behind a change that was made for it.
fn changed(tokenizer: &Tokenizer, model: &BytePair, change: &Change) -> Result<Tokenizer, TokenizerError> {
    let mut vocabulary = Vocabulary::default();
    let mut numbers = vec![NO_TOKEN; tokenizer.len()];
    let bytes_of = |token: &u32| tokenizer.token_bytes(*token).unwrap_or_default();
    for row in &change.rows {
        match row {
            Row::Kept(old) => numbers[*old as usize] = vocabulary.push(bytes_of(old)),
            Row::New(parts) => {
                let parts: Vec<&[u8]> = parts.iter().map(bytes_of).collect();
                vocabulary.push(&parts.concat());
            }
        }
    }
    let number = |token: u32| numbers[token as usize];
    let all = |tokens: &[u32]| -> Vec<u32> { tokens.iter().map(|&token| number(token)).collect() };
    let kept = model.merges().filter(|&[_, _, token]| number(token) != NO_TOKEN);
    let mut merges: Vec<u32> = kept.flat_map(|merge| merge.map(number)).collect();
    for added in &change.added {
        merges.extend(added.merge.map(|(left, right)| [left, right, added.token]).into_iter().flatten());
    }
    let mut changed = BytePair::new(all(&model.byte_tokens), merges);
    changed.unknown = model.unknown.map(number);
    changed.fuses_unknown = model.fuses_unknown;
    changed.adds_prefix_space = model.adds_prefix_space;
    changed.keeps_whole = model.keeps_whole;
    let added = AddedTokens::new(
        all(&tokenizer.added.verbatim),
        all(&tokenizer.added.normalized),
        all(&tokenizer.added.ordinary),
    );
    let model_tokens = vocabulary.len() as u32;
    let kept = |tokens: &[u32]| all(tokens).into_iter().filter(|&token| token != NO_TOKEN).collect();
    let frame = Frame { before: kept(&tokenizer.frame.before), after: kept(&tokenizer.frame.after) };
    let (model, conventions) = (Model::BytePair(changed), tokenizer.conventions.clone());
    TokenizerForm { vocabulary, model_tokens, model, added, frame, conventions }.try_into()
}

impl fmt::Debug for Adaptive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tokenizer, policy, generation, clock, .. } = self;
        let mut members = f.debug_struct("Adaptive");
        members.field("tokenizer", tokenizer).field("policy", policy);
        members.field("generation", generation).field("clock", clock).finish_non_exhaustive()
    }
}

impl Serialize for Adaptive {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        /// [`Form`], borrowed.
        #[derive(Serialize)]
        struct Borrowed<'a> {
            tokenizer: &'a Tokenizer,
            policy: &'a Policy,
            generation: u64,
            clock: u64,
            #[serde(serialize_with = "growing")]
            used: &'a Vec<u64>,
            #[serde(serialize_with = "growing")]
            last_used: &'a Vec<u64>,
            pieces: pieces::Form,
        }
        fn growing<S: Serializer>(values: &&Vec<u64>, serializer: S) -> Result<S::Ok, S::Error> {
            rekindle::growing::serialize(*values, serializer)
        }
        let Self { tokenizer, policy, generation, clock, used, last_used, pieces, identity: _ } = self;
        let (generation, clock, pieces) = (*generation, *clock, pieces.form());
        Borrowed { tokenizer, policy, generation, clock, used, last_used, pieces }.serialize(serializer)
    }
}

impl TryFrom<Form> for Adaptive {
    type Error = TokenizerError;

    fn try_from(form: Form) -> Result<Self, TokenizerError> {
        let Form { tokenizer, policy, generation, clock, used, last_used, pieces } = form;
        let damaged = |reason: String| TokenizerError::Damaged { reason };
        adaptable(&tokenizer)?;
        check_policy(&policy, &tokenizer)?;
        let len = tokenizer.len();
        if tokenizer.model_tokens as usize != len {
            return Err(damaged("a token is not one of the model's".to_owned()));
        }
        if used.len() != len || last_used.len() != len {
            let (used, last_used) = (used.len(), last_used.len());
            let reason = format!("{used} counts and {last_used} clocks for {len} tokens");
            return Err(damaged(reason));
        }
        if clock > CLOCK_LIMIT || generation == u64::MAX {
            return Err(damaged(format!("clock {clock}, generation {generation}: one is too large")));
        }
        if let Some(token) = last_used.iter().position(|&last_used| last_used > clock) {
            return Err(damaged(format!("token {token} was used after clock {clock}")));
        }
        let pieces = Pieces::try_from(pieces).map_err(damaged)?;
        let identity = tokenizer.identity();
        Ok(Self { tokenizer, policy, generation, clock, used, last_used, pieces, identity })
    }
}
