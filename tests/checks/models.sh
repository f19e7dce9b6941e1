#!/bin/bash
# models.sh SOURCE_DIR BIN_DIR: the shipped models are there for every config, small enough, valid, with licence, attribution and
# recipe, and each generates by --config=NAME alone: samples, or from an input where a model needs one.
set -euo pipefail
source=$1 bin=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() {
    printf 'FAILED: %s\n' "$1" >&2
    [ ! -e log ] || cat log >&2
    exit 1
}

mapfile -t configs < <("$bin/drumline-info" --hparams | sed -n '/^Configs/,$s/^  \(groovae_[a-z0-9_]*\)$/\1/p')
# groovae_4bar_small is there to be trained; the wider groovae_4bar_flat is shipped.
mapfile -t configs < <(printf '%s\n' "${configs[@]}" | grep -vx groovae_4bar_small)
[ ${#configs[@]} -ge 7 ] || fail "drumline-info lists ${#configs[@]} configs"
total=0
for name in "${configs[@]}"; do
    model=$source/models/$name.h5
    [ -e "$model" ] || fail "no model is shipped for $name"
    size=$(stat -c %s "$model")
    [ "$size" -le 8500000 ] || fail "$name has $size bytes"
    total=$((total + size))
    "$bin/drumline-info" --json "$model" >info.json 2>log || fail "$name is not valid"
    for key in licence attribution recipe; do
        grep -q "\"$key\": \"..*\"" info.json || fail "$name has no $key"
    done
    grep -q "^$name	" "$source/models/recipes.tsv" || fail "recipes.tsv lacks $name"
    grep -q "\`$name\`" "$source/models/README.md" || fail "models/README.md lacks $name"
done
[ "$total" -le 40000000 ] || fail "the models have $total bytes together"

"$bin/drumline-generate" --config=groovae_4bar --models_dir="$source/models" --num_outputs=1 --seed=1 --output_dir=seed 2>log ||
    fail "groovae_4bar does not sample"
input=$(find seed -name '*.mid')
for name in "${configs[@]}"; do
    "$bin/drumline-generate" --config="$name" --models_dir="$source/models" --mode=reconstruct --input_midi_1="$input" \
        --input_bar_1=1 --num_outputs=1 --seed=1 --output_dir="$name" 2>log || fail "$name does not reconstruct"
    "$bin/drumline-info" --json "$(find "$name" -name '*.mid')" >info.json || fail "what $name wrote is not read"
    grep -q '"kind": "midi"' info.json || fail "what $name wrote is no MIDI"
done
