use std::collections::{BTreeMap, HashSet};

use super::*;

fn some(suite: Suite, split: Split, part: Part, count: usize) -> Vec<Problem> {
    problems(suite, split, part, 5, count)
}

fn every() -> impl Iterator<Item = (Suite, Split)> {
    Suite::ALL.into_iter().flat_map(|suite| Split::ALL.map(|split| (suite, split)))
}

#[test]
fn there_are_as_many_as_are_asked_for_and_fewer_are_the_first() {
    for (suite, split) in every() {
        let more = some(suite, split, Part::Train, 60);
        assert_eq!(more.len(), 60, "{suite} {split}");
        assert_eq!(some(suite, split, Part::Train, 40), more[..40]);
        assert_ne!(problems(suite, split, Part::Train, 6, 40), more[..40]);
        let different: HashSet<_> =
            more.iter().map(|problem| (&problem.statement, &problem.question)).collect();
        assert_eq!(different.len(), 60);
    }
}

#[test]
fn no_problem_is_in_two_parts() {
    for suite in Suite::ALL {
        let split = Split::InDistribution;
        let all = [Part::Train, Part::Select, Part::Test].map(|part| some(suite, split, part, 25));
        for (index, part) in all.iter().enumerate() {
            assert_eq!(part.len(), 25, "{suite}");
            let others =
                all.iter().enumerate().filter(|(other, _)| *other != index).flat_map(|(_, others)| others);
            for other in others {
                assert!(!part.contains(other));
            }
        }
    }
}

#[test]
fn what_is_learnt_is_short_and_answers_are_a_word() {
    for (suite, split) in every() {
        for problem in some(suite, split, Part::Train, 60) {
            let length = problem.statement.len() + problem.question.len() + problem.answer.len();
            let most = if split == Split::InDistribution { 400 } else { 1200 };
            assert!(length <= most, "{length}: {problem:?}");
            assert!(
                problem.answer.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'),
                "{problem:?}"
            );
            assert!(problem.statement.is_ascii() && problem.question.is_ascii());
        }
    }
}

/// The answers by depth.
fn answers(suite: Suite, split: Split) -> BTreeMap<usize, BTreeMap<String, usize>> {
    let mut counts: BTreeMap<usize, BTreeMap<String, usize>> = BTreeMap::new();
    for problem in some(suite, split, Part::Train, 300) {
        *counts.entry(problem.depth).or_default().entry(problem.answer).or_default() += 1;
    }
    counts
}

#[test]
fn answers_are_balanced_at_every_depth() {
    for suite in [Suite::Rules, Suite::Entailment, Suite::Satisfiability, Suite::Transitivity, Suite::Dyck] {
        for (depth, counts) in answers(suite, Split::InDistribution) {
            let all: usize = counts.values().sum();
            let right = counts.get("True").copied().unwrap_or_default();
            // Five standard deviations of fair coins.
            let off = (right as f64 - all as f64 / 2.0).abs();
            assert!(off <= 2.5 * (all as f64).sqrt(), "{suite} {depth}: {right} of {all}");
        }
    }
}

#[test]
fn deeper_ones_are_deeper_than_all_that_is_learnt() {
    for suite in Suite::ALL {
        let learnt = answers(suite, Split::InDistribution);
        let deeper = answers(suite, Split::Deeper);
        assert!(learnt.keys().max() < deeper.keys().min(), "{suite}");
    }
}

#[test]
fn longer_ones_are_longer() {
    let length = |suite, split| {
        let all = some(suite, split, Part::Test, 60);
        all.iter().map(|problem| problem.statement.len()).sum::<usize>() / all.len()
    };
    for suite in Suite::ALL {
        let [learnt, longer] = [Split::InDistribution, Split::Longer].map(|split| length(suite, split));
        assert!(longer * 2 > learnt * 3, "{suite}: {longer} and {learnt}");
    }
}

#[test]
fn names_of_shifted_ones_are_in_nothing_that_is_learnt() {
    let words = |split| {
        let all = some(Suite::Rules, split, Part::Train, 300);
        let text: Vec<String> = all.into_iter().map(|problem| problem.statement).collect();
        text.join(" ")
            .split_whitespace()
            .map(|word| word.trim_matches(['.', ',']).to_owned())
            .collect::<HashSet<_>>()
    };
    let (learnt, shifted) = (words(Split::InDistribution), words(Split::Shifted));
    let both = learnt
        .intersection(&shifted)
        .filter(|word| !["If", "and", "are", "is", "then"].contains(&word.as_str()));
    assert_eq!(both.count(), 0);
}

#[test]
fn neither_the_length_nor_a_negation_tells_the_answer() {
    let all = some(Suite::Rules, Split::InDistribution, Part::Train, 800);
    let share = |holds: &dyn Fn(&Problem) -> bool| {
        let holding: Vec<&Problem> = all.iter().filter(|problem| holds(problem)).collect();
        holding.iter().filter(|problem| problem.answer == "True").count() as f64 / holding.len() as f64
    };
    let sentences = |problem: &Problem| problem.statement.matches('.').count();
    let mut counts: Vec<usize> = all.iter().map(sentences).collect();
    counts.sort_unstable();
    let middle = counts[counts.len() / 2];
    for (name, found) in [
        ("denied", share(&|problem| problem.question.contains(" not "))),
        ("not denied", share(&|problem| !problem.question.contains(" not "))),
        ("short", share(&|problem| sentences(problem) < middle)),
        ("long", share(&|problem| sentences(problem) > middle)),
    ] {
        assert!((found - 0.5).abs() < 0.12, "{name}: {found}");
    }
}

#[test]
fn what_is_read_from_the_text_has_the_answer() {
    for (suite, split) in every() {
        for problem in some(suite, split, Part::Test, 30) {
            let Some(logic) = problem.logic() else { continue };
            let follows = logic_label::follows(Some(logic)).unwrap();
            let expected = if suite == Suite::Satisfiability { !follows } else { follows };
            assert_eq!(problem.answer, truth(expected), "{problem:?}");
        }
    }
}

#[test]
fn lines_are_read_back() {
    let all = some(Suite::Listops, Split::Deeper, Part::Select, 20);
    let lines = json_lines(&all).unwrap();
    let read: Vec<Problem> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, all);
    assert_eq!("listops".parse(), Ok(Suite::Listops));
    assert_eq!("deeper".parse(), Ok(Split::Deeper));
    let error = "depth".parse::<Split>().unwrap_err().to_string();
    assert_eq!(error, "`depth` is no split; there are in_distribution, deeper, longer, shifted");
}
