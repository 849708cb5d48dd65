//! Signatures: proof of who wrote a message.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, KeypairBytes};
use ed25519_dalek::{Signer, VerifyingKey};
use zeroize::Zeroizing;

use crate::error::KeyError;

/// The ed25519 private key that makes signatures; overwritten when dropped.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// A new key from the operating system's random bytes.
    pub fn generate() -> Result<Self, KeyError> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut_slice()).map_err(KeyError::Random)?;
        Ok(Self(ed25519_dalek::SigningKey::from_bytes(&seed)))
    }

    /// The key in the PEM file `text` (PKCS#8, not encrypted), as `openssl genpkey -algorithm ed25519`
    /// makes it.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let key = ed25519_dalek::SigningKey::from_pkcs8_pem(text.trim());
        key.map(Self).map_err(|_| KeyError::SigningKey)
    }

    /// The key as PEM (PKCS#8), which must be kept secret. It leaves out the public key, which
    /// `openssl` would not accept there.
    pub fn to_pem(&self) -> Zeroizing<String> {
        let key = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        key.to_pkcs8_pem(LineEnding::LF).expect("32 bytes fit in PEM")
    }

    /// The key that verifies what this one signs.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// The signature of `message`, the same each time. The message should say what it is for: the
    /// signature also holds wherever else the same bytes mean something.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey(.., {})", self.public_key())
    }
}

/// The ed25519 public key that verifies signatures. It is shown as `ed25519:` and 64 hex digits, and read
/// from that or from PEM, as `openssl pkey -pubout` makes it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    const PREFIX: &str = "ed25519:";

    /// Checks that `signature` is one of exactly `message` by the private key to this one.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), KeyError> {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        self.0.verify_strict(message, &signature).map_err(|_| KeyError::BadSignature)
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let key = match text.strip_prefix(Self::PREFIX) {
            Some(digits) => from_digits(digits)?,
            None => from_pem(text)?,
        };
        if key.is_weak() {
            return Err(KeyError::PublicKey("nobody can have its private key"));
        }
        Ok(Self(key))
    }
}

fn from_digits(digits: &str) -> Result<VerifyingKey, KeyError> {
    let mut bytes = [0; 32];
    if !crate::hex::decode_exact(digits.as_bytes(), &mut bytes) {
        return Err(KeyError::PublicKey("`ed25519:` must be followed by 64 lower-case hex digits"));
    }
    VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError::PublicKey("a digit is wrong"))
}

fn from_pem(text: &str) -> Result<VerifyingKey, KeyError> {
    VerifyingKey::from_public_key_pem(text).map_err(|_| {
        KeyError::PublicKey(if text.starts_with("-----BEGIN") && text.contains("PRIVATE KEY") {
            "it is a private key, which must not be passed on"
        } else {
            "it neither begins with `ed25519:` nor is such a key in PEM"
        })
    })
}

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", Self::PREFIX, crate::hex::encode(self.0.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PublicKey({self})")
    }
}

/// An ed25519 signature: 64 bytes, shown and read as 128 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature([u8; Self::LEN]);

impl Signature {
    /// Length in bytes.
    pub const LEN: usize = 64;

    /// The signature with these bytes.
    pub fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl FromStr for Signature {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut bytes = [0; Self::LEN];
        let decoded = crate::hex::decode_exact(text.as_bytes(), &mut bytes);
        if decoded { Ok(Self(bytes)) } else { Err(KeyError::Signature) }
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&crate::hex::encode(&self.0))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Signature({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 8410.
    const PRIVATE_PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
        -----END PRIVATE KEY-----\n";
    const PUBLIC_PEM: &str = "-----BEGIN PUBLIC KEY-----\n\
        MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
        -----END PUBLIC KEY-----\n";
    const PUBLIC_TEXT: &str = "ed25519:19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";

    fn problem(text: &str) -> String {
        text.parse::<PublicKey>().unwrap_err().to_string()
    }

    #[test]
    fn signature_holds_for_its_message_and_key_alone() {
        let signer = SigningKey::generate().unwrap();
        let signature = signer.sign(b"step 100");
        signer.public_key().verify(b"step 100", &signature).unwrap();
        assert!(signer.public_key().verify(b"step 101", &signature).is_err());
        assert!(SigningKey::generate().unwrap().public_key().verify(b"step 100", &signature).is_err());
        for position in 0..Signature::LEN {
            let mut bytes = *signature.as_bytes();
            bytes[position] ^= 1;
            let error = signer.public_key().verify(b"step 100", &Signature::from_bytes(bytes)).unwrap_err();
            assert!(matches!(error, KeyError::BadSignature));
        }
    }

    #[test]
    fn signatures_are_those_of_rfc_8032() {
        let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        let mut bytes = [0; 32];
        assert!(crate::hex::decode_exact(seed.as_bytes(), &mut bytes));
        let signer = SigningKey(ed25519_dalek::SigningKey::from_bytes(&bytes));
        let expected = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555\
            fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";
        assert_eq!(signer.sign(b"").to_string(), expected);
        assert_eq!(expected.parse::<Signature>().unwrap(), signer.sign(b""));
        assert!(expected[1..].parse::<Signature>().is_err());
        assert!(expected.to_uppercase().parse::<Signature>().is_err());
    }

    #[test]
    fn keys_go_to_text_and_back() {
        let signer = SigningKey::from_pem(PRIVATE_PEM).unwrap();
        assert_eq!(*signer.to_pem(), PRIVATE_PEM);
        assert_eq!(signer.public_key().to_string(), PUBLIC_TEXT);
        assert_eq!(format!("{signer:?}"), format!("SigningKey(.., {PUBLIC_TEXT})"));
        for text in [PUBLIC_TEXT, PUBLIC_PEM, &format!("{PUBLIC_TEXT}\n")] {
            assert_eq!(text.parse::<PublicKey>().unwrap(), signer.public_key());
        }
        let generated = SigningKey::generate().unwrap();
        let again = SigningKey::from_pem(&generated.to_pem()).unwrap();
        assert_eq!(again.public_key(), generated.public_key());
    }

    #[test]
    fn what_is_no_key_is_explained() {
        assert!(problem(PRIVATE_PEM).contains("private key"));
        assert!(problem("ed25519:00").contains("64"));
        assert!(problem("").contains("neither"));
        let weak = "ed25519:0100000000000000000000000000000000000000000000000000000000000000";
        assert!(problem(weak).contains("nobody"));
        for length in 0..PRIVATE_PEM.trim_end().len() {
            assert!(SigningKey::from_pem(&PRIVATE_PEM[..length]).is_err());
        }
        assert!(SigningKey::from_pem(PUBLIC_PEM).is_err());
    }
}
