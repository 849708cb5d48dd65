//! The `post_processor` of a `tokenizer.json` as a frame.

use super::file::{Piece, PostProcessor};
use super::read::{malformed, quote, unsupported};
use crate::error::TokenizerError;
use crate::frame::Frame;

const ONLY: &str = "ByteLevel, TemplateProcessing, BertProcessing and RobertaProcessing are";

/// What it puts around one text.
///
/// # Errors
/// When it is of another kind, or a template has not the text once.
pub(super) fn frame(processor: Option<&PostProcessor>) -> Result<Frame, TokenizerError> {
    processor.map_or_else(|| Ok(Frame::default()), |processor| frame_of(processor, "post_processor"))
}

fn frame_of(processor: &PostProcessor, location: &str) -> Result<Frame, TokenizerError> {
    match processor.kind.as_str() {
        // It changes where tokens are said to begin, not the tokens.
        "ByteLevel" => Ok(Frame::default()),
        "TemplateProcessing" => template(processor, location),
        "BertProcessing" | "RobertaProcessing" => match (&processor.cls, &processor.sep) {
            (Some((_, cls)), Some((_, sep))) => Ok(Frame { before: vec![*cls], after: vec![*sep] }),
            _ => Err(malformed(location, "it has no `cls` or no `sep`")),
        },
        "Sequence" => sequence(processor.processors.as_deref().unwrap_or_default(), location),
        other => Err(unsupported(&format!("{location}.type"), &quote(other), ONLY)),
    }
}

/// Each stands around what those before it have made.
fn sequence(processors: &[PostProcessor], location: &str) -> Result<Frame, TokenizerError> {
    let mut whole = Frame::default();
    for (index, processor) in processors.iter().enumerate() {
        let Frame { mut before, after } = frame_of(processor, &format!("{location}.processors[{index}]"))?;
        before.append(&mut whole.before);
        whole.before = before;
        whole.after.extend(after);
    }
    Ok(whole)
}

fn template(processor: &PostProcessor, location: &str) -> Result<Frame, TokenizerError> {
    let mut frame = Frame::default();
    let mut texts = 0;
    for piece in processor.single.as_ref().map_or(&[][..], |single| &single.0) {
        match piece {
            Piece::Sequence(_) => texts += 1,
            Piece::SpecialToken { id } => {
                let named = processor.special_tokens.as_ref().and_then(|tokens| tokens.get(id));
                let named = named.ok_or_else(|| {
                    malformed(location, &format!("{} is not among its `special_tokens`", quote(id)))
                })?;
                let place = if texts == 0 { &mut frame.before } else { &mut frame.after };
                place.extend(&named.ids.0);
            }
        }
    }
    match texts {
        1 => Ok(frame),
        _ => Err(unsupported(&format!("{location}.single"), &format!("{texts} texts"), "one text is")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{Frame, Tokenizer, TokenizerError};

    fn read(post_processor: Value) -> Result<Tokenizer, TokenizerError> {
        let file = json!({
            "pre_tokenizer": { "type": "WhitespaceSplit" },
            "post_processor": post_processor,
            "model": { "type": "WordLevel", "unk_token": "?", "vocab": { "?": 0, "<s>": 1, "</s>": 2, "a": 3 } },
        });
        Tokenizer::from_hugging_face(file.to_string().as_bytes())
    }

    fn template() -> Value {
        let special = |id| json!({ "SpecialToken": { "id": id, "type_id": 0 } });
        let listed = |id, ids: &[u32]| json!({ "id": id, "ids": ids, "tokens": [id] });
        json!({
            "type": "TemplateProcessing",
            "single": [special("<s>"), { "Sequence": { "id": "A", "type_id": 0 } }, special("end")],
            "pair": [],
            "special_tokens": { "<s>": listed("<s>", &[1]), "end": listed("end", &[2, 2]) },
        })
    }

    #[test]
    fn what_is_put_around_a_text_is_kept_and_written() {
        let bert = json!({ "type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 1] });
        let both = json!({ "type": "Sequence", "processors": [{ "type": "ByteLevel" }, bert, template()] });
        for (processor, before, after) in [
            (Value::Null, vec![], vec![]),
            (json!({ "type": "ByteLevel", "trim_offsets": true }), vec![], vec![]),
            (template(), vec![1], vec![2, 2]),
            (bert, vec![1], vec![2]),
            (both, vec![1, 1], vec![2, 2, 2]),
        ] {
            let tokenizer = read(processor).unwrap();
            assert_eq!(tokenizer.frame(), &Frame { before, after });
            assert_eq!(tokenizer.encode(b"a"), [3]);
            let written = tokenizer.to_hugging_face().unwrap();
            assert_eq!(written["post_processor"].is_null(), tokenizer.frame().is_empty());
            assert_eq!(Tokenizer::from_hugging_face(written.to_string().as_bytes()).unwrap(), tokenizer);
        }
    }

    #[test]
    fn what_cannot_be_followed_is_refused_by_name() {
        let mut twice = template();
        twice["single"][0] = twice["single"][1].clone();
        let mut unknown = template();
        unknown["special_tokens"] = json!({});
        let mut beyond = template();
        beyond["special_tokens"]["<s>"]["ids"] = json!([4]);
        for (processor, expected) in [
            (json!({ "type": "Other" }), "\"Other\" for `post_processor.type`"),
            (
                json!({ "type": "Sequence", "processors": [{ "type": "X" }] }),
                "post_processor.processors[0].type",
            ),
            (json!({ "type": "BertProcessing", "sep": ["</s>", 2] }), "no `cls`"),
            (twice, "2 texts for `post_processor.single`"),
            (unknown, "\"<s>\" is not among its `special_tokens`"),
            (beyond, "token 4 stands around texts"),
        ] {
            let error = read(processor).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
