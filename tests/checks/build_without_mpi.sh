#!/bin/bash
# build_without_mpi.sh SOURCE_DIR BUILD_DIR: with -DDRUMLINE_MPI=OFF, CMake does not even look for MPI (looking is made an
# error), and the generator and drumline-info build and run.
set -euo pipefail
cmake -S "$1" -B "$2" -G Ninja -DCMAKE_BUILD_TYPE=Release -DDRUMLINE_MPI=OFF -DDRUMLINE_WERROR=ON \
    -DCMAKE_DISABLE_FIND_PACKAGE_MPI=ON
cmake --build "$2" --target drumline-generate drumline-info drumline-drummers
for program in generate info; do
    "$2/bin/drumline-$program" --version
done
if "$2/bin/drumline-train" --version 2>/dev/null; then
    printf 'drumline-train was built, and needs MPI\n' >&2
    exit 1
fi
"$(dirname "$0")/no_mpi_symbols.sh" "$2/bin/drumline-generate" "$2/bin/drumline-info" \
    "$2/libexec/drumline-hdf5-reader"
