//! How the messages of a chat become a prompt.

use rekindle_tokenizer::Tokenizer;
use rekindle_train::{Message, Role};

use crate::data::{RoleTokens, end_token};
use crate::error::GptError;

/// `<|user|>…<|end|><|assistant|>…<|end|>` for each two turns, then `<|assistant|>`. Whatever is not said by the
/// model is said by the user, as in [`data`](crate::data).
///
/// Names of roles are put together, as llama.cpp otherwise takes a template in which `<|assistant|>` and `<|end|>`
/// stand for that of Phi-3, which has line ends.
const JINJA: &str = "{% for message in messages %}\
    {{ '<|' + ('assistant' if message['role'] == 'assistant' else 'user') + '|>' + message['content'] + '<|end|>' }}\
    {% endfor %}\
    {% if add_generation_prompt %}{{ '<|' + 'assistant' + '|>' }}{% endif %}";

/// How a conversation becomes the prompt of a model.
#[derive(Debug, Clone, Copy)]
pub enum ChatTemplate {
    /// With the special tokens of its fine-tuning: it sees the whole conversation, as far as it fits.
    RoleTokens(RoleTokens),
    /// As `User: … Assistant:`: it sees the last question only.
    Plain,
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

    /// As a template in the language of Jinja, for programs that make the prompt from it: the same tokens, where no
    /// message has the text of a special token in it. None where a model has learnt no dialogues.
    pub fn jinja(&self) -> Option<String> {
        match self {
            Self::RoleTokens(_) => Some(JINJA.to_owned()),
            Self::Plain => None,
        }
    }

    /// Texts that end an answer.
    pub fn stop_strings(&self) -> Vec<String> {
        match self {
            Self::RoleTokens(_) => Vec::new(),
            Self::Plain => vec!["User:".to_owned()],
        }
    }

    /// The prompt, in at most `room` tokens: the oldest turns are left out until it fits.
    ///
    /// # Errors
    /// When the last turn alone does not fit.
    pub fn prompt(
        &self,
        messages: &[Message],
        tokenizer: &Tokenizer,
        room: usize,
    ) -> Result<Vec<u32>, GptError> {
        let too_long = |found| GptError::TooLong {
            what: "the question",
            found,
            context: room,
            hint: "ask a shorter one, or leave less room for the answer",
        };
        let role_tokens = match self {
            Self::Plain => {
                let last = messages.last().map_or("", |message| &message.content);
                let tokens = tokenizer.encode_ordinary(format!("User: {last} Assistant:").as_bytes());
                return if tokens.len() <= room { Ok(tokens) } else { Err(too_long(tokens.len())) };
            }
            Self::RoleTokens(role_tokens) => role_tokens,
        };
        let mut turns = Vec::new();
        let mut len = 1;
        for message in messages.iter().rev() {
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
        if turns.is_empty() && !messages.is_empty() {
            return Err(too_long(len));
        }
        let mut tokens: Vec<u32> = turns.into_iter().rev().flat_map(|(_, tokens)| tokens).collect();
        tokens.push(role_tokens.of_role(Role::Assistant));
        Ok(tokens)
    }
}

/// The special tokens of a tokenizer but those at which text ends.
pub fn forbidden_tokens(tokenizer: &Tokenizer, stop_tokens: &[u32]) -> Vec<u32> {
    let tokens = 0..tokenizer.len() as u32;
    tokens.filter(|token| tokenizer.is_special(*token) && !stop_tokens.contains(token)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::SPECIAL_TOKENS;

    fn tokenizer() -> Tokenizer {
        let tokenizer = Tokenizer::train_byte_pair(b"What is rain? Rain is water.", 260).unwrap();
        tokenizer.with_special_tokens(&SPECIAL_TOKENS).unwrap()
    }

    fn message(role: Role, content: &str) -> Message {
        Message { role, content: content.to_owned() }
    }

    fn messages() -> [Message; 3] {
        [
            message(Role::User, "What is rain?"),
            message(Role::Assistant, "Water."),
            message(Role::User, "Is it <|end|> wet?"),
        ]
    }

    #[test]
    fn the_oldest_turns_are_left_out_until_it_fits() {
        let (messages, tokenizer) = (messages(), tokenizer());
        let template = ChatTemplate::of(&tokenizer);
        let text = |room| {
            let tokens = template.prompt(&messages, &tokenizer, room)?;
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
        let (messages, tokenizer) = (messages(), tokenizer());
        let tokens = ChatTemplate::of(&tokenizer).prompt(&messages, &tokenizer, 200).unwrap();
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
        let messages = [message(Role::User, "Is it </s> wet?")];
        let tokens = template.prompt(&messages, &tokenizer, 200).unwrap();
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
}
