//! Text comes in pieces that are always whole, ends where it was asked to end, and is the same
//! whatever the threads, and whatever the decoder knew before.

use rekindle_gpt::GptError;
use rekindle_gpt::inference::{
    Decoder, Generation, GenerationSettings, Outcome, StopReason, WeightPrecision, WhenFull,
};
use rekindle_gpt::model::{Block, ModelConfig, Network, Sampling, StructureConfig};
use rekindle_tokenizer::Tokenizer;

const TEXT: &str =
    "The cat sat on the mat \u{2014} the \u{20ac}uro na\u{ef}vely sat; caf\u{e9}s, \u{1f600} and cats.";
const CONTEXT: u32 = 40;

fn byte_pairs() -> Tokenizer {
    Tokenizer::train_byte_pair(TEXT.repeat(3).as_bytes(), 290).unwrap()
}

fn words() -> Tokenizer {
    Tokenizer::train_words(TEXT.as_bytes(), 100).unwrap()
}

fn decoder(tokenizer: &Tokenizer, threads: usize) -> Decoder {
    let model = ModelConfig {
        block: Block::Gpt2,
        layers: 2,
        heads: 2,
        width: 32,
        feed_forward: None,
        context: CONTEXT,
        tied: false,
        attention_biases: false,
        dropout: 0.0,
        structure: StructureConfig::default(),
        sampling: Sampling::default(),
    };
    let mut network = Network::random(&model, tokenizer.len(), 3);
    // Fresh weights are so small that all tokens are equally likely.
    let weights = network.arrays_mut().into_iter().filter(|(name, ..)| name.contains("weight"));
    weights.for_each(|(_, _, numbers)| numbers.iter_mut().for_each(|number| *number *= 12.0));
    Decoder::new(&network, WeightPrecision::F32, threads).unwrap()
}

fn settings(max_tokens: u64) -> GenerationSettings {
    let sampling = Sampling { seed: 11, ..Sampling::default() };
    GenerationSettings { max_tokens, sampling, ..GenerationSettings::default() }
}

/// The pieces of text behind a prompt, and the outcome.
fn generate(
    decoder: &mut Decoder,
    tokenizer: &Tokenizer,
    settings: &GenerationSettings,
    prompt: &str,
) -> (Vec<String>, Outcome) {
    let prompt = tokenizer.encode(prompt.as_bytes());
    let mut generation = Generation::start(decoder, tokenizer, settings, &prompt).unwrap();
    let pieces = generation.by_ref().map(Result::unwrap).collect();
    (pieces, generation.outcome())
}

#[test]
fn the_pieces_are_the_text_of_the_tokens() {
    for tokenizer in [byte_pairs(), words()] {
        let mut decoder = decoder(&tokenizer, 2);
        for seed in 0..20 {
            let mut settings = settings(25);
            settings.sampling.seed = seed;
            let (pieces, outcome) = generate(&mut decoder, &tokenizer, &settings, "The cat");
            assert_eq!(outcome.stop, StopReason::MaxTokens);
            assert_eq!(outcome.tokens.len(), 25);
            assert!(outcome.rate > 0.0 && outcome.prompt_rate > 0.0);
            assert!(pieces.iter().all(|piece| !piece.is_empty()));
            let expected = tokenizer.decode(&outcome.tokens).unwrap();
            assert_eq!(pieces.concat(), String::from_utf8_lossy(&expected));
        }
    }
}

#[test]
fn greedy_text_is_that_of_the_highest_scores() {
    let tokenizer = byte_pairs();
    let mut decoder = decoder(&tokenizer, 1);
    let greedy = GenerationSettings { sampling: Sampling::greedy(), ..settings(20) };
    let (_, outcome) = generate(&mut decoder, &tokenizer, &greedy, "The cat");
    decoder.clear();
    let mut read = tokenizer.encode(b"The cat");
    let mut expected: Vec<u32> = Vec::new();
    for _ in 0..20 {
        let logits = decoder.feed(&read).unwrap();
        let best = (0..logits.len()).rev().max_by(|&x, &y| logits[x].total_cmp(&logits[y])).unwrap();
        read = vec![best as u32];
        expected.extend(&read);
    }
    assert_eq!(outcome.tokens, expected);
}

#[test]
fn the_text_depends_neither_on_threads_nor_on_what_was_known() {
    let tokenizer = byte_pairs();
    let expected = generate(&mut decoder(&tokenizer, 1), &tokenizer, &settings(25), "The cat sat").0;
    let mut decoder = decoder(&tokenizer, 3);
    for other in ["The cat sat", "The cat", "sat", "The cat sat on the mat"] {
        generate(&mut decoder, &tokenizer, &settings(3), other);
        assert_eq!(generate(&mut decoder, &tokenizer, &settings(25), "The cat sat").0, expected);
    }
}

#[test]
fn a_stop_string_ends_the_text_before_it() {
    let tokenizer = byte_pairs();
    let mut decoder = decoder(&tokenizer, 1);
    let text = generate(&mut decoder, &tokenizer, &settings(30), "The").0.concat();
    let characters: Vec<(usize, char)> = text.char_indices().collect();
    for start in 0..characters.len() - 3 {
        let stop = &text[characters[start].0..characters[start + 3].0];
        let settings = GenerationSettings { stop_strings: vec![stop.to_owned()], ..settings(30) };
        let (pieces, outcome) = generate(&mut decoder, &tokenizer, &settings, "The");
        assert_eq!(outcome.stop, StopReason::StopString(stop.to_owned()));
        assert_eq!(pieces.concat(), text[..text.find(stop).unwrap()]);
    }
}

#[test]
fn a_stop_token_ends_the_text_and_is_not_given() {
    let tokenizer = byte_pairs();
    let mut decoder = decoder(&tokenizer, 1);
    let tokens = generate(&mut decoder, &tokenizer, &settings(30), "The").1.tokens;
    let settings = GenerationSettings { stop_tokens: vec![tokens[9]], ..settings(30) };
    let (pieces, outcome) = generate(&mut decoder, &tokenizer, &settings, "The");
    let first = tokens.iter().position(|token| *token == tokens[9]).unwrap();
    assert_eq!(outcome.stop, StopReason::StopToken(tokens[9]));
    assert_eq!(outcome.tokens, tokens[..first]);
    let expected = tokenizer.decode(&tokens[..first]).unwrap();
    assert_eq!(pieces.concat(), String::from_utf8_lossy(&expected));
}

#[test]
fn a_full_context_ends_the_text_or_slides() {
    let tokenizer = byte_pairs();
    let mut decoder = decoder(&tokenizer, 2);
    let prompt = tokenizer.encode(b"The cat").len();
    let (_, outcome) = generate(&mut decoder, &tokenizer, &settings(1000), "The cat");
    assert_eq!(outcome.stop, StopReason::ContextFull);
    // The last token is given, but no longer read.
    assert_eq!(outcome.tokens.len(), CONTEXT as usize - prompt + 1);

    let sliding = GenerationSettings { when_full: WhenFull::Slide, ..settings(200) };
    let (_, slid) = generate(&mut decoder, &tokenizer, &sliding, "The cat");
    assert_eq!(slid.stop, StopReason::MaxTokens);
    assert_eq!(slid.tokens.len(), 200);
    assert_eq!(slid.tokens[..outcome.tokens.len()], outcome.tokens);
    // What is known is the end of the text, without the last token, which was not read.
    let known = decoder.tokens();
    assert!(known.len() >= CONTEXT as usize / 2);
    assert!(slid.tokens[..199].ends_with(known));
}

#[test]
fn a_prompt_that_is_too_long_is_refused_unless_it_may_slide() {
    let tokenizer = byte_pairs();
    let mut decoder = decoder(&tokenizer, 1);
    let prompt = vec![65; CONTEXT as usize + 1];
    let refused = Generation::start(&mut decoder, &tokenizer, &settings(5), &prompt);
    assert!(matches!(refused, Err(GptError::TooLong { found: 41, context: 40, .. })));
    let sliding = GenerationSettings { when_full: WhenFull::Slide, ..settings(5) };
    let mut generation = Generation::start(&mut decoder, &tokenizer, &sliding, &prompt).unwrap();
    generation.by_ref().for_each(|piece| drop(piece.unwrap()));
    assert_eq!(generation.outcome().tokens.len(), 5);
    // A prompt that just fits leaves room for one more token.
    let mut generation = Generation::start(&mut decoder, &tokenizer, &settings(5), &prompt[1..]).unwrap();
    generation.by_ref().for_each(|piece| drop(piece.unwrap()));
    let outcome = generation.outcome();
    assert_eq!((outcome.tokens.len(), outcome.stop), (1, StopReason::ContextFull));
}

#[test]
fn what_cannot_be_generated_is_refused() {
    let tokenizer = byte_pairs();
    let mut decoder = decoder(&tokenizer, 1);
    let mut error = |tokenizer: &Tokenizer, settings: &GenerationSettings, prompt: &[u32]| {
        Generation::start(&mut decoder, tokenizer, settings, prompt).map(drop).unwrap_err().to_string()
    };
    assert!(error(&words(), &settings(5), &[1]).contains("not of the same model"));
    assert!(error(&tokenizer, &settings(5), &[]).contains("there are no tokens"));
    assert!(error(&tokenizer, &settings(5), &[1, 5000]).contains("token 5000 at position 1"));
    let empty = GenerationSettings { stop_strings: vec![String::new()], ..settings(5) };
    assert!(error(&tokenizer, &empty, &[1]).contains("stop_strings"));
    let unknown = GenerationSettings { stop_tokens: vec![5000], ..settings(5) };
    assert!(error(&tokenizer, &unknown, &[1]).contains("stop_tokens"));
    let sampling = Sampling { top_p: 2.0, ..Sampling::default() };
    assert!(error(&tokenizer, &GenerationSettings { sampling, ..settings(5) }, &[1]).contains("top_p"));
    assert!(serde_json::from_str::<GenerationSettings>(r#"{"max_token": 1}"#).is_err());
}

#[test]
fn nothing_is_generated_when_nothing_is_asked_for() {
    let tokenizer = byte_pairs();
    let mut decoder = decoder(&tokenizer, 1);
    let (pieces, outcome) = generate(&mut decoder, &tokenizer, &settings(0), "The");
    assert!(pieces.is_empty() && outcome.tokens.is_empty());
    assert_eq!(outcome.stop, StopReason::MaxTokens);
    let prompt = tokenizer.encode(b"The");
    let mut generation = Generation::start(&mut decoder, &tokenizer, &settings(9), &prompt).unwrap();
    generation.next();
    assert_eq!(generation.outcome().stop, StopReason::Interrupted);
}
