//! The engines say the same of the same questions, and what they show is checked.

use rekindle_compute::rng::{Stream, stream};
use rekindle_reason::syntax::{Formula, Term};
use rekindle_reason::{Budget, Direction, Horn, Knowledge, Reasoner, Sat, Verdict, World, proof};

fn asked(engine: &mut dyn Reasoner, goal: &Formula, knowledge: &Knowledge) -> Verdict {
    let verdict = engine.prove(goal, knowledge, Budget::default());
    proof::check(&verdict, goal, knowledge).unwrap_or_else(|error| panic!("{goal}: {error}: {verdict:?}"));
    verdict
}

/// A formula of the propositions p0 to p4.
fn proposition(random: &mut Stream, depth: usize) -> Formula {
    let part = |random: &mut Stream| proposition(random, depth - 1);
    match if depth == 0 { 0 } else { random.below(7) } {
        0 | 1 => Formula::atom(format!("p{}", random.below(5)), vec![]),
        2 => part(random).negated(),
        3 => Formula::And((0..2 + random.below(2)).map(|_| part(random)).collect()),
        4 => Formula::Or((0..2 + random.below(2)).map(|_| part(random)).collect()),
        5 => part(random).implies(part(random)),
        _ => Formula::Iff(Box::new(part(random)), Box::new(part(random))),
    }
}

fn holds(formula: &Formula, setting: u64) -> bool {
    match formula {
        Formula::Atom(atom) => setting >> atom.predicate[1..].parse::<u64>().unwrap() & 1 == 1,
        Formula::Not(body) => !holds(body, setting),
        Formula::And(parts) => parts.iter().all(|part| holds(part, setting)),
        Formula::Or(parts) => parts.iter().any(|part| holds(part, setting)),
        Formula::Implies(a, b) => !holds(a, setting) || holds(b, setting),
        Formula::Iff(a, b) => holds(a, setting) == holds(b, setting),
        other => panic!("{other}"),
    }
}

#[test]
fn sat_says_what_truth_tables_say() {
    let mut counts = [0; 2];
    for case in 0..2000 {
        let random = &mut stream(1, 0, case);
        let mut knowledge = Knowledge::default();
        for _ in 0..random.below(4) {
            knowledge.add(proposition(random, 3)).unwrap();
        }
        let goal = proposition(random, 3);
        let mut worlds =
            (0..32).filter(|&setting| knowledge.statements().iter().all(|known| holds(known, setting)));
        let follows = worlds.all(|setting| holds(&goal, setting));
        assert_eq!(asked(&mut Sat, &goal, &knowledge).follows(), Some(follows), "{goal}");
        counts[usize::from(follows)] += 1;
    }
    assert!(counts.iter().all(|&count| count > 200), "{counts:?}");
}

/// Facts and rules about three things, with circles, and a question.
fn rules(random: &mut Stream) -> (Knowledge, Formula) {
    let mut knowledge = Knowledge::default();
    let variables = ["x", "y"].map(Term::variable);
    let atom = |random: &mut Stream, arguments: &[Term]| {
        let number = random.below(6);
        let count = 1 + usize::from(number > 3);
        let arguments =
            (0..count).map(|_| arguments[random.below(arguments.len() as u64) as usize].clone()).collect();
        Formula::atom(format!("r{number}"), arguments)
    };
    let things = ["a", "b", "c"].map(Term::constant);
    for _ in 0..2 + random.below(3) {
        knowledge.add(atom(random, &things)).unwrap();
    }
    let any = [&variables[..], &things[..1]].concat();
    for _ in 0..3 + random.below(5) {
        let body = (0..1 + random.below(3)).map(|_| atom(random, &any)).collect();
        let rule = Formula::And(body).implies(atom(random, &any));
        knowledge.add(Formula::forall("x", Formula::forall("y", rule))).unwrap();
    }
    let goal = match random.below(3) {
        0 => Formula::exists(
            "x",
            Formula::And(vec![atom(random, &variables[..1]), atom(random, &variables[..1])]),
        ),
        _ => atom(random, &things),
    };
    (knowledge, goal)
}

#[test]
fn forwards_backwards_and_sat_say_the_same_of_rules() {
    let mut counts = [0; 2];
    for case in 0..400 {
        let (knowledge, goal) = rules(&mut stream(2, 0, case));
        let follows = asked(&mut Horn::default(), &goal, &knowledge).follows();
        assert_eq!(asked(&mut Sat, &goal, &knowledge).follows(), follows, "{goal}");
        let backward = &mut Horn { direction: Direction::Backward };
        let budget = Budget { steps: 200_000, ..Budget::default() };
        let verdict = backward.prove(&goal, &knowledge, budget);
        proof::check(&verdict, &goal, &knowledge).unwrap();
        assert!(verdict.follows() == follows || verdict.follows().is_none(), "{goal}");
        let closed = knowledge.with_world(World::Closed);
        let denied = asked(&mut Horn::default(), &goal.negated(), &closed).follows();
        assert_eq!(denied, follows.map(|follows| !follows));
        counts[usize::from(follows.unwrap())] += 1;
    }
    assert!(counts.iter().all(|&count| count > 50), "{counts:?}");
}
