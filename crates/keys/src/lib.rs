//! The keys of a run: how its data key is wrapped, and how its checkpoints are signed.
//!
//! An encrypted run has one [`DataKey`]. It is kept beside the run only wrapped, as a standard
//! [age](https://age-encryption.org/v1) file: [`wrap_key`] encrypts it to [`Recipients`],
//! [`unwrap_key`] gets it back with what [`Unlock`] holds. A signed checkpoint carries the ed25519
//! [`Signature`] of a [`SigningKey`]; whoever knows the [`PublicKey`] can verify it.
//!
//! ```
//! use rekindle_keys::{Identities, Recipients, SigningKey, Unlock};
//! use rekindle_keys::{generate_data_key, generate_identity, unwrap_key, wrap_key};
//!
//! # fn main() -> Result<(), rekindle_keys::KeyError> {
//! let (identity, recipient) = generate_identity();
//! let key = generate_data_key()?;
//! let wrapped = wrap_key(&key, &Recipients::Keys(vec![recipient]))?;
//! let unlock = Unlock::Identities(Identities::parse(&identity)?);
//! assert_eq!(unwrap_key(&wrapped, &unlock)?.as_bytes(), key.as_bytes());
//!
//! let signer = SigningKey::generate()?;
//! let signature = signer.sign(b"the commit record");
//! signer.public_key().verify(b"the commit record", &signature)?;
//! assert!(signer.public_key().verify(b"another record", &signature).is_err());
//! # Ok(())
//! # }
//! ```
//!
//! # What is guaranteed
//!
//! - A wrapped key can be read by `age`, and one that `age` wrote can be read here. Signing keys and
//!   signatures go to `openssl` and back in the same way. A run therefore outlives this program.
//! - A wrapped key whose content was changed or cut short is refused. So is one that would cost much:
//!   if it is longer than [`MAX_FILE_LEN`], or its work factor is above 2²⁰. A passphrase for that one
//!   takes seconds and 1 GiB of memory to try.
//! - No input makes a function here panic.
//! - A secret is never shown by `Debug`, never part of an error and never taken from the command line.
//! - A file with a secret is written once, readable by its owner alone, and replaces no other.
//!
//! # What an attacker sees
//!
//! Who has the wrapped key sees that it is an age file, whether a passphrase or identities unlock it,
//! about how many, and the work factor; not who they are. A passphrase can be tried without end: each
//! try costs scrypt with the work factor 2¹⁸, the default of `age`, and a weak one falls. Who gets hold
//! of an identity reads every run that was ever wrapped to it: age has no forward secrecy. X25519 and
//! ed25519 do not withstand a large quantum computer.
//!
//! Wrapping proves nothing about the author: a recipient is public, so anyone can wrap another key to
//! it. Who may write to the files can exchange a whole run for another; only a signature tells them
//! apart. A signature holds for its message alone: the message itself must say what rules out an older
//! checkpoint put back, or the same bytes used for another purpose.
//!
//! # What is assumed and left out
//!
//! The operating system gives good random bytes; where it has none, [`generate_data_key`],
//! [`SigningKey::generate`] and [`wrap_key`] return an error, and [`generate_identity`] panics. Keys, nonces and salts come from there, so
//! they differ each time, and nothing that is trained depends on them. Memory is overwritten when a
//! secret is dropped, as far as the language allows: swap, core dumps, copies that the compiler made and
//! the working memory of the hash functions are out of reach. On systems other than Unix, a new file has the permissions of its directory.
//!
//! Not supported are ssh keys, post-quantum and plugin recipients of age, identity files and private
//! keys that are themselves encrypted, and the revocation of keys.

mod age;
mod data_key;
mod error;
mod files;
mod hex;
mod identity;
mod lines;
mod passphrase;
mod recipient;
mod signature;
mod wrapping;

pub use data_key::generate_data_key;
pub use error::KeyError;
pub use files::{MAX_FILE_LEN, read_file, write_secret};
pub use identity::{Identities, generate_identity};
pub use passphrase::{Passphrase, PassphraseSource};
pub use recipient::Recipient;
pub use rekindle_store::DataKey;
pub use signature::{PublicKey, Signature, SigningKey};
pub use wrapping::{Recipients, Unlock, needs_passphrase, unwrap_key, wrap_key};
