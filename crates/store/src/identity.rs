//! `rekindle.json`: what run this is and where it comes from.

use serde::{Deserialize, Serialize};

use crate::encryption::cipher::Cipher;
use crate::encryption::sealer::SealedText;
use crate::error::Damage;
use crate::hash::Hash;
use crate::sealed;

pub(crate) const OBJECT: &str = "rekindle.json";
pub(crate) const LIMIT: u64 = 64 << 10;

/// What run this is; written once, when the run is made.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Identity {
    /// Version of the format.
    pub format: u32,
    /// Id of the run: 16 hexadecimal digits.
    pub run: String,
    /// The model family; empty for a state of a user's own.
    pub system: String,
    /// When the run was made: seconds since 1970 (UTC).
    pub created: u64,
    /// What the run was made from.
    pub lineage: Option<Lineage>,
    /// The checkpoints that it learns from beside its data.
    pub teachers: Vec<Lineage>,
    /// True when everything in the run is encrypted.
    pub encrypted: bool,
}

/// The identity as it is stored: of an encrypted run, the system and what it comes from are sealed.
#[derive(Serialize, Deserialize)]
struct Stored {
    format: u32,
    run: String,
    created: u64,
    #[serde(default)]
    system: String,
    #[serde(default)]
    lineage: Option<Lineage>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    teachers: Vec<Lineage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<SealedText>,
}

#[derive(Default, Serialize, Deserialize)]
struct Private {
    system: String,
    lineage: Option<Lineage>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    teachers: Vec<Lineage>,
}

/// Why an identity cannot be used.
pub(crate) enum Refused {
    Damaged(Damage),
    NoKey,
    WrongKey,
}

impl Identity {
    pub(crate) fn encode(&self, cipher: Option<&Cipher>) -> Vec<u8> {
        let Self { system, lineage, teachers, .. } = self.clone();
        let private = Private { system, lineage, teachers };
        let sealed = cipher.map(|cipher| {
            let bytes = serde_json::to_vec(&private).unwrap_or_default();
            SealedText::seal(cipher, &what(&self.run), &bytes)
        });
        let Private { system, lineage, teachers } =
            if sealed.is_some() { Private::default() } else { private };
        let (format, run, created) = (self.format, self.run.clone(), self.created);
        sealed::seal(&Stored { format, run, created, system, lineage, teachers, sealed }).unwrap_or_default()
    }

    pub(crate) fn decode(bytes: &[u8], cipher: Option<&Cipher>) -> Result<Self, Refused> {
        let stored: Stored = sealed::unseal(OBJECT, bytes).map_err(Refused::Damaged)?;
        let encrypted = stored.sealed.is_some();
        let private = match (stored.sealed, cipher) {
            (None, _) => {
                Private { system: stored.system, lineage: stored.lineage, teachers: stored.teachers }
            }
            (Some(_), None) => return Err(Refused::NoKey),
            (Some(sealed), Some(cipher)) => {
                let opened = sealed.open(cipher, &what(&stored.run)).ok_or(Refused::WrongKey)?;
                serde_json::from_slice(&opened).map_err(|_| Refused::WrongKey)?
            }
        };
        let Private { system, lineage, teachers } = private;
        let Stored { format, run, created, .. } = stored;
        Ok(Self { format, run, system, created, lineage, teachers, encrypted })
    }
}

fn what(run: &str) -> String {
    format!("identity {run}")
}

/// What a new run comes from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Origins {
    /// What it was made from.
    pub lineage: Option<Lineage>,
    /// The checkpoints that it learns from beside its data.
    pub teachers: Vec<Lineage>,
}

impl From<Option<Lineage>> for Origins {
    fn from(lineage: Option<Lineage>) -> Self {
        Self { lineage, teachers: Vec::new() }
    }
}

/// A checkpoint or file that a run started from, or a checkpoint that it learns from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lineage {
    /// Where it was, as the user wrote it.
    pub source: String,
    /// Id of the run it belonged to.
    pub run: Option<String>,
    /// Its step.
    pub step: Option<u64>,
    /// Its state hash.
    pub state_hash: Option<Hash>,
    /// The part that was taken; the whole state when absent.
    pub only: Option<String>,
}

/// An id for a new run. It only has to differ from the ids of other runs.
pub(crate) fn new_run_id(location: &str) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let nanoseconds = now.map_or(0, |now| now.as_nanos());
    let seed = format!("{nanoseconds} {} {location}", std::process::id());
    Hash::of(seed.as_bytes()).to_string()[..16].to_owned()
}
