# List the recipes.
help:
    @just --list --unsorted

# Everything that must hold before a commit lands.
check:
    .ci/run

# Formatting.
fmt:
    cargo fmt --all --check

# Lints, as errors.
clippy:
    cargo clippy --workspace --all-targets -- -D warnings

# All tests.
test:
    cargo test --workspace

# Documentation, with broken links as errors.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# Licences and advisories of the dependencies.
deny:
    cargo deny check

# Write the screens of the command line anew, to be looked at with `git diff`.
screens:
    INSTA_UPDATE=always cargo test -p rekindle-cli --test it screens

# Write the page of the guide about configs anew.
config-page:
    REKINDLE_WRITE_PAGES=1 cargo test -p rekindle-cli --test it config_page

# The figures of docs/benchmarks.md that a command prints: about half an hour.
figures:
    tools/figures.sh

# The fault-injection proofs at full size, written to docs/reliability.md.
reliability:
    cargo run --release -p rekindle-reliability

# The figures of docs/benchmarks.md that stand beside a peer, on the disk of `dir` and in memory.
bench dir="target/bench" tmpfs="/dev/shm":
    cargo run --release -p rekindle-bench -- all --dir {{dir}} --tmpfs {{tmpfs}}

# Fuzz one target, or each in turn, for so many seconds; needs cargo-fuzz, see testing/fuzz/README.md.
fuzz TARGET='' SECONDS='120':
    testing/fuzz/run.sh "{{TARGET}}" {{SECONDS}}

# Release archives with checksums, for every target that the toolchain has.
release *TARGETS:
    tools/release.sh {{TARGETS}}

# Our files in the programs that own their formats, and theirs here; see the head of each script for what it needs.
parity SYSTEM *ARGS:
    testing/parity/{{SYSTEM}}.sh {{ARGS}}

# A new user's first day, stumble by stumble, as a table.
first-day:
    cargo build --release
    tools/first_day.sh

# The Python package: what needs only NumPy, or, with torch, all of it.
python WHICH="":
    {{ if WHICH == "torch" { "python/tests/run_torch.sh" } else { "python/tests/run.sh" } }}
