//! What is printed is read as the same.

use proptest::prelude::*;
use rekindle_reason::read::Format;
use rekindle_reason::syntax::{Atom, Formula, MOST_DEPTH, Quantifier, Spelling, Term, Written, parse};
use rekindle_reason::{canonical, tree};

const VARIABLES: [&str; 3] = ["x", "y7", "person"];

fn term() -> impl Strategy<Value = Term> {
    let leaf = prop_oneof![
        prop::sample::select(&VARIABLES[..]).prop_map(Term::variable),
        prop::sample::select(vec!["anne", "7", "it's", "and", "X Y", "z", "x", "person", "a\\b", "a\nb"])
            .prop_map(Term::constant),
    ];
    leaf.prop_recursive(3, 8, 2, |inner| {
        // A number of arguments each, so that none contradicts another.
        prop_oneof![
            inner.clone().prop_map(|a| Term::Function("f".to_owned(), vec![a])),
            (inner.clone(), inner).prop_map(|(a, b)| Term::Function("plus one".to_owned(), vec![a, b])),
        ]
    })
}

fn formula() -> impl Strategy<Value = Formula> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Formula::Constant),
        Just(Formula::atom("rain", vec![])),
        term().prop_map(|a| Formula::atom("kind", vec![a])),
        (term(), term()).prop_map(|(a, b)| Formula::atom("subset", vec![a, b])),
        (prop::sample::select(vec!["=", ">", "<"]), term(), term())
            .prop_map(|(relation, a, b)| Formula::atom(relation, vec![a, b])),
    ];
    leaf.prop_recursive(6, 40, 4, |inner| {
        let pair = (inner.clone(), inner.clone());
        let quantifier = prop::sample::select(vec![Quantifier::Forall, Quantifier::Exists]);
        let variable = prop::sample::select(&VARIABLES[..]);
        prop_oneof![
            inner.clone().prop_map(Formula::negated),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Formula::And),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Formula::Or),
            pair.clone().prop_map(|(a, b)| a.implies(b)),
            pair.prop_map(|(a, b)| Formula::Iff(Box::new(a), Box::new(b))),
            (quantifier, variable.clone(), inner.clone()).prop_map(|(quantifier, variable, body)| {
                Formula::Quantified(quantifier, variable.to_owned(), Box::new(body))
            }),
            (variable, inner, term()).prop_map(|(parameter, body, argument)| Formula::Applied {
                parameter: parameter.to_owned(),
                body: Box::new(body),
                argument,
            }),
        ]
    })
}

/// The same with all variables bound.
fn closed() -> impl Strategy<Value = Formula> {
    formula()
        .prop_map(|formula| VARIABLES.iter().fold(formula, |formula, name| Formula::forall(*name, formula)))
}

proptest! {
    #[test]
    fn both_spellings_are_read_back(formula in closed()) {
        for spelling in [Spelling::Ascii, Spelling::Unicode] {
            let text = Written { what: &formula, spelling }.to_string();
            prop_assert_eq!(&parse(&text).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?, &formula, "{}", text);
        }
        prop_assert_eq!(canonical(&formula), canonical(&parse(&formula.to_string()).unwrap()));
    }

    #[test]
    fn every_token_has_a_place_in_the_tree(formula in closed()) {
        let places = tree::tree(&formula.to_string()).unwrap();
        for (_, place) in &places {
            prop_assert_eq!(place.depth, place.path.len());
            if let Some(parent) = place.parent {
                prop_assert_eq!(places[parent].1.depth + 1, place.depth);
            }
        }
        prop_assert!(places.iter().any(|(_, place)| place.depth == 0));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[pqx(),.&|~=<> \u{2200}\u{2227}'#\n]{0,60}") {
        if let Ok(formula) = parse(&text) {
            prop_assert_eq!(parse(&formula.to_string()).unwrap(), formula);
        }
    }
}

#[test]
fn what_files_of_other_formats_say_is_read_back() {
    for (format, text) in [
        (
            Format::SmtLib,
            "(declare-sort U 0)(declare-const a U)(declare-const b U)(declare-const p Bool)\
             (assert (distinct a b))(assert (and p))(assert (or p))",
        ),
        (Format::Dimacs, "p cnf 2 3\n0\n1 0\n1 -2 0\n"),
        (Format::Tptp, "fof(a, axiom, ! [X] : ~ 'X'(X, x)).\ncnf(b, axiom, '') ."),
    ] {
        for statement in format.read(text).unwrap().knowledge.statements() {
            assert_eq!(parse(&statement.to_string()).as_ref(), Ok(statement), "{statement}");
        }
    }
}

#[test]
fn the_deepest_formulas_are_read_back_and_deeper_ones_refused() {
    let negations = |count: usize| "not ".repeat(count) + "p";
    assert!(parse(&negations(MOST_DEPTH - 1)).is_ok());
    assert!(parse(&negations(MOST_DEPTH)).is_err());
    let mut formula = Formula::Atom(Atom::new("p", vec![]));
    for level in 0..MOST_DEPTH - 1 {
        formula = match level % 3 {
            0 => Formula::And(vec![Formula::atom("q", vec![]), formula]),
            1 => Formula::forall("x", formula),
            _ => Formula::Or(vec![formula, Formula::atom("q", vec![])]),
        };
    }
    assert_eq!(parse(&formula.to_string()).unwrap(), formula);
    for text in [
        "(".repeat(100_000),
        "not ".repeat(100_000),
        "p implies ".repeat(100_000),
        "p iff ".repeat(100_000) + "p",
    ] {
        let error = parse(&text).unwrap_err();
        assert!(error.to_string().contains("nested more than 128 levels deep"), "{error}");
    }
    let deep_term = format!("p({}a{})", "f(".repeat(100_000), ")".repeat(100_000));
    assert!(parse(&deep_term).unwrap_err().to_string().contains("nested"));
    // Wide is not deep.
    assert!(parse(&("p and ".repeat(100_000) + "p")).is_ok());
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (text, said) in [
        ("p and", "line 1, column 6: found the end, expected a statement"),
        ("p q", "line 1, column 3: found `q`, expected an operator or the end"),
        ("forall x p(x)", "line 1, column 11: found `(`, expected another variable or `.`"),
        ("p(x)", "line 1, column 3: nothing binds the variable `x`"),
        ("forall x. p(x) and q(y)", "line 1, column 22: nothing binds the variable `y`"),
        ("p(a) and\np(a, b)", "line 2, column 1: the predicate `p` has 2 arguments here, and 1 elsewhere"),
        ("p(f(a), f(a, b))", "line 1, column 3: the function `f` has 2 arguments here, and 1 elsewhere"),
        ("forall x. x", "line 1, column 11: the variable `x` stands for a thing"),
        ("(p", "line 1, column 3: found the end, expected an operator or `)`"),
        ("p()", "line 1, column 3: found `)`, expected a term"),
        ("a = ", "line 1, column 5: found the end, expected a term"),
        ("(lambda x. p(x))", "line 1, column 17: found the end, expected `(` and the term"),
        ("", "line 1, column 1: found the end, expected a statement"),
    ] {
        assert!(
            parse(text).unwrap_err().to_string().starts_with(said),
            "{text:?}: {}",
            parse(text).unwrap_err()
        );
    }
}
