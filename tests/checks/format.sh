#!/bin/bash
# format.sh SOURCE_DIR: every C file of the project is as clang-format (.clang-format) leaves it.
set -euo pipefail
checks=$(cd "$(dirname "$0")" && pwd)
cd "$1"
version=$(clang-format --version)
if [[ ! $version =~ version\ 14\. ]]; then
    printf 'skipped: other versions than 14 format differently, and this is %s\n' "$version"
    exit 77
fi
"$checks/files.sh" '*.c' '*.h' | xargs -0 -r clang-format --dry-run --Werror --ferror-limit=3 || {
    printf 'Run: clang-format -i on the files above.\n' >&2
    exit 1
}
