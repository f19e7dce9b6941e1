#!/bin/bash
# shell.sh SOURCE_DIR: shellcheck has nothing to say about the project's scripts, and each can be run.
set -euo pipefail
checks=$(cd "$(dirname "$0")" && pwd)
cd "$1"
mapfile -d '' scripts < <("$checks/files.sh" '*.sh'; [ ! -f .ci/run ] || printf '.ci/run\0')
[ ${#scripts[@]} -gt 5 ] || { printf 'only %d scripts were found\n' ${#scripts[@]} >&2; exit 1; }
for script in "${scripts[@]}"; do
    [ -x "$script" ] || { printf '%s is not executable: chmod +x\n' "$script" >&2; exit 1; }
done
# A few at a time: checked together they take more time than apart.
printf '%s\0' "${scripts[@]}" | xargs -0 -n 4 -P "$(nproc)" shellcheck -x
