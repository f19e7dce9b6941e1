#!/bin/bash
# tools/quickstart.sh [MIDI_FOLDER]: from a clone of this repository to new grooves in a few minutes. Installs missing
# packages (tools/setup.sh), builds, generates four grooves with a shipped model, converts the folder's performances in 4/4 to a
# data set, trains a small model (groovae_4bar_small) on two MPI ranks for two minutes, generates four grooves with it, and an
# interpolation in five steps between two performances. Each step says how long it takes.
# Without a folder it makes performances of its own (drumline-drummers). Run it again to continue the training.
# Environment variables:
#   DRUMLINE_QUICKSTART_DIR       folder for everything it writes      (quickstart in the project's root)
#   DRUMLINE_QUICKSTART_SECONDS   how long to train                    (120)
#   DRUMLINE_BIN                  folder of built programs: skips installing and building
#   DRUMLINE_SKIP_SETUP=1         skips installing
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
output=${DRUMLINE_QUICKSTART_DIR:-$root/quickstart}
seconds=${DRUMLINE_QUICKSTART_SECONDS:-120}
bin=${DRUMLINE_BIN:-}
config=groovae_4bar_small

if [ -t 1 ]; then bold=$'\e[1m' plain=$'\e[0m'; else bold='' plain=''; fi

# heading WHAT TIME: how long the step before took here, then a step and how long it takes.
began=
heading() {
    [ -z "$began" ] || printf '(%d s)\n' $((SECONDS - began))
    began=$SECONDS
    printf '\n%s== %s ==%s\n' "$bold" "$1${2:+ ($2)}" "$plain"
}

die() {
    printf 'quickstart.sh: %s\n' "$@" >&2
    exit 1
}

build() {
    heading "Installing missing packages" "up to a few minutes the first time, then at once"
    "$root/tools/setup.sh"
    heading "Building" "about half a minute the first time"
    (cd "$root" && cmake --preset release -DDRUMLINE_MPI=ON -DDRUMLINE_TOOLS=ON -DDRUMLINE_TESTS=OFF &&
        cmake --build --preset release -j "$(nproc)") >"$output/build.log" 2>&1 ||
        { tail -n 20 "$output/build.log" >&2; die "the build failed; see $output/build.log"; }
    bin=$root/build/release/bin
    printf 'The programs are in %s\n' "$bin"
}

make_performances() {
    input=$output/midi
    [ -e "$input/info.csv" ] && return
    heading "Making synthetic performances" "about a second"
    "$bin/drumline-drummers" --output_dir "$input"
}

# A run belongs to the performances that it was trained on: if those are not last time's, it is renamed.
put_other_run_aside() {
    local source=$output/run/trained_on aside
    [ -d "$output/run" ] || return 0
    [ "$(cat "$source" 2>/dev/null)" != "$input" ] || return 0
    aside=$output/run-before-$(date +%Y-%m-%d_%H%M%S)
    mv "$output/run" "$aside"
    printf 'The previous run was trained on other performances; it is kept in %s\n' "$aside"
}

# A model that is shipped with Drumline, before anything is trained.
play_shipped() {
    heading "Generating four grooves with a shipped model, groovae_4bar_flat" "a second"
    "$bin/drumline-generate" --config=groovae_4bar_flat --models_dir="$root/models" --mode=sample --num_outputs=4 \
        --output_dir "$output/shipped"
}

preprocess() {
    heading "Converting MIDI to a data set" "seconds"
    mpirun -n 2 "$bin/drumline-preprocess" --input_dir "$input" --output_dir "$output/data" --recursive \
        --is_beat=True --beat=4-4 --overwrite ||
        die "nothing to train on (see above): the folder needs MIDI files of drumming in 4/4, of four bars or more"
}

train() {
    heading "Training" "$seconds seconds"
    if ls "$output"/run/train/checkpoint-*.h5 >/dev/null 2>&1; then
        printf 'Resuming from the latest checkpoint in %s. To start over, remove that folder.\n' "$output/run"
    fi
    mkdir -p "$output/run"
    printf '%s\n' "$input" >"$output/run/trained_on"
    # Status 3: the time is up. mpirun -q omits its own message about that.
    mpirun -q -n 2 "$bin/drumline-train" --config "$config" --mode=train --examples_path "$output/data" \
        --run_dir "$output/run" --num_steps=1000000 --max_seconds="$seconds" --threads=1 --log_steps=50 ||
        [ $? -eq 3 ] || die "the training failed (see above). To start over, remove $output/run"
}

# The newest weights, not those of the best evaluation: within minutes there is hardly one.
measure_latents() {
    heading "Measuring what samples are drawn from" "seconds"
    "$bin/drumline-train" --mode=latents --checkpoint=newest --run_dir "$output/run" --examples_path "$output/data" ||
        printf 'Samples are drawn from a standard normal distribution instead.\n'
}

# Candidates for the interpolation, one per line, style before path: beats in 4/4 of info.csv, else the largest files.
candidates() {
    if [ -e "$input/info.csv" ]; then
        awk -F, -v folder="$input" '
            NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
            $column["beat_type"] != "fill" && $column["time_signature"] ~ /^(4-4)?\r?$/ && $column["duration"] > 15 {
                print $column["style"] "\t" folder "/" $column["midi_filename"]
            }' "$input/info.csv"
    else
        find -L "$input" -type f -iname '*.mid*' -size +1k -printf '%s\t%p\n' | sort -rn | cut -f 2- |
            awk '{ print NR "\t" $0 }'
    fi
}

# Tries pairs of different styles until the generator accepts one: both must be long enough.
interpolate() {
    local styles=() paths=() style path i j tries=0
    heading "Generating an interpolation in five steps between two performances" "seconds"
    while IFS=$'\t' read -r style path; do
        styles+=("$style") paths+=("$path")
        [ ${#paths[@]} -lt 60 ] || break
    done < <(candidates)
    for ((i = 0; i < ${#paths[@]}; i++)); do
        for ((j = i + 1; j < ${#paths[@]}; j++)); do
            [ "${styles[i]}" != "${styles[j]}" ] || continue
            [ $((tries++)) -lt 12 ] || break 2
            if "$bin/drumline-generate" --run_dir "$output/run" --checkpoint=newest --mode=interpolate \
                --num_outputs=5 --seed=1 --input_midi_1 "${paths[i]}" --input_bar_1=1 --input_midi_2 "${paths[j]}" --input_bar_2=1 \
                --output_dir "$output/new" 2>"$output/interpolate.log"; then
                cat "$output/interpolate.log" >&2
                printf 'From  %s\nto    %s\n' "${paths[i]}" "${paths[j]}"
                return
            fi
        done
    done
    [ ! -e "$output/interpolate.log" ] || cat "$output/interpolate.log" >&2
    printf 'No interpolation: it needs two performances of four bars or more.\n'
}

generate() {
    heading "Generating four grooves with the new model" "a second"
    "$bin/drumline-generate" --run_dir "$output/run" --checkpoint=newest --mode=sample --num_outputs=4 --output_dir "$output/new"
    interpolate
}

say_what_is_where() {
    heading "Done"
    cat <<TEXT
$output
    shipped/ grooves of the shipped model, trained on real drummers
    new/     generated grooves: MIDI files for any player or workstation (timidity, fluidsynth, Ardour, Reaper)
    run/     the run: checkpoints and metrics.jsonl
    data/    the data set: HDF5 shards and their index.h5
    midi/    the synthetic performances, if no folder was given

Next, try:
    tools/quickstart.sh                         trains for two more minutes, generates again
    tools/fetch_groove.sh                       downloads real drummers (3 MB); then tools/quickstart.sh data/groove
    $bin/drumline-info $(printf %q "$output/run")
    $bin/drumline-generate --run_dir $(printf %q "$output/run") --mode=sample --num_outputs=8 --temperature=1 \\
        --output_dir wilder
    $bin/drumline-train --help                  wider models: --config=groovae_4bar_flat
    docs/own_model.md                           a model from your own MIDI files
TEXT
}

case ${1:-} in
    -h | --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    -*) printf 'quickstart.sh: unknown option "%s"; give it a folder of MIDI files, or nothing\n' "$1" >&2; exit 2 ;;
esac
[ $# -le 1 ] || { printf 'quickstart.sh: one folder, not %d\n' $# >&2; exit 2; }
[[ $seconds =~ ^[1-9][0-9]*$ ]] || die "DRUMLINE_QUICKSTART_SECONDS=$seconds is not a whole number of seconds"
input=
if [ $# -eq 1 ]; then
    [ -d "$1" ] || die "$1 is not a folder; give a folder of MIDI files, or nothing for synthetic performances"
    input=$(cd "$1" && pwd)
fi
mkdir -p "$output" || die "cannot create $output (see above): set DRUMLINE_QUICKSTART_DIR to another folder"
output=$(cd "$output" && pwd)

[ -n "$bin" ] || build
play_shipped
set -a
# shellcheck source=/dev/null
. "$root/tools/mpi_environment"
set +a
[ -n "$input" ] || make_performances
put_other_run_aside
preprocess
train
measure_latents
generate
say_what_is_where
