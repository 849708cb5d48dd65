//! Circuits of runs and of files: counted, made smaller, proven, compared, exported.

use crate::common::World;

/// Both inputs, and one of them at least.
const AND: &[u8] = b"aag 3 2 0 1 1\n2\n4\n6\n6 4 2\n";
const OR: &[u8] = b"aag 3 2 0 1 1\n2\n4\n7\n6 5 3\n";

#[test]
fn a_circuit_is_made_smaller_and_proven_equal() {
    let world = World::new();
    world.ok("train small.yaml --run r");
    let info = world.json("circuit info r");
    let smaller = world.json("circuit simplify r -o r.aag --certificate proof.json");
    assert_eq!(smaller["gates_before"], info["gates"]);
    assert_eq!(smaller["gates"], info["useful"]);
    assert!(world.ok("circuit check proof.json").starts_with("equal: all "));
    assert!(world.ok("circuit check r r.aag").starts_with("equal: all "));
    // The same circuit as a file of its own.
    world.ok("export r r.circuit.json");
    assert!(world.ok("circuit check r.circuit.json r@best").contains("equal"));
    for ending in ["aag", "aig", "blif", "v", "c", "dot", "onnx"] {
        world.ok(&format!("export r@20 at20.{ending}"));
    }
    assert_eq!(world.json("circuit check at20.aag at20.aig")["equal"], true);
}

#[test]
fn a_case_is_shown_in_which_circuits_differ() {
    let world = World::new();
    world.write("and.aag", AND);
    world.write("or.aag", OR);
    let outcome = world.run("circuit check and.aag or.aag");
    assert_eq!(outcome.code, 1);
    assert_eq!(outcome.stdout, "not equal: output 0 differs where the inputs, from the first, are 10\n");
    let json = world.run("circuit check and.aag or.aag --json");
    assert_eq!(json.code, 1);
    assert!(json.stdout.contains("\"inputs\":\"10\""), "{}", json.stdout);
}

#[test]
fn what_cannot_be_done_is_said() {
    let world = World::new();
    world.write("and.aag", AND);
    world.write("latch.aag", b"aag 1 0 1 1 0\n2 3\n2\n");
    world.write("huge.aig", b"aig 2147483650 2 0 1 2147483648\n6\n");
    world.write("short.aig", b"aig 3 2 0 1 1\n6\n\x02");
    world.write("three.aag", b"aag 3 3 0 1 0\n2\n4\n6\n6\n");
    world.write("cycle.aag", b"aag 3 1 0 1 2\n2\n4\n4 6 2\n6 4 2\n");
    world.write("wire.aag", b"aag 9 1 0 1 1\n2\n4\n4 2 18\n");
    for (words, said) in [
        ("circuit info latch.aag", "1 latches"),
        ("circuit info huge.aig", "2147483648 gates"),
        ("circuit info short.aig", "ends, or has no number"),
        ("circuit info cycle.aag", "depends on itself"),
        ("circuit info wire.aag", "variable 9 is used"),
        ("circuit check and.aag three.aag", "3 inputs, and 2 are needed"),
        ("circuit check and.aag", "not the JSON of a certificate"),
        ("circuit simplify and.aag -o and.txt", "circuits are written as .aag"),
        ("circuit simplify and.aag -o and.rle", "2 inputs, and 9 are needed"),
        ("circuit simplify and.aag -o and.aag --force", "is read, and would be lost"),
        ("circuit simplify and.aag -o latch.aag", "is there already"),
    ] {
        let told = world.fails(2, words);
        assert!(told.contains(said), "{words}: {told}");
    }
}
