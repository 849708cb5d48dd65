//! Who can unwrap a data key.

use std::fmt;

use age::secrecy::ExposeSecret;
use zeroize::Zeroizing;

use crate::error::KeyError;
use crate::lines::parse_lines;
use crate::recipient::Recipient;

/// The age identities of an identity file; never empty.
pub struct Identities(Vec<age::x25519::Identity>);

impl Identities {
    /// All identities, `AGE-SECRET-KEY-1...`, of a file with one on each line; lines that begin with
    /// `#` are comments.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let identities = parse_lines(text, parse_identity)?;
        if identities.is_empty() { Err(KeyError::NoIdentity) } else { Ok(Self(identities)) }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &dyn age::Identity> {
        self.0.iter().map(|identity| identity as _)
    }
}

fn parse_identity(line: &str) -> Result<age::x25519::Identity, KeyError> {
    line.parse().map_err(|_| KeyError::Identity(problem_of(line)))
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
pub fn generate_identity() -> (Zeroizing<String>, Recipient) {
    let identity = age::x25519::Identity::generate();
    let recipient = Recipient(identity.to_public());
    let secret = identity.to_string();
    let text = format!(
        "# Who has this file can read every run that is encrypted to the public key.\n\
         # public key: {recipient}\n{}\n",
        secret.expose_secret()
    );
    (Zeroizing::new(text), recipient)
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
        assert_eq!(identities.0[0].to_public().to_string(), recipient.to_string());
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
