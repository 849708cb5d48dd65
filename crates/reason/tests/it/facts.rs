//! Facts are kept with what they rest on, and found out when that was changed.

use rekindle_reason::proof::{Model, Proof};
use rekindle_reason::syntax::{Formula, parse};
use rekindle_reason::{
    Auto, Budget, FactCache, FactKey, Knowledge, Outcome, Reason, Reasoner, Verdict, World,
};
use serde_json::Value;

fn knowledge() -> Knowledge {
    Knowledge::parse("kind(anne)\nforall x. kind(x) implies round(x)\nbig(bob) or big(anne)\n").unwrap()
}

fn rules(world: World) -> Knowledge {
    Knowledge::parse("kind(anne)\nforall x. kind(x) implies round(x)\nbig(bob)\n").unwrap().with_world(world)
}

/// Facts of every kind that the engines of this crate show.
fn filled() -> FactCache {
    let mut cache = FactCache::default();
    for (knowledge, goals) in [
        (knowledge(), &["round(anne)", "exists x. big(x)", "big(anne)", "p and not p"][..]),
        (rules(World::Open), &["round(anne)", "round(bob)"]),
        (rules(World::Closed), &["not round(bob)", "round(bob)", "not round(anne)"]),
    ] {
        for goal in goals {
            let verdict =
                cache.prove(&mut Auto::built_in(), &parse(goal).unwrap(), &knowledge, Budget::default());
            assert!(verdict.unwrap().follows().is_some(), "{goal}");
        }
    }
    cache
}

/// An engine that says what it is told, once.
struct Once(Option<Verdict>, &'static str);

impl Reasoner for Once {
    fn name(&self) -> &str {
        "once"
    }

    fn version(&self) -> &str {
        self.1
    }

    fn prove(&mut self, _: &Formula, _: &Knowledge, _: Budget) -> Verdict {
        self.0.take().expect("it is asked once")
    }
}

#[test]
fn facts_come_back_as_the_same_bytes_and_are_checked_again() {
    let cache = filled();
    let text = serde_json::to_string(&cache).unwrap();
    let read: FactCache = serde_json::from_str(&text).unwrap();
    assert_eq!(read, cache);
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
    let verified = read.verify().unwrap();
    assert_eq!((verified.checked, verified.external), (9, 0));
}

#[test]
fn the_same_question_in_other_words_is_not_asked_again() {
    let mut cache = FactCache::default();
    let external = || Verdict::Proved(Proof::External { program: "once".to_owned() });
    let mut engine = Once(Some(external()), "1");
    let goal = |text| parse(text).unwrap();
    let knowledge = knowledge();
    cache
        .prove(
            &mut engine,
            &goal("forall x. kind(x) and big(x) implies round(x)"),
            &knowledge,
            Budget::default(),
        )
        .unwrap();
    let other = goal("forall y. not kind(y) or round(y) or not big(y)");
    assert_eq!(cache.prove(&mut engine, &other, &knowledge, Budget::default()), Ok(external()));
    assert_eq!(cache.verify().unwrap().external, 1);
    // Another knowledge, budget or version is another question.
    let key = FactKey::of(&other, &knowledge, &engine, Budget::default());
    assert!(cache.get(&key).is_some());
    let less = Budget { steps: 1, ..Budget::default() };
    for other in [
        FactKey::of(&other, &rules(World::Open), &engine, Budget::default()),
        FactKey::of(&other, &knowledge, &engine, less),
        FactKey::of(&other, &knowledge, &Once(None, "2"), Budget::default()),
    ] {
        assert!(cache.get(&other).is_none());
    }
    assert!(cache.find(&engine, &other, &knowledge, Budget::default()).is_some());
    assert!(cache.find(&engine, &other, &knowledge, less).is_none());
    cache.keep_version("once", "2");
    assert!(cache.is_empty());
}

#[test]
fn what_is_unknown_is_not_kept() {
    let mut cache = FactCache::default();
    let unknown = Verdict::Unknown(Reason::GaveUp("once".to_owned()));
    let verdict = cache.prove(
        &mut Once(Some(unknown.clone()), "1"),
        &parse("p").unwrap(),
        &knowledge(),
        Budget::default(),
    );
    assert_eq!(verdict, Ok(unknown));
    assert!(cache.is_empty());
}

#[test]
fn what_an_engine_does_not_show_is_not_kept() {
    let mut cache = FactCache::default();
    let verdict = Verdict::Refuted(Model::Interpretation(Default::default()));
    let error = cache.prove(
        &mut Once(Some(verdict), "1"),
        &parse("round(anne)").unwrap(),
        &knowledge(),
        Budget::default(),
    );
    let said = error.unwrap_err().to_string();
    assert!(said.contains("`round(anne)` does not show it"), "{said}");
    assert!(cache.is_empty());
}

/// Changes every number and text of a value in turn.
fn changes(value: &Value) -> Vec<Value> {
    match value {
        Value::Number(number) => vec![(number.as_i64().unwrap_or_default() + 1).into()],
        Value::String(text) => vec![format!("{text}x").into()],
        Value::Array(items) => {
            let inside = items.iter().enumerate().flat_map(|(index, item)| {
                changes(item).into_iter().map(move |changed| {
                    let mut items = items.clone();
                    items[index] = changed;
                    Value::Array(items)
                })
            });
            let without = (0..items.len()).map(|index| {
                let mut items = items.clone();
                items.remove(index);
                Value::Array(items)
            });
            inside.chain(without).collect()
        }
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, field)| {
                changes(field).into_iter().map(move |changed| {
                    let mut fields = fields.clone();
                    fields.insert(name.clone(), changed);
                    Value::Object(fields)
                })
            })
            .collect(),
        _ => Vec::new(),
    }
}

#[test]
fn whatever_is_changed_is_found() {
    let cache = filled();
    let whole = serde_json::to_value(&cache).unwrap();
    let mut found = 0;
    for changed in changes(&whole) {
        let Ok(changed) = serde_json::from_value::<FactCache>(changed) else { continue };
        // A fact that is gone with nothing else changed is a smaller cache, and statements that nothing needs are no fault.
        if changed.len() < cache.len() {
            continue;
        }
        assert!(changed.verify().is_err(), "{changed:?}");
        found += 1;
    }
    assert!(found > 100, "{found}");
}

#[test]
fn a_proof_that_was_swapped_is_named_even_with_a_good_seal() {
    // Whoever makes a seal for the wrong proof is found out by the proof: each fact's is tried for all others.
    let cache = filled();
    let outcomes: Vec<Outcome> = cache.iter().map(|(_, fact)| fact.outcome.clone()).collect();
    for (_, fact) in cache.iter() {
        let statements = cache.statements(fact).unwrap().join("\n");
        let goal = parse(&fact.goal).unwrap();
        for outcome in outcomes.iter().filter(|outcome| outcome.follows() != fact.outcome.follows()) {
            for world in [World::Open, World::Closed] {
                let knowledge = Knowledge::parse(&statements).unwrap().with_world(world);
                let checked = rekindle_reason::proof::check(&outcome.verdict(), &goal, &knowledge);
                let is_same_world =
                    knowledge.digest() == cache.iter().find(|(_, other)| *other == fact).unwrap().0.knowledge;
                assert!(checked.is_err() || !is_same_world, "{}: {outcome:?}", fact.goal);
            }
        }
    }
    let mut text = serde_json::to_string(&cache).unwrap();
    let goal = "\"goal\":\"exists x. big(x)\"";
    assert!(text.contains(goal));
    text = text.replace(goal, "\"goal\":\"exists x. big(bob)\"");
    let error = serde_json::from_str::<FactCache>(&text).unwrap().verify().unwrap_err().to_string();
    assert_eq!(error, "the kept fact `exists x. big(bob)` was changed: its seal is that of another");
}
