#!/bin/bash
# play.sh BIN_DIR MAKE_CHECKPOINT: drumline-generate and drumline-info as people call them, on checkpoints without a training.
set -euo pipefail
bin=$1 make_checkpoint=$2
small='enc_rnn_size=[8],dec_rnn_size=[8,8],z_size=4'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() {
    printf 'FAILED: %s\n' "$1" >&2
    [ ! -e log ] || cat log >&2
    exit 1
}

# ends STATUS PROGRAM ARGUMENT...: the program ends with that status; what it says is in `log`.
ends() {
    local wanted=$1 status=0
    shift
    "$bin/$1" "${@:2}" >out 2>log || status=$?
    [ "$status" -eq "$wanted" ] || fail "$* ended with $status, not $wanted"
}

# said TEXT: the program has said it on standard error.
said() {
    grep -qF -- "$1" log || fail "nothing was said of '$1'"
}

count() {
    find "$1" -type f | wc -l
}

mkdir -p run/train
"$make_checkpoint" groovae_4bar "$small" 100 run/train/checkpoint-00000100.h5
"$make_checkpoint" groovae_4bar "$small" 200 run/train/checkpoint-00000200.h5
"$make_checkpoint" groovae_4bar "bars=8,$small" 1 eight.h5

# Samples: as many as asked for, named as the design says, the same for the same seed, and nothing overwritten.
ends 0 drumline-generate --run_dir run --num-outputs 3 --output_dir "new files/a" --seed=7 --temperature 1
said 'at step 200, seed 7'
[ "$(count "new files/a")" -eq 3 ] || fail 'not three files'
for file in "new files/a"/*; do
    [[ ${file##*/} =~ ^groovae_4bar_sample_[0-9]{4}-[0-9]{2}-[0-9]{2}_[0-9]{6}-00[0-2]-of-003\.mid$ ]] || fail "$file"
    [ "$(head -c 4 "$file")" = MThd ] || fail "$file is no MIDI"
done
ends 0 drumline-generate --run_dir=run --num_outputs=3 --output_dir b --seed=7 --temperature=1.0
cat "new files/a"/* >first
cat b/* >second
cmp -s first second || fail 'the same seed gave other files'
ends 0 drumline-generate --run_dir=run --num_outputs=3 --output_dir b --seed=8
[ "$(count b)" -eq 6 ] || fail 'a second run did not leave six files'

# The number of threads changes nothing, and playing starts no BLAS.
ends 0 drumline-generate --run_dir=run --num_outputs=100 --output_dir one --seed=7 --threads=1
ends 0 drumline-generate --run_dir=run --num_outputs=100 --output_dir three --seed=7 --threads=3
cat one/* >first
cat three/* >second
cmp -s first second || fail 'three threads gave other files than one'
if ldd "$bin/drumline-generate" | grep -qi blas; then fail 'drumline-generate needs a BLAS'; fi

# A seed that was not given is reported, and gives the same output again.
ends 0 drumline-generate --checkpoint_file run/train/checkpoint-00000100.h5 --num_outputs=1 --output_dir c
seed=$(sed -n 's/.*seed \([0-9]*\),.*/\1/p' log)
ends 0 drumline-generate --checkpoint_file run/train/checkpoint-00000100.h5 --num_outputs=1 --output_dir d --seed "$seed"
cmp -s c/* d/* || fail "seed $seed did not repeat"

# Interpolation between two samples; windows of a longer input to choose from.
inputs=(b/*_sample_*)
ends 0 drumline-generate --run_dir run --mode=interpolate --num_outputs 5 --output_dir e --qpm 93 \
    --input_midi_1 "${inputs[0]}" --input_midi_2 "${inputs[1]}"
said '93 qpm'
[ "$(find e -name 'groovae_4bar_interpolate_*-of-005.mid' | wc -l)" -eq 5 ] || fail 'not five steps'
ends 0 drumline-generate --checkpoint_file eight.h5 --num_outputs 1 --output_dir long --temperature 1
long=$(find long -type f)
ends 1 drumline-generate --run_dir run --mode=interpolate --output_dir f --input_midi_1 "$long" \
    --input_midi_2 "${inputs[1]}"
said '--input_bar_1 N'
[ "$(count f)" -eq 2 ] || fail 'not two windows to choose from'
candidates=(f/*)
ends 0 drumline-generate --run_dir run --mode=interpolate --output_dir g --input_midi_1 "${candidates[1]}" \
    --input_midi_2 "$long" --input_bar_2 3

# Refusals: status 2 for errors on the command line, 1 for errors in files; nothing is left behind.
ends 2 drumline-generate --run_dir run --output_dir h --num_outputs 0
ends 2 drumline-generate --run_dir run --output_dir h --temperature -1
ends 2 drumline-generate --run_dir run --output_dir h --mode=interpolate
ends 2 drumline-generate --run_dir run --checkpoint_file eight.h5 --output_dir h
ends 2 drumline-generate --run_dir run
ends 2 drumline-generate --run_dir run --output_dir h --input_midi1 x
said 'input_midi_1'
ends 1 drumline-generate --run_dir nowhere --output_dir h
said 'nowhere: no such folder'
ends 1 drumline-generate --run_dir eight.h5 --output_dir h
said 'eight.h5: is a file, not a folder; a checkpoint is given as --checkpoint_file'
ends 1 drumline-generate --run_dir run/train --output_dir h
said "run/train: is inside a run: give the run's folder (the one above)"
ends 1 drumline-generate --checkpoint_file "$long" --output_dir h
said "$long"
ends 0 drumline-generate --checkpoint_file eight.h5 --output_dir longer --mode=reconstruct --input_midi_1 "${inputs[0]}"
said 'has 4 bars: repeated to fill the window of 8'
printf damaged >run/train/checkpoint-00000200.h5
[ ! -e h ] || fail 'a refusal made the output folder'
ends 0 drumline-generate --run_dir run --output_dir h
said 'checkpoint-00000200.h5'
said 'at step 100,'

# drumline-info on the same things.
ends 1 drumline-info run
grep -q 'latest valid: checkpoint-00000100.h5' out || fail 'the valid checkpoint is not named'
ends 0 drumline-info --json eight.h5 run/train/checkpoint-00000100.h5
[ "$(grep -c '"kind": "checkpoint"' out)" -eq 2 ] || fail 'not two descriptions'
ends 1 drumline-info nowhere eight.h5
said 'nowhere: no such file or folder'
grep -q 'bars=8' out || fail 'what follows a path that is wrong is not described'
mkfifo pipe
ends 1 drumline-info pipe
said 'pipe: is neither a regular file nor a folder'
ln -s loop loop
ends 1 drumline-info loop
said "loop: can't look at it"
printf "no such thing\n" >text
ends 1 drumline-info text
ends 2 drumline-info
ends 2 drumline-info --markdown eight.h5
ends 0 drumline-info --hparams
grep -q 'groovae_2bar_humanize' out || fail 'no configs'
if "$bin/drumline-info" eight.h5 >/dev/full 2>log; then fail 'a full disk was not seen'; fi
said 'standard output'
for program in "$bin"/drumline-*; do
    for option in --help --version; do
        status=0
        "$program" "$option" >/dev/full 2>log || status=$?
        [ "$status" -eq 1 ] || fail "$program $option >/dev/full ended with $status, not 1"
        said 'standard output'
    done
done

# A file says how it was made, and that command makes the same bytes.
remakes() {
    local command
    ends 0 drumline-info "$1"
    command=$(sed -n 's/^ *again  *//p' out)
    [ -n "$command" ] || fail "$1 does not say how it was made"
    rm -rf again
    PATH="$bin:$PATH" bash -c "$command" 2>log || fail "$command ended with $?"
    cmp "$(find again -name "*${1: -15}")" "$1" || fail "$command made another file"
}
"$make_checkpoint" groovae_2bar_humanize "$small" 1 "it's a model.h5"
ends 0 drumline-generate --run_dir run --num_outputs 2 --bars 9 --output_dir made --png=false --temperature=0.9
remakes "$(find made -name '*-001-of-002.mid')"
ends 0 drumline-generate --checkpoint_file "it's a model.h5" --mode=apply --amount=0.75 --input_midi_1 "$long" --output_dir made
remakes "$(find made -name '*_apply_*')"
ends 0 drumline-generate --run_dir run --mode=similar --num_outputs 1 --input_midi_1 "${inputs[0]}" --output_dir made
remakes "$(find made -name '*_similar_*')"
ends 0 drumline-info --json "$(find made -name '*_apply_*')"
grep -q '"model_xxh3"' out || fail 'no JSON of how a file was made'

# Pictures of a change show before and after.
status=0
"$bin/drumline-generate" --checkpoint_file "it's a model.h5" --mode=apply --input_midi_1 "$long" --output_dir seen --svg 2>log || status=$?
if [ "$status" -eq 0 ]; then
    [ "$(find seen -name '*_apply_*.svg' | wc -l)" -eq 1 ] || fail 'no picture of a change'
    # They show the file's own drums also where what is added is on another channel. (A hit is a filled path.)
    "$make_checkpoint" groovae_2bar_add_closed_hh "$small" 1 hats.h5
    for channel in 10 3; do
        ends 0 drumline-generate --checkpoint_file hats.h5 --mode=apply --input_midi_1 "$long" --output_dir "hats$channel" --svg \
            --seed=3 --temperature=1 --output_channel="$channel"
        grep -h 'fill:rgb.* d=' "hats$channel"/*.svg >"hits$channel" || fail 'no hit is drawn'
    done
    cmp hits10 hits3 || fail 'pictures lack drums of the file'
else
    grep -q 'install' log || fail "--svg ended with $status"
fi

# A MIDI file described, drawn and played.
first=$(find "new files/a" -name '*-000-of-003.mid')
ends 0 drumline-info "$first"
grep -q '4 bars of 4/4 at 120 quarter notes per minute' out || fail 'a MIDI file is not described'
ends 0 drumline-info --json "$first"
grep -q '"kind": "midi"' out || fail 'no JSON of a MIDI file'
for flag in png svg wav ogg; do
    status=0
    "$bin/drumline-info" "--$flag=roll.$flag" "$first" >out 2>log || status=$?
    if [ "$status" -ne 0 ]; then
        grep -qE 'install' log || fail "--$flag ended with $status"
        printf 'skipped --%s: %s\n' "$flag" "$(cat log)"
        [ ! -e "roll.$flag" ] || fail "a refused --$flag left a file"
    fi
done
[ ! -e roll.png ] || [ "$(head -c 8 roll.png | od -An -tx1 | tr -d ' ')" = 89504e470d0a1a0a ] || fail 'roll.png is no PNG'
[ ! -e roll.wav ] || [ "$(head -c 4 roll.wav)" = RIFF ] || fail 'roll.wav is no WAV'
[ ! -e roll.ogg ] || [ "$(head -c 4 roll.ogg)" = OggS ] || fail 'roll.ogg is no Ogg file'
ends 1 drumline-info --png=other.png run
said 'is a folder'
[ ! -e other.png ] || fail 'a refusal made a picture'

# Pictures and audio beside what is generated, an interpolation also as a sheet.
if "$bin/drumline-info" --png=probe.png --wav=probe.wav "$first" >/dev/null 2>&1; then
    ends 0 drumline-generate --run_dir run --mode=interpolate --num_outputs 3 --output_dir seen --png --wav --threads=2 \
        --input_midi_1 "${inputs[0]}" --input_midi_2 "${inputs[1]}"
    [ "$(find seen -name '*-of-003.png' | wc -l)" -eq 3 ] || fail 'not three pictures'
    [ "$(find seen -name '*-of-003.wav' | wc -l)" -eq 3 ] || fail 'not three audio files'
    [ "$(find seen -name '*_sheet.png' | wc -l)" -eq 1 ] || fail 'no sheet'
    ends 1 drumline-generate --run_dir run --num_outputs 1 --output_dir unheard --wav --soundfont=text
    said 'text: is not a sound font'
    [ ! -e unheard ] || fail 'a refusal made the output folder'
fi
