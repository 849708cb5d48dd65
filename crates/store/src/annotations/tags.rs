//! Tags: names for checkpoints. A tagged checkpoint is never pruned.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::encryption::cipher::Cipher;
use crate::encryption::sealer::{SealedText, Sealer};
use crate::error::{Damage, ReadError, SaveError};
use crate::hash::Hash;
use crate::hint::Hint;
use crate::packs::pack::unreadable;
use crate::reader::Store;
use crate::sealed;
use crate::storage::{Object, StorageError};
use crate::writer::Writer;

pub(crate) const PREFIX: &str = "refs/tags/";
const LIMIT: u64 = 4 << 10;

#[derive(Serialize, Deserialize)]
struct Tag {
    /// The tag's name, where the object's does not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    step: u64,
    state_hash: Hash,
}

/// A tag as it is stored in an encrypted run, under a keyed name.
#[derive(Serialize, Deserialize)]
struct SealedTag {
    sealed: SealedText,
}

const WHAT: &str = "tag";

fn object_name(name: &str, cipher: Option<&Cipher>) -> String {
    match cipher {
        None => format!("{PREFIX}{name}"),
        Some(cipher) => format!("{PREFIX}{}", cipher.name_of_text(name)),
    }
}

impl Tag {
    fn encode(&self, sealer: &Sealer<'_>) -> Vec<u8> {
        let sealed = sealer.seal(WHAT, &serde_json::to_vec(self).unwrap_or_default());
        let sealed = sealed.map(|sealed| SealedTag { sealed });
        sealed.map_or_else(|| sealed::seal(self), |sealed| sealed::seal(&sealed)).unwrap_or_default()
    }

    fn decode(object: &str, bytes: &[u8], sealer: &Sealer<'_>) -> Result<Self, Damage> {
        if sealer.cipher.is_none() {
            return sealed::unseal(object, bytes);
        }
        let stored: SealedTag = sealed::unseal(object, bytes)?;
        let opened = sealer.open(WHAT, &stored.sealed);
        let tag: Option<Self> = opened.and_then(|opened| serde_json::from_slice(&opened).ok());
        tag.filter(|tag| object_name(tag.name.as_deref().unwrap_or_default(), sealer.cipher) == object)
            .ok_or_else(|| Damage::malformed(object, "it is not a tag of this run"))
    }
}

/// A tag's name, its object, and the step that it points to.
type TagObject = (String, String, Result<u64, Damage>);

/// What is wrong with the tag in `object`, whose checkpoint is not there.
pub(crate) fn dangling(object: &str) -> Damage {
    Damage::malformed(object, "it points to a checkpoint that is not there")
}

/// Setting or deleting a tag failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TagError {
    /// The name is no tag's.
    #[error(
        "`{name}` cannot be a tag: use letters, digits, `.`, `_` and `-` (at most 100), not only digits, not `latest` or `best`"
    )]
    BadName {
        /// The name.
        name: String,
    },
    /// There is no such tag.
    #[error("there is no tag `{name}`{}", nearest.as_ref().map_or(String::new(), |tag| format!("; did you mean `{tag}`?")))]
    NoTag {
        /// The name.
        name: String,
        /// The most similar tag there is.
        nearest: Option<String>,
    },
    /// The tag is set to another checkpoint.
    #[error("tag `{name}` points to step {step} already")]
    Taken {
        /// The name.
        name: String,
        /// Where it points.
        step: u64,
    },
    /// The checkpoint cannot be tagged.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The run cannot be written.
    #[error(transparent)]
    Save(#[from] SaveError),
}

impl TagError {
    /// What helps, if something does.
    pub fn hint(&self) -> Option<Hint> {
        matches!(self, Self::Taken { .. }).then_some(Hint::DeleteOrMoveTag)
    }
}

impl From<StorageError> for TagError {
    fn from(error: StorageError) -> Self {
        Self::Save(error.into())
    }
}

fn check_name(name: &str) -> Result<(), TagError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let good = (1..=100).contains(&name.len())
        && name.chars().all(allowed)
        && !name.starts_with(['.', '-'])
        && !name.chars().all(|c| c.is_ascii_digit())
        && !["latest", "best"].contains(&name);
    good.then_some(()).ok_or_else(|| TagError::BadName { name: name.chars().take(100).collect() })
}

impl Store {
    /// All tags with the steps they point to; one that cannot be read with its damage.
    ///
    /// # Errors
    /// When the tags cannot be listed.
    pub fn tags(&self) -> Result<BTreeMap<String, Result<u64, Damage>>, StorageError> {
        Ok(self.tag_objects()?.into_iter().map(|(name, _, tag)| (name, tag)).collect())
    }

    /// All tags: the name, the object, and the step or the damage.
    pub(crate) fn tag_objects(&self) -> Result<Vec<TagObject>, StorageError> {
        let mut tags = Vec::new();
        for Object { name: object, .. } in self.storage().list(PREFIX)? {
            let tag = match self.storage().read(&object, LIMIT) {
                // Deleted since it was listed.
                Err(StorageError::Missing { .. }) => continue,
                Err(error) => Err(unreadable(&object, error)),
                Ok(bytes) => Tag::decode(&object, &bytes, &self.sealer()),
            };
            let sealed_name = tag.as_ref().ok().and_then(|tag| tag.name.clone());
            let name = sealed_name.unwrap_or_else(|| object[PREFIX.len()..].to_owned());
            tags.push((name, object, tag.map(|tag| tag.step)));
        }
        Ok(tags)
    }

    /// The step that a tag points to.
    ///
    /// # Errors
    /// When there is no such tag, or it is damaged.
    pub fn tagged_step(&self, name: &str) -> Result<u64, TagError> {
        let mut tags = self.tags()?;
        match tags.remove(name) {
            Some(Ok(step)) => Ok(step),
            Some(Err(damage)) => Err(ReadError::from(damage).into()),
            None => Err(TagError::NoTag {
                name: name.chars().take(100).collect(),
                nearest: crate::similar::nearest(name, tags.into_keys()),
            }),
        }
    }
}

impl Writer {
    /// Points a tag to the checkpoint at `step`. A tag that points elsewhere is moved only with
    /// `force`.
    ///
    /// # Errors
    /// When the name is no tag's, is taken, there is no such checkpoint, or the run cannot be
    /// written.
    pub fn set_tag(&self, name: &str, step: u64, force: bool) -> Result<(), TagError> {
        check_name(name)?;
        self.require_right()?;
        let state_hash = self.checkpoint(step)?.record().state_hash;
        match self.tags()?.remove(name) {
            Some(Ok(there)) if there != step && !force => {
                return Err(TagError::Taken { name: name.to_owned(), step: there });
            }
            Some(Err(damage)) if !force => return Err(ReadError::from(damage).into()),
            _ => {}
        }
        let sealer = self.sealer();
        let tag = Tag { name: sealer.cipher.map(|_| name.to_owned()), step, state_hash };
        Ok(self.storage().put(&object_name(name, sealer.cipher), &tag.encode(&sealer))?)
    }

    /// Deletes a tag; its checkpoint stays until it is pruned.
    ///
    /// # Errors
    /// When there is no such tag, or the run cannot be written.
    pub fn delete_tag(&self, name: &str) -> Result<(), TagError> {
        self.require_right()?;
        match self.tagged_step(name) {
            Ok(_) => Ok(self.storage().delete(&object_name(name, self.chunks().cipher()))?),
            // A damaged tag can be deleted too; it goes by the name of its object.
            Err(TagError::Read(_)) => Ok(self.storage().delete(&format!("{PREFIX}{name}"))?),
            Err(error) => Err(error),
        }
    }
}
