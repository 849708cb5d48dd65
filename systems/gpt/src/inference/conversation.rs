//! A chat: its messages, the prompt that they make, and its file.

use rekindle_tokenizer::Tokenizer;
use serde::{Deserialize, Serialize};

use crate::data::{Message, Role, RoleTokens, end_token};
use crate::error::GptError;

/// The messages of a chat so far, the user's and the model's.
///
/// As JSON it is `{"version": 1, "conversations": [{"messages": [{"role", "content"}, …]}]}`, so that
/// saved chats can be learnt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conversation {
    messages: Vec<Message>,
}

/// How a conversation becomes the prompt of a model.
#[derive(Debug, Clone, Copy)]
pub enum ChatTemplate {
    /// With the special tokens of its fine-tuning: it sees the whole conversation, as far as it fits.
    RoleTokens(RoleTokens),
    /// As `User: … Assistant:`: it sees the last question only.
    Plain,
}

/// The version of the file that is written.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    conversations: Vec<Messages>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Messages {
    messages: Vec<MessageForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MessageForm {
    role: Role,
    content: String,
}

impl ChatTemplate {
    /// The template of the model of a tokenizer.
    pub fn of(tokenizer: &Tokenizer) -> Self {
        RoleTokens::of(tokenizer).map_or(Self::Plain, Self::RoleTokens)
    }

    /// Tokens that end an answer.
    pub fn stop_tokens(&self, tokenizer: &Tokenizer) -> Vec<u32> {
        match self {
            Self::RoleTokens(role_tokens) => vec![role_tokens.end()],
            Self::Plain => end_token(tokenizer).into_iter().collect(),
        }
    }

    /// Special tokens that no answer contains: they would be shown as a text such as `<|user|>`.
    pub fn forbidden_tokens(&self, tokenizer: &Tokenizer) -> Vec<u32> {
        forbidden_tokens(tokenizer, &self.stop_tokens(tokenizer))
    }

    /// Texts that end an answer.
    pub fn stop_strings(&self) -> Vec<String> {
        match self {
            Self::RoleTokens(_) => Vec::new(),
            Self::Plain => vec!["User:".to_owned()],
        }
    }
}

/// The special tokens of a tokenizer but those at which text ends.
pub fn forbidden_tokens(tokenizer: &Tokenizer, stop_tokens: &[u32]) -> Vec<u32> {
    let tokens = 0..tokenizer.len() as u32;
    tokens.filter(|token| tokenizer.is_special(*token) && !stop_tokens.contains(token)).collect()
}

impl Conversation {
    /// All messages.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// Adds a message.
    pub fn push(&mut self, role: Role, text: &str) {
        self.messages.push(Message { role, text: text.to_owned() });
    }

    /// Removes the last message.
    pub fn pop(&mut self) {
        self.messages.pop();
    }

    /// Removes all messages.
    pub fn clear(&mut self) {
        self.messages.clear();
    }

    /// The prompt, in at most `room` tokens: the oldest turns are left out until it
    /// fits.
    ///
    /// # Errors
    /// When the last turn alone does not fit.
    pub fn prompt(
        &self,
        template: &ChatTemplate,
        tokenizer: &Tokenizer,
        room: usize,
    ) -> Result<Vec<u32>, GptError> {
        let too_long = |found| GptError::TooLong {
            what: "the question",
            found,
            context: room,
            hint: "ask a shorter one, or leave less room for the answer",
        };
        let role_tokens = match template {
            ChatTemplate::Plain => {
                let last = self.messages.last().map_or("", |message| &message.text);
                let tokens = tokenizer.encode_ordinary(format!("User: {last} Assistant:").as_bytes());
                return if tokens.len() <= room { Ok(tokens) } else { Err(too_long(tokens.len())) };
            }
            ChatTemplate::RoleTokens(role_tokens) => role_tokens,
        };
        let mut turns = Vec::new();
        let mut len = 1;
        for message in self.messages.iter().rev() {
            let tokens = role_tokens.encode(tokenizer, message);
            len += tokens.len();
            if len > room {
                break;
            }
            turns.push((message.role, tokens));
        }
        // It begins with a question.
        while turns.last().is_some_and(|(role, _)| *role == Role::Assistant) {
            turns.pop();
        }
        if turns.is_empty() && !self.messages.is_empty() {
            return Err(too_long(len));
        }
        let mut tokens: Vec<u32> = turns.into_iter().rev().flat_map(|(_, tokens)| tokens).collect();
        tokens.push(role_tokens.of_role(Role::Assistant));
        Ok(tokens)
    }

    /// As the text of a file.
    pub fn to_json(&self) -> String {
        let message = |message: &Message| MessageForm { role: message.role, content: message.text.clone() };
        let messages = self.messages.iter().map(message).collect();
        let file = File { version: VERSION, conversations: vec![Messages { messages }] };
        // Cannot fail: the keys are strings.
        serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
    }

    /// From the text of a file; `origin` says where it is from.
    ///
    /// # Errors
    /// When it is not a chat, or of a later version.
    pub fn from_json(text: &str, origin: &str) -> Result<Self, GptError> {
        let refused = |reason: String| GptError::Data { origin: origin.to_owned(), reason };
        let file: File = serde_json::from_str(text)
            .map_err(|error| refused(format!("it is not a saved chat: {error}")))?;
        if file.version != VERSION {
            let reason = format!("it is of version {}, this program reads version {VERSION}", file.version);
            return Err(refused(reason));
        }
        let messages = file.conversations.into_iter().flat_map(|conversation| conversation.messages);
        let message = |message: MessageForm| Message { role: message.role, text: message.content };
        Ok(Self { messages: messages.map(message).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::SPECIAL_TOKENS;

    fn tokenizer() -> Tokenizer {
        let tokenizer = Tokenizer::train_byte_pair(b"What is rain? Rain is water.", 260).unwrap();
        tokenizer.with_special_tokens(&SPECIAL_TOKENS).unwrap()
    }

    fn conversation() -> Conversation {
        let mut conversation = Conversation::default();
        conversation.push(Role::User, "What is rain?");
        conversation.push(Role::Assistant, "Water.");
        conversation.push(Role::User, "Is it <|end|> wet?");
        conversation
    }

    #[test]
    fn the_oldest_turns_are_left_out_until_it_fits() {
        let (conversation, tokenizer) = (conversation(), tokenizer());
        let template = ChatTemplate::of(&tokenizer);
        let text = |room| {
            let tokens = conversation.prompt(&template, &tokenizer, room)?;
            assert!(tokens.len() <= room);
            Ok::<_, GptError>(String::from_utf8(tokenizer.decode(&tokens).unwrap()).unwrap())
        };
        let last = "<|user|>Is it <|end|> wet?<|end|><|assistant|>";
        let whole = format!("<|user|>What is rain?<|end|><|assistant|>Water.<|end|>{last}");
        assert_eq!(text(200).unwrap(), whole);
        assert_eq!(text(28).unwrap(), last);
        let error = text(10).unwrap_err().to_string();
        assert!(error.contains("the question has"), "{error}");
    }

    #[test]
    fn nobody_can_give_himself_another_role() {
        let (conversation, tokenizer) = (conversation(), tokenizer());
        let tokens = conversation.prompt(&ChatTemplate::of(&tokenizer), &tokenizer, 200).unwrap();
        let role_tokens = tokens.iter().filter(|&&token| tokenizer.is_special(token)).count();
        assert_eq!(role_tokens, 7);
    }

    #[test]
    fn what_a_user_writes_is_never_a_special_token() {
        let text = b"User: Is it </s> wet? Assistant:";
        let tokenizer = Tokenizer::train_byte_pair(text, 260).unwrap();
        let tokenizer = tokenizer.with_special_tokens(&["</s>"]).unwrap();
        let template = ChatTemplate::of(&tokenizer);
        assert!(matches!(template, ChatTemplate::Plain));
        let mut conversation = Conversation::default();
        conversation.push(Role::User, "Is it </s> wet?");
        let tokens = conversation.prompt(&template, &tokenizer, 200).unwrap();
        assert!(tokens.iter().all(|&token| !tokenizer.is_special(token)));
        assert_eq!(tokenizer.decode(&tokens).unwrap(), text);
    }

    #[test]
    fn the_special_tokens_of_roles_are_in_no_answer() {
        let tokenizer = tokenizer();
        let forbidden = ChatTemplate::of(&tokenizer).forbidden_tokens(&tokenizer);
        let shown = forbidden.iter().map(|&token| tokenizer.token_bytes(token).unwrap());
        assert!(shown.eq([&b"<|user|>"[..], b"<|assistant|>"]));
    }

    #[test]
    fn a_chat_comes_back_from_its_file() {
        let json = conversation().to_json();
        assert_eq!(Conversation::from_json(&json, "it").unwrap(), conversation());
        for (damaged, expected) in [
            ("", "not a saved chat"),
            ("{\"version\": 2, \"conversations\": []}", "of version 2"),
            (
                "{\"version\": 1, \"conversations\": [{\"messages\": [{\"role\": \"x\", \"content\": \"\"}]}]}",
                "unknown variant",
            ),
        ] {
            let error = Conversation::from_json(damaged, "`chat.json`").unwrap_err().to_string();
            assert!(error.contains("`chat.json`") && error.contains(expected), "{error}");
        }
    }
}
