//! How many problems of reasoning a language model answers rightly.

use rekindle_data::Part;
use rekindle_data::share_interval;
use rekindle_reason::FactCache;
use rekindle_systems::reasoning::{Problem, Split, Suite, problems, verdict};
use rekindle_train::{Message, Registry, Role, TextModel};
use serde_json::{Value, json};

use crate::args::EvaluateArgs;
use crate::checked_answer::Question;
use crate::language_model::{self, Asked};
use crate::output;

/// Answers of one suite and split.
#[derive(Default)]
struct Score {
    asked: usize,
    right: usize,
    /// Those that the reasoner decides, and of them the ones that it answers rightly.
    decided: usize,
    right_by_reasoner: usize,
}

pub fn evaluate(registry: &Registry, args: &EvaluateArgs, json: bool) -> anyhow::Result<u8> {
    let suites = suites(&args.suite)?;
    let mut model = language_model::load(registry, &args.model, &Asked::default(), args.threads.count())?;
    model.set("temperature", "0")?;
    let mut rows = Vec::new();
    for &suite in &suites {
        for split in Split::ALL {
            tell!("{}", output::dim(&format!("{suite}, {split}")));
            let problems = problems(suite, split, Part::Test, args.seed, args.count as usize);
            rows.push((suite, split, score(&mut *model, &problems, args.reasoner)?));
        }
    }
    if json {
        let rows: Vec<Value> =
            rows.iter().map(|(suite, split, score)| in_json(*suite, *split, score)).collect();
        output::print_json(&json!({"suites": rows}))?;
    } else {
        output::print(&in_words(&rows, args.reasoner))?;
    }
    Ok(0)
}

/// Those that are named, `reasoning` for all.
fn suites(names: &[String]) -> anyhow::Result<Vec<Suite>> {
    let mut suites = Vec::new();
    for name in names {
        let named = if name == "reasoning" { Suite::ALL.to_vec() } else { vec![name.parse()?] };
        suites.extend(named.into_iter().filter(|suite| !suites.contains(suite)).collect::<Vec<Suite>>());
    }
    Ok(suites)
}

fn score(model: &mut dyn TextModel, problems: &[Problem], with_reasoner: bool) -> anyhow::Result<Score> {
    let mut score = Score { asked: problems.len(), ..Score::default() };
    let mut facts = FactCache::default();
    for problem in problems {
        let question = problem.text();
        let mut answer = String::new();
        let messages = [Message { role: Role::User, content: question.clone() }];
        // A model that does not see the question has no answer.
        let _ = model.answer(&messages, &mut |piece| {
            answer += piece;
            true
        });
        score.right += usize::from(verdict(&answer) == problem.answer);
        let Some(question) = with_reasoner.then(|| Question::of(&question, std::iter::empty())).flatten()
        else {
            continue;
        };
        if let Some(word) = question.check(&mut facts, &answer)?.verdict() {
            score.decided += 1;
            score.right_by_reasoner += usize::from(word == problem.answer);
        }
    }
    Ok(score)
}

fn in_json(suite: Suite, split: Split, score: &Score) -> Value {
    json!({
        "suite": suite.name(), "split": split.name(), "asked": score.asked, "right": score.right,
        "decided_by_reasoner": score.decided, "right_by_reasoner": score.right_by_reasoner,
    })
}

fn in_words(rows: &[(Suite, Split, Score)], with_reasoner: bool) -> String {
    let percent = |right: usize, of: usize| format!("{:.1} %", 100.0 * right as f64 / of.max(1) as f64);
    let table: Vec<Vec<String>> = rows
        .iter()
        .map(|(suite, split, score)| {
            let [low, high] = share_interval(score.right, score.asked).map(|share| 100.0 * share);
            let mut row = vec![
                suite.to_string(),
                split.to_string(),
                score.asked.to_string(),
                percent(score.right, score.asked),
                format!("{low:.0} to {high:.0} %"),
            ];
            if with_reasoner {
                row.push(score.decided.to_string());
                row.push(percent(score.right_by_reasoner, score.decided));
            }
            row
        })
        .collect();
    let mut header = vec!["suite", "split", ">asked", ">right", ">95 % interval"];
    if with_reasoner {
        header.extend([">reasoner decides", ">right then"]);
    }
    output::table(&header, &table)
}
