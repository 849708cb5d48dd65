#!/bin/sh
# Problems that others wrote, decided by the engines that are built in, beside what the files state and beside Z3.
#
#     testing/parity/reasoning.sh DIRECTORY...
#
# Below a directory are files of DIMACS (`.cnf`), TPTP (`.p`) and SMT-LIB 2 (`.smt2`). What they state: `% Status` of TPTP,
# `(set-info :status ...)` of SMT-LIB, `; EXPECT:` of the tests of cvc5, and of DIMACS the name of the file or of a folder
# (`uf20-01.cnf`, `uuf50-01.cnf`, `sat`, `unsat`). Such are uf20 to uuf250 of SATLIB, SYN and PUZ of the TPTP, QF_UF of SMT-LIB, and the
# tests of cvc5 and Z3. For Z3: pip install z3-solver, and its `bin` on the PATH.
#
# A line for each file that differs or whose proof does not hold, then a table; exit code 1 when there is such a line.
set -eu
[ $# -gt 0 ] || { echo "skipped: name a directory of problems"; exit 0; }
for directory; do [ -d "$directory" ] || { echo "$directory is no directory" >&2; exit 2; }; done
# What is named from here stays where it is.
manifest=$(dirname "$0")/../../Cargo.toml
exec cargo run --quiet --release --manifest-path "$manifest" -p rekindle-reason --example verdicts -- "$@"
