use std::collections::{BTreeSet, HashSet};

use rekindle_train::Role;

use super::exam::{QUESTIONS, is_held_out, part_of, plain};
use super::*;

const VERSIONS: [DataVersion; 2] = [DataVersion::V1, DataVersion::V2];

/// The first dialogues of a seed, and a text of it, of a version.
fn sample(data_version: DataVersion) -> (Vec<Vec<Message>>, Vec<String>) {
    (dialogues(data_version, 3, 20_000), facts(data_version, 3, 4_000))
}

#[test]
fn the_same_seed_gives_the_same_text() {
    for data_version in VERSIONS {
        assert_eq!(facts(data_version, 5, 200), facts(data_version, 5, 200));
        assert_eq!(dialogues(data_version, 5, 200), dialogues(data_version, 5, 200));
        assert_ne!(facts(data_version, 5, 200), facts(data_version, 6, 200));
        assert_ne!(dialogues(data_version, 5, 200), dialogues(data_version, 6, 200));
    }
}

/// Runs that were begun with it go on with it.
#[test]
fn the_first_version_stays_as_it_was() {
    let text = facts(DataVersion::V1, 5, 500).join("\n\n");
    let dialogues: String =
        dialogues(DataVersion::V1, 5, 500).iter().map(|messages| text_of(messages)).collect();
    let hashes = [text, dialogues].map(|text| rekindle::Hash::of(text.as_bytes()).to_string());
    assert_eq!(hashes, FIRST_VERSION);
}

/// What the program made that had no other.
const FIRST_VERSION: [&str; 2] = [
    "677ac239e1db4ca4f9e5d9b6ff814bef3b32bc007be714bc52909cfab71f8868",
    "b2f890b270f26eb9144761bde7312f26c6bd6e43d921e69834ab2d3272f63114",
];

#[test]
fn fewer_are_the_beginning_of_more() {
    for data_version in VERSIONS {
        assert_eq!(facts(data_version, 5, 300)[..200], facts(data_version, 5, 200));
        let fewer = dialogues(data_version, 5, 200);
        assert_eq!(dialogues(data_version, 5, 300)[..fewer.len()], fewer);
        assert!(facts(data_version, 5, 0).is_empty());
    }
}

#[test]
fn paragraphs_are_short() {
    let (_, text) = sample(DataVersion::V2);
    assert_eq!(text.len(), 4_000);
    let bytes: usize = text.iter().map(String::len).sum();
    assert!((400_000..1_000_000).contains(&bytes), "{bytes}");
}

#[test]
fn no_two_dialogues_are_the_same() {
    let (dialogues, _) = sample(DataVersion::V2);
    let different: HashSet<String> = dialogues.iter().map(|dialogue| text_of(dialogue)).collect();
    assert_eq!(different.len(), dialogues.len());
    assert!(dialogues.len() > 10_000, "{}", dialogues.len());
}

#[test]
fn what_is_held_out_is_never_asked_and_conclusions_are_never_drawn() {
    let (dialogues, text) = sample(DataVersion::V2);
    let said: Vec<&str> = dialogues.iter().flatten().map(|turn| turn.content.as_str()).collect();
    let all = said.join("\n") + "\n" + &text.join("\n");
    let plain_text = plain(&all.replace('\n', " "));
    let questions: HashSet<String> = said.iter().map(|text| plain(text)).collect();
    for part in [Part::Select, Part::Test] {
        let (asked, drawn) = match part {
            Part::Test => (exam(), conclusions(part, 200)),
            _ => (selection(60), conclusions(part, 200)),
        };
        for question in asked.iter().chain(&drawn) {
            assert!(!questions.contains(&plain(&question.question)), "{question:?}");
        }
        // What is asked of a conclusion stands nowhere, in no wording of the same premises.
        for question in &drawn {
            assert!(!plain_text.contains(&plain(&question.question)), "{question:?}");
        }
    }
    // Every wording of a fact that is held out: owls and what they eat.
    for wording in
        ["what do owls eat", "what does an owl eat", "what does an owl feed on", "what is the food of owls"]
    {
        assert!(!plain_text.contains(wording), "{wording}");
    }
    assert!(plain_text.contains("owls eat mice") || plain_text.contains("an owl eats mice"));
    assert!(!plain_text.contains("all blims are daxes tom is"));
}

#[test]
fn every_fact_of_the_exam_is_stated() {
    let (dialogues, text) = sample(DataVersion::V2);
    let said = dialogues.iter().flatten().map(|turn| turn.content.clone());
    let all = said.chain(text).collect::<Vec<_>>().join(" ").to_ascii_lowercase();
    for (question, _, right, _) in QUESTIONS {
        for word in right.iter().flat_map(|words| words.split(' ')) {
            assert!(all.contains(&word.to_ascii_lowercase()), "{question}: {word}");
        }
    }
}

#[test]
fn dialogues_take_turns_and_are_short() {
    for dialogue in VERSIONS.into_iter().flat_map(|data_version| sample(data_version).0) {
        assert!((2..=8).contains(&dialogue.len()), "{dialogue:?}");
        for pair in dialogue.chunks(2) {
            assert_eq!([pair[0].role, pair[1].role], [Role::User, Role::Assistant]);
        }
    }
}

#[test]
fn no_exam_question_is_in_a_dialogue_or_text() {
    for data_version in VERSIONS {
        let (dialogues, text) = sample(data_version);
        let held_out: HashSet<String> = QUESTIONS.iter().map(|kept| plain(kept.0)).collect();
        assert_eq!(held_out.len(), QUESTIONS.len());
        for turn in dialogues.iter().flatten() {
            assert!(!held_out.contains(&plain(&turn.content)), "{turn:?}");
        }
        let text = text.join("\n\n");
        for (question, ..) in QUESTIONS {
            assert!(is_held_out(question));
            assert!(!text.contains(question), "{question}");
        }
    }
}

#[test]
fn every_exam_question_has_the_key_of_what_it_asks() {
    // Without the rule that keeps them apart, the same draws would ask them.
    let mut missing: BTreeSet<(String, &str)> =
        QUESTIONS.iter().map(|kept| (plain(kept.0), kept.1)).collect();
    for index in 0..400_000 {
        let rng = &mut TextRng::new(DataVersion::V1, 9, 0, index);
        let thing = rng.pick(world::THINGS);
        let named = things::Named::by_name(thing, thing.has_plural() && rng.chance(35));
        let drawn = [
            general(rng),
            things::explanation(rng),
            small_talk::about_self(rng),
            small_talk::unknown(rng),
            things::topics(rng, thing)
                .into_iter()
                .map(|topic| things::point_of(rng, thing, &named, topic))
                .next()
                .unwrap(),
        ];
        drawn.iter().for_each(|point| {
            let key = match &point.key {
                Key::Unkeyed => "",
                Key::Fact(key) | Key::Conclusion(key) => key,
            };
            if let Some(found) = missing.iter().find(|kept| kept.0 == plain(&point.question)).cloned() {
                assert_eq!(found.1, key, "{}", point.question);
                assert!(key.is_empty() || part_of(&point.key) == Some(Part::Test));
                missing.remove(&found);
            }
        });
        if missing.is_empty() {
            return;
        }
    }
    panic!("never asked: {missing:?}");
}

#[test]
fn answers_and_paragraphs_are_sentences() {
    let (dialogues, text) = sample(DataVersion::V2);
    let answers = dialogues.iter().flatten().filter(|turn| turn.role == Role::Assistant);
    for line in answers.map(|turn| turn.content.as_str()).chain(text.iter().map(String::as_str)) {
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
    let (dialogues, text) = sample(DataVersion::V2);
    let said = dialogues.iter().flatten().map(|turn| turn.content.as_str());
    for line in said.chain(text.iter().map(String::as_str)) {
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
