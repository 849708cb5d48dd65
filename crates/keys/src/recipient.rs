//! Whom a data key is wrapped to.

use std::fmt;
use std::str::FromStr;

use x25519_dalek::PublicKey;

use crate::age::{has_small_order, x25519_text};
use crate::error::KeyError;
use crate::lines::parse_lines;

/// The public half of an age identity, `age1...`: who holds the identity can unwrap what is wrapped
/// to this.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Recipient(pub(crate) PublicKey);

impl Recipient {
    /// All recipients of a file with one on each line; lines that begin with `#` are comments.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, KeyError> {
        let recipients = parse_lines(text, str::parse)?;
        if recipients.is_empty() { Err(KeyError::NoRecipient) } else { Ok(recipients) }
    }
}

impl FromStr for Recipient {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let point = x25519_text::decode(x25519_text::RECIPIENT, text)
            .map(|bytes| PublicKey::from(*bytes))
            .ok_or_else(|| KeyError::Recipient(problem_of(text)))?;
        if has_small_order(&point) {
            // Wrapping to it would keep nothing secret.
            return Err(KeyError::Recipient("nobody can have its identity"));
        }
        Ok(Self(point))
    }
}

/// What to tell of a text that is no recipient.
fn problem_of(text: &str) -> &'static str {
    let starts_with =
        |prefix: &str| text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    if starts_with("AGE-SECRET-KEY-") {
        "it is a secret identity, which must not be passed on; its recipient begins with `age1`"
    } else if starts_with("ssh-") {
        "ssh keys are not supported"
    } else if !starts_with("age1") {
        "it does not begin with `age1`"
    } else if bech32::decode(text).is_ok() {
        "its kind is not supported; `age-keygen` makes the one that is"
    } else {
        "a character is wrong or missing"
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&x25519_text::encode(x25519_text::RECIPIENT, self.0.as_bytes()))
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Recipient({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECIPIENT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

    #[test]
    fn list_has_comments_and_names_the_bad_line() {
        let list = Recipient::parse_list(&format!("# team\r\n\r\n{RECIPIENT}\r\n  {RECIPIENT}")).unwrap();
        assert_eq!(list.iter().map(Recipient::to_string).collect::<Vec<_>>(), [RECIPIENT; 2]);
        let error = Recipient::parse_list(&format!("{RECIPIENT}\n# x\nage1nonsense\n")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 3: this is not an age recipient: a character is wrong or missing"
        );
        assert!(matches!(Recipient::parse_list("# nobody\n"), Err(KeyError::NoRecipient)));
    }

    #[test]
    fn what_is_no_recipient_is_explained_and_secrets_are_not_repeated() {
        let problem = |text: &str| text.parse::<Recipient>().unwrap_err().to_string();
        let secret = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
        assert!(problem(secret).contains("secret identity") && !problem(secret).contains("GQ9778"));
        assert!(problem("ssh-ed25519 AAAA").contains("ssh"));
        assert!(problem("").contains("age1"));
        assert!(problem("ägé1").contains("age1"));
        assert!(problem(&RECIPIENT[..60]).contains("wrong or missing"));
        let other_kind = bech32::encode::<bech32::Bech32>(bech32::Hrp::parse("age1pq").unwrap(), &[1; 32]);
        assert!(problem(&other_kind.unwrap()).contains("kind"));
    }

    #[test]
    fn points_without_secrets_are_refused() {
        let mut one = [0; 32];
        one[0] = 1;
        for point in [[0; 32], one] {
            let text = bech32::encode::<bech32::Bech32>(bech32::Hrp::parse("age").unwrap(), &point).unwrap();
            assert!(text.parse::<Recipient>().unwrap_err().to_string().contains("nobody"));
        }
    }
}
