//! When a vocabulary changes, and by how much.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::TokenizerError;
use crate::vocabulary::VOCABULARY_LIMIT;

/// What an [`Adaptive`](super::Adaptive) vocabulary may do. All counts are of tokens or of occurrences;
/// nothing is measured in time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// No vocabulary is larger: tokens, those of bytes and special ones included.
    pub limit: usize,
    /// So often two neighbouring tokens, or a word, must have been seen to become a token.
    pub least_count: u64,
    /// No change adds more tokens, unless it is asked for.
    pub most_at_once: usize,
    /// Which tokens go when the limit would be passed.
    pub pruning: Pruning,
    /// So much of the limit is freed then, between 0 and 1; at least one token, and fewer than this where
    /// fewer can be spared.
    pub prune_share: f64,
    /// A token goes that was not used in so many tokens, whether the limit is reached or not.
    pub max_idle: Option<u64>,
    /// Nothing is counted and nothing changes.
    pub frozen: bool,
}

/// Which tokens are pruned first; of several that are equal the one of the smallest number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pruning {
    /// None are: a vocabulary at its limit stays as it is.
    #[default]
    None,
    /// Those that have not been used for longest.
    Lru,
    /// Those that have been used least often.
    Frequency,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            limit: 32_768,
            least_count: 16,
            most_at_once: 64,
            pruning: Pruning::None,
            prune_share: 0.01,
            max_idle: None,
            frozen: false,
        }
    }
}

impl Policy {
    /// Whether it can be followed.
    ///
    /// # Errors
    /// When a member is out of its range; the error names it.
    pub fn check(&self) -> Result<(), TokenizerError> {
        let wrong = |member: &'static str, found: String, allowed: String| {
            Err(TokenizerError::Policy { member, found, allowed })
        };
        if !(1..=VOCABULARY_LIMIT).contains(&self.limit) {
            return wrong("limit", self.limit.to_string(), format!("1 to {VOCABULARY_LIMIT} tokens"));
        }
        if self.least_count < 2 {
            return wrong("least_count", self.least_count.to_string(), "2 or more".to_owned());
        }
        if !(1..=VOCABULARY_LIMIT).contains(&self.most_at_once) {
            let allowed = format!("1 to {VOCABULARY_LIMIT} tokens");
            return wrong("most_at_once", self.most_at_once.to_string(), allowed);
        }
        if !(0.0..=1.0).contains(&self.prune_share) {
            return wrong("prune_share", self.prune_share.to_string(), "0 to 1".to_owned());
        }
        if self.max_idle == Some(0) {
            return wrong("max_idle", "0".to_owned(), "1 or more tokens".to_owned());
        }
        Ok(())
    }

    /// So many tokens are freed when the limit would be passed.
    pub(super) fn share(&self) -> usize {
        // At most the limit, which is exact as a float.
        ((self.limit as f64 * self.prune_share).ceil() as usize).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_followed_is_refused() {
        let policy = Policy::default();
        policy.check().unwrap();
        for (policy, expected) in [
            (Policy { limit: 0, ..policy.clone() }, "`limit` is 0, but 1 to 1048576"),
            (Policy { least_count: 1, ..policy.clone() }, "`least_count` is 1, but 2 or more"),
            (Policy { most_at_once: 0, ..policy.clone() }, "`most_at_once` is 0"),
            (Policy { prune_share: f64::NAN, ..policy.clone() }, "`prune_share` is NaN, but 0 to 1"),
            (Policy { prune_share: 1.5, ..policy.clone() }, "`prune_share` is 1.5"),
            (Policy { max_idle: Some(0), ..policy.clone() }, "`max_idle` is 0"),
        ] {
            let error = policy.check().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let error = serde_json::from_str::<Policy>(r#"{"limits": 5}"#).unwrap_err().to_string();
        assert!(error.contains("unknown field `limits`"), "{error}");
        let read: Policy = serde_json::from_str(r#"{"pruning": "lru", "limit": 512}"#).unwrap();
        assert_eq!(read, Policy { pruning: Pruning::Lru, limit: 512, ..policy });
    }
}
