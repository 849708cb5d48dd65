//! Texts and dialogues to learn, as JSON and as JSON lines; and a saved chat, which is the same when it is
//! written and read again. What can be read can be learnt or is refused.
#![no_main]

use std::num::NonZero;

use libfuzzer_sys::fuzz_target;
use rekindle_fuzz::{take_u8, with_directory};
use rekindle_train::Conversation;
use rekindle_gpt::train::Data;
use rekindle_gpt::data::{Corpus, SPECIAL_TOKENS, load};
use rekindle_tokenizer::Tokenizer;

fuzz_target!(|data: &[u8]| {
    let mut input = data;
    let kind = take_u8(&mut input);
    if kind == 0
        && let Ok(text) = str::from_utf8(input)
        && let Ok(conversation) = Conversation::from_json(text)
    {
        let written = conversation.to_json();
        let again = Conversation::from_json(&written).expect("what was written can be read");
        assert_eq!(again.to_json(), written);
    }
    let name = ["texts.json", "texts.jsonl", "texts.txt"][usize::from(kind % 3)];
    with_directory(&[(name, input.to_vec())], |path| {
        let file = path.join(name).display().to_string();
        let data = serde_json::json!({ "file": file, "order": "given" });
        let data: Data = serde_json::from_value(data).expect("a file is enough");
        let Ok(document) = load(&data, "data", 1) else { return };
        let tokenizer = Tokenizer::train_byte_pair(b"the cat sat", 257).expect("there is text");
        let tokenizer = tokenizer.with_special_tokens(&SPECIAL_TOKENS).expect("they are new");
        let _ = Corpus::new(&document, &tokenizer, 8, 0.2, data.order, NonZero::<usize>::MIN, "fuzz");
    });
});
