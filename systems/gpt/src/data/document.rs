//! What a config names, read or made.

use rekindle::Hash;
use rekindle_formats::files::{self, Mapped};
use serde::Deserialize;
use serde_json::Value;

use rekindle_train::{Message, Role};

use super::dialogue::Dialogue;
use super::worked;
use crate::data::synthetic;
use crate::data::version::DataVersion;
use crate::error::GptError;
use crate::train::config::{Data, Source};

/// A file is never longer: bytes.
const FILE_LIMIT: u64 = 4 << 30;
/// A file of dialogues or single texts is never longer: bytes. It is held in memory as a whole.
const JSON_LIMIT: u64 = 512 << 20;

/// What is learnt, before it is cut into tokens.
#[derive(Debug)]
pub enum Document {
    /// Running text: any stretch of it can be learnt.
    Text(Mapped),
    /// Short texts that are learnt as one running text, with a token behind each that ends it.
    Passages(Vec<String>),
    /// Texts that are learnt as wholes.
    Texts(Vec<String>),
    /// Dialogues, of which the answers are learnt.
    Dialogues(Vec<Dialogue>),
}

impl Document {
    /// A hash of all texts and their roles.
    pub(crate) fn hash(&self) -> Hash {
        let parts: Vec<Hash> = match self {
            Self::Text(text) => return Hash::of(text),
            Self::Passages(texts) | Self::Texts(texts) => {
                texts.iter().map(|text| Hash::of(text.as_bytes())).collect()
            }
            Self::Dialogues(dialogues) => {
                let messages = dialogues.iter().flat_map(|dialogue| dialogue.iter().enumerate());
                let hash = |(turn, Message { role, content: text }): (usize, &Message)| {
                    Hash::of(format!("{turn} {role:?} {text}").as_bytes())
                };
                messages.map(hash).collect()
            }
        };
        Hash::of(parts.iter().map(Hash::to_string).collect::<String>().as_bytes())
    }
}

/// Reads or makes what `data` names; `path` is where it stands in the config.
///
/// # Errors
/// When the file cannot be read, is empty or not of a form that is known; or none is named.
pub fn load(data: &Data, path: &str, seed: u64, data_version: DataVersion) -> Result<Document, GptError> {
    match (&data.file, data.source) {
        (Some(file), _) => read(file),
        (None, Source::Facts) => {
            let passages = synthetic::facts(data_version, seed, data.count as usize);
            Ok(match data_version {
                DataVersion::V1 => Document::Text(Mapped::Read(passages.join("\n\n").into_bytes())),
                DataVersion::V2 => Document::Passages(passages),
            })
        }
        (None, Source::Dialogues) => {
            Ok(Document::Dialogues(synthetic::dialogues(data_version, seed, data.count as usize)))
        }
        (None, Source::Reasoning) => {
            let problems = worked::learnt(&data.suites, seed, data.count as usize);
            let dialogues = problems.iter().map(|problem| worked::dialogue(problem, data.steps));
            Ok(Document::Dialogues(dialogues.collect()))
        }
        (None, Source::Shapes) => {
            Ok(Document::Dialogues(synthetic::shapes::dialogues(seed, data.count as usize)))
        }
        (None, Source::File) => Err(GptError::NoText { path: format!("{path}.data.file") }),
    }
}

/// What the data is called in messages.
pub(crate) fn origin(data: &Data) -> String {
    data.file.as_ref().map_or_else(|| "the generated text".to_owned(), |file| format!("`{file}`"))
}

/// Length of a file, if it has one.
pub(crate) fn file_len(file: &str) -> Option<u64> {
    files::len(file.as_ref()).ok()
}

/// Reads a file. What it is follows from what it contains, so that it is the same under every name;
/// a name that ends in `.json` or `.jsonl` only says that nothing else was meant.
fn read(file: &str) -> Result<Document, GptError> {
    let refused = |reason: String| GptError::Data { origin: format!("`{file}`"), reason };
    let name = file.to_lowercase();
    let is_named_json = [".json", ".jsonl"].iter().any(|ending| name.ends_with(ending));
    let limit = if is_named_json { JSON_LIMIT } else { FILE_LIMIT };
    let bytes = files::map(file.as_ref(), limit).map_err(|error| refused(error.to_string()))?;
    let Some(first) = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) else {
        return Err(refused("the file is empty; there is nothing to learn".to_owned()));
    };
    let may_be_json = matches!(first, b'[' | b'{' | b'"') && bytes.len() as u64 <= JSON_LIMIT;
    if !is_named_json && !may_be_json {
        return Ok(Document::Text(bytes));
    }
    match json(&bytes, name.ends_with(".jsonl")) {
        Ok(document) => Ok(document),
        Err(reason) if is_named_json => Err(refused(reason)),
        Err(_) => Ok(Document::Text(bytes)),
    }
}

/// A list, or a line for each of its items. `expect_lines` says what a message is to be about.
fn json(bytes: &[u8], expect_lines: bool) -> Result<Document, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("it is not UTF-8: {error}"))?;
    match (whole(text), expect_lines) {
        (Ok(document), _) => Ok(document),
        (Err(_), true) => lines(text),
        (Err(reason), false) => lines(text).map_err(|_| reason),
    }
}

fn whole(text: &str) -> Result<Document, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
    let items = match value {
        Value::Array(items) => items,
        Value::Object(mut members) => match members.remove("conversations") {
            Some(Value::Array(items)) => items,
            _ => return Err("a list is expected, or an object with a list of `conversations`".to_owned()),
        },
        _ => return Err("a list of texts or of dialogues is expected".to_owned()),
    };
    document(items.into_iter().enumerate().map(|(index, item)| (format!("item {}", index + 1), item)))
}

fn lines(text: &str) -> Result<Document, String> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let items: Result<Vec<_>, String> = lines
        .map(|(index, line)| {
            let location = format!("line {}", index + 1);
            let item =
                serde_json::from_str(line).map_err(|error| format!("{location} is not JSON: {error}"))?;
            Ok((location, item))
        })
        .collect();
    document(items?.into_iter())
}

/// An item of a file, in the forms that are in use.
#[derive(Deserialize)]
#[serde(untagged)]
enum Item {
    Text(String),
    Labelled { text: String },
    Dialogue { messages: Vec<MessageItem> },
    Instruction { instruction: String, output: String },
}

#[derive(Deserialize)]
struct MessageItem {
    role: String,
    content: String,
}

fn document(items: impl Iterator<Item = (String, Value)>) -> Result<Document, String> {
    let (mut texts, mut dialogues) = (Vec::new(), Vec::new());
    for (location, item) in items {
        let item: Item = serde_json::from_value(item).map_err(|_| {
            format!(
                "{location} is neither a text, nor has it `text`, or `messages` with `role` and `content`, \
                 or `instruction` and `output`"
            )
        })?;
        match item {
            Item::Text(text) | Item::Labelled { text } => texts.push(text),
            Item::Dialogue { messages } => dialogues.push(dialogue(&location, messages)?),
            Item::Instruction { instruction, output } => dialogues.push(vec![
                Message { role: Role::User, content: instruction },
                Message { role: Role::Assistant, content: output },
            ]),
        }
    }
    match (texts.is_empty(), dialogues.is_empty()) {
        (true, true) => Err("the list is empty; there is nothing to learn".to_owned()),
        (false, true) => Ok(Document::Texts(texts)),
        (true, false) => Ok(Document::Dialogues(dialogues)),
        (false, false) => Err("it holds texts and dialogues; put them into files of their own".to_owned()),
    }
}

fn dialogue(location: &str, messages: Vec<MessageItem>) -> Result<Dialogue, String> {
    let messages = messages.into_iter().map(|MessageItem { role, content }| match role.as_str() {
        "user" | "system" => Ok(Message { role: Role::User, content }),
        "assistant" => Ok(Message { role: Role::Assistant, content }),
        _ => Err(format!("{location}: the role `{role}` is none of user, assistant and system")),
    });
    messages.collect()
}
