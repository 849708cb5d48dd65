//! What follows from files of statements, and problems of reasoning.

use crate::common::{Outcome, World, outcome};

const PEOPLE: &[u8] = b"\
kind(anne)                                    # a fact
big(anne) and kind(bob)
forall x. kind(x) and big(x) implies round(x)
forall x. round(x) implies quiet(x)
";

/// `reason` with a goal of several words, and no other program on the PATH.
fn ask(world: &World, goal: &str, words: &str) -> Outcome {
    let mut command = world.command("reason");
    command.arg(goal).args(words.split_whitespace()).env("PATH", "");
    outcome(command.output().unwrap())
}

fn people() -> World {
    let world = World::new();
    world.write("people.logic", PEOPLE);
    world
}

#[test]
fn verdicts_are_shown_with_what_they_rest_on() {
    let world = people();
    let proved = ask(&world, "quiet(anne)", "--knowledge people.logic --proof");
    assert_eq!(proved.code, 0);
    insta::assert_snapshot!("reason_proved", proved.stdout);
    let refuted = ask(&world, "quiet(bob)", "--knowledge people.logic --proof");
    assert_eq!(refuted.code, 1);
    insta::assert_snapshot!("reason_refuted", refuted.stdout);
    let clauses = ask(&world, "quiet(anne) or quiet(bob)", "--knowledge people.logic --proof");
    assert_eq!(clauses.code, 0);
    insta::assert_snapshot!("reason_refutation", clauses.stdout);
    let unknown = ask(&world, "forall x. quiet(f(x))", "--knowledge people.logic");
    assert_eq!(unknown.code, 3);
    insta::assert_snapshot!("reason_unknown", unknown.stdout);
}

#[test]
fn a_closed_world_makes_false_what_does_not_follow() {
    let world = people();
    assert_eq!(ask(&world, "not quiet(bob)", "--knowledge people.logic").code, 1);
    let closed = ask(&world, "not quiet(bob)", "--knowledge people.logic --closed");
    assert_eq!(closed.stdout, "proved: what it denies cannot be derived, checked\n");
    let denied = ask(&world, "not quiet(anne)", "--knowledge people.logic --closed");
    assert_eq!(
        (denied.code, denied.stdout.as_str()),
        (1, "refuted: what it denies is derived in 4 steps, checked\n")
    );
}

#[test]
fn files_that_ask_something_are_answered() {
    let world = World::new();
    world.write("no.cnf", b"p cnf 2 4\n1 2 0\n1 -2 0\n-1 2 0\n-1 -2 0\n");
    world.write("yes.cnf", b"p cnf 2 2\n1 2 0\n-1 2 0\n");
    world.write("right.p", b"% Status : Theorem\nfof(a, axiom, p(c)).\nfof(b, conjecture, ? [X] : p(X)).\n");
    world.write(
        "wrong.p",
        b"% Status : Theorem\nfof(a, axiom, p(c)).\nfof(b, conjecture, ! [X] : (q(X) => p(X))).\n",
    );
    for (file, code, said) in [
        ("no.cnf", 0, "proved: its negation leads to a contradiction"),
        ("yes.cnf", 1, "refuted: there is a world"),
        ("right.p", 0, "; so says the file"),
        ("wrong.p", 1, "; the file says otherwise"),
    ] {
        let found = world.run(&format!("reason --knowledge {file}"));
        assert!(found.code == code && found.stdout.contains(said), "{file}: {} {}", found.code, found.stdout);
    }
}

#[test]
fn sentences_are_asked_about() {
    let world = World::new();
    world.write("people.txt", b"Anne is kind. If someone is kind then they are round.\n");
    assert_eq!(ask(&world, "Is Anne round?", "--knowledge people.txt").code, 0);
    assert_eq!(ask(&world, "round(anne)", "--knowledge people.txt").code, 0);
    assert_eq!(ask(&world, "Bob is round.", "--knowledge people.txt").code, 1);
    let told = ask(&world, "Bob round.", "--knowledge people.txt").stderr;
    assert!(told.contains("line 1, column 10: found the end of the sentence, expected a name"), "{told}");
}

#[test]
fn what_is_wrong_is_said() {
    let world = people();
    world.write("bad.logic", b"kind(anne)\nkind(anne,\n");
    world.write(
        "symbols.yaml",
        b"predicates: {kind: 1, big: 1, round: 1, quiet: 1}\nfunctions: {anne: 0, bob: 0}\n",
    );
    world.write("twice.yaml", b"predicates: {kind: 1}\nfunctions: {kind: 0}\n");
    world.write("deep.logic", "(".repeat(100_000).as_bytes());
    for (goal, words, said) in [
        ("kind(x)", "--knowledge people.logic", "nothing binds the variable `x`"),
        (
            "kind(anne) and",
            "--knowledge people.logic",
            "line 1, column 15: found the end, expected a statement",
        ),
        (
            "kind(a, b)",
            "--knowledge people.logic",
            "the predicate `kind` has 2 arguments here, and 1 elsewhere",
        ),
        ("p", "--knowledge bad.logic", "`bad.logic`: line 3, column 1: found the end, expected a term"),
        ("p", "--knowledge deep.logic", "nested more than 128 levels deep"),
        ("p", "--knowledge none.logic", "cannot read `none.logic`"),
        ("quite(anne)", "--knowledge people.logic --symbols symbols.yaml", "did you mean `quiet`?"),
        (
            "kind(anne)",
            "--knowledge people.logic --symbols twice.yaml",
            "declared as a predicate and as a function",
        ),
        ("kind(anne)", "--knowledge people.logic --graph x.gif", "graphs are written as .svg, .png or .dot"),
        ("kind(anne)", "--knowledge people.logic --graph people.logic", "is read, and would be lost"),
        ("kind(anne)", "--knowledge people.logic --engine z3", "hint: `pip install z3-solver`"),
        ("kind(anne)", "--knowledge people.logic --engine prolog", "hint: Debian's package swi-prolog-nox"),
    ] {
        let found = ask(&world, goal, words);
        assert!(
            found.code == 2 && found.stderr.contains(said),
            "{goal} {words}: {} {}",
            found.code,
            found.stderr
        );
    }
    assert!(world.fails(2, "reason --knowledge people.logic").contains("the file asks nothing: name a goal"));
}

#[test]
fn what_depends_on_what_is_drawn() {
    let world = people();
    for file in ["graph.svg", "graph.png", "graph.dot"] {
        let text = world.ok(&format!("reason --knowledge people.logic --graph {file}"));
        assert_eq!(text, "big (1 fact)\nkind (2 facts)\nquiet <- round\nround <- big, kind\n");
    }
    assert!(String::from_utf8(world.read("graph.svg")).unwrap().contains(">quiet</text>"));
    assert!(world.read("graph.dot").starts_with(b"digraph knowledge {"));
    world.fails(2, "reason --knowledge people.logic --graph graph.svg");
    world.ok("reason --knowledge people.logic --graph graph.svg --force");
}

#[test]
#[cfg(unix)]
#[allow(clippy::disallowed_methods, reason = "a fake program is a file")]
fn a_prover_that_hangs_is_stopped() {
    use std::os::unix::fs::PermissionsExt;
    let world = people();
    world.write("z3", b"#!/bin/sh\n[ \"$1\" = --version ] && { echo Z3 0; exit; }\nexec /bin/sleep 100\n");
    std::fs::set_permissions(world.path("z3"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = world.command("reason kind(anne) --knowledge people.logic --engine z3 --timeout 1");
    let found = outcome(command.env("PATH", world.path("")).output().unwrap());
    assert_eq!(
        (found.code, found.stdout.as_str()),
        (3, "unknown: `z3` gave no answer in 1 s, and was stopped\n")
    );
}

#[test]
fn problems_are_made_and_answered_again() {
    let world = World::new();
    let printed = world.ok("problems rules --count 3 --seed 5");
    assert_eq!(printed.lines().count(), 3);
    assert!(
        printed.starts_with("{\"suite\":\"rules\",\"split\":\"in_distribution\",\"depth\":"),
        "{printed}"
    );
    assert!(world.ok("problems rules --count 5 --seed 5").starts_with(&printed));
    let told = world.json("problems satisfiability --split longer --count 20 --check sat -o x.jsonl");
    assert_eq!((&told["agreed"], &told["differed"], &told["undecided"]), (&20.into(), &0.into(), &0.into()));
    assert_eq!(world.read("x.jsonl").iter().filter(|&&byte| byte == b'\n').count(), 20);
    for (words, said) in [
        ("problems riddles", "`riddles` is no suite; there are rules, entailment"),
        ("problems dyck --check sat", "there is nothing in them for an engine"),
        ("problems rules -o x.jsonl", "is there already"),
    ] {
        let told = world.fails(2, words);
        assert!(told.contains(said), "{words}: {told}");
    }
}
