#!/bin/bash
# reference.sh SOURCE_DIR BIN_DIR: docs/reference.md is what the programs say of themselves.
set -euo pipefail
page=$(mktemp)
trap 'rm -f "$page"' EXIT
"$1/tools/make_reference_page.sh" "$2" >"$page"
grep -q -- '--input_bar_1=N' "$page" || { printf 'the page that was made lacks a flag\n' >&2; exit 1; }
diff -u "$1/docs/reference.md" "$page" || {
    printf 'docs/reference.md is out of date: tools/make_reference_page.sh BIN_DIR >docs/reference.md\n' >&2
    exit 1
}
