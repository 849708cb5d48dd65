#!/usr/bin/env bash
# Makes release archives: the program, its manual pages, the licences, and a list of SHA-256 checksums. The same
# source and toolchain make the same archives.
#   tools/release.sh [TARGET ...]     without targets, for each of the list below that the toolchain has
# They are written to target/release-archives/. A target is added with `rustup target add TARGET`; musl needs
# Debian's musl-tools for the parts in C.
set -euo pipefail
cd "$(dirname "$0")/.."
known=(
    x86_64-unknown-linux-gnu x86_64-unknown-linux-musl
    aarch64-unknown-linux-gnu aarch64-unknown-linux-musl
    x86_64-apple-darwin aarch64-apple-darwin
)
out=$PWD/target/release-archives
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
epoch=$(git log -1 --format=%ct 2>/dev/null || echo 0)
export SOURCE_DATE_EPOCH=$epoch
# Paths of this machine are no part of the program.
export RUSTFLAGS="${RUSTFLAGS:-} --remap-path-prefix=$PWD=/rekindle --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"

is_there() { [ -d "$(rustc --print target-libdir --target "$1" 2>/dev/null)" ]; }
host=$(rustc -vV | sed -n 's/^host: //p')

targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    for target in "${known[@]}"; do
        if is_there "$target"; then
            targets+=("$target")
        else
            echo "skipped: $target (rustup target add $target)" >&2
        fi
    done
fi

# The pages are written by a program that runs here.
cargo build --release --locked --target "$host" -p rekindle-cli
pages=$(mktemp -d)
trap 'rm -rf "$pages"' EXIT
"target/$host/release/rekindle" man --out "$pages" >/dev/null

mkdir -p "$out"
for target in "${targets[@]}"; do
    cargo build --release --locked --target "$target" -p rekindle-cli
    name=rekindle-$version-$target
    rm -rf "${out:?}/$name"
    mkdir -p "$out/$name/man/man1"
    cp "target/$target/release/rekindle" README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT "$out/$name/"
    cp "$pages"/*.1 "$out/$name/man/man1/"
    tar -C "$out" --sort=name --owner=0 --group=0 --numeric-owner --mode=go=rX,u+rw --mtime="@$epoch" \
        -cf - "$name" | gzip -9n >"$out/$name.tar.gz"
    rm -rf "${out:?}/$name"
    echo "made $out/$name.tar.gz"
done
(cd "$out" && sha256sum rekindle-"$version"-*.tar.gz >SHA256SUMS && cat SHA256SUMS)
