//! Dialogues as tokens.

use rekindle_tokenizer::Tokenizer;
use rekindle_train::{Message, Role};

use crate::model::kernels::loss::NO_TARGET;
use crate::model::pass::Sequence;

/// Stands before a message of the user.
pub const USER: &str = "<|user|>";
/// Stands before an answer of the model.
pub const ASSISTANT: &str = "<|assistant|>";
/// Stands behind every message.
pub const END: &str = "<|end|>";
/// All of them.
pub const SPECIAL_TOKENS: [&str; 3] = [USER, ASSISTANT, END];

/// Messages by turns.
pub type Dialogue = Vec<Message>;

/// The special tokens that stand around messages.
#[derive(Debug, Clone, Copy)]
pub struct RoleTokens {
    user: u32,
    assistant: u32,
    end: u32,
}

impl RoleTokens {
    /// Those of a tokenizer, if it has them.
    pub fn of(tokenizer: &Tokenizer) -> Option<Self> {
        let special =
            |text: &str| tokenizer.token_of(text.as_bytes()).filter(|&token| tokenizer.is_special(token));
        Some(Self { user: special(USER)?, assistant: special(ASSISTANT)?, end: special(END)? })
    }

    /// The token that ends a message.
    pub fn end(&self) -> u32 {
        self.end
    }

    /// The tokens of a message, with the special ones around it.
    pub fn encode(&self, tokenizer: &Tokenizer, message: &Message) -> Vec<u32> {
        let mut tokens = vec![self.of_role(message.role)];
        tokens.extend(tokenizer.encode_ordinary(message.content.as_bytes()));
        tokens.push(self.end);
        tokens
    }

    /// The token before a message of a role.
    pub fn of_role(&self, role: Role) -> u32 {
        match role {
            Role::User => self.user,
            Role::Assistant => self.assistant,
        }
    }

    /// A dialogue to learn: only answers are targets. It is cut to the context; the number is that of the
    /// targets behind the cut.
    pub fn sequence(&self, tokenizer: &Tokenizer, dialogue: &[Message], context: usize) -> (Sequence, usize) {
        let mut tokens = Vec::new();
        let mut is_target = Vec::new();
        for message in dialogue {
            let message_tokens = self.encode(tokenizer, message);
            is_target.push(false);
            is_target.extend(vec![message.role == Role::Assistant; message_tokens.len() - 1]);
            tokens.extend(message_tokens);
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
