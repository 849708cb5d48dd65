//! Dialogues as tokens.

use rekindle_tokenizer::Tokenizer;
use serde::{Deserialize, Serialize};

use crate::kernels::loss::NO_TARGET;
use crate::lesson::{Speaker, Turn};
use crate::pass::Sequence;

/// Stands before what the user says.
pub const USER: &str = "<|user|>";
/// Stands before what the model answers.
pub const ASSISTANT: &str = "<|assistant|>";
/// Stands behind whatever anyone says.
pub const END: &str = "<|end|>";
/// All of them.
pub const SPECIAL_TOKENS: [&str; 3] = [USER, ASSISTANT, END];

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The user; or what sets the scene.
    User,
    /// The model.
    Assistant,
}

/// Something that is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// By whom.
    pub role: Role,
    /// What.
    pub text: String,
}

/// What is said by turns.
pub type Dialogue = Vec<Said>;

/// The marks of a dialogue as tokens.
#[derive(Debug, Clone, Copy)]
pub struct Marks {
    user: u32,
    assistant: u32,
    end: u32,
}

impl Marks {
    /// Those of a tokenizer, if it has them.
    pub fn of(tokenizer: &Tokenizer) -> Option<Self> {
        let mark =
            |text: &str| tokenizer.token_of(text.as_bytes()).filter(|&token| tokenizer.is_special(token));
        Some(Self { user: mark(USER)?, assistant: mark(ASSISTANT)?, end: mark(END)? })
    }

    /// The token that ends what is said.
    pub fn end(&self) -> u32 {
        self.end
    }

    /// The tokens of something that is said, marks included.
    pub fn said(&self, tokenizer: &Tokenizer, said: &Said) -> Vec<u32> {
        let mut tokens = vec![self.of_role(said.role)];
        tokens.extend(tokenizer.encode_ordinary(said.text.as_bytes()));
        tokens.push(self.end);
        tokens
    }

    /// What the model goes on from.
    pub fn of_role(&self, role: Role) -> u32 {
        match role {
            Role::User => self.user,
            Role::Assistant => self.assistant,
        }
    }

    /// A dialogue to learn: only what the model says is a target. It is cut to the context; the number is
    /// that of the targets behind it.
    pub fn sequence(&self, tokenizer: &Tokenizer, dialogue: &[Said], context: usize) -> (Sequence, usize) {
        let mut tokens = Vec::new();
        let mut is_target = Vec::new();
        for said in dialogue {
            let said_tokens = self.said(tokenizer, said);
            is_target.push(false);
            is_target.extend(vec![said.role == Role::Assistant; said_tokens.len() - 1]);
            tokens.extend(said_tokens);
        }
        let lost = is_target.iter().skip(context + 1).filter(|&&is_target| is_target).count();
        tokens.truncate(context + 1);
        let mut sequence = Sequence::of_text(&tokens);
        for (target, is_target) in sequence.targets.iter_mut().zip(is_target.iter().skip(1)) {
            if !is_target {
                *target = NO_TARGET;
            }
        }
        (sequence, lost)
    }
}

impl From<Turn> for Said {
    fn from(turn: Turn) -> Self {
        let role = match turn.speaker {
            Speaker::User => Role::User,
            Speaker::Assistant => Role::Assistant,
        };
        Self { role, text: turn.text }
    }
}
