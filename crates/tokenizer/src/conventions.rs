//! What programs must know of a tokenizer beside its tokens.

use serde::{Deserialize, Serialize};

use crate::tokenizer::Tokenizer;

/// Which tokens have a meaning, and how a chat becomes a prompt, as the files of other programs say it. No token
/// of a text depends on it.
///
/// Tokens are named by their texts, as their numbers may change with the vocabulary.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Conventions {
    /// Stands before a text.
    pub bos: Option<String>,
    /// Stands after a text.
    pub eos: Option<String>,
    /// Stands for what has no token.
    pub unknown: Option<String>,
    /// Stands where no text is.
    pub pad: Option<String>,
    /// Makes a prompt of a chat, in the language of Jinja.
    pub chat_template: Option<String>,
}

impl Tokenizer {
    /// What the file that it is from says of its use; none for a tokenizer that was made here.
    pub fn conventions(&self) -> Option<&Conventions> {
        self.conventions.as_deref()
    }

    /// The same tokenizer with other conventions.
    #[must_use]
    pub fn with_conventions(mut self, conventions: Conventions) -> Self {
        self.conventions = Some(Box::new(conventions));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conventions_are_saved_with_the_tokenizer() {
        let plain = Tokenizer::train_words(b"a b", 3).unwrap();
        assert_eq!(plain.conventions(), None);
        // What was saved before there were conventions has none.
        assert!(!serde_json::to_string(&plain).unwrap().contains("conventions"));
        let conventions = Conventions { bos: Some("a".to_owned()), ..Conventions::default() };
        let tokenizer = plain.clone().with_conventions(conventions.clone());
        let tree = rekindle::to_tree(&tokenizer).unwrap();
        let back = rekindle::from_tree::<Tokenizer>(&tree).unwrap();
        assert_eq!((back.conventions(), &back), (Some(&conventions), &tokenizer));
        assert_eq!(back.encode(b"a b"), plain.encode(b"a b"));
        let special = back.with_special_tokens(&["<x>"]).unwrap();
        assert_eq!(special.conventions(), Some(&conventions));
    }
}
