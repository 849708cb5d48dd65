//! Problems that others wrote: those of Pelletier, "Seventy-five problems for testing automatic theorem provers" (1986), whose
//! quantifiers the built-in engines take. All are theorems.

use rekindle_reason::syntax::{Spelling, Written, parse};
use rekindle_reason::{Auto, Budget, Knowledge, Reasoner, proof};

#[rustfmt::skip]
const PROBLEMS: [(u32, &str, &str); 29] = [
    (1, "", "(p => q) <=> (~q => ~p)"),
    (2, "", "~~p <=> p"),
    (3, "", "~(p => q) => (q => p)"),
    (4, "", "(~p => q) <=> (~q => p)"),
    (5, "", "((p | q) => (p | r)) => (p | (q => r))"),
    (6, "", "p | ~p"),
    (7, "", "p | ~~~p"),
    (8, "", "((p => q) => p) => p"),
    (9, "", "((p | q) & (~p | q) & (p | ~q)) => ~(~p | ~q)"),
    (10, "q => r\nr => (p & q)\np => (q | r)", "p <=> q"),
    (11, "", "p <=> p"),
    (12, "", "((p <=> q) <=> r) <=> (p <=> (q <=> r))"),
    (13, "", "(p | (q & r)) <=> ((p | q) & (p | r))"),
    (14, "", "(p <=> q) <=> ((q | ~p) & (~q | p))"),
    (15, "", "(p => q) <=> (~p | q)"),
    (16, "", "(p => q) | (q => p)"),
    (17, "", "((p & (q => r)) => s) <=> ((~p | q | s) & (~p | ~r | s))"),
    (22, "", "(forall x. p <=> f(x)) => (p <=> forall x. f(x))"),
    (23, "", "(forall x. p | f(x)) <=> (p | forall x. f(x))"),
    (24, "~exists x. s(x) & q(x)\nforall x. p(x) => (q(x) | r(x))\n~(exists x. p(x)) => exists x. q(x)\nforall x. (q(x) | r(x)) => s(x)",
        "exists x. p(x) & r(x)"),
    (25, "exists x. p(x)\nforall x. f(x) => (~g(x) & r(x))\nforall x. p(x) => (g(x) & f(x))\n(forall x. p(x) => q(x)) | exists x. p(x) & r(x)",
        "exists x. q(x) & p(x)"),
    (26, "(exists x. p(x)) <=> exists x. q(x)\nforall x y. p(x) & q(y) => (r(x) <=> s(y))",
        "(forall x. p(x) => r(x)) <=> forall x. q(x) => s(x)"),
    (27, "exists x. f(x) & ~g(x)\nforall x. f(x) => h(x)\nforall x. j(x) & i(x) => f(x)\n(exists x. h(x) & ~g(x)) => forall x. i(x) => ~h(x)",
        "forall x. j(x) => ~i(x)"),
    (28, "forall x. p(x) => forall x. q(x)\n(forall x. q(x) | r(x)) => exists x. q(x) & s(x)\n(exists x. s(x)) => forall x. f(x) => g(x)",
        "forall x. p(x) & f(x) => g(x)"),
    (30, "forall x. f(x) | g(x) => ~h(x)\nforall x. (g(x) => ~i(x)) => f(x) & h(x)", "forall x. i(x)"),
    (31, "~exists x. f(x) & (g(x) | h(x))\nexists x. i(x) & f(x)\nforall x. ~h(x) => j(x)", "exists x. i(x) & j(x)"),
    (32, "forall x. f(x) & (g(x) | h(x)) => i(x)\nforall x. i(x) & h(x) => j(x)\nforall x. k(x) => h(x)",
        "forall x. f(x) & k(x) => j(x)"),
    (33, "", "(forall x. p(a) & (p(x) => p(b)) => p(c)) <=> forall x. (~p(a) | p(x) | p(c)) & (~p(a) | ~p(b) | p(c))"),
    (39, "", "~exists x. forall y. f(y, x) <=> ~f(y, y)"),
];

#[test]
fn every_theorem_is_proved_and_its_proof_checked() {
    for (number, knowledge, goal) in PROBLEMS {
        let (knowledge, goal) = (Knowledge::parse(knowledge).unwrap(), parse(goal).unwrap());
        let verdict = Auto::built_in().prove(&goal, &knowledge, Budget::default());
        assert_eq!(verdict.follows(), Some(true), "problem {number}: {verdict}");
        assert_eq!(proof::check(&verdict, &goal, &knowledge), Ok(()), "problem {number}");
        // Of a theorem the negation does not follow, unless what is known contradicts itself, as that of problem 25 does.
        let denied = Auto::built_in().prove(&goal.clone().negated(), &knowledge, Budget::default());
        assert_eq!(denied.follows() == Some(true), number == 25, "problem {number}");
        assert_eq!(
            parse(&Written { what: &goal, spelling: Spelling::Unicode }.to_string()).as_ref(),
            Ok(&goal)
        );
    }
}
