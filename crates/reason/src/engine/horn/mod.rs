//! Facts and rules: definite clauses.
//!
//! Forwards, every fact is derived until there is no other (semi-naive evaluation; Ullman, "Principles of Database and
//! Knowledge-Base Systems", 1988): that ends where rules have no functions, and says of everything whether it follows. Backwards, the goal is
//! replaced by the bodies of rules whose head it matches (SLD resolution; Kowalski, "Predicate logic as programming language",
//! 1974): it is needed where functions make endlessly many things.

mod backward;
mod forward;

use super::{Budget, MOST_PREMISES, Reason, Reasoner, Verdict};
use crate::knowledge::{self, Knowledge, Query, Rule, World, has_functions};
use crate::proof::{Derivation, Interpretation, Model, Proof};
use crate::syntax::Formula;

/// Which way to go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Forwards where rules have no functions, otherwise backwards.
    #[default]
    Auto,
    /// From the facts to all that follows.
    Forward,
    /// From the goal to the facts that it needs.
    Backward,
}

/// Decides whether a conjunction of atoms, in which something may be said to exist, follows from facts and rules.
///
/// In an [open world](World::Open) nothing negative follows from them, and such goals are left to other engines. In a
/// [closed world](World::Closed) the negation of a goal is proved where the goal does not follow.
#[derive(Clone, Copy, Debug, Default)]
pub struct Horn {
    /// Which way to go.
    pub direction: Direction,
}

const NAME: &str = "horn";
const VERSION: &str = "1";

/// What a search finds.
enum Found {
    /// The goal follows.
    Derived(Derivation),
    /// It does not, and in this world all facts and rules hold.
    World(Interpretation),
    /// It does not, and no world can be listed.
    Nothing,
}

impl Reasoner for Horn {
    fn name(&self) -> &str {
        NAME
    }

    fn version(&self) -> &str {
        VERSION
    }

    fn prove(&mut self, goal: &Formula, knowledge: &Knowledge, budget: Budget) -> Verdict {
        decide(self.direction, goal, knowledge, budget).unwrap_or_else(Verdict::Unknown)
    }
}

fn decide(
    direction: Direction,
    goal: &Formula,
    knowledge: &Knowledge,
    budget: Budget,
) -> Result<Verdict, Reason> {
    knowledge::check(goal)?;
    let rules = knowledge.rules().map_err(|error| outside(&error.to_string()))?;
    let query = Query::of(goal).ok_or_else(|| outside(&format!("`{goal}` as a goal")))?;
    if query.is_negated && knowledge.world() == World::Open {
        return Err(outside("a negated goal, of which facts and rules say nothing in an open world"));
    }
    if rules
        .iter()
        .map(|rule| rule.body.len())
        .chain([query.atoms.len()])
        .any(|length| length > MOST_PREMISES)
    {
        return Err(outside(&format!("more than {MOST_PREMISES} premises")));
    }
    let found = match direction {
        _ if query.atoms.is_empty() => Found::Derived(Derivation::default()),
        Direction::Forward => forward::search(&rules, &query, budget)?,
        Direction::Auto if !with_functions(&rules, &query) => forward::search(&rules, &query, budget)?,
        _ => backward::search(&rules, &query, budget)?,
    };
    Ok(match (found, query.is_negated) {
        (Found::Derived(derivation), false) => Verdict::Proved(Proof::Derivation(derivation)),
        (Found::Derived(derivation), true) => Verdict::Refuted(Model::Derivation(derivation)),
        (Found::World(world), false) => Verdict::Refuted(Model::Interpretation(world)),
        (Found::World(world), true) => Verdict::Proved(Proof::NotDerivable(world)),
        (Found::Nothing, _) => {
            return Err(Reason::GaveUp("the search, which found no derivation and no world,".to_owned()));
        }
    })
}

fn with_functions(rules: &[Rule], query: &Query) -> bool {
    has_functions(&query.atoms)
        || rules
            .iter()
            .any(|rule| has_functions(&rule.body) || has_functions(std::slice::from_ref(&rule.head)))
}

fn outside(what: &str) -> Reason {
    Reason::Outside { engine: NAME.to_owned(), what: what.to_owned() }
}

/// Steps that are left.
struct Steps {
    left: u64,
    all: u64,
}

impl Steps {
    fn new(all: u64) -> Self {
        Self { left: all, all }
    }

    fn take(&mut self) -> Result<(), Reason> {
        self.left = self.left.checked_sub(1).ok_or_else(|| Reason::Budget(format!("{} steps", self.all)))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::check;
    use crate::syntax::parse;

    fn ask(direction: Direction, world: World, knowledge: &str, goal: &str) -> Verdict {
        let (knowledge, goal) =
            (Knowledge::parse(knowledge).unwrap().with_world(world), parse(goal).unwrap());
        let verdict = Horn { direction }.prove(&goal, &knowledge, Budget::default());
        check(&verdict, &goal, &knowledge).unwrap_or_else(|error| panic!("{goal}: {error}: {verdict:?}"));
        verdict
    }

    const PEOPLE: &str = "\
kind(anne) and big(anne)
forall x. kind(x) and big(x) implies round(x)
forall x. round(x) implies quiet(x)
forall x y. quiet(x) and likes(y, x) implies happy(y)
likes(bob, anne)
forall x. likes(x, x)
";

    #[test]
    fn what_follows_is_derived_and_the_rest_refuted() {
        for direction in [Direction::Auto, Direction::Forward, Direction::Backward] {
            for (goal, follows) in [
                ("happy(bob)", Some(true)),
                ("happy(bob) and happy(anne)", Some(true)),
                ("exists x. likes(x, anne) and kind(x)", Some(true)),
                ("likes(carl, carl)", Some(true)),
                ("round(bob)", Some(false)),
                ("exists x. likes(anne, x) and big(x) and likes(x, bob)", Some(false)),
                ("not round(bob)", None),
                ("round(bob) or happy(bob)", None),
            ] {
                let found = ask(direction, World::Open, PEOPLE, goal).follows();
                let expected = if direction == Direction::Backward {
                    follows.filter(|follows| *follows)
                } else {
                    follows
                };
                assert_eq!(found, expected, "{direction:?} {goal}");
            }
        }
    }

    #[test]
    fn in_a_closed_world_what_does_not_follow_is_false() {
        for (goal, follows) in [
            ("not round(bob)", true),
            ("not round(anne)", false),
            ("round(anne)", true),
            ("round(bob)", false),
        ] {
            assert_eq!(ask(Direction::Auto, World::Closed, PEOPLE, goal).follows(), Some(follows), "{goal}");
        }
    }

    #[test]
    fn circles_end_and_functions_are_searched_backwards() {
        let circle =
            "p(a)\nforall x. q(x) implies r(x)\nforall x. r(x) implies q(x)\nforall x. p(x) implies r(x)\n";
        for direction in [Direction::Forward, Direction::Backward] {
            assert_eq!(ask(direction, World::Open, circle, "q(a)").follows(), Some(true));
        }
        assert_eq!(ask(Direction::Backward, World::Open, "p implies q\nq implies p", "p").follows(), None);
        let numbers = "nat(zero)\nforall x. nat(x) implies nat(s(x))\n\
                       forall x. plus(zero, x, x)\nforall x y z. plus(x, y, z) implies plus(s(x), y, s(z))\n";
        assert_eq!(
            ask(Direction::Auto, World::Open, numbers, "exists z. plus(s(s(zero)), s(zero), z)").follows(),
            Some(true)
        );
        assert_eq!(ask(Direction::Auto, World::Open, numbers, "nat(s(s(s(zero))))").follows(), Some(true));
        assert_eq!(ask(Direction::Auto, World::Open, numbers, "plus(s(zero), zero, zero)").follows(), None);
    }

    #[test]
    fn a_small_budget_is_kept() {
        let path = "forall x y z. path(x, y) and path(y, z) implies path(x, z)\n".to_owned()
            + &(0..60).map(|node| format!("path({node}, {})\n", node + 1)).collect::<String>();
        let knowledge = Knowledge::parse(&path).unwrap();
        let goal = parse("path(60, 0)").unwrap();
        for direction in [Direction::Forward, Direction::Backward] {
            for budget in
                [Budget { steps: 100, ..Budget::default() }, Budget { size: 100, ..Budget::default() }]
            {
                let verdict = Horn { direction }.prove(&goal, &knowledge, budget);
                assert!(matches!(verdict, Verdict::Unknown(Reason::Budget(_))), "{direction:?} {verdict}");
            }
        }
        assert_eq!(ask(Direction::Auto, World::Open, &path, "path(0, 60)").follows(), Some(true));
        assert_eq!(ask(Direction::Auto, World::Open, &path, "path(60, 0)").follows(), Some(false));
    }
}
