#!/bin/bash
# What the tests of installations share. `work` is a scratch folder.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    printf 'FAILED: %s\n' "$@" >&2
    exit 1
}

# runs_everywhere BIN_DIR VERSION: each program there runs from another folder and says its version.
runs_everywhere() {
    local program answer
    for program in preprocess train generate info bench; do
        answer=$(cd / && "$1/drumline-$program" --version) || fail "$1/drumline-$program does not run"
        [[ $answer == *"$2"* ]] || fail "drumline-$program --version says \"$answer\", not $2"
    done
}

# reads_files BIN_DIR SOURCE_DIR: the programs there find what reads HDF5 files, from another folder and by a link too.
reads_files() {
    (cd / && "$1/drumline-info" "$2/tests/fixtures/first_version/data") >/dev/null || fail "$1/drumline-info reads no data set"
    ln -sf "$1/drumline-info" "$work/link"
    (cd "$work" && ./link "$2/tests/fixtures/first_version/data") >/dev/null || fail "by a link, drumline-info reads no data set"
}

# run_path PROGRAM: the folders in which it looks for libraries first.
run_path() {
    readelf -d "$1" | sed -n 's/.*(RUNPATH).*\[\(.*\)\]/\1/p'
}
