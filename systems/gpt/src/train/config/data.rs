//! What a phase learns.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::data::Suite;

/// Where the text of a phase comes from, and how it is divided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Data {
    /// A file: running text, a JSON list of texts, or dialogues as JSON or JSON lines.
    pub file: Option<String>,
    /// What is generated when there is no file.
    pub source: Source,
    /// How many paragraphs or dialogues are generated.
    pub count: u32,
    /// The share that is not learnt but evaluated on while training goes on: what is chosen (the best
    /// checkpoint, an early end) is chosen by it. Running text gives its end.
    pub evaluation: f64,
    /// The share that nothing sees before training has ended, for what is reported then. Running text
    /// gives the end, behind that of `evaluation`.
    #[serde(skip_serializing_if = "is_zero")]
    pub test: f64,
    /// In which order examples are learnt.
    pub order: Order,
    /// An example begins at a random position of the context, a new one each time, so that all positions are learnt
    /// and longer ones can be answered.
    #[serde(skip_serializing_if = "is_false")]
    pub random_positions: bool,
    /// What `source: reasoning` makes problems of.
    #[serde(skip_serializing_if = "is_rules")]
    pub suites: Vec<Suite>,
    /// Answers of `source: reasoning` begin with what follows, step by step, where that is what the problem is about.
    #[serde(skip_serializing_if = "is_false")]
    pub steps: bool,
}

impl Default for Data {
    fn default() -> Self {
        Self {
            file: None,
            source: Source::default(),
            count: 12_000,
            evaluation: 0.1,
            test: 0.0,
            order: Order::default(),
            random_positions: false,
            suites: vec![Suite::Rules],
            steps: false,
        }
    }
}

/// What text is generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// None: a file is needed.
    #[default]
    File,
    /// Sentences about logic and everyday facts.
    Facts,
    /// Questions about the same, and their answers.
    Dialogues,
    /// Problems of reasoning, labelled by a reasoner.
    Reasoning,
    /// Pictures of a shape each, what they show, and the request to draw it.
    Shapes,
}

/// In which order examples are learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// In a new random order each time.
    #[default]
    Shuffled,
    /// As they stand.
    Given,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(share: &f64) -> bool {
    *share == 0.0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(value: &bool) -> bool {
    !value
}

fn is_rules(suites: &[Suite]) -> bool {
    suites == [Suite::Rules]
}
