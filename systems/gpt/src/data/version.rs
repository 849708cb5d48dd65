//! The version of how text is made and cut, which may change from one version of the program to the next.

use serde::{Deserialize, Serialize};

/// How text is generated, and how it is cut into training examples. A state says with which version it was
/// begun, so that a run goes on as it began. In a state it is called `edition`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum DataVersion {
    /// That of runs which were begun before there were versions. Texts are cut to the context, and have
    /// no end; what is evaluated on are the last of the documents; generated text holds out the wordings of
    /// the exam only.
    #[default]
    #[serde(rename = "first")]
    V1,
    /// Texts end with a token and are split into windows; documents are told apart by their content;
    /// generated text holds out facts and conclusions.
    #[serde(rename = "second")]
    V2,
}

impl DataVersion {
    /// That of new runs.
    pub const LATEST: Self = Self::V2;
}
