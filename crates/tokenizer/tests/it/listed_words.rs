//! Words that another program listed, or that a text has, found by rules.

use rekindle_tokenizer::{Adaptive, Policy, Tokenizer, TokenizerError, VOCABULARY_LIMIT, WordRules};

const END: &str = "</s>";

/// Case counts, unknown words are left out, and one word is not cut.
fn strict_rules() -> WordRules {
    WordRules { unicode_space: true, whole: vec![END.to_owned()], ..WordRules::default() }
}

/// Small letters, and a token for unknown words.
fn lower_rules() -> WordRules {
    WordRules { lower_case: true, unknown: Some(1), joins_punctuation: true, ..WordRules::default() }
}

fn strict() -> Tokenizer {
    Tokenizer::train_listed_words("Say: hi, you! \u{a0}</s>\nHi".as_bytes(), strict_rules()).unwrap()
}

fn lower() -> Tokenizer {
    let words = ["<pad>", "<unk>", "the", ".", "cat", "<", "caf\u{e9}"];
    Tokenizer::from_words(&words, lower_rules()).unwrap()
}

#[test]
fn words_of_a_text_in_the_order_of_their_bytes() {
    let tokenizer = strict();
    let words: Vec<&[u8]> = (0..12).filter_map(|token| tokenizer.token_bytes(token)).collect();
    let expected = ["!", ",", "/", ":", "<", "</s>", ">", "Hi", "Say", "hi", "s", "you"];
    assert_eq!(words, expected.map(str::as_bytes));
    assert_eq!(tokenizer.len(), 12);
    assert_eq!(
        tokenizer.encode("you\u{3000}and hi,\u{2029}</s> x</s>".as_bytes()),
        [11, 9, 1, 5, 4, 2, 10, 6]
    );
    assert_eq!(tokenizer.decode(&[8, 3, 9, 5]).unwrap(), b"Say : hi </s>");
    assert!(tokenizer.encode(b"\xff \xe2\x80 hi\xc2").is_empty());
    assert!(
        Tokenizer::train_listed_words(b" \n", strict_rules()).unwrap_err().to_string().contains("no word")
    );
    assert!(Tokenizer::train_listed_words(b"", strict_rules()).unwrap_err().to_string().contains("is empty"));
}

#[test]
fn words_in_lower_case() {
    let tokenizer = lower();
    assert_eq!(tokenizer.encode("The\u{b}CAT. <PAD>".as_bytes()), [2, 4, 3, 5, 1, 1]);
    assert_eq!(tokenizer.encode("caf\u{e9} CAF\u{c9} the\u{a0}cat \u{e9}\u{ff}".as_bytes()), [6, 1, 1, 1]);
    assert_eq!(tokenizer.encode(b"\xff"), [1]);
    assert_eq!(tokenizer.decode(&[2, 4, 3, 2, 0, 1]).unwrap(), b"the cat. the<pad><unk>");
}

#[test]
fn a_special_token_is_not_whole_in_the_text_of_others() {
    let tokenizer = strict().with_special_tokens(&[END, "<|user|>"]).unwrap();
    assert_eq!(tokenizer.encode(b"hi</s><|user|> </s>"), [9, 5, 12, 5]);
    assert_eq!(tokenizer.encode_ordinary(b"hi </s>"), [9, 4, 2, 10, 6]);
}

#[test]
fn lists_that_contradict_the_rules_are_refused() {
    let whole = |word: &str| WordRules { whole: vec![word.to_owned()], ..WordRules::default() };
    let twice = WordRules { whole: vec!["a".to_owned(); 2], ..WordRules::default() };
    let unknown = |token| WordRules { unknown: Some(token), ..WordRules::default() };
    for (words, rules, expected) in [
        (vec!["a", "b", "a"], WordRules::default(), "tokens 0 and 2 are the same word"),
        (vec![], WordRules::default(), "have 0 bytes"),
        (vec!["", ""], WordRules::default(), "have 0 bytes"),
        (vec!["a"; VOCABULARY_LIMIT + 1], WordRules::default(), "they are 1048577"),
        (vec!["a", ""], unknown(1), "the unknown token 1 is not among"),
        (vec!["a"], unknown(1), "the unknown token 1 is not among"),
        (vec!["a"], whole("</s>"), "\"</s>\" is to stay whole, but is not"),
        (vec!["a", ""], whole(""), "\"\" is to stay whole, but is not"),
        (vec!["a"], twice, "\"a\" is to stay whole twice"),
    ] {
        let error = Tokenizer::from_words(&words, rules).unwrap_err();
        assert!(matches!(error, TokenizerError::Words { .. }));
        assert!(error.to_string().contains(expected), "{error}");
    }
    let gaps = Tokenizer::from_words(&["a", "", "b"], WordRules::default()).unwrap();
    assert_eq!((gaps.encode(b"b a c"), gaps.len()), (vec![2, 0], 3));
}

#[test]
fn what_no_tokenizer_json_gives_is_refused() {
    let export = |tokenizer: &Tokenizer| tokenizer.to_hugging_face().map_err(|error| error.to_string());
    let json = export(&lower()).unwrap();
    assert_eq!(json["model"]["unk_token"], "<unk>");
    assert_eq!(json["normalizer"]["normalizers"][25]["content"], "z");
    assert!(export(&strict()).unwrap_err().contains("leaves unknown words out"));
    let rules = WordRules { unknown: Some(0), ..strict_rules() };
    let whole = Tokenizer::from_words(&["?", END], rules.clone()).unwrap();
    assert!(export(&whole).unwrap_err().contains("stay whole"));
    let bytes = Tokenizer::from_words(&[b"?", b"\xff"], WordRules { whole: Vec::new(), ..rules }).unwrap();
    assert!(export(&bytes).unwrap_err().contains("UTF-8"));
    let error = Adaptive::new(strict(), Policy::default()).unwrap_err().to_string();
    assert!(error.contains("another program listed its words"), "{error}");
}

#[test]
fn several_threads_find_the_same_words() {
    let text = "Say: hi, you! </s>\u{a0}\nHi ".repeat(9_000);
    let threads = std::num::NonZero::new(3).unwrap();
    let tokenizer = strict();
    assert_eq!(
        tokenizer.encode_parallel(text.as_bytes(), threads, &|_| {}),
        tokenizer.encode(text.as_bytes())
    );
}
