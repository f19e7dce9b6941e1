#!/bin/bash
# no_proc.sh BIN_DIR RUN_DIR: drumline-generate and drumline-info do the same where /proc is not mounted, as in some containers
# and on other systems than Linux. Status 77: mounts can't be hidden here.
set -euo pipefail
bin=$1 run=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
options=(--seed=1 --num_outputs=3)

hidden() {
    unshare --mount --map-root-user bash -c 'mount -t tmpfs none /proc && [ ! -e /proc/self ] && exec "$@"' hidden "$@"
}

hidden true 2>/dev/null || { printf 'skipped: mounts can not be hidden here\n'; exit 77; }
"$bin/drumline-generate" --run_dir="$run" "${options[@]}" --output_dir="$work/with"
hidden "$bin/drumline-generate" --run_dir="$run" "${options[@]}" --output_dir="$work/without"
[ "$(find "$work/without" -name '*.mid' | wc -l)" -eq 3 ]
for file in "$work"/without/*.mid; do
    cmp "$file" "$(find "$work/with" -name "*${file: -14}")"
done
"$bin/drumline-info" "$run" >"$work/with.txt"
hidden "$bin/drumline-info" "$run" >"$work/without.txt"
cmp "$work/with.txt" "$work/without.txt"
