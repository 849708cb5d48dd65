//! A chat: what was said, what of it the model sees, and its file.

use rekindle_tokenizer::Tokenizer;
use serde::{Deserialize, Serialize};

use crate::data::{Marks, Role, Said, end_of};
use crate::error::GptError;

/// What was said so far, the user's turns and the model's.
///
/// As JSON it is `{"version": 1, "conversations": [{"messages": [{"role", "content"}, …]}]}`, so that
/// saved chats can be learnt: `train … --data chat.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conversation {
    said: Vec<Said>,
}

/// How a model is spoken to.
#[derive(Debug, Clone, Copy)]
pub enum Manner {
    /// With the marks that it was tuned with: it sees the whole conversation, as far as it fits.
    Marked(Marks),
    /// As `User: … Assistant:`: it sees the last question only.
    Spoken,
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
    messages: Vec<Message>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    role: Role,
    content: String,
}

impl Manner {
    /// The way in which the model of a tokenizer is spoken to.
    pub fn of(tokenizer: &Tokenizer) -> Self {
        Marks::of(tokenizer).map_or(Self::Spoken, Self::Marked)
    }

    /// Tokens that end an answer.
    pub fn stop_tokens(&self, tokenizer: &Tokenizer) -> Vec<u32> {
        match self {
            Self::Marked(marks) => vec![marks.end()],
            Self::Spoken => end_of(tokenizer).into_iter().collect(),
        }
    }

    /// Special tokens that no answer contains: they would be shown as a text such as `<|user|>`.
    pub fn forbidden_tokens(&self, tokenizer: &Tokenizer) -> Vec<u32> {
        forbidden_tokens(tokenizer, &self.stop_tokens(tokenizer))
    }

    /// Texts that end an answer.
    pub fn stop_texts(&self) -> Vec<String> {
        match self {
            Self::Marked(_) => Vec::new(),
            Self::Spoken => vec!["User:".to_owned()],
        }
    }
}

/// The special tokens of a tokenizer but those at which text ends.
pub fn forbidden_tokens(tokenizer: &Tokenizer, stop_tokens: &[u32]) -> Vec<u32> {
    let tokens = 0..tokenizer.len() as u32;
    tokens.filter(|token| tokenizer.is_special(*token) && !stop_tokens.contains(token)).collect()
}

impl Conversation {
    /// What was said.
    pub fn said(&self) -> &[Said] {
        &self.said
    }

    /// Someone says something.
    pub fn say(&mut self, role: Role, text: &str) {
        self.said.push(Said { role, text: text.to_owned() });
    }

    /// Takes back what was said last.
    pub fn take_back(&mut self) {
        self.said.pop();
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.said.clear();
    }

    /// What the model goes on from, in at most `room` tokens: the oldest turns are left out until it
    /// fits.
    ///
    /// # Errors
    /// When the last turn alone does not fit.
    pub fn prompt(&self, manner: &Manner, tokenizer: &Tokenizer, room: usize) -> Result<Vec<u32>, GptError> {
        let too_long = |found| GptError::TooLong {
            what: "the question",
            found,
            context: room,
            hint: "ask a shorter one, or leave it more room with /set max_tokens",
        };
        let marks = match manner {
            Manner::Spoken => {
                let last = self.said.last().map_or("", |said| &said.text);
                let tokens = tokenizer.encode_ordinary(format!("User: {last} Assistant:").as_bytes());
                return if tokens.len() <= room { Ok(tokens) } else { Err(too_long(tokens.len())) };
            }
            Manner::Marked(marks) => marks,
        };
        let mut turns = Vec::new();
        let mut len = 1;
        for said in self.said.iter().rev() {
            let tokens = marks.said(tokenizer, said);
            len += tokens.len();
            if len > room {
                break;
            }
            turns.push((said.role, tokens));
        }
        // It begins with a question.
        while turns.last().is_some_and(|(role, _)| *role == Role::Assistant) {
            turns.pop();
        }
        if turns.is_empty() && !self.said.is_empty() {
            return Err(too_long(len));
        }
        let mut tokens: Vec<u32> = turns.into_iter().rev().flat_map(|(_, tokens)| tokens).collect();
        tokens.push(marks.of_role(Role::Assistant));
        Ok(tokens)
    }

    /// As the text of a file.
    pub fn to_json(&self) -> String {
        let message = |said: &Said| Message { role: said.role, content: said.text.clone() };
        let messages = self.said.iter().map(message).collect();
        let file = File { version: VERSION, conversations: vec![Messages { messages }] };
        // Cannot fail: the keys are strings.
        serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
    }

    /// From the text of a file; `origin` says where it is from.
    ///
    /// # Errors
    /// When it is no chat, or of a later version.
    pub fn from_json(text: &str, origin: &str) -> Result<Self, GptError> {
        let refused = |reason: String| GptError::Data { origin: origin.to_owned(), reason };
        let file: File =
            serde_json::from_str(text).map_err(|error| refused(format!("it is no saved chat: {error}")))?;
        if file.version != VERSION {
            let reason = format!("it is of version {}, this program reads version {VERSION}", file.version);
            return Err(refused(reason));
        }
        let messages = file.conversations.into_iter().flat_map(|conversation| conversation.messages);
        Ok(Self {
            said: messages.map(|message| Said { role: message.role, text: message.content }).collect(),
        })
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
        conversation.say(Role::User, "What is rain?");
        conversation.say(Role::Assistant, "Water.");
        conversation.say(Role::User, "Is it <|end|> wet?");
        conversation
    }

    #[test]
    fn the_oldest_turns_are_left_out_until_it_fits() {
        let (conversation, tokenizer) = (conversation(), tokenizer());
        let manner = Manner::of(&tokenizer);
        let text = |room| {
            let tokens = conversation.prompt(&manner, &tokenizer, room)?;
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
        let tokens = conversation.prompt(&Manner::of(&tokenizer), &tokenizer, 200).unwrap();
        let marks = tokens.iter().filter(|&&token| tokenizer.is_special(token)).count();
        assert_eq!(marks, 7);
    }

    #[test]
    fn what_a_user_writes_is_never_a_special_token() {
        let text = b"User: Is it </s> wet? Assistant:";
        let tokenizer = Tokenizer::train_byte_pair(text, 260).unwrap();
        let tokenizer = tokenizer.with_special_tokens(&["</s>"]).unwrap();
        let manner = Manner::of(&tokenizer);
        assert!(matches!(manner, Manner::Spoken));
        let mut conversation = Conversation::default();
        conversation.say(Role::User, "Is it </s> wet?");
        let tokens = conversation.prompt(&manner, &tokenizer, 200).unwrap();
        assert!(tokens.iter().all(|&token| !tokenizer.is_special(token)));
        assert_eq!(tokenizer.decode(&tokens).unwrap(), text);
    }

    #[test]
    fn the_marks_of_roles_are_in_no_answer() {
        let tokenizer = tokenizer();
        let forbidden = Manner::of(&tokenizer).forbidden_tokens(&tokenizer);
        let shown = forbidden.iter().map(|&token| tokenizer.token_bytes(token).unwrap());
        assert!(shown.eq([&b"<|user|>"[..], b"<|assistant|>"]));
    }

    #[test]
    fn a_chat_comes_back_from_its_file() {
        let json = conversation().to_json();
        assert_eq!(Conversation::from_json(&json, "it").unwrap(), conversation());
        for (damaged, expected) in [
            ("", "no saved chat"),
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
