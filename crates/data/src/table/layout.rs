//! Which columns of a table are what, and how its file is to be read.

use rekindle::similar::nearest;
use rekindle_formats::table::{Column, CsvFormat, Table};
use serde::{Deserialize, Deserializer};

use super::classes::ClassOrder;
use super::error::{ExamplesError, listed};
use super::missing::Missing;
use crate::origin::Origin;

/// Which columns of a table are what. All others are inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableLayout<'a> {
    /// Columns that are to be predicted.
    pub targets: &'a [String],
    /// Columns that are left out.
    pub ignored: &'a [String],
    /// What the targets are.
    pub kind: TargetKind,
    /// What becomes of rows in which a value is missing.
    pub missing: Missing,
    /// What is known of the file beforehand.
    pub format: CsvFormat,
}

/// What targets are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// The names of classes, in one column.
    Classes(ClassOrder),
    /// Numbers, in any number of columns.
    Numbers,
}

impl TableLayout<'_> {
    pub(super) fn is_input(&self, column: &Column) -> bool {
        !self.targets.contains(&column.name) && !self.ignored.contains(&column.name)
    }

    /// Checks that the table has all columns that are named, and none is named as both.
    pub(super) fn check(&self, origin: &Origin, table: &Table) -> Result<(), ExamplesError> {
        let origin = || origin.clone();
        if self.targets.is_empty() {
            let columns: Vec<&str> = names(table).collect();
            let (last, columns) = (columns.last().copied().unwrap_or_default().to_owned(), listed(&columns));
            return Err(ExamplesError::NoTarget { origin: origin(), last, columns });
        }
        if let (TargetKind::Classes(_), [_, _, ..]) = (self.kind, self.targets) {
            return Err(ExamplesError::SeveralTargets { origin: origin(), count: self.targets.len() });
        }
        for name in self.targets.iter().chain(self.ignored) {
            column(&origin(), table, name)?;
        }
        match self.targets.iter().find(|target| self.ignored.contains(target)) {
            Some(target) => Err(ExamplesError::TargetIgnored { origin: origin(), column: target.clone() }),
            None => Ok(()),
        }
    }
}

/// Reads names of columns from a config: one, or a list.
///
/// # Errors
/// When it is neither.
pub fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "the name of a column or a list of names is expected")]
    enum Names {
        One(String),
        More(Vec<String>),
    }
    Ok(match Names::deserialize(deserializer)? {
        Names::One(name) => vec![name],
        Names::More(names) => names,
    })
}

pub(super) fn names(table: &Table) -> impl Iterator<Item = &str> {
    table.columns().iter().map(|column| column.name.as_str())
}

/// The column of that name.
pub(super) fn column<'a>(origin: &Origin, table: &'a Table, name: &str) -> Result<&'a Column, ExamplesError> {
    table.column(name).ok_or_else(|| {
        let meant = nearest(name, names(table).map(str::to_owned));
        ExamplesError::UnknownColumn {
            origin: origin.clone(),
            column: name.to_owned(),
            meant: meant.map_or(String::new(), |meant| format!(" (did you mean `{meant}`?)")),
            columns: listed(&names(table).collect::<Vec<_>>()),
        }
    })
}
