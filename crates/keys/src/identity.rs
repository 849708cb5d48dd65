//! Who can unwrap a data key.

use std::fmt;

use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use crate::age::{random, x25519_text};
use crate::error::KeyError;
use crate::lines::parse_lines;
use crate::recipient::Recipient;

/// The age identities of an identity file; never empty.
pub struct Identities(Vec<StaticSecret>);

impl Identities {
    /// All identities, `AGE-SECRET-KEY-1...`, of a file with one on each line; lines that begin with
    /// `#` are comments.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let identities = parse_lines(text, parse_identity)?;
        if identities.is_empty() { Err(KeyError::NoIdentity) } else { Ok(Self(identities)) }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &StaticSecret> {
        self.0.iter()
    }
}

fn parse_identity(line: &str) -> Result<StaticSecret, KeyError> {
    let bytes = x25519_text::decode(x25519_text::IDENTITY, line);
    bytes.map(|bytes| StaticSecret::from(*bytes)).ok_or_else(|| KeyError::Identity(problem_of(line)))
}

/// What to tell of a line that is no identity.
fn problem_of(line: &str) -> &'static str {
    if line.starts_with("age1") {
        "it is a recipient; the identity, which is secret, begins with `AGE-SECRET-KEY-1`"
    } else if line.starts_with("-----BEGIN AGE ENCRYPTED FILE") || line.starts_with("age-encryption.org/") {
        "it is encrypted; decrypt it with `age` first"
    } else if line.starts_with("AGE-SECRET-KEY-1") {
        "a character is wrong or missing"
    } else {
        "it does not begin with `AGE-SECRET-KEY-1`"
    }
}

/// A new identity: the text of its file, which must be kept secret, and its recipient, which need not.
///
/// # Panics
///
/// If the system has no random bytes to give.
pub fn generate_identity() -> (Zeroizing<String>, Recipient) {
    let bytes = random().expect("the system has random bytes");
    let recipient = Recipient(PublicKey::from(&StaticSecret::from(*bytes)));
    let mut secret = x25519_text::encode(x25519_text::IDENTITY, &bytes);
    secret.make_ascii_uppercase();
    let comments = format!(
        "# Who has this file can read every run that is encrypted to the public key.\n\
         # public key: {recipient}\n"
    );
    (Zeroizing::new([comments.as_str(), &secret, "\n"].concat()), recipient)
}

impl fmt::Debug for Identities {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Identities({} of them)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_identity_parses_and_names_its_recipient() {
        let (text, recipient) = generate_identity();
        let identities = Identities::parse(&text).unwrap();
        assert_eq!(PublicKey::from(&identities.0[0]), recipient.0);
        assert!(text.contains(&format!("# public key: {recipient}\n")));
        assert_eq!(format!("{identities:?}"), "Identities(1 of them)");
    }

    #[test]
    fn bad_line_is_explained_and_not_repeated() {
        let (text, recipient) = generate_identity();
        let problem = |text: &str| Identities::parse(text).unwrap_err().to_string();
        let cut = &text[..text.len() - 5];
        let secret = text.lines().last().unwrap();
        assert!(problem(cut).starts_with("line 3:") && problem(cut).contains("wrong or missing"));
        assert!(!problem(cut).contains(&secret[20..40]));
        assert!(problem(&recipient.to_string()).contains("it is a recipient"));
        assert!(problem("-----BEGIN AGE ENCRYPTED FILE-----").contains("decrypt it"));
        assert!(problem("-----BEGIN OPENSSH PRIVATE KEY-----").contains("does not begin"));
        assert!(matches!(Identities::parse("# empty\n"), Err(KeyError::NoIdentity)));
    }
}
