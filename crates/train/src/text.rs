//! Models that go on with texts and answer in chats.

use std::path::Path;

use rekindle::Checkpoint;
use rekindle_formats::pictures::Colours;
use rekindle_pictures::Image;
use rekindle_reason::FactCache;
use serde::{Deserialize, Serialize};

use crate::system::SystemError;

/// A language model that is ready to be asked. It keeps what it has read, so that a longer prompt with the
/// same beginning is read from where it differs.
pub trait TextModel {
    /// What it is made of.
    fn size(&self) -> TextModelSize;

    /// What whoever asks should know of it, such as what of its file was left out.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// What problems that it has learnt follow from, where that was kept: each is checked.
    fn facts(&self) -> Option<&FactCache> {
        None
    }

    /// The text that stands for a picture where the model is asked about it.
    ///
    /// # Errors
    /// When it has learnt no pictures, or others than of this size.
    fn picture_as_text(&self, picture: &Colours) -> Result<String, SystemError> {
        let _ = picture;
        Err(SystemError::new("the model has learnt no pictures"))
    }

    /// The first picture in an answer, and what is said beside it; none where there is no picture.
    fn picture_in(&self, answer: &str) -> Option<(Image, String)> {
        let _ = answer;
        None
    }

    /// How text is sampled: names and values, such as `temperature`.
    fn settings(&self) -> Vec<(&'static str, String)>;

    /// Changes one of them.
    ///
    /// # Errors
    /// When there is none of that name, or it cannot have the value.
    fn set(&mut self, name: &str, value: &str) -> Result<(), SetError>;

    /// Makes memory and threads ready, so that the first answer does not wait for them.
    ///
    /// # Errors
    /// When the machine has too little of either.
    fn warm_up(&mut self) -> Result<(), SystemError>;

    /// Goes on with a text. Each piece of what is new goes to `piece` as soon as it is certain; `false` ends
    /// the text.
    ///
    /// # Errors
    /// When the prompt has no token, or more than the model sees and may not slide.
    fn complete(
        &mut self,
        prompt: &[u8],
        request: &Completion,
        piece: &mut dyn FnMut(&str) -> bool,
    ) -> Result<Generated, CompleteError>;

    /// Answers the last message, and sees as many of those before it as fit.
    ///
    /// # Errors
    /// When the last message alone does not fit.
    fn answer(
        &mut self,
        messages: &[Message],
        piece: &mut dyn FnMut(&str) -> bool,
    ) -> Result<Generated, SystemError>;

    /// How well it predicts a text: each token but the first, from as many before it as it sees when the text
    /// is cut into pieces of its context.
    ///
    /// # Errors
    /// When there is nothing to predict.
    fn measure(&self, text: &[u8]) -> Result<TextMeasure, SystemError>;

    /// The same with weights in each precision that the model can have: names such as `f32`, that of
    /// [`measure`](Self::measure) first.
    ///
    /// # Errors
    /// Those of [`measure`](Self::measure).
    fn measure_by_precision(&self, text: &[u8]) -> Result<Vec<(&'static str, TextMeasure)>, SystemError>;

    /// Computes the logits of a short text; gives how many tokens it had.
    ///
    /// # Errors
    /// Names the first logit that is not finite.
    fn try_out(&self) -> Result<usize, SystemError>;
}

/// A model that was loaded, or why it was not.
pub type Loaded = Result<Box<dyn TextModel>, SystemError>;

/// Models of a family that go on with texts.
#[derive(Debug, Clone, Copy)]
pub struct TextCapability {
    /// How text is sampled, as named options.
    pub options: &'static [TextOption],
    /// The model of a checkpoint, with a number of threads. Nothing else of the checkpoint is read.
    pub load: fn(&Checkpoint<'_>, usize) -> Loaded,
    /// True for a file or directory of another program that holds such a model.
    pub recognises: fn(&Path) -> bool,
    /// The model of such a file or directory.
    pub read: fn(&Path, usize) -> Loaded,
}

/// A named option of how text is sampled: [`TextModel::set`] takes it.
#[derive(Debug, Clone, Copy)]
pub struct TextOption {
    /// Its name, as settings have it, such as `top_p`.
    pub name: &'static str,
    /// What a value is, such as `P`; `None` for a switch, whose value is `true`.
    pub value: Option<&'static str>,
    /// One line for people.
    pub help: &'static str,
}

/// What a model is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TextModelSize {
    /// Numbers that were learnt.
    pub parameters: u64,
    /// Blocks behind each other.
    pub layers: usize,
    /// Numbers between two blocks, for each token.
    pub width: usize,
    /// Tokens that it sees.
    pub context: usize,
    /// Tokens that there are.
    pub vocabulary: usize,
    /// Identity of its tokenizer.
    pub tokenizer: String,
}

/// How a text is gone on with, beside the model's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completion {
    /// Texts at which it ends; they are not given, nor is what would follow.
    pub stop: Vec<String>,
    /// When the context is full, forget the older half and go on.
    pub slide: bool,
}

/// What came of it, beside the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    /// The tokens behind the prompt, without one that ends the text.
    pub tokens: Vec<u32>,
    /// Why there are no more.
    pub stop: TextStop,
    /// Tokens of the prompt that were read in a second.
    pub prompt_rate: f64,
    /// Tokens that were chosen in a second.
    pub rate: f64,
}

/// How well a text was predicted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TextMeasure {
    /// Tokens that were predicted.
    pub tokens: u64,
    /// Bytes of the text.
    pub bytes: u64,
    /// Mean of the negative logarithms of their probabilities: nats a token.
    pub loss: f64,
}

impl TextMeasure {
    /// The number of equally probable tokens that would be as hard to predict.
    pub fn perplexity(&self) -> f64 {
        self.loss.exp()
    }

    /// Bits that the text takes when it is coded with these probabilities, for each of its bytes: comparable
    /// across vocabularies.
    pub fn bits_per_byte(&self) -> f64 {
        self.loss * self.tokens as f64 / std::f64::consts::LN_2 / self.bytes.max(1) as f64
    }
}

/// Why a text ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TextStop {
    /// There are as many tokens as were asked for.
    MaxTokens,
    /// It went on with this text.
    Text(String),
    /// This token came.
    Token(u32),
    /// The model cannot see more.
    ContextFull,
    /// Nobody asked for more.
    Interrupted,
}

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Whoever asks.
    User,
    /// The model.
    Assistant,
}

/// Something that was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Who said it.
    pub role: Role,
    /// What.
    pub content: String,
}

/// A text cannot be gone on with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompleteError {
    /// The model does not see all of the prompt.
    #[error("the prompt has {found} tokens, but the model sees at most {context}")]
    TooLong {
        /// Tokens of the prompt.
        found: usize,
        /// Tokens that the model sees.
        context: usize,
    },
    /// The model refused or failed.
    #[error(transparent)]
    System(#[from] SystemError),
}

/// A setting cannot be changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetError {
    /// There is none of that name.
    #[error("there is no setting `{0}`")]
    Unknown(String),
    /// It is of another type.
    #[error("`{value}` is not a value of {name}")]
    Value {
        /// The setting.
        name: String,
        /// What was given.
        value: String,
    },
    /// It is out of its range, or the machine cannot do it.
    #[error(transparent)]
    System(#[from] SystemError),
}

/// The messages of a chat so far.
///
/// As JSON it is `{"version": 1, "conversations": [{"messages": [{"role", "content"}, …]}]}`, so that
/// saved chats can be learnt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conversation {
    /// From the oldest to the newest.
    pub messages: Vec<Message>,
}

/// The version of the file that is written.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConversationFile {
    version: u32,
    conversations: Vec<Messages>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Messages {
    messages: Vec<Message>,
}

/// A text is not a saved chat.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConversationError {
    /// It is something else.
    #[error("it is not a saved chat: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It is of another version.
    #[error("it is of version {found}, this program reads version {VERSION}")]
    Version {
        /// The version of the text.
        found: u32,
    },
}

impl Conversation {
    /// Adds a message.
    pub fn push(&mut self, role: Role, content: &str) {
        self.messages.push(Message { role, content: content.to_owned() });
    }

    /// As the text of a file.
    pub fn to_json(&self) -> String {
        let messages = self.messages.clone();
        let file = ConversationFile { version: VERSION, conversations: vec![Messages { messages }] };
        // Cannot fail: the keys are strings.
        serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
    }

    /// From the text of a file.
    ///
    /// # Errors
    /// When it is not a chat, or of another version.
    pub fn from_json(text: &str) -> Result<Self, ConversationError> {
        let file: ConversationFile = serde_json::from_str(text)?;
        if file.version != VERSION {
            return Err(ConversationError::Version { found: file.version });
        }
        Ok(Self { messages: file.conversations.into_iter().flat_map(|messages| messages.messages).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_comes_back_from_its_file() {
        let mut conversation = Conversation::default();
        conversation.push(Role::User, "What is rain?");
        conversation.push(Role::Assistant, "Water.");
        assert_eq!(Conversation::from_json(&conversation.to_json()).unwrap(), conversation);
        let other_role = r#"{"version": 1, "conversations": [{"messages": [{"role": "x", "content": ""}]}]}"#;
        for (damaged, expected) in [
            ("", "not a saved chat"),
            (r#"{"version": 2, "conversations": []}"#, "of version 2"),
            (other_role, "unknown variant"),
        ] {
            let error = Conversation::from_json(damaged).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
