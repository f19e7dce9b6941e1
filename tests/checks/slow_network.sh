#!/bin/bash
# slow_network.sh SOURCE_DIR BIN_DIR: a training step on two hosts behind a slow network. Backward must hide some of the
# gradient allreduce: what is exposed in the step is at most 0.9 of what it takes alone, where it is all of it and more if none
# is hidden (0.1 to 0.3 on a quiet machine, 0.6 to 0.8 were seen on two busy cores; docs/performance.md). The best of three counts.
set -euo pipefail
source=$1 bin=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    printf 'FAILED: %s\n' "$1" >&2
    cat "$work/err" >&2
    exit 1
}

ratio() {
    python3 - "$1" <<'PYTHON'
import json, sys
report = json.load(open(sys.argv[1]))
assert report['ranks'] == 2 and report['ranks_on_host'] == 1, report
metric = {row['name']: row for row in report['metrics']}['exposed_allreduce']
assert metric['baseline_value'] > 0, metric
print(metric['ratio'])
PYTHON
}

command -v python3 >/dev/null || { echo "python3 is not installed" >&2; exit 77; }
for attempt in 1 2 3; do
    status=0
    "$source/tools/emulated_hosts.sh" --hosts 2 --rate 300mbit -n 2 "$bin/drumline-bench" train \
        --config groovae_2bar_humanize --hparams batch_size=64,enc_rnn_size=256 --steps 3 --json \
        >"$work/out" 2>"$work/err" || status=$?
    [ "$status" -ne 77 ] || { cat "$work/err" >&2; exit 77; }
    [ "$status" -eq 0 ] || fail "drumline-bench ended with $status"
    exposed=$(ratio "$work/out") || fail "its report is not what it should be: $(cat "$work/out")"
    printf 'attempt %d: %s of the allreduce is exposed\n' "$attempt" "$exposed"
    if python3 -c "import sys; sys.exit(not $exposed < 0.9)"; then
        exit 0
    fi
done
fail "backward does not hide the gradient allreduce"
