//! How text is made and cut, which may change from one version of the program to the next.

use serde::{Deserialize, Serialize};

/// How text is made and cut into what is learnt. A state says with which edition it was begun, so that
/// a run goes on as it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Edition {
    /// That of runs which were begun before there were editions. Texts are cut to the context, and have
    /// no end; what is measured on are the last of the documents; generated text holds out the wordings of
    /// the examination only.
    #[default]
    First,
    /// Texts end with a mark and are split into windows; documents are told apart by their content;
    /// generated text holds out facts and conclusions.
    Second,
}

impl Edition {
    /// That of new runs.
    pub const PRESENT: Self = Self::Second;
}
