use std::collections::HashSet;

use super::examination::{QUESTIONS, is_held_out, plain};
use super::*;

/// The first dialogues of a seed, and a text of it.
fn sample() -> (Vec<Vec<Turn>>, String) {
    (dialogues(3, 20_000), facts(3, 4_000))
}

#[test]
fn the_same_seed_gives_the_same_text() {
    assert_eq!(facts(5, 200), facts(5, 200));
    assert_eq!(dialogues(5, 200), dialogues(5, 200));
    assert_ne!(facts(5, 200), facts(6, 200));
    assert_ne!(dialogues(5, 200), dialogues(6, 200));
}

#[test]
fn fewer_are_the_beginning_of_more() {
    assert!(facts(5, 300).starts_with(&facts(5, 200)));
    assert_eq!(dialogues(5, 300)[..200], dialogues(5, 200));
    assert_eq!(facts(5, 0), "");
}

#[test]
fn a_text_has_the_paragraphs_that_were_asked_for() {
    let (_, text) = sample();
    assert_eq!(text.split("\n\n").count(), 4_000);
    assert!((500_000..1_000_000).contains(&text.len()), "{}", text.len());
}

#[test]
fn dialogues_take_turns_and_are_short() {
    for dialogue in sample().0 {
        assert!((2..=8).contains(&dialogue.len()), "{dialogue:?}");
        for pair in dialogue.chunks(2) {
            assert_eq!([pair[0].speaker, pair[1].speaker], [Speaker::User, Speaker::Assistant]);
        }
    }
}

#[test]
fn no_examination_question_is_in_a_dialogue_or_text() {
    let (dialogues, text) = sample();
    let held_out: HashSet<String> = QUESTIONS.iter().map(|(question, _)| plain(question)).collect();
    assert_eq!(held_out.len(), QUESTIONS.len());
    for turn in dialogues.iter().flatten() {
        assert!(!held_out.contains(&plain(&turn.text)), "{turn:?}");
    }
    for (question, _) in QUESTIONS {
        assert!(is_held_out(question));
        assert!(!text.contains(question), "{question}");
    }
}

#[test]
fn every_word_that_the_examination_expects_is_taught() {
    let (dialogues, _) = sample();
    let answers: String = dialogues
        .iter()
        .flatten()
        .filter(|turn| turn.speaker == Speaker::Assistant)
        .map(|turn| turn.text.to_ascii_lowercase() + "\n")
        .collect();
    for (question, words) in QUESTIONS {
        assert!(!words.is_empty(), "{question}");
        for word in *words {
            assert!(answers.contains(&word.to_ascii_lowercase()), "{question}: {word}");
        }
    }
}

#[test]
fn every_examination_question_could_have_been_asked() {
    // Without the rule that keeps them apart, the same draws would ask them.
    let mut missing: HashSet<String> = QUESTIONS.iter().map(|(question, _)| plain(question)).collect();
    for index in 0..400_000 {
        let dice = &mut Dice::new(9, 0, index);
        let thing = dice.pick(world::THINGS);
        let named = things::Named::by_name(thing, thing.has_plural() && dice.chance(35));
        let drawn = [
            general(dice),
            things::explanation(dice),
            talk::about_self(dice),
            talk::unknown(dice),
            things::topics(dice, thing)
                .into_iter()
                .map(|topic| things::told(dice, thing, &named, topic))
                .next()
                .unwrap(),
        ];
        drawn.iter().for_each(|point| {
            missing.remove(&plain(&point.question));
        });
        if missing.is_empty() {
            return;
        }
    }
    panic!("never asked: {missing:?}");
}

#[test]
fn answers_and_paragraphs_are_sentences() {
    let (dialogues, text) = sample();
    let answers = dialogues.iter().flatten().filter(|turn| turn.speaker == Speaker::Assistant);
    for line in answers.map(|turn| turn.text.as_str()).chain(text.split("\n\n")) {
        assert!(line.starts_with(|c: char| c.is_ascii_uppercase() || c.is_ascii_digit()), "{line}");
        assert!(line.ends_with(['.', '!', '?']), "{line}");
        for (end, _) in line.match_indices(['.', '!', '?']) {
            let next = line[end + 1..].trim_start_matches(' ').chars().next();
            assert!(next.is_none_or(|c| !c.is_ascii_lowercase()), "{line}");
        }
    }
}

#[test]
fn the_letters_are_plain_and_the_articles_right() {
    let (dialogues, text) = sample();
    let said = dialogues.iter().flatten().map(|turn| turn.text.as_str());
    for line in said.chain(text.split("\n\n")) {
        assert!(line.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '), "{line:?}");
        assert!(!line.contains("  ") && line.trim() == line, "{line:?}");
        assert!(!line.contains(['{', '}', '[', ']']), "{line:?}");
        let words: Vec<&str> = line.split(' ').collect();
        for pair in words.windows(2) {
            let vowel = pair[1].starts_with(['a', 'e', 'i', 'o', 'u']);
            // The letter A of "A and B" and "A is true" is no article.
            let letter = matches!(pair, ["A" | "a", "and" | "or" | "is"]);
            assert!(letter || !(matches!(pair[0], "a" | "A") && vowel), "{line:?}");
            assert!(!matches!(pair[0], "an" | "An") || vowel, "{line:?}");
        }
    }
}
