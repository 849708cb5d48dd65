//! Small objects of a run, encrypted as text.

use serde::{Deserialize, Serialize};

use crate::encryption::cipher::Cipher;

/// How the small objects of a run are encrypted, if it is: each as what it is, and of which run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sealer<'a> {
    pub cipher: Option<&'a Cipher>,
    pub run: &'a str,
    /// What is sealed is bound to the run. Up to format 2 it was not.
    pub of_this_run: bool,
    /// What is not bound to a run opens too: the run has an earlier format, or may have.
    pub unbound: bool,
}

impl<'a> Sealer<'a> {
    /// `bytes` encrypted as `what`; nothing in a plain run.
    pub fn seal(&self, what: &str, bytes: &[u8]) -> Option<SealedText> {
        let bound = self.bound(what);
        let what = if self.of_this_run { bound.as_str() } else { kind(what) };
        self.cipher.map(|cipher| SealedText::seal(cipher, what, bytes))
    }

    /// The bytes that were sealed as `what` in this run.
    pub fn open(&self, what: &str, sealed: &SealedText) -> Option<Vec<u8>> {
        let cipher = self.cipher?;
        let bound = sealed.open(cipher, &self.bound(what));
        bound.or_else(|| sealed.open(cipher, kind(what)).filter(|_| self.unbound))
    }

    fn bound(&self, what: &str) -> String {
        format!("{what} {}", self.run)
    }
}

/// The first word of what an object is.
fn kind(what: &str) -> &str {
    what.split(' ').next().unwrap_or_default()
}

/// Encrypted bytes as text, within JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct SealedText(String);

impl SealedText {
    pub fn seal(cipher: &Cipher, what: &str, bytes: &[u8]) -> Self {
        use base64::prelude::{BASE64_STANDARD, Engine};
        Self(BASE64_STANDARD.encode(cipher.seal(what.as_bytes(), bytes)))
    }

    pub fn open(&self, cipher: &Cipher, what: &str) -> Option<Vec<u8>> {
        use base64::prelude::{BASE64_STANDARD, Engine};
        cipher.open(what.as_bytes(), &BASE64_STANDARD.decode(&self.0).ok()?)
    }
}
