//! A vocabulary is used, grows and shrinks, and is saved and loaded in between. It stays a plain
//! tokenizer all the while, and goes the same way whether it was saved or not.

use proptest::prelude::*;
use rekindle_tokenizer::{Adaptive, Change, Policy, Pruning, Row, Tokenizer, TokenizerError};
use serde_json::{Value, json};

/// Only the bytes, and two roles.
fn pairs() -> Tokenizer {
    let tokenizer = Tokenizer::train_byte_pair(b"a", 256).unwrap();
    tokenizer.with_special_tokens(&["<|a|>", "<|b|>"]).unwrap()
}

fn words() -> Tokenizer {
    let tokenizer = Tokenizer::train_words_and_bytes(b"a", 256).unwrap();
    tokenizer.with_special_tokens(&["<|a|>", "<|b|>"]).unwrap()
}

fn eager() -> Policy {
    Policy { limit: 300, least_count: 2, most_at_once: 3, ..Policy::default() }
}

fn name(adaptive: &Adaptive, token: u32) -> String {
    String::from_utf8_lossy(adaptive.tokenizer().token_bytes(token).unwrap()).into_owned()
}

fn names(adaptive: &Adaptive) -> Vec<String> {
    (256..adaptive.tokenizer().len() as u32).map(|token| name(adaptive, token)).collect()
}

fn change(adaptive: &mut Adaptive) -> Change {
    let change = adaptive.propose().unwrap();
    adaptive.apply(&change).unwrap();
    change
}

#[test]
fn the_most_frequent_pairs_become_tokens_behind_the_special_ones() {
    let mut adaptive = Adaptive::new(pairs(), eager()).unwrap();
    assert_eq!(adaptive.propose(), None);
    // Pieces: `aab` once and ` aab` once, ` cb` twice, and a role.
    let tokens = adaptive.observe(b"aab aab cb cb<|a|>");
    assert_eq!(tokens.len(), 14);
    assert_eq!((adaptive.clock(), adaptive.used()[usize::from(b'b')], adaptive.used()[256]), (14, 4, 1));
    assert_eq!((adaptive.last_used()[usize::from(b'a')], adaptive.last_used()[256]), (6, 14));
    // All pairs stand twice but ` a`. In the order of bytes: ` c`; then ` cb` of it; then `aa`.
    let first = change(&mut adaptive);
    assert_eq!(names(&adaptive), ["<|a|>", "<|b|>", " c", " cb", "aa"]);
    let new = [&b" c"[..], b" cb", b"aa"].map(|old| Row::New(old.iter().copied().map(u32::from).collect()));
    assert_eq!(first.rows()[258..], new);
    assert!(first.rows()[..258].iter().zip(0..).all(|(row, old)| *row == Row::Kept(old)));
    assert_eq!(
        (first.added(), first.removed(), first.generation(), adaptive.generation()),
        (3, &[][..], 0, 1)
    );
    assert_eq!((adaptive.used()[259], adaptive.last_used()[259], adaptive.used()[256]), (2, 14, 1));
    assert_eq!(adaptive.tokenizer().encode(b"aab cb<|a|>"), [260, 98, 259, 256]);
    assert!(adaptive.tokenizer().is_special(256));
    // `aa` and `b` are side by side now; then nothing is that was seen twice.
    change(&mut adaptive);
    assert_eq!(names(&adaptive)[5..], ["aab"]);
    assert_eq!(adaptive.propose(), None);
    assert_eq!(adaptive.grow_by(5).unwrap().rows()[262], Row::New(vec![32, 261]));
}

#[test]
fn words_become_tokens_and_go_again() {
    let policy = Policy { limit: 260, pruning: Pruning::Lru, prune_share: 0.001, ..eager() };
    let mut adaptive = Adaptive::new(words(), policy).unwrap();
    let text = b"low low low high high <|a|>";
    adaptive.observe(text);
    let first = change(&mut adaptive);
    assert_eq!(names(&adaptive), ["<|a|>", "<|b|>", " high", " low"]);
    assert_eq!(first.rows()[258], Row::New(b" high".iter().copied().map(u32::from).collect()));
    assert_eq!(adaptive.observe(text)[3..], [259, 259, 258, 258, 32, 256]);
    // Of both tokens that can go, ` low` has not been used for longer.
    adaptive.observe(b"a bit a bit");
    let second = change(&mut adaptive);
    assert_eq!((second.removed(), &second.rows()[259]), (&[259][..], &Row::New(vec![32, 98, 105, 116])));
    assert_eq!(names(&adaptive), ["<|a|>", "<|b|>", " high", " bit"]);
    assert_eq!(adaptive.tokenizer().decode(&adaptive.tokenizer().encode(text)).unwrap(), text);
    // What was pruned is forgotten.
    assert_eq!(adaptive.grow_by(1).unwrap().removed(), [258]);
}

#[test]
fn only_leaves_are_pruned_the_least_frequent_first() {
    let policy = Policy { limit: 261, pruning: Pruning::Frequency, prune_share: 0.001, ..eager() };
    let mut adaptive = Adaptive::new(pairs(), policy).unwrap();
    adaptive.observe(b"aab aab cb cb");
    change(&mut adaptive);
    assert_eq!(names(&adaptive)[2..], [" c", " cb", "aa"]);
    // ` cb` is used thrice then, `aa` twice, and ` c` not since it came, but ` cb` is made of it.
    adaptive.observe(b" cb xyz xyz xyz");
    // One goes and one comes. `aab`, of which `aa` would be a part, is not among the three most frequent.
    let second = change(&mut adaptive);
    assert_eq!((second.removed(), second.added()), (&[260][..], 1));
    assert_eq!(second.rows()[260], Row::New(vec![32, 120]));
    assert_eq!(names(&adaptive), ["<|a|>", "<|b|>", " c", " cb", " x"]);
    // As the most frequent ones are made of ` x` now, nothing but ` cb` can go.
    assert_eq!(adaptive.propose().unwrap().removed(), [259]);
}

#[test]
fn idle_tokens_go_and_the_last_ones_fill_their_places() {
    let mut adaptive = Adaptive::new(words(), Policy { max_idle: Some(10), ..eager() }).unwrap();
    adaptive.observe(b" low low high high mid mid");
    change(&mut adaptive);
    assert_eq!(names(&adaptive)[2..], [" high", " low", " mid"]);
    adaptive.observe(b" mid mid mid mid mid mid mid mid mid mid mid");
    let second = change(&mut adaptive);
    assert_eq!((second.removed(), &second.rows()[258..]), (&[258, 259][..], &[Row::Kept(260)][..]));
    assert_eq!(names(&adaptive), ["<|a|>", "<|b|>", " mid"]);
    assert_eq!(adaptive.propose(), None);
}

#[test]
fn changes_for_another_vocabulary_are_refused() {
    let mut adaptive = Adaptive::new(pairs(), eager()).unwrap();
    adaptive.observe(b"aab aab cb cb");
    let first = change(&mut adaptive);
    let before = adaptive.clone();
    let error = adaptive.apply(&first).unwrap_err();
    assert!(matches!(error, TokenizerError::OtherVocabulary { made_for: 0, generation: 1 }), "{error}");
    let mut other = Adaptive::new(words(), eager()).unwrap();
    assert!(matches!(other.apply(&first), Err(TokenizerError::OtherVocabulary { .. })));
    let second = adaptive.propose().unwrap();
    adaptive.set_policy(Policy { limit: 261, ..eager() }).unwrap();
    let error = adaptive.apply(&second).unwrap_err();
    assert!(matches!(error, TokenizerError::PastLimit { len: 262, limit: 261 }), "{error}");
    adaptive.set_policy(Policy { frozen: true, ..eager() }).unwrap();
    assert!(matches!(adaptive.apply(&second), Err(TokenizerError::Frozen)));
    adaptive.set_policy(eager()).unwrap();
    assert_eq!(adaptive, before);
    adaptive.apply(&second).unwrap();
}

#[test]
fn what_cannot_change_is_refused() {
    let refused = |tokenizer, policy| Adaptive::new(tokenizer, policy).unwrap_err().to_string();
    let unknown = Tokenizer::train_words(b"a b", 3).unwrap();
    assert!(refused(unknown, eager()).contains("words and an unknown token"));
    let error = refused(pairs(), Policy { limit: 257, ..eager() });
    assert!(error.contains("`limit` is 257, but 258 tokens are there"), "{error}");
    let mut whole = pairs().to_hugging_face().unwrap();
    whole["pre_tokenizer"]["use_regex"] = json!(false);
    let whole = Tokenizer::from_hugging_face(whole.to_string().as_bytes()).unwrap();
    assert!(refused(whole, eager()).contains("does not cut the text"));
}

#[test]
fn damaged_forms_are_refused() {
    let mut adaptive = Adaptive::new(pairs(), eager()).unwrap();
    adaptive.observe(b"aab aab cb cb");
    change(&mut adaptive);
    let form = serde_json::to_value(&adaptive).unwrap();
    assert_eq!(serde_json::from_value::<Adaptive>(form.clone()).unwrap(), adaptive);
    for (pointer, value, expected) in [
        ("/used", json!([1]), "1 counts and 261 clocks for 261 tokens"),
        ("/last_used", json!([]), "261 counts and 0 clocks"),
        ("/last_used/5", json!(14), "token 5 was used after clock 13"),
        ("/clock", json!(u64::MAX), "one is too large"),
        ("/clock", json!(-1), "expected u64"),
        ("/generation", json!(u64::MAX), "one is too large"),
        ("/policy/limit", json!(260), "261 tokens are there"),
        ("/policy/least_count", json!(0), "`least_count` is 0"),
        ("/policy/pruning", json!("fifo"), "unknown variant"),
        ("/pieces/counts", json!([1]), "pieces have 1 counts"),
        ("/pieces/ends/0", json!(0), "piece 0"),
        ("/tokenizer/vocabulary/bytes/97", json!(98), "token 97 is not byte 97"),
        ("/tokenizer/model_tokens", json!(260), "token 260 is not among"),
    ] {
        let mut form = form.clone();
        *form.pointer_mut(pointer).unwrap() = value;
        let error = serde_json::from_value::<Adaptive>(form).unwrap_err().to_string();
        assert!(error.contains(expected), "{pointer}: {error}");
    }
    let behind = Tokenizer::train_byte_pair(b"a", 256).unwrap().with_special_tokens(&["<|a|>"]).unwrap();
    let mut form = form;
    form["tokenizer"] = serde_json::to_value(behind).unwrap();
    assert!(serde_json::from_value::<Adaptive>(form).unwrap_err().to_string().contains("one of the model's"));
}

#[derive(Debug, Clone)]
struct Story {
    words: bool,
    policy: Policy,
    /// A text each, and how many tokens are then asked for beside what the policy proposes.
    steps: Vec<(Vec<u8>, usize)>,
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let plain = "([abc]{1,3}[ '\n]|<.a.>|é){0,60}";
    prop_oneof![
        plain.prop_map(String::into_bytes),
        plain.prop_map(|text| text.replace('.', "|").into_bytes()),
        prop::collection::vec(any::<u8>(), 0..60),
    ]
}

prop_compose! {
    fn story()(
        words: bool,
        limit in 258_usize..275,
        least_count in 2_u64..4,
        most_at_once in 1_usize..8,
        pruning in prop_oneof![Just(Pruning::None), Just(Pruning::Lru), Just(Pruning::Frequency)],
        prune_share in 0.0..0.05,
        max_idle in prop::option::of(20_u64..200),
        steps in prop::collection::vec((text(), prop_oneof![Just(0), 0_usize..12]), 1..6),
    ) -> Story {
        let policy =
            Policy { limit, least_count, most_at_once, pruning, prune_share, max_idle, frozen: false };
        Story { words, policy, steps }
    }
}

impl Story {
    fn begin(&self) -> Adaptive {
        Adaptive::new(if self.words { words() } else { pairs() }, self.policy.clone()).unwrap()
    }
}

/// What must hold for every change.
fn check_change(before: &Adaptive, change: &Change, after: &Adaptive) -> Result<(), TestCaseError> {
    let (old, new) = (before.tokenizer(), after.tokenizer());
    prop_assert_eq!(change.rows().len(), new.len());
    prop_assert!(new.len() <= after.policy().limit);
    prop_assert_eq!(old.len() + change.added(), new.len() + change.removed().len());
    let mut kept = 0;
    for (token, row) in (0..).zip(change.rows()) {
        match row {
            Row::Kept(from) => {
                kept += 1;
                prop_assert_eq!(new.token_bytes(token), old.token_bytes(*from));
                prop_assert_eq!(new.is_special(token), old.is_special(*from));
                prop_assert!(change.added() < change.removed().len() || token == *from);
            }
            Row::New(parts) => {
                prop_assert!(parts.len() > 1);
                let bytes = old.decode(parts).unwrap();
                prop_assert_eq!(old.token_of(&bytes), None);
                prop_assert_eq!(new.token_bytes(token).unwrap(), bytes);
            }
        }
    }
    prop_assert_eq!(kept, old.len() - change.removed().len());
    let form = serde_json::to_value(old).unwrap();
    let merges: Vec<u64> = form
        .pointer("/model/byte_pair/merges")
        .unwrap()
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_u64)
        .collect();
    let is_part = |token: u32| merges.chunks(3).any(|merge| merge[..2].contains(&u64::from(token)));
    for &token in change.removed() {
        let bytes = old.token_bytes(token).unwrap();
        prop_assert!(bytes.len() > 1 && !old.is_special(token) && !is_part(token));
        prop_assert_eq!(new.token_of(bytes), None);
    }
    Ok(())
}

/// A plain tokenizer, in this form and in that of others.
fn check_tokenizer(adaptive: &Adaptive, text: &[u8]) -> Result<(), TestCaseError> {
    let tokenizer = adaptive.tokenizer();
    let tokens = tokenizer.encode(text);
    prop_assert_eq!(tokenizer.decode(&tokens).unwrap(), text);
    let ordinary = tokenizer.encode_ordinary(text);
    prop_assert_eq!(tokenizer.decode(&ordinary).unwrap(), text);
    prop_assert!(ordinary.iter().all(|&token| !tokenizer.is_special(token)));
    let json = tokenizer.to_hugging_face().unwrap().to_string();
    prop_assert_eq!(&Tokenizer::from_hugging_face(json.as_bytes()).unwrap(), tokenizer);
    Ok(())
}

proptest! {
    #[test]
    fn any_story_keeps_what_is_promised(story in story()) {
        let mut adaptive = story.begin();
        for (text, more) in &story.steps {
            let expected = adaptive.tokenizer().encode(text);
            let clock = adaptive.clock();
            prop_assert_eq!(&adaptive.observe(text), &expected);
            prop_assert_eq!(adaptive.clock(), clock + expected.len() as u64);
            for &token in &expected {
                let last = expected.iter().rposition(|&other| other == token).unwrap() as u64;
                prop_assert_eq!(adaptive.last_used()[token as usize], clock + last + 1);
            }
            for change in [adaptive.propose(), adaptive.grow_by(*more)] {
                // The second one is for the vocabulary before the first.
                let change = match change {
                    Some(change) if change.generation() == adaptive.generation() => Some(change),
                    _ => adaptive.grow_by(*more),
                };
                if let Some(change) = change {
                    let before = adaptive.clone();
                    adaptive.apply(&change).unwrap();
                    check_change(&before, &change, &adaptive)?;
                }
                check_tokenizer(&adaptive, text)?;
            }
        }
        let used: u64 = (0..256).map(|byte| adaptive.used()[byte]).sum();
        prop_assert!(used <= adaptive.clock());
    }

    #[test]
    fn saved_and_loaded_it_goes_on_identically(story in story()) {
        let (mut one, mut other) = (story.begin(), story.begin());
        for (step, (text, more)) in story.steps.iter().enumerate() {
            prop_assert_eq!(one.observe(text), other.observe(text));
            other = match step % 2 {
                0 => serde_json::from_str(&serde_json::to_string(&other).unwrap()).unwrap(),
                _ => rekindle::from_tree(&rekindle::to_tree(&other).unwrap()).unwrap(),
            };
            prop_assert_eq!(&one, &other);
            let change = one.propose().or_else(|| one.grow_by(*more));
            prop_assert_eq!(&change, &other.propose().or_else(|| other.grow_by(*more)));
            if let Some(change) = change {
                one.apply(&change).unwrap();
                other.apply(&change).unwrap();
            }
            prop_assert_eq!(serde_json::to_string(&one).unwrap(), serde_json::to_string(&other).unwrap());
        }
    }

    #[test]
    fn frozen_it_never_changes(story in story()) {
        let mut frozen = story.begin();
        frozen.set_policy(Policy { frozen: true, ..story.policy.clone() }).unwrap();
        let before = frozen.clone();
        for (text, more) in &story.steps {
            prop_assert_eq!(frozen.observe(text), before.tokenizer().encode(text));
            prop_assert_eq!(frozen.propose(), None);
            prop_assert_eq!(frozen.grow_by(*more), None);
        }
        prop_assert_eq!(frozen, before);
    }
}
