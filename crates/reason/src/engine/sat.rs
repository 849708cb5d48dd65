//! Propositional logic, and what can be written in it, by a SAT solver.
//!
//! The solver is [batsat](https://crates.io/crates/batsat), a MiniSat. It tells each clause that it learns, and what it says is not
//! believed: where it finds a contradiction, a [refutation](crate::proof::Refutation) is made of the clauses that it learnt, back from the
//! empty one, with what each follows from.

mod trim;

use batsat::{Callbacks, ClauseKind, Lit, Solver, SolverInterface, Var, lbool};

use super::{Budget, Reason, Reasoner, Verdict};
use crate::knowledge::{self, Knowledge, World};
use crate::proof::{Clauses, Model, NoClauses, Proof, ground};
use crate::syntax::Formula;

/// Decides statements without quantifiers, with or without equality; and those with quantifiers that say of no function of
/// something, and of none of many things that something exists for each of it: worlds of the things that are named are
/// enough for them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sat;

const NAME: &str = "sat";

/// The version of the solver and of the translation into clauses.
const VERSION: &str = "batsat 0.6, clauses 1";

impl Reasoner for Sat {
    fn name(&self) -> &str {
        NAME
    }

    fn version(&self) -> &str {
        VERSION
    }

    fn prove(&mut self, goal: &Formula, knowledge: &Knowledge, budget: Budget) -> Verdict {
        decide(goal, knowledge, budget).unwrap_or_else(Verdict::Unknown)
    }
}

fn decide(goal: &Formula, knowledge: &Knowledge, budget: Budget) -> Result<Verdict, Reason> {
    knowledge::check(goal)?;
    let outside = |what: &str| Reason::Outside { engine: NAME.to_owned(), what: what.to_owned() };
    if knowledge.world() == World::Closed {
        return Err(outside("a closed world"));
    }
    let clauses = ground(knowledge, goal, budget.size).map_err(|error| match error {
        NoClauses::Outside(what) => outside(&what),
        NoClauses::TooLarge => Reason::Budget(format!("{} literals of clauses", budget.size)),
    })?;
    solve(&clauses, budget)
}

fn solve(clauses: &Clauses, budget: Budget) -> Result<Verdict, Reason> {
    let learnt = Learnt { literals: Vec::new(), ends: Vec::new(), budget };
    let mut solver = Solver::new(Default::default(), learnt);
    // Variables of the solver count from 0.
    let variables: Vec<Var> =
        (0..clauses.variables as u32).map(|variable| solver.var_of_int(variable)).collect();
    let literal = |number: i32| Lit::new(variables[number.unsigned_abs() as usize - 1], number > 0);
    let mut is_open = true;
    for clause in &clauses.clauses {
        let mut clause = clause.iter().map(|&number| literal(number)).collect();
        is_open &= solver.add_clause_reuse(&mut clause);
    }
    let answer = if is_open { solver.solve_limited(&[]) } else { lbool::FALSE };
    if answer == lbool::TRUE {
        let world = clauses.world(|variable| solver.value_lit(literal(variable as i32)) == lbool::TRUE);
        return Ok(Verdict::Refuted(Model::Interpretation(world)));
    }
    if answer == lbool::FALSE {
        let refutation = trim::refutation(clauses, &solver.cb().clauses(), budget)?;
        return Ok(Verdict::Proved(Proof::Refutation(refutation)));
    }
    let learnt = solver.cb().ends.len();
    Err(Reason::Budget(format!("{learnt} conflicts of the solver")))
}

/// The clauses that the solver learns, one behind the other.
struct Learnt {
    literals: Vec<i32>,
    ends: Vec<usize>,
    budget: Budget,
}

impl Learnt {
    fn clauses(&self) -> Vec<&[i32]> {
        let begins = [0].into_iter().chain(self.ends.iter().copied());
        begins.zip(&self.ends).map(|(begin, &end)| &self.literals[begin..end]).collect()
    }
}

impl Callbacks for Learnt {
    fn on_new_clause(&mut self, clause: &[Lit], kind: ClauseKind) {
        if kind == ClauseKind::Learnt {
            let numbers = clause.iter().map(|literal| {
                let variable = literal.var().idx() as i32 + 1;
                if literal.sign() { variable } else { -variable }
            });
            self.literals.extend(numbers);
            self.ends.push(self.literals.len());
        }
    }

    fn stop(&self) -> bool {
        self.ends.len() as u64 >= self.budget.steps || self.literals.len() as u64 >= self.budget.size
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::check;
    use crate::syntax::parse;

    fn ask(knowledge: &str, goal: &str) -> Verdict {
        let (knowledge, goal) = (Knowledge::parse(knowledge).unwrap(), parse(goal).unwrap());
        let verdict = Sat.prove(&goal, &knowledge, Budget::default());
        check(&verdict, &goal, &knowledge).unwrap();
        verdict
    }

    #[test]
    fn what_follows_is_proved_and_the_rest_refuted() {
        for (knowledge, goal, follows) in [
            ("p\np implies q", "q", true),
            ("p or q\nnot p", "q", true),
            ("p or q", "q", false),
            ("p iff q\nq iff r\nr iff s\nnot s", "not p and not q", true),
            ("", "p or not p", true),
            ("", "p", false),
            ("", "false", false),
            ("p and not p", "false", true),
            ("not ((p iff q) iff (q iff p))", "r", true),
            ("forall x. kind(x) implies round(x)\nkind(anne) or kind(bob)", "exists x. round(x)", true),
            ("forall x. kind(x) implies round(x)\nkind(anne) or kind(bob)", "round(anne)", false),
            ("exists x. p(x)\nforall x. p(x) implies q(x)", "exists y. q(y)", true),
            ("exists x. p(x)", "forall x. p(x)", false),
            ("forall x. p(x)", "exists x. p(x)", true),
            ("exists x. forall y. likes(x, y)", "forall y. exists x. likes(x, y)", true),
            ("forall x. p(x) iff not q(x)\nq(a)", "not p(a)", true),
            ("5 > 3\nforall x y z. x < y and y < z implies x < z\n3 > 1", "1 < 5", true),
        ] {
            assert_eq!(ask(knowledge, goal).follows(), Some(follows), "{knowledge} / {goal}");
        }
    }

    #[test]
    fn equals_can_be_swapped() {
        for (knowledge, goal, follows) in [
            ("a = b\nb = c", "c = a", true),
            ("a = b", "f(a) = f(b)", true),
            ("f(f(f(a))) = a\nf(f(f(f(f(a))))) = a", "f(a) = a", true),
            ("f(f(f(f(a)))) = a\nf(f(f(f(f(f(a)))))) = a", "f(a) = a", false),
            ("a = b\np(a)", "p(b)", true),
            ("f(a) = b\np(b)", "p(f(a))", true),
            ("p(a)\nnot p(b)", "not a = b", true),
            ("p(a)", "a = b or p(b)", false),
            ("forall x. x = a\np(a)", "forall y. p(y)", true),
            ("f(a) = c\na = b", "f(b) = c", true),
            ("f(a) = c", "f(b) = c", false),
            // What goes by the name of a function whose argument goes by another.
            ("a = b\nf(b) = g(c)", "p", false),
            ("a = b\nf(b) = g(c)\ng(f(b)) = h(c)\nnot h(c) = f(b)", "h(c) = g(c)", false),
        ] {
            assert_eq!(ask(knowledge, goal).follows(), Some(follows), "{knowledge} / {goal}");
        }
    }

    #[test]
    fn what_it_cannot_take_is_said() {
        for (knowledge, goal, said) in [
            ("forall x. exists y. likes(x, y)", "p", "exists for each"),
            ("forall x. p(f(x))", "p(a)", "a function, such as `f(x)`"),
        ] {
            let said_of = ask(knowledge, goal).to_string();
            assert!(said_of.contains(said), "{said_of}");
        }
        let knowledge = Knowledge::parse("p").unwrap().with_world(World::Closed);
        let verdict = Sat.prove(&parse("p").unwrap(), &knowledge, Budget::default());
        assert!(matches!(verdict, Verdict::Unknown(Reason::Outside { .. })));
    }

    #[test]
    fn a_small_budget_is_kept() {
        let pigeons = pigeons(7);
        let knowledge = Knowledge::parse(&pigeons).unwrap();
        let goal = parse("false").unwrap();
        for budget in [Budget { steps: 5, ..Budget::default() }, Budget { size: 40, ..Budget::default() }] {
            let verdict = Sat.prove(&goal, &knowledge, budget);
            assert!(matches!(verdict, Verdict::Unknown(Reason::Budget(_))), "{verdict}");
        }
        assert_eq!(ask(&pigeons, "false").follows(), Some(true));
    }

    /// One pigeon more than there are holes.
    fn pigeons(holes: usize) -> String {
        let mut text = String::new();
        for pigeon in 0..=holes {
            let places: Vec<String> = (0..holes).map(|hole| format!("in({pigeon}, {hole})")).collect();
            text += &(places.join(" or ") + "\n");
            for other in 0..pigeon {
                for hole in 0..holes {
                    text += &format!("not in({pigeon}, {hole}) or not in({other}, {hole})\n");
                }
            }
        }
        text
    }
}
