#!/bin/bash
# files.sh PATTERN...: the project's own files of these patterns, each ended by NUL: what git tracks or would add, or in an
# unpacked archive, what lies there. Fails where there is none, so that no check passes for want of files.
set -euo pipefail
if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git ls-files -z --cached --others --exclude-standard -- "$@" |
        while IFS= read -r -d '' file; do
            [ ! -f "$file" ] || printf '%s\0' "$file"
        done
else
    for pattern in "$@"; do
        find . -path './build*' -prune -o -path './.ci' -prune -o -type f -name "${pattern##*/}" -print0
    done
fi | { grep -zE . || { printf 'no file matches %s\n' "$*" >&2; exit 1; }; }
