//! Verdicts beside Z3's, random 3-SAT, and how much faster a kept fact is: `cargo run --release -p rekindle-reason
//! --example figures`. Z3 is taken from the PATH, and what needs it is left out where it is not there.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use rekindle_compute::rng::{Stream, stream};
use rekindle_reason::syntax::{Formula, Term};
use rekindle_reason::{Auto, Budget, FactCache, Horn, Knowledge, Reasoner, Sat, Verdict, Z3, proof};

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let count = std::env::args().nth(1).map_or(Ok(10_000), |count| count.parse())?;
    random_3_sat(200, 4.26, 31)?;
    kept_facts()?;
    beside_z3(count)
}

/// Clauses of three different propositions, each negated in half of the cases.
fn clauses(
    random: &mut Stream,
    propositions: usize,
    count: usize,
) -> Result<Knowledge, Box<dyn std::error::Error>> {
    let mut knowledge = Knowledge::default();
    for _ in 0..count {
        let mut all: Vec<usize> = (0..propositions).collect();
        random.shuffle(&mut all);
        let literals = all[..3].iter().map(|number| {
            let literal = Formula::atom(format!("p{number}"), vec![]);
            if random.below(2) == 0 { literal.negated() } else { literal }
        });
        knowledge.add(Formula::Or(literals.collect()))?;
    }
    Ok(knowledge)
}

fn random_3_sat(propositions: usize, ratio: f64, count: u64) -> Outcome {
    let goal = Formula::Constant(false);
    let (mut proving, mut checking, mut satisfiable) = (Vec::new(), Vec::new(), 0);
    for case in 0..count {
        let number = (propositions as f64 * ratio).round() as usize;
        let knowledge = clauses(&mut stream(1, 0, case), propositions, number)?;
        let begin = Instant::now();
        let verdict = Sat.prove(&goal, &knowledge, Budget::default());
        proving.push(begin.elapsed());
        let begin = Instant::now();
        proof::check(&verdict, &goal, &knowledge)?;
        checking.push(begin.elapsed());
        match verdict.follows() {
            Some(follows) => satisfiable += u64::from(!follows),
            None => println!("  undecided: {verdict}"),
        }
    }
    proving.sort_unstable();
    checking.sort_unstable();
    println!(
        "uniform random 3-SAT, {propositions} propositions, ratio {ratio}: {count} cases, {satisfiable} satisfiable; with model or \
         refutation {:.3} s in the median, {:.3} s at most; checked in {:.3} s in the median, {:.3} s at most",
        proving[proving.len() / 2].as_secs_f64(),
        proving[proving.len() - 1].as_secs_f64(),
        checking[checking.len() / 2].as_secs_f64(),
        checking[checking.len() - 1].as_secs_f64(),
    );
    Ok(())
}

/// Time of proving a goal and of finding it among what is kept.
fn kept_facts() -> Outcome {
    let path = |length: usize| {
        let steps: String = (0..length).map(|node| format!("edge({node}, {})\n", node + 1)).collect();
        format!(
            "forall x y. edge(x, y) implies path(x, y)\nforall x y z. edge(x, y) and path(y, z) implies path(x, z)\n{steps}"
        )
    };
    let rules = "kind(anne)\nbig(anne)\nforall x. kind(x) and big(x) implies round(x)\nforall x. round(x) implies quiet(x)\n\
                 forall x. quiet(x) and kind(x) implies calm(x)\n";
    let goal = |text| rekindle_reason::syntax::parse(text);
    one_fact("rules of depth 3", &Knowledge::parse(rules)?, &goal("calm(anne)")?)?;
    one_fact("a path of 20 edges", &Knowledge::parse(&path(20))?, &goal("path(0, 20)")?)?;
    let hard = clauses(&mut stream(1, 0, 3), 100, 426)?;
    one_fact("3-SAT of 100 propositions", &hard, &Formula::Constant(false))
}

fn one_fact(name: &str, knowledge: &Knowledge, goal: &Formula) -> Outcome {
    let mut engine = Auto::built_in();
    let budget = Budget::default();
    let mut cache = FactCache::default();
    cache.prove(&mut engine, goal, knowledge, budget)?;
    let proving = shortest(|| drop(black_box(engine.prove(goal, knowledge, budget))));
    let finding = shortest(|| {
        assert!(black_box(cache.find(&engine, black_box(goal), knowledge, budget)).is_some());
    });
    println!(
        "a kept fact, {name}: proved in {:.2} us, found in {:.3} us, {:.0} times as fast",
        proving * 1e6,
        finding * 1e6,
        proving / finding
    );
    Ok(())
}

/// Seconds that some work takes: the mean of as many runs as take half a millisecond, of 30 times the shortest, which is least
/// disturbed.
fn shortest(mut work: impl FnMut()) -> f64 {
    let mut timed = |runs: u32| {
        let begin = Instant::now();
        (0..runs).for_each(|_| work());
        begin.elapsed().as_secs_f64() / f64::from(runs)
    };
    let runs = (5e-4 / timed(1)).ceil() as u32;
    (0..30).map(|_| timed(runs)).fold(f64::INFINITY, f64::min)
}

fn beside_z3(count: u64) -> Outcome {
    let mut z3 = Z3::default();
    if !z3.is_there() {
        println!("skipped: there is no z3 on the PATH to compare verdicts with (pip install z3-solver)");
        return Ok(());
    }
    println!("beside {}, {count} problems:", z3.version());
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let (mut differing, mut unanswered) = (0, 0);
    // On a machine under load a program may take long to be started.
    let budget = Budget { time: Duration::from_secs(60), ..Budget::default() };
    for case in 0..count {
        let (kind, knowledge, goal) = problem(&mut stream(2, 0, case), case)?;
        let said = z3.prove(&goal, &knowledge, budget);
        let theirs = said.follows();
        if theirs.is_none() {
            unanswered += 1;
            println!("  z3, {said}: {goal}");
        }
        let mut engines: Vec<Box<dyn Reasoner>> = vec![Box::new(Sat)];
        if kind == "rules" {
            engines.push(Box::new(Horn::default()));
        }
        for mut engine in engines {
            let verdict = engine.prove(&goal, &knowledge, budget);
            proof::check(&verdict, &goal, &knowledge)?;
            let differs = theirs.is_some() && verdict.follows() != theirs;
            differing += u64::from(differs);
            let said = match verdict {
                Verdict::Proved(_) => "proved",
                Verdict::Refuted(_) => "refuted",
                Verdict::Unknown(_) => "unknown",
            };
            *counts.entry((kind, said)).or_default() += 1;
            if differs {
                println!("  differs, {} {:?} and {theirs:?}: {goal}", engine.name(), verdict.follows());
            }
        }
    }
    for ((kind, said), number) in counts {
        println!("  {kind}: {number} {said}, each checked");
    }
    println!("  {differing} differ; Z3 did not answer {unanswered} of the problems");
    Ok(())
}

type Drawn = Result<(&'static str, Knowledge, Formula), Box<dyn std::error::Error>>;

/// A problem of one of four kinds.
fn problem(random: &mut Stream, case: u64) -> Drawn {
    match case % 4 {
        0 => propositions(random),
        1 => Ok(("3-SAT", clauses(random, 12, 51)?, Formula::Constant(false))),
        2 => rules(random),
        _ => equalities(random),
    }
}

fn propositions(random: &mut Stream) -> Drawn {
    let mut knowledge = Knowledge::default();
    for _ in 0..1 + random.below(5) {
        knowledge.add(proposition(random, 3))?;
    }
    Ok(("propositions", knowledge, proposition(random, 3)))
}

fn proposition(random: &mut Stream, depth: usize) -> Formula {
    let part = |random: &mut Stream| proposition(random, depth - 1);
    match if depth == 0 { 0 } else { random.below(7) } {
        0 | 1 => Formula::atom(format!("p{}", random.below(8)), vec![]),
        2 => part(random).negated(),
        3 => Formula::And(vec![part(random), part(random)]),
        4 => Formula::Or(vec![part(random), part(random), part(random)]),
        5 => part(random).implies(part(random)),
        _ => Formula::Iff(Box::new(part(random)), Box::new(part(random))),
    }
}

fn rules(random: &mut Stream) -> Drawn {
    let things = ["a", "b", "c"].map(Term::constant);
    let any = [Term::variable("x"), Term::variable("y"), Term::constant("a")];
    let atom = |random: &mut Stream, from: &[Term]| {
        let number = random.below(6);
        let arguments = 1 + usize::from(number > 3);
        let arguments = (0..arguments).map(|_| from[random.below(from.len() as u64) as usize].clone());
        Formula::atom(format!("r{number}"), arguments.collect())
    };
    let mut knowledge = Knowledge::default();
    for _ in 0..2 + random.below(3) {
        knowledge.add(atom(random, &things))?;
    }
    for _ in 0..3 + random.below(5) {
        let body = (0..1 + random.below(3)).map(|_| atom(random, &any)).collect();
        let rule = Formula::And(body).implies(atom(random, &any));
        knowledge.add(Formula::forall("x", Formula::forall("y", rule)))?;
    }
    Ok(("rules", knowledge, atom(random, &things)))
}

fn equalities(random: &mut Stream) -> Drawn {
    let mut knowledge = Knowledge::default();
    for _ in 0..2 + random.below(4) {
        knowledge.add(Formula::Or(vec![equality(random), equality(random)]))?;
    }
    Ok(("equalities", knowledge, equality(random)))
}

fn equality(random: &mut Stream) -> Formula {
    let literal = match random.below(3) {
        0 => Formula::atom("p", vec![term(random, 2)]),
        _ => Formula::atom("=", vec![term(random, 2), term(random, 2)]),
    };
    if random.below(4) == 0 { literal.negated() } else { literal }
}

fn term(random: &mut Stream, depth: u64) -> Term {
    match random.below(depth + 1) {
        0 => Term::constant(["a", "b", "c"][random.below(3) as usize]),
        _ => Term::Function("f".to_owned(), vec![term(random, depth - 1)]),
    }
}
