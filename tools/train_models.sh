#!/bin/bash
# tools/train_models.sh GROOVE_DIR WORK_DIR [NAME...]: trains the models of models/recipes.tsv (all unless some are named) on the
# Groove MIDI Dataset in GROOVE_DIR, and writes WORK_DIR/models/NAME.h5. Runs are in WORK_DIR/runs; the same command again
# resumes what was interrupted. The programs are those of build/release/bin, or of DRUMLINE_BIN. TRAIN, empty unless set, is put
# before drumline-train: TRAIN="mpirun -n 4".
set -euo pipefail
if [ $# -lt 2 ]; then
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
    exit 2
fi
top=$(cd "$(dirname "$0")/.." && pwd)
bin=${DRUMLINE_BIN:-$top/build/release/bin}
groove=$1 work=$2
shift 2
read -r -a launch <<<"${TRAIN:-}"

for name in "$@"; do
    grep -q "^$name	" "$top/models/recipes.tsv" || {
        printf 'train_models.sh: models/recipes.tsv has no model %s\n' "$name" >&2
        exit 2
    }
done
mkdir -p "$work/runs" "$work/models"
[ -e "$work/data/index.h5" ] || "$bin/drumline-preprocess" --input_dir="$groove" --recursive --is_beat=True --output_dir="$work/data"

wanted() {
    local name
    [ $# -gt 1 ] || return 0
    for name in "${@:2}"; do
        [ "$name" != "$1" ] || return 0
    done
    return 1
}

while IFS=$'\t' read -r name steps hparams; do
    case $name in '' | '#'*) continue ;; esac
    wanted "$name" "$@" || continue
    "${launch[@]}" "$bin/drumline-train" --config="$name" --examples_path="$work/data" --run_dir="$work/runs/$name" \
        --num_steps="$steps" --seed=0 --eval_steps=500 --log_steps=100 --hparams="$hparams" </dev/null
    "$bin/drumline-train" --mode=export --run_dir="$work/runs/$name" --examples_path="$work/data" \
        --output_file="$work/models/$name.h5" --dtype=f16 --overwrite --licence="CC BY 4.0" \
        --attribution="Trained on the Groove MIDI Dataset (Gillick et al., ICML 2019; Google LLC, CC BY 4.0)" </dev/null
done <"$top/models/recipes.tsv"
