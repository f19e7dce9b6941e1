#!/bin/bash
# tools/valgrind.sh BIN_DIR: runs Drumline's programs on the short paths under valgrind's memcheck: no invalid read or write, no use
# of what was never set, and no memory that is lost at the end. What libraries do stands in tools/lint/valgrind_suppressions.
# Without MPI's launcher, and on what valgrind's processor has: it knows AVX2, but not AVX-512. What reads HDF5 files
# (drumline-hdf5-reader) runs beside it, as its limits leave no room for valgrind; AddressSanitizer's build has it.
# Prints each command and what is wrong with it. The exit status is 0 where nothing is. "tools/test.sh valgrind" builds first.
set -uo pipefail
[ -x "${1-}/drumline-info" ] || { sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2; }
bin=$(cd "$1" && pwd)
suppressions=$(cd "$(dirname "$0")" && pwd)/lint/valgrind_suppressions
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
failed=0

# check PROGRAM ARGUMENTS...: under valgrind; it must succeed.
check() {
    local program=$1 status
    shift
    printf 'drumline-%s %s\n' "$program" "$*"
    valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
        --num-callers=30 --suppressions="$suppressions" --log-file="$work/valgrind.log" \
        "$bin/drumline-$program" "$@" >"$work/output.log" 2>&1
    status=$?
    [ "$status" -ne 0 ] || [ -s "$work/valgrind.log" ] || return 0
    printf 'status %d\n' "$status"
    tail -n 5 "$work/output.log"
    cat "$work/valgrind.log"
    failed=$((failed + 1))
}

small='enc_rnn_size=[8],dec_rnn_size=[8,8],z_size=4,batch_size=4'
"$bin/drumline-drummers" --output_dir midi --num_performances 6 --log=error || exit 1
song=$(find midi -name '*.mid' | sort | head -n 1)
check drummers --output_dir few --num_performances 1
check preprocess --input_dir midi --output_dir data --recursive
for precision in float32 bf16; do
    check train --config=groovae_2bar_humanize --examples_path=data --run_dir="$precision" --num_steps=2 --threads=1 \
        --hparams="$small,precision=$precision" --fit_latents=false --eval_steps=2
done
check train --config=groovae_4bar --examples_path=data --run_dir=groove --num_steps=2 --threads=1 --hparams="$small" \
    --tensorboard --log_tensors
check train --config=groovae_4bar --examples_path=data --run_dir=groove --num_steps=3 --threads=1
check train --mode=eval --run_dir=float32 --examples_path=data --threads=1
check train --mode=export --run_dir=groove --output_file=model.h5 --dtype=f16
check train --mode=export --run_dir=groove --format=magenta_js --output_dir=web
check train --mode=export --run_dir=groove --format=safetensors --output_file=model.safetensors
check train --mode=import --input_file=web --config=groovae_4bar --output_file=imported.h5
check generate --checkpoint_file=model.h5 --mode=sample --num_outputs=1 --seed=1 --output_dir=samples --svg --png --wav --ogg
check generate --run_dir=float32 --mode=apply --input_midi_1="$song" --seed=1 --output_dir=applied
for described in data data/shard-00000-of-00001.h5 groove float32/train/best.h5 model.h5 "$song"; do
    check info "$described"
done
check info --json data "$song"
check info --report=page.html groove

[ "$failed" -eq 0 ] || { printf 'valgrind.sh: %d of the commands above have errors\n' "$failed" >&2; exit 1; }
