//! Migrations: how states of older versions become states of the present one.

use std::collections::BTreeMap;

use rekindle_store::{Schema, Tree};

/// A step from one version to the next.
pub type Migration = fn(Tree) -> Result<Tree, String>;

/// The schema of a state and the ways to it from older versions.
///
/// ```
/// use rekindle::{Node, Versions};
/// use rekindle::records::Schema;
///
/// // Version 2 renamed `lr` to `learning_rate`.
/// let versions = Versions::new("my-model", 2).migration(1, |tree| match tree {
///     Node::Struct(mut fields) => {
///         for (name, _) in &mut fields {
///             if name == "lr" {
///                 *name = "learning_rate".to_owned();
///             }
///         }
///         Ok(Node::Struct(fields))
///     }
///     _ => Err("a struct was expected".to_owned()),
/// });
/// # let _ = versions;
/// ```
#[derive(Debug, Clone)]
pub struct Versions {
    schema: Schema,
    steps: BTreeMap<u32, Migration>,
}

/// A state of another version cannot be brought to the present one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// The state is of another kind.
    #[error("the state is a `{found}`, `{expected}` is expected")]
    OtherSchema {
        /// Its kind.
        found: String,
        /// The expected kind.
        expected: String,
    },
    /// A later version of the program saved the state.
    #[error(
        "the state has version {found} of `{name}`, this program knows up to {supported}: use a newer one"
    )]
    Newer {
        /// Name of the schema.
        name: String,
        /// Its version.
        found: u32,
        /// The newest known version.
        supported: u32,
    },
    /// There is no step from that version.
    #[error("the state has version {found} of `{name}`; there is no way from there to version {supported}")]
    NoWay {
        /// Name of the schema.
        name: String,
        /// Its version.
        found: u32,
        /// The present version.
        supported: u32,
    },
    /// A step failed.
    #[error("migrating the state from version {from} of `{name}` failed: {message}")]
    Failed {
        /// Name of the schema.
        name: String,
        /// Version before the step.
        from: u32,
        /// What the step said.
        message: String,
    },
}

impl Versions {
    /// States of kind `name`, now at `version`.
    pub fn new(name: impl Into<String>, version: u32) -> Self {
        Self { schema: Schema { name: name.into(), version }, steps: BTreeMap::new() }
    }

    /// Adds the step from version `from` to the next.
    #[must_use]
    pub fn migration(mut self, from: u32, step: Migration) -> Self {
        self.steps.insert(from, step);
        self
    }

    /// Name and present version.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// A state that was saved as `found`, brought to the present version.
    ///
    /// # Errors
    /// When there is no way from there.
    pub fn migrated(&self, tree: Tree, found: Option<&Schema>) -> Result<Tree, MigrationError> {
        self.migrate(tree, self.path_from(found)?)
    }

    /// The versions to go through for a state saved as `found`; empty when it is up to date. A
    /// state without a schema is taken as it is.
    pub(crate) fn path_from(&self, found: Option<&Schema>) -> Result<std::ops::Range<u32>, MigrationError> {
        let present = &self.schema;
        let Some(found) = found else { return Ok(0..0) };
        if found.name != present.name {
            let (found, expected) = (found.name.clone(), present.name.clone());
            return Err(MigrationError::OtherSchema { found, expected });
        }
        let (name, supported) = (present.name.clone(), present.version);
        if found.version > supported {
            return Err(MigrationError::Newer { name, found: found.version, supported });
        }
        let path = found.version..supported;
        if path.clone().any(|version| !self.steps.contains_key(&version)) {
            return Err(MigrationError::NoWay { name, found: found.version, supported });
        }
        Ok(path)
    }

    /// Takes a tree along the steps of `path`.
    pub(crate) fn migrate(&self, mut tree: Tree, path: std::ops::Range<u32>) -> Result<Tree, MigrationError> {
        for from in path {
            let failed = |message| MigrationError::Failed { name: self.schema.name.clone(), from, message };
            let step = self.steps.get(&from).ok_or_else(|| failed("there is no such step".to_owned()))?;
            tree = step(tree).map_err(failed)?;
        }
        Ok(tree)
    }
}
