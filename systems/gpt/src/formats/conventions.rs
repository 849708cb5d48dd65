//! What programs that use a model must know beside its network and its tokens.

use rekindle_tokenizer::{Conventions, Tokenizer};

use crate::inference::ChatTemplate;

/// Names that programs give to the token before a text, after it, and in place of one.
const BOS_NAMES: [&str; 3] = ["<bos>", "<s>", "<|startoftext|>"];
const EOS_NAMES: [&str; 4] = ["<|endoftext|>", "<eos>", "</s>", "<|end|>"];
const PAD_NAMES: [&str; 2] = ["<pad>", "<|pad|>"];

/// What the file of a tokenizer said. Of one that was made here: its tokens that have one of the usual names, and
/// the template that its model is asked with.
pub(super) fn conventions(tokenizer: &Tokenizer) -> Conventions {
    if let Some(known) = tokenizer.conventions() {
        let chat_template = known.chat_template.clone().or_else(|| ChatTemplate::of(tokenizer).jinja());
        return Conventions { chat_template, ..known.clone() };
    }
    let find = |names: &[&str]| {
        let known = |name: &&&str| tokenizer.token_of(name.as_bytes()).is_some();
        names.iter().find(known).map(|&name| name.to_owned())
    };
    Conventions {
        bos: find(&BOS_NAMES),
        eos: find(&EOS_NAMES),
        unknown: None,
        pad: find(&PAD_NAMES),
        chat_template: ChatTemplate::of(tokenizer).jinja(),
    }
}

/// A tokenizer of a file with what the file says of its use. Tokens that it names are special, as they are for the
/// programs that it is for; a template of its own is kept for them, and a warning says how a chat is put here.
pub(super) fn adopted(
    tokenizer: Tokenizer,
    mut conventions: Conventions,
    warnings: &mut Vec<String>,
) -> Tokenizer {
    let Conventions { bos, eos, unknown, pad, .. } = &conventions;
    let named = [bos, eos, unknown, pad].into_iter().flatten().map(String::as_str);
    let known = named.filter(|text| tokenizer.token_of(text.as_bytes()).is_some());
    let special = known.fold(tokenizer.clone(), |special, text| {
        // A token that cannot be special, such as that of a byte, stays as it is.
        special.clone().with_special_tokens(&[text]).unwrap_or(special)
    });
    let template = ChatTemplate::of(&special);
    if conventions.chat_template == template.jinja() {
        conventions.chat_template = None;
    } else if conventions.chat_template.is_some() {
        let put = match template {
            ChatTemplate::RoleTokens(_) => "`<|user|>…<|end|><|assistant|>`",
            ChatTemplate::Plain => "`User: … Assistant:`",
        };
        warnings.push(format!(
            "its chat template is kept for other programs, but not followed: a chat here puts a question as {put}"
        ));
    }
    special.with_conventions(conventions)
}

/// The numbers of the tokens that conventions name; none for a text that is no token any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct SpecialTokens {
    pub bos: Option<u32>,
    pub eos: Option<u32>,
    pub unknown: Option<u32>,
    pub pad: Option<u32>,
    /// Ends what is said in a chat.
    pub end_of_turn: Option<u32>,
}

impl SpecialTokens {
    pub fn of(conventions: &Conventions, tokenizer: &Tokenizer) -> Self {
        let token = |text: &Option<String>| tokenizer.token_of(text.as_ref()?.as_bytes());
        let turns = ChatTemplate::of(tokenizer);
        Self {
            bos: token(&conventions.bos),
            eos: token(&conventions.eos),
            unknown: token(&conventions.unknown),
            pad: token(&conventions.pad),
            end_of_turn: match turns {
                ChatTemplate::RoleTokens(tokens) => Some(tokens.end()),
                ChatTemplate::Plain => None,
            },
        }
    }
}

/// Said where a model cannot be asked in a chat as it was trained.
pub(super) const NO_CHAT_TEMPLATE: &str = "the model has no special tokens for the turns of a chat, so that no chat template is written: programs that \
     chat choose one of their own, which it was not trained on";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::SPECIAL_TOKENS;

    #[test]
    fn tokens_with_the_usual_names_are_found_unless_a_file_said_which() {
        let tokenizer = Tokenizer::train_byte_pair(b"a b", 256).unwrap();
        assert_eq!(conventions(&tokenizer), Conventions::default());
        let tokenizer = tokenizer.with_special_tokens(&["</s>", "<pad>", "<eos>", "<s>"]).unwrap();
        let found = conventions(&tokenizer);
        let name = |name: &str| Some(name.to_owned());
        assert_eq!((&found.bos, &found.eos, &found.pad), (&name("<s>"), &name("<eos>"), &name("<pad>")));
        let numbers = SpecialTokens::of(&found, &tokenizer);
        assert_eq!((numbers.bos, numbers.eos, numbers.pad), (Some(259), Some(258), Some(257)));
        let said = Conventions { eos: name("</s>"), ..Conventions::default() };
        assert_eq!(conventions(&tokenizer.with_conventions(said.clone())), said);
    }

    #[test]
    fn a_model_of_dialogues_has_a_template_and_ends_turns() {
        let tokenizer = Tokenizer::train_byte_pair(b"a b", 256).unwrap();
        let tokenizer = tokenizer.with_special_tokens(&SPECIAL_TOKENS).unwrap();
        let found = conventions(&tokenizer);
        assert!(found.chat_template.as_ref().unwrap().contains("add_generation_prompt"));
        assert_eq!(SpecialTokens::of(&found, &tokenizer).end_of_turn, Some(258));
    }
}
