//! Z3 and SWI-Prolog, as they should be and as they should not.

#![allow(clippy::disallowed_methods, reason = "fake programs are files")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use rekindle_reason::syntax::parse;
use rekindle_reason::{Auto, Budget, Horn, Knowledge, Prolog, Reason, Reasoner, Sat, Verdict, World, Z3};

/// A program that does what the lines of a shell script say.
fn fake(directory: &tempfile::TempDir, script: &str) -> String {
    let path = directory.path().join("fake");
    // Written under another name: a file that is open for writing cannot be run.
    let draft = directory.path().join("draft");
    fs::write(&draft, format!("#!/bin/sh\n[ \"$1\" = --version ] && {{ echo Fake 1.0; exit; }}\n{script}\n"))
        .unwrap();
    fs::set_permissions(&draft, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(&draft, &path).unwrap();
    path.to_str().unwrap().to_owned()
}

fn ask(engine: &mut dyn Reasoner, time: Duration) -> Verdict {
    let knowledge = Knowledge::parse("p(a)\nforall x. p(x) implies q(x)").unwrap();
    engine.prove(&parse("q(a)").unwrap(), &knowledge, Budget { time, ..Budget::default() })
}

/// What both say with a program of this script.
fn both(script: &str, time: Duration) -> [Verdict; 2] {
    let directory = tempfile::tempdir().unwrap();
    let program = fake(&directory, script);
    [ask(&mut Z3::at(program.as_str()), time), ask(&mut Prolog::at(program.as_str()), time)]
}

const LONG: Duration = Duration::from_secs(20);

fn reason(verdict: &Verdict) -> &Reason {
    match verdict {
        Verdict::Unknown(reason) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_that_is_not_there_is_named() {
    for verdict in [ask(&mut Z3::at("no-such-program"), LONG), ask(&mut Prolog::at("no-such-program"), LONG)]
    {
        assert_eq!(reason(&verdict), &Reason::Missing { program: "no-such-program".to_owned() });
    }
    assert!(!Z3::at("no-such-program").is_there() && !Prolog::at("no-such-program").is_there());
}

#[test]
fn one_that_hangs_is_stopped_in_time() {
    // One that reads nothing, and one whose own child holds the output open.
    for script in ["exec sleep 1000", "sleep 1000 & wait"] {
        let begin = Instant::now();
        for verdict in both(script, Duration::from_millis(200)) {
            assert!(matches!(reason(&verdict), Reason::Timeout { seconds: 1, .. }), "{verdict:?}");
        }
        assert!(begin.elapsed() < Duration::from_secs(10));
    }
}

#[test]
fn one_that_dies_or_talks_nonsense_is_not_believed() {
    for verdict in both("echo 'out of memory' >&2; exit 3", LONG) {
        let Reason::Crash { how, .. } = reason(&verdict) else { panic!("{verdict:?}") };
        assert!(how.contains("exit status: 3") && how.contains("out of memory"), "{how}");
    }
    for verdict in both("kill -9 $$", LONG) {
        assert!(matches!(reason(&verdict), Reason::Crash { .. }), "{verdict:?}");
    }
    for verdict in both("echo maybe", LONG) {
        assert!(matches!(reason(&verdict), Reason::Rubbish { text, .. } if text == "maybe"), "{verdict:?}");
    }
    for verdict in both("", LONG) {
        assert!(matches!(reason(&verdict), Reason::Crash { .. }), "{verdict:?}");
    }
    // An error before the answer, and more than is read.
    for script in ["echo '(error \"line 1\")'; echo unsat", "head -c 3000000 /dev/zero"] {
        for verdict in both(script, LONG) {
            assert!(matches!(reason(&verdict), Reason::Rubbish { .. } | Reason::Crash { .. }), "{verdict:?}");
        }
    }
}

#[test]
fn what_they_answer_is_understood() {
    for (script, follows) in [
        ("cat > /dev/null; echo unsat", Some(true)),
        ("cat > /dev/null; echo sat", Some(false)),
        ("echo unknown", None),
    ] {
        assert_eq!(both(script, LONG)[0].follows(), follows, "{script}");
    }
    for (script, follows) in [("echo true", Some(true)), ("echo false", Some(false))] {
        assert_eq!(both(script, LONG)[1].follows(), follows, "{script}");
    }
}

const CASES: [(&str, &str, bool); 8] = [
    ("p(a)\nforall x. p(x) implies q(x)", "q(a)", true),
    ("p(a)\nforall x. p(x) implies q(x)", "exists x. q(x) and p(x)", true),
    ("p(a)\nforall x. q(x) implies p(x)", "q(a)", false),
    (
        "forall x y. e(x, y) implies r(x, y)\nforall x y z. r(x, y) and r(y, z) implies r(x, z)\ne(a, b)\ne(b, a)",
        "r(a, a)",
        true,
    ),
    ("forall x. likes(x, x)\np('it\\'s and')", "likes('it\\'s and', 'it\\'s and')", true),
    ("p(a) and p(b)\np(a) implies q", "q", true),
    ("q implies q", "q", false),
    ("p(a)", "p(b)", false),
];

#[test]
fn the_real_z3_agrees() {
    let mut z3 = Z3::default();
    if !z3.is_there() {
        return eprintln!("skipped: there is no z3 on the PATH (pip install z3-solver)");
    }
    for (knowledge, goal, follows) in CASES {
        let (knowledge, goal) = (Knowledge::parse(knowledge).unwrap(), parse(goal).unwrap());
        for engine in [&mut z3 as &mut dyn Reasoner, &mut Sat, &mut Horn::default()] {
            let verdict = engine.prove(&goal, &knowledge, Budget::default());
            assert_eq!(verdict.follows(), Some(follows), "{}: {goal}: {verdict:?}", engine.name());
        }
    }
    // What the engines of this crate leave to it.
    let knowledge =
        Knowledge::parse("forall x. exists y. likes(x, y)\nforall x y. likes(x, y) implies kind(y)").unwrap();
    let goal = parse("exists x. kind(x)").unwrap();
    assert_eq!(Auto::built_in().prove(&goal, &knowledge, Budget::default()).follows(), None);
    assert_eq!(Auto::with_z3(z3).prove(&goal, &knowledge, Budget::default()).follows(), Some(true));
}

#[test]
fn the_real_prolog_agrees() {
    let mut prolog = Prolog::default();
    if !prolog.is_there() {
        return eprintln!("skipped: there is no swipl on the PATH (Debian's package is swi-prolog-nox)");
    }
    for (knowledge, goal, follows) in CASES {
        for world in [World::Open, World::Closed] {
            let knowledge = Knowledge::parse(knowledge).unwrap().with_world(world);
            let verdict = prolog.prove(&parse(goal).unwrap(), &knowledge, Budget::default());
            assert_eq!(verdict.follows(), Some(follows), "{goal}: {verdict:?}");
        }
    }
}
