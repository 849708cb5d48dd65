//! Tokens around a text, such as `<s>` before it.

use serde::{Deserialize, Serialize};

use crate::error::TokenizerError;
use crate::tokenizer::{Form, Tokenizer};

/// Tokens that stand before and after a text as a whole: what the `post_processor` of a `tokenizer.json`
/// adds where special tokens are asked for. [`Tokenizer::encode`] leaves them out, as a text may be a
/// part of another; [`Tokenizer::framed`] puts them around its tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// Before the text.
    pub before: Vec<u32>,
    /// After the text.
    pub after: Vec<u32>,
}

impl Frame {
    /// Nothing stands around a text.
    pub fn is_empty(&self) -> bool {
        self.before.is_empty() && self.after.is_empty()
    }

    /// Says which of its tokens is none of `len`.
    pub(crate) fn check(&self, len: usize) -> Result<(), String> {
        let mut tokens = self.before.iter().chain(&self.after);
        match tokens.find(|&&token| token as usize >= len) {
            Some(token) => Err(format!("token {token} stands around texts, but there are {len} tokens")),
            None => Ok(()),
        }
    }
}

impl Tokenizer {
    /// What stands around a text as a whole.
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// The same tokenizer with another frame.
    ///
    /// # Errors
    /// When a token of it is none of the tokenizer's.
    pub fn with_frame(self, frame: Frame) -> Result<Self, TokenizerError> {
        let Self { vocabulary, model_tokens, model, added, frame: _, conventions } = self;
        Form { vocabulary, model_tokens, model, added, frame, conventions }.try_into()
    }

    /// The tokens of a whole text, with the frame around them.
    pub fn framed(&self, tokens: Vec<u32>) -> Vec<u32> {
        let Frame { before, after } = &self.frame;
        if self.frame.is_empty() { tokens } else { [before.as_slice(), &tokens, after].concat() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_stands_around_a_text_and_is_saved() {
        let plain = Tokenizer::train_words(b"a b", 3).unwrap();
        assert_eq!(plain.framed(plain.encode(b"a")), plain.encode(b"a"));
        let frame = Frame { before: vec![2, 0], after: vec![1] };
        let framed = plain.clone().with_frame(frame.clone()).unwrap();
        assert_eq!(framed.encode(b"b"), [2]);
        assert_eq!(framed.framed(framed.encode(b"b")), [2, 0, 2, 1]);
        assert_ne!(framed.identity(), plain.identity());
        let back: Tokenizer = serde_json::from_str(&serde_json::to_string(&framed).unwrap()).unwrap();
        assert_eq!((back.frame(), &back), (&frame, &framed));
        // What was saved before there were frames has none.
        assert!(!serde_json::to_string(&plain).unwrap().contains("frame"));
        let beyond = plain.with_frame(Frame { before: vec![3], after: Vec::new() });
        assert!(beyond.unwrap_err().to_string().contains("token 3 stands around texts"));
    }
}
