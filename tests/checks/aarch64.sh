#!/bin/bash
# aarch64.sh SOURCE_DIR BUILD_DIR INFO: the generator, drumline-info and the tests of what is portable compile for 64-bit Arm, and
# run there by qemu-user. Tests that take half a minute or more under qemu are left to a machine of that kind; that data sets
# and checkpoints can be read is shown by the programs. INFO: this machine's drumline-info, whose output must be the same. Status 77:
# this machine is one, or the compiler, qemu or Debian's arm64 packages cannot be had.
set -euo pipefail
source=$(cd "$1" && pwd) build=$2 info=$3
tests=(
    error text arena random settings options files atomic_file hdf5_seal drum_map midi_check midi_file grid splits order batch
    ops kernels packed_gemm optimizer parameters retention metrics
)

skip() {
    printf 'skipped: %s\n' "$1"
    exit 77
}

[ "$(uname -m)" != aarch64 ] || skip "this machine is one"
command -v aarch64-linux-gnu-gcc >/dev/null || skip "aarch64-linux-gnu-gcc is not installed"
command -v qemu-aarch64 >/dev/null || skip "qemu-aarch64 is not installed"
"$source/tools/aarch64_sysroot.sh" "$build/sysroot"
cmake -S "$source" -B "$build" -G Ninja -DCMAKE_TOOLCHAIN_FILE="$source/cmake/aarch64.cmake" \
    -DCMAKE_SYSROOT="$build/sysroot" -DCMAKE_BUILD_TYPE=Release -DDRUMLINE_MPI=OFF -DDRUMLINE_TOOLS=OFF \
    -DDRUMLINE_WERROR=ON
cmake --build "$build" --target drumline-generate drumline-info "${tests[@]/#/test_}"

# What reads HDF5 files is a process of its own, and the kernel here can start none of another machine.
reader=$build/hdf5_reader
printf '#!/bin/sh\nexec qemu-aarch64 -L "%s" "%s"\n' "$build/sysroot" "$build/libexec/drumline-hdf5-reader" >"$reader"
chmod +x "$reader"

regex=$(IFS='|'; printf '%s' "${tests[*]}")
DRUMLINE_HDF5_READER=$reader OPENBLAS_NUM_THREADS=1 ctest --test-dir "$build" -R "^($regex)$" --output-on-failure --no-tests=error -j "$(nproc)"

# Files that an x86-64 machine wrote.
arm() { DRUMLINE_HDF5_READER=$reader qemu-aarch64 -L "$build/sysroot" "$build/bin/$1" "${@:2}"; }
first_version=$source/tests/fixtures/first_version
files=("$first_version/data" "$first_version/run" "$first_version"/run/train/*.h5)
"$info" --json "${files[@]}" >"$build/info_here.json"
arm drumline-info --json "${files[@]}" >"$build/info_arm.json"
diff <(grep -v '"age":' "$build/info_here.json") <(grep -v '"age":' "$build/info_arm.json")
rm -rf "$build/generated"
arm drumline-generate --run_dir "$first_version/run" --num_outputs 3 --output_dir "$build/generated"
[ "$(find "$build/generated" -name '*.mid' | wc -l)" -eq 3 ]
